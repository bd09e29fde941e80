//! Taking tasks off their queues, and waiting for some where there are none.
//!
//! Redis wakes one of those who wait for each new task, and only a script claims. So that a task costs one claim, a
//! worker looks again only when it may have missed something: its last claim said whether it left anything queued, and
//! what came since wakes whoever waits. For the same reason its wait outlives a claim that is called off. Where Redis
//! then chooses it although it can take nothing, the wake-up is passed on to another worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{RedisStore, codec, connection};
use crate::store::gate;
use crate::store::{StoreError, StoreResult};
use crate::task::{Task, WorkerId};

/// What is known of some queues.
#[derive(Default)]
pub(super) enum Queues {
    /// Nothing: the next claim looks.
    #[default]
    Unknown,
    /// All that was queued was taken, and nobody has waited for more since then.
    Empty(Waiter),
    /// The same, and Redis knows who waits.
    Awaited(Wait),
}

/// Who waits, and for tasks of which tools.
#[derive(Clone, PartialEq)]
pub(super) struct Waiter {
    worker: WorkerId,
    tools: Vec<String>,
}

/// A wait that goes on whether a claim wants its end or not.
pub(super) struct Wait {
    who: Waiter,
    phase: Arc<Mutex<Phase>>,
    task: JoinHandle<StoreResult<()>>,
}

/// Whether a claim wants to know of the wake-up.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// One does.
    Wanted,
    /// None does now: it is passed on.
    Unwanted,
    /// It came while one did.
    Over,
}

impl Wait {
    /// Begins to wait.
    fn begin(store: &RedisStore, who: Waiter) -> Self {
        let phase = Arc::new(Mutex::new(Phase::Wanted));
        let task = tokio::spawn(wait(store.clone(), who.tools.clone(), phase.clone()));
        Self { who, phase, task }
    }

    /// Says from now on whether somebody wants its end; what was said before.
    fn turn(&self, to: Phase) -> Phase {
        let mut phase = locked(&self.phase);
        if *phase == Phase::Over { Phase::Over } else { std::mem::replace(&mut phase, to) }
    }
}

impl Drop for Wait {
    /// Its task goes on for its bounded time, and passes on what comes.
    fn drop(&mut self) {
        self.turn(Phase::Unwanted);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for one wake-up, or for the bound of such a wait, and passes on what nobody wants.
async fn wait(store: RedisStore, tools: Vec<String>, phase: Arc<Mutex<Phase>>) -> StoreResult<()> {
    let woken = store.ready(&tools).await;
    let wanted = std::mem::replace(&mut *locked(&phase), Phase::Over) == Phase::Wanted;
    if wanted {
        return woken.map(drop);
    }
    if woken? { store.wake_another(&tools).await } else { Ok(()) }
}

impl RedisStore {
    pub(super) async fn wait_to_claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        if tools.is_empty() {
            // There is no stream to wait on, and Redis refuses to wait on none.
            stop.cancelled().await;
        }
        let who = Waiter { worker: worker.clone(), tools: tools.to_vec() };
        while !stop.is_cancelled() {
            if let Some(wait) = self.wait_of(&who).await? {
                self.wait_until(wait, stop).await?;
                continue;
            }
            let (claimed, more) = self.claim_now(&who, most).await?;
            if !more {
                *locked(&self.queues) = Queues::Empty(who.clone());
            }
            if !claimed.is_empty() {
                return Ok(claimed);
            }
        }
        Ok(Vec::new())
    }

    /// The wait for what comes, where nothing that is there already can have been missed. What is known of the queues is
    /// not known any more.
    async fn wait_of(&self, who: &Waiter) -> StoreResult<Option<Wait>> {
        let known = std::mem::take(&mut *locked(&self.queues));
        match known {
            Queues::Empty(waiter) if waiter == *who => Ok(Some(Wait::begin(self, waiter))),
            Queues::Awaited(wait) if wait.who == *who && wait.turn(Phase::Wanted) != Phase::Over => {
                Ok(Some(wait))
            }
            other => self.leave(other).await.map(|()| None),
        }
    }

    /// Waits for a wake-up. Where `stop` fires before, the wait is kept for the next claim.
    async fn wait_until(&self, mut wait: Wait, stop: &CancellationToken) -> StoreResult<()> {
        tokio::select! {
            biased;
            () = stop.cancelled() => self.keep(wait).await,
            ended = &mut wait.task => ended.map_err(|error| self.broken(error))?,
        }
    }

    /// Keeps a wait that was called off for the next claim.
    async fn keep(&self, wait: Wait) -> StoreResult<()> {
        if wait.turn(Phase::Unwanted) == Phase::Over {
            return self.wake_another(&wait.who.tools).await;
        }
        let other = std::mem::replace(&mut *locked(&self.queues), Queues::Awaited(wait));
        self.leave(other).await
    }

    /// Ends a wait that is of no use any more. Redis may just have chosen who waits, and wakes no other for the same
    /// task.
    async fn leave(&self, queues: Queues) -> StoreResult<()> {
        let Queues::Awaited(wait) = queues else { return Ok(()) };
        if wait.turn(Phase::Over) == Phase::Over {
            // It has passed on what it got.
            return Ok(());
        }
        wait.task.abort();
        self.wake_another(&wait.who.tools).await
    }

    /// Ends the wait of a worker that leaves.
    pub(super) async fn stop_waiting(&self, worker: &WorkerId) -> StoreResult<()> {
        let queues = {
            let mut queues = locked(&self.queues);
            match &*queues {
                Queues::Awaited(wait) if wait.who.worker == *worker => std::mem::take(&mut *queues),
                _ => Queues::Unknown,
            }
        };
        self.leave(queues).await
    }

    /// Passes a wake-up on.
    async fn wake_another(&self, tools: &[String]) -> StoreResult<()> {
        self.verb(self.invocation(&self.scripts.wake).arg(tools)).await.map(drop)
    }

    /// Claims what is queued now, and whether more is. A task that cannot be read is parked.
    async fn claim_now(&self, who: &Waiter, most: usize) -> StoreResult<(Vec<Task>, bool)> {
        let mut call = self.invocation(&self.scripts.claim);
        let worker = serde_json::json!(who.worker);
        call.arg(who.worker.as_str())
            .arg(most)
            .arg(format!(r#"{{"worker":{worker},"attempt":"#))
            .arg(&who.tools);
        let mut reply = self.verb(&call).await?;
        if reply.word() == "no_lease" {
            return Err(StoreError::LeaseEnded { worker: who.worker.clone() });
        }
        let more = reply.number() == 1;
        let anew = reply.texts();
        if !anew.is_empty() {
            self.tell_of_keys(&anew);
            self.mend_if_possible(&[who.worker.to_string()]).await;
        }
        let mut tasks = Vec::new();
        for row in reply.rest() {
            match codec::claimed(row, &who.worker) {
                Ok(task) => tasks.push(task),
                Err(bad) => {
                    tracing::warn!(name = bad.name, problem = bad.problem, "cannot be read, and is not run");
                    if let Some(attempt) = bad.attempt {
                        let mut call = self.invocation(&self.scripts.park);
                        self.verb(call.arg(bad.name).arg(attempt).arg(gate::reason(&bad.problem))).await?;
                    }
                }
            }
        }
        Ok((tasks, more))
    }

    /// Waits until one of the ready streams gets an entry, for a bounded time; whether one did. One of those who wait is
    /// woken for each.
    async fn ready(&self, tools: &[String]) -> StoreResult<bool> {
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg("workers").arg("any").arg("COUNT").arg(1);
        command.arg("BLOCK").arg(connection::BLOCK.as_millis() as u64).arg("NOACK").arg("STREAMS");
        for tool in tools {
            command.arg(self.key(&format!("ready:{tool}")));
        }
        command.arg(vec![">"; tools.len()]);
        match self.connection.waiting::<Value>(&command).await {
            Ok(reply) => Ok(reply != Value::Nil),
            // The second one is what Redis 7.0 says to who waits for a queue that goes.
            Err(StoreError::Backend { problem, .. })
                if problem.contains("NOGROUP") || problem.contains("UNBLOCKED") =>
            {
                self.make_groups(tools).await?;
                tracing::warn!(?tools, "the queue of a tool was lost, and was made anew");
                self.mend_if_possible(&[]).await;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the groups that wake workers anew: an eviction or a flush took them.
    async fn make_groups(&self, tools: &[String]) -> StoreResult<()> {
        for tool in tools {
            let mut command = redis::cmd("XGROUP");
            command
                .arg("CREATE")
                .arg(self.key(&format!("ready:{tool}")))
                .arg("workers")
                .arg("0")
                .arg("MKSTREAM");
            match self.command::<Value>(&command).await {
                Err(StoreError::Backend { problem, .. }) if problem.contains("BUSYGROUP") => {}
                done => done.map(drop)?,
            }
        }
        Ok(())
    }
}
