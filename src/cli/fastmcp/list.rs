//! `list` where a Redis holds FastMCP's tasks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::list::unreadable_object;
use super::super::ui::{Paint, event, page, status, table, text, time, unreadable};
use super::{Sources, source};
use crate::engine::Viewer;
use crate::fastmcp::DeployedTask;
use crate::store::{TaskFilter, Unreadable};
use crate::task::{SessionId, Task, TaskStatus};

/// One line of the list.
struct Row {
    created_at: Option<Timestamp>,
    /// Absent where it cannot be read.
    status: Option<TaskStatus>,
    object: Value,
    cells: Vec<String>,
}

const HEADER: [&str; 9] =
    ["TASK", "STATUS", "SOURCE", "AGE", "WAITING", "TOOL", "SESSION", "WORKER", "MESSAGE"];

/// Lists the tasks of all sources, newest first.
pub(crate) async fn list(
    context: &Context,
    sources: &Sources,
    filter: TaskFilter,
    limit: usize,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for deployment in &sources.deployments {
        let tasks = deployment.list().await?;
        rows.extend(tasks.iter().filter(|task| admits(&filter, task)).map(deployed));
    }
    if let Some(engine) = &sources.native {
        let page = engine.list(&Viewer::Operator, filter, None, limit).await?;
        rows.extend(page.tasks.iter().map(native));
        rows.extend(page.unreadable.iter().map(unreadable_row));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
    let found = rows.len();
    rows.truncate(limit);
    print(context, rows)?;
    if found > limit && !context.ui.is_json() {
        context.ui.talk(&format!("only the newest {limit} are shown; --limit N shows more"));
    }
    Ok(())
}

fn print(context: &Context, rows: Vec<Row>) -> Result<(), Failure> {
    if context.ui.is_json() {
        return rows.iter().try_for_each(|row| context.ui.object(&row.object));
    }
    if rows.is_empty() {
        context.ui.talk("no tasks");
        return Ok(());
    }
    let statuses: Vec<_> = rows.iter().map(|row| row.status).collect();
    let paint = context.ui.paint();
    let lines = table(&HEADER, rows.into_iter().map(|row| row.cells).collect(), paint);
    for (at, line) in lines.iter().enumerate() {
        let line = match at.checked_sub(1).and_then(|at| statuses.get(at).copied().flatten()) {
            Some(one) => line.replacen(&status(one, Paint::new(false)), &status(one, paint), 1),
            None => line.clone(),
        };
        context.ui.line(&line)?;
    }
    Ok(())
}

/// Whether a deployment's task is wanted.
fn admits(filter: &TaskFilter, task: &DeployedTask) -> bool {
    let session = filter.session.as_ref().map(SessionId::as_str);
    session.is_none_or(|session| task.session.as_deref() == Some(session))
        && filter.status.is_none_or(|status| status == task.status)
        && filter.tool.as_ref().is_none_or(|tool| *tool == task.component.name)
}

fn deployed(task: &DeployedTask) -> Row {
    let mut object = json!(task);
    object["source"] = json!("fastmcp");
    object["tool"] = json!(task.component.name);
    let session = task.session.as_deref().or(task.scope.as_deref()).unwrap_or_default();
    let message = match (task.questions.first(), &task.error, &task.progress) {
        (Some(question), ..) => page::message(&question.ask, 60),
        (None, Some(error), _) => text::short(error, 60),
        (None, None, Some(progress)) => text::progress(progress),
        (None, None, None) => String::new(),
    };
    let worker = task.worker.as_ref().map(|worker| {
        if worker.alive || task.status.is_final() {
            text::short(&worker.name, 20)
        } else {
            format!("{} (dead)", text::short(&worker.name, 20))
        }
    });
    let cells = vec![
        text::line(event::short(&task.id)),
        status(task.status, Paint::new(false)),
        text::short(&source(task), 30),
        rough(task.age_ms),
        rough(task.waiting_ms),
        text::short(&task.component.name, 30),
        text::short(session, 20),
        worker.unwrap_or_default(),
        message,
    ];
    Row { created_at: task.created_at, status: Some(task.status), object, cells }
}

fn native(task: &Task) -> Row {
    let mut object = json!(task);
    object["source"] = json!("mcptask");
    let now = Timestamp::now();
    let since = |then: Timestamp| rough(Some(now.as_millisecond() - then.as_millisecond()));
    let question = task.open_questions().next();
    let message = match question {
        Some(question) => page::message(&question.ask, 60),
        None => text::short(task.status_message.as_deref().unwrap_or_default(), 60),
    };
    let cells = vec![
        event::short_id(task.id()).to_owned(),
        status(task.status, Paint::new(false)),
        "mcptask".to_owned(),
        since(task.created_at),
        question.map(|question| since(question.asked_at)).unwrap_or_default(),
        text::short(&task.new.tool, 30),
        task.new.session.as_ref().map(|session| text::short(session.as_str(), 20)).unwrap_or_default(),
        task.worker.as_ref().map(|worker| text::short(worker.as_str(), 20)).unwrap_or_default(),
        message,
    ];
    Row { created_at: Some(task.created_at), status: Some(task.status), object, cells }
}

/// A task of our own that cannot be read.
fn unreadable_row(one: &Unreadable) -> Row {
    let mut object = unreadable_object(one);
    object["source"] = json!("mcptask");
    let mut cells =
        vec![text::line(event::short(&one.name)), unreadable(Paint::new(false)), "mcptask".to_owned()];
    cells.resize(HEADER.len() - 1, String::new());
    cells.push(text::short(&one.problem, 60));
    Row { created_at: None, status: None, object, cells }
}

fn rough(milliseconds: Option<i64>) -> String {
    milliseconds.map(|milliseconds| time::rough(milliseconds.max(0) as u64 / 1000)).unwrap_or_default()
}
