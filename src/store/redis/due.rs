//! The verb due, and what a process does beside it now and then: it keeps the namespace within its bounds, and looks
//! after what somebody took out of the keys that say who holds what.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::codec::Place;
use super::mend::AT_ONCE;
use super::reading::unreadable;
use super::{RedisStore, codec};
use crate::store::archive::SAID_EVERY;
use crate::store::{Due, MAX_FINISHED, MAX_LOG_BYTES, StoreResult};

/// How many of each kind [`Store::due`](crate::store::Store::due) brings at once.
const DUE_AT_ONCE: usize = 100;

/// How often a process looks whether the namespace is within its bounds, and how many tasks it lets end at once.
const SWEEP: Duration = Duration::from_secs(60);
const SWEPT_AT_ONCE: usize = 500;

/// Scopes that are looked at in one sweep.
const SCOPES_AT_ONCE: usize = 1000;

/// How often a process compares some tasks with the keys that say who holds them and what is queued: nobody tells it
/// that one of these lost an item.
const PATROL: Duration = Duration::from_secs(15);

/// Where a process is in what it does again and again.
pub(super) struct Rounds {
    swept: Instant,
    /// When it was last said how this process archives tasks.
    said: Option<Instant>,
    /// Scopes that got tasks since.
    scopes: HashSet<String>,
    patrolled: Option<Instant>,
    /// The first member of the index that the next patrol looks at.
    patrol: String,
    /// Where the next call of `due` goes on: what cannot be settled would otherwise keep back what comes after it.
    due: Place,
}

/// The parts of the index that have the tasks which may be held or queued.
const HIDDEN: &str = "h:";
const LIVE: &str = "l:";

impl Rounds {
    pub(super) fn new() -> Self {
        Self {
            swept: Instant::now(),
            said: None,
            scopes: HashSet::new(),
            patrolled: None,
            patrol: format!("[{HIDDEN}"),
            due: Place::default(),
        }
    }

    /// The scopes that a sweep looks at, if it is time for one.
    fn sweep(&mut self) -> Option<Vec<String>> {
        if self.swept.elapsed() < SWEEP {
            return None;
        }
        self.swept = Instant::now();
        Some(self.scopes.drain().take(SCOPES_AT_ONCE).collect())
    }

    /// Where a patrol begins, if it is time for one.
    fn patrol(&mut self) -> Option<String> {
        if self.patrolled.is_some_and(|last| last.elapsed() < PATROL) {
            return None;
        }
        self.patrolled = Some(Instant::now());
        Some(self.patrol.clone())
    }
}

impl RedisStore {
    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to say again how this process archives tasks.
    pub(super) fn is_to_say(&self) -> bool {
        self.rounds().said.is_none_or(|last| last.elapsed() >= SAID_EVERY)
    }

    /// It was said now.
    pub(super) fn has_said(&self) {
        self.rounds().said = Some(Instant::now());
    }

    /// Takes note of a scope that the next sweep looks at.
    pub(super) fn sweep_later(&self, scope: &str) {
        let mut rounds = self.rounds();
        if !rounds.scopes.contains(scope) {
            rounds.scopes.insert(scope.to_owned());
        }
    }

    /// What is due. Dead workers of whom it is lost what they hold are found by their tasks, and a lost index by all
    /// records.
    pub(super) async fn find_due(&self) -> StoreResult<Due> {
        for kept in [self.say_retention().await, self.sweep().await, self.patrol().await] {
            match kept {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => tracing::debug!(%error, "the namespace cannot be looked after"),
                Ok(()) => {}
            }
        }
        let place = self.rounds().due.clone();
        let mut found = self.due_at(&place).await?;
        if found.is_index_lost || !found.unknown.is_empty() {
            match self.bring_back(&found).await {
                Ok(()) => {
                    let before = found.due.unreadable;
                    found = self.due_at(&place).await?;
                    found.due.unreadable.extend(before);
                }
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    let problem = format!("what it has is lost, and cannot be told by the tasks: {error}");
                    let lost = found.is_index_lost.then(|| "index".to_owned());
                    let lost = found.unknown.drain(..).chain(lost).map(|name| unreadable(name, &problem));
                    found.due.unreadable.extend(lost);
                }
            }
        }
        self.rounds().due = found.place;
        Ok(found.due)
    }

    async fn due_at(&self, place: &Place) -> StoreResult<codec::FoundDue> {
        let mut call = self.invocation(&self.scripts.due);
        call.arg(DUE_AT_ONCE).arg(&place.member).arg(place.workers);
        Ok(codec::due(self.call(&call).await?))
    }

    async fn bring_back(&self, found: &codec::FoundDue) -> StoreResult<()> {
        if found.is_index_lost {
            // A namespace that was emptied has none either, and is begun before anything else is written to it.
            self.begin_again().await?;
            self.restore_index().await?;
        }
        if found.unknown.is_empty() { Ok(()) } else { self.mend(&found.unknown).await }
    }

    /// Brings the namespace back within its bounds, now and then.
    async fn sweep(&self) -> StoreResult<()> {
        let Some(scopes) = self.rounds().sweep() else { return Ok(()) };
        let mut call = self.invocation(&self.scripts.sweep);
        let archive = codec::optional(self.retention().map(|retention| retention.bytes));
        call.arg(MAX_LOG_BYTES).arg(MAX_FINISHED).arg(SWEPT_AT_ONCE).arg(archive).arg(scopes);
        self.call::<u64>(&call).await.map(drop)
    }

    /// Compares the next tasks with the keys that say who holds them and what is queued, now and then.
    async fn patrol(&self) -> StoreResult<()> {
        let Some(mut from) = self.rounds().patrol() else { return Ok(()) };
        let mut tasks = 0;
        // Hidden tasks are mostly few: then the others get their turn at once.
        for _ in [HIDDEN, LIVE] {
            let (part, other) = if from[1..].starts_with(HIDDEN) { (HIDDEN, LIVE) } else { (LIVE, HIDDEN) };
            let members = self.range(&from, &format!("({part}\u{7f}"), AT_ONCE).await?;
            tasks += self.mend_some(&members).await?;
            let is_full = members.len() == AT_ONCE;
            from = members.last().filter(|_| is_full).map_or(format!("[{other}"), |last| format!("({last}"));
            self.rounds().patrol.clone_from(&from);
            if is_full {
                break;
            }
        }
        if tasks > 0 {
            tracing::warn!(
                tasks,
                "who holds or queues these had been lost, and was told again by their records"
            );
        }
        Ok(())
    }
}
