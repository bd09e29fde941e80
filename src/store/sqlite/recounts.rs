//! When each scope was last counted anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long it takes until a scope that is refused a task is counted anew.
const RECOUNTED_EVERY_MS: u64 = 1000;

/// The most scopes of which it is known when they were counted.
const MOST_SCOPES: usize = 1000;

/// When each scope that was refused a task was last counted anew, in milliseconds since the epoch. Each has its own
/// time: one that is at its limit keeps no other from being counted. A lock, since all clones of a handle share it.
#[derive(Debug, Default)]
pub(super) struct Recounts(Mutex<HashMap<String, i64>>);

impl Recounts {
    /// Whether the last time that the scope was counted is a while ago; notes this one.
    pub(super) fn may(&self, scope: &str, now_ms: i64) -> bool {
        let is_recent = |before: &i64| now_ms.abs_diff(*before) < RECOUNTED_EVERY_MS;
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.get(scope).is_some_and(is_recent) {
            return false;
        }
        if counted.len() >= MOST_SCOPES {
            counted.clear();
        }
        counted.insert(scope.to_owned(), now_ms);
        true
    }
}
