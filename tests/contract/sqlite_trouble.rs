//! Files that are removed, replaced, linked or may only be read, paths that are none, and clocks that are wrong.

use std::fs;
use std::future::Future;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use mcptask::store::sqlite::{SqliteStore, TimeSource};
use mcptask::store::{Refusal, Store, StoreError, StoreResult, TaskFilter};
use mcptask::task::{Cursor, NewTask};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{
    MANY, enlisted, form, get, key, new_task, running, still_waits, submit, within, worker,
};

struct Kitchen {
    directory: TempDir,
}

impl Kitchen {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tasks.db")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn open(&self) -> Arc<SqliteStore> {
        SqliteStore::open(&self.path(), "test").await.expect("opens")
    }
}

fn is_gone<T: std::fmt::Debug>(result: StoreResult<T>) {
    match result {
        Err(error @ StoreError::Refuses { refusal: Refusal::FileGone, .. }) => assert!(!error.is_passing()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_once_the_file_is_gone() {
    let kitchen = Kitchen::new();
    let store = kitchen.open().await;
    let task = submit(&*store, &new_task("dinner")).await;
    for name in ["tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db-bell"] {
        fs::remove_file(kitchen.file(name)).expect("removes");
    }
    is_gone(store.submit(&new_task("dinner"), MANY).await);
    is_gone(store.get(task.id()).await);
    is_gone(store.cancel(task.id(), "late").await);
    let troubles = store.health().await.expect("says so");
    assert_eq!(troubles[0].cause, "store_refuses_writes");
    assert!(troubles[0].problem.contains("was removed while it was open"), "{troubles:?}");
    // Who comes later begins anew, and is not harmed.
    let anew = kitchen.open().await;
    submit(&*anew, &new_task("dinner")).await;
    is_gone(store.submit(&new_task("dinner"), MANY).await);
}

#[tokio::test]
async fn a_lost_log_and_a_replaced_file_are_noticed() {
    for name in ["tasks.db", "tasks.db-wal", "tasks.db-shm"] {
        let kitchen = Kitchen::new();
        let store = kitchen.open().await;
        submit(&*store, &new_task("dinner")).await;
        let copy = kitchen.file("copy");
        fs::copy(kitchen.file(name), &copy).expect("copies");
        fs::rename(&copy, kitchen.file(name)).expect("replaces");
        is_gone(store.submit(&new_task("dinner"), MANY).await);
        fs::remove_file(kitchen.file(name)).expect("removes");
        is_gone(store.submit(&new_task("dinner"), MANY).await);
    }
}

#[tokio::test]
async fn who_waits_is_told_that_the_file_is_gone() {
    let kitchen = Kitchen::new();
    let store = kitchen.open().await;
    let (id, tools, stop) = (enlisted(&*store, "w1").await, ["dinner".to_owned()], CancellationToken::new());
    let mut tail = store.tail(store.last().await.expect("reads"));
    let mut waits = store.claim(&id, &tools, 1, &stop);
    still_waits("the claim", &mut waits).await;
    still_waits("the tail", tail.next()).await;
    fs::rename(kitchen.path(), kitchen.file("elsewhere.db")).expect("moves");
    is_gone(within("the claim", waits).await);
    is_gone(within("the tail", tail.next()).await);
    // The same file in its place again is the same store.
    fs::rename(kitchen.file("elsewhere.db"), kitchen.path()).expect("moves back");
    submit(&*store, &new_task("dinner")).await;
}

#[tokio::test]
async fn the_bell_follows_no_link() {
    let kitchen = Kitchen::new();
    let letter = kitchen.file("letter.txt");
    fs::write(&letter, "Dear reader").expect("writes");
    symlink(&letter, kitchen.file("tasks.db-bell")).expect("links");
    let (here, there) = (kitchen.open().await, kitchen.open().await);
    enlisted(&*here, "w1").await;
    let mut waits = Box::pin(crate::support::claim(&*here, "dinner"));
    still_waits("the claim", &mut waits).await;
    let task = submit(&*there, &new_task("dinner")).await;
    assert_eq!(within("the claim", waits).await.id(), task.id());
    assert_eq!(fs::read_to_string(&letter).expect("reads"), "Dear reader");
}

#[tokio::test]
async fn two_names_of_one_file_are_one_store() {
    let kitchen = Kitchen::new();
    let here = kitchen.open().await;
    let link = kitchen.file("link.db");
    symlink(kitchen.path(), &link).expect("links");
    let there = SqliteStore::open(&link, "test").await.expect("opens");
    enlisted(&*here, "w1").await;
    let mut waits = Box::pin(crate::support::claim(&*here, "dinner"));
    still_waits("the claim", &mut waits).await;
    let task = submit(&*there, &new_task("dinner")).await;
    assert_eq!(within("the claim", waits).await.id(), task.id());
    assert!(!kitchen.file("link.db-bell").exists());
}

#[tokio::test]
async fn paths_that_no_other_process_finds_are_refused() {
    for path in ["", ":memory:", "file:tasks.db", "file::memory:?cache=shared"] {
        for opened in [
            SqliteStore::open(Path::new(path), "test").await,
            SqliteStore::open_existing(Path::new(path), "test").await,
        ] {
            let error = opened.expect_err("is no path of a file").to_string();
            assert!(error.contains("is no path of a file"), "{error}");
        }
        assert!(!Path::new(path).exists());
    }
}

#[tokio::test]
async fn who_may_not_begin_a_store_begins_none() {
    let kitchen = Kitchen::new();
    let no_store = async |path: &Path, namespace: &str| {
        let error = SqliteStore::open_existing(path, namespace).await.expect_err("nobody has begun it");
        assert!(matches!(error, StoreError::NoStore { .. }), "{error}");
    };
    no_store(&kitchen.path(), "test").await;
    no_store(&kitchen.file("folder/tasks.db"), "test").await;
    assert_eq!(fs::read_dir(kitchen.directory.path()).expect("reads").count(), 0);
    fs::write(kitchen.path(), "").expect("writes");
    no_store(&kitchen.path(), "test").await;
    assert_eq!(fs::metadata(kitchen.path()).expect("is there").len(), 0);
    fs::remove_file(kitchen.path()).expect("removes");
    kitchen.open().await.close().await;
    no_store(&kitchen.path(), "other").await;
    let namespaces = Connection::open(kitchen.path())
        .and_then(|file| file.query_row("SELECT count(*) FROM namespace", [], |row| row.get::<_, i64>(0)));
    assert_eq!(namespaces.expect("reads"), 1);
}

#[tokio::test]
async fn who_begins_no_store_can_still_write_and_wakes_others() {
    let kitchen = Kitchen::new();
    let store = kitchen.open().await;
    enlisted(&*store, "w1").await;
    let other = SqliteStore::open_existing(&kitchen.path(), "test").await.expect("opens");
    let mut waits = Box::pin(crate::support::claim(&*store, "dinner"));
    still_waits("the claim", &mut waits).await;
    let task = submit(&*other, &new_task("dinner")).await;
    assert_eq!(within("the claim", waits).await.id(), task.id());
}

/// A time source that is that far from the machine's, and can be set.
fn ahead(by: Duration) -> (TimeSource, Arc<AtomicI64>) {
    let ahead_ms = Arc::new(AtomicI64::new(i64::try_from(by.as_millis()).expect("small")));
    let shared = Arc::clone(&ahead_ms);
    let source = move || {
        let millis = Timestamp::now().as_millisecond() + shared.load(Ordering::Relaxed);
        Timestamp::from_millisecond(millis).expect("a time")
    };
    (Arc::new(source), ahead_ms)
}

#[tokio::test]
async fn a_clock_that_runs_ahead_ends_nothing_of_others() {
    const HOUR: Duration = Duration::from_secs(3600);
    let kitchen = Kitchen::new();
    let right = kitchen.open().await;
    let task = running(&*right).await;
    right.renew(&worker("w1"), Duration::from_secs(60)).await.expect("renews");
    right.ask(&key(&task), 1, &[form("one")], Some(Duration::from_secs(60))).await.expect("asks");
    let short = submit(&*right, &NewTask { ttl_ms: Some(60_000), ..new_task("lunch") }).await;
    let (source, ahead_ms) = ahead(HOUR);
    let wrong = SqliteStore::open_with_clock(&kitchen.path(), "test", source).await.expect("opens");
    for by_ms in [3_600_000, -3_600_000, 86_400_000] {
        // The clock may also be set while the process runs.
        ahead_ms.store(by_ms, Ordering::Relaxed);
        let due = wrong.due().await.expect("reads");
        assert!(due.is_empty(), "{by_ms} ms ahead: {due:?}");
        assert!(due.next.is_some_and(|next| next <= Duration::from_secs(60)), "{by_ms}: {:?}", due.next);
        wrong.expire(short.id()).await.expect("does nothing");
        // What it writes is in the store's time too.
        wrong.enlist(&worker("w2"), None, &[], Duration::from_secs(60)).await.expect("enlists");
        let workers = right.workers().await.expect("reads").rows;
        assert!(workers.iter().all(|worker| (30_000..=70_000).contains(&worker.lease_ms)), "{workers:?}");
        let noted = submit(&*wrong, &new_task("lunch")).await;
        assert!(
            noted.created_at.duration_since(short.created_at).abs() < jiff::SignedDuration::from_secs(30)
        );
    }
    assert_eq!(get(&*right, task.id()).await.attempt, 1);
    assert_eq!(get(&*right, short.id()).await, short);
}

#[tokio::test]
async fn small_differences_of_clocks_are_left_alone() {
    let kitchen = Kitchen::new();
    let (source, _) = ahead(Duration::from_secs(1));
    let store = SqliteStore::open_with_clock(&kitchen.path(), "test", source).await.expect("opens");
    let task = submit(&*store, &new_task("dinner")).await;
    let ahead = task.created_at.duration_since(Timestamp::now());
    assert!(ahead > jiff::SignedDuration::from_millis(500), "{ahead}");
    assert_eq!(store.tail(Cursor::START).next().await.expect("reads").events.len(), 1);
}

/// Says that the test runs where it may mount.
const APART: &str = "MCPTASK_TEST_APART";

/// Runs the test of that name where it may mount, and nobody else sees it: again, in namespaces of its own.
fn apart(test: &str, body: impl Future<Output = ()>) {
    if std::env::var_os(APART).is_some() {
        return tokio::runtime::Runtime::new().expect("a runtime").block_on(body);
    }
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--mount"]).arg(std::env::current_exe().expect("a path"));
    let status = again.args(["--exact", test, "--nocapture"]).env(APART, "1").status();
    let status = status.expect("unshare runs; install it: apt-get install util-linux");
    assert!(status.success(), "{test} failed, or this machine allows no user namespaces");
}

fn mount(words: &[&str], place: &Path) {
    assert!(Command::new("mount").args(words).arg(place).status().expect("mount runs").success());
}

#[test]
fn what_may_only_be_read_is_read() {
    apart("sqlite_trouble::what_may_only_be_read_is_read", async {
        let kitchen = Kitchen::new();
        let disk = kitchen.directory.path();
        mount(&["-t", "tmpfs", "-o", "size=8m,mode=700", "none"], disk);
        let store = kitchen.open().await;
        let task = submit(&*store, &new_task("dinner")).await;
        store.close().await;
        drop(store);
        mount(&["-o", "remount,ro", "none"], disk);
        let error = SqliteStore::open(&kitchen.path(), "test").await.expect_err("may not be written to");
        assert!(error.to_string().contains("Read-only file system"), "{error}");
        let reader = SqliteStore::open_existing(&kitchen.path(), "test").await.expect("opens");
        assert_eq!(get(&*reader, task.id()).await, task);
        assert_eq!(
            reader.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks,
            std::slice::from_ref(&task)
        );
        assert!(reader.due().await.expect("reads").is_empty());
        let refused = reader.cancel(task.id(), "late").await.expect_err("may not be written to");
        assert!(matches!(&refused, StoreError::Refuses { refusal: Refusal::ReadOnly, .. }), "{refused}");
        let troubles = reader.health().await.expect("says so");
        assert_eq!(troubles[0].cause, "store_read_only");
        // Whoever may write does so meanwhile: the reader sees it.
        mount(&["-o", "remount,rw", "none"], disk);
        let store = kitchen.open().await;
        let later = submit(&*store, &new_task("dinner")).await;
        assert_eq!(get(&*reader, later.id()).await, later);
        store.close().await;
        reader.close().await;
        let _ = Command::new("umount").arg("-l").arg(disk).status();
    });
}
