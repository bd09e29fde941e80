//! The questions that wait for an answer in all places, and which of them is meant where none was named.

use jiff::Timestamp;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::fastmcp::{Found, Sources};
use super::ui::{choose, event, page, text, time};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::Deployment;
use crate::store::TaskFilter;
use crate::task::{Ask, Question, QuestionId, Task, TaskStatus};

/// Waiting tasks that are looked through.
const PAGE: usize = 1000;

/// A question that waits.
pub(crate) struct Waiting {
    /// Where its task is.
    pub(crate) found: Found,
    /// The question.
    pub(crate) question: QuestionId,
    asked_at: Option<Timestamp>,
    title: String,
}

/// The question that is meant where no task was named: with `next` the one that has waited longest; else whoever sits
/// at the terminal says which. One that has an answer ready is asked even where there is only one, since it has not
/// seen the question.
pub(crate) async fn chosen(
    context: &Context,
    sources: &Sources,
    next: bool,
    has_answer: bool,
) -> Result<Waiting, Failure> {
    if !next && !context.ui.may_prompt() {
        return Err(unnamed());
    }
    let mut waiting = all(sources).await?;
    if waiting.is_empty() {
        let failure = none_open();
        return Err(if sources.is_empty() { failure.hint(context.nothing_begun()) } else { failure });
    }
    if next || (waiting.len() == 1 && !has_answer) {
        return Ok(waiting.swap_remove(0));
    }
    let titles = waiting.iter().map(|one| one.title.clone()).collect();
    match choose::one(&context.ui, "Which question will you answer?", titles).await? {
        Some(index) => Ok(waiting.swap_remove(index)),
        None => Err(Failure::new(Kind::NothingChanged, "no question was chosen; all stay open")),
    }
}

fn unnamed() -> Failure {
    let list = Suggested::new("list").option("--status", "input_required");
    Failure::usage("name the task whose question this answers; nobody can be asked here which one is meant")
        .hint(
            Advice::command(list, "shows those that wait; ")
                .text("--next answers the one that has waited longest"),
        )
}

fn none_open() -> Failure {
    let watch = Suggested::new("watch").option("--status", "input_required");
    Failure::new(Kind::NotFound, "no question is open here").hint(Advice::command(watch, "waits for one"))
}

/// All of them, the one that has waited longest first.
async fn all(sources: &Sources) -> Result<Vec<Waiting>, Failure> {
    let mut waiting = Vec::new();
    if let Some(engine) = &sources.native {
        waiting.extend(of_store(engine).await?);
    }
    for deployment in &sources.deployments {
        waiting.extend(of_deployment(deployment).await?);
    }
    // Nobody knows how long those have waited that have no time: they come last.
    waiting.sort_by_key(|one| (one.asked_at.is_none(), one.asked_at));
    Ok(waiting)
}

async fn of_store(engine: &Engine) -> Result<Vec<Waiting>, Failure> {
    let filter = TaskFilter {
        status: Some(TaskStatus::InputRequired),
        oldest_first: true,
        hidden: true,
        ..TaskFilter::default()
    };
    let page = engine.list(&Viewer::Operator, filter, None, PAGE).await?;
    let of_task = |task: &Task| -> Vec<Waiting> {
        let one = |question: &Question| Waiting {
            found: Found::Native(engine.clone(), task.id().clone()),
            question: question.id.clone(),
            asked_at: Some(question.asked_at),
            title: title(task.id().as_str(), &task.new.tool, Some(question.asked_at), &question.ask),
        };
        task.open_questions().map(one).collect()
    };
    Ok(page.tasks.iter().flat_map(of_task).collect())
}

async fn of_deployment(deployment: &Deployment) -> Result<Vec<Waiting>, Failure> {
    let mut waiting = Vec::new();
    for task in deployment.list().await? {
        for question in &task.questions {
            // Only ids that can be typed can be named.
            let Ok(id) = question.id.parse() else { continue };
            waiting.push(Waiting {
                found: Found::Deployed(deployment.clone(), Box::new(task.clone())),
                question: id,
                asked_at: question.asked_at,
                title: title(&task.id, &task.component.name, question.asked_at, &question.ask),
            });
        }
    }
    Ok(waiting)
}

/// One line of the choice.
fn title(task: &str, tool: &str, asked_at: Option<Timestamp>, ask: &Ask) -> String {
    let when = asked_at.map(|at| format!("{}, ", time::relative(at, Timestamp::now()))).unwrap_or_default();
    let (task, tool) = (text::line(event::short(task)), text::short(tool, 30));
    format!("{task}  {when}{tool}: {}", page::message(ask, 60))
}
