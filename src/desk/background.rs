//! What is known around a question, for whoever decides on it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{page, text, time, values};
use crate::client::{Call, TaskView};
use crate::fastmcp::{DeployedTask, Generation};
use crate::form::shown;
use crate::task::{Answer, Ask, Task};

/// The name of the fact that says where the task is.
pub(crate) const PLACE: &str = "place";

/// The most characters of one line of it.
const MOST: usize = 300;

/// The task that asks, and its earlier questions. Texts are safe on a terminal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background {
    /// Names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Earlier questions with their answers, the oldest first.
    pub(crate) earlier: Vec<(String, String)>,
    /// When the task's time to live ends, and the question with it.
    pub(crate) ends: Option<Timestamp>,
    /// Since when a server's task waits, and whether that may be later:
    /// [`TaskView::waits_since`](crate::client::TaskView::waits_since).
    pub(crate) waits: Option<(Timestamp, bool)>,
}

/// That nobody would take an answer now, of a FastMCP 3 task whose worker is dead: it asks again in its next run. That of
/// FastMCP 4 has no worker while it waits.
pub(crate) fn nobody_takes(task: &DeployedTask) -> Option<String> {
    let worker = task.worker.as_ref().filter(|worker| !worker.alive)?;
    let waits = task.generation != Generation::V4 && !task.status.is_final() && !task.questions.is_empty();
    waits.then(|| {
        format!(
            "{} shows no sign of life: an answer would reach nobody until a worker runs the task again, which asks anew",
            worker.name
        )
    })
}

impl Background {
    /// Of a task of our own store.
    pub(super) fn of_store(task: &Task) -> Self {
        let mut background = Self { ends: task.expires_at(), ..Self::default() };
        background.fact("session", task.new.session.as_ref().map(crate::task::SessionId::as_str));
        background.arguments(&task.new.arguments);
        background.fact("progress", task.progress.as_ref().map(text::progress).as_deref());
        for question in &task.questions {
            if let Some(answer) = &question.answer {
                background.answered(&question.ask, answer);
            }
        }
        background
    }

    /// Of a FastMCP task. Its arguments are never read.
    pub(super) fn of_fastmcp(task: &DeployedTask) -> Self {
        let ends = task.lifetimes().task_ms.and_then(time::from_now);
        let mut background = Self { ends, ..Self::default() };
        background.fact("session", task.session.as_deref());
        background.fact("progress", task.progress.as_ref().map(text::progress).as_deref());
        background.fact("worker", nobody_takes(task).as_deref());
        background
    }

    /// Of a server's task that asks that. Many servers repeat the question as the task's status.
    pub(super) fn of_server(task: &TaskView, ask: &Ask) -> Self {
        let mut background = Self { ends: task.expires(), waits: task.waits_since(), ..Self::default() };
        let repeats = |status: &&str| !ask.message.is_empty() && status.contains(&ask.message);
        background.fact("status", task.status_message.as_deref().filter(|status| !repeats(status)));
        background
    }

    /// Of a call that is made here.
    pub(crate) fn of_call(call: &Call) -> Self {
        let mut background = Self::default();
        background.fact("session", call.session.as_deref());
        background.arguments(&call.arguments);
        background
    }

    /// Notes where the task is.
    pub(crate) fn at(&mut self, place: &str) {
        self.fact(PLACE, Some(place));
    }

    /// Notes a question that was answered before.
    pub(crate) fn answered(&mut self, ask: &Ask, answer: &Answer) {
        self.answered_by(&text::line(&answer.answerer()), ask, answer);
    }

    /// Notes a question that was answered here before. What its server calls whoever answered is not known here.
    pub(crate) fn answered_here(&mut self, ask: &Ask, answer: &Answer) {
        self.answered_by("you", ask, answer);
    }

    fn answered_by(&mut self, by: &str, ask: &Ask, answer: &Answer) {
        let answered = match &answer.content {
            Some(_) => format!("{} by {by}", values::in_words(ask, answer)),
            None => format!("{} by {by}", answer.action),
        };
        self.earlier.push((page::message(ask, MOST), format!("→ {answered}")));
    }

    fn arguments(&mut self, arguments: &Map<String, Value>) {
        let one = |(name, value): (&String, &Value)| format!("{name}={}", shown(value));
        let all = arguments.iter().map(one).collect::<Vec<_>>().join(" ");
        self.fact("arguments", Some(all.as_str()).filter(|all| !all.is_empty()));
    }

    fn fact(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.facts.push((name, text::short(value, MOST)));
        }
    }
}
