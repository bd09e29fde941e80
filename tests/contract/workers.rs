//! enlist, renew, dismiss, workers, tools; and what becomes of the claims of workers that are gone.

use std::time::Duration;

use mcptask::store::{Store, StoreError, WorkerDetails, WorkerInfo};
use mcptask::task::{Outcome, RpcError, TaskId, ToolSpec, WorkerId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::{claim, crash, drain, key, new_task, running, submit, within, worker};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);

contract! {
    an_enlisted_worker_is_seen_by_every_process,
    a_worker_is_seen_with_what_it_said_of_itself,
    a_worker_counts_what_it_holds,
    renew_prolongs_the_lease,
    renew_of_an_unknown_worker_says_so,
    tools_stay_known_and_the_last_offer_wins,
    a_dismissed_worker_leaves_its_claims_due,
    an_ended_lease_makes_its_claims_due,
    a_worker_without_a_lease_claims_nothing,
    a_living_worker_keeps_its_claims,
    a_worker_that_ended_and_holds_nothing_is_forgotten,
    a_worker_comes_back_after_it_was_dismissed,
    dismissing_an_unknown_worker_does_nothing,
    a_worker_can_ask_what_it_holds,
    a_source_is_told_what_it_offered_before_and_is_still_known,
}

fn tool(name: &str) -> ToolSpec {
    ToolSpec::new(name, &format!("makes {name}"), json!({ "type": "object" }))
}

async fn enlist(store: &dyn Store, name: &str, lease: Duration) -> WorkerId {
    let id = worker(name);
    store.enlist(&id, None, &[tool("dinner")], lease).await.expect("enlists");
    id
}

async fn seen(store: &dyn Store) -> Vec<WorkerInfo> {
    let mut workers = store.workers().await.expect("reads").rows;
    workers.sort_by(|one, other| one.id.cmp(&other.id));
    workers
}

async fn names(store: &dyn Store) -> Vec<String> {
    seen(store).await.into_iter().map(|worker| worker.id.into()).collect()
}

/// The claims that are due, once there are any.
async fn lost(store: &dyn Store) -> Vec<(TaskId, u32, WorkerId)> {
    let due = async {
        loop {
            let claims = store.due().await.expect("reads").claims;
            if !claims.is_empty() {
                return claims;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let claims = within("a lost claim", due).await;
    claims.into_iter().map(|(claim, worker)| (claim.task, claim.attempt, worker)).collect()
}

async fn an_enlisted_worker_is_seen_by_every_process(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    here.enlist(&worker("w1"), None, &[tool("dinner"), tool("lunch")], LONG).await.expect("enlists");
    let workers = seen(&*there).await;
    assert_eq!(workers.len(), 1);
    assert_eq!((&workers[0].id, workers[0].tasks), (&worker("w1"), 0));
    let mut tools = workers[0].tools.clone();
    tools.sort();
    assert_eq!(tools, ["dinner", "lunch"]);
    assert!((3_500_000..=3_600_000).contains(&workers[0].lease_ms), "{}", workers[0].lease_ms);
    // Enlisting again replaces what was said before.
    here.enlist(&worker("w1"), None, &[tool("lunch")], LONG).await.expect("enlists");
    let workers = seen(&*there).await;
    assert_eq!((workers.len(), workers[0].tools.as_slice()), (1, ["lunch".to_owned()].as_slice()));
}

async fn a_worker_is_seen_with_what_it_said_of_itself(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let details = WorkerDetails { host: Some("kitchen".into()), process: Some(4711), slots: Some(4) };
    let before = jiff::Timestamp::now();
    here.enlist(&worker("w1"), Some(&details), &[tool("dinner")], LONG).await.expect("enlists");
    here.enlist(&worker("w2"), None, &[tool("dinner")], LONG).await.expect("enlists");
    let workers = seen(&*there).await;
    assert_eq!(workers[0].details, details);
    assert_eq!(workers[1].details, WorkerDetails::default(), "it said nothing");
    let since = workers[0].since.expect("it is known");
    // A store of files goes by the file system's clock, which is coarse.
    assert!((since.as_millisecond() - before.as_millisecond()).abs() < 5000, "{since} is not {before}");
    // Other tools make it no other worker; one that had left begins anew.
    tokio::time::sleep(Duration::from_millis(20)).await;
    here.enlist(&worker("w1"), Some(&details), &[tool("lunch")], LONG).await.expect("enlists");
    assert!(here.renew(&worker("w1"), LONG).await.expect("renews"));
    assert_eq!(seen(&*there).await[0].since, Some(since));
    here.dismiss(&worker("w1")).await.expect("leaves");
    here.enlist(&worker("w1"), Some(&details), &[tool("lunch")], LONG).await.expect("enlists");
    assert!(seen(&*there).await[0].since > Some(since));
}

async fn a_worker_counts_what_it_holds(bench: Bench) {
    let store = bench.store().await;
    enlist(&*store, "w1", LONG).await;
    let (first, second) = (running(&*store).await, running(&*store).await);
    assert_eq!(seen(&*store).await[0].tasks, 2);
    store.finish(&key(&first), &Outcome::text("eaten")).await.expect("finishes");
    assert_eq!(seen(&*store).await[0].tasks, 1);
    store.cancel(second.id(), "not hungry").await.expect("cancels");
    assert_eq!(seen(&*store).await[0].tasks, 0);
}

async fn renew_prolongs_the_lease(bench: Bench) {
    let store = bench.store().await;
    let id = enlist(&*store, "w1", Duration::from_secs(100)).await;
    assert!(store.renew(&id, LONG).await.expect("renews"));
    assert!(seen(&*store).await[0].lease_ms > 3_000_000);
    assert!(store.renew(&id, Duration::from_secs(10)).await.expect("renews"));
    assert!(seen(&*store).await[0].lease_ms <= 10_000);
}

async fn renew_of_an_unknown_worker_says_so(bench: Bench) {
    let store = bench.store().await;
    assert!(!store.renew(&worker("nobody"), LONG).await.expect("says so"));
    assert!(names(&*store).await.is_empty());
    let id = enlist(&*store, "w1", LONG).await;
    store.dismiss(&id).await.expect("dismisses");
    assert!(!store.renew(&id, LONG).await.expect("says so"));
    assert!(names(&*store).await.is_empty());
}

async fn tools_stay_known_and_the_last_offer_wins(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    assert!(here.tools().await.expect("reads").rows.is_empty());
    here.enlist(&worker("w1"), None, &[tool("lunch"), tool("dinner")], LONG).await.expect("enlists");
    let newer = ToolSpec { ttl_ms: Some(5), annotations: Some(json!({ "a": 1 })), ..tool("dinner") };
    there.enlist(&worker("w2"), None, std::slice::from_ref(&newer), LONG).await.expect("enlists");
    here.dismiss(&worker("w1")).await.expect("dismisses");
    here.dismiss(&worker("w2")).await.expect("dismisses");
    assert_eq!(here.tools().await.expect("reads").rows, [newer, tool("lunch")]);
}

async fn a_dismissed_worker_leaves_its_claims_due(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let id = enlist(&*here, "w1", LONG).await;
    let held = running(&*here).await;
    assert!(there.due().await.expect("reads").claims.is_empty());
    here.dismiss(&id).await.expect("dismisses");
    assert!(names(&*there).await.is_empty());
    for _ in 0..2 {
        // Looking changes nothing: whoever looks first may die before acting.
        assert_eq!(lost(&*there).await, [(held.id().clone(), 1, id.clone())]);
    }
    there.requeue(&key(&held), &crash("the worker left")).await.expect("requeues");
    assert!(there.due().await.expect("reads").claims.is_empty());
    let again = claim(&*there, "dinner").await;
    assert_eq!((again.id(), again.attempt), (held.id(), 2));
}

async fn an_ended_lease_makes_its_claims_due(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let id = enlist(&*here, "w1", LONG).await;
    let (one, two) = (running(&*here).await, running(&*here).await);
    here.renew(&id, SHORT).await.expect("renews");
    let mut due = lost(&*there).await;
    due.sort();
    let mut expected = vec![(one.id().clone(), 1, id.clone()), (two.id().clone(), 1, id.clone())];
    expected.sort();
    assert_eq!(due, expected);
    // Until somebody acts, the worker may still be alive and write.
    here.finish(&key(&one), &Outcome::text("eaten")).await.expect("finishes");
    assert_eq!(lost(&*there).await, [(two.id().clone(), 1, id)]);
}

async fn a_worker_without_a_lease_claims_nothing(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &new_task("dinner")).await;
    let (w1, tools, stop) = (worker("w1"), ["dinner".to_owned()], CancellationToken::new());
    let refused = async |why: &str| {
        let claimed = within("the refusal", store.claim(&w1, &tools, 1, &stop)).await;
        assert!(
            matches!(&claimed, Err(StoreError::LeaseEnded { worker }) if *worker == w1),
            "{why}: {claimed:?}"
        );
    };
    refused("it never had one").await;
    enlist(&*store, "w1", SHORT).await;
    let ended = async {
        while store.workers().await.expect("reads").rows.iter().any(|info| info.lease_ms > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of the lease", ended).await;
    refused("it has ended").await;
    enlist(&*store, "w1", LONG).await;
    store.dismiss(&w1).await.expect("dismisses");
    refused("it left").await;
    assert!(!store.renew(&w1, LONG).await.expect("says so"), "it has to enlist");
    enlist(&*store, "w1", LONG).await;
    assert_eq!(claim(&*store, "dinner").await.attempt, 1, "no attempt was used up meanwhile");
    assert!(store.due().await.expect("reads").claims.is_empty());
}

async fn a_living_worker_keeps_its_claims(bench: Bench) {
    let store = bench.store().await;
    let id = enlist(&*store, "w1", LONG).await;
    running(&*store).await;
    store.renew(&id, SHORT).await.expect("renews");
    lost(&*store).await;
    assert!(store.renew(&id, LONG).await.expect("renews"), "nobody took its claims meanwhile");
    assert!(store.due().await.expect("reads").claims.is_empty());
    assert_eq!(names(&*store).await, ["w1"]);
}

async fn a_worker_that_ended_and_holds_nothing_is_forgotten(bench: Bench) {
    let store = bench.store().await;
    enlist(&*store, "living", LONG).await;
    enlist(&*store, "gone", SHORT).await;
    let forgotten = async {
        while names(&*store).await != ["living"] {
            store.due().await.expect("reads");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of the lease", forgotten).await;
    assert!(!store.renew(&worker("gone"), LONG).await.expect("says so"));
}

async fn a_worker_comes_back_after_it_was_dismissed(bench: Bench) {
    let store = bench.store().await;
    let id = enlist(&*store, "w1", LONG).await;
    let held = running(&*store).await;
    store.dismiss(&id).await.expect("dismisses");
    enlist(&*store, "w1", LONG).await;
    assert_eq!(names(&*store).await, ["w1"]);
    assert!(store.renew(&id, LONG).await.expect("renews"));
    store.finish(&key(&held), &Outcome::text("eaten")).await.expect("finishes");
}

async fn dismissing_an_unknown_worker_does_nothing(bench: Bench) {
    let store = bench.store().await;
    store.dismiss(&worker("nobody")).await.expect("does nothing");
    assert!(names(&*store).await.is_empty());
}

async fn a_worker_can_ask_what_it_holds(bench: Bench) {
    let store = bench.store().await;
    let id = enlist(&*store, "w1", LONG).await;
    assert_eq!(store.claims(&id).await.expect("reads"), []);
    let (kept, given_back) = (running(&*store).await, running(&*store).await);
    store.requeue(&key(&given_back), &drain()).await.expect("gives back");
    assert_eq!(store.claims(&id).await.expect("reads"), [key(&kept)]);
    assert_eq!(store.claims(&worker("w2")).await.expect("reads"), []);
}

async fn a_source_is_told_what_it_offered_before_and_is_still_known(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    here.enlist(&worker("w1"), None, &[tool("lunch"), tool("dinner")], LONG).await.expect("enlists");
    let attribute = async |store: &dyn Store, source: &str, tools: &[&str]| {
        let tools: Vec<_> = tools.iter().map(|&tool| tool.to_owned()).collect();
        let mut left = store.attribute(source, &tools).await.expect("notes");
        left.sort();
        left
    };
    assert!(attribute(&*here, "a.toml", &["lunch", "dinner"]).await.is_empty());
    assert!(attribute(&*there, "b.toml", &["lunch"]).await.is_empty());
    assert_eq!(attribute(&*there, "a.toml", &["lunch"]).await, ["dinner"]);
    // It is said until the tool is forgotten: whoever was told may have died before it withdrew it.
    assert_eq!(attribute(&*there, "a.toml", &[]).await, ["dinner", "lunch"]);
    here.dismiss(&worker("w1")).await.expect("dismisses");
    here.withdraw(&["dinner".into()], &RpcError::internal("gone")).await.expect("withdraws");
    assert_eq!(attribute(&*there, "a.toml", &[]).await, ["lunch"]);
    assert_eq!(attribute(&*there, "b.toml", &[]).await, ["lunch"]);
}
