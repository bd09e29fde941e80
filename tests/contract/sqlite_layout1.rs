//! SQLite files of layout 1, written by the last version that had it (`tests/fixtures/layout1/make.py`), with live tasks
//! in every state: each of them goes on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{ClaimKey, EventFilter, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, Outcome, Task, TaskId, TaskStatus};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{accept, claim, crash, get, key, nothing_queued, q, words_of};

/// How long the tasks of the copy live: ten years.
const TTL_MS: u64 = 315_360_000_000;

/// A copy of the file, and the ids of its tasks.
struct Fixture {
    directory: TempDir,
    ids: BTreeMap<String, TaskId>,
}

impl Fixture {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/layout1");
        let directory = TempDir::new().expect("a temporary directory");
        fs::copy(folder.join("tasks.db"), directory.path().join("tasks.db")).expect("copies");
        let ids = fs::read_to_string(folder.join("states.json")).expect("reads");
        let fixture = Self { directory, ids: serde_json::from_str(&ids).expect("names and ids") };
        // Its tasks were made to live for a day or a week; they outlive these tests.
        fixture.sql(&format!(
            "UPDATE tasks SET expires_ms = created_ms + {TTL_MS}, record = replace(replace(record,
                 '\"ttl_ms\":604800000', '\"ttl_ms\":{TTL_MS}'), '\"ttl_ms\":86400000', '\"ttl_ms\":{TTL_MS}')"
        ));
        fixture
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tasks.db")
    }

    async fn open(&self) -> Arc<SqliteStore> {
        SqliteStore::open(&self.path(), "default").await.expect("is brought up to date")
    }

    fn id(&self, state: &str) -> &TaskId {
        &self.ids[state]
    }

    /// Runs statements as another program would.
    fn sql(&self, sql: &str) {
        Connection::open(self.path()).and_then(|file| file.execute_batch(sql)).expect("runs");
    }
}

/// Gives back what workers of the older version held, as a time keeper does.
async fn take_from_the_dead(store: &dyn Store) -> Vec<ClaimKey> {
    let due = store.due().await.expect("reads");
    for (claim, worker) in &due.claims {
        store.requeue(claim, &crash(&format!("{worker} is gone"))).await.expect("gives back");
    }
    due.claims.into_iter().map(|(claim, _)| claim).collect()
}

/// Claims the tool's next task, which has to be that one, and finishes it.
async fn goes_on(store: &dyn Store, tool: &str, id: &TaskId) -> Task {
    let task = claim(store, tool).await;
    assert_eq!(task.id(), id);
    store.finish(&key(&task), &Outcome::text("done")).await.expect("finishes");
    let finished = get(store, id).await;
    assert_eq!(finished.status, TaskStatus::Completed);
    assert_eq!(words_of(store, id).await.last(), Some(&"completed"));
    task
}

#[tokio::test]
async fn all_tasks_are_listed_as_they_were() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let all = TaskFilter { hidden: true, ..TaskFilter::default() };
    let page = store.list(&all, None, 100).await.expect("lists");
    let found: BTreeMap<_, _> = page.tasks.iter().map(|task| (task.id().clone(), task.status)).collect();
    for (state, status) in [
        ("completed", TaskStatus::Completed),
        ("failed", TaskStatus::Failed),
        ("cancelled", TaskStatus::Cancelled),
        ("parked", TaskStatus::InputRequired),
        ("asking", TaskStatus::InputRequired),
        ("delayed", TaskStatus::Working),
        ("running", TaskStatus::Working),
        ("queued", TaskStatus::Working),
        ("hidden", TaskStatus::Completed),
    ] {
        assert_eq!(found.get(fixture.id(state)), Some(&status), "{state}");
    }
    assert_eq!(found.len(), 9);
    let unreadable: Vec<_> = page.unreadable.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(unreadable, [fixture.id("nested").as_str()]);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn what_has_ended_keeps_its_outcome_and_its_events() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let completed = get(&*store, fixture.id("completed")).await;
    assert_eq!(completed.outcome.as_ref().and_then(Outcome::first_text), Some("Hello, world!"));
    assert_eq!(completed.new.arguments, *json!({ "text": "world" }).as_object().expect("an object"));
    assert_eq!(completed.new.ttl_ms, Some(TTL_MS));
    assert_eq!(words_of(&*store, completed.id()).await, ["submitted", "claimed", "completed"]);
    let failed = get(&*store, fixture.id("failed")).await;
    assert!(
        matches!(&failed.outcome, Some(Outcome::Error(error)) if error.message == "it broke"),
        "{failed:?}"
    );
    assert_eq!(
        words_of(&*store, fixture.id("cancelled")).await,
        ["submitted", "claimed", "asked", "cancelled"]
    );
    assert!(get(&*store, fixture.id("hidden")).await.new.hidden);
    let all = store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads");
    assert!(all.events.len() > 30 && all.unreadable.is_empty(), "{} events", all.events.len());
    assert!(all.events.is_sorted_by_key(|event| event.cursor), "in their order");
    assert_eq!(all.events.last().map(|event| event.cursor), Some(store.last().await.expect("reads")));
    assert_eq!(store.tools().await.expect("reads").rows.len(), 6);
}

#[tokio::test]
async fn a_queued_task_is_claimed_and_finished() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let task = goes_on(&*store, "quick", fixture.id("queued")).await;
    assert_eq!(
        (task.attempt, task.new.session.as_ref().map(ToString::to_string)),
        (1, Some("kitchen".into()))
    );
}

#[tokio::test]
async fn tasks_of_killed_workers_are_due_and_go_on() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let mut lost: Vec<_> = take_from_the_dead(&*store).await.into_iter().map(|claim| claim.task).collect();
    let mut expected = vec![fixture.id("running").clone(), fixture.id("asking").clone()];
    lost.sort();
    expected.sort();
    assert_eq!(lost, expected);
    let task = goes_on(&*store, "runs", fixture.id("running")).await;
    assert_eq!(task.attempt, 2);
}

#[tokio::test]
async fn open_questions_are_answered_and_given_answers_stay() {
    for state in ["asking", "parked"] {
        let fixture = Fixture::new();
        let store = fixture.open().await;
        take_from_the_dead(&*store).await;
        let id = fixture.id(state);
        let before = get(&*store, id).await;
        assert_eq!(before.open_questions().map(|open| &open.id).collect::<Vec<_>>(), [&q(2)], "{state}");
        let asked = words_of(&*store, id).await.iter().filter(|word| **word == "asked").count();
        assert_eq!(asked, 2);
        store.answer(id, &q(2), &accept("four")).await.expect("answers");
        let task = claim(&*store, "asks").await;
        let asks: Vec<_> = task.questions.iter().map(|question| question.ask.clone()).collect();
        assert_eq!((task.id(), asks.len()), (id, 2));
        // A tool that runs again asks the same and has its answers.
        let questions = store.ask(&key(&task), 1, &asks, None).await.expect("asks again");
        assert_eq!(questions, task.questions);
        let answers = store.answers(&key(&task), 1, 2).await.expect("reads").expect("both are answered");
        assert_eq!(
            answers[0].content,
            json!({ "cuisine": if state == "asking" { "greek" } else { "thai" } }).as_object().cloned()
        );
        assert_eq!(answers[1].content, json!({ "cuisine": "four" }).as_object().cloned());
        store.finish(&key(&task), &Outcome::text("done")).await.expect("finishes");
    }
}

#[tokio::test]
async fn a_delayed_retry_comes_back_when_its_time_has_come() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let task = get(&*store, fixture.id("delayed")).await;
    assert_eq!(task.last_failure.as_deref(), Some("false: it ended with exit code 1"));
    fixture.sql("UPDATE task SET resume_ms = 1 WHERE resume_ms IS NOT NULL");
    assert_eq!(store.due().await.expect("reads").delayed, [task.id().clone()]);
    store.resume(task.id()).await.expect("resumes");
    assert_eq!(goes_on(&*store, "again", task.id()).await.attempt, 2);
}

#[tokio::test]
async fn an_outcome_that_layout_1_could_not_read_again_is_named_and_expires() {
    let fixture = Fixture::new();
    let store = fixture.open().await;
    let id = fixture.id("nested");
    let error = store.get(id).await.expect_err("it is nested too deeply").to_string();
    assert!(error.contains("its record cannot be read: recursion limit exceeded"), "{error}");
    assert!(matches!(
        store.cancel(id, "late").await,
        Err(StoreError::Ended { status: TaskStatus::Completed, .. })
    ));
    fixture.sql(&format!("UPDATE task SET expires_ms = 1 WHERE id = '{id}'"));
    store.expire(id).await.expect("expires");
    assert_eq!(store.get(id).await.expect("reads"), None);
}

#[tokio::test]
async fn a_damaged_task_is_parked_and_can_be_cancelled() {
    let fixture = Fixture::new();
    for state in ["queued", "running", "parked"] {
        let id = fixture.id(state);
        fixture.sql(&format!("UPDATE tasks SET record = substr(record, 1, 60) WHERE id = '{id}'"));
    }
    let store = fixture.open().await;
    assert_eq!(take_from_the_dead(&*store).await.len(), 1, "only of the one that can be read");
    nothing_queued(&*store, "quick").await;
    nothing_queued(&*store, "runs").await;
    for state in ["queued", "running", "parked"] {
        let id = fixture.id(state);
        assert!(matches!(store.get(id).await, Err(StoreError::Unreadable { .. })), "{state}");
        store.cancel(id, "nobody can").await.expect("cancels");
        assert!(matches!(
            store.cancel(id, "again").await,
            Err(StoreError::Ended { status: TaskStatus::Cancelled, .. })
        ));
    }
    assert_eq!(store.list(&TaskFilter::default(), None, 100).await.expect("lists").unreadable.len(), 4);
}

#[tokio::test]
async fn the_file_waits_while_workers_of_the_older_version_live() {
    let fixture = Fixture::new();
    fixture.sql("UPDATE workers SET lease_until_ms = 9999999999999, dismissed = 0");
    let before = fs::read(fixture.path()).expect("reads");
    let error = SqliteStore::open(&fixture.path(), "default").await.expect_err("they live");
    assert!(matches!(&error, StoreError::OlderLayout { found: 1, .. }), "{error}");
    assert!(error.to_string().contains("still runs here; stop all processes of that version"), "{error}");
    let error = SqliteStore::open_existing(&fixture.path(), "default").await.expect_err("it is older");
    let StoreError::OlderLayout { worker: Some(_), .. } = error else { panic!("{error}") };
    assert_eq!(fs::read(fixture.path()).expect("reads"), before);
    fixture.sql("UPDATE workers SET lease_until_ms = 1");
    fixture.open().await;
}

#[tokio::test]
async fn who_only_reads_leaves_an_older_file_alone() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.path()).expect("reads");
    let error = SqliteStore::open_existing(&fixture.path(), "default").await.expect_err("it is older");
    assert!(matches!(&error, StoreError::OlderLayout { found: 1, .. }), "{error}");
    assert_eq!(fs::read(fixture.path()).expect("reads"), before);
}

#[tokio::test]
async fn a_process_of_the_older_version_can_do_no_harm() {
    let fixture = Fixture::new();
    // It has the file open and its statements ready from before.
    let old = Connection::open(fixture.path()).expect("opens");
    let statements = [
        "SELECT record FROM tasks",
        "UPDATE tasks SET status = 'cancelled', record = '{}'",
        "INSERT INTO events (namespace, sequence, task, record) VALUES (1, 1000, 'x', '{}')",
        "UPDATE workers SET lease_until_ms = 9",
        "UPDATE namespaces SET tool_changes = 0",
        "DELETE FROM tools",
        "DELETE FROM sources",
    ];
    for statement in statements {
        old.prepare_cached(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let store = fixture.open().await;
    for statement in statements {
        let error = match old.prepare_cached(statement) {
            Ok(mut ready) => {
                ready.query([]).and_then(|mut rows| rows.next().map(drop)).expect_err("has no table")
            }
            Err(error) => error,
        };
        assert!(error.to_string().contains("no such table"), "{statement}: {error}");
    }
    goes_on(&*store, "quick", fixture.id("queued")).await;
    let layout: u32 = old.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("reads");
    let gives_back: u32 = old.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).expect("reads");
    assert_eq!((layout, gives_back), (2, 2));
}

#[tokio::test]
async fn numbers_that_cannot_be_keep_no_file_from_being_brought_up_to_date() {
    for damage in [
        "UPDATE tasks SET failures = -1",
        "UPDATE tasks SET failures = 9223372036854775807",
        "UPDATE tasks SET expires_ms = -9223372036854775808",
        "UPDATE tasks SET created_ms = -9223372036854775808",
        "UPDATE tasks SET created_ms = 9223372036854775807",
        "UPDATE tasks SET queued = -5, resume_ms = -5",
        "UPDATE workers SET lease_until_ms = 9223372036854775807, dismissed = 0",
        "UPDATE events SET sequence = 9223372036854775807 WHERE sequence = 1",
    ] {
        let fixture = Fixture::new();
        fixture.sql(damage);
        let store = fixture.open().await;
        let task = crate::support::submit(&*store, &crate::support::new_task("lunch")).await;
        assert_eq!(crate::support::claim(&*store, "lunch").await.id(), task.id(), "{damage}");
    }
}
