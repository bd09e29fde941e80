//! What test binaries share: real stores, and sentences about tasks. Include it with
//! `#[path = "../support/mod.rs"] mod support;`.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod bench;
pub mod cluster;
pub mod redis;

use std::future::Future;
use std::time::Duration;

use mcptask::store::{ClaimKey, EventFilter, Requeue, Store, StoreError, StoreResult};
use mcptask::task::{
    Action, Answer, Answerer, Ask, Cursor, Event, NewTask, Question, QuestionId, Scope, SessionId, Task,
    TaskId, WorkerId,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// The bound on every wait: long enough for a busy machine, short enough to find what hangs.
pub const BOUND: Duration = Duration::from_secs(30);

/// The limit on open tasks for tests that are not about it.
pub const MANY: u32 = 100_000;

/// Waits for `future`, and fails the test when it takes longer than [`BOUND`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, future).await.unwrap_or_else(|_| panic!("{what} took longer than {BOUND:?}"))
}

/// Asserts that `future` has still not ended a moment later. Can only err on the side of passing.
pub async fn still_waits<T>(what: &str, future: impl Future<Output = T>) {
    let ended = tokio::time::timeout(Duration::from_millis(100), future).await;
    assert!(ended.is_err(), "{what} did not wait");
}

/// A task to submit: tool `tool`, scope anonymous, no session, no ttl, three attempts.
pub fn new_task(tool: &str) -> NewTask {
    NewTask {
        id: TaskId::generate(),
        tool: tool.to_owned(),
        arguments: json!({ "guests": 4 }).as_object().expect("an object").clone(),
        scope: Scope::anonymous(),
        session: None,
        hidden: false,
        ttl_ms: None,
        max_attempts: 3,
    }
}

/// A session of that name.
pub fn session(name: &str) -> SessionId {
    name.parse().expect("a session id")
}

/// A worker of that name.
pub fn worker(name: &str) -> WorkerId {
    name.parse().expect("a worker id")
}

/// A question with that message.
pub fn form(message: &str) -> Ask {
    Ask::form(message, json!({ "type": "object", "properties": { "cuisine": { "type": "string" } } }))
}

/// The first question of a task.
pub fn q(position: u32) -> QuestionId {
    QuestionId::at(position)
}

/// An operator's answer.
pub fn accept(cuisine: &str) -> Answer {
    Answer::accept(json!({ "cuisine": cuisine }).as_object().expect("an object").clone(), Answerer::Operator)
}

/// An operator's refusal.
pub fn decline() -> Answer {
    Answer::new(Action::Decline, Answerer::Operator)
}

/// A requeue after a crash.
pub fn crash(reason: &str) -> Requeue {
    Requeue::failed(reason.to_owned())
}

/// A requeue of a worker that drains.
pub fn drain() -> Requeue {
    Requeue::returned("the worker stops".to_owned())
}

/// The right to write for a claimed task.
pub fn key(task: &Task) -> ClaimKey {
    ClaimKey { task: task.id().clone(), attempt: task.attempt }
}

/// Submits a task that is not about submitting.
pub async fn submit(store: &dyn Store, new: &NewTask) -> Task {
    store.submit(new, MANY).await.expect("submits")
}

/// The lease of a worker of a test that is not about leases: longer than any deadline of the test.
pub const LEASE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A worker of that name that has a lease and no tools.
pub async fn enlisted(store: &dyn Store, name: &str) -> WorkerId {
    let id = worker(name);
    store.enlist(&id, None, &[], LEASE).await.expect("enlists");
    id
}

/// Asserts that nothing is foreseen but the end of [`LEASE`].
pub fn nothing_foreseen(next: Option<Duration>) {
    assert!(next.is_none_or(|next| next > LEASE / 2), "{next:?}");
}

/// Claims for a worker, which gets a lease where it has none.
pub async fn claim_for(
    store: &dyn Store,
    worker: &WorkerId,
    tools: &[String],
    most: usize,
    stop: &CancellationToken,
) -> StoreResult<Vec<Task>> {
    match store.claim(worker, tools, most, stop).await {
        Err(StoreError::LeaseEnded { .. }) => {
            store.enlist(worker, None, &[], LEASE).await.expect("enlists");
            store.claim(worker, tools, most, stop).await
        }
        claimed => claimed,
    }
}

/// Claims the next task of `tool` for the worker `w1`, which has to be queued already or be so soon.
pub async fn claim(store: &dyn Store, tool: &str) -> Task {
    let (tools, stop) = ([tool.to_owned()], CancellationToken::new());
    let w1 = worker("w1");
    let tasks = within("the claim", claim_for(store, &w1, &tools, 1, &stop)).await.expect("claims");
    tasks.into_iter().next().expect("a claim returns at least one task")
}

/// Asserts that no task of `tool` is queued.
pub async fn nothing_queued(store: &dyn Store, tool: &str) {
    let (tools, stop) = ([tool.to_owned()], CancellationToken::new());
    let late = worker("w-late");
    let mut waits = Box::pin(claim_for(store, &late, &tools, 1, &stop));
    still_waits("the claim", &mut waits).await;
    stop.cancel();
    let tasks = within("the stopped claim", waits).await.expect("stops");
    store.dismiss(&late).await.expect("dismisses");
    assert!(tasks.is_empty(), "{tasks:?} was queued");
}

/// A task of the tool `dinner` that the worker `w1` holds.
pub async fn running(store: &dyn Store) -> Task {
    let new = new_task("dinner");
    submit(store, &new).await;
    let task = claim(store, "dinner").await;
    assert_eq!(task.id(), &new.id, "another task of the tool was queued");
    task
}

/// Asks one question without a timeout.
pub async fn ask(store: &dyn Store, claim: &ClaimKey, position: u32, message: &str) -> Question {
    let questions = store.ask(claim, position, &[form(message)], None).await.expect("asks");
    questions.into_iter().next().expect("one question for one ask")
}

/// The task, which has to exist.
pub async fn get(store: &dyn Store, task: &TaskId) -> Task {
    store.get(task).await.expect("reads").expect("the task exists")
}

/// All events of a task.
pub async fn events_of(store: &dyn Store, task: &TaskId) -> Vec<Event> {
    store.history(&EventFilter::Task(task.clone()), Cursor::START, 1000).await.expect("reads").events
}

/// The words of all events of a task, in order.
pub async fn words_of(store: &dyn Store, task: &TaskId) -> Vec<&'static str> {
    events_of(store, task).await.iter().map(|event| event.kind.name()).collect()
}
