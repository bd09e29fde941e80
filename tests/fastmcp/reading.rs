//! `list` and `show`.

use mcptask::fastmcp::{Cause, Deployment, FastmcpError, Generation};
use mcptask::task::TaskStatus;
use rstest::rstest;
use serde_json::json;

use crate::kitchen::{Kitchen, V3_0, V3_4, V4, refused};
use crate::support::redis::RedisServer;

#[rstest]
#[case(V3_0, Generation::V3_0)]
#[case(V3_4, Generation::V3_4)]
#[case(V4, Generation::V4)]
#[tokio::test]
async fn a_running_deployment_is_read_as_it_is(
    #[case] version: &'static str,
    #[case] generation: Generation,
) {
    let kitchen = Kitchen::open(version);
    let asking = kitchen.client("plan_dinner", &json!({}), "silent");
    let working = kitchen.client("work", &json!({ "seconds": 600 }), "silent");
    let (asking, working) = (asking.task(), working.task());
    let asked = kitchen.asks(&asking, "What kind of dinner?").await;
    let worked = kitchen
        .until(&working, |task| task.progress.as_ref().is_some_and(|progress| progress.message.is_some()))
        .await;

    assert_eq!((asked.status, asked.generation), (TaskStatus::InputRequired, generation));
    assert_eq!((asked.component.kind.as_str(), asked.component.name.as_str()), ("tool", "plan_dinner"));
    assert_eq!(asked.session.is_some(), generation != Generation::V4, "{:?}", asked.session);
    assert_eq!(asked.scope.as_deref(), (generation != Generation::V3_0).then_some("anonymous"));
    assert!(asked.waiting_ms.is_some_and(|waiting| waiting < 60_000), "{:?}", asked.waiting_ms);
    assert!(asked.age_ms >= asked.waiting_ms, "asked after it was launched");
    assert!(asked.questions[0].problems.is_empty(), "{:?}", asked.questions[0]);

    assert_eq!((worked.status, worked.state), (TaskStatus::Working, "running"));
    let progress = worked.progress.expect("it reported");
    assert_eq!(
        (progress.current, progress.total, progress.message.as_deref()),
        (3.0, Some(10.0), Some("chopping"))
    );
    assert!(worked.worker.is_some_and(|worker| worker.alive));

    let deployment = kitchen.deployment().await;
    let listed: Vec<_> = deployment.list().await.expect("lists").into_iter().map(|task| task.id).collect();
    assert_eq!(listed.len(), 2, "{listed:?}");
    let shown = deployment.show(&asking[..8]).await.expect("a prefix is enough");
    assert_eq!(shown.task.id, asking);
    assert!(shown.ttl.question_ms.is_some_and(|left| left > 3_400_000), "{:?}", shown.ttl);
    assert!(shown.ttl.task_ms.is_some(), "{:?}", shown.ttl);
    assert_eq!(shown.able_workers.len(), 1);
    let delivery =
        shown.delivery.map(|delivery| (delivery.undelivered, delivery.subscriber_seen_ms.is_some()));
    assert_eq!(delivery, (generation != Generation::V4).then_some((0, true)));
}

#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn failures_and_results_are_told_without_unpickling(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let failing = kitchen.client("fail", &json!({}), "none").task();
    let working = kitchen.client("work", &json!({ "seconds": 0 }), "none").task();
    let failed = kitchen.until(&failing, |task| task.status == TaskStatus::Failed).await;
    assert!(failed.error.is_some_and(|error| error.contains("the oven is broken")));
    kitchen.until(&working, |task| task.status == TaskStatus::Completed).await;
    let shown = kitchen.deployment().await.show(&working).await.expect("shows");
    assert!(shown.has_result);
    assert!(shown.task.finished_at.is_some());
}

#[tokio::test]
async fn a_redis_without_fastmcp_says_so() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    for words in [
        &["ZADD", "mail:workers", "5", "someone"][..],
        &["SET", "mail:stream", "no stream"],
        &["XADD", "news:stream", "*", "a", "stream"],
        &["SET", ":fastmcp:task:", "no name"],
    ] {
        redis::cmd(words[0]).arg(&words[1..]).query_async::<()>(&mut connection).await.expect("works");
    }
    let error = refused(Deployment::discover(&server.url(), None).await);
    assert!(matches!(error, FastmcpError::Nothing { .. }), "{error:?}");
    assert!(error.to_string().contains("holds no FastMCP"), "{error}");
}

#[tokio::test]
async fn what_only_looks_alike_or_cannot_be_read_harms_nothing() {
    let kitchen = Kitchen::open(V3_4);
    let task = kitchen.client("plan_dinner", &json!({}), "silent").task();
    let asked = kitchen.asks(&task, "What kind of dinner?").await;
    let other = "11111111-2222-3333-4444-555555555555";
    for words in [
        &["SET", "other:fastmcp:task:hello", "world"][..],
        &["RPUSH", &format!("fastmcp:fastmcp:task:anon:{other}"), "not", "a", "string"],
        &["SET", "fastmcp:runs:mail:1", "not a hash"],
        &["SET", &format!("fastmcp:runs:anon:{other}:tool:tool%3Aodd%40"), "not a hash"],
        &[
            "HSET",
            "fastmcp:runs:anon:11111111-2222-3333-4444-666666666666:tool:tool%3Aodd%40",
            "state",
            "\u{1b}[2J",
        ],
        &["SET", &format!("fastmcp:fastmcp:task:anon:{task}:elicit:request"), "{\"request_id\": \"cut of"],
    ] {
        kitchen.redis::<()>(words).await;
    }
    let found = Deployment::discover(&kitchen.redis.url(), None).await.expect("finds both");
    let names: Vec<_> = found.iter().map(Deployment::docket).collect();
    assert_eq!(names, ["fastmcp", "other"]);
    let one = Deployment::discover(&kitchen.redis.url(), Some("fastmcp")).await.expect("finds it by name");
    let tasks = one[0].list().await.expect("lists");
    let (odd, tasks): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.component.name == "odd");
    assert_eq!(tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), [task.as_str()]);
    // In a state that is not known here, so that it may well work.
    let states: Vec<_> = odd.iter().map(|task| (task.state, task.status)).collect();
    assert_eq!(states, [("unknown", TaskStatus::Working)]);
    let causes = one[0].diagnose(Some("11111111")).await.expect("diagnoses");
    assert_eq!(causes.iter().map(|one| one.cause).collect::<Vec<_>>(), [Cause::UnknownState]);
    assert!(causes[0].evidence.contains(r#""\u{1b}[2J""#), "{causes:?}");
    assert_eq!(tasks[0].status, TaskStatus::Working, "its question is unreadable");
    assert!(
        tasks[0].notes.iter().any(|note| note.contains("question cannot be read")),
        "{:?}",
        tasks[0].notes
    );
    assert_eq!(asked.status, TaskStatus::InputRequired);
    let error = refused(Deployment::discover(&kitchen.redis.url(), Some("nowhere")).await);
    assert!(error.to_string().contains("it has: fastmcp, other"), "{error}");
}

#[tokio::test]
async fn a_named_docket_and_an_empty_one_are_found() {
    let kitchen = Kitchen::with(V3_4, &[("FASTMCP_DOCKET_NAME", "prod:eu")]);
    let deployment = crate::kitchen::until("the worker", async || {
        Deployment::discover(&kitchen.redis.url(), Some("prod:eu")).await.ok()
    })
    .await
    .remove(0);
    assert!(deployment.list().await.expect("lists").is_empty());
    assert!(matches!(refused(deployment.find("x").await), FastmcpError::NoTask { .. }));
}
