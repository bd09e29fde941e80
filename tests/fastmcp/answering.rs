//! `respond`.

use mcptask::fastmcp::{FastmcpError, Way};
use mcptask::task::{Action, Answer, Answerer, TaskStatus};
use rstest::rstest;
use serde_json::json;

use crate::commands::{mcptask, started};
use crate::kitchen::{Kitchen, Process, V3_0, V3_4, V4, content, plan, refused, until};

fn accept(value: &serde_json::Value) -> Answer {
    Answer::accept(content(value), Answerer::Operator)
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn an_operator_answers_and_the_separate_worker_goes_on(#[case] version: &'static str) {
    let (kitchen, _worker) = Kitchen::apart(version, &[]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.asks(&id, "What kind of dinner?").await;
    let deployment = kitchen.deployment().await;
    let question = task.questions[0].id.clone();

    let wrong = accept(&json!({ "cuisine": "martian", "guests": 99 }));
    let error = refused(deployment.answer(&task, &question, &wrong, Way::Supported).await);
    assert!(matches!(&error, FastmcpError::Invalid { violations } if violations.len() == 2), "{error:?}");

    let good = Answer::accept(plan(), Answerer::Operator);
    let done = deployment.answer(&task, &question, &good, Way::Supported).await.expect("answers");
    assert_eq!((done.stale_cleared, done.left), (0, 0));
    let second = refused(deployment.answer(&task, &question, &good, Way::Supported).await);
    assert!(matches!(second, FastmcpError::AlreadyAnswered { .. }), "{second:?}");

    let task = kitchen.asks(&id, "Vegetarian?").await;
    let question = task.questions[0].id.clone();
    let diet = accept(&json!({ "vegetarian": true }));
    deployment.answer(&task, &question, &diet, Way::Supported).await.expect("answers");
    assert_eq!(kitchen.served().await, "thai accept {'vegetarian': True}");
    let ended = kitchen.until(&id, |task| task.status.is_final()).await;
    let late = refused(deployment.answer(&ended, &question, &diet, Way::Supported).await);
    assert!(matches!(late, FastmcpError::Ended { status: TaskStatus::Completed, .. }), "{late:?}");
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn a_task_whose_client_vanished_is_rescued(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let mut client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.asks(&id, "What kind of dinner?").await;
    client.process.kill();
    let decline = Answer::new(Action::Decline, Answerer::Operator);
    let deployment = kitchen.deployment().await;
    deployment.answer(&task, &task.questions[0].id, &decline, Way::Supported).await.expect("answers");
    kitchen.until(&id, |task| task.status == TaskStatus::Completed).await;
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn an_answer_in_a_race_with_the_client_has_one_winner(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let mut client = kitchen.client("ask_nested", &json!({}), "later:{}");
    let id = client.task();
    let task = kitchen.asks(&id, "Where?").await;
    let deployment = kitchen.deployment().await;
    let decline = Answer::new(Action::Decline, Answerer::Operator);
    client.go();
    let ours = deployment.answer(&task, &task.questions[0].id, &decline, Way::Supported).await;
    let result = client.result();
    match ours {
        Ok(_) => assert_eq!(result, "result: decline"),
        Err(
            FastmcpError::AlreadyAnswered { .. }
            | FastmcpError::Ended { .. }
            | FastmcpError::NoQuestion { .. },
        ) => {
            assert_eq!(result, "result: accept");
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn what_fastmcps_own_types_cannot_hold_never_reaches_a_worker(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let client = kitchen.client("ask_nested", &json!({}), "silent");
    let task = kitchen.asks(&client.task(), "Where?").await;
    let question = &task.questions[0];
    assert!(question.problems.is_empty(), "a nested object is a field of JSON: {:?}", question.problems);
    let deployment = kitchen.deployment().await;
    for place in [json!("here"), json!({})] {
        let accepted = accept(&json!({ "place": place }));
        let error = refused(deployment.answer(&task, &question.id, &accepted, Way::Direct).await);
        assert!(matches!(error, FastmcpError::Invalid { .. }), "{error:?}");
    }
    deployment.answer(&task, &question.id, &accept(&json!({})), Way::Direct).await.expect("answers");
    assert_eq!(kitchen.served().await, "accept");
}

#[tokio::test]
async fn fastmcp_4_is_answered_in_redis_only_on_demand() {
    let (kitchen, _worker) = Kitchen::apart(V4, &[]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.asks(&id, "What kind of dinner?").await;
    let deployment = kitchen.deployment().await;
    let good = Answer::accept(plan(), Answerer::Operator);
    let error = refused(deployment.answer(&task, &task.questions[0].id, &good, Way::Supported).await);
    assert!(matches!(error, FastmcpError::NeedsServer { .. }), "{error:?}");
    deployment.answer(&task, &task.questions[0].id, &good, Way::Direct).await.expect("answers");
    let second = refused(deployment.answer(&task, &task.questions[0].id, &good, Way::Direct).await);
    assert!(matches!(second, FastmcpError::AlreadyAnswered { .. }), "{second:?}");
    // FastMCP's server that has read the pointer to the leg before still finds what the leg asked.
    for what in ["requests", "map"] {
        let key = format!("fastmcp:fastmcp:task:anon:{id}:input:1:{what}");
        let left = kitchen.redis::<i64>(&["TTL", &key]).await;
        assert!((1..=60).contains(&left), "{key} lives for {left} s");
    }

    let task = kitchen.asks(&id, "Vegetarian?").await;
    let diet = accept(&json!({ "vegetarian": false }));
    deployment
        .answer(&task, &task.questions[0].id, &diet, Way::Direct)
        .await
        .expect("answers the second leg");
    assert_eq!(kitchen.served().await, "thai accept {'vegetarian': False}");
}

#[tokio::test]
async fn a_question_of_fastmcp_4_goes_by_its_tools_name_too() {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("ask_two", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.until(&id, |task| task.questions.len() == 2).await;
    let run = |words: &[&str]| mcptask(&kitchen, words);
    for verb in [&["list"][..], &["show", &id]] {
        let (_, listed, problem) = run(verb);
        let names = [0, 1].map(|at| listed[0]["questions"][at]["name"].clone());
        assert_eq!(names, [json!("diet"), json!("plan")], "{verb:?} {problem}");
    }
    let (_, found, _) = run(&["doctor", &id]);
    assert!(found.iter().any(|one| one["evidence"].to_string().contains("diet")), "{found:?}");
    let (code, _, problem) = run(&["respond", &id, "--question", "dinner", "--direct", "--decline"]);
    assert!(code == 9 && problem.contains("never asked"), "{code} {problem}");
    let plan =
        ["respond", &id, "--question", "plan", "--direct", "--set", "cuisine=thai", "--set", "guests=4"];
    let (code, receipt, problem) = run(&plan);
    assert_eq!((code, problem.as_str()), (0, ""));
    assert_eq!((&receipt[0]["question"], &receipt[0]["left"]), (&json!(task.questions[1].id), &json!(1)));
    let (code, _, problem) = run(&plan);
    assert!(code == 10 && problem.contains("answered or withdrawn"), "{code} {problem}");
    let diet = ["respond", &id, "--question", "diet", "--wait", "--direct", "--set", "vegetarian=yes"];
    let (code, _, problem) = run(&diet);
    assert_eq!(code, 0, "{problem}");
    assert!(kitchen.served().await.contains("{'vegetarian': True}"));
}

#[tokio::test]
async fn questions_asked_at_once_are_answered_one_by_one() {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("ask_two", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.until(&id, |task| task.questions.len() == 2).await;
    let deployment = kitchen.deployment().await;
    // In the order of the tool's own names: `diet`, `plan`.
    let diet = accept(&json!({ "vegetarian": true }));
    let done = deployment.answer(&task, &task.questions[0].id, &diet, Way::Direct).await.expect("answers");
    assert_eq!(done.left, 1);
    let task = kitchen.until(&id, |task| task.questions.len() == 1).await;
    let good = Answer::accept(plan(), Answerer::Operator);
    deployment.answer(&task, &task.questions[0].id, &good, Way::Direct).await.expect("answers");
    assert_eq!(kitchen.served().await, "{'cuisine': 'thai', 'guests': 4} {'vegetarian': True}");
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn an_answer_that_nobody_takes_expires_when_its_operator_is_killed(#[case] version: &'static str) {
    let (kitchen, mut worker) = Kitchen::apart(version, &[]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.asks(&id, "What kind of dinner?").await;
    worker.kill();
    let keys: Vec<String> = kitchen.redis(&["KEYS", &format!("*{id}:elicit:request")]).await;
    let list = keys[0].replace(":request", ":response");
    let lies = async || kitchen.redis::<u64>(&["LLEN", &list]).await == 1;
    let mut operator = Process { child: started(&kitchen, &["respond", &id, "--set", "cuisine=thai"]) };
    until("the answer", async || lies().await.then_some(())).await;
    operator.kill();
    assert!(lies().await, "it was killed before it took the answer back");
    let left = kitchen.redis::<i64>(&["PTTL", &list]).await;
    assert!((0..=5000).contains(&left), "{left} ms");
    until("the end of the answer", async || (!lies().await).then_some(())).await;
    let again = kitchen.asks(&id, "What kind of dinner?").await;
    assert_eq!(again.questions[0].id, task.questions[0].id, "it waits as before");
}
