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
use crate::task::{Event, SessionId, TaskId};

/// The most tasks that are remembered: beyond them nobody is told that all are gone.
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
    tasks: HashSet<TaskId>,
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
        let mut known = Self { engine: Some(engine.clone()), tasks: HashSet::new() };
        for status in [crate::task::TaskStatus::Working, crate::task::TaskStatus::InputRequired] {
            let filter = TaskFilter { status: Some(status), ..filter.clone() };
            let mut after = None;
            loop {
                let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
                known.tasks.extend(page.tasks.into_iter().map(|task| task.new.id));
                after = page.next;
                if after.is_none() || known.tasks.len() >= MOST {
                    break;
                }
            }
        }
        Ok(known)
    }

    /// Takes note of what happened to a task.
    pub(super) fn take_note(&mut self, event: &Event) {
        if event.kind.is_end() {
            self.tasks.remove(&event.task);
        } else if self.engine.is_some() && !event.hidden && self.tasks.len() < MOST {
            self.tasks.insert(event.task.clone());
        }
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
        if !self.tasks.is_empty() {
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
