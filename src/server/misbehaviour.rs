//! The faults that show on the way to a client, as filters before what is sent.

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use rmcp::ErrorData;
use serde_json::Value;

use super::request::{Request, Serving};
use super::wire::{self, Object};
use crate::task::{Fault, Task, TaskId, TaskStatus};

/// [`Fault::QuestionAfterCancel`]: a cancelled task still shows what it asked.
pub(super) fn distort(serving: &Serving, task: &Task, shown: &mut Object) {
    if task.status == TaskStatus::Cancelled && serving.relay.misbehaves(task.id(), Fault::QuestionAfterCancel)
    {
        shown.insert("inputRequests".into(), wire::input_requests(task, task.questions.iter()));
    }
}

/// [`Fault::StalledStream`]: a call's response does not come. Else it is returned as it is.
pub(super) async fn stall(
    serving: &Serving,
    request: &Request,
    task: &TaskId,
    response: Result<Value, ErrorData>,
) -> Result<Value, ErrorData> {
    if serving.relay.misbehaves(task, Fault::StalledStream) {
        request.context.ct.cancelled().await;
    }
    response
}

/// [`Fault::DroppedConnection`]: whether the response to a request about a task is to be cut off.
pub(super) fn cuts(serving: &Serving, method: &str, message: &Value) -> bool {
    let task = message.get("params").and_then(|params| params.get("taskId")).and_then(Value::as_str);
    let task = task.and_then(|task| task.parse().ok());
    matches!(method, "tasks/get" | "tasks/result") && task.is_some_and(|task| serving.relay.cuts(&task))
}

/// Marks a request whose response is cut off: [`Fault::DroppedConnection`].
///
/// [`Fault::DroppedConnection`]: crate::task::Fault::DroppedConnection
#[derive(Debug, Clone)]
pub(super) struct Cut;

/// The body up to the middle of its first message. The error behind it drops the connection.
pub(super) fn cut_off(body: Body) -> Body {
    let parts = body.into_data_stream().scan(false, |over, part| {
        if *over {
            return std::future::ready(Some(Err(axum::Error::new("fault: the connection is dropped"))));
        }
        let message = |part: &Bytes| String::from_utf8_lossy(part).contains("jsonrpc");
        *over = part.as_ref().is_ok_and(message);
        let kept = |part: Bytes| if *over { part.slice(..part.len() / 2) } else { part };
        std::future::ready(Some(part.map(kept)))
    });
    // A message is one part, and something has to come behind it: later, so that the first half goes out.
    let end = futures::stream::once(async {
        tokio::task::yield_now().await;
        Err(axum::Error::new("fault: the connection is dropped"))
    });
    Body::from_stream(parts.chain(end))
}
