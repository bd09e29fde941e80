//! What only the SQLite engine has: a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{EventFilter, MAX_LOG_EVENTS, Store as _, StoreError};
use mcptask::task::Cursor;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{claim, get, new_task, submit, within, words_of};

async fn refused(path: &Path) -> StoreError {
    let error = SqliteStore::open(path, "test").await.expect_err("it is no database of ours");
    assert!(error.to_string().contains(&path.display().to_string()), "{error} names no path");
    error
}

#[tokio::test]
async fn the_file_is_for_its_user_only() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("state/mcptask/tasks.db");
    let store = SqliteStore::open(&path, "test").await.expect("opens");
    submit(&*store, &new_task("dinner")).await;
    assert_eq!(store.location(), path.display().to_string());
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().expect("a parent")), 0o700);
    for entry in fs::read_dir(path.parent().expect("a parent")).expect("reads") {
        let file = entry.expect("reads").path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_state_outlives_the_process() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    let store = SqliteStore::open(&path, "test").await.expect("opens");
    let task = submit(&*store, &new_task("dinner")).await;
    drop(store);
    let store = SqliteStore::open(&path, "test").await.expect("opens again");
    assert_eq!(get(&*store, task.id()).await, task);
    assert_eq!(claim(&*store, "dinner").await.id(), task.id());
    assert_eq!(words_of(&*store, task.id()).await, ["submitted", "claimed"]);
}

#[tokio::test]
async fn a_newer_layout_is_refused() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    SqliteStore::open(&path, "test").await.expect("opens");
    let newer = 99;
    Connection::open(&path)
        .and_then(|file| file.pragma_update(None, "user_version", newer))
        .expect("written");
    let error = refused(&path).await;
    assert!(matches!(&error, StoreError::NewerLayout { found, .. } if *found == newer), "{error}");
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("bookmarks.db");
    Connection::open(&path)
        .and_then(|file| file.execute_batch("CREATE TABLE pages (url TEXT)"))
        .expect("written");
    let before = fs::read(&path).expect("reads");
    let error = refused(&path).await;
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(fs::read(&path).expect("reads"), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("letter.txt");
    let letter = "Dear reader, this is a letter and not a database. ".repeat(100);
    fs::write(&path, &letter).expect("written");
    let error = refused(&path).await;
    assert!(error.to_string().contains("not a SQLite database"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), letter);
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_named() {
    let directory = TempDir::new().expect("a temporary directory");
    fs::write(directory.path().join("file"), "").expect("written");
    for path in [directory.path().to_owned(), directory.path().join("file/tasks.db")] {
        let error = refused(&path).await;
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_create_the_file_at_once() {
    for _ in 0..5 {
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path().join("tasks.db");
        let mut openers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let path = path.clone();
            openers.spawn(async move {
                let store = SqliteStore::open(&path, "test").await.expect("opens");
                submit(&*store, &new_task("dinner")).await
            });
        }
        let made = within("the openers", openers.join_all()).await;
        let store = SqliteStore::open(&path, "test").await.expect("opens");
        for task in made {
            assert_eq!(get(&*store, task.id()).await, task);
        }
    }
}

#[tokio::test]
async fn the_bell_file_does_not_grow() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    let store = SqliteStore::open(&path, "test").await.expect("opens");
    for _ in 0..50 {
        submit(&*store, &new_task("dinner")).await;
    }
    let bell = fs::metadata(directory.path().join("tasks.db-bell")).expect("exists");
    assert_eq!(bell.len(), 1);
}

#[tokio::test]
async fn a_bell_that_is_somebodys_file_is_not_written_to() {
    for is_linked in [true, false] {
        let directory = TempDir::new().expect("a temporary directory");
        let (path, bell) = (directory.path().join("tasks.db"), directory.path().join("tasks.db-bell"));
        if is_linked {
            fs::write(directory.path().join("precious"), "p").expect("writes");
            fs::hard_link(directory.path().join("precious"), &bell).expect("links");
        } else {
            fs::write(&bell, "precious").expect("writes");
        }
        let before = fs::read(&bell).expect("is there");
        let store = SqliteStore::open(&path, "test").await.expect("opens");
        let other = SqliteStore::open(&path, "test").await.expect("opens");
        let waits = tokio::spawn(async move { claim(&*other, "dinner").await.id().clone() });
        let task = submit(&*store, &new_task("dinner")).await;
        assert_eq!(within("the claim, found without a bell", waits).await.expect("claims"), *task.id());
        assert_eq!(fs::read(&bell).expect("is there"), before);
    }
}

#[tokio::test]
async fn work_is_found_where_the_bell_file_is_gone() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    let here = SqliteStore::open(&path, "test").await.expect("opens");
    let there = SqliteStore::open(&path, "test").await.expect("opens");
    fs::remove_file(directory.path().join("tasks.db-bell")).expect("removed");
    let mut waits = Box::pin(claim(&*here, "dinner"));
    crate::support::still_waits("the claim", &mut waits).await;
    let task = submit(&*there, &new_task("dinner")).await;
    assert_eq!(waits.await.id(), task.id());
}

#[tokio::test]
async fn the_log_drops_its_oldest_events() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    let store = SqliteStore::open(&path, "test").await.expect("opens");
    for _ in 0..10 {
        submit(&*store, &new_task("dinner")).await;
    }
    // As if a million events had been written since.
    let later = "UPDATE event SET sequence = sequence + ?1 WHERE sequence > 5";
    Connection::open(&path).and_then(|file| file.execute(later, [MAX_LOG_EVENTS as i64])).expect("written");
    while store.last().await.expect("reads").sequence % 1000 != 0 {
        submit(&*store, &new_task("dinner")).await;
    }
    let events = store.history(&EventFilter::All, Cursor::START, 2000).await.expect("reads").events;
    assert!(events[0].cursor.sequence > MAX_LOG_EVENTS, "{:?} is still there", events[0]);
    assert_eq!(events.len(), 995);
}
