//! What ends a question that nobody answers.

use jiff::Timestamp;

use super::time::{self, from_now};
use crate::fastmcp::DeployedTask;
use crate::task::{OnTimeout, Question, Task};

/// What comes first: a question's own end, or that of its task, which ends the question with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuestionEnd {
    /// It answers itself.
    AnswersItself(OnTimeout, Timestamp),
    /// Its task's time to live is over.
    WithItsTask(Timestamp),
    /// The deployment that keeps it drops it.
    Dropped(Timestamp),
}

impl QuestionEnd {
    /// What comes first of all that is known.
    pub(crate) fn first(known: impl IntoIterator<Item = Self>) -> Option<Self> {
        known.into_iter().min_by_key(Self::at)
    }

    /// Of a question of our own store.
    pub(crate) fn of_store(task: &Task, question: &Question) -> Option<Self> {
        Self::first(Self::of_its_own(question).into_iter().chain(task.expires_at().map(Self::WithItsTask)))
    }

    /// The end that a question has whatever becomes of its task.
    pub(crate) fn of_its_own(question: &Question) -> Option<Self> {
        question.deadline.map(|at| Self::AnswersItself(question.ask.on_timeout, at))
    }

    /// Of the open question of a FastMCP task that goes on, or else of the task, as the lifetimes of their keys said just now.
    pub(crate) fn of_deployed(task: &DeployedTask) -> Option<Self> {
        if task.status.is_final() {
            return None;
        }
        let ttl = task.lifetimes();
        let own = ttl.question_ms.filter(|_| !task.questions.is_empty());
        let own = own.and_then(from_now).map(Self::Dropped);
        Self::first(own.into_iter().chain(ttl.task_ms.and_then(from_now).map(Self::WithItsTask)))
    }

    /// When that is.
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Self::AnswersItself(_, at) | Self::WithItsTask(at) | Self::Dropped(at) => *at,
        }
    }

    /// What happens, and when: "cancels itself in 5 min".
    pub(crate) fn in_words(self, now: Timestamp) -> String {
        let what = match self {
            Self::AnswersItself(action, _) => action.words(),
            Self::WithItsTask(_) => "the task ends",
            Self::Dropped(_) => "the question ends",
        };
        format!("{what} {}", time::relative(self.at(), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_is_told() {
        let now = Timestamp::now();
        let after = |seconds: i64| now + jiff::SignedDuration::from_secs(seconds);
        let first = |known: &[QuestionEnd]| {
            QuestionEnd::first(known.iter().copied()).map(|end| end.in_words(now)).unwrap_or_default()
        };
        let own = QuestionEnd::AnswersItself(OnTimeout::Decline, after(3600));
        let (task, dropped) = (QuestionEnd::WithItsTask(after(45)), QuestionEnd::Dropped(after(50)));
        assert_eq!(first(&[own]), "declines itself in 60 min");
        assert_eq!(first(&[own, task]), "the task ends in 45 s");
        assert_eq!(first(&[own, dropped]), "the question ends in 50 s");
        assert_eq!(first(&[own, QuestionEnd::WithItsTask(after(7200))]), "declines itself in 60 min");
        assert_eq!(first(&[]), "");
    }
}
