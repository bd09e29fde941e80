//! Requests and replies on a command's socket: one JSON object a line, one reply for each request, in order.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::task::{Answer, Ask, OnTimeout, Progress};

/// The variable that names the socket.
pub const SOCKET_VARIABLE: &str = "MCPTASK_SOCKET";
/// The variable that names the task.
pub const TASK_VARIABLE: &str = "MCPTASK_TASK";

/// The longest request, in bytes, its newline included.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The field of the form that is asked where a question brings neither schema nor URL.
pub const PLAIN_FIELD: &str = "answer";

/// What a command wants of its worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Asks one question; the reply is [`Reply::Answer`].
    Ask(AskRequest),
    /// Asks several questions at once; the reply is [`Reply::Answers`].
    AskAll(AskAllRequest),
    /// Reports a step; the reply is [`Reply::Reported`].
    Report(ReportRequest),
}

/// One question: with a schema, with a URL, or with neither, which asks for one line of text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// The text that is shown to the user.
    pub message: String,
    /// The form, as in MCP's `requestedSchema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// The page that the user should visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A heading of the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Seconds until the question answers itself; the tool's own timeout where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// What it answers then: `cancel` where absent, `decline`, or `default`, the form's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<String>,
    /// Seconds until people are told once more that it waits; as the tool has it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after: Option<f64>,
}

/// Several questions that are open at the same time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskAllRequest {
    /// The questions, without timeouts of their own.
    pub questions: Vec<AskRequest>,
    /// Seconds until those still open answer themselves; the tool's own timeout where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// How far.
    pub current: f64,
    /// Of how much, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// What the command is doing; becomes the task's status message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl From<ReportRequest> for Progress {
    fn from(request: ReportRequest) -> Self {
        Self { current: request.current, total: request.total, message: request.message }
    }
}

/// What the worker says to one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The answer to [`Request::Ask`].
    Answer(Answer),
    /// The answers to [`Request::AskAll`], in the order asked.
    Answers(Vec<Answer>),
    /// A step was taken, and is written down soon.
    Reported {},
    /// The request was refused.
    Error(Refusal),
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal.
    pub code: RefusalCode,
    /// What was wrong and what to do, in words.
    pub message: String,
}

impl Refusal {
    /// A refusal in words.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The line is no request.
    BadRequest,
    /// The question must not be asked as it is.
    BadQuestion,
    /// Another question of the task is still open.
    Busy,
    /// The task was cancelled, expired, or went to another worker. The command is about to be ended.
    Cancelled,
    /// The worker is stopping; the command will be run again and get the answers that it already had.
    Stopping,
    /// The worker cannot go on with the task.
    Failed,
    /// A code of a newer worker.
    #[serde(other)]
    Unknown,
}

impl AskRequest {
    /// The question as the engine takes it, which then checks it.
    pub fn into_ask(self) -> Result<Ask, Refusal> {
        let ask = match (self.schema, self.url) {
            (Some(_), Some(_)) => {
                return Err(bad("a question has a schema or a url, not both"));
            }
            (None, Some(_)) if self.title.is_some() => {
                return Err(bad("a title belongs to a form; a question with a url has none"));
            }
            (None, Some(url)) => Ask::url(self.message, url),
            (None, None) => Ask::form(self.message, plain_form(self.title)),
            (Some(schema), None) => Ask::form(self.message, titled(schema, self.title)),
        };
        let remind_after = seconds("remind_after", self.remind_after)?;
        Ok(ask.on_timeout(on_timeout(self.on_timeout.as_deref())?).remind_after(remind_after))
    }
}

impl AskAllRequest {
    /// The questions as the engine takes them, and their common timeout.
    pub fn into_asks(self) -> Result<(Vec<Ask>, Option<Duration>), Refusal> {
        if self.questions.is_empty() {
            return Err(bad("ask_all has no questions"));
        }
        if self.questions.iter().any(|question| question.timeout.is_some()) {
            return Err(bad("ask_all has one timeout for all its questions, beside them"));
        }
        let timeout = timeout(self.timeout)?;
        let asks: Result<Vec<_>, _> = self.questions.into_iter().map(AskRequest::into_ask).collect();
        Ok((asks?, timeout))
    }
}

/// What a question answers when its time is over, as it is written.
fn on_timeout(word: Option<&str>) -> Result<OnTimeout, Refusal> {
    let Some(word) = word else { return Ok(OnTimeout::default()) };
    let known = OnTimeout::ALL.into_iter().find(|(name, _)| *name == word);
    let known = known.map(|(_, on_timeout)| on_timeout);
    known.ok_or_else(|| bad(format!("on_timeout is {word:?}: it is cancel, decline or default")))
}

/// A timeout's seconds as a duration.
pub fn timeout(timeout: Option<f64>) -> Result<Option<Duration>, Refusal> {
    seconds("timeout", timeout)
}

/// Seconds of that name as a duration.
fn seconds(what: &str, given: Option<f64>) -> Result<Option<Duration>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    match Duration::try_from_secs_f64(given) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(bad(format!("the {what} {given} is not a number of seconds above 0"))),
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::BadRequest, message)
}

fn plain_form(title: Option<String>) -> Value {
    let mut field = json!({ "type": "string", "minLength": 1 });
    if let Some(title) = title {
        field["title"] = title.into();
    }
    json!({ "type": "object", "properties": { PLAIN_FIELD: field }, "required": [PLAIN_FIELD] })
}

fn titled(mut schema: Value, title: Option<String>) -> Value {
    if let (Some(object), Some(title)) = (schema.as_object_mut(), title) {
        object.insert("title".to_owned(), title.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: Value) -> String {
        match serde_json::from_value::<Request>(line).expect("a request") {
            Request::Ask(ask) => ask.into_ask().expect_err("refused").message,
            Request::AskAll(all) => all.into_asks().expect_err("refused").message,
            Request::Report(_) => panic!("reports are not refused here"),
        }
    }

    #[test]
    fn a_message_alone_asks_for_one_line_of_text() {
        let line = json!({ "ask": { "message": "Why?", "title": "Reason" } });
        let Ok(Request::Ask(ask)) = serde_json::from_value(line) else { panic!("an ask") };
        let ask = ask.into_ask().expect("well formed");
        assert!(crate::form::unaskable(&ask).is_empty());
        assert_eq!(ask.to_params()["requestedSchema"]["properties"]["answer"]["title"], "Reason");
    }

    #[test]
    fn contradictions_are_named() {
        let both = json!({ "ask": { "message": "?", "schema": {}, "url": "https://a.example" } });
        assert!(refused(both).contains("not both"));
        assert!(refused(json!({ "ask_all": { "questions": [] } })).contains("no questions"));
        let inner = json!({ "ask_all": { "questions": [{ "message": "?", "timeout": 5 }] } });
        assert!(refused(inner).contains("one timeout"));
        assert!(timeout(Some(0.0)).is_err() && timeout(Some(-1.0)).is_err() && timeout(Some(1e300)).is_err());
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let line = json!({ "ask": { "message": "?", "schemas": {} } });
        let error = serde_json::from_value::<Request>(line).expect_err("unknown field").to_string();
        assert!(error.contains("schemas"), "{error}");
    }
}
