//! What random runs do to a store while it is used: it refuses, holds what cannot be read, is emptied, and is read by
//! somebody with few rights.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, Limits};
use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::task::TaskId;
use rusqlite::{Connection, TransactionBehavior};
use tokio_util::sync::CancellationToken;

use crate::protocol::bench::Bench;
use crate::protocol::redis::RedisServer;
use crate::refusing::Trouble;

/// The namespace of [`Bench::store`].
pub(crate) const NAMESPACE: &str = "test";

/// Refuses everything, or all writes, for that time; for one of the reasons that there are.
pub(crate) fn refuse(bench: &Bench, which: usize, time: Duration) {
    if is_file(bench) {
        let mut connection = connection(bench);
        let lock = connection.transaction_with_behavior(TransactionBehavior::Exclusive).expect("locks");
        std::thread::sleep(time);
        lock.rollback().expect("unlocks");
    } else {
        let refusing = Trouble::ALL[which % Trouble::ALL.len()].begin(server(bench));
        std::thread::sleep(time);
        drop(refusing);
    }
}

/// Damages the record of a task.
pub(crate) fn poison(bench: &Bench, task: &TaskId) {
    if is_file(bench) {
        let sql = "UPDATE arguments SET record = '{' WHERE task = (SELECT number FROM task WHERE id = ?1)";
        let damaged = connection(bench).execute(sql, [task.as_str()]).expect("damages it");
        assert_eq!(damaged, 1, "the record of {task}");
    } else {
        let key = format!("mcptask:{{{NAMESPACE}}}:2:task:{task}");
        let added: i64 = server(bench).ask(&["HSET", &key, "new", "{"]).expect("damages it");
        assert_eq!(added, 0, "the record of {task}");
    }
}

/// Empties the store; false where its kind cannot be emptied under running processes.
pub(crate) fn empty(bench: &Bench) -> bool {
    let Bench::Redis(server) = bench else { return false };
    server.ask::<()>(&["FLUSHALL"]).expect("empties it");
    true
}

/// The rules for somebody who may only read.
pub(crate) async fn reader(bench: &Bench) -> Engine {
    let store: Arc<dyn Store> = if is_file(bench) {
        SqliteStore::open_existing(&file(bench), NAMESPACE).await.expect("opens the file")
    } else {
        RedisStore::open_existing(&reader_url(server(bench)), NAMESPACE).await.expect("opens the server")
    };
    Engine::new(store, Limits::default(), CancellationToken::new())
}

/// Where another process finds the store: the server's address, or the file.
pub(crate) fn place(bench: &Bench) -> String {
    if is_file(bench) { file(bench).to_string_lossy().into_owned() } else { server(bench).url() }
}

/// The address of a user who may only read.
fn reader_url(server: &RedisServer) -> String {
    let rights = ["reader", "on", ">pw", "~mcptask:*", "&*", "+@read", "+@connection"];
    server.ask::<()>(&[&["ACL", "SETUSER"], &rights[..]].concat()).expect("makes a user");
    format!("redis://reader:pw@127.0.0.1:{}/0", server.port())
}

fn is_file(bench: &Bench) -> bool {
    matches!(bench, Bench::Sqlite(_))
}

fn server(bench: &Bench) -> &RedisServer {
    let Bench::Redis(server) = bench else { panic!("this is about Redis") };
    server
}

fn file(bench: &Bench) -> PathBuf {
    let Bench::Sqlite(directory) = bench else { panic!("this is about SQLite") };
    directory.path().join("tasks.db")
}

fn connection(bench: &Bench) -> Connection {
    let connection = Connection::open(file(bench)).expect("opens the file");
    connection.busy_timeout(Duration::from_secs(20)).expect("waits for others");
    connection
}
