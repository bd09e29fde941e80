//! Parts that are taken out of a Redis, or whole keys that an eviction takes: what they had is brought back where the
//! tasks' own records tell it, and nobody waits for ever.

use std::collections::BTreeSet;
use std::time::Duration;

use mcptask::store::{ClaimKey, Retention, Store, StoreError, TaskFilter};
use mcptask::task::{NewTask, Outcome, RpcError, Scope, Task, TaskStatus, ToolSpec};

use crate::numbers_redis::something_due;
use crate::redis_keys::{PREFIX, does, server};
use crate::support::bench::Bench;
use crate::support::{LEASE, claim, form, get, key, new_task, running, session, submit, within, worker};

/// What a living worker offers cannot be read, and it does not write it anew: tools are withdrawn all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_worker_keeps_no_tool_for_ever() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let spec = |name: &str| ToolSpec::new(name, "x", serde_json::json!({}));
    store.enlist(&worker("w1"), None, &[spec("lunch")], LEASE).await.expect("enlists");
    store.enlist(&worker("w1"), None, &[], LEASE).await.expect("enlists");
    store.enlist(&worker("w2"), None, &[spec("dinner")], LEASE).await.expect("enlists");
    let waits = submit(&*store, &new_task("lunch")).await;
    does(server(&bench), &["SET", &format!("{PREFIX}worker:w2"), "{"]);
    let gone = RpcError::internal("gone");
    within("the withdrawal", store.withdraw(&["lunch".to_owned()], &gone)).await.expect("is done");
    let tools = store.tools().await.expect("reads").rows;
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["dinner"]);
    assert_eq!(get(&*store, waits.id()).await.status, TaskStatus::Failed);
    let ready: bool = server(&bench).ask(&["EXISTS", &format!("{PREFIX}ready:lunch")]).expect("says");
    assert!(!ready, "the queue of a tool goes with it");
}

/// The index is told again by the tasks' records, and nothing is missing in it, whether it was lost, is something else, or
/// has a member of another score, which takes the order of all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_index_is_made_anew() {
    for (with, new_before) in [
        ("nothing", false),
        ("nothing", true),
        ("a string", false),
        ("a member below", false),
        ("a member above", true),
        ("ours above", false),
        ("the mark below", false),
    ] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let of = |scope: &str| NewTask {
            scope: Scope::named(scope),
            session: Some(session("s")),
            ttl_ms: Some(600_000),
            ..new_task("dinner")
        };
        submit(&*store, &of("alice")).await;
        let asking = claim(&*store, "dinner").await;
        store.ask(&key(&asking), 1, &[form("x")], Some(Duration::from_secs(600))).await.expect("asks");
        submit(&*store, &of("bob")).await;
        let ended = claim(&*store, "dinner").await;
        store.finish(&key(&ended), &Outcome::text("eaten")).await.expect("ends");
        submit(&*store, &of("anonymous")).await;
        let delayed = claim(&*store, "dinner").await;
        let delay =
            mcptask::store::Requeue { delay: Some(Duration::from_secs(600)), ..crate::support::drain() };
        store.requeue(&key(&delayed), &delay).await.expect("goes back");
        submit(&*store, &NewTask { hidden: true, ..of("alice") }).await;
        let index = format!("{PREFIX}index");
        let members = |key: &str| -> BTreeSet<String> {
            let members: Vec<String> = server(&bench).ask(&["ZRANGE", key, "0", "-1"]).expect("reads");
            members.into_iter().collect()
        };
        let before = members(&index);
        match with {
            "a member below" => does(server(&bench), &["ZADD", &index, "-1", "zzz"]),
            "a member above" => does(server(&bench), &["ZADD", &index, "0.5", "a"]),
            "ours above" => {
                does(server(&bench), &["ZADD", &index, "XX", "7", &format!("i:{}", asking.id())]);
            }
            "the mark below" => does(server(&bench), &["ZADD", &index, "XX", "-inf", "w"]),
            _ => {
                does(server(&bench), &["DEL", &index]);
                if with == "a string" {
                    does(server(&bench), &["SET", &index, "poison"]);
                }
            }
        }
        if new_before {
            submit(&*store, &of("carol")).await;
        }
        let troubles = store.health().await.expect("looks");
        assert!(troubles.iter().any(|one| one.problem.contains(&index)), "{with}: {troubles:?}");
        // Who only reads finds the tasks by their records.
        let reading = mcptask::store::redis::RedisStore::open_existing(&server(&bench).url(), "test").await;
        let reading = reading.expect("opens");
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = reading.list(&TaskFilter::default(), after.as_ref(), 2).await.expect("lists");
            found.extend(page.tasks.iter().map(|task| task.id().clone()));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        let mut expected = vec![delayed.id().clone(), ended.id().clone(), asking.id().clone()];
        if new_before {
            expected.insert(0, found.first().expect("the newest").clone());
        }
        assert_eq!(found, expected, "{with}");
        let prefix = &asking.id().as_str()[..8];
        assert_eq!(reading.find(prefix, 2).await.expect("finds"), [asking.id().clone()], "{with}");
        store.due().await.expect("looks");
        let after = members(&index);
        assert!(before.is_subset(&after), "{with}: {:?}", before.difference(&after).collect::<Vec<_>>());
        assert!(new_before || before == after, "{with}: {after:?}");
        let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
        assert_eq!(page.tasks.len(), if new_before { 4 } else { 3 }, "{with}");
        let troubles = store.health().await.expect("looks");
        assert!(with == "a string" || troubles.is_empty(), "{with}: {troubles:?}");
        // Who begins to use the store finds it, too.
        does(server(&bench), &["DEL", &index]);
        bench.store().await;
        assert_eq!(members(&index), after, "{with}");
    }
}

/// A dead worker that was taken out of the leases is found by what its tasks say, as is a task that was taken out of a
/// queue or of what its worker holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_out_of_a_key_is_found_by_the_tasks() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let task = running(&*store).await;
    let other = running(&*store).await;
    let queued = submit(&*store, &new_task("lunch")).await;
    does(server(&bench), &["ZREM", &format!("{PREFIX}leases"), "w1"]);
    does(server(&bench), &["SREM", &format!("{PREFIX}held:w1"), other.id().as_str()]);
    does(server(&bench), &["XTRIM", &format!("{PREFIX}ready:lunch"), "MAXLEN", "0"]);
    let there = bench.store().await;
    there.due().await.expect("looks");
    let workers = there.workers().await.expect("reads").rows;
    assert!(workers.len() == 1 && workers[0].tasks == 2 && workers[0].lease_ms < 60_000, "{workers:?}");
    there.dismiss(&worker("w1")).await.expect("its lease ends");
    let claims: std::collections::HashSet<ClaimKey> =
        something_due(&*there).await.claims.into_iter().map(|(claim, _)| claim).collect();
    assert_eq!(claims.len(), 2);
    assert!(claims.contains(&key(&task)) && claims.contains(&key(&other)));
    assert_eq!(claim(&*there, "lunch").await.id(), queued.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layout_that_is_no_number_is_named() {
    for layout in ["x", ""] {
        let bench = Bench::redis();
        bench.store().await;
        does(server(&bench), &["HSET", "mcptask:{test}:meta", "layout", layout]);
        let url = server(&bench).url();
        let opened = mcptask::store::redis::RedisStore::open_existing(&url, "test").await.map(drop);
        let begun = mcptask::store::redis::RedisStore::open(&url, "test").await.map(drop);
        for refused in [opened, begun] {
            let said = refused.expect_err("is refused").to_string();
            assert!(said.contains("mcptask:{test}:meta") && said.contains(&format!("{layout:?}")), "{said}");
        }
    }
}

/// What told that the namespace is there was evicted together with the index and the log: it is no emptied store, since
/// its tasks are there. Whoever begins it anew finds them, and `health` says what happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_found_without_the_keys_that_tell_of_them() {
    const META: &str = "mcptask:{test}:meta";
    for lost in [&["events", "index"][..], &["index"], &["events"], &[]] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let held = running(&*store).await;
        store.ask(&key(&held), 1, &[form("x")], Some(Duration::from_secs(600))).await.expect("asks");
        let queued = submit(&*store, &new_task("lunch")).await;
        let mut tail = store.tail(store.last().await.expect("reads"));
        let began = tokio::spawn(async move { while !tail.next().await.expect("reads").reset {} });
        let waits = |clients: &String| clients.contains("cmd=xread ");
        server(&bench).until(&["CLIENT", "LIST"], waits);
        let keys = lost.iter().map(|name| format!("{PREFIX}{name}")).chain([META.to_owned()]);
        let words: Vec<String> = ["DEL".to_owned()].into_iter().chain(keys).collect();
        does(server(&bench), &words.iter().map(String::as_str).collect::<Vec<_>>());
        // Each tail notices it and begins the namespace anew.
        within("the tail", began).await.expect("reads on");
        let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
        let found: Vec<_> = page.tasks.iter().map(Task::id).collect();
        assert_eq!(found, [queued.id(), held.id()], "{lost:?}");
        let whole: Option<String> =
            server(&bench).ask(&["ZSCORE", &format!("{PREFIX}index"), "w"]).expect("reads");
        assert!(whole.is_some(), "{lost:?}: the index is whole again");
        let troubles = store.health().await.expect("looks");
        assert!(troubles.iter().any(|one| one.problem.contains(META)), "{lost:?}: {troubles:?}");
        store.cancel(held.id(), "enough").await.expect("cancels");
        assert_eq!(claim(&*store, "lunch").await.id(), queued.id());
    }
}

/// Nobody who may make it anew is there: who only reads finds the tasks all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_read_without_the_keys_that_tell_of_them() {
    const META: &str = "mcptask:{test}:meta";
    let bench = Bench::redis();
    let store = bench.store().await;
    let task = submit(&*store, &new_task("lunch")).await;
    does(server(&bench), &["DEL", META, &format!("{PREFIX}index"), &format!("{PREFIX}events")]);
    let url = server(&bench).url();
    let reading = mcptask::store::redis::RedisStore::open_existing(&url, "test").await.expect("opens");
    let page = reading.list(&TaskFilter::default(), None, 10).await.expect("lists");
    assert_eq!(page.tasks.iter().map(Task::id).collect::<Vec<_>>(), [task.id()]);
    let troubles = reading.health().await.expect("looks");
    assert!(troubles.iter().any(|one| one.problem.contains(META)), "{troubles:?}");
    let begun: bool = server(&bench).ask(&["EXISTS", META]).expect("says");
    assert!(!begun, "who reads writes nothing");
    assert_eq!(claim(&*bench.store().await, "lunch").await.id(), task.id());
}

/// Another program's Redis may hold a million keys: whether a store of ours is there, or begins there, is told by its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_of_another_program_is_not_passed_over_for_tasks() {
    let bench = Bench::redis();
    let fill = "for i = 1, 3000 do redis.call('SET', 'key:' .. i, '') end";
    does(server(&bench), &["EVAL", fill, "0"]);
    does(server(&bench), &["CONFIG", "RESETSTAT"]);
    let url = server(&bench).url();
    let opened = mcptask::store::redis::RedisStore::open_existing(&url, "test").await.map(drop);
    assert!(matches!(opened, Err(StoreError::NoStore { .. })), "{opened:?}");
    let store = bench.store().await;
    let task = submit(&*store, &new_task("lunch")).await;
    assert_eq!(claim(&*store, "lunch").await.id(), task.id());
    let stats: String = server(&bench).ask(&["INFO", "commandstats"]).expect("tells");
    assert!(!stats.contains("cmdstat_scan:"), "{stats}");
    // What says that it is there was evicted: its other keys tell that a pass is worth it.
    does(server(&bench), &["DEL", "mcptask:{test}:meta"]);
    mcptask::store::redis::RedisStore::open_existing(&url, "test").await.expect("it is there");
}

/// A store that was emptied and is used on by those who had it open has lost no keys, whatever they write to it first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_store_that_is_used_on_has_lost_nothing() {
    #[derive(Debug, Clone, Copy)]
    enum Write {
        Looks,
        Submits,
        Enlists,
        Archives,
    }
    use Write::{Archives, Enlists, Looks, Submits};
    for order in [
        &[Looks, Enlists, Submits][..],
        &[Submits, Enlists],
        &[Submits, Looks, Enlists],
        &[Archives, Looks, Submits, Enlists],
        &[Enlists, Submits],
    ] {
        let bench = Bench::redis();
        let (store, other) = (bench.store().await, bench.store().await);
        let before = running(&*store).await;
        does(server(&bench), &["FLUSHALL"]);
        let mut found = 0;
        for write in order {
            match write {
                Looks => drop(store.due().await.expect("looks")),
                Archives => store.retain(Retention { time: Duration::from_secs(3600), bytes: 1 << 20 }),
                Enlists => {
                    store.enlist(&worker("w1"), None, &[], LEASE).await.expect("enlists");
                }
                Submits => {
                    submit(&*other, &new_task("lunch")).await;
                    found += 1;
                }
            }
        }
        assert_eq!(store.health().await.expect("looks"), [], "{order:?}");
        let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
        assert_eq!(page.tasks.len(), found, "{order:?}: {} is gone", before.id());
        let anew = bench.store().await;
        assert_eq!(anew.health().await.expect("looks"), [], "{order:?}");
    }
}

/// Who submits to a namespace that lost what says that it is there finds what was there before, and it is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_submits_after_an_eviction_begins_the_namespace_and_says_so() {
    let bench = Bench::redis();
    let store = bench.store().await;
    submit(&*store, &new_task("lunch")).await;
    does(server(&bench), &["DEL", "mcptask:{test}:meta"]);
    let id = new_task("lunch");
    submit(&*store, &id).await;
    let again = store.submit_to(&id, 100, None).await.expect_err("is there").to_string();
    assert!(again.contains("already a task"), "{again}");
    let troubles = store.health().await.expect("looks");
    assert!(troubles.iter().any(|one| one.problem.contains("had lost")), "{troubles:?}");
    assert_eq!(store.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks.len(), 2);
}

/// A store that was emptied, or that is new, is none that lost keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_store_has_lost_nothing() {
    let bench = Bench::redis();
    let store = bench.store().await;
    submit(&*store, &new_task("lunch")).await;
    does(server(&bench), &["FLUSHALL"]);
    let again = bench.store().await;
    assert_eq!(again.health().await.expect("looks"), []);
    assert_eq!(again.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks, []);
    let whole: Option<String> =
        server(&bench).ask(&["ZSCORE", &format!("{PREFIX}index"), "w"]).expect("reads");
    assert!(whole.is_some(), "its index is whole");
}
