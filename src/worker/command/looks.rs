//! Looking at something once for all who want to see it at the same time: whoever asks is shown what a look saw that began
//! after they asked, so nobody is shown what was there before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use tokio::task::{JoinError, spawn_blocking};

/// The looks of all who ask.
pub(super) struct Looks<T> {
    /// How many have begun.
    begun: AtomicU64,
    /// Which look was the last one, and what it saw.
    last: Mutex<(u64, Option<Arc<T>>)>,
}

/// When somebody asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked(u64);

impl<T: Send + Sync + 'static> Looks<T> {
    pub(super) const fn new() -> Self {
        Self { begun: AtomicU64::new(0), last: Mutex::const_new((0, None)) }
    }

    /// Somebody wants to see what is there from now on.
    pub(super) fn asked(&self) -> Asked {
        Asked(self.begun.load(Ordering::SeqCst))
    }

    /// What a look saw that began after that; `look` takes its time, and has a thread for it.
    pub(super) async fn since(
        &self,
        Asked(asked): Asked,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Arc<T>, JoinError> {
        let mut last = self.last.lock().await;
        if let (number, Some(seen)) = &*last
            && *number > asked
        {
            return Ok(seen.clone());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let seen = Arc::new(spawn_blocking(look).await?);
        *last = (number, Some(seen.clone()));
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_are_shown_one_look_that_began_after_they_asked() {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let looks = Looks::new();
        let look = || COUNT.fetch_add(1, Ordering::SeqCst) + 1;
        let asked = looks.asked();
        assert_eq!(*looks.since(asked, look).await.expect("looks"), 1);
        assert_eq!(*looks.since(asked, look).await.expect("looks"), 1, "it began after they asked");
        let many = (0..200).map(|_| looks.since(looks.asked(), look));
        for seen in join_all(many.collect::<Vec<_>>()).await {
            assert_eq!(*seen.expect("looks"), 2);
        }
        // Who asks while somebody looks is shown the next one.
        let begun = looks.asked();
        let during = move || look();
        let (first, later) = tokio::join!(looks.since(begun, during), async {
            tokio::task::yield_now().await;
            looks.since(looks.asked(), look).await
        });
        assert_eq!((*first.expect("looks"), *later.expect("looks")), (3, 4));
    }
}
