//! Who is let in, how often, and for how long.

use std::num::NonZeroU32;
use std::time::Duration;

use mcptask::server::Tokens;
use reqwest::Method;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::http::{Events, Legacy, Modern, client};
use crate::support::{Server, soon};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(token, name)| ((*token).to_owned(), (*name).to_owned())).collect()
}

fn ping() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string()
}

async fn listening(client: &Modern, task: &str) -> Events {
    let params = json!({ "notifications": { "taskIds": [task] } });
    let (_, request) = client.begin("subscriptions/listen", params);
    let mut events = Events::new(request.send().await.expect("a stream"));
    events.next_of("notifications/subscriptions/acknowledged").await;
    events
}

/// Reads a stream to its end.
async fn ends(mut events: Events) {
    soon("the stream ends", async { while events.next().await.is_some() {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_token_ends_its_streams_and_its_calls_and_no_others() {
    let tokens = Tokens::new(&pairs(&[("one", "anna"), ("two", "ben"), ("three", "anna")]));
    let server = Server::with(|config| config.tokens = tokens.clone()).await;
    let anna = Legacy::with(&server, json!({}), Some("one")).await;
    let ben = Legacy::with(&server, json!({}), Some("two")).await;
    let task = anna.launch("ask_name", json!({})).await;
    let modern = Modern::with_token(&server, "one");
    let mut gone = vec![anna.listen(None).await, listening(&modern, &task).await];
    let (_, call) = anna.begin("tasks/result", json!({ "taskId": task })).await;
    gone.push(call);
    let (_, waiting) = modern.begin("tools/call", json!({ "name": "greet", "arguments": {} }));
    assert_eq!(waiting.send().await.expect("a response").status(), 200);
    let mut kept = ben.listen(None).await;
    tokens.replace(&pairs(&[("two", "ben"), ("three", "anna")]));
    for stream in gone {
        ends(stream).await;
    }
    assert_eq!(anna.send(Method::POST).body(ping()).send().await.expect("a response").status(), 401);
    ben.launch("steps", json!({})).await;
    kept.next_of("notifications/tasks/status").await;
    let again = Modern::with_token(&server, "three").get(&task).await;
    assert_eq!(again["taskId"], task, "the scope's other token still opens it");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reads_the_tokens_again_and_a_broken_file_changes_nothing() {
    let place = Place::new();
    let file = place.file("tokens", "anna first-token\nben second-token\n");
    let server = place.serve(&["--token-file", &file]);
    let status = async |token: &str| {
        let request = client().get(server.url()).header("authorization", format!("Bearer {token}"));
        let request = request.header("accept", "text/event-stream").header("mcp-session-id", "none");
        request.send().await.expect("a response").status().as_u16()
    };
    assert_eq!((status("first-token").await, status("third-token").await), (404, 401));
    place.file("tokens", "anna first-token and more\n");
    server.signal("HUP");
    let said = place.heard("line 1 of");
    assert!(said.contains("is not a name and a token") && !said.contains("first-token"), "{said}");
    assert_eq!((status("first-token").await, status("second-token").await), (404, 404));
    place.file("tokens", "# ben left\nanna first-token\nanna third-token\n");
    server.signal("HUP");
    soon("ben's token stops working", async {
        while status("second-token").await != 401 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!((status("first-token").await, status("third-token").await), (404, 404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_asks_too_often_is_told_when_to_come_again_and_others_are_served() {
    let server = Server::with(|config| {
        config.tokens = Tokens::new(&pairs(&[("one", "anna"), ("two", "ben")]));
        config.rate_limit = NonZeroU32::new(4);
    })
    .await;
    let ask = async |token: &str| {
        let request = client().post(server.url()).header("authorization", format!("Bearer {token}"));
        request.header("content-type", "application/json").body("{}").send().await.expect("a response")
    };
    let refused = soon("the limit is reached", async {
        loop {
            let response = ask("one").await;
            if response.status() == 429 {
                return response;
            }
        }
    })
    .await;
    let again: u64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    let error: Value = serde_json::from_str(&refused.text().await.expect("a body")).expect("JSON");
    assert_eq!((&error["jsonrpc"], &error["error"]["code"]), (&json!("2.0"), &json!(-32000)), "{error}");
    assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("4 requests")), "{error}");
    assert_ne!(ask("two").await.status(), 429, "another scope");
    tokio::time::sleep(Duration::from_secs(again)).await;
    assert_ne!(ask("one").await.status(), 429, "after the time that was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_one_scope_have_a_limit_and_one_that_ends_makes_place() {
    let server = Server::with(|config| config.max_requests = 3).await;
    // Opened one after another, more than may be open at once.
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(Legacy::open(&server).await);
    }
    let mut streams = Vec::new();
    for session in &sessions[..3] {
        streams.push(session.listen(None).await);
    }
    let refused = sessions[3].send(Method::GET).send().await.expect("a response");
    assert_eq!(refused.status(), 429);
    streams.pop();
    soon("there is place again", async {
        while sessions[3].send(Method::GET).send().await.expect("a response").status() != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_counts_as_long_as_it_is_worked_on_even_without_its_client() {
    let server = Server::with(|config| config.max_requests = 3).await;
    let session = Legacy::open(&server).await;
    let task = session.launch("ask_name", json!({})).await;
    for _ in 0..2 {
        drop(session.begin("tasks/result", json!({ "taskId": task })).await);
    }
    let _third = session.listen(None).await;
    let refused = session.send(Method::POST).body(ping()).send().await.expect("a response");
    assert_eq!(refused.status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_one_scope_have_a_limit_and_one_that_ends_makes_place() {
    let server = Server::with(|config| config.max_sessions = 2).await;
    let begin = async || {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let request = client().post(server.url()).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        request.body(body.to_string()).send().await.expect("a response").status()
    };
    let first = Legacy::open(&server).await;
    assert_eq!(begin().await, 200);
    assert_eq!(begin().await, 429);
    assert_eq!(first.send(Method::DELETE).send().await.expect("a response").status(), 204);
    assert_eq!(begin().await, 200);
    assert_eq!(begin().await, 429);
}
