//! Causes at tasks of one's own.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::desk::failure::Failure;
use crate::desk::place::STORE;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::{page, text, time};
use crate::engine::{Engine, Viewer};
use crate::store::{EventFilter, Rows, TaskFilter, Trouble, Unreadable, WorkerInfo};
use crate::task::{Cursor, EventKind, Outcome, Question, Task, TaskStatus, WorkerId};

/// A ttl that ends sooner is worth saying, in seconds.
const NEAR_SECONDS: i64 = 300;

/// The cause of a store that refuses what is written.
pub(super) const REFUSES_WRITES: &str = "store_refuses_writes";

/// The cause of a task that nobody runs though it is claimed.
pub(super) const WORKER_DEAD: &str = "worker_dead";

/// An idle worker takes a task much sooner.
const TAKEN_WITHIN: SignedDuration = SignedDuration::from_secs(3);

/// Queued tasks that are counted.
const MOST: usize = 1000;

/// Events of a task that are read at once.
const PAGE: usize = 500;

/// What all tasks have in common: the workers, and the queue.
pub(super) struct Checkup {
    engine: Engine,
    workers: Rows<WorkerInfo>,
    queued: Vec<Task>,
    /// How many tasks that wait for nobody each worker holds: those that it runs, and those that wait for a slot of it.
    held: HashMap<WorkerId, u32>,
    now: Timestamp,
}

/// What is wrong with the store itself.
pub(super) async fn of_health(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    Ok(engine.store().health().await?.into_iter().map(of_trouble).collect())
}

/// Whether the store refuses what is written, and why.
pub(super) async fn of_refusal(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    Ok(of_health(engine).await?.into_iter().filter(|one| one.cause == REFUSES_WRITES).collect())
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
        let (mut queued, mut held) = (Vec::new(), HashMap::<_, u32>::new());
        for task in page.tasks {
            match &task.worker {
                Some(worker) => *held.entry(worker.clone()).or_default() += 1,
                None => queued.push(task),
            }
        }
        let workers = engine.store().workers().await?;
        Ok(Self { engine: engine.clone(), workers, queued, held, now: Timestamp::now() })
    }

    /// What is wrong with what the store says of tools and workers.
    pub(super) async fn of_store(&self) -> Result<Vec<Finding>, Failure> {
        let mut found = Vec::new();
        let tools = self.engine.store().tools().await?.unreadable;
        found.extend(tools.iter().map(|one| {
            of_unreadable(&format!("tool {}", one.name), one, "a worker that offers it writes it anew")
        }));
        let gone = "it is taken off the list when its lease ends";
        found.extend(
            self.workers
                .unreadable
                .iter()
                .map(|one| of_unreadable(&format!("worker {}", one.name), one, gone)),
        );
        Ok(found)
    }

    /// The causes at one task.
    pub(super) async fn of(&self, task: &Task) -> Result<Vec<Finding>, Failure> {
        let mut found = Vec::new();
        match task.status {
            TaskStatus::Working if task.worker.is_some() => {
                found.extend(self.running(task).or_else(|| self.without_slot(task)));
            }
            TaskStatus::Working => found.push(self.queued(task).await?),
            TaskStatus::InputRequired => {
                found.extend(self.running(task).or_else(|| self.without_worker(task)));
                found.extend(task.open_questions().map(|question| self.asked(task, question)));
            }
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => {
                let why = match &task.outcome {
                    Some(Outcome::Error(error)) => Some(error.message.as_str()),
                    Some(Outcome::Result(_)) => None,
                    None => task.status_message.as_deref(),
                };
                return Ok(vec![super::ended(STORE, task.id().as_str(), task.status, why)]);
            }
        }
        let (attempt, most) = (task.counted_attempt(), task.new.max_attempts);
        if let Some(failure) = task.last_failure.as_ref().filter(|_| attempt >= most) {
            let attempts = format!("attempt {attempt} of {most}; the last one: {failure}");
            found.push(trouble(task, "last_attempt", attempts, "if this one fails too, the task fails"));
        }
        let left = task.expires_at().map(|at| at.as_second() - self.now.as_second());
        if let Some(left) = left.filter(|left| *left < NEAR_SECONDS) {
            let evidence = format!("its ttl ends in {}", time::rough(left.max(0) as u64));
            found.push(finding(task, "ttl_near_end", evidence, "launch it with a longer ttl"));
        }
        Ok(found)
    }

    /// A task that a worker has claimed and does not run.
    fn running(&self, task: &Task) -> Option<Finding> {
        let worker = task.worker.as_ref()?;
        let lease = self.workers.rows.iter().find(|info| info.id == *worker).map(|info| info.lease_ms);
        let evidence = match lease {
            Some(left) if left > 0 => return None,
            Some(_) => format!("claimed by worker {worker}, which has let its lease end"),
            None => format!("claimed by worker {worker}, which is not on the list any more"),
        };
        let tool = &task.new.tool;
        let help = if self.workers.rows.iter().any(|info| info.offers(tool) && info.lease_ms > 0) {
            Advice::from("another worker takes it over by itself")
        } else {
            Advice::worker_for("another worker takes it over by itself; none runs now: ", tool)
        };
        Some(trouble(task, WORKER_DEAD, evidence, help))
    }

    /// A task that was answered and does not go on: its own worker has as many others to run as it may, and no other one
    /// can go on with it.
    fn without_slot(&self, task: &Task) -> Option<Finding> {
        let (worker, tool) = (task.worker.as_ref()?, &task.new.tool);
        let slots = |info: &WorkerInfo| info.details.slots.unwrap_or(u32::MAX);
        let to_run = |info: &WorkerInfo| self.held.get(&info.id).copied().unwrap_or_default();
        let own = self.workers.rows.iter().find(|info| info.id == *worker)?;
        let answer =
            task.questions.iter().filter_map(|question| question.answer.as_ref()).max_by_key(|one| one.at)?;
        // Whatever the run has done since has changed the task.
        let is_next = task.updated_at <= answer.at && self.now.duration_since(answer.at) >= TAKEN_WITHIN;
        if !is_next || to_run(own) <= slots(own) {
            return None;
        }
        let free = |info: &&WorkerInfo| info.id != *worker && info.offers(tool) && to_run(info) < slots(info);
        let others = match self.workers.rows.iter().filter(free).count() {
            0 => String::new(),
            count => format!(", while {count} other worker(s) have room"),
        };
        let evidence = format!(
            "answered by {} {}, and not gone on with since: its worker {worker} runs {} at once and has {} to run{others}; a \
             task goes on where it began",
            text::line(&answer.answerer()),
            time::relative(answer.at, self.now),
            slots(own),
            to_run(own),
        );
        let help = Advice::with(
            "wait until one of them ends; workers that run more at once are started with",
            worker_command().option("--concurrency", "N"),
        );
        Some(finding(task, "waits_for_slot", evidence, help))
    }

    /// A task that asks, and that no worker would go on with.
    fn without_worker(&self, task: &Task) -> Option<Finding> {
        let tool = &task.new.tool;
        if self.workers.rows.iter().any(|info| info.offers(tool)) {
            return None;
        }
        let evidence = format!(
            "no living worker offers the tool {tool}: an answer is kept, and the task goes on when one does"
        );
        let help = Advice::worker_for("start a worker that has it: ", tool);
        Some(finding(task, "no_worker_offers", evidence, help))
    }

    async fn queued(&self, task: &Task) -> Result<Finding, Failure> {
        let tool = &task.new.tool;
        let able: Vec<_> = self.workers.rows.iter().filter(|info| info.offers(tool)).collect();
        if able.is_empty() {
            let evidence = format!("no living worker offers the tool {tool}");
            let help = Advice::worker_for("start a worker that has it: ", tool);
            return Ok(trouble(task, "no_worker_offers", evidence, help));
        }
        let before = self.queued.iter().filter(|other| other.created_at < task.created_at).count();
        if before == 0
            && let Some((at, reason)) = self.given_back(task).await?
        {
            let when = time::relative(at, self.now);
            let evidence = format!("given back {when}, and not taken up since: {}", text::sentence(&reason));
            return Ok(trouble(
                task,
                "given_back",
                evidence,
                "it is tried again; see to what is named there",
            ));
        }
        if let Some(answer) = task.questions.iter().rev().find_map(|question| question.answer.as_ref()) {
            let when = time::relative(answer.at, self.now);
            let evidence = format!(
                "answered by {} {when}, and no worker has taken it up yet",
                text::line(&answer.answerer())
            );
            let help = "wait for a free slot, or start more workers";
            return Ok(finding(task, "answered_not_woken", evidence, help));
        }
        if before == 0
            && let Some(finding) = self.not_taken_up(task, &able)
        {
            return Ok(finding);
        }
        let busy: u64 = able.iter().map(|info| info.tasks).sum();
        let evidence = format!(
            "{before} task(s) before it; {} worker(s) hold {busy}, parked ones among them",
            able.len()
        );
        Ok(finding(task, "queued_behind", evidence, Advice::with("start more workers", worker_command())))
    }

    /// A task that nothing stands before, and that workers without any task have not taken: they may be dead.
    fn not_taken_up(&self, task: &Task, able: &[&WorkerInfo]) -> Option<Finding> {
        let since = self.now.duration_since(task.updated_at);
        if since < TAKEN_WITHIN || !able.iter().any(|info| info.tasks == 0) {
            return None;
        }
        let names: Vec<_> = able.iter().map(|info| info.id.as_str()).collect();
        let left = able.iter().map(|info| info.lease_ms).max().unwrap_or_default() / 1000;
        let evidence = format!(
            "queued for {}, and not taken up by {}: what is not heard of again within {left} s counts as dead",
            time::rough(since.as_secs().unsigned_abs()),
            names.join(", "),
        );
        let help = Advice::with("if that worker was killed, start another one", worker_command());
        Some(trouble(task, "not_taken_up", evidence, help))
    }

    /// When and why the task's last run was given back, if that is what it waits after. Further returns, such as the
    /// end of a pause, are not why.
    async fn given_back(&self, task: &Task) -> Result<Option<(Timestamp, String)>, Failure> {
        let (mut why, mut after) = (None, Some(Cursor::START).filter(|_| task.attempt > 0));
        let filter = EventFilter::Task(task.id().clone());
        while let Some(cursor) = after {
            let page = self.engine.store().history(&filter, cursor, PAGE).await?;
            for event in page.events {
                match event.kind {
                    EventKind::Requeued { reason } => why = why.or(Some((event.at, reason))),
                    EventKind::Claimed { .. } | EventKind::Answered { .. } => why = None,
                    _ => {}
                }
            }
            after = page.next;
        }
        Ok(why)
    }

    fn asked(&self, task: &Task, question: &Question) -> Finding {
        let when = time::relative(question.asked_at, self.now);
        let asked = page::message(&question.ask, 60);
        let evidence = format!("question {} was asked {when}: {asked}; nobody has answered", question.id);
        let id = text::short_id(task.id().as_str());
        let respond = Suggested::new("respond").about(id).question(question.id.as_str());
        let help = Advice::command(respond, "answers it from here; ")
            .and_command(Suggested::new("show").about(id), "shows what has happened to it");
        finding(task, "question_open", evidence, help)
    }
}

fn worker_command() -> Suggested {
    Suggested::new("worker")
}

/// Something that is worth knowing.
fn finding(task: &Task, cause: &'static str, evidence: String, help: impl Into<Advice>) -> Finding {
    let task = Some(task.id().to_string());
    Finding { source: STORE, task, cause, evidence, help: help.into(), is_trouble: false }
}

/// Something that is wrong.
fn trouble(task: &Task, cause: &'static str, evidence: String, help: impl Into<Advice>) -> Finding {
    Finding { is_trouble: true, ..finding(task, cause, evidence, help) }
}

fn of_trouble(one: Trouble) -> Finding {
    let Trouble { cause, problem, advice } = one;
    Finding { source: STORE, task: None, cause, evidence: problem, help: advice.into(), is_trouble: true }
}

fn of_unreadable(what: &str, one: &Unreadable, help: impl Into<Advice>) -> Finding {
    let evidence = format!("{what} cannot be read: {}", one.problem);
    Finding { source: STORE, task: None, cause: "unreadable", evidence, help: help.into(), is_trouble: true }
}

/// A task that cannot be read.
pub(super) fn unreadable(task: &Unreadable) -> Finding {
    let id = text::short_id(&task.name);
    let cancel = Suggested::new("cancel").about(id);
    let help = Advice::command(cancel, "ends it, and it goes when its ttl ends; no other task is harmed");
    Finding { task: Some(task.name.clone()), ..of_unreadable("it", task, help) }
}
