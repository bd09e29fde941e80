//! What a store keeps of notifiers, the parts of servers that tell people of events: who runs one, how far in the log it
//! is, and what it still has to deliver. What is delivered, and how, the store does not know.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Rows, StoreResult};
use crate::task::{Cursor, TaskId};

/// The most bytes that one delivery has, as JSON.
pub const MAX_DELIVERY_BYTES: usize = 256 * 1024;

/// The longest lease on a notifier: one that would end later is not believed.
pub const LONGEST_NOTIFIER_LEASE: Duration = Duration::from_secs(24 * 3600);

/// Who runs a notifier, and for how long without another word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierLease {
    /// A word that nobody else has.
    pub holder: String,
    /// What to tell people of it.
    pub about: String,
    /// How long it may be silent.
    pub time: Duration,
}

/// How far in the log a notifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifierCursors {
    /// The last event that was looked at when it happened.
    pub events: Cursor,
    /// The last event that was looked at once its question had waited long enough.
    pub unanswered: Cursor,
}

impl NotifierCursors {
    /// Those that a store has as texts; `None` where one of them is no place in a log.
    pub(super) fn parse(events: &str, unanswered: &str) -> Option<Self> {
        Some(Self { events: events.parse().ok()?, unanswered: unanswered.parse().ok()? })
    }
}

/// What became of a wish to hold a notifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It is held.
    Here {
        /// How far it is.
        cursors: NotifierCursors,
        /// Changes whenever somebody else changed what waits.
        revision: u64,
        /// Nobody has ever held it, or all that was known of it is gone.
        is_new: bool,
    },
    /// Another one holds it.
    Elsewhere {
        /// Who, for people.
        by: String,
    },
}

/// How a notifier's deliveries went last, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifierStatus {
    /// When one was last taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Since when none was taken that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why the last one was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Something that is to be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The same whoever sends it, and however often.
    pub id: String,
    /// Its place among those that wait: smaller ones of a task go first.
    pub number: u64,
    /// Whose task it tells of.
    pub task: TaskId,
    /// When it began to wait.
    pub queued_at: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// When it is tried next; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is told.
    pub notice: Value,
}

/// Which of a notifier's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Those that wait to be sent.
    Waiting,
    /// Those that were given up.
    SetAside,
}

/// One step of whoever holds a notifier, written as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotifierStep {
    /// How far it is now.
    pub cursors: NotifierCursors,
    /// Deliveries that wait from now on, or wait otherwise than before.
    pub waiting: Vec<Delivery>,
    /// Deliveries that are given up.
    pub set_aside: Vec<Delivery>,
    /// Ids of deliveries of which nothing is kept.
    pub gone: Vec<String>,
    /// How it went.
    pub status: NotifierStatus,
}

/// A notifier as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierInfo {
    /// Its name.
    pub name: String,
    /// Who held it last, for people.
    pub about: String,
    /// Milliseconds until the lease ends; not positive where nobody runs it.
    pub lease_ms: i64,
    /// How far it is.
    pub cursors: NotifierCursors,
    /// How many deliveries wait.
    pub waiting: u64,
    /// How many were given up.
    pub set_aside: u64,
    /// How it went.
    pub status: NotifierStatus,
}

/// How much of a lease is left that ends then: nothing of one that nobody can have taken.
pub(super) fn lease_left(until_ms: i64, now_ms: i64) -> i64 {
    let left = until_ms.saturating_sub(now_ms);
    let longest = i64::try_from(LONGEST_NOTIFIER_LEASE.as_millis()).unwrap_or(i64::MAX);
    if left <= longest { left } else { 0 }
}

impl NotifierInfo {
    /// Whether somebody runs it.
    pub fn is_run(&self) -> bool {
        self.lease_ms > 0
    }
}

/// The verbs on notifiers. A notifier is known by its name, which every server gives it alike.
#[async_trait]
pub trait NotifierStore: Send + Sync {
    /// Takes the lease on a notifier, or renews it. One that is not known begins at `begin`.
    async fn hold(&self, name: &str, lease: &NotifierLease, begin: NotifierCursors) -> StoreResult<Hold>;

    /// Writes a step; false, and nothing is written, where another one holds the notifier by now.
    async fn settle(&self, name: &str, holder: &str, step: &NotifierStep) -> StoreResult<bool>;

    /// Gives the lease back, if it is this one's.
    async fn release(&self, name: &str, holder: &str) -> StoreResult<()>;

    /// Every notifier that anybody has held and nobody forgot, by name.
    async fn notifiers(&self) -> StoreResult<Rows<NotifierInfo>>;

    /// A notifier's deliveries in that state, in the order in which they came; at most `most` of them.
    async fn deliveries(&self, name: &str, state: DeliveryState, most: usize) -> StoreResult<Rows<Delivery>>;

    /// Has these wait as they are given here, whether they were given up or wait already. Those of which nothing is kept
    /// any more are left out; how many were not. Whoever holds the notifier sees it when it renews its lease.
    async fn wait_again(&self, name: &str, deliveries: &[Delivery]) -> StoreResult<u64>;

    /// Forgets a notifier that nobody holds, with all that it has to deliver; false where somebody holds it, or it is
    /// not known.
    async fn forget(&self, name: &str) -> StoreResult<bool>;
}
