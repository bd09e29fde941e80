//! How many questions of one server are open at once: each takes memory for as long as nobody answers it, and a server may
//! ask without end.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::last_words::LastWords;

/// Open questions of one server, as many as our own tasks may have.
const MOST: usize = 64;

/// The same in bytes: what the largest message may have.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Questions that are refused one after the other before the connection is given up: each costs a reply that has to be
/// written, and a server that floods does not read them.
const REFUSED: usize = 1000;

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
    refused: usize,
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
            state.refused = 0;
            return Some(Open { flood: self.clone(), bytes });
        }
        if !std::mem::replace(&mut state.is_told, true) {
            tracing::warn!("the server asks more than {MOST} questions at once: further ones are refused");
        }
        self.count(&mut state);
        None
    }

    /// Counts a question that gets no place: one that came before, or one that this client did not offer to take.
    pub(super) fn refuse(&self) {
        self.count(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn count(&self, state: &mut State) {
        state.refused += 1;
        if state.refused >= REFUSED && !self.over.is_cancelled() {
            let problem =
                format!("floods its client with questions: {REFUSED} one after the other were refused");
            self.words.hung_up_on(problem);
            self.over.cancel();
        }
    }
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
        flood.refuse();
        assert!(flood.over().is_cancelled());
    }
}
