//! `list` through an MCP server: what a legacy server shows, and of a modern one the tasks whose ids were kept.

use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::list::ListArgs;
use super::show::server_object;
use super::ui::{Paint, page, status, table, text, time};
use crate::client::{Client, ClientError, Era, Target, TaskView};

pub(super) async fn run(
    context: &Context,
    args: &ListArgs,
    target: &Target,
    client: &Client,
) -> Result<(), Failure> {
    let tasks = tasks(context, args, target, client).await?;
    if context.ui.is_json() {
        return tasks.iter().try_for_each(|task| context.ui.object(&server_object(task)));
    }
    if tasks.is_empty() {
        context.ui.talk(match client.era() {
            Era::Modern => "no tasks that were launched from here; this server shows no others",
            _ => "no tasks",
        });
        return Ok(());
    }
    let rows = tasks.iter().map(row).collect();
    for line in table(&["TASK", "STATUS", "CHANGED", "MESSAGE"], rows, context.ui.paint()) {
        context.ui.line(&line)?;
    }
    Ok(())
}

async fn tasks(
    context: &Context,
    args: &ListArgs,
    target: &Target,
    client: &Client,
) -> Result<Vec<TaskView>, Failure> {
    let admits = |task: &TaskView| args.status.is_none_or(|status| status == task.status);
    if client.era() == Era::Legacy {
        return Ok(client.list().await?.into_iter().filter(admits).take(args.limit).collect());
    }
    let (kept, server) = (context.kept(), target.to_string());
    let (mut tasks, mut gone) = (Vec::new(), Vec::new());
    for one in kept.as_ref().map(|kept| kept.of_server(&server)).unwrap_or_default() {
        if tasks.len() >= args.limit {
            break;
        }
        match client.get(&one.task).await {
            Ok(task) if admits(&task) => tasks.push(task),
            Ok(_) => {}
            // The server keeps a task only for its ttl.
            Err(ClientError::NoTask { .. }) => gone.push(one.task),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(Err(error)) = kept.filter(|_| !gone.is_empty()).map(|kept| kept.forget(&server, &gone)) {
        context.ui.detail(&format!("tasks that are gone are still kept for `list`: {error}"));
    }
    Ok(tasks)
}

/// What a server's question asks, with the page that it asks to visit.
fn asked(request: &serde_json::Value) -> Option<String> {
    let text = |name: &str| request.pointer(name).and_then(serde_json::Value::as_str);
    Some(page::with_page(text("/params/message")?, text("/params/url"), 60))
}

/// Through a server only the whole id will do.
fn row(task: &TaskView) -> Vec<String> {
    let now = Timestamp::now();
    let changed = task.updated_at.as_deref().and_then(|at| at.parse().ok());
    let question = task.input_requests.values().find_map(asked);
    vec![
        text::line(&task.id),
        status(task.status, Paint::new(false)),
        changed.map(|at| time::relative(at, now)).unwrap_or_default(),
        question.unwrap_or_else(|| text::short(task.status_message.as_deref().unwrap_or_default(), 60)),
    ]
}
