//! Between Redis values and the domain.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use redis::{FromRedisValue, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{ClaimKey, Due};
use crate::task::{
    Answer, Ask, Event, EventKind, NewTask, Outcome, Question, QuestionId, Scope, Task, TaskId,
};

/// Why a value could not be read.
type Problem = String;

/// An entry of a stream: its id and its fields.
pub(super) type Entry = (String, HashMap<String, String>);

/// A domain value as JSON. The domain has no maps with keys other than text, so this cannot fail.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A number, or '' where there is none.
pub(super) fn optional(number: Option<u64>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

/// A time from the store's clock, in milliseconds since the epoch.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// Whether a hash has no fields.
pub(super) fn is_empty(hash: &Value) -> bool {
    matches!(hash, Value::Nil) || hash.as_map_iter().is_none_or(|mut fields| fields.next().is_none())
}

/// The fields of one hash or entry, named in errors.
struct Fields(HashMap<String, String>);

impl Fields {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, Problem> {
        self.text(name).ok_or_else(|| format!("a task or event has no {name:?}"))
    }

    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|error| format!("field {name:?} is unreadable: {error}"))
    }

    fn number(&self, name: &str) -> Result<i64, Problem> {
        self.text(name)
            .map_or(Ok(0), |text| text.parse().map_err(|_| format!("field {name:?} is not a number")))
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.text(name).map(|_| self.number(name).map(timestamp)).transpose()
    }

    fn id<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        self.text(name).map(|text| text.parse().map_err(|error: T::Err| error.to_string())).transpose()
    }
}

/// A task from its hash.
pub(super) fn task(hash: Value) -> Result<Task, Problem> {
    let fields = Fields(HashMap::from_redis_value(hash).map_err(|error| error.to_string())?);
    let new: NewTask = fields.parsed("new")?.ok_or("a task has no \"new\"")?;
    let asked = fields.number("asked")?;
    let questions = (1..=asked as u32).map(|position| journal(&fields, position));
    Ok(Task {
        status: fields.required("status")?.parse().map_err(|error| format!("{error}"))?,
        status_message: fields.text("message").map(str::to_owned),
        created_at: timestamp(fields.number("created")?),
        updated_at: timestamp(fields.number("updated")?),
        attempt: fields.number("attempt")? as u32,
        worker: fields.id("worker")?,
        claimed_at: fields.time("claimed")?,
        finished_at: fields.time("finished")?,
        progress: fields.parsed("progress")?,
        outcome: fields.parsed("outcome")?,
        last_failure: fields.text("failure").map(str::to_owned),
        questions: questions.collect::<Result<_, _>>()?,
        new,
    })
}

fn journal(fields: &Fields, position: u32) -> Result<Question, Problem> {
    let (q, a) = (format!("q{position}"), format!("a{position}"));
    let ask: Ask = fields.parsed(&q)?.ok_or_else(|| format!("question {position} is missing"))?;
    let answer = match fields.text(&a) {
        Some(text) => Some(self::answer(text, fields.number(&format!("{a}.at"))?)?),
        None => None,
    };
    Ok(Question {
        id: QuestionId::at(position),
        ask,
        asked_at: timestamp(fields.number(&format!("{q}.at"))?),
        deadline: fields.time(&format!("{q}.until"))?,
        answer,
    })
}

/// A question from the five fields that `ask.lua` replies.
pub(super) fn question(position: u32, fields: Value) -> Result<Question, Problem> {
    let known: Vec<String> = FromRedisValue::from_redis_value(fields).map_err(|error| error.to_string())?;
    let [ask, at, until, answer, answered_at] =
        <[String; 5]>::try_from(known).map_err(|_| "a question has not five fields")?;
    let fields = Fields(HashMap::from([
        (format!("q{position}"), ask),
        (format!("q{position}.at"), at),
        (format!("q{position}.until"), until),
        (format!("a{position}"), answer),
        (format!("a{position}.at"), answered_at),
    ]));
    journal(&fields, position)
}

/// An answer from its JSON and the store's time.
pub(super) fn answer(json: &str, at: i64) -> Result<Answer, Problem> {
    let answer: Answer =
        serde_json::from_str(json).map_err(|error| format!("an answer is unreadable: {error}"))?;
    Ok(Answer { at: timestamp(at), ..answer })
}

/// Events from entries of a log.
pub(super) fn events(entries: Vec<Entry>) -> Result<Vec<Event>, Problem> {
    entries.into_iter().map(|(id, fields)| event(&id, &Fields(fields))).collect()
}

fn event(id: &str, fields: &Fields) -> Result<Event, Problem> {
    Ok(Event {
        cursor: id.parse().map_err(|error| format!("{error}"))?,
        at: timestamp(fields.number("at")?),
        task: fields.required("task")?.parse().map_err(|error| format!("{error}"))?,
        tool: fields.required("tool")?.to_owned(),
        session: fields.id("session")?,
        scope: Scope::named(fields.required("scope")?),
        hidden: fields.text("hidden") == Some("1"),
        status: fields.required("status")?.parse().map_err(|error| format!("{error}"))?,
        kind: kind(fields)?,
    })
}

fn kind(fields: &Fields) -> Result<EventKind, Problem> {
    let name = fields.required("kind")?;
    if name == "asked" {
        let question = Question {
            id: QuestionId::at(fields.number("position")? as u32),
            ask: fields.parsed("detail")?.ok_or("an asked event has no question")?,
            asked_at: timestamp(fields.number("at")?),
            deadline: fields.time("until")?,
            answer: None,
        };
        return Ok(EventKind::Asked { question });
    }
    let mut detail: serde_json::Value = fields.parsed("detail")?.unwrap_or_default();
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("event".to_owned(), name.into());
    }
    serde_json::from_value(detail).map_err(|error| format!("a {name} event is unreadable: {error}"))
}

/// What is due, from the reply of `due.lua`.
pub(super) fn due(
    (deadlines, claims, next): (Vec<String>, Vec<(String, u32, String)>, i64),
) -> Result<Due, Problem> {
    let mut due = Due::default();
    for member in deadlines {
        match member.split(':').collect::<Vec<_>>()[..] {
            ["t", task] => due.tasks.push(id(task)?),
            ["d", task] => due.delayed.push(id(task)?),
            ["q", task, position] => {
                let position = position.parse().map_err(|_| format!("deadline {member:?} is unreadable"))?;
                due.questions.push((id(task)?, QuestionId::at(position)));
            }
            _ => return Err(format!("deadline {member:?} is unreadable")),
        }
    }
    for (task, attempt, worker) in claims {
        let worker = worker.parse().map_err(|error| format!("{error}"))?;
        due.claims.push((ClaimKey { task: id(&task)?, attempt }, worker));
    }
    due.next = u64::try_from(next).ok().map(Duration::from_millis);
    Ok(due)
}

fn id(text: &str) -> Result<TaskId, Problem> {
    text.parse().map_err(|error| format!("{error}"))
}
/// An outcome as its script wants it: status, JSON, event kind, event detail.
pub(super) fn ending(outcome: &Outcome) -> (&'static str, String, &'static str, String) {
    let json = json(outcome);
    match outcome {
        Outcome::Result(_) => {
            let detail = serde_json::json!({ "is_error": outcome.is_tool_error() });
            ("completed", json, "completed", detail.to_string())
        }
        Outcome::Error(error) => {
            let detail = serde_json::json!({ "code": error.code, "message": error.message });
            ("failed", json, "failed", detail.to_string())
        }
    }
}
