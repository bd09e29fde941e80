//! What a reply over HTTP is, and what stands for one that is none.

use rmcp::model::{ErrorData, JsonRpcError, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::json;
use sse_stream::Sse;

use super::oddity;
use super::told::HttpFailure;

type HttpError = StreamableHttpError<HttpFailure>;

/// The message as the only reply to a request, after which nothing comes on its connection.
pub(super) fn reply_to(
    request: &RequestId,
    message: ServerJsonRpcMessage,
) -> Result<ServerJsonRpcMessage, HttpError> {
    let id = match message {
        ServerJsonRpcMessage::Response(ref response) => &response.id,
        ServerJsonRpcMessage::Error(JsonRpcError { id: Some(ref id), .. }) => id,
        // Some servers cannot name what they refuse.
        ServerJsonRpcMessage::Error(error) => {
            return Ok(ServerJsonRpcMessage::error(error.error, Some(request.clone())));
        }
        _ => return Err(HttpError::UnexpectedServerResponse("it sends a message that is no reply".into())),
    };
    if id != request {
        // As JSON: the text "2" is another id than the number.
        let [id, request] = [id, request].map(|id| json!(id));
        let problem = format!("it replies to request {id}, and was sent request {request}");
        return Err(HttpError::UnexpectedServerResponse(problem.into()));
    }
    Ok(message)
}

/// What rmcp reads where the reply to that request is too large: an error, so that who waits for it hears of it.
pub(super) fn no_reply(request: RequestId, what: &str, limit: usize) -> Sse {
    let data = oddity::data(&oddity::too_many_bytes(what, limit));
    let error = ErrorData::internal_error("too large", Some(data));
    let message = ServerJsonRpcMessage::error(error, Some(request));
    Sse { data: serde_json::to_string(&message).ok(), ..Sse::default() }
}
