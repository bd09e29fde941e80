//! A notifier with all that it needs to run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::notice::Ways;
use super::send::Channel;
use super::wanted::Wanted;
use crate::engine::{Engine, EngineResult};
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

    /// How far this process knows that it is, once it has held it.
    pub(super) fn known(&self) -> Option<NotifierCursors> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the store was emptied; how many notices went with it, where that is known.
    pub(super) fn tell_of_loss(&self, missing: Option<usize>) {
        let words = "the store has lost what it knew of the notifier; what waited to be told is gone with it";
        tracing::warn!(notifier = self.name, missing, "{words}");
    }

    /// Takes or renews the lease.
    pub(super) async fn hold(&self, begin: NotifierCursors) -> EngineResult<Hold> {
        let lease =
            NotifierLease { holder: self.holder.clone(), about: self.about.clone(), time: self.lease };
        Ok(self.engine.store().notifiers().hold(&self.name, &lease, begin).await?)
    }
}
