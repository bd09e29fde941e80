//! What a running tool can do: read its arguments, ask, report.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::clock::RunClock;
use super::roster::RunSlot;
use super::roster::{Entry, Slot};
use super::{Interrupted, Shared};
use crate::engine::{EngineError, patiently};
use crate::store::{ClaimKey, StoreError};
use crate::task::{Answer, Answerer, Ask, Fault, Progress, Task, TaskId};

/// One run of a tool. A pointer: tools move it about, and each place that it was at stays in their future.
pub struct TaskContext {
    run: Box<Run>,
}

/// Kept for as long as the run waits for people, so only what the run needs.
struct Run {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    claim: ClaimKey,
    /// As JSON, a fraction of the size that it has when it is read.
    arguments: Box<str>,
    taken: CancellationToken,
    /// How many questions this run has asked. Locked while it asks, so that positions have no gaps.
    asked: Mutex<u32>,
    /// There is one if anybody looks at it, from before the first question on.
    clock: OnceLock<Arc<RunClock>>,
    /// There is one if anybody asked for faults.
    misconduct: OnceLock<Box<dyn Misconduct>>,
    slot: RunSlot,
}

impl TaskContext {
    pub(super) fn new(
        shared: Arc<Shared>,
        entry: Arc<Entry>,
        task: Task,
        taken: CancellationToken,
        slot: RunSlot,
    ) -> Self {
        let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
        let (asked, clock, misconduct) = (Mutex::new(0), OnceLock::new(), OnceLock::new());
        let arguments = Value::Object(task.new.arguments).to_string().into();
        let run = Run { shared, entry, claim, arguments, taken, asked, clock, misconduct, slot };
        Self { run: Box::new(run) }
    }

    /// The run's clock. Whoever wants it takes it before the run asks anything.
    pub(super) fn clock(&self) -> Arc<RunClock> {
        self.run.clock.get_or_init(Arc::default).clone()
    }

    /// How the run misbehaves; `made` the first time. Whoever wants it to takes this before the run asks anything.
    pub(super) fn misconduct(&self, made: impl FnOnce() -> Box<dyn Misconduct>) -> &dyn Misconduct {
        self.run.misconduct.get_or_init(made).as_ref()
    }

    /// The task's id.
    pub fn task(&self) -> &TaskId {
        &self.run.claim.task
    }

    /// How often the task was begun, this run included.
    pub fn attempt(&self) -> u32 {
        self.run.claim.attempt
    }

    /// The tool's arguments, checked against its input schema. Read anew at each call.
    pub fn arguments(&self) -> Map<String, Value> {
        // Written by `new`, so it is an object.
        serde_json::from_str(&self.run.arguments).unwrap_or_default()
    }

    /// [`TaskContext::arguments`] as JSON.
    pub fn arguments_json(&self) -> &str {
        &self.run.arguments
    }

    /// Fires when the task was cancelled or taken away: stop what cannot be undone.
    pub fn taken(&self) -> &CancellationToken {
        &self.run.taken
    }

    /// Fires when the worker's time to drain is over: end now, another worker begins again.
    pub fn given_back(&self) -> &CancellationToken {
        self.run.shared.claims.given_back()
    }

    /// Writes a remark to the event log, unless the task is another run's by now; the status message stays.
    pub fn note(&self, note: &str) -> impl Future<Output = Result<(), Interrupted>> + Send {
        let Run { shared, claim, .. } = &*self.run;
        Box::pin(async move {
            let store = shared.engine.store();
            let note = || store.note(&claim.task, Some(claim), note);
            let noted = patiently(shared.claims.given_back(), note).await;
            noted.map_err(|error| EngineError::from(error).into())
        })
    }

    /// Reports a step.
    pub fn report(&self, progress: Progress) -> impl Future<Output = Result<(), Interrupted>> + Send {
        let Run { shared, claim, .. } = &*self.run;
        Box::pin(async move {
            let store = shared.engine.store();
            let reported = patiently(shared.claims.given_back(), || store.report(claim, &progress)).await;
            reported.map_err(|error| EngineError::from(error).into())
        })
    }

    /// Asks one question and waits for the answer, whoever gives it.
    pub fn ask(&self, ask: Ask) -> impl Future<Output = Result<Answer, Interrupted>> + Send {
        let asking = self.ask_within(vec![ask], None);
        async move { asking.await?.pop().ok_or(Interrupted::Taken) }
    }

    /// Asks several questions at once and waits until all are answered, in the order asked.
    pub fn ask_all(&self, asks: Vec<Ask>) -> impl Future<Output = Result<Vec<Answer>, Interrupted>> + Send {
        self.ask_within(asks, None)
    }

    /// [`TaskContext::ask_all`] with a time limit of its own in place of the tool's.
    pub fn ask_within(
        &self,
        asks: Vec<Ask>,
        timeout: Option<Duration>,
    ) -> impl Future<Output = Result<Vec<Answer>, Interrupted>> + Send {
        // What is waited for is kept small (the questions are in the store), and so is the wait: there may be
        // very many. Whatever runs only before or after it is boxed.
        let rounds = self.rounds(asks, timeout);
        Box::pin(async move {
            let mut answers = Vec::new();
            for asking in rounds {
                answers = self.wait_for_answers(asking).await?;
            }
            Ok(answers)
        })
    }

    /// The asking of these questions: once, unless somebody asked for faults.
    fn rounds(
        &self,
        asks: Vec<Ask>,
        timeout: Option<Duration>,
    ) -> Vec<BoxFuture<'_, Result<Asked, Interrupted>>> {
        match self.run.misconduct.get() {
            Some(misconduct) => misconduct.rounds(self, &asks, timeout),
            None => vec![self.ask_once(asks, timeout).boxed()],
        }
    }

    async fn wait_for_answers(
        &self,
        asking: BoxFuture<'_, Result<Asked, Interrupted>>,
    ) -> Result<Vec<Answer>, Interrupted> {
        let mut follow = self.run.shared.engine.hub().await?.follow_answers(&self.run.claim.task);
        let positions = match asking.await? {
            Asked::Answered(answers) => return Ok(answers),
            Asked::Open(positions) => positions,
        };
        let _stopped = self.run.clock.get().map(|clock| clock.stop());
        Box::pin(self.begin_waiting()).await;
        let answers = loop {
            // A worker that stops wakes all who follow, once it has said so.
            let parked = self.run.shared.claims.parked();
            if !parked.is_cancelled() {
                follow.changed().await;
            }
            if parked.is_cancelled() {
                return Err(Interrupted::GivenBack);
            }
            if let Some(answers) = Box::pin(self.answers(positions.clone())).await? {
                break answers;
            }
        };
        Box::pin(self.end_waiting(positions)).await?;
        Ok(answers)
    }

    /// Answers every open question of the task with cancel, because its asker is gone.
    pub async fn withdraw(&self, reason: &str) -> Result<(), Interrupted> {
        let store = self.run.shared.engine.store();
        let task = patiently(self.given_back(), || store.get(&self.run.claim.task)).await;
        let task = task.map_err(EngineError::from)?.ok_or(Interrupted::Taken)?;
        for question in task.open_questions() {
            let cancel = Answer::cancel(Answerer::Policy, reason);
            let answered =
                patiently(self.given_back(), || store.answer(&self.run.claim.task, &question.id, &cancel));
            match answered.await {
                Ok(_) | Err(StoreError::AlreadyAnswered { .. }) => {}
                Err(error) => return Err(EngineError::from(error).into()),
            }
        }
        Ok(())
    }

    async fn ask_once(&self, asks: Vec<Ask>, timeout: Option<Duration>) -> Result<Asked, Interrupted> {
        self.check(&asks)?;
        self.ask_unchecked(asks, timeout).await
    }

    /// Refuses malformed questions.
    pub(super) fn check(&self, asks: &[Ask]) -> Result<(), Interrupted> {
        Ok(self.run.shared.engine.check(asks)?)
    }

    /// Asks without looking at the questions. Repeating it is safe: the journal knows what was asked before.
    pub(super) async fn ask_unchecked(
        &self,
        mut asks: Vec<Ask>,
        timeout: Option<Duration>,
    ) -> Result<Asked, Interrupted> {
        let engine = &self.run.shared.engine;
        let timeout = timeout.or(self.tool_timeout()).unwrap_or(engine.limits().question_timeout);
        let remind_after_ms = self.run.entry.tool.spec().remind_after_ms;
        for ask in asks.iter_mut().filter(|ask| ask.remind_after_ms.is_none()) {
            ask.remind_after_ms = remind_after_ms;
        }
        let store = engine.store();
        let mut asked = self.run.asked.lock().await;
        let before = *asked;
        // Counted first, because a caller that drops this future has most likely asked.
        *asked += u32::try_from(asks.len()).unwrap_or(u32::MAX);
        let questions =
            patiently(self.given_back(), || store.ask(&self.run.claim, before + 1, &asks, Some(timeout)))
                .await;
        let questions = questions.map_err(|error| {
            *asked = before;
            EngineError::from(error)
        })?;
        let answers = questions.into_iter().map(|question| question.answer).collect();
        Ok(Option::map_or(answers, Asked::Open(before + 1..*asked + 1), Asked::Answered))
    }

    fn tool_timeout(&self) -> Option<Duration> {
        self.run.entry.tool.spec().question_timeout_ms.map(Duration::from_millis)
    }

    /// The answers to the questions at these positions, once all are there.
    async fn answers(&self, positions: Range<u32>) -> Result<Option<Vec<Answer>>, Interrupted> {
        let store = self.run.shared.engine.store();
        let (first, count) = (positions.start, positions.len() as u32);
        let known = patiently(self.given_back(), || store.answers(&self.run.claim, first, count)).await;
        known.map_err(|error| EngineError::from(error).into())
    }

    /// Gives the slot back: whoever waits for a person does not run.
    async fn begin_waiting(&self) {
        self.run.slot.lock().await.take();
    }

    /// Takes a slot again before the tool goes on.
    async fn end_waiting(&self, positions: Range<u32>) -> Result<(), Interrupted> {
        let mut slot = self.run.slot.lock().await;
        if slot.is_some() {
            return Ok(());
        }
        let Run { shared, entry, taken, .. } = &*self.run;
        *slot = shared.roster.take_again_now(entry);
        if slot.is_none() {
            *slot = Some(self.wait_for_slot().await?);
            // That took a while, and the task may have been cancelled or given to others: the answers are read
            // again under the claim.
            self.answers(positions).await?;
        }
        if taken.is_cancelled() { Err(Interrupted::Taken) } else { Ok(()) }
    }

    async fn wait_for_slot(&self) -> Result<Slot, Interrupted> {
        let Run { shared, entry, taken, .. } = &*self.run;
        tokio::select! {
            biased;
            () = taken.cancelled() => Err(Interrupted::Taken),
            () = shared.claims.given_back().cancelled() => Err(Interrupted::GivenBack),
            slot = shared.roster.take_again(entry) => slot.ok_or(Interrupted::GivenBack),
        }
    }
}

/// How a run misbehaves on purpose.
pub(super) trait Misconduct: Send + Sync {
    /// It misbehaves in these ways too from now on.
    fn begin(&self, faults: &[Fault]);

    /// The asking of these questions, as often as they are asked.
    fn rounds<'a>(
        &'a self,
        task: &'a TaskContext,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> Vec<BoxFuture<'a, Result<Asked, Interrupted>>>;
}

/// What asking led to.
pub(super) enum Asked {
    /// All answers were in the journal.
    Answered(Vec<Answer>),
    /// At least one of the questions at these positions is open.
    Open(Range<u32>),
}
