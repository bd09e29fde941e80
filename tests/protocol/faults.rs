//! What clients see of a server that misbehaves on purpose, and that a good client gets on with it.

use std::time::Duration;

use mcptask::task::Fault;
use serde_json::{Value, json};

use crate::place::{Background, Place};
use crate::support::http::{Events, Legacy, Modern};
use crate::support::{Server, soon};

async fn faulty(fault: Fault) -> Server {
    Server::with(|config| config.faults = vec![fault]).await
}

/// The tour of faults, whose scripts ask for them.
fn tour(place: &Place) -> Background {
    place.serve(&["--config", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/faults.toml")])
}

/// Asserts that nothing comes for a moment. Can only err on the side of passing.
async fn nothing(events: &mut Events) {
    let next = tokio::time::timeout(Duration::from_millis(200), events.next()).await;
    assert!(next.is_err(), "{next:?}");
}

async fn listen(client: &Modern, task: &str) -> Events {
    let (_, request) =
        client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [task] } }));
    let mut events = Events::new(request.send().await.expect("a stream"));
    events.next_of("notifications/subscriptions/acknowledged").await;
    events
}

fn answers(name: &str) -> Value {
    json!({ "q1": { "action": "accept", "content": { "name": name } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_breaks_a_modern_response_off_once() {
    let place = Place::new();
    let server = tour(&place);
    let client = Modern::at(server.url());
    let task = client.launch("fault_dropped_connection", json!({})).await;
    soon("a response breaks off", async {
        loop {
            let (_, request) = client.begin("tasks/get", json!({ "taskId": task }));
            if request.send().await.expect("headers").text().await.is_err() {
                return;
            }
        }
    })
    .await;
    assert!(client.until(&task, "input_required").await["inputRequests"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_breaks_a_legacy_stream_off_and_the_result_is_there_to_ask_for() {
    let server = faulty(Fault::DroppedConnection).await;
    let client = Legacy::open(&server).await;
    let task = client.launch("work", json!({ "ms": 50 })).await;
    let (_, mut events) = client.begin("tasks/result", json!({ "taskId": task })).await;
    assert_eq!(events.next().await, None, "no whole message came");
    let seen = events.last_id.expect("the first event came");
    let resumed = client.listen(Some(&seen)).await.next().await.expect("the response");
    assert_eq!(resumed["result"]["content"][0]["text"], "worked", "`Last-Event-ID` brings it");
    assert_eq!(client.text(&task).await, "worked", "the session and the task are still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_stays_open_and_brings_nothing() {
    let server = faulty(Fault::StalledStream).await;
    let (legacy, modern) = (Legacy::open(&server).await, Modern::new(&server));
    let mut stream = legacy.listen(None).await;
    legacy.launch("ask_name", json!({})).await;
    let task = modern.launch("ask_name", json!({})).await;
    let mut listening = listen(&modern, &task).await;
    let (_, mut call) =
        legacy.begin("tools/call", json!({ "name": "greet", "arguments": { "name": "Ada" } })).await;
    modern.until(&task, "input_required").await;
    for events in [&mut stream, &mut listening, &mut call] {
        nothing(events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_notification_is_seen_by_polling() {
    let server = faulty(Fault::MissingNotification).await;
    let (legacy, modern) = (Legacy::open(&server).await, Modern::new(&server));
    let mut stream = legacy.listen(None).await;
    legacy.launch("ask_name", json!({})).await;
    let first = stream.next().await.expect("a message");
    assert_eq!(first["method"], "elicitation/create", "no status comes before it");
    let task = modern.launch("ask_name", json!({})).await;
    let mut listening = listen(&modern, &task).await;
    modern.until(&task, "input_required").await;
    modern.result("tasks/update", json!({ "taskId": task, "inputResponses": answers("Ada") })).await;
    modern.until(&task, "completed").await;
    nothing(&mut listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_comes_after_the_cancel_in_both_eras() {
    let server = faulty(Fault::QuestionAfterCancel).await;
    let (legacy, modern) = (Legacy::open(&server).await, Modern::new(&server));
    let mut stream = legacy.listen(None).await;
    let task = legacy.launch("ask_name", json!({})).await;
    let first = stream.next_of("elicitation/create").await;
    legacy.result("tasks/cancel", json!({ "taskId": task })).await;
    let again = stream.next_of("elicitation/create").await;
    assert_eq!(again["params"]["message"], first["params"]["message"]);
    legacy.answer(&again, json!({ "action": "cancel" })).await;
    let task = modern.launch("ask_name", json!({})).await;
    modern.until(&task, "input_required").await;
    modern.result("tasks/cancel", json!({ "taskId": task })).await;
    let cancelled = modern.until(&task, "cancelled").await;
    assert!(cancelled["inputRequests"].get("q1").is_some(), "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_taken_and_changes_nothing() {
    let place = Place::new();
    let server = tour(&place);
    let client = Legacy::at(server.url(), json!({ "elicitation": {} }), None).await;
    let mut stream = client.listen(None).await;
    let task = client.launch("fault_late_answer_accepted", json!({})).await;
    let question = stream.next_of("elicitation/create").await;
    assert_eq!(client.text(&task).await, "cancel", "it timed out");
    let mut status = Value::Null;
    while status != "completed" {
        let message = stream.next().await.expect("a message");
        assert_ne!(message["method"], "notifications/cancelled", "the question is not withdrawn");
        status = message["params"]["status"].clone();
    }
    nothing(&mut stream).await;
    client.answer(&question, json!({ "action": "accept", "content": { "name": "Ada" } })).await;
    assert_eq!(client.text(&task).await, "cancel");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_takes_every_fault_by_name() {
    let place = Place::new();
    let server = place.serve(&["--fault", "question-after-cancel", "--fault", "missing-notification"]);
    let client = Legacy::at(server.url(), json!({ "elicitation": {} }), None).await;
    let mut stream = client.listen(None).await;
    let task = client.launch("plan_dinner", json!({})).await;
    assert_eq!(stream.next().await.expect("a message")["method"], "elicitation/create");
    client.result("tasks/cancel", json!({ "taskId": task })).await;
    stream.next_of("elicitation/create").await;
}

/// Asserts that the stream tells nothing of that status for a moment. Can only err on the side of passing.
async fn nothing_of(events: &mut Events, status: &str) {
    while let Ok(message) = tokio::time::timeout(Duration::from_millis(200), events.next()).await {
        assert_ne!(message.expect("the stream stays open")["params"]["status"], status);
    }
}

/// Launches a tool of the tour; the task once it asks.
async fn asking(client: &Modern, fault: Fault) -> (String, Value) {
    let task = client.launch(&tool_of(fault), json!({})).await;
    let asked = client.until(&task, "input_required").await;
    (task, asked)
}

fn tool_of(fault: Fault) -> String {
    format!("fault_{}", fault.as_str().replace('-', "_"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_has_a_tool_for_every_fault_that_says_what_a_good_client_does() {
    let place = Place::new();
    let server = tour(&place);
    let client = Modern::at(server.url());
    let listed = client.result("tools/list", json!({})).await;
    let listed = listed["tools"].as_array().expect("a list");
    for fault in Fault::ALL {
        let tool = listed.iter().find(|tool| tool["name"] == tool_of(fault)).expect("a tool of each fault");
        assert!(tool["description"].as_str().is_some_and(|text| text.contains("A good client")), "{tool}");
    }
    assert_eq!(listed.len(), Fault::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_shows_the_faults_of_a_worker() {
    let place = Place::new();
    let server = tour(&place);
    let client = Modern::at(server.url());
    let accept = json!({ "action": "accept", "content": { "name": "Ada" } });
    let update = async |task: &str, key: &str, answer: &Value| {
        client.result("tasks/update", json!({ "taskId": task, "inputResponses": { key: answer } })).await
    };
    let (task, first) = asking(&client, Fault::SameQuestionTwice).await;
    update(&task, "answer", &accept).await;
    let again = soon("the second question", async {
        loop {
            let again = client.until(&task, "input_required").await;
            if again["inputRequests"].get("answer").is_none() {
                return again;
            }
        }
    })
    .await;
    assert_eq!(again["inputRequests"]["q2"], first["inputRequests"]["answer"]);
    let (task, malformed) = asking(&client, Fault::MalformedQuestion).await;
    let asked = &malformed["inputRequests"]["answer"]["params"]["requestedSchema"];
    assert!(!mcptask::form::foreign(asked).is_empty(), "{asked}");
    update(&task, "answer", &json!({ "action": "cancel" })).await;
    client.until(&task, "completed").await;
    let (task, _) = asking(&client, Fault::CrashWhileAsking).await;
    update(&task, "answer", &accept).await;
    client.until(&task, "completed").await;
    assert_eq!(place.json(&["show", &task])[0]["attempt"], 2);
    let (task, short) = asking(&client, Fault::TtlEndsMidQuestion).await;
    assert_eq!(short["ttlMs"], mcptask::task::fault::ENDING_TTL_MS);
    place.until(&task, "expired");
    assert_eq!(client.error("tasks/get", json!({ "taskId": task })).await["code"], -32602);
}

/// The other two are `a_late_answer_is_taken_and_changes_nothing` and
/// `a_dropped_connection_breaks_a_modern_response_off_once`.
#[tokio::test(flavor = "multi_thread")]
async fn the_tour_shows_the_faults_of_a_server() {
    let place = Place::new();
    let server = tour(&place);
    let client = Modern::at(server.url());
    let (task, _) = asking(&client, Fault::QuestionAfterCancel).await;
    client.result("tasks/cancel", json!({ "taskId": task })).await;
    let cancelled = client.until(&task, "cancelled").await;
    assert!(cancelled["inputRequests"].get("answer").is_some(), "{cancelled}");
    for fault in [Fault::StalledStream, Fault::MissingNotification] {
        let (task, _) = asking(&client, fault).await;
        let mut listening = listen(&client, &task).await;
        let cancel = json!({ "answer": { "action": "cancel" } });
        client.result("tasks/update", json!({ "taskId": task, "inputResponses": cancel })).await;
        client.until(&task, "completed").await;
        nothing_of(&mut listening, "completed").await;
    }
}
