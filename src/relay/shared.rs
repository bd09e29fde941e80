//! What all sessions of one process share.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::decide::{Decide, Ruling};
use super::launches::Launches;
use super::misbehaviour::Misbehaviour;
use crate::engine::{Engine, EngineError, EngineResult, Hub, Retry};
use crate::task::{Fault, SessionId, Unanswerable};

/// Sessions that ended here and are still followed, since tasks of theirs go on: what these ask is settled.
const FOLLOWED: usize = 10_000;

/// Sessions that are looked through at once when something may have been missed.
const LOOKING: usize = 8;

/// What the relay needs to know.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// What becomes of a question that the client cannot answer, where its tool does not say.
    pub unanswerable: Unanswerable,
    /// How long a client may have no stream open before it counts as vanished.
    pub vanish_grace: Duration,
    /// What status notifications name as the polling interval, in milliseconds.
    pub poll_interval_ms: u64,
    /// How every task is served wrongly, on purpose.
    pub faults: Vec<Fault>,
    /// Who decides on questions before they are shown to anybody.
    pub decider: Option<Arc<dyn Decide>>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) hub: Hub,
    pub(super) config: RelayConfig,
    pub(super) stop: CancellationToken,
    pub(super) misbehaviour: Misbehaviour,
    pub(super) launched: Launches,
    pub(super) ruling: Ruling,
    /// Whoever looks through a session takes a turn, so that thousands that missed something do not at once.
    pub(super) looking: Semaphore,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    live: HashSet<SessionId>,
    /// What ends the following of those that are over, the oldest first.
    over: VecDeque<CancellationToken>,
}

impl Shared {
    pub(super) fn new(engine: Engine, hub: Hub, config: RelayConfig, stop: CancellationToken) -> Self {
        let misbehaviour = Misbehaviour::new(config.faults.clone());
        let looking = Semaphore::new(LOOKING);
        let ruling = Ruling::new(config.decider.clone());
        let (launched, sessions) = (Launches::default(), Mutex::default());
        Self { engine, hub, config, stop, misbehaviour, launched, ruling, looking, sessions }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins.
    pub(super) fn begin(&self, session: &SessionId) {
        self.sessions().live.insert(session.clone());
    }

    /// A session is over. What this returns ends its following, when too many others were over after it.
    pub(super) fn end(&self, session: &SessionId) -> CancellationToken {
        let forgotten = self.stop.child_token();
        let mut sessions = self.sessions();
        sessions.live.remove(session);
        sessions.over.push_back(forgotten.clone());
        if sessions.over.len() > FOLLOWED
            && let Some(oldest) = sessions.over.pop_front()
        {
            oldest.cancel();
        }
        forgotten
    }

    /// Whether this process holds that session.
    pub(super) fn serves(&self, session: Option<&SessionId>) -> bool {
        session.is_some_and(|session| self.sessions().live.contains(session))
    }

    /// Repeats what the store does not do at present, until `give_up` fires: `None` then. Every verb that a client's
    /// answer needs can be repeated, since the first answer wins.
    pub(super) async fn outlast<T, F>(
        give_up: &CancellationToken,
        verb: impl Fn() -> F + Send,
    ) -> Option<EngineResult<T>>
    where
        T: Send,
        F: Future<Output = EngineResult<T>> + Send,
    {
        match Retry::new("storing what a client answered").murmuring().run(give_up, verb).await {
            Err(EngineError::Store(error)) if error.is_passing() => None,
            done => Some(done),
        }
    }
}
