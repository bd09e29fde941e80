//! Requests whose response is a stream of notifications: they last until their client or the server ends them.

use std::convert::Infallible;

use rmcp::ErrorData;
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::{Value, json};

use super::request::{Request, Serving};
use crate::events_extension::SUBSCRIPTION;

/// Serves such a request until the client ends it or the server stops: then it has its final result, whatever is under
/// way for it.
pub(super) async fn until_closed(
    serving: &Serving,
    request: &Request,
    running: impl Future<Output = Result<Infallible, ErrorData>>,
) -> Result<Value, ErrorData> {
    // A stopping server waits until it has said that it ends.
    let _counted = serving.calls.token();
    tokio::select! {
        biased;
        () = serving.stop.cancelled() => {}
        () = request.context.ct.cancelled() => {}
        () = request.caller.gone() => {}
        ended = running => return ended.map(|never| match never {}),
    }
    Ok(closed(request))
}

/// The final result.
pub(super) fn closed(request: &Request) -> Value {
    json!({ "resultType": "complete", "_meta": { SUBSCRIPTION: request.context.id } })
}

/// Tells something in the stream; returns when it has its place on the way.
pub(super) async fn notify(request: &Request, method: &str, mut params: Value) -> Result<(), ErrorData> {
    params["_meta"] = json!({ SUBSCRIPTION: request.context.id });
    let notification = ServerNotification::CustomNotification(CustomNotification::new(method, Some(params)));
    let sent = request.context.peer.send_notification(notification).await;
    sent.map_err(|error| ErrorData::internal_error(format!("could not notify: {error}"), None))
}
