//! The relay: from a worker's question to the owning client and back.

use std::time::Duration;

use mcptask::engine::Viewer;
use mcptask::server::Unanswerable;
use mcptask::task::{Action, Answer, Answerer, EventKind, TaskId};
use serde_json::{Map, Value, json};

use crate::support::bench::Bench;
use crate::support::http::{Events, Legacy};
use crate::support::{Server, soon};

/// Runs each of the named functions on both stores.
macro_rules! on_each_store {
    ($($test:ident),+ $(,)?) => {
        on_each_store!(sqlite: $($test),+);
        on_each_store!(redis: $($test),+);
    };
    ($store:ident: $($test:ident),+) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::support::bench::Bench::$store()).await;
            })+
        }
    };
}

on_each_store!(
    a_client_without_elicitation_is_answered_for_at_once,
    a_mode_that_was_not_declared_is_not_used,
    an_error_of_the_client_is_never_taken_for_consent,
    an_invalid_answer_is_asked_again_twice_then_cancelled,
    an_answer_that_the_client_itself_refuses_is_asked_again,
    an_operators_answer_withdraws_the_prompt,
    a_closed_session_ends_its_questions_at_once,
    a_vanished_client_is_answered_for_after_the_grace,
    a_client_that_comes_back_is_asked_on,
    what_a_client_missed_is_sent_once_it_is_back,
    a_client_that_lost_its_place_is_asked_anew_and_the_old_prompt_withdrawn,
    a_client_without_a_stream_is_asked_where_it_waits_for_the_result,
    many_open_questions_all_reach_the_client,
    a_question_that_waits_for_an_operator_is_noted_and_stays_open,
    only_the_owning_session_is_asked,
    a_session_of_one_server_is_asked_for_a_worker_of_another,
    a_stopping_server_leaves_its_questions_open,
    who_comes_back_in_a_new_session_is_asked_where_it_waits,
    a_foreground_call_whose_stream_is_gone_is_answered_for,
);

fn accept(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

/// The answer to a task's first question, once there is one.
async fn answered(server: &Server, task: &str) -> Answer {
    soon("the question is answered", async {
        loop {
            let found = server.task(task).await;
            if let Some(answer) = found.questions.first().and_then(|question| question.answer.clone()) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// Asserts that nothing of that method comes before the task's end is told.
async fn no_more(events: &mut Events, method: &str) {
    loop {
        let message = events.next().await.expect("the end is told");
        assert_ne!(message["method"], method, "{message}");
        if message["params"]["status"] == "completed" {
            return;
        }
    }
}

async fn a_client_without_elicitation_is_answered_for_at_once(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::with(&server, json!({}), None).await;
    let task = client.launch("ask_name", json!({})).await;
    let answer = answered(&server, &task).await;
    assert_eq!((answer.action, answer.by), (Action::Cancel, Answerer::Policy));
    assert!(answer.reason.expect("a reason").contains("did not declare the elicitation capability"));
}

async fn a_mode_that_was_not_declared_is_not_used(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let forms = Legacy::open(&server).await;
    let task = forms.launch("ask_page", json!({})).await;
    assert!(forms.text(&task).await.contains("did not declare elicitation by URL"));
    let pages = Legacy::with(&server, json!({ "elicitation": { "url": {} } }), None).await;
    let task = pages.launch("ask_name", json!({})).await;
    assert!(pages.text(&task).await.contains("did not declare elicitation by form"));
    let mut events = pages.listen(None).await;
    let task = pages.launch("ask_page", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    assert_eq!(
        (&asked["params"]["mode"], &asked["params"]["url"]),
        (&json!("url"), &json!("https://example.com/sign"))
    );
    assert!(asked["params"]["elicitationId"].is_string());
    pages.answer(&asked, json!({ "action": "accept" })).await;
    assert_eq!(pages.text(&task).await, "accept ");
}

async fn an_error_of_the_client_is_never_taken_for_consent(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    let error = json!({ "code": -32000, "message": "no screen here" });
    client.post(&json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error })).await;
    let answer = answered(&server, &task).await;
    assert_eq!((answer.action, answer.by), (Action::Cancel, Answerer::Policy));
    assert!(answer.reason.expect("a reason").contains("no screen here"));
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, json!({ "action": "perhaps" })).await;
    assert_eq!(answered(&server, &task).await.action, Action::Cancel);
}

async fn an_invalid_answer_is_asked_again_twice_then_cancelled(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    for attempt in 1..=3 {
        let asked = events.next_of("elicitation/create").await;
        let message = asked["params"]["message"].as_str().expect("text");
        assert_eq!(message.contains("not valid"), attempt > 1, "{message}");
        client.answer(&asked, accept("A")).await;
    }
    let answer = answered(&server, &task).await;
    assert_eq!((answer.action, answer.by), (Action::Cancel, Answerer::Policy));
    assert!(answer.reason.expect("a reason").contains("3 times"));
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, json!({ "action": "accept", "content": { "age": "old" } })).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
}

async fn an_answer_that_the_client_itself_refuses_is_asked_again(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    // As FastMCP's clients do from 4.2 on.
    let error = json!({ "code": -32603, "message": "7 is not of type 'string'" });
    client.post(&json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error })).await;
    let asked = events.next_of("elicitation/create").await;
    let message = asked["params"]["message"].as_str().expect("text");
    assert!(message.contains("7 is not of type 'string'"), "{message}");
    client.answer(&asked, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");

    let task = client.launch("ask_name", json!({})).await;
    for _ in 1..=3 {
        let asked = events.next_of("elicitation/create").await;
        client.post(&json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error })).await;
    }
    let answer = answered(&server, &task).await;
    assert_eq!((answer.action, answer.by), (Action::Cancel, Answerer::Policy));
    assert!(answer.reason.expect("a reason").contains("3 times"));
}

async fn an_operators_answer_withdraws_the_prompt(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    let id: TaskId = task.parse().expect("an id");
    let content = Map::from_iter([("name".to_owned(), json!("Olga"))]);
    let answer = Answer::accept(content, Answerer::Operator);
    let question = "q1".parse().expect("an id");
    server.engine.answer(&Viewer::Operator, &id, &question, answer).await.expect("the first answer");
    let withdrawn = events.next_of("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    client.answer(&asked, accept("Late")).await;
    assert_eq!(client.text(&task).await, "accept \"Olga\"");
}

async fn a_closed_session_ends_its_questions_at_once(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_many", json!({ "count": 2 })).await;
    events.next_of("elicitation/create").await;
    let closed = client.send(reqwest::Method::DELETE).send().await.expect("a response");
    assert_eq!(closed.status(), 204);
    let answer = answered(&server, &task).await;
    assert_eq!(answer.by, Answerer::Policy);
    assert!(answer.reason.expect("a reason").contains("closed its session"));
    soon("what it asks afterwards is settled too", async {
        while !server.task(&task).await.status.is_final() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(server.task(&task).await.questions.len(), 2);
}

async fn a_vanished_client_is_answered_for_after_the_grace(bench: Bench) {
    let server = Server::on(bench, |config| config.vanish_grace = Duration::from_millis(200)).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    events.next_of("elicitation/create").await;
    drop(events);
    let answer = answered(&server, &task).await;
    assert_eq!(answer.by, Answerer::Policy);
    assert!(answer.reason.expect("a reason").contains("no stream open"));
}

async fn a_client_that_comes_back_is_asked_on(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    let last = events.last_id.clone().expect("events have ids");
    drop(events);
    let mut events = client.listen(Some(&last)).await;
    client.answer(&asked, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
    no_more(&mut events, "elicitation/create").await;
}

async fn what_a_client_missed_is_sent_once_it_is_back(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    client.launch("steps", json!({})).await;
    events.next().await.expect("a message");
    let last = events.last_id.clone().expect("events have ids");
    drop(events);
    let task = client.launch("ask_name", json!({})).await;
    let mut events = client.listen(Some(&last)).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
    no_more(&mut events, "elicitation/create").await;
}

async fn a_client_that_lost_its_place_is_asked_anew_and_the_old_prompt_withdrawn(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let first = events.next_of("elicitation/create").await;
    drop(events);
    let mut events = client.listen(None).await;
    let withdrawn = events.next_of("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], first["id"], "never two prompts at once");
    let second = events.next_of("elicitation/create").await;
    assert_ne!(first["id"], second["id"]);
    client.answer(&second, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
}

async fn a_client_without_a_stream_is_asked_where_it_waits_for_the_result(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let task = client.launch("ask_name", json!({})).await;
    let (id, mut events) = client.begin("tasks/result", json!({ "taskId": task })).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, accept("Ada")).await;
    let response = events.next().await.expect("the result");
    assert_eq!(response["id"], id);
    assert_eq!(response["result"]["content"][0]["text"], "accept \"Ada\"");
}

async fn many_open_questions_all_reach_the_client(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let client = Legacy::open(&server).await;
    let mut tasks = Vec::new();
    for _ in 0..40 {
        tasks.push(client.launch("ask_name", json!({})).await);
    }
    let mut events = client.listen(None).await;
    let mut about = Vec::new();
    for number in 0..40 {
        let asked = events.next_of("elicitation/create").await;
        let task = asked["params"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"].clone();
        assert!(!about.contains(&task), "asked twice: {task}");
        about.push(task);
        client.answer(&asked, accept(&format!("n{number}"))).await;
    }
    for task in &tasks {
        assert!(client.text(task).await.starts_with("accept \"n"));
    }
}

async fn a_question_that_waits_for_an_operator_is_noted_and_stays_open(bench: Bench) {
    let server = Server::on(bench, |config| config.unanswerable = Unanswerable::Wait).await;
    let client = Legacy::with(&server, json!({}), None).await;
    let task = client.launch("ask_name", json!({})).await;
    let id: TaskId = task.parse().expect("an id");
    let filter = mcptask::store::EventFilter::Task(id.clone());
    let mut log = server.engine.watch(filter, mcptask::task::Cursor::START).await.expect("a watch");
    let note = soon("a note", async {
        loop {
            if let EventKind::Noted { note } = log.next().await.expect("an event").kind {
                return note;
            }
        }
    })
    .await;
    assert!(note.contains("did not declare the elicitation capability"), "{note}");
    assert_eq!(server.task(&task).await.status.as_str(), "input_required");
    let content = Map::from_iter([("name".to_owned(), json!("Olga"))]);
    let answer = Answer::accept(content, Answerer::Operator);
    let question = "q1".parse().expect("an id");
    server.engine.answer(&Viewer::Operator, &id, &question, answer).await.expect("still open");
    assert_eq!(client.text(&task).await, "accept \"Olga\"");
}

async fn only_the_owning_session_is_asked(bench: Bench) {
    let server = Server::on(bench, |_| {}).await;
    let (owner, other) = (Legacy::open(&server).await, Legacy::open(&server).await);
    let (mut mine, mut theirs) = (owner.listen(None).await, other.listen(None).await);
    let task = owner.launch("ask_name", json!({})).await;
    let asked = mine.next_of("elicitation/create").await;
    owner.answer(&asked, accept("Ada")).await;
    owner.text(&task).await;
    other.launch("work", json!({ "ms": 1 })).await;
    no_more(&mut theirs, "elicitation/create").await;
}

async fn a_session_of_one_server_is_asked_for_a_worker_of_another(bench: Bench) {
    let first = Server::on(bench, |_| {}).await;
    let second = first.beside(|_| {}).await;
    let client = Legacy::open(&second).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, accept("Ada")).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
}

async fn a_stopping_server_leaves_its_questions_open(bench: Bench) {
    let first = Server::on(bench, |_| {}).await;
    let mut second = first.beside(|_| {}).await;
    let client = Legacy::open(&second).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    events.next_of("elicitation/create").await;
    second.stop.cancel();
    soon("the server stops", &mut second.served).await.expect("no panic").expect("a clean end");
    // What was told of the question before may still be on its way.
    while let Some(message) = events.next().await {
        assert_ne!(message["method"], "notifications/cancelled", "{message}");
    }
    assert_eq!(first.task(&task).await.status.as_str(), "input_required");
}

async fn who_comes_back_in_a_new_session_is_asked_where_it_waits(bench: Bench) {
    let first = Server::on(bench, |_| {}).await;
    let mut second = first.beside(|_| {}).await;
    let client = Legacy::open(&second).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    events.next_of("elicitation/create").await;
    second.stop.cancel();
    soon("the server stops", &mut second.served).await.expect("no panic").expect("a clean end");
    let mute = Legacy::with(&first, json!({}), None).await;
    let (_, _waiting) = mute.begin("tasks/result", json!({ "taskId": task })).await;
    let client = Legacy::open(&first).await;
    let (_, mut events) = client.begin("tasks/result", json!({ "taskId": task })).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, accept("Ada")).await;
    let response = events.next().await.expect("the result");
    assert_eq!(response["result"]["content"][0]["text"], "accept \"Ada\"", "the mute one answered nothing");
}

async fn a_foreground_call_whose_stream_is_gone_is_answered_for(bench: Bench) {
    let server = Server::on(bench, |config| config.vanish_grace = Duration::from_millis(200)).await;
    let client = Legacy::open(&server).await;
    let (_, mut events) = client.begin("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    events.next_of("elicitation/create").await;
    let task = server.first_task().await;
    drop(events);
    assert_eq!(answered(&server, &task).await.by, Answerer::Policy);
}
