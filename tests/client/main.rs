//! The client against real servers of both eras: `FastMCP` 3.0.2 and 3.4.11 (legacy), 4.1.4 (modern).

mod answers;
mod bare;
mod bare_machine;
mod bounds;
mod busy;
mod command;
mod detached;
mod eras;
mod failing;
mod heard;
mod kept_alive;
mod legacy;
mod many_tasks;
mod modern;
mod named;
mod occurrences;
mod peer;
mod programs;
mod replies;
mod sessions;
mod slow_answers;
mod strangers;
mod submitting;
mod told;
mod tools_shown;
mod trouble;
mod unanswerable;
mod unsure;

#[path = "../support/python.rs"]
mod python;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with test binaries that need more of it")]
mod redis;

use std::sync::Arc;
use std::time::Duration;

use mcptask::client::{Answering, Call, Client, ClientError, Ended, Era, Submitted, Target};
use mcptask::task::Outcome;
use serde_json::{Map, Value};

use answers::Answers;

/// The bound of each wait for a server; far above what any needs, so that only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) async fn bounded<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} hangs"))
}

pub(crate) async fn connect(url: &str, answers: &Arc<Answers>) -> Client {
    let answering: Arc<dyn Answering> = answers.clone();
    let target = Target::http(url).expect("a URL");
    bounded("connect", Client::connect(&target, Era::Auto, Some(answering))).await.expect("connects")
}

pub(crate) fn call(tool: &str, arguments: Value) -> Call {
    let Value::Object(arguments) = arguments else { panic!("{arguments} is an object") };
    Call { tool: tool.to_owned(), arguments, ..Call::default() }
}

/// Starts a tool that must become a task and follows it.
pub(crate) async fn run(client: &Client, call: Call) -> Result<Ended, ClientError> {
    let id = task(client, call).await;
    bounded("follow", client.follow(&id, &|_| ())).await
}

/// Starts a tool that must become a task.
pub(crate) async fn task(client: &Client, call: Call) -> String {
    match bounded("submit", client.submit(call)).await.expect("submits") {
        Submitted::Task(view) => view.id,
        Submitted::Done(outcome) => panic!("not a task: {outcome:?}"),
    }
}

pub(crate) fn none() -> Value {
    Value::Object(Map::new())
}

/// The text of a finished task, and whether it is a tool error.
pub(crate) fn text(ended: Result<Ended, ClientError>) -> (String, bool) {
    match ended.expect("follows to the end") {
        Ended::Finished(outcome) => outcome_text(&outcome),
        Ended::Failed { message, outcome } => {
            let (text, is_error) = outcome_text(&outcome.expect("an outcome"));
            assert!(is_error, "{message:?}: {text}");
            (text, is_error)
        }
        Ended::Cancelled { message } => panic!("cancelled: {message:?}"),
    }
}

pub(crate) fn outcome_text(outcome: &Outcome) -> (String, bool) {
    let Outcome::Result(result) = outcome else { panic!("not a result: {outcome:?}") };
    let text = result.pointer("/content/0/text").and_then(Value::as_str);
    (text.unwrap_or_else(|| panic!("no text in {result}")).to_owned(), outcome.is_tool_error())
}
