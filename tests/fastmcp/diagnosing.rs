//! `doctor`: every cause, provoked on a real FastMCP.

use mcptask::fastmcp::{Cause, Diagnosis, FastmcpError, Way};
use mcptask::task::{Answer, Answerer, TaskStatus};
use rstest::rstest;
use serde_json::json;

use crate::commands::{in_words, mcptask};
use crate::kitchen::{Kitchen, Role, V3_0, V3_4, V4, content, plan, refused, until};

const ASKED: &str = "What kind of dinner?";

/// Waits until the task is diagnosed so.
async fn diagnosed(kitchen: &Kitchen, id: &str, cause: Cause) -> Diagnosis {
    let deployment = kitchen.deployment().await;
    until(cause.as_str(), async || {
        let found = deployment.diagnose(Some(id)).await.ok()?;
        found.into_iter().find(|one| one.cause == cause)
    })
    .await
}

fn own(id: &str, ending: &str) -> String {
    format!("fastmcp:fastmcp:task:anon:{id}{ending}")
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn a_question_lost_to_the_status_race_is_mended(#[case] version: &'static str) {
    let (kitchen, _worker) = Kitchen::apart(version, &[]);
    // Nobody else writes: FastMCP loses one of these by itself, at 2 to 12 % of the questions.
    let deployment = kitchen.deployment().await;
    let lost = until("a lost question", async || {
        let client = kitchen.client("ask_many", &json!({ "count": 200 }), r#"answer:{"value": 1}"#);
        let id = client.task();
        let ended_or_lost = until("an end", async || {
            let task = deployment.find(&id).await.ok()?;
            let found = deployment.diagnose(Some(&id)).await.ok()?;
            let is_lost = found.iter().any(|one| one.cause == Cause::LostToStatusRace);
            (is_lost || task.status.is_final()).then_some(is_lost)
        });
        ended_or_lost.await.then_some((id, client))
    });
    let (id, _client) = lost.await;
    let before = deployment.find(&id).await.expect("is there");
    assert_eq!(before.status, TaskStatus::Working, "FastMCP waits for no answer that it would take");
    let mended = deployment.fix(&id).await.expect("mends");
    assert_eq!(mended.status, TaskStatus::InputRequired);
    let question = mended.questions[0].id.clone();
    let again = refused(deployment.fix(&id).await);
    assert!(matches!(again, FastmcpError::NotLost { .. }), "{again:?}");
    let answer = Answer::accept(content(&json!({ "value": 7 })), Answerer::Operator);
    deployment.answer(&mended, &question, &answer, Way::Supported).await.expect("answers");
    kitchen.until(&id, |task| task.questions.iter().all(|one| one.id != question)).await;
}

#[tokio::test]
async fn what_becomes_of_the_prompt_is_told() {
    let (mut kitchen, _worker) = Kitchen::apart(V3_4, &[]);
    let thinking = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = thinking.task();
    kitchen.asks(&id, ASKED).await;
    let found = diagnosed(&kitchen, &id, Cause::ClientHasQuestion).await;
    assert!(found.help.to_string().contains("mcptask respond"), "{found:?}");

    // The client leaves properly; the server stops serving its session, and asks nobody what comes later.
    let left = kitchen.client("work_then_ask", &json!({ "seconds": 4 }), "leave").task();
    kitchen.asks(&left, ASKED).await;
    let session = kitchen.until(&left, |_| true).await.session.expect("3.4 keeps it");
    let queue = format!("fastmcp:fastmcp:notifications:{session}");
    // A minute in which nobody refreshes the sign.
    kitchen.redis::<()>(&["DEL", &format!("{queue}:active")]).await;
    let cause = until("a cause", async || {
        let found = kitchen.deployment().await.diagnose(Some(&left)).await.ok()?;
        found.into_iter().next().map(|one| one.cause)
    });
    let cause = cause.await;
    assert!(matches!(cause, Cause::SessionGone | Cause::NoLiveSubscriber), "{cause:?}");

    // The server is gone, its workers are not: what they ask lies in a queue that nobody reads.
    let orphan = kitchen.client("work_then_ask", &json!({ "seconds": 6 }), "silent");
    let orphan = orphan.task();
    kitchen.stop();
    let session = kitchen.until(&orphan, |_| true).await.session.expect("3.4 keeps it");
    kitchen.asks(&orphan, ASKED).await;
    let queue = format!("fastmcp:fastmcp:notifications:{session}");
    kitchen.redis::<()>(&["DEL", &format!("{queue}:active")]).await;
    let found = diagnosed(&kitchen, &orphan, Cause::NoLiveSubscriber).await;
    assert!(found.evidence.contains("no server reads it"), "{found:?}");
    // Five minutes later, all at once.
    kitchen.redis::<()>(&["DEL", &queue]).await;
    kitchen.redis::<()>(&["EXPIRE", &own(&orphan, ":elicit:request"), "3290"]).await;
    diagnosed(&kitchen, &orphan, Cause::NotificationExpired).await;
    kitchen.redis::<()>(&["EXPIRE", &own(&orphan, ":elicit:request"), "3550"]).await;
    diagnosed(&kitchen, &orphan, Cause::SessionGone).await;

    kitchen.redis::<()>(&["EXPIRE", &own(&orphan, ":elicit:request"), "200"]).await;
    diagnosed(&kitchen, &orphan, Cause::TtlNearEnd).await;
    kitchen.redis::<()>(&["DEL", &own(&orphan, "")]).await;
    let found = diagnosed(&kitchen, &orphan, Cause::MetadataExpired).await;
    assert!(found.evidence.contains("not found"), "{found:?}");
}

#[tokio::test]
async fn a_dead_worker_and_the_answer_it_cannot_take_are_told() {
    let (kitchen, mut worker) = Kitchen::apart(V3_4, &[]);
    let mut client = kitchen.client("plan_dinner", &json!({}), r#"later:{"cuisine": "thai"}"#);
    let id = client.task();
    let task = kitchen.asks(&id, ASKED).await;
    // The question is readable before the worker tells the client's server of it.
    assert!(client.line().starts_with("asked: "), "the client is asked before the worker dies");
    worker.kill();
    // The heartbeat still looks fresh, and the operator's answer is not left behind all the same.
    let deployment = kitchen.deployment().await;
    let answer = Answer::accept(plan(), Answerer::Operator);
    let error = refused(deployment.answer(&task, &task.questions[0].id, &answer, Way::Supported).await);
    assert!(matches!(error, FastmcpError::WorkerGone { .. }), "{error:?}");
    assert_eq!(kitchen.redis::<u64>(&["LLEN", &own(&id, ":elicit:response")]).await, 0);
    assert_eq!(kitchen.asks(&id, ASKED).await.questions[0].id, task.questions[0].id, "it still waits");

    // Once the heartbeat is old that is the cause, and nobody has answered.
    let found = diagnosed(&kitchen, &id, Cause::WorkerDead).await;
    assert!(found.evidence.contains("an answer would reach nobody"), "{found:?}");
    assert!(found.help.to_string().contains("start a worker"), "{found:?}");
    let all = deployment.diagnose(Some(&id)).await.expect("diagnoses");
    assert_eq!(all.iter().map(|one| one.cause).collect::<Vec<_>>(), [Cause::WorkerDead], "{all:?}");

    // Whoever looks at the question is told before an answer is given, by the words of the cause.
    let shown = in_words(&kitchen, &["show", &id]);
    assert!(shown.contains("an answer would reach nobody") && shown.contains("answer with"), "{shown}");

    // The client's answer is left behind: FastMCP's relay does not look who takes it.
    client.go();
    diagnosed(&kitchen, &id, Cause::AnsweredNotConsumed).await;
    let found = diagnosed(&kitchen, &id, Cause::WorkerDead).await;
    assert!(found.evidence.contains("heartbeat"), "{found:?}");
    // Nothing is answered from here while nobody takes answers, however soon its question ends.
    kitchen.redis::<()>(&["EXPIRE", &own(&id, ":elicit:request"), "200"]).await;
    let all = deployment.diagnose(None).await.expect("diagnoses");
    assert!(all.iter().all(|one| !one.help.to_string().contains("respond")), "{all:?}");
    // Where another worker could run it, there is nothing to start.
    let _another = kitchen.process(Role::Worker, &[]);
    until("the other worker is named", async || {
        let found = deployment.diagnose(Some(&id)).await.ok()?;
        let waits = |one: &Diagnosis| one.help.to_string().starts_with("wait: worker ");
        (found.len() > 1 && found.iter().filter(|one| one.cause != Cause::TtlNearEnd).all(waits))
            .then_some(())
    })
    .await;
    let done = deployment.cancel(&id).await.expect("cancels");
    assert!(done.worker_dead);
}

#[tokio::test]
async fn an_answer_that_will_leak_is_told() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("ask_then_work", &json!({ "seconds": 600 }), "silent");
    let id = client.task();
    kitchen.asks(&id, ASKED).await;
    // A second naive answerer, as FastMCP's own relay is one: both push, one is taken.
    let response = own(&id, ":elicit:response");
    let answer = r#"{"action": "accept", "content": {"cuisine": "thai"}}"#;
    kitchen.redis::<u64>(&["LPUSH", &response, answer, answer]).await;
    until("the worker takes one", async || {
        (kitchen.redis::<u64>(&["LLEN", &response]).await == 1).then_some(())
    })
    .await;
    let found = diagnosed(&kitchen, &id, Cause::StaleAnswer).await;
    assert!(found.evidence.contains("1 answer"), "{found:?}");
}

#[tokio::test]
async fn tasks_that_nobody_takes_up_are_told() {
    let mut kitchen = Kitchen::empty(V3_4, &[("FASTMCP_DOCKET_CONCURRENCY", "2")]);
    kitchen.start(Role::Front);
    kitchen.serves();
    let id = kitchen.client("work", &json!({ "seconds": 0 }), "none").task();
    let found = diagnosed(&kitchen, &id, Cause::NoWorkerKnows).await;
    assert!(found.evidence.contains("no living worker for tool:work@"), "{found:?}");

    let _other = kitchen.process(Role::Worker, &[("OMIT_TOOL", "work")]);
    kitchen.until(&id, |task| task.status == TaskStatus::Completed).await;
    let found = diagnosed(&kitchen, &id, Cause::SwallowedElsewhere).await;
    assert!(found.help.to_string().contains("FASTMCP_DOCKET_NAME"), "{found:?}");

    let first = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&first, ASKED).await;
    let second = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&second, ASKED).await;
    let third = kitchen.client("plan_dinner", &json!({}), "silent").task();
    let found = diagnosed(&kitchen, &third, Cause::WorkersSaturated).await;
    assert!(found.evidence.contains("runs 2 task(s), 2 of them waiting"), "{found:?}");
    let all = kitchen.deployment().await.diagnose(None).await.expect("diagnoses");
    assert!(all.iter().any(|one| one.task.as_ref() == Some(&third)), "{all:?}");
}

/// What only waits for its turn is no fault, and is told once however much of it there is.
#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn tasks_that_wait_for_their_turn_are_told_once(#[case] version: &'static str) {
    let kitchen = Kitchen::with(version, &[("FASTMCP_DOCKET_CONCURRENCY", "2")]);
    let works = json!({ "seconds": 600 });
    let _clients: Vec<_> = (0..7)
        .map(|_| {
            let client = kitchen.client("work", &works, "none");
            client.task();
            client
        })
        .collect();
    let deployment = kitchen.deployment().await;
    let all = until("five tasks that wait for their turn", async || {
        let found = deployment.diagnose(None).await.ok()?;
        found.iter().any(|one| one.evidence.starts_with("5 tasks (")).then_some(found)
    })
    .await;
    let [busy] = all.as_slice() else { panic!("one entry: {all:?}") };
    assert!(busy.cause == Cause::WorkersBusy && busy.task.is_none(), "{busy:?}");
    let help = busy.help.to_string();
    assert!(help.contains("more workers") && !help.contains("waiting task keeps"), "{help}");
    let (code, found, complaint) = mcptask(&kitchen, &["doctor"]);
    assert_eq!((code, found.len()), (0, 1), "{found:?}: {complaint}");
}

/// A worker that was stopped has the answer in its connection: it can neither be taken back nor is it known to count.
#[tokio::test]
async fn an_answer_to_a_stopped_worker_is_not_called_taken_and_its_task_is_not_mended() {
    let (kitchen, worker) = Kitchen::apart(V3_4, &[]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.asks(&id, ASKED).await;
    // The question is readable a moment before its worker waits for the answer.
    until("the worker waits", async || {
        let clients = kitchen.redis::<String>(&["CLIENT", "LIST"]).await;
        clients.contains("cmd=blpop").then_some(())
    })
    .await;
    worker.signal("STOP");
    let deployment = kitchen.deployment().await;
    let answer = Answer::accept(plan(), Answerer::Operator);
    let done = deployment.answer(&task, &task.questions[0].id, &answer, Way::Supported).await;
    assert!(!done.expect("the worker's connection has it").goes_on);
    diagnosed(&kitchen, &id, Cause::WorkerDead).await;
    let error = refused(deployment.fix(&id).await);
    assert!(
        matches!(error, FastmcpError::NotLost { .. }) && error.to_string().contains("is dead"),
        "{error}"
    );
    let status = kitchen.redis::<Option<String>>(&["GET", &own(&id, ":elicit:status")]).await;
    assert_ne!(status.as_deref(), Some("waiting"), "nothing was written");
    worker.signal("CONT");
    // It takes the answer, and asks what comes next, or ends.
    kitchen.until(&id, |now| now.questions.iter().all(|one| one.id != task.questions[0].id)).await;
}

#[tokio::test]
async fn an_entry_that_kills_workers_is_told() {
    let (kitchen, _worker) = Kitchen::apart(V3_4, &[]);
    let deployment = kitchen.deployment().await;
    let now = jiff::Timestamp::now().to_string();
    let entry = ["XADD", "fastmcp:stream", "*", "key", "mine", "when", &now, "function", "tool:work@"];
    let rest = ["args", "[]", "kwargs", "{}", "attempt", "1", "generation", "0"];
    kitchen.redis::<String>(&[&entry[..], &rest[..]].concat()).await;
    let found = until("the deadly entry", async || {
        let found = deployment.diagnose(None).await.ok()?;
        found.into_iter().find(|one| one.cause == Cause::DeadlyEntry)
    });
    assert!(found.await.help.to_string().contains("XDEL"));
}

#[tokio::test]
async fn the_end_of_a_parked_leg_is_told() {
    let kitchen = Kitchen::with(
        V4,
        &[("FASTMCP_TASKS_ENCRYPTION_KEY", "a key of thirty-two bytes or more, for a test")],
    );
    let mut client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, ASKED).await;
    diagnosed(&kitchen, &id, Cause::SnapshotEncrypted).await;
    diagnosed(&kitchen, &id, Cause::ClientHasQuestion).await;
    client.process.kill();
    // Ten minutes later, all at once.
    kitchen.redis::<()>(&["EXPIRE", &own(&id, ""), "1200"]).await;
    let found = diagnosed(&kitchen, &id, Cause::SessionGone).await;
    assert!(found.help.to_string().contains("--server"), "{found:?}");
    let runs = format!("fastmcp:runs:anon:{id}:tool:tool%3Aplan_dinner%40");
    kitchen.redis::<()>(&["EXPIRE", &runs, "100"]).await;
    diagnosed(&kitchen, &id, Cause::TtlNearEnd).await;
    kitchen.redis::<()>(&["DEL", &runs]).await;
    let found = diagnosed(&kitchen, &id, Cause::LegExpired).await;
    assert!(found.evidence.contains("900 s"), "{found:?}");
    let task = kitchen.asks(&id, ASKED).await;
    let answer = Answer::accept(plan(), Answerer::Operator);
    let error =
        refused(kitchen.deployment().await.answer(&task, &task.questions[0].id, &answer, Way::Direct).await);
    assert!(matches!(error, FastmcpError::LegExpired { .. }), "{error:?}");
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_told_and_left_as_it_is() {
    let kitchen = Kitchen::open(V3_4);
    let id = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&id, ASKED).await;
    let request = own(&id, ":elicit:request");
    let whole = kitchen.redis::<String>(&["GET", &request]).await;
    let half = &whole[..whole.len() / 2];
    kitchen.redis::<()>(&["SET", &request, half, "KEEPTTL"]).await;
    for words in [&["doctor"][..], &["doctor", &id]] {
        let (code, found, complaint) = mcptask(&kitchen, words);
        assert_eq!((code, found.len()), (5, 1), "{found:?} {complaint}");
        assert_eq!((&found[0]["cause"], &found[0]["task"]), (&json!("unreadable"), &json!(id)));
        let evidence = found[0]["evidence"].as_str().expect("a text");
        assert!(evidence.starts_with("its question cannot be read: EOF"), "{evidence}");
        assert!(found[0]["help"].as_str().is_some_and(|help| help.contains(&own(&id, ""))), "{found:?}");
    }
    let (code, _, complaint) = mcptask(&kitchen, &["respond", &id, "--decline"]);
    assert_eq!(code, 10, "{complaint}");
    assert!(complaint.contains("waits for no answer"), "{complaint}");
    assert_eq!(kitchen.redis::<String>(&["GET", &request]).await, half, "nothing was changed");
}

#[tokio::test]
async fn a_healthy_task_has_no_cause() {
    let kitchen = Kitchen::open(V3_4);
    let id = kitchen.client("work", &json!({ "seconds": 600 }), "none").task();
    kitchen.until(&id, |task| task.progress.is_some()).await;
    assert_eq!(kitchen.deployment().await.diagnose(None).await.expect("diagnoses"), []);
}

#[tokio::test]
async fn a_full_redis_is_named() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, ASKED).await;
    // Its worker writes twice more between the question and its wait; the client hears of it after both.
    assert!(client.line().starts_with("asked: "), "the client is asked before Redis is full");
    kitchen.redis::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for words in [&["doctor"][..], &["doctor", &id]] {
        let (code, found, said) = mcptask(&kitchen, words);
        let full = found.iter().find(|one| one["cause"] == "store_refuses_writes");
        assert_eq!((code, full.map(|one| &one["source"])), (5, Some(&json!("fastmcp"))), "{found:?} {said}");
    }
    kitchen.redis::<()>(&["CONFIG", "SET", "maxmemory", "0"]).await;
    let (code, found, said) = mcptask(&kitchen, &["doctor", &id]);
    assert_eq!(code, 0, "{found:?} {said}");
}

#[tokio::test]
async fn arguments_that_fastmcp_has_dropped_are_told_and_not_lost() {
    let kitchen = Kitchen::open(V4);
    let id = kitchen.client("plan_for", &json!({ "name": "Ada" }), "silent").task();
    kitchen.asks(&id, "Vegetarian?").await;
    // As up to 4.0.11 half an hour after the launch.
    kitchen.redis::<()>(&["DEL", &own(&id, ":args")]).await;
    let found = diagnosed(&kitchen, &id, Cause::ArgumentsExpired).await;
    assert!(found.help.to_string().contains("--direct"), "{found:?}");
    let (code, told, complaint) = mcptask(&kitchen, &["doctor"]);
    assert_eq!(code, 5, "{complaint}");
    let helps: Vec<_> = told.iter().filter_map(|one| one["help"].as_str()).collect();
    assert!(helps.iter().all(|help| !help.contains("--server")), "{helps:?}");
    let answer = ["respond", "--set", "vegetarian=yes"];
    let (code, _, complaint) = mcptask(&kitchen, &[&answer[..], &["--", &id]].concat());
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("--direct") && !complaint.contains("--server"), "{complaint}");
    let (code, _, complaint) = mcptask(&kitchen, &[&answer[..], &["--direct", "--", &id]].concat());
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(kitchen.served().await, "Ada {'vegetarian': True}");
}

#[tokio::test]
async fn a_parked_question_that_no_worker_would_go_on_from_is_told() {
    let (kitchen, mut worker) = Kitchen::apart(V4, &[]);
    let id = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&id, ASKED).await;
    let found = kitchen.deployment().await.diagnose(Some(&id)).await.expect("diagnoses");
    assert!(found.iter().all(|one| one.cause != Cause::NoWorkerKnows), "{found:?}");
    worker.kill();
    // Its heartbeat is over at once.
    kitchen.redis::<()>(&["DEL", "fastmcp:workers"]).await;
    let found = diagnosed(&kitchen, &id, Cause::NoWorkerKnows).await;
    assert!(found.evidence.contains("parked on a question"), "{found:?}");
}
