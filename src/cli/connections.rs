//! A server that a command goes through: over one connection, or, where the command waits, over as many as it takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;

use super::context::Context;
use super::failure::Failure;
use super::outage::Outage;
use super::remote::{self, RemoteArgs};
use super::remote_answering::RemoteAnswering;
use crate::client::{Answering, Client, ClientError, Era, Patience, Target};
use crate::desk::server::Server;
use crate::engine::Retry;

/// Connects to a server, which may ask `answering`. Where the command `waits`, a server that is away is waited for, also
/// whenever the connection is lost; a program that is started here does not come back by waiting.
pub(crate) async fn open(
    context: &Context,
    args: &RemoteArgs,
    target: &Target,
    waits: bool,
    answering: Option<Arc<RemoteAnswering>>,
) -> Result<Server, Failure> {
    let is_lasting = waits && matches!(target, Target::Http { .. });
    let outage = waits.then(|| Arc::new(Outage::of_server(&context.ui, context.name())));
    let losses = Arc::new(Mutex::new(Retry::new("what a command waits for").murmuring()));
    let mut way = Way { target: target.clone(), era: args.era(), answering, outage, losses, is_lasting };
    let client = way.connect().await?;
    remote::introduce(&context.ui, &client);
    way.era = client.era();
    let server = Server::new(client, target, context.kept(target));
    if !is_lasting {
        return Ok(server);
    }
    let renewal = move |failure: Failure| {
        let way = way.clone();
        async move { way.connect_again(&failure).await }.boxed()
    };
    Ok(server.renewed_by(Box::new(renewal)))
}

/// How a server is reached.
#[derive(Clone)]
struct Way {
    target: Target,
    /// The era that was chosen; the one that was found, once it was.
    era: Era,
    /// Who is asked what it asks.
    answering: Option<Arc<RemoteAnswering>>,
    /// Of the server, where the command waits.
    outage: Option<Arc<Outage>>,
    /// The pauses before connections in place of lost ones.
    losses: Arc<Mutex<Retry>>,
    /// Whether it may come back.
    is_lasting: bool,
}

impl Way {
    /// A connection, as soon as there can be one where that may be waited for.
    async fn connect(&self) -> Result<Client, Failure> {
        loop {
            let answering = self.answering.clone().map(|answering| answering as Arc<dyn Answering>);
            let connected = Client::connect(&self.target, self.era, answering).await;
            let Some(outage) = &self.outage else { return connected.map_err(Failure::from) };
            match connected {
                Err(error) => {
                    let (wait, failure) = (error.wait(), Failure::from(error));
                    if !self.is_lasting || !failure.is_outage() {
                        return Err(failure);
                    }
                    tokio::time::sleep(outage.failed(&failure).max(wait)).await;
                }
                Ok(client) => {
                    outage.worked();
                    let (outage, is_lasting) = (outage.clone(), self.is_lasting);
                    return Ok(client.with_patience(Arc::new(ServerAway { outage, is_lasting })));
                }
            }
        }
    }

    /// A connection in place of one that was lost.
    async fn connect_again(&self, lost: &Failure) -> Result<Client, Failure> {
        if let Some(answering) = &self.answering {
            answering.begins_anew();
        }
        if let Some(outage) = &self.outage {
            // A connection that holds for a moment only, again and again, is no sign that the next one does better.
            let pause = self.losses.lock().unwrap_or_else(PoisonError::into_inner).failed(lost);
            tokio::time::sleep(outage.failed(lost).max(pause)).await;
        }
        self.connect().await
    }
}

/// How a command waits for a server over a connection that holds.
struct ServerAway {
    outage: Arc<Outage>,
    is_lasting: bool,
}

impl Patience for ServerAway {
    fn pause(&self, error: &ClientError) -> Option<Duration> {
        // A program that was started here and says that its store is away is still there.
        let is_gone = !self.is_lasting && !matches!(error, ClientError::Refused { .. });
        (!is_gone).then(|| self.outage.failed(&Failure::from(error.clone()).of_outage(true)))
    }

    fn answered(&self) {
        self.outage.worked();
    }
}
