//! Causes at tasks of one's own.

use jiff::Timestamp;

use super::super::failure::Failure;
use super::super::ui::{event, time};
use super::Finding;
use crate::engine::{Engine, Viewer};
use crate::store::{TaskFilter, WorkerInfo};
use crate::task::{Question, Task, TaskStatus};

/// A ttl that ends sooner is worth saying, in seconds.
const NEAR_SECONDS: i64 = 300;

/// Queued tasks that are counted.
const MOST: usize = 1000;

/// What all tasks have in common: the workers, and the queue.
pub(super) struct Checkup {
    workers: Vec<WorkerInfo>,
    queued: Vec<Task>,
    now: Timestamp,
}

impl Checkup {
    /// Looks at workers and queue.
    pub(super) async fn begin(engine: &Engine) -> Result<Self, Failure> {
        let filter = TaskFilter {
            status: Some(TaskStatus::Working),
            oldest_first: true,
            hidden: true,
            ..TaskFilter::default()
        };
        let page = engine.list(&Viewer::Operator, filter, None, MOST).await?;
        let queued = page.tasks.into_iter().filter(|task| task.worker.is_none()).collect();
        Ok(Self { workers: engine.store().workers().await?.rows, queued, now: Timestamp::now() })
    }

    /// The causes at one task.
    pub(super) fn of(&self, task: &Task) -> Vec<Finding> {
        let mut found = Vec::new();
        match task.status {
            TaskStatus::Working if task.worker.is_some() => found.extend(self.running(task)),
            TaskStatus::Working => found.push(self.queued(task)),
            TaskStatus::InputRequired => {
                found.extend(task.open_questions().map(|question| self.asked(task, question)));
            }
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => return found,
        }
        if let Some(failure) = task.last_failure.as_ref().filter(|_| task.attempt >= task.new.max_attempts) {
            let attempts =
                format!("attempt {} of {}; the last one: {failure}", task.attempt, task.new.max_attempts);
            found.push(finding(task, "last_attempt", attempts, "if this one fails too, the task fails"));
        }
        let left = task.expires_at().map(|at| at.as_second() - self.now.as_second());
        if let Some(left) = left.filter(|left| *left < NEAR_SECONDS) {
            let evidence = format!("its ttl ends in {}", time::rough(left.max(0) as u64));
            found.push(finding(task, "ttl_near_end", evidence, "launch it with a longer ttl"));
        }
        found
    }

    fn running(&self, task: &Task) -> Option<Finding> {
        let worker = task.worker.as_ref()?;
        let lease = self.workers.iter().find(|info| info.id == *worker).map(|info| info.lease_ms);
        let evidence = match lease {
            Some(left) if left > 0 => return None,
            Some(_) => format!("worker {worker} has let its lease end"),
            None => format!("worker {worker} is gone"),
        };
        let help = "another worker takes it over by itself; if none runs, start one: `mcptask worker`";
        Some(finding(task, "worker_dead", evidence, help))
    }

    fn queued(&self, task: &Task) -> Finding {
        let tool = &task.new.tool;
        let able: Vec<_> =
            self.workers.iter().filter(|info| info.lease_ms > 0 && info.tools.contains(tool)).collect();
        if able.is_empty() {
            let evidence = format!("no living worker offers the tool {tool}");
            return finding(
                task,
                "no_worker_offers",
                evidence,
                "start a worker that has it: `mcptask worker`",
            );
        }
        if let Some(answer) = task.questions.iter().rev().find_map(|question| question.answer.as_ref()) {
            let when = time::relative(answer.at, self.now);
            let evidence = format!("answered by {} {when}, and no worker has taken it up yet", answer.by);
            return finding(
                task,
                "answered_not_woken",
                evidence,
                "wait for a free slot, or start more workers",
            );
        }
        let before = self.queued.iter().filter(|other| other.created_at < task.created_at).count();
        let busy: u64 = able.iter().map(|info| info.tasks).sum();
        let evidence = format!("queued behind {before} task(s); {} worker(s) run {busy}", able.len());
        finding(task, "queued_behind", evidence, "start more workers: `mcptask worker`")
    }

    fn asked(&self, task: &Task, question: &Question) -> Finding {
        let when = time::relative(question.asked_at, self.now);
        let by = match &task.new.session {
            Some(session) => format!("of session {session}"),
            None => "that polls it, without a session".to_owned(),
        };
        let evidence = format!(
            "question {} was asked {when}; its user, at the client {by}, has not answered",
            question.id
        );
        let help = format!(
            "`mcptask respond {0}` answers it from here; `mcptask show {0}` tells what became of the prompt",
            event::short_id(task.id())
        );
        finding(task, "question_open", evidence, &help)
    }
}

fn finding(task: &Task, cause: &'static str, evidence: String, help: &str) -> Finding {
    Finding { source: "mcptask", task: Some(task.id().to_string()), cause, evidence, help: help.to_owned() }
}
