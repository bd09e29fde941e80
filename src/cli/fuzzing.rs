//! What people and files give as answers, as `crate::fuzzing` runs it.

use super::answers::Answers;
use crate::task::Ask;

/// A file of answers.
pub(crate) fn answer(text: &[u8]) {
    if let Ok(answers) = Answers::given(&String::from_utf8_lossy(text)) {
        let schema = serde_json::json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let _ = answers.to(0, &Ask::form("Why?", schema));
    }
}
