//! What is told: all that somebody needs to know to act on it, and no secret.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::address::host_of;
use super::wanted::UNANSWERED;
use crate::store::gate;
use crate::task::{Ask, AskKind, Event, EventKind, Question, QuestionId, TaskId, TaskStatus};

/// The longest text that is told, in characters: whoever wants to read all of it goes to the task.
const MOST_CHARACTERS: usize = 4000;

/// The largest form that is told, in bytes of JSON; of a larger one only that there is one.
const MOST_FORM_BYTES: usize = 16 * 1024;

/// The most levels of a form that is told, so that it fits a store with what stands around it.
const MOST_FORM_LEVELS: usize = gate::MAX_DEPTH / 2;

/// The word for our own store.
const OURS: &str = "mcptask";

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The event's word, as in the log, or `unanswered`.
    pub(crate) event: String,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// Which software the task is of, as in JSON.
    pub(crate) source: String,
    /// The task.
    pub(crate) task: String,
    /// Its tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool: Option<String>,
    /// Its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// Its status after it.
    pub(crate) status: TaskStatus,
    /// The question that it is about: all of one that is open, the id of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<Asked>,
    /// What was answered: accept, decline or cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<String>,
    /// By whom: client, operator, policy or timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// That one's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) who: Option<String>,
    /// What was reported, or why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether the tool itself calls its result an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_error: bool,
    /// The command that answers the question, or shows the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
    /// Where it can be answered in a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
}

/// A question as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`asked_at` is the questions' own word")]
pub(crate) struct Asked {
    /// Its id.
    pub(crate) id: String,
    /// What is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The form that answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Value>,
    /// The page that answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// That page's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// When it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked_at: Option<Timestamp>,
    /// Until when it can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Timestamp>,
}

impl Asked {
    /// Of which only the id is told.
    pub(crate) fn id(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            message: None,
            form: None,
            url: None,
            host: None,
            asked_at: None,
            deadline: None,
        }
    }

    /// What an open question asks.
    pub(crate) fn open(
        id: &str,
        ask: &Ask,
        asked_at: Option<Timestamp>,
        deadline: Option<Timestamp>,
    ) -> Self {
        let (form, url) = match &ask.kind {
            AskKind::Form { schema } => (Some(schema.clone()), None),
            AskKind::Url { url } => (None, Some(url.clone())),
        };
        let host = url.as_deref().and_then(host_of);
        let fits = |form: &Value| {
            let text = form.to_string();
            text.len() <= MOST_FORM_BYTES && gate::shape(text.as_bytes()).depth <= MOST_FORM_LEVELS
        };
        Self {
            message: Some(shortened(&ask.message)),
            form: form.filter(fits),
            // A page whose address was cut would be another one.
            url: url.filter(|url| url.len() <= MOST_FORM_BYTES),
            host,
            asked_at,
            deadline,
            ..Self::id(id)
        }
    }
}

impl Notice {
    /// What is told of an event when it happens.
    pub(super) fn of(event: &Event, ways: &Ways) -> Self {
        let mut notice = Self::bare(event);
        match &event.kind {
            EventKind::Asked { question } | EventKind::Reminded { question } => {
                notice.asks(&event.task, question, ways);
            }
            EventKind::Answered { question, action, by, who, reason } => {
                notice.question = Some(Asked::id(question.as_str()));
                notice.action = Some(action.to_string());
                notice.by = Some(by.to_string());
                notice.who = who.as_ref().and_then(|who| who.name.clone());
                notice.text = reason.as_deref().map(shortened);
            }
            EventKind::Unanswerable { question, reason } => {
                notice.asks(&event.task, question, ways);
                notice.text = Some(shortened(reason));
            }
            EventKind::Extended { question, deadline, by, who, .. } => {
                let deadline = Some(*deadline);
                notice.question = Some(Asked { deadline, ..Asked::id(question.as_str()) });
                notice.by = Some(by.to_string());
                notice.who = who.as_ref().and_then(|who| who.name.clone());
                notice.text = who.as_ref().and_then(|who| who.note.as_deref()).map(shortened);
            }
            EventKind::Progress(progress) => notice.text = progress.message.as_deref().map(shortened),
            EventKind::Failed { message, .. } => notice.text = Some(shortened(message)),
            EventKind::Cancelled { reason } | EventKind::Requeued { reason } => {
                notice.text = Some(shortened(reason));
            }
            EventKind::Completed { is_error } => notice.is_error = *is_error,
            EventKind::Noted { note } => notice.text = Some(shortened(note)),
            EventKind::Submitted {} | EventKind::Claimed { .. } | EventKind::Expired { .. } => {}
        }
        if notice.command.is_none() {
            notice.command = Some((ways.command)(&event.task, None));
        }
        notice
    }

    /// What is told of a question that has waited long enough.
    pub(super) fn unanswered(event: &Event, question: &Question, ways: &Ways, at: Timestamp) -> Self {
        let mut notice = Self { event: UNANSWERED.to_owned(), at, ..Self::bare(event) };
        notice.asks(&event.task, question, ways);
        notice
    }

    /// What tells nothing but that it arrives.
    pub(crate) fn test(task: &TaskId, status: TaskStatus, at: Timestamp) -> Self {
        Self::new("test", (task.as_str(), status), at)
    }

    /// Of which nothing is known but what every notice has.
    pub(crate) fn new(event: &str, (task, status): (&str, TaskStatus), at: Timestamp) -> Self {
        Self {
            event: event.to_owned(),
            at,
            source: OURS.to_owned(),
            task: task.to_owned(),
            tool: None,
            session: None,
            status,
            question: None,
            action: None,
            by: None,
            who: None,
            text: None,
            is_error: false,
            command: None,
            link: None,
        }
    }

    fn bare(event: &Event) -> Self {
        Self {
            tool: Some(event.tool.clone()),
            session: event.session.as_ref().map(ToString::to_string),
            ..Self::new(event.kind.name(), (event.task.as_str(), event.status), event.at)
        }
    }

    fn asks(&mut self, task: &TaskId, question: &Question, ways: &Ways) {
        let id = question.id.as_str();
        self.question = Some(Asked::open(id, &question.ask, Some(question.asked_at), question.deadline));
        self.command = Some((ways.command)(task, Some(id)));
    }

    /// The same with an address at which its question can be answered, if that is open and there is one.
    pub(crate) async fn linked(self, ways: &Ways) -> Self {
        let asked = self.question.as_ref().filter(|asked| asked.message.is_some());
        let (Some(links), Some(asked)) = (&ways.links, asked) else { return self };
        let (Ok(task), Ok(question)) = (self.task.parse(), asked.id.parse()) else { return self };
        Self { link: links.link(&task, &question).await, ..self }
    }

    /// The id by which a receiver knows it again: the same whoever sends it.
    pub(crate) fn id(&self, notifier: &str, place: &str) -> String {
        let question = self.question.as_ref().map_or("", |question| question.id.as_str());
        let mut digest = Sha256::new();
        for part in [notifier, self.event.as_str(), self.task.as_str(), question, place] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let hex =
            digest.finalize().iter().take(16).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        format!("msg_{hex}")
    }
}

/// What answers a question: made by whoever knows where the tasks are.
type Command = dyn Fn(&TaskId, Option<&str>) -> String + Send + Sync;

/// Makes the address at which a question can be answered: another one each time, since it is a secret that nobody keeps.
#[async_trait]
pub(crate) trait MakeLink: Send + Sync {
    /// The address; nothing where there is none, or the question is not open any more.
    async fn link(&self, task: &TaskId, question: &QuestionId) -> Option<String>;
}

/// The ways to an answer that a notice names.
#[derive(Clone)]
pub(crate) struct Ways {
    /// The command that answers the question of a task, or shows the task where there is none.
    pub(crate) command: Arc<Command>,
    /// The address of a page, where people reach one. It is made when a notice is sent, and is in no store.
    pub(crate) links: Option<Arc<dyn MakeLink>>,
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways")
    }
}

/// Text that is not longer than anybody reads.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// One of a question whose message tries to be markup.
    pub(in crate::notify) fn notice() -> Notice {
        let ask = Ask::form(
            "Zoë <b>& [you](https://evil.example)*?",
            json!({ "type": "object", "properties": {} }),
        );
        Notice {
            event: "asked".into(),
            at: Timestamp::from_second(1_700_000_000).expect("a time"),
            source: OURS.into(),
            task: "a".repeat(26),
            tool: Some("deploy".into()),
            session: None,
            status: TaskStatus::InputRequired,
            question: Some(Asked::open("q1", &ask, None, None)),
            action: None,
            by: None,
            who: None,
            text: None,
            is_error: false,
            command: Some("mcptask respond a --question q1".into()),
            link: None,
        }
    }

    #[test]
    fn an_id_is_that_of_one_notice_of_one_notifier() {
        let id = notice().id("hook", "5-1");
        assert_eq!(id, notice().id("hook", "5-1"));
        assert_ne!(id, notice().id("other", "5-1"));
        assert_ne!(id, notice().id("hook", "5-2"));
        assert_ne!(id, Notice { event: "unanswered".into(), ..notice() }.id("hook", "5-1"));
    }

    #[test]
    fn a_notice_never_has_more_than_a_store_takes() {
        let long = "\u{1}".repeat(16 * 1024);
        let deep = (0..90).fold(json!({}), |inner, _| json!({ "inner": inner }));
        assert_eq!(Asked::open("q1", &Ask::form("Deep?", deep), None, None).form, None);
        let ask = Ask::form(long.clone(), json!({ "type": "object", "description": long }));
        let asked = Asked::open("q1", &ask, None, None);
        assert_eq!(asked.form, None);
        let text = serde_json::to_string(&Notice {
            question: Some(asked),
            text: Some(shortened(&long)),
            ..notice()
        });
        assert!(text.expect("JSON").len() < crate::store::notifiers::MAX_DELIVERY_BYTES / 2);
    }
}
