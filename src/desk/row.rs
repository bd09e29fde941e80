//! Tasks as rows of a list: one shape for every place.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::Failure;
use super::object::{self, bad_object, deployed_object, own_object, server_object, unreadable_object};
use super::place::{FASTMCP, Place, SERVER, STORE};
use super::places::Places;
use super::question_end::QuestionEnd;
use super::server::{BadTask, Server, ServerTask};
use super::time::from_now;
use super::{asked, page, text, values};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::{DeployedTask, Deployment, Generation};
use crate::store::{TaskFilter, Unreadable};
use crate::task::{Outcome, SessionId, Task, TaskStatus};

/// The most characters of a message before a page, which must be seen behind it.
const BEFORE_PAGE: usize = 60;
/// The most characters of a result, which `result` prints whole.
const OF_RESULT: usize = 200;

/// Which tasks are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Only this session's.
    pub(crate) session: Option<SessionId>,
    /// Only those in one of these statuses; all where there is none.
    pub(crate) statuses: Vec<TaskStatus>,
    /// Only this tool's.
    pub(crate) tool: Option<String>,
    /// Only those that were launched at that time or later.
    pub(crate) since: Option<Timestamp>,
    /// Those that the archive has, in place of those that are there.
    pub(crate) archived: bool,
    /// In which order.
    pub(crate) sort: Sort,
    /// At most so many.
    pub(crate) most: usize,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The newest first.
    #[default]
    Created,
    /// What changed last first.
    Changed,
    /// Who has waited longest for an answer first; those that wait for none last.
    Waiting,
}

/// One task of a list.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Row {
    /// Its whole id.
    pub(crate) task: String,
    /// Its status; `None` where it cannot be read.
    pub(crate) status: Option<TaskStatus>,
    /// Whether its tool calls its result an error.
    pub(crate) is_tool_error: bool,
    /// Where it is, in words.
    pub(crate) source: String,
    /// When it was launched, where that is known; likewise all that follows.
    pub(crate) created_at: Option<Timestamp>,
    /// When it changed last.
    pub(crate) changed_at: Option<Timestamp>,
    /// Since when it has been waiting for an answer.
    pub(crate) waiting_since: Option<Timestamp>,
    /// Whether it has been waiting since then at the earliest: its server does not say when it asked.
    pub(crate) waits_at_most: bool,
    /// Whether nobody can tell from here if its tool calls its result an error.
    pub(crate) is_success_unknown: bool,
    /// When its open question answers itself, or else the task is given up.
    pub(crate) ends_at: Option<Timestamp>,
    /// When it is deleted with all that is known of it, whatever becomes of it.
    pub(crate) expires_at: Option<Timestamp>,
    /// Whether it waits for a worker.
    pub(crate) is_queued: bool,
    /// How many questions of it are open.
    pub(crate) open: usize,
    /// Whether a question asks to visit a page, whose host must be seen.
    pub(crate) has_page: bool,
    /// What it runs.
    pub(crate) tool: Option<String>,
    /// Who launched it.
    pub(crate) session: Option<String>,
    /// Who runs it.
    pub(crate) worker: Option<String>,
    /// What is worth knowing in a few words: the open question, else why it failed, what it does. Safe on a terminal.
    pub(crate) message: String,
    /// All of it.
    pub(crate) object: Value,
}

/// A list of tasks.
pub(crate) struct Listing {
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// Whether there are more than were wanted.
    pub(crate) has_more: bool,
}

impl Places {
    /// The tasks of all places.
    pub(crate) async fn list(&self, wanted: &Wanted) -> Result<Listing, Failure> {
        let mut rows = Vec::new();
        for place in self.all() {
            let of_place =
                if wanted.archived { place.archived_rows(wanted).await? } else { place.rows(wanted).await? };
            rows.extend(of_place);
        }
        match wanted.sort {
            Sort::Created => rows.sort_by_key(|row| Reverse(row.created_at)),
            Sort::Changed => rows.sort_by_key(|row| Reverse(row.changed_at)),
            Sort::Waiting => rows.sort_by_key(|row| (row.waiting_since.is_none(), row.waiting_since)),
        }
        let has_more = rows.len() > wanted.most;
        rows.truncate(wanted.most);
        Ok(Listing { rows, has_more })
    }
}

impl Place {
    /// One row more than is wanted where there are more.
    pub(super) async fn rows(&self, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Store(engine) => of_store(engine, wanted).await,
            Self::Fastmcp(deployment) => of_deployment(deployment, wanted).await,
            Self::Server(server) => of_server(server, wanted).await,
        }
    }
}

impl Wanted {
    /// How many tasks of a place are looked through.
    pub(super) fn most_read(&self) -> usize {
        if self.sort == Sort::Created { self.most.saturating_add(1) } else { SORTED }
    }

    pub(super) fn admits(&self, row: &Row) -> bool {
        let is_one_of = |status| self.statuses.is_empty() || self.statuses.contains(&status);
        row.status.is_none_or(is_one_of)
            && self.tool.as_ref().is_none_or(|tool| row.tool.as_ref() == Some(tool))
            && self.session.as_ref().is_none_or(|session| row.session.as_deref() == Some(session.as_str()))
            && self.since.is_none_or(|since| row.created_at.is_none_or(|created| created >= since))
    }
}

/// How many tasks of a place are read at once.
const PAGE: usize = 500;

/// Tasks that are looked through where they are wanted in another order than the store's.
const SORTED: usize = 10_000;

async fn of_store(engine: &Engine, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
    let statuses: Vec<_> = match wanted.statuses.as_slice() {
        [] => vec![None],
        statuses => statuses.iter().copied().map(Some).collect(),
    };
    let mut rows: Vec<Row> = Vec::new();
    for status in statuses {
        let filter = TaskFilter {
            session: wanted.session.clone(),
            status,
            tool: wanted.tool.clone(),
            ..TaskFilter::default()
        };
        rows.extend(of_filter(engine, filter, wanted).await?);
    }
    // One that cannot be read may stand under several statuses.
    rows.sort_by(|one, other| one.task.cmp(&other.task));
    rows.dedup_by(|one, other| one.task == other.task);
    Ok(rows)
}

async fn of_filter(engine: &Engine, filter: TaskFilter, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
    let most = wanted.most_read();
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let size = PAGE.min(most - rows.len());
        let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), size).await?;
        let is_past = |task: &Task| wanted.since.is_some_and(|since| task.created_at < since);
        let reached_since = page.tasks.iter().any(is_past);
        rows.extend(page.tasks.iter().filter(|task| !is_past(task)).map(Row::of_task));
        rows.extend(page.unreadable.iter().map(Row::of_unreadable));
        after = page.next;
        if after.is_none() || reached_since || rows.len() >= most {
            return Ok(rows);
        }
    }
}

async fn of_deployment(deployment: &Deployment, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
    let tasks = deployment.list().await?;
    Ok(tasks.iter().map(Row::of_deployed).filter(|row| wanted.admits(row)).collect())
}

async fn of_server(server: &Server, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
    let most = wanted.most_read();
    let row = |task| Some(Row::of_view(server, &task)).filter(|row| wanted.admits(row));
    let tasks = server.tasks(most, |_| false, row).await?;
    let bad = tasks.bad.iter().map(Row::of_bad).filter(|row| wanted.admits(row));
    Ok(tasks.rows.into_iter().chain(bad).collect())
}

impl Row {
    /// A task of our own store.
    pub(crate) fn of_task(task: &Task) -> Self {
        let question = task.open_questions().next();
        let message = match question {
            Some(question) => in_a_line(&question.ask.message, page::of(&question.ask)),
            None => ended_in_words(task.status, task.outcome.as_ref(), task.status_message.as_deref()),
        };
        let deadlines = task.open_questions().filter_map(|question| question.deadline);
        Self {
            task: task.id().to_string(),
            status: Some(task.status),
            is_tool_error: task.outcome.as_ref().is_some_and(Outcome::is_tool_error),
            source: STORE.to_owned(),
            created_at: Some(task.created_at),
            changed_at: Some(task.updated_at),
            waiting_since: question.map(|question| question.asked_at),
            waits_at_most: false,
            is_success_unknown: false,
            ends_at: deadlines.chain(task.expires_at()).min().filter(|_| !task.status.is_final()),
            expires_at: task.expires_at(),
            is_queued: is_queued(task),
            open: task.open_questions().count(),
            has_page: question.is_some_and(|question| page::of(&question.ask).is_some()),
            tool: Some(task.new.tool.clone()),
            session: task.new.session.as_ref().map(ToString::to_string),
            worker: task.worker.as_ref().map(ToString::to_string),
            message,
            object: own_object(task),
        }
        .with_common_names()
    }

    /// A task of our own store that cannot be read.
    pub(crate) fn of_unreadable(one: &Unreadable) -> Self {
        let (task, message) = (one.name.clone(), text::sentence(&one.problem));
        Self { task, source: STORE.to_owned(), message, object: unreadable_object(one), ..Self::default() }
            .with_common_names()
    }

    /// A task of a server that cannot be looked at.
    fn of_bad(one: &BadTask) -> Self {
        let (task, tool, message) = (one.id.clone(), Some(one.tool.clone()), text::sentence(&one.problem));
        let (source, created_at, object) = (SERVER.to_owned(), Some(one.at), bad_object(one));
        Self { task, source, created_at, tool, message, object, ..Self::default() }.with_common_names()
    }

    /// A task of a FastMCP deployment.
    pub(crate) fn of_deployed(task: &DeployedTask) -> Self {
        let message = match (task.questions.first(), &task.error, &task.progress) {
            (Some(question), ..) => in_a_line(&question.ask.message, page::of(&question.ask)),
            (None, Some(error), _) => text::sentence(error),
            (None, None, Some(progress)) if !task.status.is_final() => text::progress(progress),
            (None, None, _) => String::new(),
        };
        let worker = task.worker.as_ref().map(|worker| {
            let is_dead = !worker.alive && !task.status.is_final();
            format!("{}{}", worker.name, if is_dead { " (dead)" } else { "" })
        });
        Self {
            task: task.id.clone(),
            status: Some(task.status),
            source: source_of(task),
            created_at: task.created_at,
            changed_at: task.finished_at.or(task.started_at).or(task.created_at),
            waiting_since: task.questions.first().and_then(|question| question.asked_at),
            is_success_unknown: is_success_unknown(task),
            ends_at: QuestionEnd::of_deployed(task).map(|end| end.at()),
            expires_at: task.lifetimes().task_ms.and_then(from_now),
            is_queued: matches!(task.state, "queued" | "scheduled") && task.questions.is_empty(),
            open: task.questions.len(),
            has_page: task.questions.first().is_some_and(|question| page::of(&question.ask).is_some()),
            tool: Some(task.component.name.clone()),
            session: session_of(task).map(str::to_owned),
            worker,
            message,
            object: deployed_object(task),
            ..Self::default()
        }
        .with_common_names()
    }

    /// A task of a server.
    pub(crate) fn of_view(server: &Server, task: &ServerTask) -> Self {
        let ServerTask { view, tool } = task;
        let first = view.input_requests.values().next();
        let (message, url) = first.map(asked::parts).unwrap_or_default();
        let asked = message.map(|message| in_a_line(message, url));
        let words = || ended_in_words(view.status, view.outcome.as_ref(), view.status_message.as_deref());
        let since = view.waits_since();
        Self {
            task: view.id.clone(),
            status: Some(view.status),
            is_tool_error: view.is_tool_error(),
            source: SERVER.to_owned(),
            created_at: view.created(),
            changed_at: view.updated(),
            waiting_since: since.map(|(at, _)| at),
            waits_at_most: since.is_some_and(|(_, at_most)| at_most),
            // Of a question's end a server says nothing.
            ends_at: view.expires().filter(|_| !view.status.is_final() && first.is_none() && since.is_none()),
            expires_at: view.expires(),
            open: view.input_requests.len(),
            has_page: url.is_some(),
            tool: tool.clone(),
            message: asked.unwrap_or_else(words),
            object: server_object(server.title(), view, tool.as_deref()),
            // Servers do not say whose it is, nor whether a worker has begun.
            ..Self::default()
        }
        .with_common_names()
    }

    /// Its object has the names that tasks have in every place.
    fn with_common_names(mut self) -> Self {
        let waiting_for = match self.status {
            Some(TaskStatus::InputRequired) => Some("answer"),
            Some(_) if self.is_queued => Some("worker"),
            _ => None,
        };
        let common = json!({
            "task": self.task, "id": self.task, "tool": self.tool, "session": self.session,
            "waiting_for": waiting_for, "created_at": self.created_at, "updated_at": self.changed_at,
            "waiting_since": self.waiting_since, "waiting_since_at_earliest": self.waits_at_most.then_some(true),
            "ends_at": self.ends_at, "expires_at": self.expires_at, "is_error": (!self.is_success_unknown).then_some(self.is_tool_error),
            "questions": [],
        });
        object::complete(&mut self.object, common);
        self
    }
}

/// Whether a task of our own store waits for a worker.
pub(crate) fn is_queued(task: &Task) -> bool {
    task.status == TaskStatus::Working && task.worker.is_none()
}

/// Whether a FastMCP task has ended, and only its pickled result says how: FastMCP 4 completes a task whose tool raised.
pub(super) fn is_success_unknown(task: &DeployedTask) -> bool {
    is_unknown(task.generation, task.status)
}

/// The same of a task of that generation and status.
pub(super) fn is_unknown(generation: Generation, status: TaskStatus) -> bool {
    generation == Generation::V4 && status == TaskStatus::Completed
}

/// What a task that asks nothing does, or why it failed; of one that is completed, how its result begins.
fn ended_in_words(status: TaskStatus, outcome: Option<&Outcome>, message: Option<&str>) -> String {
    match (status, outcome) {
        (TaskStatus::Completed, Some(Outcome::Result(result))) => {
            text::short(&values::of_result(result), OF_RESULT)
        }
        (TaskStatus::Completed, _) => String::new(),
        _ => text::sentence(message.unwrap_or_default()),
    }
}

/// An open question in one line: its message, and the page that it asks to visit.
fn in_a_line(message: &str, url: Option<&str>) -> String {
    match url {
        Some(_) => page::with_page(message, url, BEFORE_PAGE),
        None => text::sentence(message),
    }
}

/// What stands for a FastMCP task's session: where its generation keeps none, whose it is.
pub(crate) fn session_of(task: &DeployedTask) -> Option<&str> {
    task.session.as_deref().or(task.scope.as_deref())
}

/// What a FastMCP task's row says of where it is.
pub(crate) fn source_of(task: &DeployedTask) -> String {
    if task.docket == FASTMCP {
        task.generation.to_string()
    } else {
        format!("{} ({})", task.generation, task.docket)
    }
}
