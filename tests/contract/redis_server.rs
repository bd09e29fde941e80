//! What only the Redis engine has: addresses.

use std::time::Duration;

use mcptask::store::redis::RedisStore;
use mcptask::store::{LAYOUT, Store, StoreError};

use crate::support::redis::RedisServer;
use crate::support::{claim, get, new_task, submit};

#[tokio::test]
async fn a_unix_socket_leads_to_the_same_state() {
    let server = RedisServer::start();
    let by_socket = RedisStore::open(&server.socket_url(), "test").await.expect("opens the socket");
    let by_tcp = RedisStore::open(&server.url(), "test").await.expect("opens the port");
    let task = submit(&*by_socket, &new_task("dinner")).await;
    assert_eq!(get(&*by_tcp, task.id()).await, task);
    assert_eq!(claim(&*by_socket, "dinner").await.id(), task.id());
}

#[tokio::test]
async fn a_newer_layout_is_refused() {
    let server = RedisServer::start();
    RedisStore::open(&server.url(), "test").await.expect("opens");
    let newer = LAYOUT + 1;
    let client = redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_connection().expect("connects");
    let () = redis::cmd("HSET")
        .arg("mcptask:{test}:meta")
        .arg("layout")
        .arg(newer)
        .query(&mut connection)
        .expect("writes");
    let error = RedisStore::open(&server.url(), "test").await.expect_err("it is newer");
    assert!(matches!(&error, StoreError::NewerLayout { found, .. } if *found == newer), "{error}");
    RedisStore::open(&server.url(), "other").await.expect("another namespace is not concerned");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let server = RedisServer::start();
    let url = server.url().replace("redis://", "redis://user:hunter2@");
    drop(server);
    let error = RedisStore::open(&url, "test").await.expect_err("there is no server");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("127.0.0.1") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_tail_says_that_its_server_is_back_also_where_nothing_happened() {
    let mut server = RedisServer::persistent();
    let store = RedisStore::open(&server.url(), "test").await.expect("opens");
    submit(&*store, &new_task("dinner")).await;
    let mut tail = store.tail(store.last().await.expect("its end"));
    server.kill();
    tail.next().await.expect_err("nobody is there");
    server.restart();
    let news = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Ok(news) = tail.next().await {
                return news;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let news = news.await.expect("the tail returns");
    assert!(news.events.is_empty() && !news.reset, "nothing happened meanwhile: {news:?}");
}

/// What a worker says of itself is of use to people only: one that says nothing, as those of older versions, or whose key
/// somebody overwrote is a worker all the same. Its next renewal has it enlisted again.
#[tokio::test]
async fn a_worker_without_what_it_says_of_itself_is_seen_all_the_same() {
    let server = RedisServer::start();
    let store = RedisStore::open(&server.url(), "test").await.expect("opens");
    let (id, lease) = (crate::support::worker("w1"), Duration::from_secs(60));
    let about = "mcptask:{test}:2:about:w1";
    for harm in [&["DEL", about][..], &["SET", about, "poison"]] {
        store.enlist(&id, None, &[], lease).await.expect("enlists");
        assert!(store.workers().await.expect("reads").rows[0].since.is_some());
        let _: redis::Value = server.ask(&["DEL", about]).expect("deletes");
        let _: redis::Value = server.ask(harm).expect("does harm");
        let seen = store.workers().await.expect("reads");
        assert!(seen.unreadable.is_empty() && seen.rows[0].since.is_none(), "{harm:?}: {seen:?}");
        let is_known = store.renew(&id, lease).await.expect("renews");
        assert_eq!(is_known, harm[0] == "SET", "what is gone is written anew");
    }
    store.dismiss(&id).await.expect("leaves");
    let left: u64 = server.ask(&["EXISTS", about]).expect("tells");
    assert_eq!(left, 0);
}
