//! What is known of tasks beyond their own keys: the docket's queue, who could run them, and how their notifications
//! reach their clients. It is read for all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use super::docket::{GROUP, Workers};
use super::elicitation::Notifications;
use super::signs::Asking;
use super::{DeployedTask, Deployment, Details, FastmcpError, FastmcpResult};

/// Functions, or sessions, that are asked for in one round trip.
const AT_ONCE: usize = 100;

/// What is around the tasks of a docket.
struct Surroundings {
    /// Entries of the stream that no worker has taken.
    queued: u64,
    /// Entries that workers have taken and not finished.
    taken: u64,
    /// The living workers that know a function.
    able: BTreeMap<String, Vec<String>>,
    /// By session.
    notifications: BTreeMap<String, Notifications>,
}

impl Deployment {
    /// All that is known of the task whose id begins so.
    pub async fn show(&self, prefix: &str) -> FastmcpResult<Details> {
        let (task, workers) = (self.find(prefix).await?, self.workers().await?);
        let mut found = self.details(vec![task], &workers).await?;
        found
            .pop()
            .ok_or_else(|| FastmcpError::NoTask { id: prefix.to_owned(), docket: self.docket().to_owned() })
    }

    /// All that is known of those tasks, in their order.
    pub(super) async fn details(
        &self,
        tasks: Vec<DeployedTask>,
        workers: &Workers,
    ) -> FastmcpResult<Vec<Details>> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let (queued, taken) = self.queue().await?;
        let (able, notifications) = (self.able(&tasks, workers).await?, self.notifications(&tasks).await?);
        let around = Surroundings { queued, taken, able, notifications };
        Ok(tasks.into_iter().map(|task| around.details(task)).collect())
    }

    /// How many entries of the stream no worker has taken, and how many workers have.
    async fn queue(&self) -> FastmcpResult<(u64, u64)> {
        let stream = self.docket.key("stream");
        let mut reads = redis::pipe();
        reads.cmd("XLEN").arg(&stream).cmd("XPENDING").arg(&stream).arg(GROUP);
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let length: u64 = replies.next("XLEN", &mut notes)?.unwrap_or_default();
        let summary: Vec<redis::Value> = replies.next("XPENDING", &mut notes)?.unwrap_or_default();
        let taken = summary.first().and_then(|count| redis::from_redis_value_ref(count).ok());
        let taken = taken.unwrap_or_default();
        Ok((length.saturating_sub(taken), taken))
    }

    /// The living workers that know what those tasks run.
    async fn able(
        &self,
        tasks: &[DeployedTask],
        workers: &Workers,
    ) -> FastmcpResult<BTreeMap<String, Vec<String>>> {
        let functions: BTreeSet<String> = tasks.iter().map(|task| task.component.function()).collect();
        let functions: Vec<String> = functions.into_iter().collect();
        let mut found = BTreeMap::new();
        for some in functions.chunks(AT_ONCE) {
            let mut reads = redis::pipe();
            for function in some {
                reads.cmd("ZRANGE").arg(self.docket.key(&format!("task-workers:{function}"))).arg(0).arg(-1);
            }
            let mut replies = self.link.read(reads).await?;
            for function in some {
                let known: Option<Vec<String>> = replies.next("ZRANGE", &mut Vec::new())?;
                let alive = known.into_iter().flatten().filter(|worker| workers.is_alive(worker));
                found.insert(function.clone(), alive.collect());
            }
        }
        Ok(found)
    }

    /// The notifications for the sessions of those tasks that ask.
    async fn notifications(&self, tasks: &[DeployedTask]) -> FastmcpResult<BTreeMap<String, Notifications>> {
        let sessions: BTreeSet<String> = tasks.iter().filter_map(session).map(str::to_owned).collect();
        let sessions: Vec<String> = sessions.into_iter().collect();
        let mut found = BTreeMap::new();
        for some in sessions.chunks(AT_ONCE) {
            let mut reads = redis::pipe();
            for session in some {
                Notifications::ask(&self.docket, session, &mut reads);
            }
            let mut replies = self.link.read(reads).await?;
            for session in some {
                found.insert(session.clone(), Notifications::take(&mut replies)?);
            }
        }
        Ok(found)
    }
}

/// The session that a task's questions are sent to, where the generation keeps it.
fn session(task: &DeployedTask) -> Option<&str> {
    let is_sent = matches!(task.signs.asking, Asking::Elicitation { .. });
    task.session.as_deref().filter(|_| is_sent)
}

impl Surroundings {
    fn details(&self, task: DeployedTask) -> Details {
        let to = session(&task).and_then(|session| self.notifications.get(session));
        Details {
            ttl: task.signs.lifetimes(),
            delivery: to.map(|notifications| notifications.delivery(&task.id)),
            queued: self.queued,
            taken: self.taken,
            able_workers: self.able.get(&task.component.function()).cloned().unwrap_or_default(),
            has_result: task.signs.run.has_result,
            task,
        }
    }
}
