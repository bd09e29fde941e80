//! `cancel`.

use mcptask::fastmcp::FastmcpError;
use mcptask::task::TaskStatus;
use rstest::rstest;
use serde_json::json;

use crate::kitchen::{Kitchen, Role, V3_0, V3_4, V4, refused};

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn running_and_waiting_tasks_are_cancelled(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    // One after the other, as 3.0.2 mixes up the ids of tasks that begin in one moment.
    let working = kitchen.client("work", &json!({ "seconds": 600 }), "none");
    let work = working.task();
    kitchen.until(&work, |task| task.progress.is_some()).await;
    let asking = kitchen.client("plan_dinner", &json!({}), "silent");
    let ask = asking.task();
    kitchen.asks(&ask, "What kind of dinner?").await;
    let deployment = kitchen.deployment().await;
    for id in [&work, &ask] {
        let done = deployment.cancel(id).await.expect("cancels");
        assert!(!done.worker_dead);
        let task = kitchen.until(id, |task| task.status == TaskStatus::Cancelled).await;
        assert!(task.questions.is_empty(), "no question is left of a cancelled task");
        let again = refused(deployment.cancel(id).await);
        assert!(matches!(again, FastmcpError::Ended { status: TaskStatus::Cancelled, .. }), "{again:?}");
    }
    // The worker let go of it: its entry has left the stream.
    let left = crate::kitchen::until("the stream", async || {
        (kitchen.redis::<u64>(&["XLEN", "fastmcp:stream"]).await == 0).then_some(())
    });
    left.await;
    assert_eq!(
        kitchen.redis::<u64>(&["EXISTS", &format!("fastmcp:fastmcp:task:anon:{ask}:elicit:request")]).await,
        0
    );
}

#[tokio::test]
async fn a_queued_task_never_begins() {
    let mut kitchen = Kitchen::empty(V3_4, &[]);
    kitchen.start(Role::Front);
    kitchen.serves();
    let client = kitchen.client("work", &json!({ "seconds": 0 }), "none");
    let id = client.task();
    kitchen.until(&id, |task| task.state == "queued").await;
    kitchen.deployment().await.cancel(&id).await.expect("cancels");
    assert_eq!(kitchen.redis::<u64>(&["XLEN", "fastmcp:stream"]).await, 0);
    kitchen.until(&id, |task| task.status == TaskStatus::Cancelled).await;
}
