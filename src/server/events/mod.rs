//! The Events extension (SEP-3415): `events/list`, `events/poll` and `events/stream`, straight from the store's log. Its
//! words stand in `events_extension`, since they may still move.

mod kinds;
mod poll;
mod stream;
mod subscription;

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::errors::invalid;
use super::request::Request;
pub(super) use poll::poll;
pub(super) use stream::stream;

/// The events that there are: all on one page.
pub(super) fn list(request: &Request) -> Result<Value, ErrorData> {
    match request.params.get("cursor") {
        None | Some(Value::Null) => Ok(json!({ "resultType": "complete", "events": kinds::listed() })),
        Some(cursor) => Err(invalid(format!("params.cursor {cursor} is not one that this server gave"))),
    }
}
