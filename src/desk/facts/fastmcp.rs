//! The sheet of a FastMCP task.

use serde_json::{Value, json};

use super::{Fact, Facts, Sheet};
use crate::desk::asked::OpenQuestion;
use crate::desk::background::nobody_takes;
use crate::desk::failure::Failure;
use crate::desk::row::{Row, is_success_unknown, source_of};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::{text, time};
use crate::fastmcp::{Delivery, DeployedQuestion, DeployedTask, Deployment, Details, WorkerSeen};

/// What is said of a task of which it is not known whether its tool succeeded.
const UNKNOWN: &str = "whether its tool failed is only in its result, a pickle, which is never opened";

/// All that is known of the task.
pub(super) async fn facts(deployment: &Deployment, task: &DeployedTask) -> Result<Facts, Failure> {
    let details = deployment.show(&task.id).await?;
    let mut sheet = Sheet::new();
    sheet.deployed(&details.task);
    sheet.queue(&details, details.task.status.is_final());
    let open = OpenQuestion::all_of_fastmcp(&details.task);
    for (question, open) in details.task.questions.iter().zip(open) {
        sheet.deployed_question(question, open);
    }
    let mut object = Row::of_deployed(&details.task).object;
    if let (Value::Object(object), Value::Object(more)) = (&mut object, json!(details)) {
        object.extend(more);
    }
    let doctor = || Suggested::new("doctor").about(text::short_id(&task.id));
    let dead = |why| Advice::command(doctor(), "says what helps").after(&format!("worker {why}; "));
    let warnings = nobody_takes(&details.task).map(dead).into_iter().collect();
    Ok(Facts { object, lines: sheet.lines, warnings })
}

impl Sheet {
    fn deployed(&mut self, task: &DeployedTask) {
        self.fact("task", &task.id);
        if is_success_unknown(task) {
            self.lines.push(Fact::Ended);
            self.fact("", UNKNOWN);
        } else {
            self.lines.push(Fact::Status(Some(task.status)));
        }
        self.fact("source", &source_of(task));
        if !is_success_unknown(task) {
            // Docket's word would be taken for its tool's success.
            self.fact("run", task.state);
        }
        self.fact(&task.component.kind, &task.component.name);
        for (name, value) in
            [("version", &task.component.version), ("session", &task.session), ("scope", &task.scope)]
        {
            self.maybe(name, value.as_deref());
        }
        for (name, at) in
            [("submitted", task.created_at), ("began", task.started_at), ("ended", task.finished_at)]
        {
            self.maybe_time(name, at);
        }
        let worker = task.worker.as_ref().map(|worker| self.worker(worker));
        self.maybe("worker", worker.as_deref());
        self.maybe("progress", task.progress.as_ref().map(text::progress).as_deref());
        self.maybe("error", task.error.as_deref().map(text::sentence).as_deref());
        for note in &task.notes {
            self.fact("unreadable", note);
        }
    }

    fn worker(&self, worker: &WorkerSeen) -> String {
        let beat = match worker.heartbeat {
            Some(at) => format!("heartbeat {}", time::relative(at, self.now)),
            None => "no heartbeat".to_owned(),
        };
        format!("{} ({}, {beat})", worker.name, if worker.alive { "alive" } else { "dead" })
    }

    fn queue(&mut self, details: &Details, is_over: bool) {
        self.fact("queue", &format!("{} waiting, {} taken", details.queued, details.taken));
        self.fact("able workers", &details.able_workers.join(", "));
        let ttl = &details.ttl;
        // What has ended goes on being kept for so long.
        let (task, record, within) =
            if is_over { ("kept for", "record kept for", "") } else { ("task ends", "record ends", "in ") };
        let left = [
            (task, within, ttl.task_ms),
            (record, within, ttl.run_ms),
            ("question ends", "in ", ttl.question_ms),
        ];
        for (name, within, left) in left {
            self.maybe(name, left.map(|left| format!("{within}{}", rough(left))).as_deref());
        }
        if details.has_result {
            self.fact("result", "is there, as a Python pickle, which is never opened");
        }
        self.maybe("delivery", details.delivery.as_ref().map(delivered).as_deref());
    }

    fn deployed_question(&mut self, question: &DeployedQuestion, open: OpenQuestion) {
        self.heading(&format!("question {}", question.id));
        self.maybe("name", question.ask.name.as_deref());
        self.block("message", &question.ask.message);
        self.maybe_time("asked", question.asked_at);
        self.wanted(&question.ask);
        for problem in &question.problems {
            self.fact("not a form", &problem.to_string());
        }
        self.lines.extend(open.asked.later.map(|later| Fact::Command("answer with", later)));
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
    time::rough(milliseconds.max(0).unsigned_abs() / 1000)
}
