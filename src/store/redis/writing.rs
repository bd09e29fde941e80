//! The verbs that change something: what each sends to its script, and what it makes of the reply.

use std::time::Duration;

use tokio::time::Instant;

use super::{RedisStore, codec};
use crate::store::gate::{self, Kind};
use crate::store::{
    ClaimKey, IdleWorker, MAX_OPEN_QUESTIONS, Requeue, StoreError, StoreResult, TaskFilter, WorkerDetails,
    waiting,
};
use crate::task::{
    Answer, Answerer, Ask, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId,
    TaskStatus, ToolSpec, WorkerId,
};

/// The largest question that the log repeats, in bytes; a larger one is only in its task.
pub(super) const LOGGED_QUESTION_BYTES: usize = 8 * 1024;

/// Queues that a submission looks at for older tasks. A worker of more tools claims by itself.
const TOOLS_AT_ONCE: usize = 500;

/// Tasks that are looked at in one step when their tools are withdrawn.
const STRANDED_AT_ONCE: usize = 200;

/// How long a withdrawal waits for a worker to write anew which tools it offers: each renews its lease more often.
const RENEWED: Duration = Duration::from_secs(6);

/// After how long each question's reminder is due, as `ask.lua` takes it: mostly no question has one.
fn reminders(asks: &[Ask]) -> String {
    if asks.iter().all(|ask| ask.remind_after_ms.is_none()) {
        return String::new();
    }
    let millis: Vec<_> = asks.iter().map(|ask| ask.remind_after_ms.unwrap_or_default().to_string()).collect();
    millis.join(" ")
}

impl RedisStore {
    pub(super) async fn write_task(
        &self,
        new: &NewTask,
        most_open: u32,
        idle: Option<&IdleWorker>,
    ) -> StoreResult<Task> {
        gate::label("the tool", &new.tool)?;
        gate::label("the scope", new.scope.as_str())?;
        let json = gate::json(Kind::Task, new)?;
        let session = new.session.as_ref().map_or("", |session| session.as_str());
        let mut call = self.invocation(&self.scripts.submit);
        call.arg(new.id.as_str()).arg(json).arg(&new.tool).arg(session).arg(new.scope.as_str());
        call.arg(u8::from(new.hidden)).arg(codec::optional(new.ttl_ms)).arg(new.max_attempts).arg(most_open);
        let idle = idle.filter(|idle| idle.offers(new) && idle.tools.len() <= TOOLS_AT_ONCE);
        if let Some(IdleWorker { worker, tools }) = idle {
            let claimed = serde_json::json!({ "worker": worker, "attempt": 1 });
            call.arg(worker.as_str()).arg(claimed.to_string()).arg(tools);
        }
        let mut reply = self.verb(&call).await?;
        let mut word = reply.word().to_owned();
        if word == "no_namespace" {
            // It vanished since this process opened it; a task that is there before it would count as one that was lost.
            self.begin_again().await?;
            reply = self.verb(&call).await?;
            reply.word().clone_into(&mut word);
        }
        match word.as_str() {
            "ok" => {
                self.sweep_later(new.scope.as_str());
                let task = Task::queued(new.clone(), codec::timestamp(reply.number()));
                let claimed_at = Some(reply.number()).filter(|at| *at > 0).map(codec::timestamp);
                Ok(match (idle, claimed_at) {
                    (Some(idle), Some(at)) => task.begun_by(idle.worker.clone(), at),
                    _ => task,
                })
            }
            "too_many" => Err(StoreError::TooManyTasks { limit: most_open }),
            "no_namespace" => Err(StoreError::NoStore { location: self.location_text() }),
            _ => Err(self.broken(format!("there is already a task {}", new.id))),
        }
    }

    pub(super) async fn write_progress(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        gate::progress(progress)?;
        let mut call = self.invocation(&self.scripts.report);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(gate::json(Kind::Progress, progress)?);
        call.arg(progress.message.as_deref().unwrap_or_default());
        self.verb(&call).await?.claimed(claim)
    }

    pub(super) async fn write_questions(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        let mut call = self.invocation(&self.scripts.ask);
        let timeout = timeout.map(|timeout| timeout.as_millis() as u64);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(first).arg(codec::optional(timeout));
        call.arg(reminders(asks));
        for ask in asks {
            let json = gate::json(Kind::Question, ask)?;
            let logged = if json.len() > LOGGED_QUESTION_BYTES { "" } else { &json };
            call.arg(&json).arg(ask.fingerprint()).arg(logged);
        }
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => self.asked(reply, first, asks),
            "differs" => {
                let question = QuestionId::at(reply.number() as u32);
                Err(StoreError::JournalDiffers { task: claim.task.clone(), question })
            }
            "too_many" => {
                let limit = usize::try_from(reply.number()).unwrap_or(MAX_OPEN_QUESTIONS);
                Err(StoreError::TooManyQuestions { task: claim.task.clone(), limit })
            }
            "gap" => Err(self.broken(format!("question {first} follows question {}", reply.number()))),
            _ => Err(reply.refusal(claim)),
        }
    }

    /// The questions as they stand: those that were asked before as the reply has them, the others as they were just
    /// asked.
    fn asked(&self, mut reply: super::Reply, first: u32, asks: &[Ask]) -> StoreResult<Vec<Question>> {
        let asked_at = codec::timestamp(reply.number());
        let deadline = Some(reply.number()).filter(|until| *until > 0).map(codec::timestamp);
        let known = reply.rest();
        (first..)
            .zip(asks)
            .enumerate()
            .map(|(at, (position, ask))| {
                if let Some(fields) = known.get(at) {
                    return self.decode(codec::question(position, fields));
                }
                Ok(Question {
                    id: QuestionId::at(position),
                    ask: ask.clone(),
                    asked_at,
                    deadline,
                    answer: None,
                })
            })
            .collect()
    }

    pub(super) async fn write_answer(
        &self,
        task: &TaskId,
        question: &QuestionId,
        answer: &Answer,
    ) -> StoreResult<Answer> {
        let position = waiting::position(task, question)?;
        let reason = answer.reason.as_deref().map(gate::reason);
        answer.who.as_deref().map_or(Ok(()), gate::who)?;
        let answer = Answer { reason, ..answer.clone() };
        let mut detail = serde_json::json!({
            "question": question, "action": answer.action, "by": answer.by, "reason": answer.reason
        });
        if let Some(who) = &answer.who {
            detail["who"] = serde_json::json!(who);
        }
        let mut call = self.invocation(&self.scripts.answer);
        call.arg(task.as_str()).arg(position).arg(gate::json(Kind::Answer, &answer)?).arg(detail.to_string());
        call.arg(u8::from(answer.by == Answerer::Timeout));
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => Ok(Answer { at: codec::timestamp(reply.number()), ..answer }),
            _ => Err(reply.unopened(task, question)),
        }
    }

    pub(super) async fn write_outcome(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        let json = gate::json(Kind::Outcome, outcome)?;
        let (status, kind, detail) = codec::ending(outcome);
        let mut call = self.invocation(&self.scripts.finish);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(status).arg(json).arg(kind).arg(detail);
        self.verb(&call).await?.claimed(claim)
    }

    pub(super) async fn give_back(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        let last = requeue.last_outcome();
        let json = gate::json(Kind::Outcome, &last)?;
        let (status, kind, detail) = codec::ending(&last);
        let delay = requeue.delay.map(|delay| delay.as_millis() as u64);
        let mut call = self.invocation(&self.scripts.requeue);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(gate::reason(&requeue.reason));
        call.arg(u8::from(requeue.counts))
            .arg(codec::optional(delay))
            .arg(status)
            .arg(json)
            .arg(kind)
            .arg(detail);
        self.verb(&call).await?.claimed(claim)
    }

    pub(super) async fn end_task(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        let mut call = self.invocation(&self.scripts.cancel);
        let mut reply = self.verb(call.arg(task.as_str()).arg(gate::reason(reason))).await?;
        match reply.word() {
            "ok" => Ok(()),
            "unreadable" => self.scrub(task).await,
            "no_task" if self.is_indexed(task).await? => self.scrub(task).await,
            _ => Err(reply.unclaimed(task)),
        }
    }

    pub(super) async fn delete_task(&self, task: &TaskId) -> StoreResult<()> {
        let retention = self.retention();
        let mut call = self.invocation(&self.scripts.expire);
        call.arg(task.as_str())
            .arg(codec::optional(retention.map(|kept| kept.millis())))
            .arg(codec::optional(retention.map(|kept| kept.bytes)));
        let reply = self.verb(&call).await?;
        if reply.word() == "ok" { Ok(()) } else { self.scrub(task).await }
    }

    pub(super) async fn prune_task(&self, task: &TaskId) -> StoreResult<bool> {
        let mut call = self.invocation(&self.scripts.expire);
        let mut reply = self.verb(call.arg(task.as_str()).arg("").arg("").arg("ended")).await?;
        match reply.word() {
            "ok" => Ok(true),
            "unfinished" => Ok(false),
            _ => Err(reply.unclaimed(task)),
        }
    }

    /// Removes what is left of a task that is damaged or lost: no verb can go on with it.
    async fn scrub(&self, task: &TaskId) -> StoreResult<()> {
        let members = self.members_of(task).await?;
        tracing::warn!(%task, "what is left of a task that cannot be read is removed");
        self.verb(self.invocation(&self.scripts.scrub).arg(task.as_str()).arg(members)).await.map(drop)
    }

    pub(super) async fn write_worker(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()> {
        // The namespace may have vanished since this process opened it.
        self.begin_again().await?;
        let names: Vec<_> = tools.iter().map(|tool| &tool.name).collect();
        let mut call = self.invocation(&self.scripts.enlist);
        call.arg(worker.as_str()).arg(lease.as_millis() as u64).arg(gate::json(Kind::Tool, &names)?);
        let details = details.cloned().unwrap_or_default();
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        call.arg(gate::reason(details.host.as_deref().unwrap_or_default()));
        call.arg(number(details.process)).arg(number(details.slots));
        for tool in tools {
            gate::label("the tool", &tool.name)?;
            call.arg(&tool.name).arg(gate::json(Kind::Tool, tool)?);
        }
        let mut reply = self.verb(&call).await?;
        let may_be_lost = reply.number() == 1;
        self.tell_of_keys(&reply.rest_as_texts());
        if may_be_lost {
            self.mend_if_possible(&[]).await;
        }
        Ok(())
    }

    /// Forgets tools, then ends the tasks that waited for them, one after the other.
    pub(super) async fn forget_tools(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        let gone = self.forget(tools).await?;
        if gone.is_empty() {
            return Ok(());
        }
        let outcome = Outcome::Error(error.clone());
        let (_, _, detail) = codec::ending(&outcome);
        let json = gate::json(Kind::Outcome, &outcome)?;
        for task in self.waiting_for(&gone).await? {
            let mut call = self.invocation(&self.scripts.strand);
            self.verb(call.arg(task.id().as_str()).arg(&task.new.tool).arg(&json).arg(&detail)).await?;
        }
        self.verb(self.invocation(&self.scripts.drop).arg(gone)).await.map(drop)
    }

    /// Forgets those of these tools that no living worker offers. What one offers may be unreadable until its next
    /// renewal; one that does not renew offers nothing that anybody can know.
    async fn forget(&self, tools: &[String]) -> StoreResult<Vec<String>> {
        let began = Instant::now();
        loop {
            let waited = began.elapsed() >= RENEWED;
            let mut call = self.invocation(&self.scripts.withdraw);
            let mut reply = self.verb(call.arg(u8::from(waited)).arg(tools)).await?;
            if reply.word() == "ok" {
                return Ok(reply.rest_as_texts());
            }
            let worker = reply.text();
            tracing::debug!(worker, "what a living worker offers cannot be read, until it renews its lease");
            tokio::time::sleep(RENEWED / 20).await;
        }
    }

    /// The tasks of these tools that no worker holds.
    async fn waiting_for(&self, tools: &[String]) -> StoreResult<Vec<Task>> {
        let filter = TaskFilter { status: Some(TaskStatus::Working), hidden: true, ..TaskFilter::default() };
        let asking = TaskFilter { status: Some(TaskStatus::InputRequired), ..filter.clone() };
        let mut waiting = Vec::new();
        for filter in [filter, asking] {
            let mut after = None;
            loop {
                let page = self.read_page(&filter, after.as_ref(), STRANDED_AT_ONCE).await?;
                let tasks = page.tasks.into_iter();
                waiting.extend(tasks.filter(|task| task.worker.is_none() && tools.contains(&task.new.tool)));
                let Some(next) = page.next else { break };
                after = Some(next);
            }
        }
        Ok(waiting)
    }
}
