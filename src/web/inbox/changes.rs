//! Which scopes' inboxes have something new: one reader of the log for all of them, while any is open.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, EngineResult, Signal};
use crate::task::{EventKind, Scope};

/// Open inboxes of one scope that are told. More do not grow by themselves.
const MOST: usize = 1000;

/// Tells open inboxes. Clones share one reader.
#[derive(Clone)]
pub(in crate::web) struct Changes {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    stop: CancellationToken,
    heard: Mutex<Heard>,
}

/// Who is told.
#[derive(Default)]
struct Heard {
    scopes: HashMap<Scope, watch::Sender<()>>,
    /// Whether somebody reads the log for them.
    is_read: bool,
}

impl Changes {
    pub(in crate::web) fn new(engine: Engine, stop: CancellationToken) -> Self {
        Self { inner: Arc::new(Inner { engine, stop, heard: Mutex::default() }) }
    }

    /// What changes whenever something does in that scope's inbox; `None` where too many look at it already.
    pub(super) async fn of(&self, scope: &Scope) -> EngineResult<Option<watch::Receiver<()>>> {
        let hub = self.inner.engine.hub().await?;
        let mut heard = self.inner.heard();
        let sender = heard.scopes.entry(scope.clone()).or_default();
        if sender.receiver_count() >= MOST {
            return Ok(None);
        }
        let receiver = sender.subscribe();
        if !std::mem::replace(&mut heard.is_read, true) {
            tokio::spawn(read(self.inner.clone(), hub.subscribe()));
        }
        Ok(Some(receiver))
    }

    /// Ends when the server does.
    pub(super) fn stop(&self) -> CancellationToken {
        self.inner.stop.clone()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

impl Inner {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the inboxes of that scope, or all of them; false once none is open.
    fn tell(&self, scope: Option<&Scope>) -> bool {
        let mut heard = self.heard();
        heard.scopes.retain(|_, sender| sender.receiver_count() > 0);
        match scope {
            Some(scope) => heard.scopes.get(scope).into_iter().for_each(|sender| sender.send_replace(())),
            None => heard.scopes.values().for_each(|sender| sender.send_replace(())),
        }
        heard.is_read = !heard.scopes.is_empty();
        heard.is_read
    }
}

/// Reads the log until no inbox is open any more.
async fn read(inner: Arc<Inner>, mut signals: broadcast::Receiver<Signal>) {
    loop {
        let signal = tokio::select! {
            biased;
            () = inner.stop.cancelled() => return,
            signal = signals.recv() => signal,
        };
        let is_read = match signal {
            Ok(Signal::Event(event)) if changes_inboxes(&event.kind) => inner.tell(Some(&event.scope)),
            Ok(Signal::Event(_)) => true,
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => inner.tell(None),
            Err(RecvError::Closed) => return,
        };
        if !is_read {
            return;
        }
    }
}

fn changes_inboxes(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Asked { .. } | EventKind::Answered { .. }) || kind.is_end()
}
