//! Tasks that are chosen by what they have in common, to be acted on together.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::Failure;
use super::place::{Found, Place};
use super::places::Places;
use super::row::{Row, Wanted};
use super::server::ServerTask;
use super::sought::Sought;
use super::suggest::{Advice, Suggested};
use super::text;
use crate::client::TaskView;
use crate::engine::{Engine, EngineError, Viewer};
use crate::store::{ArchivedTask, PageCursor, StoreError, TaskFilter, Unreadable};
use crate::task::{SessionId, Task, TaskId, TaskStatus};

/// The most tasks that one command acts on: what is known of each while it runs is some hundred bytes.
const MOST: usize = 100_000;

/// How many tasks of our own store are read at once.
const PAGE: usize = 500;

/// The most tools that are named where tasks are counted.
const MOST_TOOLS: usize = 5;

/// What tasks must have, to be chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// This session.
    pub(crate) session: Option<SessionId>,
    /// This tool.
    pub(crate) tool: Option<String>,
    /// One of these statuses.
    pub(crate) statuses: Vec<TaskStatus>,
    /// Launched then or before.
    pub(crate) launched_before: Option<Timestamp>,
    /// Ended then or before, in our own store.
    pub(crate) ended_before: Option<Timestamp>,
}

/// A task that was chosen.
#[derive(Debug, Clone)]
pub(crate) struct SelectedTask {
    /// Which of the places it is at.
    pub(crate) place: usize,
    /// As a list shows it, without its object, since there may be many.
    pub(crate) row: Box<Row>,
}

/// What was chosen by an id.
pub(crate) enum Chosen {
    /// A task.
    Task(SelectedTask),
    /// One whose ttl has ended, of which the archive is left: it has ended, and can only be read.
    Expired(Sought),
}

impl Chosen {
    /// The task's whole id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Task(task) => task.id(),
            Self::Expired(sought) => sought.id(),
        }
    }
}

/// The tasks that were chosen.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// Each once.
    pub(crate) tasks: Vec<SelectedTask>,
    /// How many were named of which only the archive is left.
    pub(crate) expired: usize,
    /// How many cannot be read, so that nobody can tell whether they are meant.
    pub(crate) unreadable: usize,
    /// Whether there are more than one command acts on.
    pub(crate) has_more: bool,
}

impl Selection {
    fn admits(&self, task: &SelectedTask) -> bool {
        let is_old = |before: Timestamp| task.row.created_at.is_some_and(|created| created <= before);
        self.launched_before.is_none_or(is_old)
    }
}

impl Selection {
    fn has_ended_in_time(&self, task: &Task) -> bool {
        let is_old = |before: Timestamp| task.finished_at.unwrap_or(task.updated_at) <= before;
        self.ended_before.is_none_or(is_old)
    }

    /// Whether a task is launched so late that all which are launched later have not what is wanted either.
    fn is_past(&self, task: &Task) -> bool {
        let bounds = self.launched_before.into_iter().chain(self.ended_before);
        bounds.min().is_some_and(|bound| task.created_at > bound)
    }
}

impl SelectedTask {
    fn of_task(place: usize, task: &Task) -> Self {
        Self::of_row(place, Row::of_task(task))
    }

    fn of_row(place: usize, row: Row) -> Self {
        Self { place, row: Box::new(Row { object: Value::Null, ..row }) }
    }

    /// Its whole id.
    pub(crate) fn id(&self) -> &str {
        &self.row.task
    }

    /// Its status, where it had ended already.
    pub(crate) fn ended(&self) -> Option<TaskStatus> {
        self.row.status.filter(|status| status.is_final())
    }
}

impl Selected {
    /// Takes up a task, if there is room for it.
    fn take(&mut self, task: SelectedTask) {
        if self.is_full() {
            self.has_more = true;
        } else {
            self.tasks.push(task);
        }
    }

    fn is_full(&self) -> bool {
        self.tasks.len() >= MOST
    }

    /// How many there are of what: "20 tasks: 18 of deploy, 2 of copy".
    pub(crate) fn in_words(&self) -> String {
        let mut by_tool: BTreeMap<&str, usize> = BTreeMap::new();
        for task in &self.tasks {
            *by_tool.entry(task.row.tool.as_deref().unwrap_or("an unknown tool")).or_default() += 1;
        }
        format!("{}: {}", counted(self.tasks.len(), "task"), of_what(by_tool))
    }
}

/// "1 task", "2 tasks".
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// "18 of deploy, 2 of copy", those first of which there are the most.
pub(crate) fn of_what(by_tool: BTreeMap<&str, usize>) -> String {
    let mut counts: Vec<_> = by_tool.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest: usize = counts.iter().skip(MOST_TOOLS).map(|(_, count)| count).sum();
    let rest = (rest > 0).then(|| format!("{rest} of other tools"));
    let named =
        counts.iter().take(MOST_TOOLS).map(|(tool, count)| format!("{count} of {}", text::line(tool)));
    named.chain(rest).collect::<Vec<_>>().join(", ")
}

impl Places {
    /// The tasks that have all that, in all places. `verb` is what shall be done with them.
    pub(crate) async fn select(
        &self,
        selection: &Selection,
        verb: &'static str,
    ) -> Result<Selected, Failure> {
        let mut selected = Selected::default();
        for (at, place) in self.all().iter().enumerate() {
            match place {
                Place::Store(engine) => of_store(engine, at, selection, &mut selected).await?,
                Place::Server(_) if selection.session.is_some() => return Err(no_sessions(verb)),
                Place::Fastmcp(_) | Place::Server(_) => of_rows(place, at, selection, &mut selected).await?,
            }
        }
        Ok(selected)
    }

    /// The tasks of our own store that have all that; `None` where these places have none.
    pub(crate) async fn select_own(&self, selection: &Selection) -> Result<Option<Selected>, Failure> {
        let Some((at, engine)) = self.own() else { return Ok(None) };
        let mut selected = Selected::default();
        of_store(engine, at, selection, &mut selected).await?;
        Ok(Some(selected))
    }

    /// Looks for tasks once, for all that are selected by their ids after it.
    pub(crate) async fn look_once(&self) -> Result<(), Failure> {
        for place in self.all() {
            if let Place::Fastmcp(deployment) = place {
                deployment.look_once().await?;
            }
        }
        Ok(())
    }

    /// The archived tasks of our own store that have all that, by when their ttl ended; `None` where these places have none.
    pub(crate) async fn select_archived(&self, selection: &Selection) -> Result<Option<Selected>, Failure> {
        let Some((at, engine)) = self.own() else { return Ok(None) };
        let filter = TaskFilter {
            session: selection.session.clone(),
            tool: selection.tool.clone(),
            oldest_first: true,
            ..TaskFilter::default()
        };
        let (mut selected, mut after) = (Selected::default(), None);
        loop {
            let page = engine.archived(&filter, after.as_ref(), PAGE).await?;
            let is_old =
                |one: &&ArchivedTask| selection.ended_before.is_none_or(|bound| one.expired_at <= bound);
            let tasks = page.tasks.iter().filter(is_old).map(|one| &one.task);
            let tasks = tasks.filter(|task| selection.statuses.contains(&task.status));
            tasks.for_each(|task| selected.take(SelectedTask::of_task(at, task)));
            selected.unreadable += page.unreadable.len();
            after = page.next;
            if after.is_none() || selected.is_full() {
                selected.has_more |= after.is_some();
                return Ok(Some(selected));
            }
        }
    }

    /// The one task whose id begins so, as a task that was chosen.
    pub(crate) async fn select_one(&self, prefix: &str) -> Result<Chosen, Failure> {
        if let Some((place, found)) = self.search(prefix).await? {
            return Ok(Chosen::Task(SelectedTask::of_row(place, row_of(&found).await?)));
        }
        Ok(Chosen::Expired(self.seek_archived(prefix).await?))
    }

    /// A chosen task as an object.
    pub(crate) fn object(&self, task: &SelectedTask) -> Value {
        let source = self.all()[task.place].source();
        let Row { task, tool, session, status, created_at, .. } = &*task.row;
        json!({
            "source": source, "task": task, "status": status, "tool": tool, "session": session, "created_at": created_at,
        })
    }
}

/// A task that was found, as a list shows it.
async fn row_of(found: &Found) -> Result<Row, Failure> {
    Ok(match found {
        Found::Store(engine, id) => match engine.get(&Viewer::Operator, id).await {
            Ok(task) => Row::of_task(&task),
            Err(EngineError::Store(StoreError::Unreadable { task, problem })) => {
                Row::of_unreadable(&Unreadable { name: task.to_string(), problem })
            }
            Err(error) => return Err(error.into()),
        },
        Found::Fastmcp(_, task) => Row::of_deployed(task),
        Found::Server(server, view) => {
            Row::of_view(server, &ServerTask { view: TaskView::clone(view), tool: server.tool_of(&view.id) })
        }
    })
}

/// The failure of a session that is looked for at a server.
pub(crate) fn no_sessions(verb: &'static str) -> Failure {
    let there = "leave --session out, or go straight to the store that the server uses: ";
    let command = Suggested::new(verb).option("--session", "SESSION");
    let message = "a server does not say of which session a task is, so --session chooses none there";
    Failure::usage(message).hint(Advice::at_its_store(there, command, "does that"))
}

/// The statuses in the order in which they are gone through. A task that goes on meanwhile is in another one when that is
/// read, so those that wait are read again after those that work.
fn passes(statuses: &[TaskStatus]) -> Vec<TaskStatus> {
    let has = |status| statuses.contains(&status);
    let again = has(TaskStatus::InputRequired) && has(TaskStatus::Working);
    let again = again.then_some(TaskStatus::InputRequired);
    let order = [TaskStatus::InputRequired, TaskStatus::Working];
    let first = order.into_iter().filter(|status| has(*status)).chain(again);
    first.chain(statuses.iter().copied().filter(|status| status.is_final())).collect()
}

async fn of_store(
    engine: &Engine,
    at: usize,
    selection: &Selection,
    selected: &mut Selected,
) -> Result<(), Failure> {
    let (mut known, mut unreadable) = (HashSet::new(), BTreeSet::new());
    for status in passes(&selection.statuses) {
        let filter = TaskFilter {
            session: selection.session.clone(),
            tool: selection.tool.clone(),
            status: Some(status),
            oldest_first: true,
            ..TaskFilter::default()
        };
        let mut after: Option<PageCursor> = None;
        loop {
            let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
            let is_meant =
                |task: &&Task| selection.has_ended_in_time(task) && known.insert(TaskId::clone(task.id()));
            let tasks = page.tasks.iter().filter(is_meant).map(|task| SelectedTask::of_task(at, task));
            tasks.filter(|task| selection.admits(task)).for_each(|task| selected.take(task));
            // The oldest come first.
            let is_past = page.tasks.last().is_some_and(|last| selection.is_past(last));
            unreadable.extend(page.unreadable.into_iter().map(|one| one.name));
            after = page.next;
            if after.is_none() || is_past || selected.is_full() {
                selected.has_more |= after.is_some() && !is_past;
                break;
            }
        }
    }
    selected.unreadable += unreadable.len();
    Ok(())
}

/// Of a place that shows its tasks as a list.
async fn of_rows(
    place: &Place,
    at: usize,
    selection: &Selection,
    selected: &mut Selected,
) -> Result<(), Failure> {
    let Selection { session, tool, statuses, .. } = selection.clone();
    let wanted = Wanted { session, tool, statuses, most: MOST, ..Wanted::default() };
    let (rows, bad): (Vec<_>, Vec<_>) =
        place.rows(&wanted).await?.into_iter().partition(|row| row.status.is_some());
    selected.unreadable += bad.len();
    let rows = rows.into_iter().map(|row| SelectedTask::of_row(at, row));
    rows.filter(|task| selection.admits(task)).for_each(|task| selected.take(task));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_counted_by_their_tools() {
        let task = |tool: Option<&str>| {
            let tool = tool.map(str::to_owned);
            SelectedTask::of_row(0, Row { task: "a".to_owned(), tool, ..Row::default() })
        };
        let of = |tools: &[Option<&str>]| {
            Selected { tasks: tools.iter().map(|tool| task(*tool)).collect(), ..Selected::default() }
                .in_words()
        };
        assert_eq!(of(&[Some("deploy")]), "1 task: 1 of deploy");
        assert_eq!(
            of(&[Some("a"), Some("b"), Some("b"), None]),
            "4 tasks: 2 of b, 1 of a, 1 of an unknown tool"
        );
        let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(Some).to_vec();
        assert!(of(&many).ends_with("1 of e, 2 of other tools"), "{}", of(&many));
    }

    #[test]
    fn who_begins_to_wait_while_tasks_are_read_is_read_again() {
        use TaskStatus::{Completed, InputRequired, Working};
        assert_eq!(passes(&[Working, InputRequired]), [InputRequired, Working, InputRequired]);
        assert_eq!(passes(&[Completed]), [Completed]);
    }
}
