//! Requests in which a client waits for a task: its own foreground calls, and `tasks/result`.

use std::sync::Arc;

use rmcp::model::RequestId;

use super::connection::Connection;
use super::prompt::{self, Asking};
use super::shared::Shared;
use crate::task::{Event, EventKind, Question, SessionId, Task, TaskId};

/// A request that waits. While it is there, questions of the task may take its stream; what the task asks is put to
/// the client here, where that is not the business of the session that launched it.
#[derive(Debug)]
pub(crate) struct Waiting {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: RequestId,
    task: TaskId,
    /// The task is this client's own foreground call.
    hidden: bool,
    /// The session that launched it.
    owner: Option<SessionId>,
}

impl Waiting {
    pub(super) fn new(
        shared: Arc<Shared>,
        connection: Arc<Connection>,
        request: RequestId,
        task: &Task,
    ) -> Self {
        connection.streams().await_result(task.id(), request.clone());
        let (hidden, owner) = (task.new.hidden, task.new.session.clone());
        Self { shared, connection, request, task: task.id().clone(), hidden, owner }
    }

    /// Puts what an event says is asked, and withdraws what has its answer.
    pub(crate) fn hear(&self, event: &Event) {
        match &event.kind {
            EventKind::Asked { question } => self.put(question),
            EventKind::Answered { question, .. } => {
                self.connection.questions().withdraw(&self.task, question, false);
            }
            _ => {}
        }
    }

    /// Puts what is open, and withdraws what is open no longer.
    pub(crate) fn look(&self, task: &Task) {
        let open = |id: &_| task.open_questions().any(|question| &question.id == id);
        self.connection.questions().keep_of_requests(&self.task, open);
        for question in task.open_questions() {
            self.put(question);
        }
    }

    fn put(&self, question: &Question) {
        let asking = if self.hidden {
            Asking::Caller(self.request.clone())
        } else if self.shared.serves(self.owner.as_ref()) {
            // The session's own member asks, and may do it on this request's stream.
            return;
        } else {
            Asking::Guest
        };
        prompt::put(&self.shared, &self.connection, &self.task, question, asking);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.connection.streams().await_no_more(&self.task, &self.request) {
            self.connection.questions().withdraw_from_requests(&self.task);
        }
    }
}
