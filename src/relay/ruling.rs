//! Questions that a rule decides before anybody is shown them. Whoever is about to show one asks here first, and what is
//! asked while nobody looks is decided as the log tells of it.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::decide::Decide;
use super::shared::Shared;
use super::unanswerable::is_too_late;
use crate::engine::{EngineResult, Signal, patiently};
use crate::store::TaskFilter;
use crate::task::{EventKind, Question, Task, TaskId, TaskStatus};

/// Tasks that are read at once when all that is open is looked at.
const PAGE: usize = 100;

/// Whether a question needs nobody: a rule has answered it, or it is not open any more.
pub(super) async fn settles(shared: &Shared, id: &TaskId, question: &Question) -> bool {
    let Some(decider) = shared.ruling.decider.as_ref().filter(|one| !one.has_left(id, &question.id)) else {
        return false;
    };
    let _turn = shared.ruling.place(id).lock().await;
    let store = shared.engine.store();
    let task = match patiently(&shared.stop, || store.get(id)).await {
        Ok(Some(task)) => task,
        Ok(None) => return true,
        Err(error) => {
            tracing::debug!(%error, task = %id, "no rule is asked about a question");
            return false;
        }
    };
    match task.open_questions().find(|open| open.id == question.id) {
        Some(question) => answers(shared, &**decider, &task, question).await,
        None => true,
    }
}

async fn answers(shared: &Shared, decider: &dyn Decide, task: &Task, question: &Question) -> bool {
    let Some(answer) = decider.decide(task, question) else { return false };
    let store = || shared.engine.answer_known(task.id(), question, answer.clone());
    let (done, is_settled) = match Shared::outlast(&shared.stop, store).await {
        // The process stops: whoever serves the task next decides.
        None => return false,
        Some(Ok(_)) => (Ok(()), true),
        Some(Err(error)) => (Err(error.to_string()), is_too_late(&error)),
    };
    decider.done(task, question, &answer, done);
    is_settled
}

/// The task once the rules have decided on all that it asks.
pub(super) async fn ruled(shared: &Shared, task: Task) -> EngineResult<Task> {
    if shared.ruling.decider.is_none() {
        return Ok(task);
    }
    let mut any = false;
    for question in task.open_questions() {
        any |= settles(shared, task.id(), question).await;
    }
    if !any {
        return Ok(task);
    }
    let now = patiently(&shared.stop, || shared.engine.store().get(task.id())).await?;
    // One that is gone is shown as it was last, as it would have been a moment ago.
    Ok(now.unwrap_or(task))
}

/// What is heard while the log is followed.
enum Heard {
    End,
    /// What is open shall be decided on again.
    Changed,
    Log(Result<Signal, RecvError>),
}

/// Decides on what waits and on what is asked, until the process stops.
pub(super) async fn follow(shared: Arc<Shared>, mut signals: broadcast::Receiver<Signal>) {
    let Some(decider) = &shared.ruling.decider else { return };
    let mut changes = decider.changes();
    look_at_all(&shared).await;
    loop {
        let heard = tokio::select! {
            biased;
            () = shared.stop.cancelled() => Heard::End,
            Ok(()) = changes.changed() => Heard::Changed,
            signal = signals.recv() => Heard::Log(signal),
        };
        match heard {
            Heard::End | Heard::Log(Err(RecvError::Closed)) => return,
            Heard::Changed | Heard::Log(Ok(Signal::Resync) | Err(RecvError::Lagged(_))) => {
                look_at_all(&shared).await;
            }
            Heard::Log(Ok(Signal::Event(event))) => {
                if let EventKind::Asked { question } = &event.kind {
                    settles(&shared, &event.task, question).await;
                }
            }
        }
    }
}

async fn look_at_all(shared: &Shared) {
    if let Err(error) = every_page(shared).await {
        tracing::warn!(%error, "could not look for questions on which rules decide");
    }
}

async fn every_page(shared: &Shared) -> EngineResult<()> {
    let status = Some(TaskStatus::InputRequired);
    let filter = TaskFilter { status, oldest_first: true, hidden: true, ..TaskFilter::default() };
    let mut after = None;
    loop {
        let store = shared.engine.store();
        let page = patiently(&shared.stop, || store.list(&filter, after.as_ref(), PAGE)).await?;
        for task in &page.tasks {
            for question in task.open_questions() {
                settles(shared, task.id(), question).await;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
