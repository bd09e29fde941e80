//! A Redis that is there and refuses the handshake for a while: no connection stays refused.

use std::time::Duration;

use mcptask::store::redis::RedisStore;
use mcptask::store::{Refusal, Store, StoreError, StoreResult, Tail, TaskFilter};
use mcptask::task::Cursor;
use redis::Connection;
use tokio_util::sync::CancellationToken;

use crate::support::redis::RedisServer;
use crate::support::{claim_for, enlisted, new_task, submit, within};

/// How somebody is not let in.
struct Way {
    user: &'static str,
    database: &'static str,
    shuts: &'static [&'static str],
    opens: &'static [&'static str],
    refusal: Refusal,
}

const WAYS: [Way; 5] = [
    Way {
        user: "w:pw@",
        database: "/0",
        shuts: &["ACL", "SETUSER", "w", "resetpass", ">other"],
        opens: &["ACL", "SETUSER", "w", ">pw"],
        refusal: Refusal::NotAuthenticated,
    },
    Way {
        user: "w:pw@",
        database: "/5",
        shuts: &["ACL", "SETUSER", "w", "off"],
        opens: &["ACL", "SETUSER", "w", "on"],
        refusal: Refusal::NotAuthenticated,
    },
    // As after a start without the file of its users.
    Way {
        user: "w:pw@",
        database: "/0",
        shuts: &["ACL", "DELUSER", "w"],
        opens: &["ACL", "SETUSER", "w", "on", ">pw", "~*", "&*", "+@all"],
        refusal: Refusal::NotAuthenticated,
    },
    Way {
        user: "",
        database: "/5",
        shuts: &["CONFIG", "SET", "requirepass", "x"],
        opens: &["CONFIG", "SET", "requirepass", ""],
        refusal: Refusal::NotAuthenticated,
    },
    Way {
        user: "w:pw@",
        database: "/5",
        shuts: &["ACL", "SETUSER", "w", "-select"],
        opens: &["ACL", "SETUSER", "w", "+select"],
        refusal: Refusal::NotPermitted,
    },
];

fn does(connection: &mut Connection, words: &[&str]) {
    let done: redis::RedisResult<redis::Value> = redis::cmd(words[0]).arg(&words[1..]).query(connection);
    done.unwrap_or_else(|error| panic!("{words:?}: {error}"));
}

/// A connection that nothing below ends.
fn administrator(server: &RedisServer) -> Connection {
    let client = redis::Client::open(server.url()).expect("a client");
    client.get_connection().expect("connects")
}

/// Calls a verb until it ends as wanted: a connection that was cut is noticed by the first verb only.
async fn until<T, O>(
    what: &str,
    mut verb: impl AsyncFnMut() -> StoreResult<T>,
    wanted: impl Fn(StoreResult<T>) -> Option<O>,
) -> O {
    let wanted = async {
        loop {
            if let Some(found) = wanted(verb().await) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(what, wanted).await
}

fn refused<T>(result: StoreResult<T>) -> Option<Refusal> {
    result.err()?.refusal()
}

/// The three kinds of connections: for commands, for claims, for the log.
struct Connections {
    store: std::sync::Arc<dyn Store>,
    tail: Box<dyn Tail>,
    worker: mcptask::task::WorkerId,
}

impl Connections {
    async fn open(url: &str) -> Self {
        let store = RedisStore::open(url, "test").await.expect("opens");
        let worker = enlisted(&*store, "w1").await;
        submit(&*store, &new_task("dinner")).await;
        let mut all = Self { tail: store.tail(Cursor::START), store, worker };
        all.work().await;
        all
    }

    /// Everybody does what they are for.
    async fn work(&mut self) {
        let (tools, stop) = (["dinner".to_owned()], CancellationToken::new());
        until("the list", async || self.store.list(&TaskFilter::default(), None, 10).await, Result::ok).await;
        let claim = async || claim_for(&*self.store, &self.worker, &tools, 1, &stop).await;
        assert_eq!(until("the claim", claim, Result::ok).await.len(), 1);
        let news = until("the news", async || self.tail.next().await, Result::ok).await;
        assert!(!news.events.is_empty());
    }

    /// Everybody is told why they may not.
    async fn refused(&mut self, refusal: Refusal) {
        let (tools, stop) = (["dinner".to_owned()], CancellationToken::new());
        let list = async || self.store.list(&TaskFilter::default(), None, 10).await;
        assert_eq!(until("the list", list, refused).await, refusal);
        let claim = async || claim_for(&*self.store, &self.worker, &tools, 1, &stop).await;
        assert_eq!(until("the claim", claim, refused).await, refusal);
        assert_eq!(until("the news", async || self.tail.next().await, refused).await, refusal);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_goes_on_after_a_refused_handshake() {
    for way in WAYS {
        let server = RedisServer::start();
        let mut administrator = administrator(&server);
        does(&mut administrator, &["ACL", "SETUSER", "w", "on", ">pw", "~*", "&*", "+@all"]);
        let url = server.url().replace("redis://", &format!("redis://{}", way.user));
        let mut all = Connections::open(&url.replace("/0", way.database)).await;
        does(&mut administrator, way.shuts);
        does(&mut administrator, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        all.refused(way.refusal).await;
        does(&mut administrator, way.opens);
        until("the next task", async || all.store.submit(&new_task("dinner"), 10).await, Result::ok).await;
        all.work().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_redis_is_busy_in_every_database() {
    let server = RedisServer::start_with(&["--lua-time-limit", "50"]);
    let url = server.url().replace("/0", "/5");
    let mut all = Connections::open(&url).await;
    let mut administrator = administrator(&server);
    let script = std::thread::spawn(move || {
        let mut both = redis::pipe();
        both.cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        both.cmd("EVAL").arg(&["while true do end", "0"]);
        // The script ends by being killed, which is its error.
        let ended: redis::RedisResult<redis::Value> = both.query(&mut administrator);
        assert!(ended.is_err());
    });
    all.refused(Refusal::Busy).await;
    let opened = RedisStore::open_existing(&url, "test").await.expect_err("it is busy");
    assert!(matches!(&opened, StoreError::Refuses { refusal: Refusal::Busy, .. }), "{opened}");
    server.ask::<()>(&["SCRIPT", "KILL"]).expect("is ended");
    script.join().expect("ends");
    until("the next task", async || all.store.submit(&new_task("dinner"), 10).await, Result::ok).await;
    all.work().await;
}
