//! Staying with a task to its end, as `submit --wait` and `attach` do.

use std::sync::Arc;

use super::connections;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow::Answering;
use super::remote::{self, RemoteArgs};
use super::remote_answering::RemoteAnswering;
use super::ui::spinner::Spinner;
use super::ui::text;
use crate::client::{Target, TaskView};
use crate::desk::ending::Ending;
use crate::desk::failure::server::gone_or;
use crate::desk::server::Server;

/// Does a command's work at a server that may ask `answering`, and leaves it in good order. Where the command does not
/// wait, the server is told that it may ask: its task is left to it, and is answered later.
pub(crate) async fn at_server(
    context: &Context,
    remote: &RemoteArgs,
    target: &Target,
    (answering, waits): (Answering, bool),
    work: impl AsyncFnOnce(&Server, &RemoteAnswering) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let asks = !waits || answering.can_ask();
    let answering = RemoteAnswering::new(answering, true);
    let asked = asks.then(|| answering.clone());
    let server = connections::open(context, remote, target, waits, asked).await?;
    let here: Arc<RemoteAnswering> = answering.clone();
    let server = server.explained_by(Box::new(move |error| remote::explained(error, &here)));
    let done = work(&server, &answering).await;
    server.close().await;
    if waits && asks && done.is_ok() {
        answering.tell_surplus();
    }
    done
}

/// Follows a server's task to its end.
pub(crate) async fn to_end(context: &Context, server: &Server, begun: &TaskView) -> Result<Ending, Failure> {
    let spinner = Spinner::start(&context.ui, "waiting");
    let on_change = |task: &TaskView| {
        let status = task.status.as_str();
        spinner.say(task.status_message.as_deref().unwrap_or(status));
    };
    let ended = server.run(async |client| client.follow(&begun.id, &on_change).await).await;
    drop(spinner);
    Ok(ended.map_err(|failure| gone_or(begun, failure))?.into())
}

/// Why a task was cancelled, for its log.
pub(crate) const LEFT: &str = "the command that waited for it ended before (--cancel-on-exit)";

/// Stays with a task to its end. Where `wanted`, the task is cancelled when the command ends before: by a signal, by
/// `--timeout`, or since a question was left open.
pub(crate) async fn or_cancel<T>(
    context: &Context,
    (wanted, task): (bool, &str),
    cancel: impl AsyncFnOnce() -> Result<(), Failure>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    if !wanted {
        return work.await;
    }
    let clean_up = context.cleans_up();
    let left = tokio::select! {
        biased;
        () = clean_up.cancelled() => None,
        done = work => match done {
            Ok(ended) => return Ok(ended),
            Err(failure) => Some(failure),
        },
    };
    let said = match cancel().await {
        Ok(()) => format!("task {} is cancelled, as --cancel-on-exit says", text::line(task)),
        Err(failure) => {
            format!("task {} could not be cancelled, as --cancel-on-exit says: {failure}", text::line(task))
        }
    };
    context.goes_on(said.as_str());
    // Whoever ended the command says why; what it would suggest about the task means nothing any more.
    let (kind, why) = match left {
        Some(failure) => (failure.kind(), failure.to_string()),
        None => (Kind::Interrupted, "interrupted".to_owned()),
    };
    Err(Failure::new(kind, why).hint(said.as_str()))
}
