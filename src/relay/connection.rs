//! One legacy client's connection: who it is, what it declared, what is open for it and what it is asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use rmcp::RoleServer;
use rmcp::model::{ProgressToken, ProtocolVersion};
use rmcp::service::Peer;
use serde_json::Value;
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use super::answerer;
use super::modes::Modes;
use super::questions::Questions;
use super::streams::Streams;
use crate::task::{AskKind, Scope, SessionId, Task, TaskId, Who};

/// What a status notification needs of a task and an event does not say.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) created_at: Timestamp,
    pub(super) ttl_ms: Option<u64>,
    pub(super) progress_token: Option<ProgressToken>,
}

/// A connection: the one owner of what is open for its client.
#[derive(Debug)]
pub(crate) struct Connection {
    id: SessionId,
    /// Whose it is: fixed when the session begins.
    scope: OnceLock<Scope>,
    peer: OnceLock<Peer<RoleServer>>,
    streams: Streams,
    questions: Questions,
    /// Why the connection is over, once it is.
    gone: watch::Sender<Option<String>>,
    /// The session's tasks that have not ended, as far as they are known here.
    tasks: Mutex<HashMap<TaskId, Facts>>,
    /// Held, shared, while a task is being submitted: its events can come before its facts are known here.
    submissions: RwLock<()>,
}

impl Connection {
    /// A connection with these streams.
    pub(crate) fn new(id: SessionId, streams: Streams) -> Self {
        Self {
            id,
            scope: OnceLock::new(),
            peer: OnceLock::new(),
            streams,
            questions: Questions::default(),
            gone: watch::Sender::default(),
            tasks: Mutex::default(),
            submissions: RwLock::new(()),
        }
    }

    /// The session's id.
    pub(crate) fn id(&self) -> &SessionId {
        &self.id
    }

    /// Binds the session to a scope; the first one stands.
    pub(crate) fn bind(&self, scope: Scope) {
        self.scope.get_or_init(|| scope);
    }

    /// The scope, once it is fixed.
    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.scope.get()
    }

    /// Its streams.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// What the client is asked.
    pub(super) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Names the way to the client; the first name stands.
    pub(super) fn set_peer(&self, peer: Peer<RoleServer>) -> bool {
        self.peer.set(peer).is_ok()
    }

    pub(super) fn peer(&self) -> Option<&Peer<RoleServer>> {
        self.peer.get()
    }

    /// The connection is over, for this reason; the first one stands.
    pub(crate) fn leave(&self, reason: &str) {
        let first = self.gone.send_if_modified(|gone| {
            let first = gone.is_none();
            gone.get_or_insert_with(|| reason.to_owned());
            first
        });
        if first {
            self.streams.tell_change();
        }
    }

    /// Waits until the connection is over; why.
    pub(crate) async fn gone(&self) -> String {
        let mut gone = self.gone.subscribe();
        // The sender is part of `self`, so it outlives this wait.
        let reason = gone.wait_for(Option::is_some).await;
        reason.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }

    /// Why the connection is over, if it is.
    pub(super) fn gone_now(&self) -> Option<String> {
        self.gone.borrow().clone()
    }

    /// A task is about to be submitted; keep what this returns until [`Connection::submitted`] was called.
    pub(crate) async fn submitting(&self) -> RwLockReadGuard<'_, ()> {
        self.submissions.read().await
    }

    /// Waits until the facts of every task submitted by now are known.
    pub(super) async fn settled(&self) {
        drop(self.submissions.write().await);
    }

    /// The client submitted a task: what later notifications about it need.
    pub(crate) fn submitted(&self, task: &Task, progress_token: Option<ProgressToken>) {
        let facts = Facts { created_at: task.created_at, ttl_ms: task.new.ttl_ms, progress_token };
        self.tasks().insert(task.id().clone(), facts);
    }

    pub(super) fn facts_of(&self, task: &TaskId) -> Option<Facts> {
        self.tasks().get(task).cloned()
    }

    /// The task is kept until then.
    pub(super) fn kept_until(&self, task: &TaskId, end: Timestamp) {
        if let Some(facts) = self.tasks().get_mut(task) {
            let kept = end.as_millisecond().saturating_sub(facts.created_at.as_millisecond());
            facts.ttl_ms = Some(u64::try_from(kept).unwrap_or_default());
        }
    }

    /// The task has ended.
    pub(super) fn forget(&self, task: &TaskId) {
        self.tasks().remove(task);
    }

    /// Forgets the tasks whose life is over, of which no event may have told: a store that was emptied tells nothing.
    pub(super) fn forget_expired(&self) {
        let now = Timestamp::now().as_millisecond();
        let ends = |facts: &Facts| {
            let ttl = i64::try_from(facts.ttl_ms?).unwrap_or(i64::MAX);
            Some(facts.created_at.as_millisecond().saturating_add(ttl))
        };
        self.tasks().retain(|_, facts| ends(facts).is_none_or(|ends| ends > now));
    }

    /// Whether the session has a task that has not ended, as far as is known here.
    pub(super) fn has_tasks(&self) -> bool {
        !self.tasks().is_empty()
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, Facts>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the client cannot be asked this, if it cannot.
    pub(super) fn undeclared(&self, kind: &AskKind) -> Option<String> {
        let info = self.peer()?.peer_info();
        Modes::of(info.as_ref().map(|info| &info.capabilities)).missing(kind)
    }

    /// Who answers for the client, by that reply to a question.
    pub(super) fn answerer(&self, reply: &Value) -> Who {
        let info = self.peer().and_then(Peer::peer_info);
        answerer::of_reply(self.scope(), info.as_ref().map(|info| &info.client_info), reply)
    }

    /// The protocol version that the session speaks, once it is initialized.
    pub(crate) fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.peer().and_then(Peer::peer_info).map(|info| info.protocol_version.clone())
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::task::TaskTracker;

    use super::*;

    #[tokio::test]
    async fn who_left_before_anybody_waited_for_it_is_gone() {
        let connection = Connection::new(SessionId::generate(), Streams::new(TaskTracker::new()));
        connection.leave("first");
        connection.leave("second");
        assert_eq!(connection.gone().await, "first");
    }
}
