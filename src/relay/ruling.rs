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
    if shared.ruling.decider.as_ref().is_none_or(|decider| decider.has_left(id, &question.id)) {
        return false;
    }
    let is_it = |open: &Question| open.id == question.id;
    match decided(shared, id, is_it).await {
        Some(Decided { is_any_answered: false, task: Some(task) }) => !task.open_questions().any(is_it),
        Some(_) => true,
        None => false,
    }
}

/// What became of some of a task's questions.
struct Decided {
    /// The task as it was before; none where it is gone.
    task: Option<Task>,
    /// Whether any of them is not open any more since then.
    is_any_answered: bool,
}

/// Decides on those of a task's open questions that are wanted and were not left to people; `None` where nobody can.
/// Each task has its turn, within which it is read once.
async fn decided(shared: &Shared, id: &TaskId, is_wanted: impl Fn(&Question) -> bool) -> Option<Decided> {
    let decider = shared.ruling.decider.as_ref()?;
    let _turn = shared.ruling.place(id).lock().await;
    let store = shared.engine.store();
    let read = patiently(&shared.stop, || store.get(id)).await;
    let Some(task) = read
        .inspect_err(|error| {
            tracing::debug!(%error, task = %id, "no rule is asked about a question");
        })
        .ok()?
    else {
        return Some(Decided { task: None, is_any_answered: false });
    };
    let mut is_any_answered = false;
    // Whoever had the turn before may have left some to people.
    for question in task.open_questions().filter(|open| is_wanted(open) && !decider.has_left(id, &open.id)) {
        is_any_answered |= answers(shared, &**decider, &task, question).await;
    }
    Some(Decided { task: Some(task), is_any_answered })
}

/// Whether all open questions of a task are left to people already, so that nobody has to read it for them.
fn are_left(shared: &Shared, task: &Task) -> bool {
    let left = |decider: &dyn Decide| task.open_questions().all(|open| decider.has_left(task.id(), &open.id));
    shared.ruling.decider.as_deref().is_none_or(left)
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
    if are_left(shared, &task) {
        return Ok(task);
    }
    match decided(shared, task.id(), |_| true).await {
        None => return Ok(task),
        Some(Decided { is_any_answered: false, task: now }) => return Ok(now.unwrap_or(task)),
        Some(_) => {}
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
        for task in page.tasks.iter().filter(|task| !are_left(shared, task)) {
            decided(shared, task.id(), |_| true).await;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
