//! What is told of an answer that was taken.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::asked::OpenQuestion;
use crate::desk::place::Found;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::{page, text};
use crate::task::{Action, Answer};

/// What was answered.
pub(crate) struct Receipt {
    /// The answer as it stands.
    pub(crate) answer: Answer,
    /// Answers to earlier questions that lay in a deployment's list and would have been taken for this one.
    pub(crate) stale_cleared: Option<u64>,
    /// Questions of the task that are still open, where that is known.
    pub(crate) left: Option<usize>,
    /// Whether it is known to be the question's answer: some servers acknowledge one that came too late as well, and a
    /// worker of FastMCP 3 that was stopped has it and does not go on.
    pub(crate) counts: bool,
    /// For how long the question was still open after its server took the answer; `None` where it was seen to be closed,
    /// or nobody looked.
    pub(crate) open_for: Option<Duration>,
}

impl Receipt {
    /// The answer to that question, of which nothing but that its place took it is to be said.
    pub(crate) fn of(answer: Answer) -> Self {
        Self { answer, stale_cleared: None, left: None, counts: true, open_for: None }
    }

    /// What is said where the server took it and goes on asking.
    pub(crate) fn is_still_open(&self, question: &OpenQuestion) -> Option<Advice> {
        let after = self.open_for?.as_secs();
        let show = Suggested::new("show").about(question.task.as_str());
        let (task, question) = (text::line(&question.task), text::line(&question.id));
        let taken = format!(
            "the server took the answer; question {question} of task {task} is still open {after} s later: "
        );
        Some(Advice::command(show, "tells whether it counts").after(&taken))
    }

    /// What scripts are told of it: the same in every place.
    pub(crate) fn object(&self, found: &Found, question: &OpenQuestion) -> Value {
        let Self { answer: Answer { action, by, at, who, .. }, stale_cleared, left, counts, open_for } = self;
        let who = who.as_ref().filter(|_| found.keeps_no_names().is_none());
        let mut object = json!({
            "at": at, "source": found.source(), "task": question.task, "question": question.id, "action": action,
            "by": by, "who": who, "stale_cleared": stale_cleared, "left": left, "counts": counts.then_some(true),
        });
        if let Some(url) = page::of(&question.asked.ask).filter(|_| *action == Action::Accept) {
            object["url"] = json!(url);
            object["host"] = json!(page::host_of(url));
        }
        if open_for.is_some() {
            object["still_open"] = json!(true);
        }
        object
    }
}
