//! Which scopes' inboxes have something new: one reader of the log for all of them, while any is open, and one list for all
//! of a scope.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::list::Waiting;
use crate::engine::{Engine, EngineResult, Signal};
use crate::task::{EventKind, Scope};

/// Open inboxes of one scope that are told. More do not grow by themselves.
const MOST: usize = 1000;

/// How long a list is shown to others: its words say how long ago something was.
const FRESH: Duration = Duration::from_secs(5);

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

/// The open inboxes of one scope.
#[derive(Default)]
pub(super) struct Told {
    /// Counts what they were told.
    count: watch::Sender<u64>,
    /// What waited when that many had been told, and when it was read.
    list: tokio::sync::Mutex<Option<(u64, Instant, Arc<Waiting>)>>,
}

/// Who is told.
#[derive(Default)]
struct Heard {
    scopes: HashMap<Scope, Arc<Told>>,
    /// Whether somebody reads the log for them.
    is_read: bool,
}

impl Changes {
    pub(in crate::web) fn new(engine: Engine, stop: CancellationToken) -> Self {
        Self { inner: Arc::new(Inner { engine, stop, heard: Mutex::default() }) }
    }

    /// What changes whenever something does in that scope's inbox; `None` where too many look at it already.
    pub(super) async fn of(&self, scope: &Scope) -> EngineResult<Option<watch::Receiver<u64>>> {
        let hub = self.inner.engine.hub().await?;
        let mut heard = self.inner.heard();
        let told = heard.scopes.entry(scope.clone()).or_default();
        if told.count.receiver_count() >= MOST {
            return Ok(None);
        }
        let receiver = told.count.subscribe();
        if !std::mem::replace(&mut heard.is_read, true) {
            tokio::spawn(read(self.inner.clone(), hub.subscribe()));
        }
        Ok(Some(receiver))
    }

    /// What waits in a scope, for inboxes that were told to look: all of them look at once, and one of them reads. What
    /// happens after that is told anew.
    pub(super) async fn list(&self, scope: &Scope) -> EngineResult<Arc<Waiting>> {
        let read = async || Ok(Arc::new(Waiting::read(&self.inner.engine, scope).await?));
        let told = self.inner.heard().scopes.get(scope).cloned();
        let Some(told) = told else { return read().await };
        let mut list = told.list.lock().await;
        let count = *told.count.borrow();
        if let Some((of, at, waiting)) = &*list
            && *of == count
            && at.elapsed() < FRESH
        {
            return Ok(waiting.clone());
        }
        let waiting = read().await?;
        *list = Some((count, Instant::now(), waiting.clone()));
        Ok(waiting)
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
        heard.scopes.retain(|_, told| told.count.receiver_count() > 0);
        for (of, told) in &heard.scopes {
            if scope.is_none_or(|scope| scope == of) {
                told.count.send_modify(|count| *count += 1);
            }
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
    matches!(kind, EventKind::Asked { .. } | EventKind::Answered { .. } | EventKind::Extended { .. })
        || kind.is_end()
}
