//! What could not be done, and until when each of it is left alone: tried again and again, it would keep a process busy
//! for nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// The pause after the first failure of an item; each further one doubles it, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause of an item.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The most items that are remembered. Others are tried again at each look.
const MOST_ITEMS: usize = 10_000;

/// Items that are left alone for a while.
pub(super) struct Postponed<T>(HashMap<T, (Instant, Duration)>);

impl<T: Eq + Hash> Postponed<T> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Until when an item is left alone, if it is now.
    pub(super) fn until(&self, item: &T, now: Instant) -> Option<Instant> {
        self.0.get(item).map(|(until, _)| *until).filter(|until| *until > now)
    }

    /// Leaves an item alone for longer than the last time; returns until when.
    pub(super) fn postpone(&mut self, item: T, now: Instant) -> Instant {
        let pause = self.0.get(&item).map_or(FIRST_PAUSE, |(_, pause)| (*pause * 2).min(LONGEST_PAUSE));
        if self.0.len() >= MOST_ITEMS {
            // Those whose time was over long ago are not due any more.
            self.0.retain(|_, (until, _)| *until + LONGEST_PAUSE > now);
        }
        if self.0.len() < MOST_ITEMS || self.0.contains_key(&item) {
            self.0.insert(item, (now + pause, pause));
        }
        now + pause
    }

    /// Forgets an item that was done.
    pub(super) fn done(&mut self, item: &T) {
        self.0.remove(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_for_each_item_alone() {
        let mut postponed = Postponed::new();
        let now = Instant::now();
        let pauses: Vec<_> = (0..10).map(|_| (postponed.postpone("bad", now) - now).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(postponed.postpone("other", now) - now, FIRST_PAUSE);
        assert!(postponed.until(&"bad", now).is_some() && postponed.until(&"good", now).is_none());
        postponed.done(&"bad");
        assert_eq!(postponed.until(&"bad", now), None);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut postponed = Postponed::new();
        let now = Instant::now();
        for item in 0..MOST_ITEMS + 100 {
            postponed.postpone(item, now);
        }
        assert_eq!(postponed.0.len(), MOST_ITEMS);
        let later = now + 2 * LONGEST_PAUSE;
        postponed.postpone(MOST_ITEMS + 100, later);
        assert_eq!(postponed.0.len(), 1, "what is not due any more makes room");
    }
}
