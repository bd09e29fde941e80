//! `list`: the tasks.

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::fastmcp::{self, Sources};
use super::list_remote;
use super::remote::RemoteArgs;
use super::ui::{Paint, UNREADABLE, event, page, table, task_status, text, time, unreadable};
use crate::engine::Viewer;
use crate::store::{TaskFilter, Unreadable};
use crate::task::{SessionId, Task, TaskStatus};

/// List tasks, newest first
///
/// Of a server of 2026-07-28 these are the tasks that were launched from here: it shows a task only to who has
/// its id, so `submit` keeps the ids.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct ListArgs {
    /// Only this session's
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["server", "stdio"])]
    #[arg(add = super::complete::sessions())]
    session: Option<SessionId>,
    /// Only those in this status: working, input_required, completed, failed or cancelled
    #[arg(long, value_name = "STATUS", add = super::complete::statuses())]
    pub(super) status: Option<TaskStatus>,
    /// Only this tool's
    #[arg(long, value_name = "TOOL", add = super::complete::tools(), conflicts_with_all = ["server", "stdio"])]
    tool: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) limit: usize,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ListArgs) -> Result<(), Failure> {
    if let Some(target) = args.remote.target(context)? {
        let client = args.remote.connect(&target, None).await?;
        let done = list_remote::run(context, &args, &target, &client).await;
        client.close().await;
        return done;
    }
    let sources = Sources::open(context).await?;
    sources.tell(context);
    if sources.is_empty() {
        context.ui.talk(&format!("no tasks; {}", context.nothing_begun()));
        return Ok(());
    }
    let filter =
        TaskFilter { session: args.session, status: args.status, tool: args.tool, ..TaskFilter::default() };
    let engine = match &sources.native {
        Some(engine) if sources.deployments.is_empty() => engine,
        _ => return fastmcp::list(context, &sources, filter, args.limit).await,
    };
    let page = engine.list(&Viewer::Operator, filter, None, args.limit).await?;
    if context.ui.is_json() {
        page.tasks.iter().try_for_each(|task| context.ui.object(task))?;
        return page.unreadable.iter().try_for_each(|one| context.ui.object(&unreadable_object(one)));
    }
    if page.tasks.is_empty() && page.unreadable.is_empty() {
        context.ui.talk("no tasks");
        return Ok(());
    }
    let (now, paint) = (Timestamp::now(), context.ui.paint());
    let mut rows: Vec<_> = page.tasks.iter().map(|task| row(task, now)).collect();
    rows.extend(page.unreadable.iter().map(unreadable_row));
    let lines = table(&["TASK", "STATUS", "CHANGED", "TOOL", "SESSION", "MESSAGE"], rows, paint);
    // The header and the unreadable ones have no status of their own.
    let statuses = std::iter::once(None).chain(page.tasks.iter().map(Some));
    for (line, task_status) in lines.iter().zip(statuses.chain(std::iter::repeat(None))) {
        context.ui.line(&coloured(line, task_status, paint))?;
    }
    if page.next.is_some() {
        context.ui.talk(&format!("only the newest {} are shown; --limit N shows more", args.limit));
    }
    Ok(())
}

fn row(task: &Task, now: Timestamp) -> Vec<String> {
    vec![
        event::short_id(task.id()).to_owned(),
        task_status(task, Paint::new(false)),
        time::relative(task.updated_at, now),
        text::short(&task.new.tool, 30),
        task.new.session.as_ref().map(|session| text::short(session.as_str(), 20)).unwrap_or_default(),
        message(task),
    ]
}

/// What is known of a task that cannot be read.
fn unreadable_row(one: &Unreadable) -> Vec<String> {
    let (id, problem) = (text::line(event::short(&one.name)), text::short(&one.problem, 60));
    vec![id, unreadable(Paint::new(false)), String::new(), String::new(), String::new(), problem]
}

/// The same as an object.
pub(super) fn unreadable_object(one: &Unreadable) -> serde_json::Value {
    serde_json::json!({ "id": one.name, "status": UNREADABLE, "problem": one.problem })
}

/// What is worth knowing in a few words: the open question, else the status message.
fn message(task: &Task) -> String {
    match task.open_questions().next() {
        Some(question) => page::message(&question.ask, 60),
        None => text::short(task.status_message.as_deref().unwrap_or_default(), 60),
    }
}

/// Colours the status within a finished line, whose columns were measured without colours.
fn coloured(line: &str, task: Option<&Task>, paint: Paint) -> String {
    let Some(task) = task else { return line.to_owned() };
    line.replacen(&task_status(task, Paint::new(false)), &task_status(task, paint), 1)
}
