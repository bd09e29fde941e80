//! The questions that are in front of one client: each once, whoever in its connection needs the answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::task::{QuestionId, TaskId};

/// The only book of what this client is asked.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: Mutex<HashMap<(TaskId, QuestionId), Open>>,
}

/// A question that was put to the client.
#[derive(Debug)]
struct Open {
    /// It is asked for the session that launched the task, rather than for a request that waits.
    is_owners: bool,
    prompt: Handle,
}

/// What the book and the prompt share.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    /// Fires when the question is open no longer, when nobody here waits for its answer, and when the process stops.
    pub(super) withdrawn: CancellationToken,
    /// The client could not be asked, and nobody answered for it: it may be put again. A question whose prompt ended
    /// in any other way has its answer, even if the log has not told of it yet.
    left_open: Arc<AtomicBool>,
    /// Fires when the question has gone out to the client, or never will.
    pub(super) sent: CancellationToken,
}

/// A question that was entered.
pub(super) struct Entered {
    pub(super) handle: Handle,
    /// [`Handle::sent`] of the task's questions that are open already: they go out first, so that what is asked at
    /// once is put in its order.
    pub(super) earlier: Vec<CancellationToken>,
}

impl Handle {
    fn new(stop: &CancellationToken) -> Self {
        Self { withdrawn: stop.child_token(), left_open: Arc::default(), sent: CancellationToken::new() }
    }

    pub(super) fn leave_open(&self) {
        self.left_open.store(true, Ordering::Release);
    }
}

impl Questions {
    fn open(&self) -> MutexGuard<'_, HashMap<(TaskId, QuestionId), Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a question; `None` where it is in front of the client already.
    pub(super) fn enter(
        &self,
        task: &TaskId,
        question: &QuestionId,
        is_owners: bool,
        stop: &CancellationToken,
    ) -> Option<Entered> {
        let mut open = self.open();
        let key = (task.clone(), question.clone());
        if open.get(&key).is_some_and(|one| !one.prompt.left_open.load(Ordering::Acquire)) {
            return None;
        }
        let of_task = open.iter().filter(|((owner, other), _)| owner == task && other != question);
        let earlier = of_task.map(|(_, open)| open.prompt.sent.clone()).collect();
        let handle = Handle::new(stop);
        open.insert(key, Open { is_owners, prompt: handle.clone() });
        Some(Entered { handle, earlier })
    }

    /// The question has its answer: for the session that launched the task, or for the requests that wait for it.
    pub(super) fn withdraw(&self, task: &TaskId, question: &QuestionId, is_owners: bool) {
        let mut open = self.open();
        let key = (task.clone(), question.clone());
        if open.get(&key).is_some_and(|one| one.is_owners == is_owners)
            && let Some(open) = open.remove(&key)
        {
            open.prompt.withdrawn.cancel();
        }
    }

    /// The task has ended.
    pub(super) fn withdraw_all(&self, task: &TaskId) {
        self.keep(|owner, _, _| owner != task);
    }

    /// No request waits for the task here any more; what its own session is asked stays.
    pub(super) fn withdraw_from_requests(&self, task: &TaskId) {
        self.keep(|owner, _, is_owners| owner != task || is_owners);
    }

    /// Withdraws all that is asked for the requests that wait for the task, but these.
    pub(super) fn keep_of_requests(&self, task: &TaskId, still: impl Fn(&QuestionId) -> bool) {
        self.keep(|owner, question, is_owners| is_owners || owner != task || still(question));
    }

    /// Withdraws all that the session is asked for its own tasks but these.
    pub(super) fn keep_of_owner(&self, still: impl Fn(&TaskId, &QuestionId) -> bool) {
        self.keep(|task, question, is_owners| !is_owners || still(task, question));
    }

    fn keep(&self, stays: impl Fn(&TaskId, &QuestionId, bool) -> bool) {
        self.open().retain(|(task, question), open| {
            let stays = stays(task, question, open.is_owners);
            if !stays {
                open.prompt.withdrawn.cancel();
            }
            stays
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_in_front_of_a_client_once_until_it_was_left_open() {
        let (questions, task, stop) = (Questions::default(), TaskId::generate(), CancellationToken::new());
        let question: QuestionId = "q1".parse().expect("an id");
        let prompt = questions.enter(&task, &question, false, &stop).expect("it is new").handle;
        assert!(
            questions.enter(&task, &question, false, &stop).is_none(),
            "a second request waits for the same one"
        );
        prompt.leave_open();
        let again = questions.enter(&task, &question, false, &stop).expect("it may be put again").handle;
        questions.withdraw_from_requests(&task);
        assert!(again.withdrawn.is_cancelled() && questions.is_empty());
    }

    #[test]
    fn what_a_session_is_asked_for_its_own_task_outlives_its_requests() {
        let (questions, task, stop) = (Questions::default(), TaskId::generate(), CancellationToken::new());
        let [first, second]: [QuestionId; 2] = ["q1", "q2"].map(|id| id.parse().expect("an id"));
        let prompt = questions.enter(&task, &first, true, &stop).expect("it is new").handle;
        let other = questions.enter(&task, &second, true, &stop).expect("it is new").handle;
        questions.withdraw_from_requests(&task);
        assert!(!prompt.withdrawn.is_cancelled());
        questions.keep_of_owner(|_, question| question == &second);
        assert!(prompt.withdrawn.is_cancelled() && !other.withdrawn.is_cancelled());
        questions.withdraw_all(&task);
        assert!(other.withdrawn.is_cancelled());
    }
}
