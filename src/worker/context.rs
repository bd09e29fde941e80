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
use super::misbehaviour::Misbehaviour;
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
    misbehaviour: Misbehaviour,
    /// The slot that the run holds while it does not wait.
    slot: Mutex<Option<Slot>>,
}

impl TaskContext {
    pub(super) fn new(
        shared: Arc<Shared>,
        entry: Arc<Entry>,
        task: Task,
        taken: CancellationToken,
        slot: Slot,
    ) -> Self {
        let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
        let misbehaviour = Misbehaviour::new(&shared.config.faults);
        let (asked, clock, slot) = (Mutex::new(0), OnceLock::new(), Mutex::new(Some(slot)));
        let arguments = Value::Object(task.new.arguments).to_string().into();
        let run = Run { shared, entry, claim, arguments, taken, asked, clock, misbehaviour, slot };
        Self { run: Box::new(run) }
    }

    /// The run's clock. Whoever wants it takes it before the run asks anything.
    pub(super) fn clock(&self) -> Arc<RunClock> {
        self.run.clock.get_or_init(Arc::default).clone()
    }

    /// Misbehaves in this way from now on. What does not lie with the worker is left to the server, which
    /// reads of it in the log.
    pub async fn misbehave(&self, fault: Fault) -> Result<(), Interrupted> {
        self.run.misbehaviour.begin(fault);
        self.note(&fault.note()).await
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
        self.run.shared.held.given_back()
    }

    /// Writes a remark to the event log; the status message stays.
    pub fn note(&self, note: &str) -> impl Future<Output = Result<(), Interrupted>> + Send {
        let Run { shared, claim, .. } = &*self.run;
        Box::pin(async move {
            let store = shared.engine.store();
            let noted = patiently(shared.held.given_back(), || store.note(&claim.task, note)).await;
            noted.map_err(|error| EngineError::from(error).into())
        })
    }

    /// Reports a step.
    pub fn report(&self, progress: Progress) -> impl Future<Output = Result<(), Interrupted>> + Send {
        let Run { shared, claim, .. } = &*self.run;
        Box::pin(async move {
            let store = shared.engine.store();
            let reported = patiently(shared.held.given_back(), || store.report(claim, &progress)).await;
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
        let again = self.run.misbehaviour.asks_twice().then(|| self.ask_once(asks.clone(), timeout).boxed());
        let asking = self.ask_once(asks, timeout).boxed();
        Box::pin(async move {
            let answers = self.wait_for_answers(asking).await?;
            match again {
                Some(again) => Box::pin(self.wait_for_answers(again)).await,
                None => Ok(answers),
            }
        })
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
        self.run.misbehaviour.crash()?;
        let _stopped = self.run.clock.get().map(|clock| clock.stop());
        Box::pin(self.begin_waiting()).await;
        let answers = loop {
            // A worker that stops wakes all who follow, once it has said so.
            let parked = self.run.shared.held.parked();
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
        Box::pin(self.end_waiting()).await?;
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
        let engine = &self.run.shared.engine;
        engine.check(&asks)?;
        let asks = self.run.misbehaviour.distort(asks);
        let timeout = timeout.or(self.tool_timeout()).unwrap_or(engine.limits().question_timeout);
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
    async fn end_waiting(&self) -> Result<(), Interrupted> {
        let mut slot = self.run.slot.lock().await;
        if slot.is_none() {
            *slot = Some(self.run.shared.roster.take(&self.run.entry).await.ok_or(Interrupted::GivenBack)?);
        }
        Ok(())
    }
}

/// What asking led to.
enum Asked {
    /// All answers were in the journal.
    Answered(Vec<Answer>),
    /// At least one of the questions at these positions is open.
    Open(Range<u32>),
}
