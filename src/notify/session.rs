//! The time in which a process holds a notifier: it reads the log, writes down what there is to tell, sends it, and writes
//! down what became of that. Nothing is sent that is not in the store, so whoever holds the notifier next has it too.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::delivery;
use super::failed::Failed;
use super::outbox::{MOST_ASIDE, MOST_WAITING, Outbox, Outcome};
use super::reading::Reading;
use super::runner::Runner;
use super::send::Channel;
use crate::engine::{EngineResult, Signal};
use crate::store::notifiers::{Delivery, DeliveryState, Hold, NotifierCursors, NotifierStatus, NotifierStep};

/// Deliveries that are sent at once.
const MOST_AT_ONCE: usize = 8;

/// Notices that are written down at once.
const MOST_PER_STEP: usize = 200;

/// How long a process that stops waits for what it is sending.
const DRAINS: Duration = Duration::from_secs(5);

/// Rows that are asked for: more than there may be, so that none is overlooked.
const ALL: usize = 2 * (MOST_WAITING + MOST_ASIDE);

/// Why it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The process stops.
    Stopped,
    /// Another process holds the notifier.
    Lost,
}

/// A try that is over.
type Tried = (Delivery, Result<String, Failed>);

/// What a session waits for.
enum Woken {
    Stop,
    Renew,
    Tried(Box<Tried>),
    Signal(Result<Signal, RecvError>),
    Due,
}

/// One session.
pub(super) struct Session<'a> {
    runner: &'a Runner,
    outbox: Outbox,
    reading: Reading,
    signals: broadcast::Receiver<Signal>,
    sending: JoinSet<Tried>,
    outcomes: Vec<Outcome>,
    /// What the store has of how far this is, and of how often somebody else changed what waits.
    written: NotifierCursors,
    revision: u64,
    /// Until then nobody else can hold it.
    lease_ends: Instant,
    renews_at: Instant,
    /// Whether the log was left alone for want of room.
    was_full: bool,
}

impl<'a> Session<'a> {
    /// Begins one, where the store says how far it is.
    pub(super) async fn begin(
        runner: &'a Runner,
        (cursors, revision): (NotifierCursors, u64),
        lease_ends: Instant,
    ) -> EngineResult<Self> {
        // Signals first: what happens from now on is not missed, whatever the past holds.
        let signals = runner.engine.hub().await?.subscribe();
        let notifiers = runner.engine.store().notifiers();
        let waiting = notifiers.deliveries(&runner.name, DeliveryState::Waiting, ALL).await?;
        let aside = notifiers.deliveries(&runner.name, DeliveryState::SetAside, ALL).await?;
        for one in waiting.unreadable.iter().chain(&aside.unreadable) {
            tracing::warn!(
                notifier = runner.name,
                delivery = one.name,
                problem = one.problem,
                "cannot be read"
            );
        }
        let infos = notifiers.notifiers().await?.rows;
        let info = infos.into_iter().find(|info| info.name == runner.name);
        let status = info.map(|info| info.status).unwrap_or_default();
        let mut reading = Reading::new(&runner.engine, &runner.wanted, &runner.ways, cursors);
        reading.stay_within().await?;
        reading.tell_of_gap(&runner.name).await?;
        runner.is_at(cursors);
        Ok(Self {
            runner,
            outbox: Outbox::of(waiting.rows, aside.rows, status),
            reading,
            signals,
            sending: JoinSet::new(),
            outcomes: Vec::new(),
            written: cursors,
            revision,
            lease_ends,
            renews_at: Instant::now() + runner.lease / 3,
            was_full: false,
        })
    }

    /// Goes on until the process stops or another one holds the notifier.
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> EngineResult<Ended> {
        loop {
            let is_new = self.gather().await?;
            let has_outcomes = !self.outcomes.is_empty();
            if (!is_new.is_empty() || has_outcomes) && !self.write(is_new).await? {
                return Ok(Ended::Lost);
            }
            self.send();
            let woken = self.wait(stop).await;
            match woken {
                Woken::Stop => {
                    self.drain().await?;
                    return Ok(Ended::Stopped);
                }
                Woken::Renew => {
                    if !self.renew().await? {
                        return Ok(Ended::Lost);
                    }
                }
                Woken::Tried(tried) => self.tried(*tried),
                Woken::Signal(signal) => self.heard(signal),
                Woken::Due => {}
            }
        }
    }

    /// What there is to tell and is not written down yet.
    async fn gather(&mut self) -> EngineResult<Vec<Delivery>> {
        let (mut found, now) = (Vec::new(), Timestamp::now());
        let is_full = !self.outbox.has_room();
        if std::mem::replace(&mut self.was_full, is_full) && !is_full {
            self.reading.tell_of_gap(&self.runner.name).await?;
        }
        if self.outbox.has_room() && self.reading.is_behind() {
            found = self.reading.next_events().await?;
        }
        while self.outbox.has_room() && found.len() < MOST_PER_STEP {
            let (told, is_more) = self.reading.next_unanswered(now).await?;
            found.extend(told);
            if !is_more {
                break;
            }
        }
        let mut deliveries = Vec::with_capacity(found.len());
        for (event, notice) in &found {
            deliveries.push(delivery::of(&self.runner.name, event, notice, self.outbox.number()));
        }
        Ok(deliveries)
    }

    /// Writes down what is new and what became of the rest; false where another one holds the notifier.
    async fn write(&mut self, is_new: Vec<Delivery>) -> EngineResult<bool> {
        let mut step =
            NotifierStep { cursors: self.reading.cursors(), waiting: is_new, ..NotifierStep::default() };
        let new = step.waiting.len();
        for outcome in &self.outcomes {
            match outcome {
                Outcome::Taken(id) => step.gone.push(id.clone()),
                Outcome::Waits(delivery) => step.waiting.push(delivery.clone()),
                Outcome::GivenUp(delivery) => step.set_aside.push(delivery.clone()),
            }
        }
        step.gone.extend(self.outbox.beyond());
        step.status = self.outbox.status().clone();
        let (notifiers, name) = (self.runner.engine.store().notifiers(), &self.runner.name);
        if !notifiers.settle(name, &self.runner.holder, &step).await? {
            return Ok(false);
        }
        self.outcomes.clear();
        self.written = step.cursors;
        self.runner.is_at(step.cursors);
        step.waiting.truncate(new);
        step.waiting.into_iter().for_each(|delivery| self.outbox.add(delivery));
        Ok(true)
    }

    /// Sends what is ready, as long as nobody else can.
    fn send(&mut self) {
        if Instant::now() >= self.lease_ends {
            return;
        }
        let room = MOST_AT_ONCE.saturating_sub(self.sending.len());
        for delivery in self.outbox.take_ready(Timestamp::now(), room) {
            let (channel, ways): (Arc<Channel>, _) = (self.runner.channel.clone(), self.runner.ways.clone());
            self.sending.spawn(async move {
                let result = channel.send_stored(&delivery.id, &delivery.notice, &ways).await;
                (delivery, result)
            });
        }
    }

    async fn wait(&mut self, stop: &CancellationToken) -> Woken {
        let due = self.next_due();
        let has_sends = !self.sending.is_empty();
        tokio::select! {
            biased;
            () = stop.cancelled() => Woken::Stop,
            () = tokio::time::sleep_until(self.renews_at) => Woken::Renew,
            Some(Ok(tried)) = self.sending.join_next(), if has_sends => Woken::Tried(Box::new(tried)),
            signal = self.signals.recv() => Woken::Signal(signal),
            () = tokio::time::sleep_until(due) => Woken::Due,
        }
    }

    /// When there is something to do, if nothing happens before.
    fn next_due(&self) -> Instant {
        let (now, has_room) = (Instant::now(), self.outbox.has_room());
        if has_room && self.reading.is_behind() {
            return now;
        }
        let is_full = self.sending.len() >= MOST_AT_ONCE;
        let next_try = self.outbox.next_try().filter(|_| !is_full);
        let next_due = self.reading.next_due().filter(|_| has_room);
        let next = next_try.into_iter().chain(next_due).min();
        let pause =
            next.map(|at| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default());
        // The renewal comes before that anyway.
        pause.map_or(self.renews_at, |pause| now + pause.min(self.runner.lease))
    }

    /// Notes how a try went, and all others that are over.
    fn tried(&mut self, first: Tried) {
        let mut next = Some(first);
        while let Some((delivery, result)) = next.take() {
            let (before, said) = (self.outbox.status().clone(), result.as_ref().err().cloned());
            let outcome = self.outbox.tried(&delivery, result, (Timestamp::now(), rand::random()));
            self.tell(&before, said.as_ref(), outcome.as_ref());
            self.outcomes.extend(outcome);
            next = self.sending.try_join_next().and_then(Result::ok);
        }
    }

    /// The log hears when a receiver begins to fail, when it takes something again, and of what is given up.
    fn tell(&self, before: &NotifierStatus, failed: Option<&Failed>, outcome: Option<&Outcome>) {
        let notifier = self.runner.name.as_str();
        match (failed, before.failing_since) {
            (Some(failed), None) => {
                tracing::warn!(notifier, problem = failed.problem, "a notice was not taken");
            }
            (None, Some(_)) => tracing::info!(notifier, "notices are taken again"),
            _ => {}
        }
        if let Some(Outcome::GivenUp(delivery)) = outcome {
            let (id, problem) = (delivery.id.as_str(), delivery.problem.as_deref());
            tracing::warn!(notifier, id, problem, "a notice is set aside; `mcptask notify list` shows it");
        }
    }

    /// Something happened, or may have.
    fn heard(&mut self, first: Result<Signal, RecvError>) {
        let mut signal = first;
        loop {
            match signal {
                Ok(Signal::Event(event)) if !self.runner.wanted.is_about(&event) => {}
                Ok(Signal::Event(_)) => self.reading.look(),
                // The log may be another one, which the next renewal tells.
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => self.renews_at = Instant::now(),
                // The process is ending.
                Err(RecvError::Closed) => return,
            }
            signal = match self.signals.try_recv() {
                Ok(signal) => Ok(signal),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            };
        }
    }

    /// Says that this process lives, and looks at what else may have changed; false where another one holds the notifier.
    async fn renew(&mut self) -> EngineResult<bool> {
        let began = Instant::now();
        // Where the store has lost all that it knew, this goes on from where it is.
        let Hold::Here { cursors, revision, is_new } = self.runner.hold(self.reading.cursors()).await? else {
            return Ok(false);
        };
        self.lease_ends = began + self.runner.lease;
        self.renews_at = Instant::now() + self.runner.lease / 3;
        if is_new {
            self.begin_anew(cursors);
        } else if revision != self.revision {
            let notifiers = self.runner.engine.store().notifiers();
            let found = notifiers.deliveries(&self.runner.name, DeliveryState::Waiting, ALL).await?;
            self.outbox.renew(found.rows);
        }
        self.revision = revision;
        self.reading.stay_within().await?;
        self.reading.look();
        if self.reading.cursors() != self.written {
            return self.write(Vec::new()).await;
        }
        Ok(true)
    }

    /// The store was emptied: what waited was of tasks that are gone.
    fn begin_anew(&mut self, cursors: NotifierCursors) {
        self.runner.tell_of_loss(Some(self.outbox.len()));
        self.sending.abort_all();
        self.outcomes.clear();
        self.outbox = Outbox::default();
        self.reading = Reading::new(&self.runner.engine, &self.runner.wanted, &self.runner.ways, cursors);
    }

    /// Waits a moment for what is being sent, so that nobody sends it again, and writes down what became of it.
    async fn drain(&mut self) -> EngineResult<()> {
        let end = Instant::now() + DRAINS.min(self.lease_ends.duration_since(Instant::now()));
        while let Ok(Some(done)) = tokio::time::timeout_at(end, self.sending.join_next()).await {
            if let Ok(tried) = done {
                self.tried(tried);
            }
        }
        self.write(Vec::new()).await.map(drop)
    }
}
