//! What waits for a server that does not read what it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What may wait, in messages and in bytes: requests of this client are few, and what it replies to a server that floods
/// it with requests is not worth more.
const MOST: usize = 1000;
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What waits for the server to read it. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

/// One message of it. Dropping it tells that it was written.
pub(super) struct Waiting(Unread, usize);

/// What is wrong with a server for which too much waits.
pub(super) fn words() -> String {
    format!("does not read what it is sent: {MOST} messages wait")
}

impl Unread {
    /// Takes a message of so many bytes; `None` where too much waits. One that is larger than all is taken alone.
    pub(super) fn add(&self, bytes: usize) -> Option<Waiting> {
        let messages = self.0.messages.fetch_add(1, Ordering::Relaxed);
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        let waiting = Waiting(self.clone(), bytes);
        (messages < MOST && before < MOST_BYTES).then_some(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.messages.fetch_sub(1, Ordering::Relaxed);
        self.0.0.bytes.fetch_sub(self.1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_messages_and_in_bytes() {
        let unread = Unread::default();
        let waiting: Vec<_> = (0..MOST).filter_map(|_| unread.add(1)).collect();
        assert!(waiting.len() == MOST && unread.add(1).is_none());
        drop(waiting);
        let large = unread.add(2 * MOST_BYTES);
        assert!(large.is_some() && unread.add(1).is_none());
        drop(large);
        assert!(unread.add(1).is_some());
    }
}
