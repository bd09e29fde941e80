//! What people and files give as answers, as `crate::fuzzing` runs it.

use super::answers::Answers;
use super::values;
use crate::task::{Ask, Form};

/// A file of answers.
pub(crate) fn answer(text: &[u8]) {
    if let Ok(answers) = Answers::given(&String::from_utf8_lossy(text)) {
        let schema = serde_json::json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let _ = answers.to(0, &Ask::form("Why?", schema));
    }
}

/// The same text typed into each field.
pub(crate) fn typed(form: &Form, text: &str) {
    for field in &form.fields {
        values::rules(field);
        if let Ok(value) = values::typed(form, field, text) {
            values::violation(form, field, &value);
            values::shown_in(field, &value);
        }
    }
    values::defaults(form);
}
