//! Which questions of the log are still open.

use std::collections::HashSet;

use tokio::sync::OnceCell;

use crate::desk::failure::Failure;
use crate::engine::{Engine, Viewer};
use crate::store::{EventFilter, TaskFilter};
use crate::task::{Cursor, Event, QuestionId, Task, TaskId, TaskStatus};

/// Waiting tasks that are read at once.
const PAGE: usize = 500;

/// Tells of a question in the log whether it is still open. Those of the past are told by one reading of what waits,
/// however many were asked; for those that are asked from now on the task is looked at.
pub(crate) struct Open {
    engine: Engine,
    filter: EventFilter,
    /// Where the past ends.
    until: Cursor,
    past: OnceCell<HashSet<(TaskId, QuestionId)>>,
}

impl Open {
    /// For the events of that filter.
    pub(crate) async fn begin(engine: &Engine, filter: &EventFilter) -> Result<Self, Failure> {
        let until = engine.last().await?;
        Ok(Self { engine: engine.clone(), filter: filter.clone(), until, past: OnceCell::new() })
    }

    /// The log's end when this began: what comes after it is new.
    pub(crate) fn begun(&self) -> Cursor {
        self.until
    }

    /// Whether that question of the event's task is open. Not where that cannot be told: what was answered long ago
    /// needs no command that answers it.
    pub(crate) async fn has(&self, event: &Event, question: &QuestionId) -> bool {
        if event.cursor <= self.until {
            let past = self.past.get_or_try_init(async || self.read().await).await;
            return past.is_ok_and(|open| open.contains(&(event.task.clone(), question.clone())));
        }
        let task = self.engine.get_patiently(&Viewer::Operator, &event.task).await;
        task.is_ok_and(|task| task.open_questions().any(|open| open.id == *question))
    }

    async fn read(&self) -> Result<HashSet<(TaskId, QuestionId)>, Failure> {
        let session = match &self.filter {
            EventFilter::All => None,
            EventFilter::Session(session) => Some(session.clone()),
            EventFilter::Task(id) => {
                return Ok(questions(&self.engine.get(&Viewer::Operator, id).await?).collect());
            }
        };
        let status = Some(TaskStatus::InputRequired);
        let filter = TaskFilter { session, status, hidden: true, ..TaskFilter::default() };
        let (mut open, mut after) = (HashSet::new(), None);
        loop {
            let page = self.engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
            open.extend(page.tasks.iter().flat_map(questions));
            after = page.next;
            if after.is_none() {
                return Ok(open);
            }
        }
    }
}

/// The task's open questions.
fn questions(task: &Task) -> impl Iterator<Item = (TaskId, QuestionId)> {
    task.open_questions().map(|question| (task.id().clone(), question.id.clone()))
}
