//! What time brings: question timeouts, ttls, and the tasks of workers whose lease ended.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::retry::{Failure as _, Retry, Told};
use super::{Engine, Signal};
use crate::store::{ClaimKey, Due, Requeue, Store, StoreError, StoreResult};
use crate::task::{Answer, Answerer, EventKind, QuestionId, TaskId, WorkerId};

/// A deadline can come from another process at any time; its event moves the next look here.
const SETTLE: Duration = Duration::from_millis(100);

/// The longest sleep between two looks: a bound on how late a lost event can make a deadline.
const LONGEST: Duration = Duration::from_secs(30);

/// What is due and cannot be settled is due again at once. The pause after a look that settled nothing; doubled
/// by each further one, up to [`LONGEST`].
const NOTHING_SETTLED: Duration = Duration::from_millis(200);

/// How long a worker's lease has to have ended, as seen from here, before its tasks are given to others. Processes
/// that were paused together (a machine that slept) wake together, and each may first renew its lease.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Keeps the time of one process.
pub(super) struct TimeKeeper<'a> {
    engine: &'a Engine,
    looking: Retry,
    told: Told,
    /// Since when the leases are known to have ended.
    ended: HashMap<WorkerId, Instant>,
    /// The pause after the next look that settles nothing.
    idle: Duration,
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
            Ok(Signal::Event(event)) if !brings_deadline(&event.kind) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => until = until.min(Instant::now() + SETTLE),
            Err(RecvError::Closed) => return tokio::time::sleep_until(until).await,
        }
    }
}

fn brings_deadline(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Submitted {}
            | EventKind::Asked { .. }
            | EventKind::Claimed { .. }
            | EventKind::Requeued { .. }
    )
}

impl<'a> TimeKeeper<'a> {
    fn new(engine: &'a Engine) -> Self {
        let (looking, told) = (Retry::new("looking for what is due"), Told::default());
        Self { engine, looking, told, ended: HashMap::new(), idle: NOTHING_SETTLED }
    }

    /// Does all that is due and returns how long to sleep until the next look.
    async fn look(&mut self) -> Duration {
        loop {
            let mut due = match self.engine.store().due().await {
                Ok(due) => due,
                Err(error) => return self.looking.failed(&error),
            };
            self.looking.worked();
            self.warn_of_unreadable(&due);
            let mut pause = due.next.unwrap_or(LONGEST).min(LONGEST);
            let found = std::mem::take(&mut due.claims);
            let waiting = found.len();
            due.claims = self.ended_twice(found, Instant::now());
            if due.claims.len() < waiting {
                pause = pause.min(SECOND_LOOK);
            }
            if due.is_empty() {
                self.idle = NOTHING_SETTLED;
                return pause;
            }
            if self.settle(due).await == 0 {
                pause = pause.min(self.idle);
                self.idle = (self.idle * 2).min(LONGEST);
                return pause;
            }
            self.idle = NOTHING_SETTLED;
        }
    }

    /// Those of the claims whose worker is known to be gone.
    fn ended_twice(&mut self, claims: Vec<(ClaimKey, WorkerId)>, now: Instant) -> Vec<(ClaimKey, WorkerId)> {
        self.ended.retain(|worker, _| claims.iter().any(|(_, due)| due == worker));
        let is_gone = |(_, worker): &(ClaimKey, WorkerId)| {
            if self.engine.inner.leases.remind(worker) {
                return false;
            }
            let since = *self.ended.entry(worker.clone()).or_insert(now);
            now.duration_since(since) >= SECOND_LOOK
        };
        claims.into_iter().filter(is_gone).collect()
    }

    fn warn_of_unreadable(&mut self, due: &Due) {
        for one in &due.unreadable {
            if self.told.is_new(&one.name) {
                tracing::warn!(name = one.name, problem = one.problem, "what is due cannot be read");
            }
        }
    }

    /// Does each of these things, whatever becomes of the one before; returns how many were done.
    async fn settle(&mut self, due: Due) -> usize {
        let mut settled = 0;
        for item in Item::all(due) {
            match item.settle(&**self.engine.store()).await {
                Ok(()) => settled += 1,
                Err(error) if is_settled(&error) => {}
                Err(error) => {
                    if self.told.is_new(&format!("{}: {}", item.what(), error.cause())) {
                        tracing::warn!(%error, "{} does not work", item.what());
                    }
                    if matches!(error, StoreError::Unreachable { .. }) {
                        // It is not the item's fault, and would be the same for all others.
                        break;
                    }
                }
            }
        }
        settled
    }
}

/// Whether another process did the same a moment before.
fn is_settled(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoTask(_)
            | StoreError::NoQuestion { .. }
            | StoreError::AlreadyAnswered { .. }
            | StoreError::Ended { .. }
            | StoreError::ClaimLost { .. }
    )
}

/// One thing that is due.
enum Item {
    Question(TaskId, QuestionId),
    Claim(ClaimKey, WorkerId),
    Delayed(TaskId),
    Task(TaskId),
}

impl Item {
    fn all(due: Due) -> impl Iterator<Item = Self> {
        let questions = due.questions.into_iter().map(|(task, question)| Self::Question(task, question));
        let claims = due.claims.into_iter().map(|(claim, worker)| Self::Claim(claim, worker));
        let delayed = due.delayed.into_iter().map(Self::Delayed);
        questions.chain(claims).chain(delayed).chain(due.tasks.into_iter().map(Self::Task))
    }

    /// What is done about it, for the log.
    fn what(&self) -> &'static str {
        match self {
            Self::Question(..) => "ending a question whose time is over",
            Self::Claim(..) => "giving a dead worker's task to others",
            Self::Delayed(_) => "queueing a task whose delay is over",
            Self::Task(_) => "deleting a task whose ttl is over",
        }
    }

    async fn settle(&self, store: &dyn Store) -> StoreResult<()> {
        match self {
            Self::Question(task, question) => {
                let answer = Answer::cancel(Answerer::Timeout, "nobody answered in time");
                store.answer(task, question, &answer).await.map(drop)
            }
            Self::Claim(claim, worker) => {
                let reason = format!("worker {worker} stopped without finishing it");
                store.requeue(claim, &Requeue::failed(reason)).await
            }
            Self::Delayed(task) => store.resume(task).await,
            Self::Task(task) => store.expire(task).await,
        }
    }
}
