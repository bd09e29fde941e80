//! Who may only read reads: a user with few rights, a replica, a Redis whose memory is full.

use mcptask::store::redis::RedisStore;
use mcptask::store::{EventFilter, Refusal, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, Task};

use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{key, new_task, q, running, submit};

fn does(server: &RedisServer, words: &[&str]) {
    let _: redis::Value = server.ask(words).expect("the server does it");
}

/// Every verb that reads.
async fn reads(store: &dyn Store, task: &Task) {
    assert_eq!(store.get(task.id()).await.expect("gets").expect("is there").id(), task.id());
    assert_eq!(store.find(task.id().as_str(), 2).await.expect("finds"), [task.id().clone()]);
    assert_eq!(store.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks.len(), 1);
    store.tools().await.expect("reads the tools");
    assert_eq!(store.workers().await.expect("reads the workers").rows.len(), 1);
    let log =
        store.history(&EventFilter::Task(task.id().clone()), Cursor::START, 10).await.expect("reads the log");
    assert_eq!(log.events.len(), 2);
    assert_eq!(store.claims(&crate::support::worker("w1")).await.expect("reads the claims"), [key(task)]);
    assert_ne!(store.last().await.expect("reads the end"), Cursor::START);
    let news = crate::support::within("the news", store.tail(Cursor::START).next()).await.expect("reads on");
    assert_eq!(news.events.len(), 2);
    store.health().await.expect("looks at the store");
}

/// A server with one running task.
async fn served(options: &[&str]) -> (RedisServer, Task) {
    let server = RedisServer::start_with(options);
    let store = RedisStore::open(&server.url(), "test").await.expect("opens");
    let task = running(&*store).await;
    (server, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_reads_and_is_told_that_it_may_not_write() {
    let (server, task) = served(&[]).await;
    does(&server, &["ACL", "SETUSER", "reader", "on", ">pw", "~mcptask:*", "&*", "+@read", "+@connection"]);
    let url = server.url().replace("redis://", "redis://reader:pw@");
    let store = RedisStore::open_existing(&url, "test").await.expect("opens");
    reads(&*store, &task).await;
    let error = store.cancel(task.id(), "enough").await.expect_err("may not");
    assert_eq!(error.refusal(), Some(Refusal::NotPermitted), "{error}");
    assert_eq!(store.health().await.expect("looks"), [], "nothing is wrong with the store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_is_read_and_says_that_it_is_full() {
    let (server, task) = served(&[]).await;
    does(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    let store = RedisStore::open_existing(&server.url(), "test").await.expect("opens");
    reads(&*store, &task).await;
    let error = store.submit(&new_task("dinner"), 10).await.expect_err("it is full");
    assert_eq!(error.refusal(), Some(Refusal::MemoryFull), "{error}");
    let troubles = store.health().await.expect("looks");
    assert_eq!(troubles[0].cause, "store_refuses_writes", "{troubles:?}");
    does(&server, &["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store.health().await.expect("looks"), []);
    does(&server, &["CONFIG", "SET", "maxmemory", "1gb"]);
    does(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    assert_eq!(store.health().await.expect("looks")[0].cause, "store_evicts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_keys_that_are_damaged_are_named() {
    let (server, _) = served(&[]).await;
    let store = RedisStore::open(&server.url(), "test").await.expect("opens");
    assert_eq!(store.health().await.expect("looks"), []);
    for key in ["events", "index", "leases"] {
        let key = format!("mcptask:{{test}}:2:{key}");
        let _: bool = server.ask(&["COPY", &key, "kept"]).expect("keeps it");
        does(&server, &["SET", &key, "poison"]);
        let troubles = store.health().await.expect("looks");
        assert_eq!(troubles[0].cause, "store_damaged", "{troubles:?}");
        assert!(troubles[0].problem.contains(&key), "{troubles:?}");
        does(&server, &["DEL", &key]);
        does(&server, &["RENAME", "kept", &key]);
    }
    assert_eq!(store.health().await.expect("looks"), []);
    does(&server, &["ACL", "SETUSER", "default", "-eval", "-evalsha"]);
    assert_eq!(store.health().await.expect("looks")[0].cause, "store_refuses_writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_read() {
    let (primary, task) = served(&[]).await;
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    replica.until(&["INFO", "replication"], |text: &String| text.contains("master_link_status:up"));
    let store = RedisStore::open_existing(&replica.url(), "test").await.expect("opens");
    reads(&*store, &task).await;
    let error =
        store.answer(task.id(), &q(1), &crate::support::decline()).await.expect_err("it is a replica");
    assert!(
        matches!(error, StoreError::NoQuestion { .. }) || error.refusal() == Some(Refusal::ReadOnly),
        "{error}"
    );
    let error = store.cancel(task.id(), "enough").await.expect_err("it is a replica");
    assert_eq!(error.refusal(), Some(Refusal::ReadOnly), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_at_a_redis_without_tasks_leaves_no_key() {
    let bench = Bench::redis();
    let Bench::Redis(server) = &bench else { panic!("this is about Redis") };
    let error = RedisStore::open_existing(&server.url(), "test").await.expect_err("nobody began it");
    assert!(matches!(error, StoreError::NoStore { .. }), "{error}");
    assert_eq!(server.ask::<u64>(&["DBSIZE"]).expect("counts"), 0);
}

/// What each refusal of Redis becomes, provoked on a real server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_told_apart() {
    let (server, task) = served(&[]).await;
    let store = RedisStore::open(&server.url(), "test").await.expect("opens");
    let refusal = async || store.note(task.id(), None, "x").await.expect_err("is refused").refusal();
    // Redis 6 lets scripts write whatever its replicas do.
    let about: String = server.ask(&["INFO", "server"]).expect("tells");
    if !about.contains("redis_version:6.") {
        does(&server, &["CONFIG", "SET", "min-replicas-to-write", "1"]);
        assert_eq!(refusal().await, Some(Refusal::NoReplicas));
        does(&server, &["CONFIG", "SET", "min-replicas-to-write", "0"]);
    }
    does(&server, &["ACL", "SETUSER", "default", "-evalsha", "-eval"]);
    assert_eq!(refusal().await, Some(Refusal::NotPermitted));
    does(&server, &["ACL", "SETUSER", "default", "+@all"]);
    does(&server, &["ACL", "SETUSER", "default", "-xadd"]);
    assert_eq!(refusal().await, Some(Refusal::NotPermitted), "inside a script, too");
    does(&server, &["ACL", "SETUSER", "default", "+@all"]);
    does(&server, &["SCRIPT", "FLUSH"]);
    store.note(task.id(), None, "y").await.expect("scripts that were forgotten are sent again");
    submit(&*store, &new_task("dinner")).await;
    let error = RedisStore::open(&server.url().replace("redis://", "redis://default:wrong@"), "test").await;
    assert_eq!(error.map(drop).map_err(|error| error.refusal()), Ok(()), "without a password any is taken");
    does(&server, &["CONFIG", "SET", "requirepass", "right"]);
    let url = server.url().replace("redis://", "redis://:wrong@");
    let error = RedisStore::open(&url, "test").await.expect_err("is refused");
    assert_eq!(error.refusal(), Some(Refusal::NotAuthenticated), "{error}");
}
