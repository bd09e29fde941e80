//! The desk for MCP hosts: a server on stdio whose tools are the desk's verbs, so that a host's model can say what waits,
//! and a person can decide there.
//!
//! rmcp speaks the protocol, in both eras ([`handler`]), on lines that are checked before ([`lines`]); each call is one future beside the others ([`calls`]),
//! and no verb is done here: the desk does them all. What strangers wrote reaches a model as data only ([`shown`]).

mod answering;
mod arguments;
mod asking;
mod calls;
mod handler;
mod lines;
mod pending;
mod shown;
mod tasks;
mod tools;

use futures::stream::{FuturesUnordered, StreamExt as _};
use rmcp::service::{ServerInitializeError, serve_server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::desk::failure::{Failure, Kind};
use crate::desk::places::Places;
use crate::desk::suggest::Advice;
use crate::task::Who;

use calls::{Call, Desk};
use handler::Handler;
use lines::Lines;

/// Calls that are worked on at once, and as many again that wait for their turn.
const AT_ONCE: usize = 32;

/// How the desk reaches its places: what a command knows of it.
pub(crate) trait Way {
    /// The places as they are now.
    async fn places(&self) -> Result<Places, Failure>;

    /// The failure as it is told: its hints reach the same places.
    fn failed(&self, failure: Failure) -> Failure;

    /// What helps, with commands that reach the same places.
    fn advise(&self, advice: Advice) -> String;

    /// Why there are no places, where nobody has begun a store.
    fn nothing_begun(&self) -> String;

    /// Refuses a change that somebody has to say yes to first.
    async fn before_changing(&self) -> Result<(), Failure>;

    /// Who answers: the one that the command names, or the client of that name.
    fn who(&self, client: Option<&str>, note: Option<String>) -> Who;
}

/// What there is to do next.
enum Next {
    Over(Result<(), Failure>),
    Begin(Box<Call>),
    Done,
}

/// Serves one host until it closes its end. With `allow_answer` its model may answer questions, and have its user asked.
pub(crate) async fn serve<W: Way>(
    way: &W,
    allow_answer: bool,
    stdin: impl AsyncRead + Unpin + Send + 'static,
    stdout: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), Failure> {
    let (calls, mut coming) = mpsc::channel(AT_ONCE);
    let closed = CancellationToken::new();
    let lines = Lines::new(stdin, stdout, closed.clone());
    let mut served = Box::pin(converse(Handler::new(calls, allow_answer), lines));
    let desk = Desk::new(way, closed);
    let mut working = FuturesUnordered::new();
    loop {
        let next = tokio::select! {
            biased;
            over = &mut served => Next::Over(over),
            Some(()) = working.next(), if !working.is_empty() => Next::Done,
            Some(call) = coming.recv(), if working.len() < AT_ONCE => Next::Begin(Box::new(call)),
        };
        match next {
            Next::Over(over) => return over,
            Next::Begin(call) => working.push(desk.answer(*call)),
            Next::Done => {}
        }
    }
}

async fn converse<R, W>(handler: Handler, lines: Lines<R, W>) -> Result<(), Failure>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    match serve_server(handler, lines).await {
        Ok(running) => match running.waiting().await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::caused(Kind::Unexpected, "the connection to the host broke", error)),
        },
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => {
            let problem = format!("the host did not begin as MCP wants it: {error}");
            Err(Failure::new(Kind::Unexpected, problem)
                .hint("an MCP host starts this command and speaks with it on stdin and stdout"))
        }
    }
}
