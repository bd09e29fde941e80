//! How many questions of one server are open at once: each takes memory for as long as nobody answers it, and a server may
//! ask without end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::last_words::LastWords;
use super::unread;

/// Open questions of one server, as many as our own tasks may have.
const MOST: usize = 64;

/// The same in bytes: what the largest message may have.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Questions that are refused one after the other before the connection is given up: each costs a reply that has to be
/// written, and a server that floods does not read them.
const REFUSED: u32 = 1000;

/// How many of those are forgotten in each second: a server may send an open question again to each stream that it has, for
/// as long as the question is open, and that is no flood.
const FORGOTTEN_PER_SECOND: f64 = 10.0;

/// The questions of a connection. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct Flood {
    state: Arc<Mutex<State>>,
    words: LastWords,
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    bytes: usize,
    /// Those that were refused, without those that are forgotten.
    refused: f64,
    /// When the last one was.
    last: Option<Instant>,
    /// Questions that have no place and no reply.
    held: u32,
    is_told: bool,
}

/// A question that is open. Dropping it makes room.
#[derive(Debug)]
pub(super) struct Open {
    flood: Flood,
    bytes: usize,
}

impl Flood {
    /// Of a connection that ends with `words` for whoever waits on it.
    pub(super) fn new(words: LastWords) -> Self {
        Self { words, ..Self::default() }
    }

    /// Fires where the connection is given up for what its server does, and not where it is only closed.
    pub(super) fn over(&self) -> CancellationToken {
        self.over.clone()
    }

    /// Room for a question of so many bytes; `None` where there is none.
    pub(super) fn open(&self, bytes: usize) -> Option<Open> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open < MOST && (state.open == 0 || state.bytes + bytes <= MOST_BYTES) {
            state.open += 1;
            state.bytes += bytes;
            state.refused = 0.0;
            return Some(Open { flood: self.clone(), bytes });
        }
        if !std::mem::replace(&mut state.is_told, true) {
            tracing::warn!("the server asks more than {MOST} questions at once: further ones are refused");
        }
        self.count(&mut state, Instant::now());
        None
    }

    /// Counts a question that came before.
    pub(super) fn again(&self) {
        self.count(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
    }

    /// Counts a question that this client did not offer to take. It is held, since any reply would be an answer.
    pub(super) fn refuse(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held += 1;
        if state.held >= REFUSED {
            self.give_up(flooded());
        }
    }

    /// Gives up a server that does not take the replies to what it asks.
    pub(super) fn unread(&self) {
        self.give_up(unread::words());
    }

    fn count(&self, state: &mut State, now: Instant) {
        let since = state.last.replace(now).map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        state.refused = (state.refused - since * FORGOTTEN_PER_SECOND).max(0.0) + 1.0;
        if state.refused >= f64::from(REFUSED) {
            self.give_up(flooded());
        }
    }

    fn give_up(&self, problem: String) {
        if !self.over.is_cancelled() {
            self.words.hung_up_on(problem);
            self.over.cancel();
        }
    }
}

fn flooded() -> String {
    format!("floods its client with questions: {REFUSED} one after the other were refused")
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.flood.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open = state.open.saturating_sub(1);
        state.bytes = state.bytes.saturating_sub(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn questions_are_bounded_in_number_and_bytes_and_a_flood_ends_the_connection() {
        let flood = Flood::default();
        let open: Vec<_> = (0..MOST).filter_map(|_| flood.open(10)).collect();
        assert_eq!(open.len(), MOST);
        assert!((1..REFUSED).all(|_| flood.open(10).is_none()) && !flood.over().is_cancelled());
        drop(open);
        let large = flood.open(2 * MOST_BYTES);
        assert!(large.is_some(), "one is always taken");
        assert!(
            (1..REFUSED).all(|_| flood.open(1).is_none()) && !flood.over().is_cancelled(),
            "room was made"
        );
        // Those that were refused a moment ago may be forgotten.
        (0..REFUSED).for_each(|_| flood.again());
        assert!(flood.over().is_cancelled());
    }

    #[test]
    fn what_is_held_without_a_reply_is_never_forgotten() {
        let flood = Flood::default();
        (1..REFUSED).for_each(|_| flood.refuse());
        assert!(!flood.over().is_cancelled());
        flood.refuse();
        assert!(flood.over().is_cancelled());
    }

    /// As often as streams are opened again, for days.
    #[test]
    fn a_question_that_comes_again_and_again_is_no_flood() {
        let (flood, begun) = (Flood::default(), Instant::now());
        let mut state = State::default();
        for at in 0..100_000_u32 {
            flood.count(&mut state, begun + at * Duration::from_millis(200));
        }
        assert!(!flood.over().is_cancelled());
        for at in 0..3 * REFUSED {
            flood.count(&mut state, begun + Duration::from_secs(20_000) + at * Duration::from_millis(20));
        }
        assert!(flood.over().is_cancelled(), "fifty in each second are one");
    }
}
