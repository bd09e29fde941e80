//! `watch`.

use std::time::Duration;

use mcptask::fastmcp::{DeployedEvent, DeployedEventKind, Deployment, Filter, Means, Watching};
use rstest::rstest;
use serde_json::json;

use crate::kitchen::{BOUND, Kitchen, V3_0, V3_4, V4, user};

const ANSWERS: &str = r#"answer:{"cuisine": "thai", "vegetarian": true}"#;

async fn next(watching: &mut Watching) -> DeployedEvent {
    tokio::time::timeout(BOUND, watching.next()).await.expect("an event in time").expect("goes on")
}

/// The names of the events up to the end of the task.
async fn names(watching: &mut Watching) -> Vec<&'static str> {
    let mut found = Vec::new();
    loop {
        let event = next(watching).await;
        found.push(event.kind.name());
        if event.status.is_final() {
            return found;
        }
    }
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[case(V4)]
#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_told_and_nothing_taken(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let mut watching = kitchen.deployment().await.watch(Filter::All).await.expect("watches");
    assert_eq!(watching.means(), &Means::Tracking);
    // FastMCP 3 loses some of the questions that follow at once upon another, and those that are asked before
    // its client listens: here it shall not.
    let (tool, arguments, wanted) = if version == V4 {
        // Each leg is a run of its own.
        let legs = ["asked", "answered", "claimed", "asked", "answered", "claimed", "completed"];
        ("plan_dinner", json!({}), [&["submitted", "claimed"][..], &legs].concat())
    } else {
        let steps = vec!["submitted", "claimed", "asked", "answered", "completed"];
        ("work_then_ask", json!({ "seconds": 5 }), steps)
    };
    // Watched by a thread that waits for nothing else: the client answers within milliseconds.
    let watcher = tokio::spawn(async move { (names(&mut watching).await, watching) });
    let client = kitchen.client(tool, &arguments, ANSWERS);
    let id = client.task();
    let (told, mut watching) = watcher.await.expect("watches to the end");
    let result = client.result();
    assert_eq!(told, wanted, "the client says {result}");
    assert!(result.contains("accept"), "the client got all it needs: {result}");

    let other = kitchen.client("work", &json!({ "seconds": 0.5 }), "none").task();
    let told = names(&mut watching).await;
    assert!(told.contains(&"progress") && told.last() == Some(&"completed"), "{told:?}");
    assert_ne!(id, other);
    kitchen.client("fail", &json!({}), "none").task();
    assert_eq!(names(&mut watching).await.last(), Some(&"failed"));
}

#[tokio::test]
async fn one_session_or_one_task_is_watched_alone() {
    let kitchen = Kitchen::open(V3_4);
    let first = kitchen.client("plan_dinner", &json!({}), "silent").task();
    let task = kitchen.asks(&first, "What kind of dinner?").await;
    let deployment = kitchen.deployment().await;
    let session = task.session.expect("3.4 keeps it");
    let mut mine = deployment.watch(Filter::Session(session)).await.expect("watches");
    let mut alone = deployment.watch(Filter::Task(first[..8].to_owned())).await.expect("watches");
    assert_eq!(mine.tasks().count(), 1);
    let other = kitchen.client("work", &json!({ "seconds": 0 }), "none").task();
    kitchen.until(&other, |task| task.status.is_final()).await;
    deployment.cancel(&first).await.expect("cancels");
    for watching in [&mut mine, &mut alone] {
        let event = next(watching).await;
        assert_eq!((event.task.as_str(), event.kind.name()), (first.as_str(), "cancelled"));
    }
}

#[tokio::test]
async fn without_tracking_it_polls_and_says_so() {
    let kitchen = Kitchen::open(V3_4);
    let url = user(&kitchen, &["+@all", "-client|tracking"]).await;
    let deployment =
        crate::kitchen::until("the docket", async || Deployment::discover(&url, None).await.ok());
    let mut watching = deployment.await[0].watch(Filter::All).await.expect("watches");
    let Means::Polling { every, why } = watching.means() else { panic!("it may not track") };
    assert_eq!(*every, Duration::from_secs(1));
    assert!(why.contains("client|tracking"), "{why}");
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    loop {
        let event = next(&mut watching).await;
        if let DeployedEventKind::Asked { question: Some(question) } = event.kind {
            assert_eq!(
                (event.task.as_str(), question.ask.message.as_str()),
                (id.as_str(), "What kind of dinner?")
            );
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_shown_within_the_interval_whatever_else_is_told() {
    let kitchen = Kitchen::open(V3_4);
    let url = user(&kitchen, &["+@all", "-client|tracking"]).await;
    let deployment =
        crate::kitchen::until("the docket", async || Deployment::discover(&url, None).await.ok());
    let mut watching = deployment.await[0].watch(Filter::All).await.expect("watches");
    // Progress is told on a channel, without end; questions are not.
    let client = redis::Client::open(kitchen.redis.url()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let flood = tokio::spawn(async move {
        let channel = "fastmcp:progress:anon:11111111-2222-3333-4444-555555555555:tool:tool%3Aodd%40";
        loop {
            redis::cmd("PUBLISH")
                .arg(channel)
                .arg("{}")
                .query_async::<()>(&mut connection)
                .await
                .expect("tells");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let asked = tokio::time::timeout(BOUND, async {
        loop {
            let event = watching.next().await.expect("goes on");
            if let DeployedEventKind::Asked { question: Some(question) } = event.kind {
                return (event.task, question.asked_at.expect("is known"));
            }
        }
    });
    let (task, at) = asked.await.expect("is shown in time");
    let late = jiff::Timestamp::now().as_millisecond() - at.as_millisecond();
    flood.abort();
    assert_eq!(task, id);
    // The interval is a second; the rest is the reading, on a busy machine.
    assert!(late < 5000, "shown {late} ms after it was asked");
}

#[tokio::test]
async fn a_server_that_restarts_is_watched_on() {
    let kitchen = Kitchen::open(V3_4);
    let id = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let deployment = kitchen.deployment().await;
    let mut watching = deployment.watch(Filter::All).await.expect("watches");
    // Every connection is cut, as a failover does; only the watcher's matters here.
    kitchen.redis::<u64>(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    deployment.cancel(&id).await.expect("cancels");
    assert_eq!(next(&mut watching).await.kind.name(), "cancelled");
}
