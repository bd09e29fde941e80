//! How long a server wants to be left alone: it says so to one request (`Retry-After`), and means all of the connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::told::Refusal;

/// The longest that is waited for at once, whatever a server asks for: nobody means years.
pub(super) const LONGEST: Duration = Duration::from_secs(300);

/// Until when, and how that was said. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct Quiet(Arc<Mutex<Option<(Instant, Refusal)>>>);

impl Quiet {
    /// Takes note of a refusal that asks for it. The one that asks for the most counts.
    pub(super) fn note(&self, refusal: &Refusal) {
        let Some(wait) = refusal.wait else { return };
        let until = Instant::now() + wait.min(LONGEST);
        let mut quiet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if quiet.as_ref().is_none_or(|(before, _)| *before < until) {
            *quiet = Some((until, refusal.clone()));
        }
    }

    /// How long it still lasts, and the refusal that asked for it; `None` where nothing has to be waited for.
    pub(super) fn left(&self) -> Option<(Duration, Refusal)> {
        let quiet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, refusal) = quiet.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| (left, refusal.clone()))
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        while let Some((left, _)) = self.left() {
            tokio::time::sleep(left).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking_for(wait: Duration) -> Refusal {
        let mut refusal = Refusal::bare(429);
        refusal.wait = Some(wait);
        refusal
    }

    #[test]
    fn the_longest_wait_counts_and_has_a_bound() {
        let quiet = Quiet::default();
        let left = || quiet.left().map(|(left, _)| left.as_secs_f64());
        assert_eq!(left(), None);
        for seconds in [20, 30, 10] {
            quiet.note(&asking_for(Duration::from_secs(seconds)));
        }
        quiet.note(&Refusal::bare(503));
        assert!(left().is_some_and(|left| (25.0..=30.0).contains(&left)), "{:?}", left());
        quiet.note(&asking_for(Duration::MAX));
        assert!(left().is_some_and(|left| (290.0..=300.0).contains(&left)), "{:?}", left());
    }

    #[tokio::test]
    async fn a_wait_that_is_over_is_none() {
        let quiet = Quiet::default();
        quiet.note(&asking_for(Duration::from_millis(20)));
        quiet.clone().over().await;
        assert_eq!(quiet.left(), None);
    }
}
