//! `serve --rules`: what a rule is about is decided before any client is shown it, in both eras.

use serde_json::json;

use crate::place::{Background, Place};
use crate::support::http::{Legacy, Modern};
use crate::support::redis::RedisServer;
use crate::support::soon;

const TOOLS: &str = r#"[tools.order]
description = "Orders."
input = { amount = "integer" }
steps = [
  { ask = "Approve the amount?", form = { ok = "boolean" }, as = "approval" },
  { return = "{{ approval.action }}" },
]
"#;

const RULES: &str = r#"[[rule]]
name = "small"
when = "args.amount < 100"
accept = { ok = true }
"#;

fn serve(place: &Place) -> Background {
    let (tools, rules) = (place.file("tools.toml", TOOLS), place.file("rules.toml", RULES));
    place.serve(&["--config", &tools, "--rules", &rules])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_client_is_not_asked_what_a_rule_decides() {
    let place = Place::new();
    let server = serve(&place);
    let client = Legacy::at(server.url(), json!({ "elicitation": {} }), None).await;
    let mut stream = client.listen(None).await;
    let task = client.launch("order", json!({ "amount": 5 })).await;
    assert_eq!(client.text(&task).await, "accept");
    let last = soon("the end is told", async {
        loop {
            let message = stream.next().await.expect("a message");
            assert_ne!(message["method"], "elicitation/create", "{message}");
            assert_ne!(message["params"]["status"], "input_required", "{message}");
            if message["params"]["status"] == "completed" {
                return message;
            }
        }
    });
    assert_eq!(last.await["params"]["taskId"], task.as_str());
    let answer = &place.json(&["show", &task])[0]["questions"][0]["answer"];
    assert_eq!(answer["who"], json!({ "name": "small", "known": "rule" }));
    let left = client.launch("order", json!({ "amount": 500 })).await;
    let question = stream.next_of("elicitation/create").await;
    client.answer(&question, json!({ "action": "decline" })).await;
    assert_eq!(client.text(&left).await, "decline");
    let called = client.result("tools/call", json!({ "name": "order", "arguments": { "amount": 6 } })).await;
    assert_eq!(called["content"][0]["text"], "accept", "{called}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_decides_what_a_legacy_client_could_not_be_asked() {
    let place = Place::new();
    let server = serve(&place);
    let client = Legacy::at(server.url(), json!({}), None).await;
    let task = client.launch("order", json!({ "amount": 5 })).await;
    assert_eq!(client.text(&task).await, "accept");
    let task = client.launch("order", json!({ "amount": 500 })).await;
    assert_eq!(client.text(&task).await, "cancel");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_client_is_not_shown_what_a_rule_decides() {
    let place = Place::new();
    let server = serve(&place);
    let mut mute = Modern::at(server.url());
    mute.elicits = false;
    for client in [Modern::at(server.url()), mute] {
        let task = client.launch("order", json!({ "amount": 5 })).await;
        let ended = soon("the task ends", async {
            loop {
                let found = client.get(&task).await;
                assert_ne!(found["status"], "input_required", "{found}");
                if found["status"] == "completed" {
                    return found;
                }
            }
        });
        assert_eq!(ended.await["result"]["content"][0]["text"], "accept");
    }
    let client = Modern::at(server.url());
    let left = client.launch("order", json!({ "amount": 500 })).await;
    let asked = client.until(&left, "input_required").await;
    assert_eq!(asked["inputRequests"].as_object().map(serde_json::Map::len), Some(1));
    for _ in 0..5 {
        client.get(&left).await;
    }
    assert_eq!(
        place.heard(&left).matches("left to people").count(),
        1,
        "it is said once, however often it is looked at"
    );
    let mut waiting = Modern::at(server.url());
    waiting.declares = false;
    let called = waiting.result("tools/call", json!({ "name": "order", "arguments": { "amount": 6 } })).await;
    assert_eq!(called["content"][0]["text"], "accept", "{called}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reads_the_rules_again_and_a_broken_file_changes_nothing() {
    let place = Place::new();
    let server = serve(&place);
    let client = Modern::at(server.url());
    let left = client.launch("order", json!({ "amount": 500 })).await;
    client.until(&left, "input_required").await;
    place.file("rules.toml", "[[rule]]\nname = \"broken\"\n");
    server.signal("HUP");
    place.heard("does nothing");
    let task = client.launch("order", json!({ "amount": 5 })).await;
    client.until(&task, "completed").await;
    place.file("rules.toml", "[[rule]]\nname = \"all\"\ndecline = true\n");
    server.signal("HUP");
    let ended = client.until(&left, "completed").await;
    assert_eq!(ended["result"]["content"][0]["text"], "decline", "what waited is decided on again");
}

#[test]
fn what_waits_when_a_server_starts_and_what_nobody_looks_at_is_decided_in_a_file() {
    decides_unasked(&Place::new());
}

#[test]
fn what_waits_when_a_server_starts_and_what_nobody_looks_at_is_decided_in_redis() {
    let redis = RedisServer::start();
    decides_unasked(&Place::on_redis(&redis.url()));
}

fn decides_unasked(place: &Place) {
    let tools = place.file("tools.toml", TOOLS);
    let worker = place.background(&["worker", "--json", "--config", &tools]);
    let waiting = place.ok(&["submit", "order", "--arg", "amount=5"]);
    place.until(&waiting, "asked");
    let rules = place.file("rules.toml", RULES);
    let _server = place.serve(&["--concurrency", "0", "--rules", &rules]);
    place.until(&waiting, "end");
    let later = place.ok(&["submit", "order", "--arg", "amount=6"]);
    place.until(&later, "end");
    let said = place.heard(&later);
    assert_eq!(said.matches("a rule answered a question").count(), 2, "each decision is said once: {said}");
    assert!(said.contains("\"rule\":\"small\""), "{said}");
    drop(worker);
}
