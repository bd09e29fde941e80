//! Keys of a Redis beside the tasks' own that somebody overwrites or an eviction takes: nobody is stopped, what they had
//! is told again by the tasks, and the store's health names them.

use mcptask::store::{ClaimKey, Store, StoreError, StoreResult, Tail};
use mcptask::task::{Cursor, NewTask, Outcome, Task, TaskId, ToolSpec, WorkerId};
use tokio_util::sync::CancellationToken;

use crate::redis_keys::{PREFIX, does, server};
use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{LEASE, claim, crash, key, new_task, running, session, submit, within, worker};

/// Keys that workers, servers and clients use again and again, beside the tasks' own and those (the log and the index)
/// without which nothing can be known.
const SHARED: [&str; 9] = [
    "2:held:w1",
    "2:worker:w1",
    "2:leases",
    "2:tools",
    "2:tools:changes",
    "2:ready:dinner",
    "2:log:s",
    "2:source:a.toml",
    "meta",
];

/// Leaves something else in the place of a key, as another program would; or nothing, as an eviction does.
fn overwrite(server: &RedisServer, key: &str, with: &str) {
    does(server, &["DEL", key]);
    match with {
        "a string" => does(server, &["SET", key, "poison"]),
        "a list" => does(server, &["RPUSH", key, "poison"]),
        _ => {}
    }
}

/// A worker as its process has it: it renews its lease, and is enlisted again where the store does not know it.
struct Process<'a> {
    store: &'a dyn Store,
    id: WorkerId,
}

impl Process<'_> {
    async fn renew(&self) -> StoreResult<()> {
        if !self.store.renew(&self.id, LEASE).await? {
            let tools = ["dinner", "lunch"].map(|name| ToolSpec::new(name, "x", serde_json::json!({})));
            self.store.enlist(&self.id, None, &tools, LEASE).await?;
        }
        Ok(())
    }

    async fn claims(&self, count: usize) -> Vec<Task> {
        let (stop, tools) = (CancellationToken::new(), ["dinner".to_owned(), "lunch".to_owned()]);
        let mut claimed = Vec::new();
        while claimed.len() < count {
            match within("the claim", self.store.claim(&self.id, &tools, 5, &stop)).await {
                Ok(tasks) => claimed.extend(tasks),
                Err(StoreError::LeaseEnded { .. }) => self.renew().await.expect("is enlisted again"),
                Err(error) => panic!("{error}"),
            }
        }
        claimed
    }

    async fn held(&self) -> Vec<TaskId> {
        let claims = self.store.claims(&self.id).await.expect("are told");
        let mut held: Vec<_> = claims.into_iter().map(|claim| claim.task).collect();
        held.sort();
        held
    }
}

fn sorted(mut tasks: Vec<TaskId>) -> Vec<TaskId> {
    tasks.sort();
    tasks
}

async fn hears_the_ends(tail: &mut dyn Tail, count: usize) {
    let mut ended = 0;
    while ended < count {
        let news = within("the news", tail.next()).await.expect("goes on");
        ended += news.events.iter().filter(|event| event.kind.is_end()).count();
    }
}

/// Whichever key is overwritten or lost: the worker goes on with what it holds, what is queued and what comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_overwritten_or_lost_stops_nobody() {
    for name in SHARED {
        for with in ["a string", "a list", "nothing"] {
            if name == "2:worker:w1" && with == "a string" {
                continue;
            }
            goes_on(name, with).await;
        }
    }
}

async fn goes_on(name: &str, with: &str) {
    let bench = Bench::redis();
    let store = bench.store().await;
    let process = Process { store: &*store, id: worker("w1") };
    process.renew().await.expect("is enlisted");
    store.attribute("a.toml", &["dinner".to_owned()]).await.expect("is noted");
    let mut tail = store.tail(Cursor::START);
    let of_session = || NewTask { session: Some(session("s")), ..new_task("dinner") };
    let held = submit(&*store, &of_session()).await.id().clone();
    process.claims(1).await;
    let queued = submit(&*store, &of_session()).await.id().clone();

    let damaged = format!("mcptask:{{test}}:{name}");
    overwrite(server(&bench), &damaged, with);
    let named = |troubles: Vec<mcptask::store::Trouble>| {
        with == "nothing" || troubles.iter().any(|one| one.problem.contains(&damaged))
    };
    // Sessions and sources are in no list, so that only who meets their keys can name them.
    let is_listed = !["2:log:s", "2:source:a.toml"].contains(&name);
    let before = store.health().await.expect("looks");
    assert!(!is_listed || named(before), "{name} {with}: is named before anybody met it");
    let new = submit(&*store, &of_session()).await.id().clone();
    let other = submit(&*store, &new_task("lunch")).await.id().clone();
    process.renew().await.expect("the lease goes on");
    let claimed: Vec<_> = process.claims(3).await.iter().map(|task| task.id().clone()).collect();
    assert_eq!(sorted(claimed), sorted(vec![queued.clone(), new.clone(), other.clone()]), "{name} {with}");
    let all = sorted(vec![held, queued, new, other]);
    assert_eq!(process.held().await, all, "{name} {with}");
    store.attribute("a.toml", &["dinner".to_owned()]).await.expect("is noted");
    store
        .withdraw(&["dinner".to_owned()], &mcptask::task::RpcError::internal("gone"))
        .await
        .expect("is done");
    assert_eq!(
        store.tools().await.expect("reads").rows.len(),
        2,
        "{name} {with}: a living worker offers them"
    );
    for task in &all {
        store
            .finish(&ClaimKey { task: task.clone(), attempt: 1 }, &Outcome::text("eaten"))
            .await
            .expect("ends");
    }
    hears_the_ends(&mut *tail, all.len()).await;
    assert!(process.held().await.is_empty(), "{name} {with}");
    assert!(named(store.health().await.expect("looks")), "{name} {with}: is named afterwards");
    let due = store.due().await.expect("looks");
    assert!(due.is_empty() && due.unreadable.is_empty(), "{name} {with}: {due:?}");
}

/// What a dead worker held is found by the tasks, whatever became of the key that has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_held_is_found_without_the_key_that_says_it() {
    for with in ["a string", "nothing"] {
        for dismissed_before in [true, false] {
            let bench = Bench::redis();
            let store = bench.store().await;
            let task = running(&*store).await;
            if dismissed_before {
                store.dismiss(&worker("w1")).await.expect("leaves");
            }
            overwrite(server(&bench), &format!("{PREFIX}held:w1"), with);
            if !dismissed_before {
                store.dismiss(&worker("w1")).await.expect("leaves");
            }
            let due = store.due().await.expect("looks");
            assert_eq!(due.claims, [(key(&task), worker("w1"))], "{with}");
            store.requeue(&key(&task), &crash("gone")).await.expect("goes back");
            assert!(store.due().await.expect("looks").is_empty(), "{with}");
            assert!(store.workers().await.expect("reads").rows.is_empty(), "{with}");
            assert_eq!(claim(&*store, "dinner").await.id(), task.id(), "{with}");
        }
    }
}

/// With the leases those of dead workers are lost, and whoever comes next finds their tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_dead_workers_are_taken_over_without_the_leases() {
    for with in ["a string", "nothing"] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let task = running(&*store).await;
        overwrite(server(&bench), &format!("{PREFIX}leases"), with);
        let next = Process { store: &*store, id: worker("w2") };
        next.renew().await.expect("is enlisted");
        let workers = store.workers().await.expect("reads").rows;
        let dead = workers.iter().find(|one| one.id == worker("w1")).expect("is known again");
        assert!(dead.lease_ms > 0 && dead.lease_ms < 60_000 && dead.tasks == 1, "{with}: {dead:?}");
        store.dismiss(&worker("w1")).await.expect("its lease ends");
        assert_eq!(store.due().await.expect("looks").claims, [(key(&task), worker("w1"))], "{with}");
    }
}

/// Where the index is none, nothing can be submitted, and whatever does not need it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_harms_nothing_that_does_not_need_it() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let task = running(&*store).await;
    let queued = submit(&*store, &new_task("dinner")).await;
    does(server(&bench), &["RENAME", &format!("{PREFIX}index"), "kept"]);
    overwrite(server(&bench), &format!("{PREFIX}index"), "a string");
    assert_eq!(claim(&*store, "dinner").await.id(), queued.id());
    store.finish(&key(&task), &Outcome::text("eaten")).await.expect_err("keeps its claim");
    store.dismiss(&worker("w1")).await.expect("leaves");
    let due = store.due().await.expect("looks");
    assert_eq!(due.claims.len(), 2, "{due:?}");
    assert!(due.unreadable.iter().any(|one| one.name == "index"), "{due:?}");
    does(server(&bench), &["RENAME", "kept", &format!("{PREFIX}index")]);
    store.finish(&key(&task), &Outcome::text("eaten")).await.expect("is recorded when it can be");
}
