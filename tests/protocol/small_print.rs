//! Claims of the specification that concern one message or one field, and that no other test is about.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::http::{Events, Legacy, Modern};
use crate::support::{Server, soon};

const RELATED: &str = "io.modelcontextprotocol/related-task";

async fn answer(client: &Modern, task: &str, answer: Value) -> Value {
    client.request("tasks/update", json!({ "taskId": task, "inputResponses": { "q1": answer } })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_found_by_another_server_as_soon_as_it_is_named() {
    let server = Server::start().await;
    let other = server.beside(|_| {}).await;
    let (here, there) = (Modern::new(&server), Modern::new(&other));
    for _ in 0..20 {
        let task = here.launch("work", json!({ "ms": 1 })).await;
        assert_eq!(there.get(&task).await["taskId"], task);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_creation_of_a_task_has_the_result_type_task() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let created = client.result("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    assert_eq!(created["resultType"], "task");
    let task = created["taskId"].as_str().expect("an id");
    let asking = client.until(task, "input_required").await;
    let updated = answer(&client, task, json!({ "action": "decline" })).await["result"].take();
    let done = client.until(task, "completed").await;
    assert!(done["result"].get("resultType").is_none_or(|kind| kind == "complete"), "{done}");
    let cancelled = client.result("tasks/cancel", json!({ "taskId": task })).await;
    for result in [asking, updated, done, cancelled] {
        assert_eq!(result["resultType"], "complete", "{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_notification_does_not_cancel_a_modern_task() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let (id, request) = client.begin("tools/call", json!({ "name": "ask_name", "arguments": {} }));
    let body: Value = request.send().await.expect("a response").json().await.expect("JSON");
    let task = body["result"]["taskId"].as_str().expect("a task id").to_owned();
    client.until(&task, "input_required").await;
    // Whether the notification is taken at all is the transport's matter.
    let (_, request) = client.begin("notifications/cancelled", json!({ "requestId": id }));
    drop(request.send().await.expect("a response"));
    assert_eq!(client.get(&task).await["status"], "input_required");
    answer(&client, &task, json!({ "action": "decline" })).await;
    client.until(&task, "completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_of_no_progress_and_no_message() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let params = json!({ "name": "ask_name", "arguments": {}, "_meta": { "progressToken": "p" } });
    let first = client.result("tools/call", params).await["taskId"].take();
    client.until(first.as_str().expect("an id"), "input_required").await;
    let params = json!({ "name": "steps", "arguments": {}, "_meta": { "progressToken": "q" } });
    let steps = client.result("tools/call", params).await["taskId"].take();
    let (_, request) =
        client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [first, steps] } }));
    let mut events = Events::new(request.send().await.expect("a stream"));
    assert_eq!(events.next().await.expect("a message")["method"], "notifications/subscriptions/acknowledged");
    answer(&client, first.as_str().expect("an id"), json!({ "action": "decline" })).await;
    let mut left = 2;
    while left > 0 {
        let told = events.next().await.expect("a message");
        assert_eq!(told["method"], "notifications/tasks", "{told}");
        left -= usize::from(told["params"]["status"] == "completed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_the_last_update_moves_with_the_task_and_only_then() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_both", json!({})).await;
    let asked = client.until(&task, "input_required").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let unknown = json!({ "taskId": task, "inputResponses": { "q7": { "action": "decline" } } });
    client.result("tasks/update", unknown).await;
    assert_eq!(client.get(&task).await, asked, "an ignored answer changes nothing");
    answer(&client, &task, json!({ "action": "accept", "content": {} })).await;
    assert_eq!(client.get(&task).await, asked, "nor does a refused one");
    answer(&client, &task, json!({ "action": "decline" })).await;
    let answered = client.get(&task).await;
    assert!(answered["lastUpdatedAt"].as_str() > asked["lastUpdatedAt"].as_str(), "{asked} {answered}");
    assert_eq!(answered["createdAt"], asked["createdAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_task_parameter_of_the_other_era_has_no_effect() {
    let server = Server::start().await;
    let call = json!({ "name": "work", "arguments": { "ms": 1 }, "task": { "ttl": 5 } });
    let done = Modern::undeclared(&server).result("tools/call", call.clone()).await;
    assert_eq!(done["resultType"], "complete", "it makes no task: {done}");
    let created = Modern::new(&server).result("tools/call", call).await;
    assert_ne!(created["ttlMs"], 5, "it says nothing of the ttl: {created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_accepted_without_content() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_page", json!({})).await;
    let asked = client.until(&task, "input_required").await;
    let params = &asked["inputRequests"]["q1"]["params"];
    assert_eq!(params["url"], "https://example.com/sign", "the whole address");
    assert!(params.get("elicitationId").is_none(), "2026-07-28 dropped it: {params}");
    let refused = answer(&client, &task, json!({ "action": "accept", "content": { "name": "Ada" } })).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    answer(&client, &task, json!({ "action": "accept" })).await;
    client.until(&task, "completed").await;
    let stored = server.task(&task).await.questions[0].answer.clone().expect("an answer");
    assert_eq!(stored.content, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_and_cancel_carry_no_content() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    for action in ["decline", "cancel"] {
        let task = client.launch("ask_name", json!({})).await;
        client.until(&task, "input_required").await;
        answer(&client, &task, json!({ "action": action, "content": { "name": "Ada" } })).await;
        client.until(&task, "completed").await;
        let stored = server.task(&task).await.questions[0].answer.clone().expect("an answer");
        assert_eq!((stored.action.to_string().as_str(), stored.content), (action, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_related_task_is_on_every_legacy_message_but_those_that_name_it_anyway() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let params = json!({ "name": "ask_name", "arguments": {}, "task": {}, "_meta": { "progressToken": 1 } });
    let created = client.result("tools/call", params).await;
    let task = &created["task"]["taskId"];
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, json!({ "action": "decline" })).await;
    let result = client.result("tasks/result", json!({ "taskId": task })).await;
    for message in [&created, &asked["params"], &result] {
        assert_eq!(&message["_meta"][RELATED]["taskId"], task, "{message}");
    }
    let status = events.next_of("notifications/tasks/status").await;
    let second = client.launch("ask_name", json!({})).await;
    let got = client.result("tasks/get", json!({ "taskId": task })).await;
    let listed = client.result("tasks/list", json!({})).await;
    let cancelled = client.result("tasks/cancel", json!({ "taskId": second })).await;
    for message in [&status["params"], &got, &listed, &cancelled] {
        assert!(message.get("_meta").is_none_or(|meta| meta.get(RELATED).is_none()), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_a_legacy_task_has_its_times_and_actual_ttl() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let year = 365 * 24 * 60 * 60 * 1000_u64;
    let params = json!({ "name": "ask_name", "arguments": {}, "task": { "ttl": year } });
    let created = client.result("tools/call", params).await["task"].take();
    assert_eq!(created["ttl"], 7 * 24 * 60 * 60 * 1000, "what it gets, not what it asked for");
    let task = created["taskId"].as_str().expect("an id");
    for _ in ["while it asks", "when it has ended"] {
        let found = client.result("tasks/get", json!({ "taskId": task })).await;
        for key in ["createdAt", "lastUpdatedAt"] {
            let at = found[key].as_str().expect("a time");
            assert!(at.ends_with('Z') && at.contains('T'), "{key}: {at}");
        }
        assert_eq!((&found["ttl"], &found["createdAt"]), (&created["ttl"], &created["createdAt"]));
        // The second time it has ended already, which is an error and changes nothing.
        client.request("tasks/cancel", json!({ "taskId": task })).await;
    }
    let listed = client.result("tasks/list", json!({})).await;
    let found = client.result("tasks/get", json!({ "taskId": task })).await;
    for (key, value) in listed["tasks"][0].as_object().expect("a task") {
        assert_eq!(value, &found[key], "the list shows what get shows: {key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_of_a_legacy_task_waits_for_its_end() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut stream = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = stream.next_of("elicitation/create").await;
    let (id, mut events) = client.begin("tasks/result", json!({ "taskId": task })).await;
    let early = tokio::time::timeout(Duration::from_millis(200), events.next()).await;
    assert!(early.is_err(), "{early:?}");
    client.answer(&asked, json!({ "action": "decline" })).await;
    let response = soon("the result", events.next()).await.expect("a response");
    assert_eq!((&response["id"], &response["result"]["isError"]), (&json!(id), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_legacy_task_stays_as_it_ended() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let task = client.launch("ask_name", json!({})).await;
    client.result("tasks/cancel", json!({ "taskId": task })).await;
    let ended = client.result("tasks/get", json!({ "taskId": task })).await;
    assert_eq!(ended["status"], "cancelled");
    assert_eq!(client.error("tasks/cancel", json!({ "taskId": task })).await["code"], -32602);
    answer(&Modern::new(&server), &task, json!({ "action": "decline" })).await;
    assert_eq!(client.result("tasks/get", json!({ "taskId": task })).await, ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_declared_forms_by_name_is_asked_forms_only() {
    let server = Server::start().await;
    let client = Legacy::with(&server, json!({ "elicitation": { "form": {} } }), None).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_page", json!({})).await;
    assert!(client.text(&task).await.contains("did not declare elicitation by URL"));
    client.launch("ask_name", json!({})).await;
    assert_eq!(events.next_of("elicitation/create").await["params"]["mode"], "form");
    let mut modern = Modern::undeclared(&server);
    modern.elicits = false;
    let done = modern.result("tools/call", json!({ "name": "ask_page", "arguments": {} })).await;
    assert!(done["content"][0]["text"].as_str().expect("text").starts_with("cancel "), "{done}");
}
