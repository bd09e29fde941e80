//! The relay: what a legacy client holds of its tasks. Their questions are put to it as `elicitation/create`.
//!
//! Every session follows its own tasks' events in order (`member`); every question is a small conversation of its own
//! (`prompt`), so that a slow person holds up nobody. A connection is the one owner of what is open for its client
//! (`streams`) and of what it is asked (`questions`). The client never touches the store, and its answer goes through
//! the same verb as everybody else's.

pub(crate) mod answerer;
mod connection;
mod decide;
mod launched;
mod launches;
mod log;
mod member;
mod misbehaviour;
mod modes;
mod prompt;
mod questions;
mod routes;
mod ruling;
mod shared;
mod state;
mod status;
mod steps;
mod streams;
mod unanswerable;
mod waiting;

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::RequestId;
use rmcp::service::Peer;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

pub(crate) use connection::Connection;
pub use decide::Decide;
use member::Member;
pub(crate) use modes::Modes;
pub(crate) use routes::has_its_place;
pub use shared::RelayConfig;
pub(crate) use status::{RELATED_TASK, failure, legacy_status, shown};
pub(crate) use streams::{Place, Streams};
pub(crate) use waiting::Waiting;

use crate::engine::{Engine, EngineResult, Signal};
use crate::task::{Fault, Question, Task, TaskId};
use shared::Shared;

/// The relay of one process; a cheap handle.
#[derive(Debug, Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

impl Relay {
    /// Begins to follow the log, until `stop`.
    pub async fn start(engine: Engine, config: RelayConfig, stop: CancellationToken) -> EngineResult<Self> {
        let hub = engine.hub().await?.clone();
        let signals = [hub.subscribe(), hub.subscribe(), hub.subscribe()];
        let shared = Arc::new(Shared::new(engine, hub, config, stop));
        let [to_learn, to_settle, to_rule] = signals;
        tokio::spawn(learn(shared.clone(), to_learn));
        tokio::spawn(ruling::follow(shared.clone(), to_rule));
        tokio::spawn(launched::follow(shared.clone(), to_settle));
        Ok(Self { shared })
    }

    /// Takes a session in, until its connection is over.
    pub(crate) fn join(&self, connection: &Arc<Connection>, peer: &Peer<RoleServer>) {
        if !connection.set_peer(peer.clone()) {
            return;
        }
        self.shared.begin(connection.id());
        tokio::spawn(Member::new(self.shared.clone(), connection.clone(), peer.clone()).run());
    }

    /// A modern client launched a task. What it did not declare that it can be asked is settled when the task asks it.
    pub(crate) fn launched(&self, task: &Task, modes: Modes) {
        launched::enter(&self.shared, task, modes);
    }

    /// The task as it may be shown: the rules have decided on all that it asks.
    pub(crate) async fn ruled(&self, task: Task) -> EngineResult<Task> {
        ruling::ruled(&self.shared, task).await
    }

    /// Answers for the client of a foreground call that cannot be asked, or leaves that to an operator; true when the
    /// question stays open.
    pub(crate) async fn answer_for(&self, task: &TaskId, question: &Question, reason: &str) -> bool {
        unanswerable::settle(&self.shared, task, question, reason).await
    }

    /// A client waits in a request: for the end of its own foreground call, or for the result of a task.
    pub(crate) fn waiting(&self, connection: &Arc<Connection>, request: RequestId, task: &Task) -> Waiting {
        Waiting::new(self.shared.clone(), connection.clone(), request, task)
    }

    /// Whether that task is served wrongly in this way.
    pub(crate) fn misbehaves(&self, task: &TaskId, fault: Fault) -> bool {
        self.shared.misbehaviour.has(task, fault)
    }

    /// Whether changes of that task are kept from its client, on purpose.
    pub(crate) fn silences(&self, task: &TaskId) -> bool {
        self.shared.misbehaviour.silences(task)
    }

    /// Whether the response about that task that is on its way is cut off.
    pub(crate) fn cuts(&self, task: &TaskId) -> bool {
        self.shared.misbehaviour.cuts(task)
    }
}

/// Reads of scripts' faults in the log.
async fn learn(shared: Arc<Shared>, mut signals: broadcast::Receiver<Signal>) {
    while let Some(signal) = shared.stop.run_until_cancelled(signals.recv()).await {
        match signal {
            Ok(Signal::Event(event)) => shared.misbehaviour.learn(&event),
            // A fault that was missed is not done.
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
