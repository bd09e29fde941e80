//! The dialect layer, as `crate::fuzzing` runs it.

use rmcp::model::ClientJsonRpcMessage;
use serde_json::Value;

use super::dialect::{Translation, original, translate};

/// A renamed message is the message but for its method, and finds back.
pub(crate) fn message(input: &[u8]) {
    let Ok(mut message) = serde_json::from_slice::<Value>(input) else { return };
    let before = message.clone();
    match translate(&mut message) {
        Translation::Same => assert_eq!(message, before),
        Translation::Forged => return,
        Translation::Renamed { method, private, era } => {
            assert_eq!(original(&private), Some((era, method.as_str())));
            let mut back = message.clone();
            back["method"] = Value::String(method);
            assert_eq!(back, before);
        }
    }
    let _ = serde_json::from_value::<ClientJsonRpcMessage>(message);
}
