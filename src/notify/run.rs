//! Holding a notifier: one process does at a time, and another one goes on where that leaves off.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::notice::Ways;
use super::send::Channel;
use super::session::{Ended, Session};
use super::wanted::Wanted;
use crate::engine::{Engine, EngineError, EngineResult, Retry};
use crate::store::notifiers::{Hold, NotifierCursors, NotifierLease};
use crate::task::TaskId;

/// A notifier with all that it needs.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(super) engine: Engine,
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) channel: Arc<Channel>,
    pub(super) ways: Ways,
    pub(super) lease: Duration,
    /// What people are told of this process.
    about: String,
    /// What nobody else calls itself.
    pub(super) holder: String,
    /// How far this process knows that it is. A lock, since the session says so and the next one asks.
    known: Mutex<Option<NotifierCursors>>,
}

impl Runner {
    /// Of that name; `about` tells people of this process, which may be silent for `lease`.
    pub(crate) fn new(
        (engine, ways): (&Engine, &Ways),
        (name, wanted): (String, Wanted),
        channel: Channel,
        (about, lease): (&str, Duration),
    ) -> Self {
        Self {
            engine: engine.clone(),
            name,
            wanted,
            channel: Arc::new(channel),
            ways: ways.clone(),
            lease,
            about: about.to_owned(),
            holder: TaskId::generate().to_string(),
            known: Mutex::default(),
        }
    }

    /// Notes how far it is.
    pub(super) fn is_at(&self, cursors: NotifierCursors) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursors);
    }

    /// Takes or renews the lease.
    pub(super) async fn hold(&self, begin: NotifierCursors) -> EngineResult<Hold> {
        let lease =
            NotifierLease { holder: self.holder.clone(), about: self.about.clone(), time: self.lease };
        Ok(self.engine.store().notifiers().hold(&self.name, &lease, begin).await?)
    }

    /// Takes the lease and works under it; returns when the process stops or another one has it.
    async fn held(&self, stop: &CancellationToken) -> EngineResult<Ended> {
        let last = self.engine.last().await?;
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        // Whoever begins to tell does not tell of what has long been.
        let place = known.unwrap_or(NotifierCursors { events: last, unanswered: last });
        let Hold::Here { cursors, revision, is_new } = self.hold(place).await? else {
            return Ok(Ended::Lost);
        };
        let notifier = self.name.as_str();
        if is_new && known.is_some() {
            tracing::warn!(
                notifier,
                "the store has lost what it knew of the notifier; what waited to be told is gone with it"
            );
        }
        tracing::debug!(notifier, "this process tells");
        let mut session = Session::begin(self, (cursors, revision), began + self.lease).await?;
        let ended = session.run(stop).await?;
        if ended == Ended::Lost {
            tracing::info!(notifier, "another process tells now");
        }
        Ok(ended)
    }
}

/// Tells whenever nobody else does, until `stop`.
pub(crate) async fn run(runner: Runner, stop: CancellationToken) {
    let mut retry = Retry::new("telling of events");
    while !stop.is_cancelled() {
        let ended = match stop.run_until_cancelled(runner.engine.last()).await {
            None => break,
            // The session sees the stop by itself, and has something to end.
            Some(_) => runner.held(&stop).await,
        };
        let pause = match ended {
            Ok(Ended::Stopped) => break,
            Ok(Ended::Lost) => {
                retry.worked();
                runner.lease / 3
            }
            Err(error) => paused(&mut retry, &error),
        };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            break;
        }
    }
    // An error only means that others wait for the lease to end.
    let _ = runner.engine.store().notifiers().release(&runner.name, &runner.holder).await;
}

fn paused(retry: &mut Retry, error: &EngineError) -> Duration {
    retry.failed(error).max(Duration::from_millis(200))
}
