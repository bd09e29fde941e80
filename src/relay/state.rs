//! The streams of one client, and how much they may keep.

use std::collections::HashMap;

use rmcp::model::{ProgressToken, RequestId, ServerJsonRpcMessage};
use tokio::sync::oneshot;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::log::Log;
use crate::engine::bytes;
use crate::task::TaskId;

/// Streams of requests that ended while nobody read, kept for a reader that comes back.
const KEPT_ENDED: usize = 32;

/// Streams that were read to their end, kept in case the connection broke off before the client had it all. Few,
/// since every request of a session leaves one.
const KEPT_READ: usize = 4;

/// The most bytes of JSON that a session keeps: read ones for a reader that comes back, unread ones for one that comes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The same with what waits on requests' streams that somebody reads: there a response goes before it is old.
const MOST_BYTES_WITH_READERS: usize = 64 * 1024 * 1024;

/// The stream that is tied to no request.
pub(super) const STANDALONE: u64 = 0;

/// What is open for one client.
#[derive(Debug)]
pub(super) struct State {
    pub(super) logs: HashMap<u64, Log>,
    /// Requests of the client that have no response yet.
    pub(super) waiting: HashMap<RequestId, (u64, TaskTrackerToken)>,
    pub(super) tokens: HashMap<ProgressToken, u64>,
    /// Requests to the client that have no response yet, and the streams that they took.
    pub(super) asked: HashMap<RequestId, u64>,
    /// Tasks that the client waits for, and the requests that wait, the oldest first.
    pub(super) results: HashMap<TaskId, Vec<RequestId>>,
    /// Standalone streams so far that did not resume an earlier one.
    pub(super) began: u64,
    /// Gets the response to `initialize`, which travels on no stream.
    pub(super) handshake: Option<oneshot::Sender<ServerJsonRpcMessage>>,
    /// Counts streams, and their ends.
    pub(super) last: u64,
    /// Of all that is kept, in JSON.
    kept: usize,
    pub(super) closed: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            logs: HashMap::from([(STANDALONE, Log::default())]),
            waiting: HashMap::new(),
            tokens: HashMap::new(),
            asked: HashMap::new(),
            results: HashMap::new(),
            began: 0,
            handshake: None,
            last: 0,
            kept: 0,
            closed: false,
        }
    }
}

impl State {
    /// Puts a message into a stream, and drops what is least missed where too much is kept.
    pub(super) fn append(&mut self, key: u64, message: ServerJsonRpcMessage) {
        let size = bytes(&message);
        self.change(key, |log| log.append(message, size));
        while self.kept > MOST_BYTES && self.drop_one(self.kept > MOST_BYTES_WITH_READERS) {}
    }

    /// Changes what a stream keeps.
    fn change(&mut self, key: u64, change: impl FnOnce(&mut Log)) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        let before = log.bytes();
        change(log);
        self.kept = self.kept + log.bytes() - before;
    }

    pub(super) fn remove(&mut self, key: u64) {
        if let Some(log) = self.logs.remove(&key) {
            self.kept -= log.bytes();
        }
    }

    /// Drops what was read, else what nobody reads, else the oldest of the standalone stream or (`all`) of any;
    /// false when nothing may go.
    fn drop_one(&mut self, all: bool) -> bool {
        if let Some(key) = self.largest(|_, log| log.front_is_taken()) {
            self.change(key, Log::drop_oldest);
        } else if let Some(key) = self.first_ended() {
            self.remove(key);
        } else if let Some(key) = self.largest(|key, log| key == STANDALONE || !log.attached || all) {
            self.change(key, Log::drop_oldest);
        } else {
            return false;
        }
        true
    }

    /// The largest stream of those from which something may go.
    fn largest(&self, may_go: impl Fn(u64, &Log) -> bool) -> Option<u64> {
        let logs = self.logs.iter().filter(|(key, log)| log.bytes() > 0 && may_go(**key, log));
        logs.max_by_key(|(_, log)| log.bytes()).map(|(key, _)| *key)
    }

    /// The stream that ended first of those that nobody reads.
    fn first_ended(&self) -> Option<u64> {
        let left = self.logs.iter().filter(|(_, log)| log.ended && !log.attached);
        left.min_by_key(|(_, log)| log.end).map(|(key, _)| *key)
    }

    /// A request has no stream any more; true when that may concern a prompt.
    pub(super) fn finish(&mut self, request: &RequestId) -> bool {
        let Some((key, _)) = self.waiting.remove(request) else { return false };
        self.tokens.retain(|_, stream| *stream != key);
        self.last += 1;
        if let Some(log) = self.logs.get_mut(&key) {
            log.end = self.last;
            log.end();
        }
        self.asked.values().any(|stream| *stream == key)
    }

    pub(super) fn drop_oldest_ended(&mut self) {
        for (read, kept) in [(true, KEPT_READ), (false, KEPT_ENDED)] {
            let ended = |(key, log): (&u64, &Log)| {
                let left = log.ended && !log.attached && *key != STANDALONE;
                (left && read == log.is_read()).then_some((log.end, *key))
            };
            let ended: Vec<_> = self.logs.iter().filter_map(ended).collect();
            if ended.len() > kept
                && let Some((_, oldest)) = ended.into_iter().min()
            {
                self.remove(oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{CustomNotification, JsonRpcMessage, ServerNotification};
    use serde_json::json;

    use super::*;

    /// A message of about so many KiB.
    fn message(kib: usize) -> ServerJsonRpcMessage {
        let params = json!({ "text": "x".repeat(kib * 1024) });
        let notification = CustomNotification::new("notifications/test", Some(params));
        JsonRpcMessage::notification(ServerNotification::CustomNotification(notification))
    }

    fn open(state: &mut State, key: u64) {
        let mut log = Log::default();
        log.attach();
        state.logs.insert(key, log);
    }

    fn really_kept(state: &State) -> usize {
        state.logs.values().map(Log::bytes).sum()
    }

    #[test]
    fn what_nobody_reads_is_bounded_in_bytes() {
        let mut state = State::default();
        for _ in 0..30 {
            state.append(STANDALONE, message(512));
            assert!(state.kept <= MOST_BYTES && state.kept == really_kept(&state));
        }
        let log = state.logs.get_mut(&STANDALONE).expect("a log");
        assert_eq!(log.last(), 30, "what was sent last is what is kept");
        assert!(log.take(30).is_some() && log.take(1).is_some_and(|(index, _)| index > 10));
    }

    #[test]
    fn a_response_that_somebody_reads_outlives_what_nobody_does() {
        let mut state = State::default();
        open(&mut state, 1);
        state.append(1, message(4 * 1024));
        for _ in 0..20 {
            state.append(STANDALONE, message(512));
        }
        let log = state.logs.get_mut(&1).expect("it is there");
        assert!(log.take(1).is_some_and(|(index, _)| index == 1));
        for key in 2..20 {
            open(&mut state, key);
            state.append(key, message(4 * 1024));
            assert!(state.kept <= MOST_BYTES_WITH_READERS && state.kept == really_kept(&state));
        }
    }

    #[test]
    fn what_was_read_goes_first_then_what_ended_unread() {
        let mut state = State::default();
        open(&mut state, 1);
        open(&mut state, 2);
        for key in [1, 2] {
            state.append(key, message(3 * 1024));
        }
        let log = state.logs.get_mut(&1).expect("it is there");
        log.take(1);
        let log = state.logs.get_mut(&2).expect("it is there");
        log.end();
        log.attached = false;
        state.append(STANDALONE, message(3 * 1024));
        assert_eq!(state.logs[&1].bytes(), 0, "it was read");
        assert!(state.logs.contains_key(&2), "there is place without it");
        state.append(STANDALONE, message(3 * 1024));
        assert!(!state.logs.contains_key(&2) && state.kept == really_kept(&state));
    }
}
