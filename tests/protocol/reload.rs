//! What clients hear and see when SIGHUP makes `serve` read its file again.

use serde_json::{Value, json};

use crate::place::{Background, Place};
use crate::support::http::{Events, Legacy, Modern};

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
    stream.next_of("notifications/tools/list_changed").await;
    assert_eq!(names(&client.result("tools/list", json!({})).await), ["other"]);
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
    let changed = stream.next_of("notifications/tools/list_changed").await;
    assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    assert_eq!(names(&client.result("tools/list", json!({})).await), ["other"]);
    let asked = client.until(&task, "input_required").await;
    assert!(asked["inputRequests"].get("q1").is_some(), "the task is still there: {asked}");
}
