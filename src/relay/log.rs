//! What was sent on one stream of a session, for the reader that comes to it or comes back to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use rmcp::model::ServerJsonRpcMessage;

/// Messages that a stream keeps for a reader that lost its place.
const KEPT: usize = 1024;

/// Messages that a stream keeps for a reader that has not come to them.
const UNREAD: usize = 16 * KEPT;

/// One stream, as a short log with at most one reader.
#[derive(Debug, Default)]
pub(super) struct Log {
    kept: VecDeque<(Arc<ServerJsonRpcMessage>, usize)>,
    /// Of those that are kept, in JSON.
    bytes: usize,
    /// Messages that are no longer kept.
    dropped: u64,
    /// The last message that a reader took.
    taken: u64,
    pub(super) ended: bool,
    /// Orders the streams that ended.
    pub(super) end: u64,
    /// Which reader reads now, counted from 1.
    pub(super) reader: u64,
    pub(super) attached: bool,
    pub(super) waker: Option<Waker>,
}

impl Log {
    pub(super) fn last(&self) -> u64 {
        self.dropped + self.kept.len() as u64
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether what is sent on it reaches the client now.
    pub(super) fn is_open(&self) -> bool {
        self.attached && !self.ended
    }

    /// Whether its oldest message was read, and is kept only for a reader that comes back.
    pub(super) fn front_is_taken(&self) -> bool {
        self.taken > self.dropped && !self.kept.is_empty()
    }

    pub(super) fn is_read(&self) -> bool {
        self.taken >= self.last()
    }

    /// The next message that is kept, from the `next`th on.
    pub(super) fn take(&mut self, next: u64) -> Option<(u64, Arc<ServerJsonRpcMessage>)> {
        // What a slow reader missed is gone; it goes on with what is left.
        let index = next.max(self.dropped + 1);
        let at = usize::try_from(index - self.dropped - 1).ok()?;
        let (message, _) = self.kept.get(at)?;
        self.taken = self.taken.max(index);
        Some((index, message.clone()))
    }

    pub(super) fn append(&mut self, message: ServerJsonRpcMessage, bytes: usize) {
        if self.kept.len() >= if self.front_is_taken() { KEPT } else { UNREAD } {
            self.drop_oldest();
        }
        self.bytes += bytes;
        self.kept.push_back((Arc::new(message), bytes));
        self.wake();
    }

    pub(super) fn drop_oldest(&mut self) {
        if let Some((_, bytes)) = self.kept.pop_front() {
            self.bytes -= bytes;
            self.dropped += 1;
        }
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Makes place for a new reader; one that still reads ends.
    pub(super) fn attach(&mut self) -> u64 {
        self.reader += 1;
        self.attached = true;
        self.wake();
        self.reader
    }
}
