//! The SQLite file at rest: what is in it after a clean stop, what it gives back, and how it is backed up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{Store, TaskFilter};
use mcptask::task::{NewTask, Task};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{ask, get, key, new_task, running, submit, within};

async fn open(path: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(path, "test").await.expect("opens")
}

fn place() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    (directory, path)
}

fn files(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).expect("reads").map(|entry| entry.expect("reads").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn after_a_clean_stop_the_file_alone_holds_everything() {
    let (directory, path) = place();
    let store = open(&path).await;
    let task = running(&*store).await;
    ask(&*store, &key(&task), 1, "one").await;
    let task = get(&*store, task.id()).await;
    store.close().await;
    assert_eq!(files(directory.path()), ["tasks.db", "tasks.db-bell"]);
    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).expect("copies");
    assert_eq!(get(&*open(&copy).await, task.id()).await, task);
    let error = store.get(task.id()).await.expect_err("it was closed").to_string();
    assert!(error.contains("closed by this process"), "{error}");
}

#[tokio::test]
async fn a_clean_stop_beside_others_leaves_an_empty_log() {
    let (directory, path) = place();
    let (here, there) = (open(&path).await, open(&path).await);
    let task = submit(&*here, &new_task("dinner")).await;
    here.close().await;
    assert_eq!(fs::metadata(directory.path().join("tasks.db-wal")).expect("is there").len(), 0);
    assert_eq!(get(&*there, task.id()).await, task);
    submit(&*there, &new_task("dinner")).await;
    there.close().await;
    assert_eq!(files(directory.path()), ["tasks.db", "tasks.db-bell"]);
}

#[tokio::test]
async fn who_only_reads_leaves_no_files_behind() {
    let (directory, path) = place();
    let store = open(&path).await;
    let task = submit(&*store, &new_task("dinner")).await;
    store.close().await;
    fs::remove_file(directory.path().join("tasks.db-bell")).expect("removes");
    let before = fs::read(&path).expect("reads");
    let reader = SqliteStore::open_existing(&path, "test").await.expect("opens");
    assert_eq!(get(&*reader, task.id()).await, task);
    assert!(reader.due().await.expect("reads").is_empty());
    reader.close().await;
    assert_eq!(files(directory.path()), ["tasks.db"]);
    assert_eq!(fs::read(&path).expect("reads"), before);
}

/// Submits tasks with large arguments, and deletes them.
async fn fill_and_empty(store: &dyn Store) {
    let arguments = json!({ "text": "x".repeat(100_000) }).as_object().expect("an object").clone();
    let mut made: Vec<Task> = Vec::new();
    for _ in 0..200 {
        let new = NewTask { ttl_ms: Some(1), arguments: arguments.clone(), ..new_task("dinner") };
        made.push(submit(store, &new).await);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    for task in made {
        store.expire(task.id()).await.expect("expires");
    }
}

#[tokio::test]
async fn the_file_gives_space_back_while_it_is_used() {
    let (_directory, path) = place();
    let store = open(&path).await;
    fill_and_empty(&*store).await;
    let pages = || {
        let file = Connection::open(&path).expect("opens");
        file.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).expect("reads")
    };
    let full = pages();
    assert!(full > 4000, "{full} pages");
    let mut before = full;
    let given_back = async {
        while pages() > 1000 {
            let due = store.due().await.expect("reads");
            let now = pages();
            assert!(before - now <= 1100, "{} pages in one step", before - now);
            before = now;
            assert!(
                now <= 1000 || due.next.is_some_and(|next| next < Duration::from_secs(1)),
                "{:?}",
                due.next
            );
        }
    };
    within("the space", given_back).await;
}

#[tokio::test]
async fn the_file_is_small_after_a_clean_stop() {
    let (_directory, path) = place();
    let store = open(&path).await;
    fill_and_empty(&*store).await;
    store.close().await;
    let size = fs::metadata(&path).expect("is there").len();
    assert!(size < 4 * 1024 * 1024, "{size} bytes");
}

/// The commands of a section of `docs/BACKUP.md`, as they stand there.
fn commands(section: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/BACKUP.md");
    let page = fs::read_to_string(page).expect("reads");
    let section = page.split("\n## ").find(|part| part.starts_with(section)).expect("has that section");
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("ends").trim().to_owned()).collect()
}

fn run(directory: &Path, command: &str) {
    let done = Command::new("sh").args(["-euc", command]).current_dir(directory).output().expect("sh runs");
    assert!(done.status.success(), "{command}: {done:?}");
}

#[tokio::test]
async fn the_documented_backup_of_a_live_store_restores_it() {
    let (directory, path) = place();
    let store = open(&path).await;
    let task = running(&*store).await;
    ask(&*store, &key(&task), 1, "one").await;
    let task = get(&*store, task.id()).await;
    let commands = commands("While something runs on it");
    assert_eq!(commands.len(), 2);
    for command in &commands {
        run(directory.path(), command);
    }
    for copy in ["backup.db", "compact.db"] {
        let restored = open(&directory.path().join(copy)).await;
        assert_eq!(get(&*restored, task.id()).await, task, "{copy}");
        restored.close().await;
    }
    // The store goes on meanwhile.
    submit(&*store, &new_task("dinner")).await;
}

#[tokio::test]
async fn the_documented_copy_of_a_stopped_store_restores_it() {
    let (directory, path) = place();
    let store = open(&path).await;
    let task = submit(&*store, &new_task("dinner")).await;
    store.close().await;
    for command in commands("When nothing runs on it") {
        run(directory.path(), &command);
    }
    let restored = open(&directory.path().join("copy.db")).await;
    assert_eq!(restored.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks, [task]);
}

/// A file of the first versions of this layout, which note nothing of a worker but its lease.
#[tokio::test]
async fn a_worker_of_an_older_file_is_seen_without_what_it_says_of_itself() {
    let (_directory, path) = place();
    let store = open(&path).await;
    store.enlist(&crate::support::worker("w1"), None, &[], Duration::from_secs(60)).await.expect("enlists");
    store.close().await;
    let connection = Connection::open(&path).expect("opens");
    let older = "ALTER TABLE worker DROP COLUMN since_ms; ALTER TABLE worker DROP COLUMN about";
    connection.execute_batch(older).expect("becomes an older one");
    drop(connection);
    let reads = SqliteStore::open_existing(&path, "test").await.expect("opens");
    let seen = reads.workers().await.expect("reads");
    assert!(seen.unreadable.is_empty() && seen.rows[0].since.is_none(), "{seen:?}");
    let writes = open(&path).await;
    writes.enlist(&crate::support::worker("w2"), None, &[], Duration::from_secs(60)).await.expect("enlists");
    let seen = reads.workers().await.expect("reads").rows;
    let known: Vec<_> = seen.iter().map(|worker| (worker.id.as_str(), worker.since.is_some())).collect();
    assert_eq!(known, [("w1", false), ("w2", true)]);
}
