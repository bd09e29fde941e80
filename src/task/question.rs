//! A question: one elicitation of a task.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Answer, QuestionId, Violation};

/// The longest message of a question, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;
/// The largest schema of a question, in bytes of JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;

/// What a tool asks: the part of a question that the tool writes. It compares equal when a tool that
/// runs again after a crash asks the same thing at the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The text that is shown to the user.
    pub message: String,
    /// What the tool calls the question, for clients that show or script it: see [`Task::question_key`].
    /// No part of what is asked, so a tool that runs again may call it something else.
    ///
    /// [`Task::question_key`]: super::Task::question_key
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Form or URL.
    #[serde(flatten)]
    pub kind: AskKind,
    /// What it answers when its time is over. No part of what is asked either.
    #[serde(default, skip_serializing_if = "OnTimeout::is_cancel")]
    pub on_timeout: OnTimeout,
    /// After how many milliseconds without an answer people are told once more. No part of what is asked either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after_ms: Option<u64>,
}

/// What a question answers when nobody did in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTimeout {
    /// No.
    Decline,
    /// The form's defaults.
    Default,
    /// Nothing was decided. A newer version's way is taken for this one.
    #[default]
    #[serde(other)]
    Cancel,
}

impl OnTimeout {
    /// Every one, as it is written.
    pub const ALL: [(&str, Self); 3] =
        [("cancel", Self::Cancel), ("decline", Self::Decline), ("default", Self::Default)];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_cancel(&self) -> bool {
        *self == Self::Cancel
    }

    /// What the question does, in words that its deadline follows.
    pub fn words(self) -> &'static str {
        match self {
            Self::Cancel => "cancels itself",
            Self::Decline => "declines itself",
            Self::Default => "answers itself with its defaults",
        }
    }
}

/// MCP's two elicitation modes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum AskKind {
    /// A form, described by a flat JSON schema.
    Form {
        /// The schema as the tool wrote it, key order kept.
        #[serde(rename = "requestedSchema")]
        schema: Value,
    },
    /// A page that the user visits, out of band (SEP-1036).
    Url {
        /// The full URL; only http and https.
        url: String,
    },
}

impl Ask {
    /// A question answered by a form.
    pub fn form(message: impl Into<String>, schema: Value) -> Self {
        Self::new(message.into(), AskKind::Form { schema })
    }

    /// A question answered on a page.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(message.into(), AskKind::Url { url: url.into() })
    }

    fn new(message: String, kind: AskKind) -> Self {
        Self { message, name: None, kind, on_timeout: OnTimeout::default(), remind_after_ms: None }
    }

    /// The same question under a name of the tool's.
    #[must_use]
    pub fn named(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// The same question, which answers that when its time is over.
    #[must_use]
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.on_timeout = on_timeout;
        self
    }

    /// Whether no content is right for it, as where its form is none at all: it can only be declined or dismissed.
    pub fn fits_nothing(&self) -> bool {
        matches!(&self.kind, AskKind::Form { schema } if schema.is_null())
    }

    /// The same question, of which people are told once more after that time, where one is given.
    #[must_use]
    pub fn remind_after(mut self, after: Option<Duration>) -> Self {
        self.remind_after_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Every reason why a question of somebody else's cannot be shown and answered here. Its form may have more than
    /// MCP's forms have.
    pub fn unshowable(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if self.message.trim().is_empty() {
            found.push(Violation::new("/message", "is empty: a question needs a message"));
        }
        if self.message.len() > MAX_MESSAGE_BYTES {
            found.push(Violation::new(
                "/message",
                format!("has {} bytes, more than {MAX_MESSAGE_BYTES}", self.message.len()),
            ));
        }
        let problem = match &self.kind {
            AskKind::Form { schema } => {
                schema_problem(schema).map(|problem| Violation::new("/requestedSchema", problem))
            }
            AskKind::Url { url } => url_problem(url).map(|problem| Violation::new("/url", problem)),
        };
        found.extend(problem);
        found
    }

    /// A digest of what is asked, the same for equal questions whatever the order of their keys.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        canonical(&self.params(Value::clone), &mut text);
        Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// The `params` of an `elicitation/create` for this question, without any `_meta`. Patterns are left out:
    /// MCP's forms have none, so a client may refuse the form. Answers are checked against them all the same.
    pub fn to_params(&self) -> Value {
        self.params(without_patterns)
    }

    fn params(&self, shown: impl Fn(&Value) -> Value) -> Value {
        match &self.kind {
            AskKind::Form { schema } => {
                json!({ "mode": "form", "message": self.message, "requestedSchema": shown(schema) })
            }
            AskKind::Url { url } => json!({ "mode": "url", "message": self.message, "url": url }),
        }
    }
}

fn without_patterns(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|all| all.values_mut()).filter_map(Value::as_object_mut) {
        property.shift_remove("pattern");
    }
    schema
}

/// Writes a value with its objects' keys sorted.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in entries {
                canonical(&Value::String(key.clone()), text);
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// What is wrong with a schema whatever it says.
pub(crate) fn schema_problem(schema: &Value) -> Option<String> {
    if !schema.is_object() {
        return Some("is not an object: a form is {type: \"object\", properties}".to_owned());
    }
    let size = schema.to_string().len();
    (size > MAX_SCHEMA_BYTES).then(|| format!("has {size} bytes, more than {MAX_SCHEMA_BYTES}"))
}

fn url_problem(text: &str) -> Option<String> {
    match url::Url::parse(text) {
        Err(error) => Some(format!("{text:?} is not a URL: {error}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some(format!("{text:?} is not an http or https URL"))
        }
        Ok(_) => None,
    }
}

/// One question of one task, with its answer once there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Unique for the task's life.
    pub id: QuestionId,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
    /// When it was first asked.
    pub asked_at: Timestamp,
    /// When it answers itself, as [`Ask::on_timeout`] says; `None` waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The answer, once given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl Question {
    /// Whether nobody answered yet.
    pub fn is_open(&self) -> bool {
        self.answer.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_never_emitted() {
        let schema = json!({ "type": "object", "properties": {
            "code": { "type": "string", "pattern": "^[a-z]+$", "title": "Code" },
            "pattern": { "type": "boolean" } } });
        let shown = Ask::form("Code?", schema).to_params();
        let wanted =
            json!({ "code": { "type": "string", "title": "Code" }, "pattern": { "type": "boolean" } });
        assert_eq!(shown["requestedSchema"]["properties"], wanted);
    }

    #[test]
    fn a_page_is_asked_for_by_http_and_https_only() {
        for url in ["https://example.com/a?b=c", "http://localhost:1/"] {
            assert_eq!(Ask::url("Sign.", url).unshowable(), []);
        }
        for url in
            ["ftp://example.com", "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "/sign"]
        {
            assert_eq!(Ask::url("Sign.", url).unshowable().len(), 1, "{url}");
        }
    }
}
