//! How a message is refused over HTTP: whoever refuses it, the response is a JSON-RPC error with a sentence.

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use serde_json::{Value, json};

/// The longest refusal that is passed on, in bytes: an error names what it refuses, which is no larger than a request.
const MOST: usize = 4 * 1024 * 1024;

/// A JSON-RPC error as the whole response.
pub(super) fn refusal(id: &Value, error: &ErrorData) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
    let status = if error.code == ErrorCode::METHOD_NOT_FOUND {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_REQUEST
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// What was refused, or could not be done, in plain text or without an id, as a JSON-RPC error to the message of that id. Any
/// other response as it is.
pub(super) async fn as_json_rpc(response: Response, id: &Value) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, MOST).await.unwrap_or_default();
    let body = if let Ok(Value::Object(mut error)) = serde_json::from_slice(&text) {
        if error.get("id").is_none_or(Value::is_null) {
            error.insert("id".to_owned(), id.clone());
        }
        Value::Object(error)
    } else {
        let error = ErrorData::new(code(status), sentence(status, &text), None);
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(body.to_string()))
}

fn code(status: StatusCode) -> ErrorCode {
    if status.is_server_error() { ErrorCode::INTERNAL_ERROR } else { ErrorCode::INVALID_REQUEST }
}

/// What is said of a refusal. rmcp says of two of them what is not so here: that a client must accept both media types.
fn sentence(status: StatusCode, text: &[u8]) -> String {
    match status {
        StatusCode::NOT_ACCEPTABLE => {
            "responses are application/json or text/event-stream, and the Accept header does not take application/json"
                .to_owned()
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "a message is JSON: send it with Content-Type: application/json".to_owned()
        }
        _ if text.is_empty() => status.canonical_reason().unwrap_or("refused").to_owned(),
        _ => String::from_utf8_lossy(text).trim().to_owned(),
    }
}
