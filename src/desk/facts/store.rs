//! The sheet of a task of our own store.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Fact, Facts, Sheet};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::object::{self, unreadable_object};
use crate::desk::row::{Row, is_queued};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::watch::Seen;
use crate::desk::{text, time, values};
use crate::engine::{Engine, EngineError, Viewer};
use crate::store::{ArchivedTask, EventFilter, StoreError, Unreadable};
use crate::task::{Cursor, Event, Outcome, Question, Task, TaskId, Who};

/// The most events that are shown, the newest; `watch --task` has all.
const EVENTS: usize = 1000;

/// All that is known of the task. Of one that cannot be read, why not.
pub(super) async fn facts(engine: &Engine, id: &TaskId) -> Result<Facts, Failure> {
    let (events, warnings) = newest(engine, id).await?;
    let mut sheet = Sheet::new();
    let mut shown = match engine.get(&Viewer::Operator, id).await {
        Ok(task) => {
            sheet.task(&task);
            Row::of_task(&task).object
        }
        Err(EngineError::Store(StoreError::Unreadable { task, problem })) => sheet.unreadable(&task, problem),
        Err(error) => return Err(error.into()),
    };
    sheet.events(&events, &mut shown);
    Ok(Facts { object: shown, lines: sheet.lines, warnings })
}

/// What the archive has of the task. Of one that cannot be read, why not.
pub(crate) async fn archived(engine: &Engine, id: &TaskId) -> Result<Facts, Failure> {
    let mut sheet = Sheet::new();
    let object = match engine.archived_task(id).await {
        Ok(one) => {
            sheet.archived(&one);
            let mut shown = Row::of_archived(&one).object;
            sheet.events(&one.events, &mut shown);
            shown
        }
        Err(EngineError::Store(StoreError::Unreadable { task, problem })) => sheet.unreadable(&task, problem),
        Err(error) => return Err(error.into()),
    };
    Ok(Facts { object, lines: sheet.lines, warnings: Vec::new() })
}

/// The newest events of a task, and what is said of those that are left out.
async fn newest(engine: &Engine, id: &TaskId) -> Result<(Vec<Event>, Vec<Advice>), Failure> {
    let (mut events, mut older, mut warnings) = (VecDeque::new(), 0, Vec::new());
    let mut after = Some(Cursor::START);
    while let Some(cursor) = after {
        let page = engine.store().history(&EventFilter::Task(id.clone()), cursor, EVENTS).await?;
        if let Some(first) = page.unreadable.first().filter(|_| warnings.is_empty()) {
            warnings.push(passed_over(first).into());
        }
        events.extend(page.events);
        let over = events.len().saturating_sub(EVENTS);
        older += events.drain(..over).count();
        after = page.next;
    }
    if older > 0 {
        let watch = Suggested::new("watch").option("--task", id.as_str()).flag("--no-follow");
        let all = Advice::command(watch, "has all");
        warnings.push(all.after(&format!("{older} older events are left out; ")));
    }
    Ok((events.into(), warnings))
}

/// What is said of an event that this version cannot read.
pub(crate) fn passed_over(event: &Unreadable) -> String {
    let (name, problem) = (text::line(&event.name), text::short(&event.problem, 200));
    format!("event {name} is passed over, as are others like it: {problem}")
}

impl Sheet {
    /// What is known of a task that cannot be read, with its object.
    fn unreadable(&mut self, task: &TaskId, problem: String) -> Value {
        self.fact("task", task.as_str());
        self.lines.push(Fact::Status(None));
        self.block("problem", &problem);
        unreadable_object(&Unreadable { name: task.to_string(), problem })
    }

    fn events(&mut self, events: &[Event], object: &mut Value) {
        object["events"] = events.iter().map(object::of_event).collect();
        self.heading("events");
        self.lines.extend(events.iter().map(|event| Fact::Event(Box::new(Seen::of_event(event)))));
    }

    /// An archived task: that it is one comes first.
    fn archived(&mut self, one: &ArchivedTask) {
        self.fact("history", "its ttl has ended: clients do not find it, and it can only be read");
        self.time("kept since", one.expired_at);
        self.time("kept until", one.kept_until);
        self.task(&one.task);
    }

    fn task(&mut self, task: &Task) {
        self.fact("task", task.id().as_str());
        let is_tool_error = task.outcome.as_ref().is_some_and(Outcome::is_tool_error);
        self.lines.push(match task.status {
            _ if is_tool_error => Fact::ToolError,
            _ if is_queued(task) => Fact::Queued,
            status => Fact::Status(Some(status)),
        });
        if let Some(message) = task.status_message.as_ref().filter(|_| task.outcome.is_none()) {
            self.block("message", message);
        }
        self.fact("tool", &task.new.tool);
        self.fact("arguments", &json!(task.new.arguments).to_string());
        self.maybe("session", task.new.session.as_ref().map(crate::task::SessionId::as_str));
        self.fact("scope", task.new.scope.as_str());
        self.time("submitted", task.created_at);
        self.maybe_time("ended", task.finished_at);
        self.maybe_time("expires", task.expires_at());
        if let Some(worker) = &task.worker {
            let attempt =
                format!("{worker}, attempt {} of {}", task.counted_attempt(), task.new.max_attempts);
            self.fact("worker", &attempt);
        }
        self.maybe("progress", task.progress.as_ref().map(text::progress).as_deref());
        self.maybe("last failure", task.last_failure.as_deref().map(text::sentence).as_deref());
        self.questions(task);
        self.ending(task);
    }

    fn questions(&mut self, task: &Task) {
        for question in &task.questions {
            self.heading(&format!("question {}", question.id));
            self.block("message", &question.ask.message);
            self.wanted(&question.ask);
            self.time("asked", question.asked_at);
            self.answer(question, task.status.is_final());
            if task.open_questions().any(|open| open.id == question.id)
                && let Some(later) = OpenQuestion::of_task(task, question).asked.later
            {
                self.lines.push(Fact::Command("answer with", later));
            }
        }
    }

    fn answer(&mut self, question: &Question, ended: bool) {
        match (&question.answer, question.deadline) {
            (Some(answer), _) => {
                let reason = answer.reason.as_deref().map(|reason| format!(" ({reason})"));
                let who = format!("{} by {}{}", answer.action, answer.kind(), reason.unwrap_or_default());
                self.fact("answered", &who);
                let waited = time::between(question.asked_at, answer.at);
                self.time_with("", answer.at, &format!(", after {waited}"));
                self.who(answer.who.as_deref());
                let content =
                    answer.content.iter().flat_map(|content| values::fields(&question.ask, content));
                let names = std::iter::once("content").chain(std::iter::repeat(""));
                for (field, name) in content.zip(names) {
                    self.fact(name, &field);
                }
            }
            (None, _) if ended => self.fact("answered", "never: it was withdrawn when the task ended"),
            (None, Some(deadline)) => self.time(question.ask.on_timeout.words(), deadline),
            (None, None) => {}
        }
    }

    /// Who answered: the name as it was given, how it is known, and what was noted.
    fn who(&mut self, who: Option<&Who>) {
        let Some(who) = who else { return };
        if who.name.is_some() {
            self.fact("by", &who.to_string());
        }
        if let Some(note) = &who.note {
            self.block("note", note);
        }
    }

    fn ending(&mut self, task: &Task) {
        match &task.outcome {
            Some(Outcome::Result(result)) => self.result(result),
            Some(Outcome::Error(error)) => {
                self.heading("error");
                self.error("message", error);
            }
            None => {}
        }
    }
}
