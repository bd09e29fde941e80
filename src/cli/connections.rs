//! A server that a command goes through: over one connection, or, where the command waits, over as many as it takes.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;

use super::context::Context;
use super::failure::Failure;
use super::outage::Outage;
use super::remote::{self, RemoteArgs};
use super::remote_answering::RemoteAnswering;
use super::ui::Ui;
use crate::client::{self, Call, Client, ClientError, Era, Patience, Submitted, Target};
use crate::desk::server::Server;
use crate::desk::suggest::Advice;

/// Which steps may be taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Always,
    WhereNothingWasDone,
}

/// See the module.
pub(crate) struct Connections<'a> {
    ui: &'a Ui,
    target: &'a Target,
    /// The era that was chosen; the one that was found, once it was.
    era: Era,
    answering: Option<Arc<RemoteAnswering>>,
    /// Whether the server is told that it may ask.
    asks: bool,
    /// Of the server, where the command waits for it.
    outage: Option<Arc<Outage>>,
    client: Option<Client>,
    /// Whether the session stays when the command ends.
    session_stays: bool,
}

impl<'a> Connections<'a> {
    /// None yet. A server that is away is waited for where the command `waits`.
    pub(crate) fn new(context: &'a Context, args: &RemoteArgs, target: &'a Target, waits: bool) -> Self {
        let outage = waits.then(|| Arc::new(Outage::of_server(&context.ui)));
        let (answering, client) = (None, None);
        let (ui, era, asks, session_stays) = (&context.ui, args.era(), false, false);
        Self { ui, target, era, answering, asks, outage, client, session_stays }
    }

    /// With the one whom the server may ask, if it `asks`.
    #[must_use]
    pub(crate) fn answered_by(self, answering: &Arc<RemoteAnswering>, asks: bool) -> Self {
        Self { answering: Some(answering.clone()), asks, ..self }
    }

    /// Where they lead.
    pub(crate) fn target(&self) -> &'a Target {
        self.target
    }

    /// Takes a step that can be repeated.
    pub(crate) async fn run<T>(
        &mut self,
        step: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        self.repeat(Repeats::Always, step).await
    }

    /// Submits a call once: again only where it is certain that nothing was submitted before.
    pub(crate) async fn submit(&mut self, call: &Call) -> Result<Submitted, Failure> {
        let step = async |client: &Client| client.submit(call.clone()).await;
        self.repeat(Repeats::WhereNothingWasDone, step).await
    }

    async fn repeat<T>(
        &mut self,
        repeats: Repeats,
        step: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        match self.outage.clone() {
            Some(outage) => outage.ride_out(async || self.once(repeats, &step).await).await,
            None => self.once(repeats, &step).await,
        }
    }

    async fn once<T>(
        &mut self,
        repeats: Repeats,
        step: &impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        let error = match step(self.connected().await?).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let unsure = (repeats == Repeats::WhereNothingWasDone && error.is_passing() && !error.did_nothing())
            .then(|| {
                Advice::from("the task may have been submitted all the same, so it is not submitted again")
            });
        let is_outage = self.outage.is_some() && self.is_lasting() && error.is_passing() && unsure.is_none();
        if is_outage {
            // What passes while a connection holds was waited out there: this one does not hold.
            self.leave().await;
        }
        let failure = remote::explained(error, self.answering.as_deref());
        Err(failure.maybe_hint(unsure).of_outage(is_outage))
    }

    async fn connected(&mut self) -> Result<&Client, Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.connect().await?,
        };
        Ok(self.client.insert(client))
    }

    async fn connect(&mut self) -> Result<Client, Failure> {
        let answering = self.answering.clone().filter(|_| self.asks);
        let answering = answering.map(|answering| answering as Arc<dyn client::Answering>);
        let connected = Client::connect(self.target, self.era, answering).await;
        let mut client = connected.map_err(|error| {
            let is_outage = self.is_lasting() && error.is_passing();
            Failure::from(error).of_outage(is_outage)
        })?;
        remote::introduce(self.ui, &client);
        self.era = client.era();
        if let Some(outage) = self.outage.clone() {
            outage.worked();
            client = client.with_patience(Arc::new(ServerAway { outage, is_lasting: self.is_lasting() }));
        }
        Ok(client)
    }

    /// Whether the server is one that may come back: a program that was started here does not.
    fn is_lasting(&self) -> bool {
        matches!(self.target, Target::Http { .. })
    }

    async fn leave(&mut self) {
        if let Some(answering) = &self.answering {
            answering.begins_anew();
        }
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }

    /// Something goes on in the session, or it is over: whether it stays at the server when the command ends.
    pub(crate) fn session_stays(&mut self, stays: bool) {
        self.session_stays = stays;
    }

    /// Ends the connection, on stdio the server with it; and the session, unless it stays.
    pub(crate) async fn close(mut self) {
        match self.client.take() {
            Some(client) if self.session_stays => client.leave().await,
            Some(client) => client.close().await,
            None => {}
        }
    }
}

/// A server that is waited for: connected to as soon as it is there, and again whenever the connection is lost.
pub(crate) async fn lasting(
    context: &Context,
    args: &RemoteArgs,
    target: &Target,
) -> Result<Server, Failure> {
    let outage = Arc::new(Outage::of_server(&context.ui));
    let client = reached(outage.clone(), target.clone(), args.era()).await?;
    remote::introduce(&context.ui, &client);
    let (again, era) = (target.clone(), client.era());
    let renewal = move |failure: Failure| {
        let (outage, target) = (outage.clone(), again.clone());
        async move {
            tokio::time::sleep(outage.failed(&failure)).await;
            reached(outage, target, era).await
        }
        .boxed()
    };
    Ok(Server::new(client, target, context.kept()).renewed_by(Box::new(renewal)))
}

/// A connection as soon as there can be one.
async fn reached(outage: Arc<Outage>, target: Target, era: Era) -> Result<Client, Failure> {
    loop {
        match Client::connect(&target, era, None).await.map_err(Failure::from) {
            Err(failure) if failure.is_outage() => tokio::time::sleep(outage.failed(&failure)).await,
            Err(failure) => return Err(failure),
            Ok(client) => {
                outage.worked();
                return Ok(client.with_patience(Arc::new(ServerAway { outage, is_lasting: true })));
            }
        }
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
