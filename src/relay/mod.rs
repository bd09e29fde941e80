//! The relay: questions of legacy sessions' tasks, put to their clients as `elicitation/create`.
//!
//! One reader of the log per process routes each event to the session that owns the task. Every session
//! follows its own events in order (`member`); every question is a small conversation of its own
//! (`prompt`), so that a slow person holds up nobody. The client never touches the store, and its answer
//! goes through the same verb as everybody else's.

mod connection;
mod member;
mod misbehaviour;
mod prompt;
mod status;
mod unanswerable;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::RequestId;
use rmcp::service::Peer;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

pub use connection::Connection;
pub(crate) use connection::undeclared;
use member::{Member, News};
use misbehaviour::Misbehaviour;
use prompt::{Asking, Prompt};
pub(crate) use status::{legacy_status, shown};

use crate::engine::{Engine, EngineResult, Signal};
use crate::task::{Event, EventKind, Fault, Question, SessionId, Task, TaskId};

/// The `_meta` key that says which task a message is about (2025-11-25, basic/utilities/tasks).
pub(crate) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// The pause before the store is tried again.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Sessions that ended here and are remembered, so that what their tasks ask later is settled too.
const REMEMBERED: usize = 10_000;

/// What becomes of a question that the client cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unanswerable {
    /// It is answered with cancel, with the reason.
    #[default]
    Cancel,
    /// It stays open for an operator, and the reason goes to the log.
    Wait,
}

/// What the relay needs to know.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// What becomes of a question that the client cannot answer.
    pub unanswerable: Unanswerable,
    /// How long a client may have no stream open before it counts as vanished.
    pub vanish_grace: Duration,
    /// What status notifications name as the polling interval, in milliseconds.
    pub poll_interval_ms: u64,
    /// How every task is served wrongly, on purpose.
    pub faults: Vec<Fault>,
}

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    engine: Engine,
    config: RelayConfig,
    stop: CancellationToken,
    sessions: Mutex<Sessions>,
    misbehaviour: Misbehaviour,
}

#[derive(Debug, Default)]
struct Sessions {
    live: HashMap<SessionId, mpsc::UnboundedSender<News>>,
    ended: HashMap<SessionId, String>,
    /// The ended ones, oldest first.
    order: VecDeque<SessionId>,
}

impl Sessions {
    fn end(&mut self, session: SessionId, reason: String) {
        self.live.remove(&session);
        if self.ended.insert(session.clone(), reason).is_none() {
            self.order.push_back(session);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The relay of one process; a cheap handle.
#[derive(Debug, Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

/// A question that is in front of a client that waits in a request. Dropping it withdraws it.
#[derive(Debug)]
pub(crate) struct Asked {
    withdraw: CancellationToken,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.withdraw.cancel();
    }
}

impl Relay {
    /// Begins to follow the log, until `stop`.
    pub async fn start(engine: Engine, config: RelayConfig, stop: CancellationToken) -> EngineResult<Self> {
        let signals = engine.hub().await?.subscribe();
        let sessions = Mutex::default();
        let misbehaviour = Misbehaviour::new(config.faults.clone());
        let shared = Arc::new(Shared { engine, config, stop, sessions, misbehaviour });
        tokio::spawn(route(shared.clone(), signals));
        Ok(Self { shared })
    }

    /// Takes a session in, until its connection is over.
    pub fn join(&self, connection: &Arc<Connection>, peer: &Peer<RoleServer>) {
        if !connection.set_peer(peer.clone()) {
            return;
        }
        let (sender, news) = mpsc::unbounded_channel();
        let (shared, connection) = (self.shared.clone(), connection.clone());
        shared.sessions().live.insert(connection.id().clone(), sender);
        tokio::spawn(Member::new(shared, connection, peer.clone()).run(news));
    }

    /// Answers for the client of a foreground call that cannot be asked.
    pub(crate) async fn answer_for(&self, task: &TaskId, question: &Question, reason: &str) {
        unanswerable::settle(&self.shared, task, question, true, reason).await;
    }

    /// Puts a question to a client that waits in a request: for the end of its own foreground call, or for
    /// the result of a task whose owner this process does not serve.
    pub(crate) fn ask_in(
        &self,
        connection: &Arc<Connection>,
        origin: RequestId,
        task: &Task,
        question: &Question,
    ) -> Asked {
        let withdraw = CancellationToken::new();
        let asking = if task.new.hidden { Asking::Caller(origin) } else { Asking::Guest(origin) };
        let prompt = Prompt {
            shared: self.shared.clone(),
            connection: connection.clone(),
            task: task.id().clone(),
            question: question.clone(),
            asking,
            withdrawn: withdraw.clone(),
        };
        tokio::spawn(prompt.run());
        Asked { withdraw }
    }

    /// Whether that task is served wrongly in this way.
    pub(crate) fn misbehaves(&self, task: &TaskId, fault: Fault) -> bool {
        self.shared.misbehaviour.has(task, fault)
    }

    /// Whether the response about that task that is on its way is cut off.
    pub(crate) fn cuts(&self, task: &TaskId) -> bool {
        self.shared.misbehaviour.cuts(task)
    }

    /// Whether this process holds the session that launched the task.
    pub(crate) fn serves_owner(&self, task: &Task) -> bool {
        let sessions = self.shared.sessions();
        task.new.session.as_ref().is_some_and(|owner| sessions.live.contains_key(owner))
    }
}

/// Gives every event to the session that owns its task.
async fn route(shared: Arc<Shared>, mut signals: broadcast::Receiver<Signal>) {
    loop {
        let signal = tokio::select! {
            () = shared.stop.cancelled() => return,
            signal = signals.recv() => signal,
        };
        match signal {
            Ok(Signal::Event(event)) => {
                shared.misbehaviour.learn(&event);
                deliver(&shared, event);
            }
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => {
                for member in shared.sessions().live.values() {
                    // A closed one is leaving.
                    let _ = member.send(News::Resync);
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn deliver(shared: &Arc<Shared>, event: Arc<Event>) {
    let Some(session) = event.session.as_ref().filter(|_| !event.hidden) else { return };
    let sessions = shared.sessions();
    if let Some(member) = sessions.live.get(session) {
        let _ = member.send(News::Event(event));
    } else if let EventKind::Asked { question } = &event.kind
        && let Some(reason) = sessions.ended.get(session).cloned()
    {
        let (shared, task, question) = (shared.clone(), event.task.clone(), question.clone());
        tokio::spawn(async move {
            unanswerable::settle(&shared, &task, &question, false, &reason).await;
        });
    }
}
