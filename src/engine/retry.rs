//! The one way in which long-lived parts try again: what passes is waited out, with pauses that grow up to a bound,
//! and the log hears of each cause once.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::EngineError;
use crate::store::{Refusal, StoreError, StoreResult};

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause, where the failure does not say otherwise.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a file that was removed or moved away is waited for: whoever moved it may put it back, and a file that stays
/// away does not come back by waiting.
pub(crate) const FILE_AWAY: Duration = Duration::from_secs(10);

/// A failure so long after the one before is a new one: its cause is told again, its pause is the first again.
const FORGET: Duration = Duration::from_secs(60);

/// The most causes that are remembered as told. What has more of them than these repeats itself in the log now
/// and then.
const MOST_CAUSES: usize = 64;

/// A failure that may be tried again.
pub(crate) trait Failure: std::fmt::Display {
    /// What makes it the same as another one: the same cause is told once.
    fn cause(&self) -> String {
        self.to_string()
    }

    /// Whether trying again without changing anything may help.
    fn is_passing(&self) -> bool;

    /// Whether it is about the rights of who asks, which a person at a terminal is told at once.
    fn is_about_rights(&self) -> bool {
        false
    }

    /// The longest pause before the next attempt.
    fn longest_pause(&self) -> Duration {
        LONGEST_PAUSE
    }

    /// Whether it is that the store's file is away, of which the store itself tells the log.
    fn is_file_gone(&self) -> bool {
        false
    }
}

impl Failure for StoreError {
    fn cause(&self) -> String {
        match self {
            Self::Refuses { refusal, .. } => format!("{refusal:?}"),
            // What the system says of a connection differs from one attempt to the next.
            Self::Unreachable { .. } => "Unreachable".to_owned(),
            // So does the name of the task in an error about one.
            other => other.to_string(),
        }
    }

    fn is_passing(&self) -> bool {
        Self::is_passing(self)
    }

    fn is_about_rights(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_about_rights)
    }

    fn longest_pause(&self) -> Duration {
        self.refusal().map_or(LONGEST_PAUSE, Refusal::longest_pause)
    }

    fn is_file_gone(&self) -> bool {
        self.refusal() == Some(Refusal::FileGone)
    }
}

impl Failure for EngineError {
    fn cause(&self) -> String {
        match self {
            Self::Store(error) => error.cause(),
            other => other.to_string(),
        }
    }

    fn is_passing(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_passing())
    }

    fn is_about_rights(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_about_rights())
    }

    fn longest_pause(&self) -> Duration {
        match self {
            Self::Store(error) => error.longest_pause(),
            _ => LONGEST_PAUSE,
        }
    }

    fn is_file_gone(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_file_gone())
    }
}

impl Failure for io::Error {
    /// The operating system is short of something, as it mostly is where an error of it is tried again.
    fn is_passing(&self) -> bool {
        true
    }
}

/// Causes that the log was told of.
#[derive(Debug, Default)]
pub(crate) struct Told(BTreeSet<String>);

impl Told {
    /// Whether this cause is new.
    pub(crate) fn is_new(&mut self, cause: &str) -> bool {
        if self.0.contains(cause) {
            return false;
        }
        if self.0.len() >= MOST_CAUSES {
            self.0.clear();
        }
        self.0.insert(cause.to_owned())
    }
}

/// How loudly failures are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loudness {
    /// Warns of each cause once, and says when it works again: for what a process has one of.
    Warns,
    /// Only for those who look for faults: for what a process may have a hundred thousand of.
    Murmurs,
}

/// One thing that is tried until it works.
#[derive(Debug)]
pub(crate) struct Retry {
    what: &'static str,
    loudness: Loudness,
    /// No pause is longer than this, whatever the failure says.
    most: Duration,
    /// Whether rights that are missing are waited for too.
    awaits_rights: bool,
    /// How long the store's file is waited for.
    awaits_file: Duration,
    pause: Duration,
    told: Told,
    failed: Option<Instant>,
}

impl Retry {
    /// Of what the log can say that it does not work, such as "reading the event log".
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            loudness: Loudness::Warns,
            most: Duration::MAX,
            awaits_rights: true,
            awaits_file: FILE_AWAY,
            pause: FIRST_PAUSE,
            told: Told::default(),
            failed: None,
        }
    }

    /// Of which there may be very many: the log is not told.
    pub(crate) fn murmuring(self) -> Self {
        Self { loudness: Loudness::Murmurs, ..self }
    }

    /// With no pause above this, for what has to be done in time.
    pub(crate) fn pausing_at_most(self, most: Duration) -> Self {
        Self { most, ..self }
    }

    /// Without waiting for rights: somebody is there who can be told of them.
    pub(crate) fn unless_rights_are_missing(self) -> Self {
        Self { awaits_rights: false, ..self }
    }

    /// Waiting for the store's file as long as for everything else.
    pub(crate) fn whatever_it_takes(self) -> Self {
        Self { awaits_file: Duration::MAX, ..self }
    }

    /// Takes note of a failure and returns the pause before the next attempt.
    pub(crate) fn failed(&mut self, error: &impl Failure) -> Duration {
        if self.failed.is_none_or(|last| last.elapsed() >= FORGET) {
            self.forget();
        }
        self.failed = Some(Instant::now());
        let what = self.what;
        if self.loudness == Loudness::Warns && !error.is_file_gone() && self.told.is_new(&error.cause()) {
            tracing::warn!(%error, "{what} does not work; trying again");
        } else {
            tracing::debug!(%error, "{what} does not work; trying again");
        }
        let pause = self.pause.min(error.longest_pause()).min(self.most);
        self.pause = (self.pause * 2).min(error.longest_pause()).max(FIRST_PAUSE);
        pause
    }

    /// Takes note that it worked; true when it had failed before.
    pub(crate) fn worked(&mut self) -> bool {
        let failed = self.failed.take().is_some();
        if failed {
            if !self.told.0.is_empty() {
                tracing::info!("{} works again", self.what);
            }
            self.forget();
        }
        failed
    }

    fn forget(&mut self) {
        self.pause = FIRST_PAUSE;
        self.told = Told::default();
    }

    /// Whether a verb that failed is tried again. `gone` is since when the store's file is away.
    fn waits_out(&self, error: &impl Failure, gone: &mut Option<Instant>) -> bool {
        if error.is_file_gone() {
            return gone.get_or_insert_with(Instant::now).elapsed() < self.awaits_file;
        }
        *gone = None;
        error.is_passing() && (self.awaits_rights || !error.is_about_rights())
    }

    /// Tries a verb until it is done, refused for good, or `give_up` fires: the last error, then. It is tried once
    /// even when that has fired already. Only for reads, and for verbs under a claim: these can be repeated
    /// safely, since the claim and the journal show what was done already.
    pub(crate) async fn run<T, E, F>(
        mut self,
        give_up: &CancellationToken,
        verb: impl Fn() -> F + Send,
    ) -> Result<T, E>
    where
        E: Failure + Send + Sync,
        T: Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let mut gone = None;
        loop {
            let error = match verb().await {
                Ok(done) => {
                    self.worked();
                    return Ok(done);
                }
                Err(error) if self.waits_out(&error, &mut gone) => error,
                Err(error) => return Err(error),
            };
            let pause = self.failed(&error);
            if give_up.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(error);
            }
        }
    }
}

/// [`Retry::run`] of one verb among very many, without a word to the log: what a process has one of, such as its tail
/// of the log and its lease, tells of a store that is away.
pub(crate) async fn patiently<T, F>(
    give_up: &CancellationToken,
    verb: impl Fn() -> F + Send,
) -> StoreResult<T>
where
    T: Send,
    F: Future<Output = StoreResult<T>> + Send,
{
    Retry::new("a verb").murmuring().run(give_up, verb).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::store::Refusal;

    fn refuses(refusal: Refusal) -> StoreError {
        StoreError::Refuses { location: "here".to_owned(), refusal, problem: format!("{refusal:?}") }
    }

    #[test]
    fn pauses_double_up_to_what_the_failure_bears() {
        let mut retry = Retry::new("a test");
        let pauses = |retry: &mut Retry, refusal, count| -> Vec<u64> {
            (0..count).map(|_| retry.failed(&refuses(refusal)).as_millis() as u64).collect()
        };
        assert_eq!(
            pauses(&mut retry, Refusal::MemoryFull, 7),
            [50, 100, 200, 400, 800, 1600, 2000],
            "a store without memory"
        );
        assert_eq!(pauses(&mut retry, Refusal::ScriptsLost, 2), [50, 50], "scripts are sent again at once");
        assert!(retry.worked() && !retry.worked(), "told once");
        assert_eq!(pauses(&mut retry, Refusal::MemoryFull, 1), [50], "after it worked, it begins anew");
        let mut short = Retry::new("a test").pausing_at_most(Duration::from_millis(70));
        assert_eq!(pauses(&mut short, Refusal::MemoryFull, 3), [50, 70, 70]);
    }

    #[test]
    fn each_cause_is_told_once() {
        let mut told = Told::default();
        assert!(told.is_new("one") && !told.is_new("one") && told.is_new("other"));
        let unreachable = |problem: &str| StoreError::Unreachable {
            location: "here".to_owned(),
            problem: problem.to_owned(),
        };
        assert_eq!(unreachable("reset by peer").cause(), unreachable("timed out").cause());
        assert_ne!(refuses(Refusal::Busy).cause(), refuses(Refusal::MemoryFull).cause());
    }

    #[tokio::test]
    async fn every_refusal_is_waited_out() {
        let outlast = async |refusal: Refusal| {
            let tries = AtomicU32::new(0);
            let verb = || async {
                if tries.fetch_add(1, Ordering::Relaxed) < 2 { Err(refuses(refusal)) } else { Ok(()) }
            };
            let done = patiently(&CancellationToken::new(), verb).await;
            assert!(done.is_ok(), "{refusal:?}");
            assert_eq!(tries.into_inner(), 3, "{refusal:?}");
        };
        futures::future::join_all(Refusal::ALL.map(outlast)).await;
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_waited_for_so_long_and_no_longer() {
        let began = Instant::now();
        let most = Duration::from_millis(300);
        let back = || async { if began.elapsed() < most { Err(refuses(Refusal::FileGone)) } else { Ok(()) } };
        let retry = |awaits_file| Retry { awaits_file, ..Retry::new("a test").murmuring() };
        let failed =
            retry(most / 3).run(&CancellationToken::new(), back).await.expect_err("it is away longer");
        assert!(failed.is_file_gone() && began.elapsed() >= most / 3, "{:?}", began.elapsed());
        retry(FILE_AWAY).run(&CancellationToken::new(), back).await.expect("is waited for");
        assert_eq!(retry(most).whatever_it_takes().awaits_file, Duration::MAX);
    }

    #[tokio::test]
    async fn a_person_is_told_of_missing_rights_at_once() {
        let retry = Retry::new("a test").murmuring().unless_rights_are_missing();
        let verb = || async { Err::<(), _>(refuses(Refusal::NotPermitted)) };
        let told = retry.run(&CancellationToken::new(), verb).await;
        assert_eq!(told.expect_err("is told").refusal(), Some(Refusal::NotPermitted));
    }

    #[tokio::test]
    async fn giving_up_returns_the_stores_own_error() {
        let give_up = CancellationToken::new();
        give_up.cancel();
        let failed = patiently(&give_up, || async { Err::<(), _>(refuses(Refusal::Busy)) }).await;
        assert_eq!(failed.expect_err("gives up").refusal(), Some(Refusal::Busy));
    }
}
