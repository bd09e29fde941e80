//! 2026-07-28: stateless, tasks as an extension.

use mcptask::client::{Client, ClientError, Ended, Era, Submitted, Target};
use mcptask::task::{Action, Outcome};
use serde_json::{Value, json};

use crate::answers::{Answers, accept, plain};
use crate::python::{PythonServer, python, script};
use crate::{bounded, call, connect, none, outcome_text, run, task, text};

const VERSION: &str = "fastmcp-4.1.4";

fn server() -> PythonServer {
    PythonServer::start(VERSION, "modern.py", &[])
}

#[tokio::test]
async fn a_task_gets_its_structured_answer() {
    let server = server();
    let answers = Answers::new([accept(json!({ "vegetarian": true, "cuisine": "Thai" }))]);
    let client = connect(&server.url(), &answers).await;
    assert_eq!(client.era(), Era::Modern);
    let ended = run(&client, call("plan_dinner", none())).await;
    assert_eq!(text(ended), ("Thai, vegetarian: True".to_owned(), false));
    let asked = answers.asked();
    assert_eq!(asked.len(), 1, "asked once however often the task was looked at");
    assert!(asked[0].server.contains("modern kitchen"), "{}", asked[0].server);
    assert!(asked[0].task.is_some());
    client.close().await;
}

#[tokio::test]
async fn decline_and_cancel_arrive_as_such() {
    let server = server();
    for action in [Action::Decline, Action::Cancel] {
        let client = connect(&server.url(), &Answers::new([plain(action)])).await;
        let ended = run(&client, call("plan_dinner", none())).await;
        assert_eq!(text(ended), (format!("no dinner: {action}"), false));
    }
}

#[tokio::test]
async fn questions_in_a_row_and_at_once_are_answered_one_by_one() {
    let server = server();
    let words = |words: &[&str]| Answers::new(words.iter().map(|word| accept(json!({ "word": word }))));
    let client = connect(&server.url(), &words(&["one", "two", "three"])).await;
    let ended = run(&client, call("survey", json!({ "count": 3 }))).await;
    assert_eq!(text(ended), ("one two three".to_owned(), false));
    let client = connect(&server.url(), &words(&["salt", "salt"])).await;
    let ended = run(&client, call("pair", none())).await;
    assert_eq!(text(ended), ("salt salt".to_owned(), false));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again() {
    let server = server();
    let answers = Answers::new([
        accept(json!({ "vegetarian": "yes", "cuisine": "x" })),
        accept(json!({ "vegetarian": true, "cuisine": "Thai" })),
    ]);
    let client = connect(&server.url(), &answers).await;
    let ended = run(&client, call("plan_dinner", none())).await;
    assert_eq!(text(ended), ("Thai, vegetarian: True".to_owned(), false));
    let refused = answers.asked()[1].refused.clone().expect("the second time says why");
    assert!(refused.contains("vegetarian") && refused.contains("cuisine"), "{refused}");
}

#[tokio::test]
async fn three_unfit_answers_leave_the_question_open() {
    let server = server();
    let answers = Answers::new([(); 3].map(|()| accept(json!({}))));
    let client = connect(&server.url(), &answers).await;
    let id = task(&client, call("plan_dinner", none())).await;
    let error = bounded("follow", client.follow(&id, &|_| ())).await.expect_err("gives up");
    assert!(matches!(error, ClientError::AnswerRefused { .. }), "{error}");
    assert_eq!(client.get(&id).await.expect("is there").input_requests.len(), 1);
}

#[tokio::test]
async fn without_an_answerer_the_question_is_left_to_others() {
    let server = server();
    let target = Target::http(&server.url()).expect("a URL");
    let silent = bounded("connect", Client::connect(&target, Era::Modern, None)).await.expect("connects");
    let id = task(&silent, call("plan_dinner", none())).await;
    let error = bounded("follow", silent.follow(&id, &|_| ())).await.expect_err("may not ask");
    assert!(matches!(&error, ClientError::NeedsInput { task: Some(task), .. } if *task == id), "{error}");

    let answers = Answers::new([accept(json!({ "vegetarian": true, "cuisine": "Thai" }))]);
    let other = connect(&server.url(), &answers).await;
    let ended = bounded("follow", other.follow(&id, &|_| ())).await;
    assert_eq!(text(ended), ("Thai, vegetarian: True".to_owned(), false));
}

#[tokio::test]
async fn foreground_tools_end_at_once_and_may_ask() {
    let server = server();
    let answers = Answers::new([accept(json!({ "vegetarian": false, "cuisine": "Greek" }))]);
    let client = connect(&server.url(), &answers).await;
    for (call, expected) in [
        (call("greet", json!({ "name": "Ann" })), "Hello, Ann!"),
        (call("ask_now", none()), "Greek, vegetarian: False"),
    ] {
        let submitted = bounded("submit", client.submit(call)).await.expect("submits");
        let Submitted::Done(outcome) = submitted else { panic!("a task: {submitted:?}") };
        assert_eq!(outcome_text(&outcome), (expected.to_owned(), false));
    }
}

#[tokio::test]
async fn tool_errors_and_protocol_errors_differ() {
    let server = server();
    let client = connect(&server.url(), &Answers::new([])).await;
    let (text, is_error) = text(run(&client, call("explode", none())).await);
    assert!(is_error && text.contains("the kitchen is on fire"), "{text}");
    let ended = run(&client, call("protocol_error", none())).await.expect("ends");
    let Ended::Failed { outcome: Some(Outcome::Error(error)), .. } = ended else { panic!("{ended:?}") };
    assert_eq!((error.code, error.message.as_str()), (-32050, "no gas"));
    assert_eq!(error.data, Some(json!({ "tank": "empty" })));
}

#[tokio::test]
async fn a_cancelled_task_ends_as_cancelled() {
    let server = server();
    let client = connect(&server.url(), &Answers::new([])).await;
    let id = task(&client, call("linger", none())).await;
    client.cancel(&id).await.expect("cancels");
    let ended = bounded("follow", client.follow(&id, &|_| ())).await.expect("ends");
    assert!(matches!(ended, Ended::Cancelled { .. }), "{ended:?}");
    assert!(matches!(client.list().await, Err(ClientError::NotOffered { .. })));
}

#[tokio::test]
async fn a_question_that_another_client_answers_is_taken_back() {
    let server = server();
    let never = std::sync::Arc::new(crate::answers::Never::default());
    let target = Target::http(&server.url()).expect("a URL");
    let client = Client::connect(&target, Era::Auto, Some(never.clone())).await.expect("connects");
    let id = task(&client, call("plan_dinner", none())).await;
    let other = connect(&server.url(), &Answers::new([])).await;
    let answering = async {
        bounded("the prompt", never.asked.notified()).await;
        let view = other.get(&id).await.expect("is there");
        let (key, request) = view.input_requests.iter().next().expect("one question");
        let schema = request.pointer("/params/requestedSchema").cloned().unwrap_or(Value::Null);
        let ask = mcptask::task::Ask::form("", schema);
        let answer = accept(json!({ "vegetarian": true, "cuisine": "Thai" }));
        other.answer(&id, key, &ask, &answer).await.expect("answers");
        bounded("the withdrawal", never.withdrawn.notified()).await;
    };
    let on_change = |_: &mcptask::client::TaskView| ();
    let (ended, ()) = tokio::join!(client.follow(&id, &on_change), answering);
    assert_eq!(text(ended), ("Thai, vegetarian: True".to_owned(), false));
}

#[tokio::test]
async fn stdio_works_as_http_does() {
    let line = format!("{} {} stdio", python(VERSION).display(), script("modern.py").display());
    let answers = Answers::new([accept(json!({ "vegetarian": true, "cuisine": "Thai" }))]);
    let target = Target::stdio(&line).expect("a command");
    let client =
        bounded("connect", Client::connect(&target, Era::Auto, Some(answers))).await.expect("connects");
    assert_eq!(client.era(), Era::Modern);
    let ended = run(&client, call("plan_dinner", none())).await;
    assert_eq!(text(ended), ("Thai, vegetarian: True".to_owned(), false));
    bounded("close", client.close()).await;
}
