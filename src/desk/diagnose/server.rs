//! Causes at tasks of a server: what can be told from outside.

use jiff::Timestamp;
use serde_json::Value;

use super::{Finding, MOST};
use crate::client::{Era, TaskView};
use crate::desk::failure::Failure;
use crate::desk::failure::server::without_answer;
use crate::desk::place::SERVER;
use crate::desk::server::{BadTask, Server};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::{asked, page, time};
use crate::task::TaskStatus;

/// A task that works without a change for longer is worth saying, in seconds.
const SILENT_SECONDS: i64 = 600;

/// What is wrong with the unfinished tasks that can be known of.
pub(super) async fn of_server(server: &Server) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    if !server.runs_tasks() {
        let evidence = "the server runs no tool as a task: it does not say that it can".to_owned();
        found.push(finding(None, "no_tasks", evidence, "its tools are called in the foreground"));
        return Ok(found);
    }
    let tasks = server.all_tasks(MOST).await?;
    for task in &tasks.rows {
        found.extend(of_task(server, &task.view));
    }
    found.extend(tasks.bad.iter().map(of_bad));
    Ok(found)
}

/// The causes at one task.
pub(super) fn of_task(server: &Server, task: &TaskView) -> Vec<Finding> {
    let silent = task.updated().map(|at| Timestamp::now().as_second() - at.as_second());
    let rough =
        |at: Timestamp| time::rough((Timestamp::now().as_second() - at.as_second()).max(0).unsigned_abs());
    let when = match task.waits_since() {
        Some((at, true)) => Some(format!(" for at most {}", rough(at))),
        _ => task.updated().map(|at| format!(" for {}", rough(at))),
    };
    let id = task.id.as_str();
    match task.status {
        TaskStatus::InputRequired if server.era() == Era::Legacy => {
            let evidence = format!(
                "it has waited{} for an answer; a legacy server shows its questions only to the client that launched \
                 it",
                when.unwrap_or_default()
            );
            let there = "answer at that client, or straight at the store that the server uses: ";
            let help = Advice::at_its_store(there, Suggested::new("respond").about(id), "does that");
            vec![finding(Some(id), "question_open", evidence, help)]
        }
        TaskStatus::InputRequired if task.input_requests.is_empty() => {
            let evidence = format!(
                "it has waited{} for an answer, and its server shows no question: nobody can answer it here",
                when.unwrap_or_default()
            );
            vec![Finding {
                is_trouble: true,
                ..finding(Some(id), "unanswerable", evidence, without_answer(id))
            }]
        }
        TaskStatus::InputRequired => task
            .input_requests
            .iter()
            .map(|(key, request)| {
                if let Some(problem) = asked::unanswerable(request) {
                    return unanswerable(id, key, request, &problem);
                }
                let (message, url) = asked::parts(request);
                let asked = page::with_page(message.unwrap_or_default(), url, 60);
                let evidence = format!(
                    "question {key} has waited{} for an answer: {asked}",
                    when.as_deref().unwrap_or_default()
                );
                let respond = Suggested::new("respond").about(id).question(key.as_str());
                finding(Some(id), "question_open", evidence, Advice::command(respond, "answers it from here"))
            })
            .collect(),
        TaskStatus::Working if silent.is_some_and(|seconds| seconds > SILENT_SECONDS) => {
            let evidence = format!("it works, and nothing about it has changed{}", when.unwrap_or_default());
            let watch = Suggested::new("watch").option("--task", id);
            vec![finding(Some(id), "silent", evidence, Advice::command(watch, "tells of the next change"))]
        }
        TaskStatus::Working | TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => {
            Vec::new()
        }
    }
}

/// A question that nobody here can say yes to.
fn unanswerable(task: &str, key: &str, request: &Value, problem: &str) -> Finding {
    let evidence = format!("question {key} cannot be answered here: {problem}");
    let help = match asked::parts(request) {
        (Some(_), Some(_)) => {
            let decline = Suggested::new("respond").about(task).flag("--decline").question(key);
            let cancel = Suggested::new("cancel").about(task);
            Advice::command(decline, "says no to it; ").and_command(cancel, "ends the task")
        }
        _ => without_answer(task),
    };
    Finding { is_trouble: true, ..finding(Some(task), "unanswerable", evidence, help) }
}

/// A task that cannot be looked at.
fn of_bad(task: &BadTask) -> Finding {
    let evidence = format!("it cannot be looked at: {}", task.problem);
    let show = Suggested::new("show").about(task.id.as_str());
    let help = Advice::command(show, "looks again; what is wrong with it, the server's log may say");
    Finding { is_trouble: true, ..finding(Some(&task.id), "unreadable", evidence, help) }
}

/// Something that is worth knowing. Whether it is wrong, only the server's side can say.
fn finding(task: Option<&str>, cause: &'static str, evidence: String, help: impl Into<Advice>) -> Finding {
    let task = task.map(str::to_owned);
    Finding { source: SERVER, task, cause, evidence, help: help.into(), is_trouble: false }
}
