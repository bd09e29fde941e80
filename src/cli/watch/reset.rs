//! A store that was emptied, or came back older, while it is watched.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::failure::{Failure, Kind};
use crate::desk::place::STORE;
use crate::desk::text;
use crate::engine::{Engine, EngineError, Viewer};
use crate::store::{EventFilter, StoreError, TaskFilter};
use crate::task::{Event, SessionId, TaskId, TaskStatus};

/// The most tasks that are remembered. Where there are more, it is looked for others once all of these are gone.
const MOST: usize = 10_000;

/// Unfinished tasks that are read at once.
const PAGE: usize = 500;

/// What is said of it.
const WORDS: &str =
    "the store was emptied, or came back without what it had last: what was seen before may be gone";

/// Says so, among the events where they are objects: who reads them may keep what they say.
pub(super) fn tell(context: &Context) -> Result<(), Failure> {
    if context.ui.is_json() {
        return context.ui.object(&json!({
            "at": Timestamp::now(), "event": "reset", "source": STORE, "message": WORDS,
        }));
    }
    context.ui.warn(WORDS);
    Ok(())
}

/// The unfinished tasks that what is waited for may come from.
#[derive(Default)]
pub(super) struct Known {
    engine: Option<Engine>,
    /// Those that are looked for where more are there than are remembered.
    filter: TaskFilter,
    tasks: HashSet<TaskId>,
    most: usize,
    has_more: bool,
}

impl Known {
    /// Those that there are now.
    pub(super) async fn begin(engine: &Engine, filter: &EventFilter) -> Result<Self, Failure> {
        let session: Option<SessionId> = match filter {
            EventFilter::All => None,
            EventFilter::Session(session) => Some(session.clone()),
            // The one task is looked after by who waits for its end.
            EventFilter::Task(_) => return Ok(Self::default()),
        };
        let filter = TaskFilter { session, ..TaskFilter::default() };
        Self::read(engine, filter, MOST).await
    }

    async fn read(engine: &Engine, filter: TaskFilter, most: usize) -> Result<Self, Failure> {
        let engine_of_these = Some(engine.clone());
        let mut known =
            Self { engine: engine_of_these, filter, tasks: HashSet::new(), most, has_more: false };
        for status in [TaskStatus::Working, TaskStatus::InputRequired] {
            let filter = TaskFilter { status: Some(status), ..known.filter.clone() };
            let mut after = None;
            loop {
                let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
                page.tasks.into_iter().for_each(|task| known.remember(task.new.id));
                after = page.next;
                if after.is_none() || known.has_more {
                    break;
                }
            }
        }
        Ok(known)
    }

    fn remember(&mut self, task: TaskId) {
        if self.tasks.len() < self.most {
            self.tasks.insert(task);
        } else {
            self.has_more |= !self.tasks.contains(&task);
        }
    }

    /// Takes note of what happened to a task.
    pub(super) fn take_note(&mut self, event: &Event) {
        if event.kind.is_end() {
            self.tasks.remove(&event.task);
        } else if self.engine.is_some() && !event.hidden {
            self.remember(event.task.clone());
        }
    }

    /// Whether others are there than those that were remembered, which are remembered from now on. A store that came back
    /// older may have lost the ones and have the others.
    async fn finds_others(&mut self, engine: &Engine) -> Result<bool, Failure> {
        if !self.has_more {
            return Ok(false);
        }
        *self = Self::read(engine, self.filter.clone(), self.most).await?;
        Ok(!self.tasks.is_empty())
    }

    /// Looks whether any is left; a failure where there were some and none is: what is waited for will not come.
    pub(super) async fn lost(&mut self) -> Result<(), Failure> {
        let Some(engine) = self.engine.clone() else { return Ok(()) };
        let before: Vec<TaskId> = self.tasks.drain().collect();
        for id in &before {
            match engine.get_patiently(&Viewer::Operator, id).await {
                Err(EngineError::Store(StoreError::NoTask(_))) => {}
                // One that ended meanwhile is there, and its end is in the log.
                _ => drop(self.tasks.insert(id.clone())),
            }
        }
        let [first, others @ ..] = &before[..] else { return Ok(()) };
        if !self.tasks.is_empty() || self.finds_others(&engine).await? {
            return Ok(());
        }
        let first = text::short_id(first.as_str());
        let what = match others.len() {
            0 => format!("task {first} is not there any more"),
            more => format!("task {first} and {more} more are not there any more"),
        };
        let why = "the store was emptied, or came back without its data";
        Err(Failure::new(Kind::NotFound, format!("{what}, so what is waited for will not come: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engine::Limits;
    use crate::store::Store as _;
    use crate::store::sqlite::SqliteStore;
    use crate::task::{NewTask, Scope};

    async fn submitted(store: &SqliteStore) -> TaskId {
        let new = NewTask {
            id: TaskId::generate(),
            tool: "dinner".to_owned(),
            arguments: serde_json::Map::new(),
            scope: Scope::anonymous(),
            session: None,
            hidden: false,
            ttl_ms: None,
            max_attempts: 1,
        };
        store.submit(&new, 100).await.expect("submits").new.id
    }

    async fn delete(store: &SqliteStore, known: &Known) {
        for task in &known.tasks {
            store.cancel(task, "gone").await.expect("ends it");
            assert!(store.prune(task).await.expect("deletes it"));
        }
    }

    #[tokio::test]
    async fn that_those_which_are_remembered_are_gone_says_nothing_of_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("tasks.db"), "test").await.expect("opens");
        let engine = Engine::new(store.clone(), Limits::default(), CancellationToken::new());
        for _ in 0..5 {
            submitted(&store).await;
        }
        let mut known = Known::read(&engine, TaskFilter::default(), 3).await.expect("reads");
        assert_eq!((known.tasks.len(), known.has_more), (3, true));
        delete(&store, &known).await;
        known.lost().await.expect("two are left");
        assert_eq!((known.tasks.len(), known.has_more), (2, false));
        delete(&store, &known).await;
        let lost = known.lost().await.expect_err("none is left").to_string();
        assert!(lost.contains("and 1 more are not there any more"), "{lost}");
    }
}
