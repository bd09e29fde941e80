//! The archive where somebody else wrote to it, where rights are missing, and for those who may only read.

use std::time::Duration;

use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{Store as _, StoreError, TaskFilter};

use crate::archive::{DAY, all, archived, eaten, ids, retention, short, words};
use crate::support::bench::Bench;
use crate::support::get;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_record_harms_only_itself() {
    for bench in [Bench::redis(), Bench::sqlite()] {
        let store = bench.store().await;
        store.retain(retention(DAY));
        let bad = archived(&*store, &short("dinner")).await;
        let good = archived(&*store, &short("dinner")).await;
        match &bench {
            Bench::Redis(server) => {
                let key = format!("mcptask:{{test}}:2:archived:{bad}");
                let _: i64 = server.ask(&["HSET", &key, "new", "{"]).expect("writes");
            }
            Bench::Sqlite(directory) => {
                let file = rusqlite::Connection::open(directory.path().join("tasks.db")).expect("opens");
                let sql = "UPDATE archive SET record = '{' WHERE id = ?1";
                assert_eq!(file.execute(sql, [bad.as_str()]), Ok(1));
            }
            Bench::Cluster(..) => {}
        }
        let page = store.archived(&TaskFilter::default(), None, 10).await.expect("lists");
        assert_eq!(page.tasks.iter().map(|one| one.task.id()).collect::<Vec<_>>(), [&good]);
        assert_eq!(page.unreadable.iter().map(|one| &*one.name).collect::<Vec<_>>(), [bad.as_str()]);
        let error = store.archived_task(&bad).await.expect_err("cannot be read");
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        assert_eq!(store.find_archived("", 10).await.expect("finds").len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_only_a_newer_version_knows_is_passed_over() {
    for bench in [Bench::redis(), Bench::sqlite()] {
        let store = bench.store().await;
        store.retain(retention(DAY));
        let id = archived(&*store, &short("dinner")).await;
        match &bench {
            Bench::Redis(server) => {
                let key = format!("mcptask:{{test}}:2:archived:{id}");
                let events: String = server.ask(&["HGET", &key, "events"]).expect("reads");
                let newer = events.replace("\"submitted\"", "\"teleported\"");
                let _: i64 = server.ask(&["HSET", &key, "events", &newer]).expect("writes");
            }
            Bench::Sqlite(directory) => {
                let file = rusqlite::Connection::open(directory.path().join("tasks.db")).expect("opens");
                let sql = "UPDATE archive SET record = replace(record, '\"submitted\"', '\"teleported\"')";
                assert_eq!(file.execute(sql, []), Ok(1));
            }
            Bench::Cluster(..) => {}
        }
        let kept = store.archived_task(&id).await.expect("reads").expect("is there");
        let words: Vec<_> = kept.events.iter().map(|event| event.kind.name()).collect();
        assert_eq!(words, ["expired"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_somebody_else_in_place_of_the_archive_harms_no_task() {
    let bench = Bench::redis();
    let Bench::Redis(server) = &bench else { panic!("this is about Redis") };
    let store = bench.store().await;
    store.retain(retention(DAY));
    let _: String = server.ask(&["SET", "mcptask:{test}:2:archive", "poison"]).expect("writes");
    assert_eq!(all(&*store).await, []);
    assert_eq!(store.find_archived("", 10).await.expect("finds"), []);
    let id = archived(&*store, &short("dinner")).await;
    assert_eq!(store.get(&id).await.expect("reads"), None);
    assert_eq!(ids(&*store).await, [id]);
    let troubles = store.health().await.expect("looks");
    assert!(troubles[0].problem.contains("2:archive was a string"), "{troubles:?}");
}

/// Somebody who gives a member of the archive another score takes the order of all others, until the next task comes, or
/// the next sweep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_out_of_order_is_ordered_again() {
    let bench = Bench::redis();
    let Bench::Redis(server) = &bench else { panic!("this is about Redis") };
    let store = bench.store().await;
    store.retain(retention(DAY));
    let mut kept = vec![archived(&*store, &short("dinner")).await, archived(&*store, &short("dinner")).await];
    let key = "mcptask:{test}:2:archive";
    let before: Vec<String> = server.ask(&["ZRANGE", key, "0", "-1"]).expect("reads");
    let _: i64 = server.ask(&["ZADD", key, "-1", "zzz", "-2", &before[0], "7", &before[1]]).expect("writes");
    kept.push(archived(&*store, &short("dinner")).await);
    let mut found = ids(&*store).await;
    found.sort();
    kept.sort();
    assert_eq!(found, kept);
    let scores: Vec<String> = server.ask(&["ZRANGEBYSCORE", key, "(0", "+inf"]).expect("reads");
    let members: Vec<String> = server.ask(&["ZRANGE", key, "0", "-1"]).expect("reads");
    assert!(scores.is_empty() && members.len() == 10, "{members:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_cannot_be_written_leaves_the_task_as_it_was() {
    let bench = Bench::redis();
    let Bench::Redis(server) = &bench else { panic!("this is about Redis") };
    let store = bench.store().await;
    store.retain(retention(DAY));
    let before = eaten(&*store).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let said = words(&*store).await;
    for command in ["-rename", "-pexpire", "-zadd"] {
        let _: String = server.ask(&["ACL", "SETUSER", "default", command]).expect("is set");
        store.expire(before.id()).await.expect_err("may not");
        let _: String = server.ask(&["ACL", "SETUSER", "default", "+@all"]).expect("is set");
        assert_eq!(get(&*store, before.id()).await, before, "{command}");
        assert_eq!(words(&*store).await, said, "{command}");
        assert_eq!(all(&*store).await, [], "{command}");
    }
    store.expire(before.id()).await.expect("expires");
    assert_eq!(ids(&*store).await, [before.id().clone()]);
}

/// What reads changes nothing, whoever reads, and whether anything was ever archived there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_only_read_reads_the_archive() {
    let bench = Bench::sqlite();
    let Bench::Sqlite(directory) = &bench else { panic!("this is about SQLite") };
    let path = directory.path().join("tasks.db");
    let store = bench.store().await;
    let reader = SqliteStore::open_existing(&path, "test").await.expect("opens");
    assert_eq!(all(&*reader).await, []);
    store.retain(retention(DAY));
    let id = archived(&*store, &short("dinner")).await;
    assert_eq!(ids(&*reader).await, std::slice::from_ref(&id));

    let bench = Bench::redis();
    let Bench::Redis(server) = &bench else { panic!("this is about Redis") };
    let store = bench.store().await;
    let user = ["ACL", "SETUSER", "reader", "on", ">pw", "~mcptask:*", "&*", "+@read", "+@connection"];
    let _: String = server.ask(&user).expect("is set");
    let url = server.url().replace("redis://", "redis://reader:pw@");
    let reader = RedisStore::open_existing(&url, "test").await.expect("opens");
    assert_eq!(all(&*reader).await, []);
    store.retain(retention(DAY));
    let id = archived(&*store, &short("dinner")).await;
    assert_eq!(ids(&*reader).await, std::slice::from_ref(&id));
    assert_eq!(reader.find_archived(id.as_str(), 2).await.expect("finds"), std::slice::from_ref(&id));
    assert!(reader.archived_task(&id).await.expect("reads").is_some());
}
