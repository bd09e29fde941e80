//! Questions with their answers, one after the other, for those who look through what was decided and by whom.

mod archive;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use archive::Archive;

use super::failure::Failure;
use super::place::{FASTMCP, Place, STORE};
use super::places::Places;
use super::suggest::{Advice, Suggested};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::{DeployedQuestion, DeployedTask, Deployment};
use crate::store::{PageCursor, TaskFilter};
use crate::task::{Question, SessionId, Task};

/// Tasks that are read at once: no more than a page of them is in memory, however many there are.
const PAGE: usize = 200;

/// Which questions are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exported {
    /// Only those that were asked at that time or later.
    pub(crate) since: Option<Timestamp>,
    /// Only those of this session's tasks.
    pub(crate) session: Option<SessionId>,
    /// Only those of this tool's.
    pub(crate) tool: Option<String>,
}

/// Who takes the rows, one at a time.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Map<String, Value>) -> Result<(), Failure>;

/// What is said beside the rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Tasks that cannot be read.
    pub(crate) unreadable: usize,
    /// Whether there are FastMCP's, which keeps no answers.
    pub(crate) has_fastmcp: bool,
}

impl Exported {
    /// Whether a question of that time is wanted; one of which nobody knows the time is.
    fn admits(&self, asked: Option<Timestamp>) -> bool {
        self.since.is_none_or(|since| asked.is_none_or(|at| at >= since))
    }
}

impl Places {
    /// Every question that is wanted, those of the oldest task first; with its answer where it has one.
    pub(crate) async fn export(&self, wanted: &Exported, take: Take<'_>) -> Result<LeftOut, Failure> {
        let mut left_out = LeftOut::default();
        if self.all().iter().any(|place| matches!(place, Place::Server(_))) {
            return Err(open_only());
        }
        for place in self.all() {
            match place {
                Place::Store(engine) => left_out.unreadable += own(engine, wanted, take).await?,
                Place::Fastmcp(deployment) => {
                    left_out.has_fastmcp = true;
                    deployed(deployment, wanted, take).await?;
                }
                Place::Server(_) => {}
            }
        }
        Ok(left_out)
    }
}

fn open_only() -> Failure {
    let export = Suggested::new("export");
    Failure::usage("a server shows open questions only, and who answered nothing of them")
        .hint(Advice::at_its_store("at its store, ", export, "exports what was asked and answered"))
}

/// The questions of our own store, foreground calls' too, and of its archive, those of the oldest task first; how many
/// tasks cannot be read.
async fn own(engine: &Engine, wanted: &Exported, take: Take<'_>) -> Result<usize, Failure> {
    let filter = TaskFilter {
        session: wanted.session.clone(),
        tool: wanted.tool.clone(),
        hidden: true,
        oldest_first: true,
        ..TaskFilter::default()
    };
    let mut archive = Archive::new(engine, filter.clone());
    let (mut after, mut unreadable) = (None, 0);
    loop {
        let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
        unreadable += page.unreadable.len();
        // What expires while this is read is in the page, or else in the archive as it is from now on.
        archive.forget_page();
        for task in &page.tasks {
            let here = PageCursor::at(task);
            while let Some(archived) = archive.next_before(Some(&here)).await? {
                take_rows(&archived, wanted, take)?;
            }
            take_rows(task, wanted, take)?;
            archive.goes_on_after(here);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    while let Some(archived) = archive.next_before(None).await? {
        take_rows(&archived, wanted, take)?;
    }
    Ok(unreadable + archive.unreadable())
}

fn take_rows(task: &Task, wanted: &Exported, take: Take<'_>) -> Result<(), Failure> {
    let is_wanted = |question: &&Question| wanted.admits(Some(question.asked_at));
    task.questions.iter().filter(is_wanted).try_for_each(|question| take(row(task, question)))
}

/// The open questions of a deployment, which keeps no others.
async fn deployed(deployment: &Deployment, wanted: &Exported, take: Take<'_>) -> Result<(), Failure> {
    let is_wanted = |task: &&DeployedTask| {
        wanted.tool.as_ref().is_none_or(|tool| *tool == task.component.name)
            && wanted.session.as_ref().is_none_or(|one| task.session.as_deref() == Some(one.as_str()))
    };
    let mut tasks = deployment.list().await?;
    tasks.reverse();
    for task in tasks.iter().filter(is_wanted) {
        for question in task.questions.iter().filter(|one| wanted.admits(one.asked_at)) {
            take(deployed_row(task, question))?;
        }
    }
    Ok(())
}

/// A question of our own store as an object.
fn row(task: &Task, question: &Question) -> Map<String, Value> {
    let waited = question
        .answer
        .as_ref()
        .map(|answer| (answer.at.as_millisecond() - question.asked_at.as_millisecond()).max(0));
    let mut row = object(json!(question));
    row.remove("id");
    row.extend(object(json!({
        "source": STORE, "task": task.id(), "tool": task.new.tool, "session": task.new.session,
        "scope": task.new.scope, "status": task.status, "question": question.id,
        "at": question.asked_at, "waited_ms": waited,
    })));
    row
}

/// A question of FastMCP's as an object.
fn deployed_row(task: &DeployedTask, question: &DeployedQuestion) -> Map<String, Value> {
    let mut row = object(json!(question.ask));
    row.extend(object(json!({
        "source": FASTMCP, "task": task.id, "tool": task.component.name, "session": task.session,
        "scope": task.scope, "status": task.status, "question": question.id,
        "at": question.asked_at.or(task.created_at).unwrap_or_else(Timestamp::now),
        "asked_at": question.asked_at,
    })));
    row
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The names of the columns of a table of them.
pub(crate) const COLUMNS: [&str; 21] = [
    "source",
    "task",
    "tool",
    "session",
    "scope",
    "status",
    "question",
    "mode",
    "message",
    "url",
    "form",
    "asked_at",
    "action",
    "content",
    "by",
    "who",
    "known",
    "note",
    "reason",
    "answered_at",
    "waited_ms",
];

/// The cells of one.
pub(crate) fn cells(row: &Map<String, Value>) -> Vec<String> {
    let row = Value::Object(row.clone());
    let place = |column: &str| match column {
        "form" => "/requestedSchema".to_owned(),
        "action" | "content" | "by" | "reason" => format!("/answer/{column}"),
        "answered_at" => "/answer/at".to_owned(),
        "who" => "/answer/who/name".to_owned(),
        "known" | "note" => format!("/answer/who/{column}"),
        own => format!("/{own}"),
    };
    COLUMNS.iter().map(|column| text(row.pointer(&place(column)))).collect()
}

/// A value in a cell: a text as it is, nothing as nothing, all else as JSON.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
