//! Between Redis values and the domain.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use redis::{FromRedisValue, Value};
use serde::de::DeserializeOwned;

use super::labels::Labels;
use crate::store::{ClaimKey, Due, Rows, Unreadable, gate};
use crate::task::{
    Answer, Ask, AskKind, Cursor, Event, EventKind, NewTask, Outcome, Question, QuestionId, Scope, Task,
    TaskId, TaskStatus, WorkerId,
};

/// The last time that timestamps can say, in milliseconds; no count is larger either.
const LAST_MS: i64 = 253_402_207_200_999;

/// Why a value could not be read.
type Problem = String;

/// An entry of a stream: its id and its fields.
pub(super) type Entry = (String, HashMap<String, String>);

/// A reply in which every text is one: bytes that are none, which only another program can have written, are shown as
/// what they are not, so that they harm no more than the item that they are in.
pub(super) fn readable(reply: Value) -> Value {
    match reply {
        Value::BulkString(bytes) => Value::BulkString(match String::from_utf8(bytes) {
            Ok(text) => text.into_bytes(),
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into_bytes(),
        }),
        Value::Array(items) => Value::Array(items.into_iter().map(readable).collect()),
        Value::Map(pairs) => {
            Value::Map(pairs.into_iter().map(|(name, value)| (readable(name), readable(value))).collect())
        }
        other => other,
    }
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

    /// A number of which there are never very many.
    fn count(&self, name: &str) -> Result<u32, Problem> {
        self.number(name)?.try_into().map_err(|_| format!("field {name:?} is no number that it can be"))
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.text(name).map(|_| self.number(name).map(timestamp)).transpose()
    }

    /// When a question that was asked at that time ends.
    fn deadline(&self, at: Timestamp) -> Result<Option<Timestamp>, Problem> {
        if let Some(until) = self.time("until")? {
            return Ok(Some(until));
        }
        let timeout = self.text("timeout").and_then(|timeout| timeout.parse::<i64>().ok());
        // Past the end of time is never.
        Ok(timeout
            .and_then(|timeout| Timestamp::from_millisecond(at.as_millisecond().checked_add(timeout)?).ok()))
    }

    /// Whose task this is. Entries of layout 1 have each label in a field of its own.
    fn labels(&self) -> Result<Labels, Problem> {
        let Some(labels) = self.text("labels") else {
            return Ok(Labels {
                tool: self.required("tool")?.to_owned(),
                session: self.id("session")?,
                scope: Scope::named(self.required("scope")?),
                hidden: self.text("hidden") == Some("1"),
            });
        };
        Labels::parse(labels).ok_or_else(|| format!("its labels are {labels:?}, which are none"))
    }

    fn id<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        self.text(name).map(|text| text.parse().map_err(|error: T::Err| error.to_string())).transpose()
    }
}

/// A task from its whole record. One that lacks a part that every script needs is none: it would be shown as a task, and
/// nothing could be done with it.
pub(super) fn record(hash: Value) -> Result<Task, Problem> {
    let fields = Fields(HashMap::from_redis_value(hash).map_err(|error| error.to_string())?);
    for part in ["labels", "attempt", "created", "open", "asked"] {
        fields.required(part)?;
    }
    fields.labels()?;
    for part in ["attempt", "created", "open", "asked"] {
        if !(0..=LAST_MS).contains(&fields.number(part)?) {
            return Err(format!("field {part:?} is no number that it can be"));
        }
    }
    task_of(&fields)
}

fn task_of(fields: &Fields) -> Result<Task, Problem> {
    let mut new: NewTask = fields.parsed("new")?.ok_or("a task has no \"new\"")?;
    // The store may have shortened it since, and goes by this alone.
    new.ttl_ms = fields.text("ttl").and_then(|ttl| ttl.parse().ok());
    let asked = fields.count("asked")?;
    let questions = (1..=asked).map(|position| journal(fields, position));
    let status: TaskStatus = fields.required("status")?.parse().map_err(|error| format!("{error}"))?;
    let (updated_at, worker) = (timestamp(fields.number("updated")?), fields.id("worker")?);
    Ok(Task {
        status,
        status_message: fields.text("message").map(str::to_owned),
        created_at: timestamp(fields.number("created")?),
        updated_at,
        attempt: fields.count("attempt")?,
        failures: fields.text("failures").and_then(|text| text.parse().ok()).unwrap_or_default(),
        claimed_at: if worker.is_some() { fields.time("claimed")? } else { None },
        worker,
        // An ended task changes no more.
        finished_at: status.is_final().then_some(updated_at),
        progress: fields.parsed("progress")?,
        outcome: fields.parsed("outcome")?,
        last_failure: fields.text("failure").map(str::to_owned),
        questions: questions.collect::<Result<_, _>>()?,
        new,
    })
}

/// A row of a claim that is no task, with the attempt under which it was claimed all the same.
pub(super) struct BadClaim {
    pub(super) name: String,
    pub(super) attempt: Option<u32>,
    pub(super) problem: Problem,
}

/// A task from a row of `claim.lua` for `worker`: its id, then its fields; or its name, '' and what is wrong with it.
pub(super) fn claimed(row: Value, worker: &WorkerId) -> Result<Task, BadClaim> {
    let mut row = match row {
        Value::Array(row) => row,
        _ => Vec::new(),
    };
    let text =
        |value: Option<&Value>| value.and_then(|value| redis::from_redis_value_ref::<String>(value).ok());
    let name = text(row.first()).unwrap_or_default();
    if row.len() == 3 {
        let problem = text(row.last()).unwrap_or_default();
        return Err(BadClaim { name, attempt: None, problem });
    }
    let at = row.iter().position(|value| text(Some(value)).as_deref() == Some("attempt"));
    let attempt = at.and_then(|at| text(row.get(at + 1))?.parse().ok());
    row.drain(..row.len().min(1));
    let fields = HashMap::from_redis_value(Value::Array(row)).map_err(|error| error.to_string());
    let task = fields.and_then(|mut fields: HashMap<String, String>| {
        // What the reply does not repeat.
        fields.insert("worker".to_owned(), worker.to_string());
        fields.extend(fields.get("claimed").cloned().map(|at| ("updated".to_owned(), at)));
        task_of(&Fields(fields))
    });
    task.map_err(|problem| BadClaim { name, attempt, problem })
}

fn journal(fields: &Fields, position: u32) -> Result<Question, Problem> {
    let (q, a) = (format!("q{position}"), format!("a{position}"));
    let ask: Ask = fields.parsed(&q)?.ok_or_else(|| format!("question {position} is missing"))?;
    // Only our own workers' schemas are objects by construction.
    if matches!(&ask.kind, AskKind::Form { schema } if !schema.is_object()) {
        return Err(format!("question {position} has a schema that is no object"));
    }
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

/// A question from the five fields that `ask.lua` replies of one that was asked before.
pub(super) fn question(position: u32, fields: &Value) -> Result<Question, Problem> {
    let known: Vec<String> = redis::from_redis_value_ref(fields).map_err(|error| error.to_string())?;
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

/// Events from entries of a log, and those that this version does not know or cannot read.
pub(super) fn events(entries: Vec<Entry>) -> Rows<Event> {
    let mut events = Rows::default();
    for (id, fields) in entries {
        events.take(id.clone(), event(&id, &Fields(fields)));
    }
    events
}

fn event(id: &str, fields: &Fields) -> Result<Event, Problem> {
    let cursor: Cursor = id.parse().map_err(|error| format!("{error}"))?;
    // The time is the entry's own; only layout 1 wrote it out.
    let at = fields.time("at")?.unwrap_or_else(|| timestamp(cursor.millis as i64));
    let labels = fields.labels()?;
    Ok(Event {
        cursor,
        at,
        task: fields.required("task")?.parse().map_err(|error| format!("{error}"))?,
        tool: labels.tool,
        session: labels.session,
        scope: labels.scope,
        hidden: labels.hidden,
        status: fields.required("status")?.parse().map_err(|error| format!("{error}"))?,
        kind: kind(fields, at)?,
    })
}

/// The kinds of events that have a whole question.
const REPEATING: [&str; 3] = ["asked", "reminded", "unanswerable"];

/// Whether an event's question is too large for the log: then it is only in its task. Its task and field.
pub(super) fn question_elsewhere((_, fields): &Entry) -> Option<(&str, String)> {
    let is_elsewhere = fields.get("kind").is_some_and(|kind| REPEATING.contains(&kind.as_str()))
        && fields.get("detail").is_none_or(String::is_empty);
    is_elsewhere.then(|| Some((fields.get("task")?.as_str(), format!("q{}", fields.get("position")?))))?
}

fn kind(fields: &Fields, at: Timestamp) -> Result<EventKind, Problem> {
    let name = fields.required("kind")?;
    if REPEATING.contains(&name) {
        let asked = fields.parsed("detail")?.ok_or("its question is gone with its task")?;
        let at = fields.time("asked")?.unwrap_or(at);
        let question = Question {
            id: QuestionId::at(fields.count("position")?),
            ask: asked,
            asked_at: at,
            deadline: fields.deadline(at)?,
            answer: None,
        };
        let reason = || fields.text("reason").unwrap_or_default().to_owned();
        return Ok(match name {
            "reminded" => EventKind::Reminded { question },
            "unanswerable" => EventKind::Unanswerable { question, reason: reason() },
            _ => EventKind::Asked { question },
        });
    }
    let mut detail: serde_json::Value =
        fields.parsed("detail")?.unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()));
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("event".to_owned(), name.into());
        if name == "extended" {
            for (field, named) in [("until", "deadline"), ("expires", "expires_at")] {
                let at = fields.time(field)?.map(|at| serde_json::Value::from(at.to_string()));
                detail.extend(at.map(|at| (named.to_owned(), at)));
            }
        }
    }
    serde_json::from_value(detail).map_err(|error| format!("a {name:?} event is unreadable: {error}"))
}

/// What `due.lua` replies, as its head says.
pub(super) type DueReply = (
    Vec<(String, String, String)>,
    Vec<(String, String, String)>,
    Vec<(String, String)>,
    i64,
    Vec<String>,
    String,
    u64,
    bool,
);

/// Behind which member of the index, and behind how many dead workers.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) member: String,
    pub(super) workers: u64,
}

/// What `due.lua` found.
pub(super) struct FoundDue {
    pub(super) due: Due,
    /// Workers of whom it is lost what they hold.
    pub(super) unknown: Vec<String>,
    /// Where the next call goes on.
    pub(super) place: Place,
    pub(super) is_index_lost: bool,
}

/// What is due, from the reply of `due.lua`. What cannot be read of one item is that item's.
pub(super) fn due(reply: DueReply) -> FoundDue {
    let (deadlines, claims, bad, next, unknown, member, workers, is_index_lost) = reply;
    let mut due = Due::default();
    for (kind, task, position) in deadlines {
        if let Err(problem) = take_deadline(&mut due, &kind, &task, &position) {
            due.unreadable.push(Unreadable { name: task, problem });
        }
    }
    for (task, attempt, worker) in claims {
        if let (Ok(task), Ok(attempt), Ok(worker)) = (id(&task), attempt.parse(), worker.parse()) {
            due.claims.push((ClaimKey { task, attempt }, worker));
        } else {
            let problem = format!("{worker:?} holds it under attempt {attempt:?}");
            due.unreadable.push(Unreadable { name: task, problem });
        }
    }
    due.unreadable.extend(bad.into_iter().map(|(name, problem)| Unreadable { name, problem }));
    due.next = u64::try_from(next).ok().map(Duration::from_millis);
    FoundDue { due, unknown, place: Place { member, workers }, is_index_lost }
}

fn take_deadline(due: &mut Due, kind: &str, task: &str, position: &str) -> Result<(), Problem> {
    let task = id(task)?;
    match kind {
        "t" => due.tasks.push(task),
        "m" => due.reminders.push((task, position_of(position)?)),
        "r" => due.delayed.push(task),
        _ => due.questions.push((task, position_of(position)?)),
    }
    Ok(())
}

fn position_of(text: &str) -> Result<QuestionId, Problem> {
    text.parse().map(QuestionId::at).map_err(|_| format!("{text:?} is no question"))
}

fn id(text: &str) -> Result<TaskId, Problem> {
    text.parse().map_err(|error| format!("{error}"))
}

/// About what a record takes in memory once it is read, in bytes.
pub(super) fn weight(hash: &Value) -> usize {
    let weight = |value: &Value| match value {
        Value::BulkString(bytes) if bytes.starts_with(b"{") || bytes.starts_with(b"[") => gate::weight(bytes),
        Value::BulkString(bytes) => bytes.len(),
        _ => 0,
    };
    hash.as_map_iter().map_or(0, |fields| fields.map(|(name, value)| weight(name) + weight(value)).sum())
}

/// An outcome as its script wants it: status, event kind, event detail.
pub(super) fn ending(outcome: &Outcome) -> (&'static str, &'static str, String) {
    match outcome {
        Outcome::Result(_) => {
            let detail = serde_json::json!({ "is_error": outcome.is_tool_error() });
            ("completed", "completed", detail.to_string())
        }
        Outcome::Error(error) => {
            let detail = serde_json::json!({ "code": error.code, "message": gate::reason(&error.message) });
            ("failed", "failed", detail.to_string())
        }
    }
}
