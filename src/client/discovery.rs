//! Replies to `server/discover`, the modern era's first request, that say in their way that the server does not know it.

use std::time::Duration;

use reqwest::StatusCode;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{StreamableHttpError, StreamableHttpPostResponse};
use serde_json::json;

use super::oddity;
use super::told::HttpFailure;

/// Under this key of an error's data the handshake finds that it was refused by HTTP, with which status.
const HTTP_STATUS: &str = "mcptask/httpStatus";

/// How long a server may take for that request where it may be of the older era: a little less than the ten seconds after
/// which rmcp goes on to `initialize`, which over HTTP would wait behind it.
pub(super) const DISCOVERED_WITHIN: Duration = Duration::from_secs(9);

/// Under this key of an error's data the handshake finds that the server was silent for so long.
const SILENT: &str = "mcptask/silent";

/// Whether it asks a server that is not known yet whether it is a modern one.
pub(super) fn is_discovery(message: &ClientJsonRpcMessage, in_session: bool) -> bool {
    let ClientJsonRpcMessage::Request(request) = message else { return false };
    !in_session && matches!(request.request, ClientRequest::DiscoverRequest(_))
}

/// What tells rmcp that the server is not a modern one, with the status that said so.
pub(super) fn not_discovered(status: StatusCode) -> ErrorData {
    let data = json!({ HTTP_STATUS: status.as_u16() });
    ErrorData::invalid_request(format!("HTTP {status}"), Some(data))
}

/// What tells rmcp that the server is not a modern one: its reply to the modern era's first request is none.
pub(super) fn undiscoverable(
    request: &RequestId,
    odd: &StreamableHttpError<HttpFailure>,
) -> StreamableHttpPostResponse {
    let words = oddity::in_words(odd).unwrap_or_else(|| odd.to_string());
    let error = ErrorData::invalid_request("no reply", Some(oddity::data(&words)));
    StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, Some(request.clone())), None)
}

/// What tells rmcp that the server is not a modern one, as far as can be known yet: it is silent.
pub(super) fn silent(request: &RequestId) -> StreamableHttpPostResponse {
    let words = format!("no reply within {} s", DISCOVERED_WITHIN.as_secs());
    let error = ErrorData::invalid_request(words, Some(json!({ SILENT: true })));
    StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, Some(request.clone())), None)
}

/// Whether the server was silent.
pub(super) fn was_silent(error: &ErrorData) -> bool {
    error.data.as_ref().is_some_and(|data| data.get(SILENT).is_some())
}

/// The status with which HTTP refused the handshake, where it did.
pub(super) fn http_status(error: &ErrorData) -> Option<u16> {
    let status = error.data.as_ref()?.get(HTTP_STATUS)?.as_u64()?;
    u16::try_from(status).ok()
}
