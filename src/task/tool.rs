//! What a tool says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether a tool runs as a task: the protocol's `execution.taskSupport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskSupport {
    /// As a task or plainly, as the client likes.
    #[default]
    Optional,
    /// Only as a task.
    Required,
    /// Only plainly.
    Forbidden,
}

/// What becomes of a question that nobody at its task's client can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unanswerable {
    /// It is answered with cancel, with the reason.
    #[default]
    Cancel,
    /// It stays open for an operator, and an event says so, for notifiers.
    Notify,
    /// It stays open for an operator, and the reason goes to the log. A newer version's way is taken for this one.
    #[serde(other)]
    Wait,
}

impl Unanswerable {
    /// Every one, as it is written.
    pub const ALL: [(&str, Self); 3] =
        [("cancel", Self::Cancel), ("wait", Self::Wait), ("notify", Self::Notify)];
}

/// A tool as the catalog shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its unique name.
    pub name: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// The JSON schema of its arguments; always of type object.
    pub input_schema: Value,
    /// The JSON schema of its structured result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Whether it runs as a task.
    #[serde(default)]
    pub task_support: TaskSupport,
    /// How long its tasks are kept from creation on, in milliseconds, unless the client says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// How long one of its questions waits before it is answered by cancel, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_timeout_ms: Option<u64>,
    /// After how many milliseconds people are told once more of a question that waits, unless the question says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after_ms: Option<u64>,
    /// What becomes of a question that nobody at its task's client can answer, unless the server's word shall count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswerable: Option<Unanswerable>,
    /// How many questions it asks before its call becomes a task, where the client can be asked in the reply
    /// (SEP-2663, composition with SEP-2322). Its work begins after them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asks_first: u32,
    /// How often a task may be started, at least 1.
    #[serde(default = "default_max_attempts")]
    pub max_attempts: u32,
    /// MCP's tool annotations, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Attempts of a task whose tool says nothing else: the first and two after crashes.
pub const fn default_max_attempts() -> u32 {
    3
}

impl ToolSpec {
    /// A tool with a name, a description, an input schema, and defaults for the rest.
    pub fn new(name: &str, description: &str, input_schema: Value) -> Self {
        Self {
            name: name.to_owned(),
            title: None,
            description: description.to_owned(),
            input_schema,
            output_schema: None,
            task_support: TaskSupport::Optional,
            ttl_ms: None,
            question_timeout_ms: None,
            remind_after_ms: None,
            unanswerable: None,
            asks_first: 0,
            max_attempts: default_max_attempts(),
            annotations: None,
        }
    }

    /// The arguments, with the input schema's default for each that was left out.
    #[must_use]
    pub fn filled_in(&self, mut arguments: Map<String, Value>) -> Map<String, Value> {
        let properties = self.input_schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if let Some(default) = property.get("default").filter(|_| !arguments.contains_key(name)) {
                arguments.insert(name.clone(), default.clone());
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let schema = json!({ "type": "object", "properties": {
            "n": { "type": "integer", "default": 1 }, "null": { "default": null }, "name": { "type": "string" } } });
        let tool = ToolSpec::new("ask", "Asks.", schema);
        let filled_in =
            |given: Value| Value::Object(tool.filled_in(given.as_object().expect("an object").clone()));
        assert_eq!(filled_in(json!({})), json!({ "n": 1, "null": null }));
        assert_eq!(filled_in(json!({ "n": 7, "more": true })), json!({ "n": 7, "more": true, "null": null }));
        let other = ToolSpec::new("odd", "Has no properties.", json!(true));
        assert_eq!(other.filled_in(Map::new()), Map::new());
    }
}
