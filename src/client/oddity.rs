//! What is odd about what a server sent, in words, and how the words reach whoever waits for a reply through rmcp.

use rmcp::model::ErrorData;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::{Value, json};

use super::told::HttpFailure;

/// Under this key of an error's data stand the words.
const ODD: &str = "mcptask/odd";

/// What is wrong with something of too many bytes.
pub(super) fn too_many_bytes(what: &str, limit: usize) -> String {
    format!("sends {what} that is too large: it has more than {limit} bytes")
}

/// What is odd about a reply, where that is the error.
pub(super) fn in_words(error: &StreamableHttpError<HttpFailure>) -> Option<String> {
    let how = match error {
        StreamableHttpError::ResponseBodyTooLarge { max_size } => {
            return Some(too_many_bytes("a reply", *max_size));
        }
        StreamableHttpError::UnexpectedContentType(Some(kind)) => {
            format!("with {kind}, which is neither JSON nor events")
        }
        StreamableHttpError::UnexpectedContentType(None) => {
            "without saying what its reply is (Content-Type)".to_owned()
        }
        StreamableHttpError::UnexpectedServerResponse(problem) => problem.to_string(),
        StreamableHttpError::Deserialize(_) => error.to_string(),
        _ => return None,
    };
    Some(format!("answers, and not as an MCP server does: {how}"))
}

/// The data of an error that stands for an odd reply.
pub(super) fn data(words: &str) -> Value {
    json!({ ODD: words })
}

/// What was odd, where the error stands for that.
pub(super) fn told(error: &ErrorData) -> Option<String> {
    Some(error.data.as_ref()?.get(ODD)?.as_str()?.to_owned())
}
