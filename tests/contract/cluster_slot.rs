//! A slot of a cluster on its way to another node.

use mcptask::store::redis::RedisStore;
use mcptask::store::{Refusal, Store as _, TaskFilter};

use crate::support::cluster::RedisCluster;
use crate::support::redis::RedisServer;
use crate::support::{get, new_task, submit, within};

/// While a slot moves to another node, verbs are refused for a while and change nothing; afterwards they go on there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_is_waited_for() {
    let mut cluster = RedisCluster::start(2, 0);
    let store = RedisStore::open(&cluster.url(), "test").await.expect("opens");
    let task = submit(&*store, &new_task("dinner")).await;
    let meta = "mcptask:{test}:meta";
    let from = cluster.owner(meta).port();
    let (from, to) = match &cluster.nodes[..] {
        [one, other] if one.port() == from => (one, other),
        [one, other] => (other, one),
        _ => panic!("there are two nodes"),
    };
    let slot: u64 = from.ask(&["CLUSTER", "KEYSLOT", meta]).expect("tells");
    let slot = slot.to_string();
    let id = |node: &RedisServer| node.ask::<String>(&["CLUSTER", "MYID"]).expect("has an id");
    to.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]).expect("waits for it");
    from.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]).expect("begins to move");
    let error = store.submit(&new_task("dinner"), 10).await.expect_err("its node is leaving");
    assert_eq!(error.refusal(), Some(Refusal::Moving), "{error}");
    assert!(error.is_passing(), "{error}");
    let keys: Vec<String> = from.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]).expect("lists");
    let port = to.port().to_string();
    for key in &keys {
        from.ask::<String>(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]).expect("moves");
    }
    for node in [to, from] {
        node.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]).expect("has moved");
    }
    let goes_on = async {
        while let Err(error) = store.submit(&new_task("dinner"), 10).await {
            assert!(error.is_passing(), "{error}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the new node", goes_on).await;
    assert_eq!(get(&*store, task.id()).await, task);
    let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
    assert_eq!(page.tasks.len(), 2, "what was refused was not stored");
}
