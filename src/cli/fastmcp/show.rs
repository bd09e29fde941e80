//! `show` of a FastMCP task.

use jiff::Timestamp;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::ui::{Ui, page, status, text, time};
use super::source;
use crate::fastmcp::{Delivery, DeployedQuestion, DeployedTask, Deployment, Details, WorkerSeen};
use crate::task::AskKind;

/// Shows all that is known of the task.
pub(crate) async fn show(
    context: &Context,
    deployment: &Deployment,
    task: &DeployedTask,
) -> Result<(), Failure> {
    let details = deployment.show(&task.id).await?;
    if context.ui.is_json() {
        let mut object = json!(details);
        object["source"] = json!("fastmcp");
        return context.ui.object(&object);
    }
    let sheet = Sheet { ui: &context.ui, now: Timestamp::now() };
    sheet.task(&details.task)?;
    sheet.queue(&details)?;
    for question in &details.task.questions {
        sheet.question(context, &details.task, question)?;
    }
    Ok(())
}

struct Sheet<'a> {
    ui: &'a Ui,
    now: Timestamp,
}

impl Sheet<'_> {
    fn task(&self, task: &DeployedTask) -> Result<(), Failure> {
        self.fact("task", &task.id)?;
        self.ui.line(&format!("{} {}", self.name("status"), status(task.status, self.ui.paint())))?;
        self.fact("source", &source(task))?;
        self.fact("run", task.state)?;
        self.fact(&task.component.kind, &task.component.name)?;
        for (name, value) in
            [("version", &task.component.version), ("session", &task.session), ("scope", &task.scope)]
        {
            self.maybe(name, value.as_deref())?;
        }
        for (name, at) in
            [("submitted", task.created_at), ("began", task.started_at), ("ended", task.finished_at)]
        {
            self.maybe(name, at.map(|at| self.when(at)).as_deref())?;
        }
        self.maybe("worker", task.worker.as_ref().map(|worker| self.worker(worker)).as_deref())?;
        self.maybe("progress", task.progress.as_ref().map(text::progress).as_deref())?;
        self.maybe("error", task.error.as_deref())?;
        task.notes.iter().try_for_each(|note| self.fact("unreadable", note))
    }

    fn worker(&self, worker: &WorkerSeen) -> String {
        let beat = match worker.heartbeat {
            Some(at) => format!("heartbeat {}", time::relative(at, self.now)),
            None => "no heartbeat".to_owned(),
        };
        format!("{} ({}, {beat})", worker.name, if worker.alive { "alive" } else { "dead" })
    }

    fn queue(&self, details: &Details) -> Result<(), Failure> {
        let waiting = format!("{} waiting, {} taken", details.queued, details.taken);
        self.fact("queue", &waiting)?;
        self.fact("able workers", &details.able_workers.join(", "))?;
        let ttl = &details.ttl;
        for (name, left) in
            [("task ends", ttl.task_ms), ("record ends", ttl.run_ms), ("question ends", ttl.question_ms)]
        {
            self.maybe(name, left.map(|left| format!("in {}", rough(left))).as_deref())?;
        }
        if details.has_result {
            self.fact("result", "is there, as a Python pickle, which is never opened")?;
        }
        match &details.delivery {
            Some(delivery) => self.fact("delivery", &delivered(delivery)),
            None => Ok(()),
        }
    }

    fn question(
        &self,
        context: &Context,
        task: &DeployedTask,
        question: &DeployedQuestion,
    ) -> Result<(), Failure> {
        self.ui.line("")?;
        self.ui.line(&self.ui.paint().bold(&format!("question {}", text::line(&question.id))))?;
        for (at, line) in text::block(&question.ask.message).iter().enumerate() {
            self.fact(if at == 0 { "message" } else { "" }, line)?;
        }
        self.maybe("asked", question.asked_at.map(|at| self.when(at)).as_deref())?;
        match &question.ask.kind {
            AskKind::Form { schema } => self.fact("form", &schema.to_string())?,
            AskKind::Url { url } => {
                page::facts(url).iter().try_for_each(|(name, value)| self.fact(name, value))?;
            }
        }
        for problem in &question.problems {
            self.fact("not a form", &problem.to_string())?;
        }
        self.fact("answer with", &context.suggest(super::respond::later(&task.id, task.generation, question)))
    }

    fn when(&self, at: Timestamp) -> String {
        format!("{} ({at:.0})", time::relative(at, self.now))
    }

    fn maybe(&self, name: &str, value: Option<&str>) -> Result<(), Failure> {
        value.map_or(Ok(()), |value| self.fact(name, value))
    }

    /// A name and a value that nobody has looked at yet.
    fn fact(&self, name: &str, value: &str) -> Result<(), Failure> {
        self.ui.line(&format!("{} {}", self.name(name), text::short(value, 2000)))
    }

    fn name(&self, name: &str) -> String {
        self.ui.paint().dim(&format!("{:<15}", text::line(name)))
    }
}

fn delivered(delivery: &Delivery) -> String {
    let queue = match (delivery.undelivered, delivery.queue_ms) {
        (0, _) => "nothing undelivered".to_owned(),
        (some, Some(left)) => format!("{some} undelivered, dropped in {}", rough(left)),
        (some, None) => format!("{some} undelivered"),
    };
    match delivery.subscriber_seen_ms {
        Some(seen) => format!("{queue}; a server has the session, seen {} ago", rough(seen)),
        None => format!("{queue}; no server has the session"),
    }
}

fn rough(milliseconds: i64) -> String {
    time::rough(milliseconds.max(0) as u64 / 1000)
}
