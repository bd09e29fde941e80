//! What reading verbs give: the good rows, and the bad ones by name.

use std::time::Duration;

use super::ClaimKey;
use crate::task::{Cursor, Event, QuestionId, Task, TaskId, WorkerId};

/// Something that is stored and cannot be read: written by another program, damaged, or half lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which: a task's id, a tool's or worker's name, an event's cursor.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a reading verb found: the good rows, and the bad ones by name. One bad row never hides the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// The good ones.
    pub rows: Vec<T>,
    /// The bad ones.
    pub unreadable: Vec<Unreadable>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// Takes up one row, or its name and what is wrong with it.
    pub fn take(&mut self, name: impl Into<String>, row: Result<T, impl std::fmt::Display>) {
        match row {
            Ok(row) => self.rows.push(row),
            Err(problem) => {
                self.unreadable.push(Unreadable { name: name.into(), problem: problem.to_string() });
            }
        }
    }
}

/// Where a page of tasks ends: the last task's creation (milliseconds) and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor {
    /// The last task's creation.
    pub created_ms: i64,
    /// The last task.
    pub task: TaskId,
}

impl PageCursor {
    /// The page that ends at `task`.
    pub fn at(task: &Task) -> Self {
        Self { created_ms: task.created_at.as_millisecond(), task: task.id().clone() }
    }
}

/// A page of tasks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The tasks. Bounded in bytes too, so a page can be shorter than was asked for and still have a next one.
    pub tasks: Vec<Task>,
    /// Tasks that belong here by what could be read of them.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<PageCursor>,
}

/// A stretch of the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The events that this version knows, oldest first.
    pub events: Vec<Event>,
    /// Those that it does not know or cannot read, by their cursor: passed over.
    pub unreadable: Vec<Unreadable>,
    /// Where to go on reading; `None` when the log had no more.
    pub next: Option<Cursor>,
}

/// What time has brought: each of it is then done by the verb that anybody else would use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// Questions past their deadline.
    pub questions: Vec<(TaskId, QuestionId)>,
    /// Questions of which people are to be told once more.
    pub reminders: Vec<(TaskId, QuestionId)>,
    /// Tasks past their ttl.
    pub tasks: Vec<TaskId>,
    /// Claims of workers whose lease ended.
    pub claims: Vec<(ClaimKey, WorkerId)>,
    /// Tasks whose delay is over.
    pub delayed: Vec<TaskId>,
    /// What would be due and cannot be read. It is not brought again at every call.
    pub unreadable: Vec<Unreadable>,
    /// How long until something else is due; `None` when nothing is foreseen.
    pub next: Option<Duration>,
}

impl Due {
    /// Whether there is nothing to do now.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
            && self.reminders.is_empty()
            && self.tasks.is_empty()
            && self.claims.is_empty()
            && self.delayed.is_empty()
    }
}

/// What a tail brings at once: events, or that the tools are other ones, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// The next events, oldest first.
    pub events: Vec<Event>,
    /// Events that this version does not know or cannot read, by their cursor: the tail went past them.
    pub unreadable: Vec<Unreadable>,
    /// The log is not the one that was read before (the store was emptied, restarted without its data, or came back
    /// older): whatever anybody knows of it may be wrong, and the tail goes on at its present end.
    pub reset: bool,
    /// [`Store::tools`](super::Store::tools) may say something else than before. A new tail says so once if there are any tools,
    /// since it cannot know which its reader has seen.
    pub tools: bool,
}
