//! What time brings: question timeouts, ttls, and the tasks of workers whose lease ended.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::postponed::Postponed;
use super::retry::{Failure as _, Retry, Told};
use super::{Engine, Signal};
use crate::form;
use crate::store::{ClaimKey, Due, Requeue, Store, StoreError, StoreResult};
use crate::task::{Action, Answer, EventKind, QuestionId, TaskId, WorkerId};

/// A deadline can come from another process at any time; its event moves the next look here.
const SETTLE: Duration = Duration::from_millis(100);

/// The same for an event that does not say whether its deadline is near, which most are not: the ttl of a new task, and the
/// lease of a worker that nobody knew. Each look is a script, and such events are as frequent as tasks.
const SETTLE_MOST: Duration = Duration::from_secs(1);

/// The longest sleep between two looks: a bound on how late a lost event can make a deadline.
const LONGEST: Duration = Duration::from_secs(30);

/// Looks in a row that settled nothing and still left something to look at, before others get a turn again.
const MOST_LOOKS: u32 = 50;

/// The pause after that.
const NOTHING_SETTLED: Duration = Duration::from_millis(200);

/// The longest pause between two attempts to renew a lease that a store refused.
pub(crate) const RENEWED_AGAIN: Duration = Duration::from_millis(300);

/// How long a worker's lease has to have ended, as seen from here and while the store takes writes, before its tasks are
/// given to others. Processes that were paused together (a machine that slept) wake together, and each may first renew its
/// lease; those that the store refused try again at most [`RENEWED_AGAIN`] later.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Keeps the time of one process.
pub(super) struct TimeKeeper<'a> {
    engine: &'a Engine,
    looking: Retry,
    settling: Retry,
    told: Told,
    /// Since when the leases are known to have ended. Forgotten whenever the store cannot be used: nobody could renew one.
    ended: HashMap<WorkerId, Instant>,
    /// What could not be settled.
    postponed: Postponed<Item>,
}

/// What a look at all that is due leaves to be done.
#[derive(Default)]
struct Left {
    /// When something of it is to be tried again.
    until: Option<Instant>,
    /// Workers whose lease has ended.
    ended: HashSet<WorkerId>,
}

impl Left {
    fn wait_until(&mut self, until: Instant) {
        self.until = Some(self.until.map_or(until, |before| before.min(until)));
    }
}

pub(super) async fn keep(engine: &Engine, stop: CancellationToken) {
    let mut keeper = TimeKeeper::new(engine);
    let mut signals = None;
    while !stop.is_cancelled() {
        // Subscribed before the look, so that a deadline set while looking is not overlooked.
        if signals.is_none() {
            let Some(hub) = stop.run_until_cancelled(engine.hub()).await else { return };
            signals = hub.ok().map(super::Hub::subscribe);
        }
        let turn = async {
            let pause = keeper.look().await;
            sleep_or_sooner(signals.as_mut(), pause).await;
        };
        if stop.run_until_cancelled(turn).await.is_none() {
            return;
        }
    }
}

/// Sleeps for that time, or until shortly after something with a deadline was submitted or asked.
async fn sleep_or_sooner(signals: Option<&mut Receiver<Signal>>, pause: Duration) {
    let Some(signals) = signals else { return tokio::time::sleep(pause).await };
    let mut until = Instant::now() + pause;
    loop {
        let signal = tokio::select! {
            biased;
            () = tokio::time::sleep_until(until) => return,
            signal = signals.recv() => signal,
        };
        match signal {
            Ok(Signal::Event(event)) => {
                if let Some(left) = deadline(&event.kind) {
                    until = until.min(Instant::now() + left);
                }
            }
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => until = until.min(Instant::now() + SETTLE),
            Err(RecvError::Closed) => return tokio::time::sleep_until(until).await,
        }
    }
}

/// When to look for the deadline that an event brings, if it brings one.
fn deadline(kind: &EventKind) -> Option<Duration> {
    match kind {
        EventKind::Asked { question } => {
            let end = question.deadline.map(|end| end.duration_since(question.asked_at));
            let end = end.map(|left| Duration::try_from(left).unwrap_or_default());
            let reminder = question.ask.remind_after_ms.map(Duration::from_millis);
            Some([end, reminder].into_iter().flatten().min()?.max(SETTLE))
        }
        EventKind::Submitted {} | EventKind::Claimed { .. } => Some(SETTLE_MOST),
        EventKind::Requeued { .. } => Some(SETTLE),
        _ => None,
    }
}

impl<'a> TimeKeeper<'a> {
    fn new(engine: &'a Engine) -> Self {
        let (looking, settling) = (Retry::new("looking for what is due"), Retry::new("settling what is due"));
        let (ended, postponed) = (HashMap::new(), Postponed::new());
        Self { engine, looking, settling, told: Told::default(), ended, postponed }
    }

    /// Does all that is due and returns how long to sleep until the next look. The store brings some of it at a time,
    /// and each time what comes behind that, whether it was settled or not.
    async fn look(&mut self) -> Duration {
        let (mut left, mut fruitless) = (Left::default(), 0);
        while fruitless < MOST_LOOKS {
            let due = match self.engine.store().due().await {
                Ok(due) => due,
                Err(error) => {
                    self.ended.clear();
                    return self.looking.failed(&error);
                }
            };
            self.looking.worked();
            self.warn_of_unreadable(&due);
            let next = due.next.unwrap_or(LONGEST).min(LONGEST);
            // What could not be settled before was settled elsewhere then.
            let is_empty = due.is_empty();
            let settled = match self.settle(due, &mut left).await {
                Ok(settled) => settled,
                Err(error) => {
                    self.ended.clear();
                    return self.settling.failed(&error);
                }
            };
            if settled > 0 || is_empty {
                self.settling.worked();
            }
            if settled > 0 {
                fruitless = 0;
            } else if next > Duration::ZERO {
                self.ended.retain(|worker, _| left.ended.contains(worker));
                let until =
                    left.until.map_or(LONGEST, |until| until.saturating_duration_since(Instant::now()));
                return next.min(until);
            } else {
                fruitless += 1;
            }
        }
        NOTHING_SETTLED
    }

    /// Sees to it that the time of workers whose leases have ended is counted only while writes are taken: a store that
    /// refuses them longer than a lease lasts takes renewals again first.
    async fn begin_to_count(&self, due: &Due) -> StoreResult<()> {
        if due.claims.iter().any(|(_, worker)| !self.ended.contains_key(worker)) {
            self.engine.store().touch().await?;
        }
        Ok(())
    }

    /// Whether the worker of a claim is known to be gone.
    fn is_gone(&mut self, worker: &WorkerId, now: Instant, left: &mut Left) -> bool {
        left.ended.insert(worker.clone());
        if self.engine.inner.leases.remind(worker) {
            self.ended.remove(worker);
            left.wait_until(now + SECOND_LOOK);
            return false;
        }
        let since = *self.ended.entry(worker.clone()).or_insert(now);
        let is_gone = now.duration_since(since) >= SECOND_LOOK;
        if !is_gone {
            left.wait_until(since + SECOND_LOOK);
        }
        is_gone
    }

    fn warn_of_unreadable(&mut self, due: &Due) {
        for one in &due.unreadable {
            if self.told.is_new(&one.name) {
                tracing::warn!(name = one.name, problem = one.problem, "what is due cannot be read");
            }
        }
    }

    /// Does each of these things, whatever becomes of the one before; returns how many were done. What cannot be done is
    /// left alone for a while. An error is one of the store, which would be the same for all others.
    async fn settle(&mut self, due: Due, left: &mut Left) -> StoreResult<usize> {
        let mut settled = 0;
        self.begin_to_count(&due).await?;
        for item in Item::all(due) {
            let now = Instant::now();
            if let Item::Claim(_, worker) = &item
                && !self.is_gone(worker, now, left)
            {
                continue;
            }
            if let Some(until) = self.postponed.until(&item, now) {
                left.wait_until(until);
                continue;
            }
            match item.settle(&**self.engine.store()).await {
                Ok(()) => {
                    self.postponed.done(&item);
                    settled += 1;
                }
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    if !is_settled(&error) && self.told.is_new(&format!("{}: {}", item.what(), error.cause()))
                    {
                        tracing::warn!(%error, "{} does not work", item.what());
                    }
                    // Whatever another process has done is not due any more.
                    left.wait_until(self.postponed.postpone(item, Instant::now()));
                }
            }
        }
        Ok(settled)
    }
}

/// Whether another process did the same a moment before, or an operator gave the question more time.
fn is_settled(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoTask(_)
            | StoreError::NoQuestion { .. }
            | StoreError::AlreadyAnswered { .. }
            | StoreError::WaitsLonger { .. }
            | StoreError::Ended { .. }
            | StoreError::ClaimLost { .. }
    )
}

/// One thing that is due.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Item {
    Question(TaskId, QuestionId),
    Reminder(TaskId, QuestionId),
    Claim(ClaimKey, WorkerId),
    Delayed(TaskId),
    Task(TaskId),
}

impl Item {
    fn all(due: Due) -> impl Iterator<Item = Self> {
        let questions = due.questions.into_iter().map(|(task, question)| Self::Question(task, question));
        let reminders = due.reminders.into_iter().map(|(task, question)| Self::Reminder(task, question));
        let claims = due.claims.into_iter().map(|(claim, worker)| Self::Claim(claim, worker));
        let delayed = due.delayed.into_iter().map(Self::Delayed);
        questions.chain(reminders).chain(claims).chain(delayed).chain(due.tasks.into_iter().map(Self::Task))
    }

    /// What is done about it, for the log.
    fn what(&self) -> &'static str {
        match self {
            Self::Question(..) => "ending a question whose time is over",
            Self::Reminder(..) => "telling once more of a question that waits",
            Self::Claim(..) => "giving a dead worker's task to others",
            Self::Delayed(_) => "queueing a task whose delay is over",
            Self::Task(_) => "deleting a task whose ttl is over",
        }
    }

    async fn settle(&self, store: &dyn Store) -> StoreResult<()> {
        match self {
            Self::Question(task, question) => {
                let answer = at_end(store, task, question).await?;
                store.answer(task, question, &answer).await.map(drop)
            }
            Self::Reminder(task, question) => store.remind(task, question).await,
            Self::Claim(claim, worker) => {
                let reason = format!("worker {worker} stopped without finishing it");
                store.requeue(claim, &Requeue::failed(reason)).await
            }
            Self::Delayed(task) => store.resume(task).await,
            Self::Task(task) => store.expire(task).await,
        }
    }
}

/// What a question answers whose time is over. Of a task that cannot be read nobody knows what it asked for.
async fn at_end(store: &dyn Store, task: &TaskId, question: &QuestionId) -> StoreResult<Answer> {
    let asked = match store.get(task).await {
        Ok(asked) => asked.ok_or_else(|| StoreError::NoTask(task.clone()))?,
        Err(StoreError::Unreadable { .. }) => return Ok(Answer::timed_out(Action::Cancel)),
        Err(error) => return Err(error),
    };
    let found = asked.questions.iter().find(|one| one.id == *question);
    let none = || StoreError::NoQuestion { task: task.clone(), question: question.clone() };
    found.map(|question| form::at_end(&question.ask)).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Ask, Question};

    fn asked(timeout: Option<Duration>) -> EventKind {
        let asked_at = jiff::Timestamp::UNIX_EPOCH;
        let deadline = timeout.map(|timeout| asked_at + timeout);
        let ask = Ask::form("Really?", serde_json::json!({ "type": "object", "properties": {} }));
        EventKind::Asked {
            question: Question { id: QuestionId::at(1), ask, asked_at, deadline, answer: None },
        }
    }

    #[test]
    fn a_question_is_looked_for_when_it_ends_and_not_when_it_is_asked() {
        let (hour, instant) = (Duration::from_secs(3600), Duration::from_millis(1));
        assert_eq!(deadline(&asked(Some(hour))), Some(hour));
        assert_eq!(deadline(&asked(Some(instant))), Some(SETTLE), "many of them are looked for at once");
        assert_eq!(deadline(&asked(None)), None);
        assert_eq!(deadline(&EventKind::Submitted {}), Some(SETTLE_MOST));
        assert_eq!(deadline(&EventKind::Expired { pruned: false }), None);
    }
}
