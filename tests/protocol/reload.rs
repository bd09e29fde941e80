//! What clients hear and see when SIGHUP makes `serve`, or a worker in another process, read its file again.

use serde_json::{Value, json};

use crate::place::{Background, Place};
use crate::support::http::{Events, Legacy, Modern};
use crate::support::redis::RedisServer;
use crate::support::soon;

const BEFORE: &str = r#"[tools.asks]
description = "Asks."
steps = [{ ask = "Ready?" }, { return = "went on" }]
"#;
const AFTER: &str = "[tools.other]\ndescription = \"New.\"\nsteps = [{ return = \"new\" }]\n";

fn serve(place: &Place) -> Background {
    let file = place.file("mcptask.toml", BEFORE);
    place.serve(&["--config", &file])
}

fn change(place: &Place, server: &Background) {
    place.file("mcptask.toml", AFTER);
    server.signal("HUP");
}

fn names(list: &Value) -> Vec<&str> {
    list["tools"].as_array().expect("a list").iter().filter_map(|tool| tool["name"].as_str()).collect()
}

/// Lists the tools whenever the client hears that they changed, until they are these. A tool that is added and one
/// that is taken away are two changes, each with its message.
async fn until_listed(expected: &[&str], mut hears: impl AsyncFnMut(), list: impl AsyncFn() -> Value) {
    soon("the tools are listed", async {
        hears().await;
        while names(&list().await) != expected {
            hears().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_client_hears_that_the_tools_changed_and_its_task_goes_on() {
    let place = Place::new();
    let server = serve(&place);
    let client = Legacy::at(server.url(), json!({ "elicitation": {} }), None).await;
    assert_eq!(client.initialized["capabilities"]["tools"]["listChanged"], true);
    let mut stream = client.listen(None).await;
    let task = client.launch("asks", json!({})).await;
    let question = stream.next_of("elicitation/create").await;
    change(&place, &server);
    let hears = async || drop(stream.next_of("notifications/tools/list_changed").await);
    until_listed(&["other"], hears, async || client.result("tools/list", json!({})).await).await;
    client.answer(&question, json!({ "action": "accept", "content": {} })).await;
    assert_eq!(client.text(&task).await, "went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_client_that_asked_for_it_hears_that_the_tools_changed() {
    let place = Place::new();
    let server = serve(&place);
    let client = Modern::at(server.url());
    let task = client.launch("asks", json!({})).await;
    let (id, request) = client.begin(
        "subscriptions/listen",
        json!({ "notifications": { "toolsListChanged": true, "taskIds": [task] } }),
    );
    let mut stream = Events::new(request.send().await.expect("a stream"));
    let acknowledged = stream.next_of("notifications/subscriptions/acknowledged").await;
    assert_eq!(acknowledged["params"]["notifications"]["toolsListChanged"], true);
    change(&place, &server);
    let hears = async || {
        let changed = stream.next_of("notifications/tools/list_changed").await;
        assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    };
    until_listed(&["other"], hears, async || client.result("tools/list", json!({})).await).await;
    let asked = client.until(&task, "input_required").await;
    assert!(asked["inputRequests"].get("q1").is_some(), "the task is still there: {asked}");
}

/// A server without workers, and a worker of its store in a process of its own.
fn apart(place: &Place) -> (Background, Background) {
    let file = place.file("mcptask.toml", BEFORE);
    let worker = place.background(&["worker", "--json", "--config", &file]);
    (place.serve(&["--workers", "0"]), worker)
}

async fn both_eras_hear_of_a_worker_elsewhere(place: &Place) {
    let (server, worker) = apart(place);
    let (legacy, modern) =
        (Legacy::at(server.url(), json!({ "elicitation": {} }), None).await, Modern::at(server.url()));
    let mut stream = legacy.listen(None).await;
    let task = legacy.launch("asks", json!({})).await;
    let question = stream.next_of("elicitation/create").await;
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    let (_, request) = modern.begin("subscriptions/listen", filter);
    let mut listening = Events::new(request.send().await.expect("a stream"));
    listening.next_of("notifications/subscriptions/acknowledged").await;
    // The same file again is no change, so the next message is about the other file.
    worker.signal("HUP");
    change(place, &worker);
    let hears = async || {
        let message = listening.next().await.expect("a message");
        assert_eq!(message["method"], "notifications/tools/list_changed");
    };
    until_listed(&["other"], hears, async || modern.result("tools/list", json!({})).await).await;
    stream.next_of("notifications/tools/list_changed").await;
    legacy.answer(&question, json!({ "action": "accept", "content": {} })).await;
    assert_eq!(legacy.text(&task).await, "went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_hear_of_the_changed_tools_of_another_process_on_sqlite() {
    both_eras_hear_of_a_worker_elsewhere(&Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_hear_of_the_changed_tools_of_another_process_on_redis() {
    let redis = RedisServer::start();
    both_eras_hear_of_a_worker_elsewhere(&Place::on_redis(&redis.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_brings_new_tools_is_heard_of_and_one_that_leaves_is_not() {
    let place = Place::new();
    let (server, worker) = apart(&place);
    let client = Legacy::at(server.url(), json!({}), None).await;
    let mut stream = client.listen(None).await;
    let other = place.file("other.toml", AFTER);
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let _second = place.background(&["worker", "--json", "--config", &other]);
    let heard = stream.next().await.expect("a message");
    assert_eq!(heard["method"], "notifications/tools/list_changed");
    let listed = client.result("tools/list", json!({})).await;
    assert_eq!(names(&listed), ["asks", "other"], "a tool whose worker is away stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_tool_is_gone_when_its_worker_starts_again_ends_in_a_clear_error() {
    let place = Place::new();
    let server = serve(&place);
    let (client, url) = (Modern::at(server.url()), server.url().to_owned());
    let task = client.launch("asks", json!({})).await;
    client.until(&task, "input_required").await;
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    let file = place.file("mcptask.toml", AFTER);
    let again = place.serve(&["--config", &file]);
    assert_ne!(url, again.url());
    let client = Modern::at(again.url());
    let failed = client.until(&task, "failed").await;
    let message = failed["error"]["message"].as_str().expect("a message");
    assert!(message.contains("taken out of the configuration"), "{failed}");
    assert_eq!(names(&client.result("tools/list", json!({})).await), ["other"]);
    place.until(&task, "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_tool_a_worker_of_another_file_has_waits_for_that_worker() {
    let place = Place::new();
    let (_server, worker) = apart(&place);
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let task = place.ok(&["submit", "asks"]);
    let other = place.file("other.toml", AFTER);
    let _second = place.background(&["worker", "--json", "--config", &other]);
    let status = || place.json(&["show", &task])[0]["status"].clone();
    assert_eq!(status(), "working", "the second worker's file never had the tool");
    let file = place.file("mcptask.toml", BEFORE);
    let _first = place.background(&["worker", "--json", "--config", &file]);
    place.until(&task, "asked");
}
