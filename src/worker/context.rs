//! What a running tool can do: read its arguments, ask, report.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::held::Signals;
use super::patience::patiently;
use super::{Interrupted, Shared};
use crate::engine::EngineError;
use crate::store::ClaimKey;
use crate::task::{Answer, Ask, Progress, Question, Task};

/// One run of a tool.
pub struct TaskContext {
    shared: Arc<Shared>,
    task: Task,
    claim: ClaimKey,
    signals: Signals,
    /// How many questions this run has asked. Locked while it asks, so that positions have no gaps.
    asked: Mutex<u32>,
    /// The worker's slot that the run holds while it does not wait.
    slot: Mutex<Option<OwnedSemaphorePermit>>,
}

impl TaskContext {
    pub(super) fn new(
        shared: Arc<Shared>,
        task: Task,
        claim: ClaimKey,
        signals: Signals,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { shared, task, claim, signals, asked: Mutex::new(0), slot: Mutex::new(Some(permit)) }
    }

    /// The task as it was when this run began.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The tool's arguments, checked against its input schema.
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.task.new.arguments
    }

    /// Fires when the task was cancelled or taken away: stop what cannot be undone.
    pub fn taken(&self) -> &CancellationToken {
        &self.signals.taken
    }

    /// Reports a step.
    pub async fn report(&self, progress: Progress) -> Result<(), Interrupted> {
        let store = self.shared.engine.store();
        let reported = patiently(&self.signals.given_back, || store.report(&self.claim, &progress)).await;
        reported.map_err(|error| EngineError::from(error).into())
    }

    /// Asks one question and waits for the answer, whoever gives it.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Interrupted> {
        let mut answers = self.ask_all(vec![ask]).await?;
        answers.pop().ok_or(Interrupted::Taken)
    }

    /// Asks several questions at once and waits until all are answered, in the order asked.
    pub async fn ask_all(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Interrupted> {
        self.ask_within(asks, None).await
    }

    /// [`TaskContext::ask_all`] with a time limit of its own in place of the tool's.
    pub async fn ask_within(
        &self,
        asks: Vec<Ask>,
        timeout: Option<Duration>,
    ) -> Result<Vec<Answer>, Interrupted> {
        let engine = &self.shared.engine;
        let mut follow = engine.hub().await?.follow(&self.claim.task);
        let asked = self.ask_once(&asks, timeout.or(self.tool_timeout())).await?;
        if let Some(answers) = answers(&asked) {
            return Ok(answers);
        }
        self.begin_waiting().await;
        let answers = loop {
            tokio::select! {
                () = self.signals.parked.cancelled() => return Err(Interrupted::GivenBack),
                () = follow.changed() => {}
            }
            if let Some(answers) = answers(&self.now(&asked).await?) {
                break answers;
            }
        };
        self.end_waiting().await?;
        Ok(answers)
    }

    async fn ask_once(&self, asks: &[Ask], timeout: Option<Duration>) -> Result<Vec<Question>, Interrupted> {
        let engine = &self.shared.engine;
        engine.check(asks)?;
        let timeout = Some(timeout.unwrap_or(engine.limits().question_timeout));
        let store = engine.store();
        let mut asked = self.asked.lock().await;
        let before = *asked;
        // Counted first, because a caller that drops this future has most likely asked.
        *asked += u32::try_from(asks.len()).unwrap_or(u32::MAX);
        let questions =
            patiently(&self.signals.given_back, || store.ask(&self.claim, before + 1, asks, timeout)).await;
        questions.map_err(|error| {
            *asked = before;
            EngineError::from(error).into()
        })
    }

    fn tool_timeout(&self) -> Option<Duration> {
        let spec = self.shared.config.tools.get(&self.task.new.tool)?.spec();
        spec.question_timeout_ms.map(Duration::from_millis)
    }

    /// The same questions as they are now.
    async fn now(&self, asked: &[Question]) -> Result<Vec<Question>, Interrupted> {
        let store = self.shared.engine.store();
        let task = patiently(&self.signals.given_back, || store.get(&self.claim.task)).await;
        let task = task.map_err(EngineError::from)?.ok_or(Interrupted::Taken)?;
        if task.attempt != self.claim.attempt || task.worker.is_none() {
            return Err(Interrupted::Taken);
        }
        let known = asked.iter().map(|question| task.question(&question.id).cloned());
        known.collect::<Option<Vec<_>>>().ok_or(Interrupted::Taken)
    }

    /// Gives the slot back: whoever waits for a person does not run.
    async fn begin_waiting(&self) {
        self.slot.lock().await.take();
    }

    /// Takes a slot again before the tool goes on.
    async fn end_waiting(&self) -> Result<(), Interrupted> {
        let mut slot = self.slot.lock().await;
        if slot.is_none() {
            let permit = self.shared.slots.clone().acquire_owned().await;
            *slot = Some(permit.map_err(|_| Interrupted::GivenBack)?);
        }
        Ok(())
    }
}

fn answers(questions: &[Question]) -> Option<Vec<Answer>> {
    questions.iter().map(|question| question.answer.clone()).collect()
}
