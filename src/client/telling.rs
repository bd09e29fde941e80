//! What a server tells in the streams of the Events extension, in the order in which it came: rmcp hands notifications on
//! each by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rmcp::model::{GetMeta as _, JsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerNotification};
use serde_json::Value;
use tokio::sync::broadcast;

use super::unread::{Unread, Waiting};
use crate::events_extension::TOLD;

/// What may wait for the slowest stream, in messages; in bytes it is bounded as what waits for a server.
const MOST: usize = 1024;

/// Hands on what is told. Cloning shares it.
#[derive(Clone)]
pub(super) struct Telling {
    told: broadcast::Sender<Arc<Notice>>,
    waiting: Unread,
    /// How many had no room.
    missed: Arc<AtomicU64>,
}

/// One message of a stream.
pub(super) struct Notice {
    pub(super) method: String,
    /// The request whose stream it is of.
    pub(super) stream: RequestId,
    pub(super) params: Value,
    _waiting: Waiting,
}

impl Default for Telling {
    fn default() -> Self {
        Self { told: broadcast::Sender::new(MOST), waiting: Unread::default(), missed: Arc::default() }
    }
}

impl Telling {
    /// Takes a message of a stream; any other is given back.
    pub(super) fn take(&self, message: ServerJsonRpcMessage) -> Option<ServerJsonRpcMessage> {
        let JsonRpcMessage::Notification(told) = &message else { return Some(message) };
        let ServerNotification::CustomNotification(notice) = &told.notification else { return Some(message) };
        if !TOLD.contains(&notice.method.as_str()) {
            return Some(message);
        }
        let stream = told.notification.get_meta().subscription_id()?;
        let params = notice.params.clone().unwrap_or_default();
        match self.waiting.add(params.to_string().len()) {
            // An error only means that nobody listens.
            Some(waiting) => {
                let notice = Notice { method: notice.method.clone(), stream, params, _waiting: waiting };
                let _ = self.told.send(Arc::new(notice));
            }
            None => drop(self.missed.fetch_add(1, Ordering::Relaxed)),
        }
        None
    }

    /// Hears what comes from now on.
    pub(super) fn hear(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.told.subscribe()
    }

    /// How many messages had no room so far.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}
