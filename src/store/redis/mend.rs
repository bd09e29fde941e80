//! Bringing back what can be told by the tasks' own records, after somebody overwrote the keys that have it or Redis
//! evicted them: who holds which task, and what is queued. Nobody waits for a person to mend it.

use std::time::Duration;

use super::RedisStore;
use super::connection::is_wrong_type;
use crate::store::StoreResult;
use crate::task::{TaskId, WorkerId};

/// Tasks that are looked at in one step.
pub(super) const AT_ONCE: usize = 200;

/// The lease of a worker that tasks name and the list of leases does not: one that lives renews its own before that.
const FOUND_LEASE: Duration = Duration::from_secs(15);

impl RedisStore {
    /// Goes through all tasks that have not ended. What `workers` hold is known again when this is done.
    pub(super) async fn mend(&self, workers: &[String]) -> StoreResult<()> {
        let mut tasks = 0;
        for begins in ["l:", "h:"] {
            let mut from = Some(format!("[{begins}"));
            while let Some(first) = from {
                let members = self.range(&first, &format!("({begins}\u{7f}"), AT_ONCE).await?;
                tasks += self.mend_some(&members).await?;
                from = members.last().filter(|_| members.len() == AT_ONCE).map(|last| format!("({last}"));
            }
        }
        if !workers.is_empty() {
            let anew: Vec<String> = self.call(self.invocation(&self.scripts.mended).arg(workers)).await?;
            self.tell_of_keys(&anew);
        }
        if tasks > 0 {
            tracing::warn!(tasks, "where tasks are had been lost, and was told again by their records");
        }
        Ok(())
    }

    /// The same for the tasks of these members of the index; how many got back.
    pub(super) async fn mend_some(&self, members: &[String]) -> StoreResult<u64> {
        let ids: Vec<&str> = members.iter().filter_map(|member| member.rsplit(':').next()).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let mut call = self.invocation(&self.scripts.mend);
        let reply = self.verb(call.arg(FOUND_LEASE.as_millis() as u64).arg(ids)).await?;
        let tasks = reply.word().parse().unwrap_or_default();
        self.tell_of_keys(&reply.rest_as_texts());
        Ok(tasks)
    }

    /// [`RedisStore::mend`] after something else was done, which counts whether this can be done now or not: who needs
    /// it finds it missing again.
    pub(super) async fn mend_if_possible(&self, workers: &[String]) {
        if let Err(error) = self.mend(workers).await {
            tracing::warn!(%error, "where tasks are was lost, and cannot be told again now");
        }
    }

    /// Says which keys were made anew.
    pub(super) fn tell_of_keys(&self, anew: &[String]) {
        for name in anew {
            let (key, kept) = (self.key(name), self.key(&format!("damaged:{name}")));
            tracing::warn!(
                key,
                kept,
                "a key had another type than it is given here; it was moved, and made anew"
            );
        }
    }

    /// The tasks that a worker holds by its own key, which is mended where it is none or was lost.
    pub(super) async fn held(&self, worker: &WorkerId) -> StoreResult<Vec<TaskId>> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(self.key(&format!("held:{worker}")));
        let held: StoreResult<Vec<String>> = self.command(&members).await;
        let held = match held {
            Err(error) if !is_wrong_type(&error) => return Err(error),
            Ok(held) if held.iter().any(String::is_empty) => held,
            _ => {
                self.mend(&[worker.to_string()]).await?;
                self.command(&members).await?
            }
        };
        Ok(held.iter().filter_map(|id| id.parse().ok()).collect())
    }
}
