//! Replies to `server/discover`, the modern era's first request, that say in their way that the server does not know it.

use reqwest::StatusCode;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{StreamableHttpError, StreamableHttpPostResponse};
use serde_json::json;

use super::oddity;

/// Under this key of an error's data the handshake finds that it was refused by HTTP, with which status.
const HTTP_STATUS: &str = "mcptask/httpStatus";

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
    odd: &StreamableHttpError<reqwest::Error>,
) -> StreamableHttpPostResponse {
    let words = oddity::in_words(odd).unwrap_or_else(|| odd.to_string());
    let error = ErrorData::invalid_request("no reply", Some(oddity::data(&words)));
    StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, Some(request.clone())), None)
}

/// The status with which HTTP refused the handshake, where it did.
pub(super) fn http_status(error: &ErrorData) -> Option<u16> {
    let status = error.data.as_ref()?.get(HTTP_STATUS)?.as_u64()?;
    u16::try_from(status).ok()
}
