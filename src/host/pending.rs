//! What hosts of the stateless era are asking their users.

use std::cell::RefCell;
use std::collections::VecDeque;

/// The most questions that may be before users.
const MOST: usize = 100;

/// The questions that are before the user of a host of the stateless era, by the state that it gives back. An answer is taken
/// only to what was asked.
#[derive(Debug, Default)]
pub(super) struct Pending(RefCell<VecDeque<(String, Before)>>);

/// A question that is before somebody.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) task: String,
    pub(super) question: String,
    /// How often it was asked before, in vain.
    pub(super) attempt: u32,
}

impl Pending {
    /// Notes one; the state that its answer comes with.
    pub(super) fn add(&self, before: Before) -> String {
        let state = format!("{:032x}", rand::random::<u128>());
        let mut pending = self.0.borrow_mut();
        pending.push_back((state.clone(), before));
        if pending.len() > MOST {
            pending.pop_front();
        }
        state
    }

    /// The one of that state, once.
    pub(super) fn take(&self, state: &str) -> Option<Before> {
        let mut pending = self.0.borrow_mut();
        let at = pending.iter().position(|(known, _)| known == state)?;
        pending.remove(at).map(|(_, before)| before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_once_and_only_to_what_was_asked() {
        let pending = Pending::default();
        let before = |at: usize| Before { task: format!("t{at}"), question: "q1".to_owned(), attempt: 0 };
        let states: Vec<String> = (0..=MOST).map(|at| pending.add(before(at))).collect();
        assert!(pending.take("made up").is_none());
        assert!(pending.take(&states[0]).is_none(), "the oldest has made room");
        assert_eq!(pending.take(&states[7]).map(|one| one.task).as_deref(), Some("t7"));
        assert!(pending.take(&states[7]).is_none(), "once");
    }
}
