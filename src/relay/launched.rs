//! Tasks of modern clients that cannot be asked everything. What such a client cannot be asked is settled as soon as its
//! task asks it, as in the legacy era; all else waits until the client looks.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::modes::Modes;
use super::ruling;
use super::shared::Shared;
use super::unanswerable::settle;
use crate::engine::{EngineResult, Signal, patiently};
use crate::store::TaskFilter;
use crate::task::{Event, EventKind, Question, Task, TaskId, TaskStatus};

/// Tasks that are read at once when events were missed.
const PAGE: usize = 100;

/// Enters a task that a client with these modes launched, unless the client can be asked everything.
pub(super) fn enter(shared: &Arc<Shared>, task: &Task, modes: Modes) {
    if modes == Modes::ALL || task.status.is_final() {
        return;
    }
    shared.launched.enter(task, modes);
    // What the task asked before it was entered here nobody else tells.
    let (shared, id) = (shared.clone(), task.id().clone());
    tokio::spawn(async move { look(&shared, &id).await });
}

/// Follows the log, until the process stops.
pub(super) async fn follow(shared: Arc<Shared>, mut signals: broadcast::Receiver<Signal>) {
    while let Some(signal) = shared.stop.run_until_cancelled(signals.recv()).await {
        match signal {
            Ok(Signal::Event(event)) => hear(&shared, &event),
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => look_at_all(&shared).await,
            Err(RecvError::Closed) => return,
        }
    }
}

fn hear(shared: &Arc<Shared>, event: &Event) {
    match &event.kind {
        EventKind::Asked { question } => put(shared, &event.task, question),
        EventKind::Extended { expires_at: Some(end), .. } => shared.launched.kept_until(&event.task, *end),
        kind if kind.is_end() => shared.launched.forget(&event.task),
        _ => {}
    }
}

/// Settles the question, where the task's client cannot be asked it. The store may be away, so nobody waits for that.
fn put(shared: &Arc<Shared>, task: &TaskId, question: &Question) {
    let Some(reason) = shared.launched.unaskable(task, question) else { return };
    let (shared, task, question) = (shared.clone(), task.clone(), question.clone());
    tokio::spawn(async move {
        if !ruling::settles(&shared, &task, &question).await {
            settle(&shared, &task, &question, &reason).await;
        }
    });
}

async fn look(shared: &Arc<Shared>, id: &TaskId) {
    let store = shared.engine.store();
    match patiently(&shared.stop, || store.get(id)).await {
        Ok(Some(task)) if !task.status.is_final() => put_all(shared, &task),
        Ok(_) => shared.launched.forget(id),
        Err(error) => tracing::debug!(%error, task = %id, "could not look for questions of a task"),
    }
}

fn put_all(shared: &Arc<Shared>, task: &Task) {
    for question in task.open_questions() {
        put(shared, task.id(), question);
    }
}

/// Looks at what is open anywhere, since events were missed.
async fn look_at_all(shared: &Arc<Shared>) {
    if !shared.launched.forget_expired() {
        return;
    }
    if let Err(error) = every_page(shared).await {
        tracing::warn!(%error, "could not look for questions that nobody here can be asked");
    }
}

async fn every_page(shared: &Arc<Shared>) -> EngineResult<()> {
    let waiting = Some(TaskStatus::InputRequired);
    let filter = TaskFilter { status: waiting, oldest_first: true, ..TaskFilter::default() };
    let mut after = None;
    loop {
        let store = shared.engine.store();
        let page = patiently(&shared.stop, || store.list(&filter, after.as_ref(), PAGE)).await?;
        page.tasks.iter().for_each(|task| put_all(shared, task));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
