//! What a notifier has to deliver, as whoever holds it knows it. The store has the same; nothing here waits or sends.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::failed::Failed;
use crate::store::notifiers::{Delivery, NotifierStatus};

/// The most deliveries that wait; beyond them the log is not read on, which has them all.
pub(super) const MOST_WAITING: usize = 1000;

/// The most bytes of them, as JSON, likewise.
const MOST_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// The most deliveries that are kept of those that were given up, and their most bytes; the oldest go first.
pub(super) const MOST_ASIDE: usize = 1000;
const MOST_ASIDE_BYTES: usize = 8 * 1024 * 1024;

/// How long one is tried again.
const TRIED_FOR: Duration = Duration::from_secs(24 * 3600);

/// The pause after the first failure; each further one doubles it, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The most characters of a problem that are kept.
const MOST_PROBLEM: usize = 500;

/// One that waits, with its bytes.
#[derive(Debug)]
struct Waiting {
    delivery: Delivery,
    bytes: usize,
    is_sent: bool,
}

/// What there is to deliver.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<(u64, String), Waiting>,
    bytes: usize,
    /// Those that were given up, with their bytes.
    aside: BTreeMap<(u64, String), usize>,
    aside_bytes: usize,
    next_number: u64,
    status: NotifierStatus,
}

/// What became of one delivery, to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It was taken.
    Taken(String),
    /// It waits for another try.
    Waits(Delivery),
    /// It was given up.
    GivenUp(Delivery),
}

fn key(delivery: &Delivery) -> (u64, String) {
    (delivery.number, delivery.id.clone())
}

fn bytes(delivery: &Delivery) -> usize {
    delivery.notice.to_string().len() + 400
}

impl Outbox {
    /// What the store has.
    pub(super) fn of(waiting: Vec<Delivery>, aside: Vec<Delivery>, status: NotifierStatus) -> Self {
        let mut outbox = Self { status, ..Self::default() };
        let last = waiting.iter().chain(&aside).map(|one| one.number).max();
        outbox.next_number = last.map_or(1, |last| last.saturating_add(1));
        for delivery in waiting {
            outbox.add(delivery);
        }
        for delivery in aside {
            outbox.set_aside(&delivery);
        }
        outbox
    }

    /// The number of the next delivery.
    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Takes up one that waits from now on.
    pub(super) fn add(&mut self, delivery: Delivery) {
        let bytes = bytes(&delivery);
        self.bytes += bytes;
        if let Some(old) = self.waiting.insert(key(&delivery), Waiting { delivery, bytes, is_sent: false }) {
            self.bytes -= old.bytes;
        }
    }

    /// Takes up what the store has now, after somebody else changed it. What is being sent goes on.
    pub(super) fn renew(&mut self, waiting: Vec<Delivery>) {
        for delivery in waiting {
            self.aside.remove(&key(&delivery)).into_iter().for_each(|bytes| self.aside_bytes -= bytes);
            if !self.waiting.get(&key(&delivery)).is_some_and(|one| one.is_sent) {
                self.add(delivery);
            }
        }
    }

    /// Whether another one may wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MOST_WAITING && self.bytes < MOST_WAITING_BYTES
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How it went.
    pub(super) fn status(&self) -> &NotifierStatus {
        &self.status
    }

    /// Those that are to be sent now, at most `most`: of each task only its first.
    pub(super) fn take_ready(&mut self, now: Timestamp, most: usize) -> Vec<Delivery> {
        let (mut tasks, mut ready) = (HashSet::new(), Vec::new());
        for one in self.waiting.values_mut() {
            if ready.len() >= most {
                break;
            }
            let is_first = tasks.insert(one.delivery.task.clone());
            if is_first && !one.is_sent && one.delivery.next_try.is_none_or(|at| at <= now) {
                one.is_sent = true;
                ready.push(one.delivery.clone());
            }
        }
        ready
    }

    /// When the next one is to be sent, of those that wait for their time.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        let mut tasks = HashSet::new();
        let first = self.waiting.values().filter(|one| tasks.insert(&one.delivery.task) && !one.is_sent);
        first.filter_map(|one| one.delivery.next_try).min()
    }

    /// Notes how a try went; `None` of one that is not known any more.
    pub(super) fn tried(
        &mut self,
        delivery: &Delivery,
        result: Result<String, Failed>,
        (now, jitter): (Timestamp, f64),
    ) -> Option<Outcome> {
        let known = self.waiting.remove(&key(delivery))?;
        self.bytes -= known.bytes;
        let Err(failed) = result else {
            self.status = NotifierStatus { delivered_at: Some(now), ..NotifierStatus::default() };
            return Some(Outcome::Taken(known.delivery.id));
        };
        let problem: String = failed.problem.chars().take(MOST_PROBLEM).collect();
        self.status.problem = Some(problem.clone());
        self.status.failing_since.get_or_insert(now);
        let tries = known.delivery.tries.saturating_add(1);
        let is_late = now.duration_since(known.delivery.queued_at).unsigned_abs() >= TRIED_FOR;
        let untaken = Delivery { tries, problem: Some(problem), next_try: None, ..known.delivery };
        if !failed.is_passing || is_late {
            self.set_aside(&untaken);
            return Some(Outcome::GivenUp(untaken));
        }
        let pause = pause(tries, jitter).max(failed.retry_after.unwrap_or_default());
        let next_try = now.checked_add(pause).ok();
        let waits = Delivery { next_try, ..untaken };
        self.add(waits.clone());
        Some(Outcome::Waits(waits))
    }

    fn set_aside(&mut self, delivery: &Delivery) {
        let bytes = bytes(delivery);
        self.aside_bytes += bytes;
        if let Some(old) = self.aside.insert(key(delivery), bytes) {
            self.aside_bytes -= old;
        }
    }

    /// Ids of those that were given up and are beyond the bound.
    pub(super) fn beyond(&mut self) -> BTreeSet<String> {
        let mut gone = BTreeSet::new();
        while self.aside.len() > MOST_ASIDE || self.aside_bytes > MOST_ASIDE_BYTES {
            let Some(((_, id), bytes)) = self.aside.pop_first() else { break };
            self.aside_bytes -= bytes;
            gone.insert(id);
        }
        gone
    }
}

/// How long to wait after so many tries; `jitter`, from 0 to 1, keeps those who fail together from coming back together.
fn pause(tries: u32, jitter: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST_PAUSE).mul_f64(0.75 + 0.25 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::task::TaskId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("a time")
    }

    fn delivery(number: u64, task: &TaskId) -> Delivery {
        Delivery {
            id: format!("msg_{number}"),
            number,
            task: task.clone(),
            queued_at: at(0),
            tries: 0,
            next_try: None,
            problem: None,
            notice: json!({}),
        }
    }

    fn of(waiting: Vec<Delivery>) -> Outbox {
        Outbox::of(waiting, Vec::new(), NotifierStatus::default())
    }

    fn ids(ready: &[Delivery]) -> Vec<u64> {
        ready.iter().map(|one| one.number).collect()
    }

    #[test]
    fn what_waits_of_a_task_holds_back_what_comes_later_of_it_and_nothing_else() {
        let (one, other) = (TaskId::generate(), TaskId::generate());
        let mut outbox =
            of(vec![delivery(1, &one), delivery(2, &one), delivery(3, &other), delivery(4, &other)]);
        let ready = outbox.take_ready(at(0), 8);
        assert_eq!(ids(&ready), [1, 3]);
        assert_eq!(ids(&outbox.take_ready(at(0), 8)), Vec::<u64>::new(), "they are being sent");
        outbox.tried(&ready[0], Err(Failed::passing("500")), (at(0), 1.0)).expect("is known");
        outbox.tried(&ready[1], Ok(String::new()), (at(0), 1.0)).expect("is known");
        let next = outbox.take_ready(at(0), 8);
        assert_eq!((ids(&next), outbox.next_try()), (vec![4], Some(at(1))));
        assert_eq!(ids(&outbox.take_ready(at(1), 8)), [1], "2 still waits for it");
    }

    #[test]
    fn pauses_grow_from_a_second_to_an_hour() {
        assert_eq!((pause(1, 1.0), pause(1, 0.0)), (Duration::from_secs(1), Duration::from_millis(750)));
        assert_eq!(pause(5, 1.0), Duration::from_secs(16));
        assert_eq!((pause(13, 1.0), pause(1000, 1.0)), (LONGEST_PAUSE, LONGEST_PAUSE));
    }

    #[test]
    fn what_is_refused_or_late_is_given_up() {
        let task = TaskId::generate();
        let mut outbox = of(vec![delivery(1, &task)]);
        let ready = outbox.take_ready(at(0), 1);
        let tried = outbox.tried(&ready[0], Err(Failed::for_good("410")), (at(0), 1.0));
        assert!(matches!(tried, Some(Outcome::GivenUp(one)) if one.problem.as_deref() == Some("410")));
        assert_eq!(outbox.len(), 0);
        let mut outbox = of(vec![delivery(1, &task)]);
        let ready = outbox.take_ready(at(0), 1);
        let day = 24 * 3600;
        let tried = outbox.tried(&ready[0], Err(Failed::passing("500")), (at(day - 1), 1.0));
        let Some(Outcome::Waits(waits)) = tried else { panic!("there is a second left") };
        assert_eq!(waits.tries, 1);
        let ready = outbox.take_ready(at(day), 1);
        let tried = outbox.tried(&ready[0], Err(Failed::passing("500")), (at(day), 1.0));
        assert!(matches!(tried, Some(Outcome::GivenUp(_))));
    }

    #[test]
    fn a_receiver_is_asked_no_sooner_than_it_wishes() {
        let task = TaskId::generate();
        let mut outbox = of(vec![delivery(1, &task)]);
        let ready = outbox.take_ready(at(0), 1);
        let failed = Failed { retry_after: Some(Duration::from_secs(30)), ..Failed::passing("429") };
        outbox.tried(&ready[0], Err(failed), (at(0), 1.0)).expect("is known");
        assert_eq!(outbox.next_try(), Some(at(30)));
    }

    #[test]
    fn what_waits_and_what_was_given_up_is_bounded() {
        let all: Vec<Delivery> =
            (1..).map(|number| delivery(number, &TaskId::generate())).take(MOST_ASIDE + 2).collect();
        let outbox = of(all.clone());
        assert!(!outbox.has_room());
        let mut outbox = Outbox::of(Vec::new(), all, NotifierStatus::default());
        assert!(outbox.has_room());
        assert_eq!(outbox.beyond(), BTreeSet::from(["msg_1".to_owned(), "msg_2".to_owned()]), "the oldest");
        let huge = |number| Delivery {
            notice: json!("x".repeat(60 * 1024)),
            ..delivery(number, &TaskId::generate())
        };
        let outbox = of((0..200).map(huge).collect());
        assert!(!outbox.has_room(), "of fewer that are large");
    }

    #[test]
    fn what_somebody_else_has_wait_again_is_taken_up() {
        let task = TaskId::generate();
        let mut outbox = of(vec![Delivery { next_try: Some(at(900)), ..delivery(5, &task) }]);
        assert_eq!(ids(&outbox.take_ready(at(0), 8)), Vec::<u64>::new());
        outbox.renew(vec![delivery(2, &TaskId::generate()), delivery(5, &task)]);
        assert_eq!(ids(&outbox.take_ready(at(0), 8)), [2, 5]);
        outbox.renew(vec![delivery(5, &task)]);
        assert_eq!(ids(&outbox.take_ready(at(0), 8)), Vec::<u64>::new(), "it is being sent");
        assert_eq!(outbox.number(), 6);
    }
}
