//! `show`: everything about one task.

use std::collections::VecDeque;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::fastmcp::{self, Found, Sources};
use super::remote::RemoteArgs;
use super::ui::{Ui, event, page, status, task_status, text, time};
use super::{follow, list, outage, outcome, values};
use crate::client::{Client, TaskView};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError, Viewer};
use crate::store::{EventFilter, StoreError, Unreadable};
use crate::task::{Cursor, Event, Outcome, Question, Task, TaskId};

/// The most events that are shown, the newest; `watch --task` has all.
const EVENTS: usize = 1000;

/// Show everything about a task: questions, answers, events
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::tasks())]
    task: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ShowArgs) -> Result<(), Failure> {
    if let Some(target) = args.remote.target(context)? {
        let client = args.remote.connect(&target, None).await?;
        let done = from_server(context, &client, &args.task).await;
        client.close().await;
        return done;
    }
    let (engine, id) = match Sources::open(context).await?.find(context, &args.task).await? {
        Found::Native(engine, id) => (engine, id),
        Found::Deployed(deployment, task) => return fastmcp::show(context, &deployment, &task).await,
    };
    let found = engine.get(&Viewer::Operator, &id).await;
    let events = newest(context, &engine, id).await?;
    let task = match found {
        Err(EngineError::Store(StoreError::Unreadable { task, problem })) => {
            return unreadable(context, &Unreadable { name: task.to_string(), problem }, &events);
        }
        found => found?,
    };
    if context.ui.is_json() {
        let mut object = json!(task);
        object["events"] = json!(events);
        return context.ui.object(&object);
    }
    Sheet { ui: &context.ui, now: Timestamp::now() }.task(context, &task, &events)
}

/// The newest events of a task; says how many older ones there are.
async fn newest(context: &Context, engine: &Engine, id: TaskId) -> Result<Vec<Event>, Failure> {
    let watch = Suggested::new("watch").option("--task", id.as_str()).flag("--no-follow");
    let filter = EventFilter::Task(id);
    let (mut events, mut older, mut warned) = (VecDeque::new(), 0, false);
    let mut after = Some(Cursor::START);
    while let Some(cursor) = after {
        let page = engine.store().history(&filter, cursor, EVENTS).await?;
        if let Some(first) = page.unreadable.first().filter(|_| !warned) {
            context.ui.warn(&outage::passed_over(first));
            warned = true;
        }
        events.extend(page.events);
        let over = events.len().saturating_sub(EVENTS);
        older += events.drain(..over).count();
        after = page.next;
    }
    if older > 0 {
        let all = context.advise(Advice::command(watch, "has all"));
        context.ui.warn(&format!("{older} older events are left out; {all}"));
    }
    Ok(events.into())
}

/// What can be said of a task that cannot be read.
fn unreadable(context: &Context, task: &Unreadable, events: &[Event]) -> Result<(), Failure> {
    if context.ui.is_json() {
        let mut object = list::unreadable_object(task);
        object["events"] = json!(events);
        return context.ui.object(&object);
    }
    let sheet = Sheet { ui: &context.ui, now: Timestamp::now() };
    sheet.fact("task", &text::line(&task.name))?;
    sheet.fact("status", &super::ui::unreadable(context.ui.paint()))?;
    sheet.text("problem", &task.problem)?;
    sheet.events(events)
}

/// Lines about one task.
struct Sheet<'a> {
    ui: &'a Ui,
    now: Timestamp,
}

impl Sheet<'_> {
    fn task(&self, context: &Context, task: &Task, events: &[Event]) -> Result<(), Failure> {
        self.fact("task", task.id().as_str())?;
        self.fact("status", &task_status(task, self.ui.paint()))?;
        if let Some(message) = task.status_message.as_ref().filter(|_| task.outcome.is_none()) {
            self.text("message", message)?;
        }
        self.fact("tool", &text::line(&task.new.tool))?;
        self.fact("arguments", &text::short(&json!(task.new.arguments).to_string(), 500))?;
        if let Some(session) = &task.new.session {
            self.fact("session", &text::line(session.as_str()))?;
        }
        self.fact("scope", &text::line(task.new.scope.as_str()))?;
        self.times(task)?;
        if let Some(worker) = &task.worker {
            self.fact("worker", &format!("{worker}, attempt {} of {}", task.attempt, task.new.max_attempts))?;
        }
        if let Some(progress) = &task.progress {
            self.fact("progress", &text::progress(progress))?;
        }
        if let Some(failure) = &task.last_failure {
            self.fact("last failure", &text::short(failure, 500))?;
        }
        self.questions(context, task)?;
        self.ending(task)?;
        self.events(events)
    }

    fn times(&self, task: &Task) -> Result<(), Failure> {
        self.time("submitted", task.created_at)?;
        if let Some(at) = task.finished_at {
            self.time("ended", at)?;
        }
        match task.expires_at() {
            Some(at) => self.time("expires", at),
            None => Ok(()),
        }
    }

    fn questions(&self, context: &Context, task: &Task) -> Result<(), Failure> {
        for question in &task.questions {
            self.heading(&format!("question {}", question.id))?;
            self.question(question, task.status.is_final())?;
            if task.open_questions().any(|open| open.id == question.id) {
                self.fact("answer with", &context.suggest(follow::later(task.id(), question)))?;
            }
        }
        Ok(())
    }

    fn question(&self, question: &Question, ended: bool) -> Result<(), Failure> {
        self.text("message", &question.ask.message)?;
        self.page(page::of(&question.ask))?;
        self.time("asked", question.asked_at)?;
        match (&question.answer, question.deadline) {
            (Some(answer), _) => {
                let reason = answer.reason.as_deref().map(|reason| format!(" ({})", text::line(reason)));
                let when = time::relative(answer.at, self.now);
                let head =
                    format!("{} by {}{}, {when}", answer.action, answer.by, reason.unwrap_or_default());
                self.fact("answered", &head)?;
                if answer.content.is_some() {
                    self.fact("content", &values::in_words(answer))?;
                }
                Ok(())
            }
            (None, _) if ended => self.fact("answered", "never: it was withdrawn when the task ended"),
            (None, Some(deadline)) => self.time("cancels itself", deadline),
            (None, None) => Ok(()),
        }
    }

    fn ending(&self, task: &Task) -> Result<(), Failure> {
        match &task.outcome {
            Some(Outcome::Result(result)) => {
                self.heading("result")?;
                text::block(&outcome::in_words(result))
                    .iter()
                    .try_for_each(|line| self.ui.line(&format!("  {line}")))
            }
            Some(Outcome::Error(error)) => {
                self.heading("error")?;
                self.text("message", &format!("{} (code {})", error.message, error.code))
            }
            None => Ok(()),
        }
    }

    fn events(&self, events: &[Event]) -> Result<(), Failure> {
        self.heading("events")?;
        events
            .iter()
            .try_for_each(|one| self.ui.line(&format!("  {}", event::line(one, self.now, self.ui.paint()))))
    }

    /// The page that a question asks to visit.
    fn page(&self, url: Option<&str>) -> Result<(), Failure> {
        let facts = url.map(page::facts).unwrap_or_default();
        facts.iter().try_for_each(|(name, value)| self.fact(name, value))
    }

    fn heading(&self, text: &str) -> Result<(), Failure> {
        self.ui.line("")?;
        self.ui.line(&self.ui.paint().bold(text))
    }

    fn time(&self, name: &str, at: Timestamp) -> Result<(), Failure> {
        self.fact(name, &format!("{} ({at:.0})", time::relative(at, self.now)))
    }

    fn text(&self, name: &str, value: &str) -> Result<(), Failure> {
        let mut lines = text::block(value).into_iter();
        self.fact(name, &lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| self.fact("", &line))
    }

    /// A name and a value that is safe already.
    fn fact(&self, name: &str, value: &str) -> Result<(), Failure> {
        self.ui.line(&format!("{} {value}", self.ui.paint().dim(&format!("{name:<15}"))))
    }
}

async fn from_server(context: &Context, client: &Client, id: &str) -> Result<(), Failure> {
    let task = client.get(id).await?;
    if context.ui.is_json() {
        return context.ui.object(&server_object(&task));
    }
    let sheet = Sheet { ui: &context.ui, now: Timestamp::now() };
    sheet.fact("task", &text::line(&task.id))?;
    sheet.fact("status", &status(task.status, context.ui.paint()))?;
    if let Some(message) = &task.status_message {
        sheet.text("message", message)?;
    }
    for (name, value) in [("submitted", &task.created_at), ("changed", &task.updated_at)] {
        if let Some(value) = value {
            sheet.fact(name, &text::line(value))?;
        }
    }
    for (key, request) in &task.input_requests {
        sheet.heading(&format!("question {}", text::line(key)))?;
        let message = request.pointer("/params/message").and_then(Value::as_str).unwrap_or_default();
        sheet.text("message", message)?;
        sheet.page(request.pointer("/params/url").and_then(Value::as_str))?;
    }
    Ok(())
}

pub(super) fn server_object(task: &TaskView) -> Value {
    json!({
        "id": task.id, "status": task.status, "status_message": task.status_message,
        "created_at": task.created_at, "updated_at": task.updated_at, "ttl_ms": task.ttl_ms,
        "input_requests": task.input_requests, "outcome": task.outcome,
    })
}
