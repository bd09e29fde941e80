//! The end of a connection over lines, whoever ends it, and what is told then.

use mcptask::task::Answerer;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::stdio::{Pipe, modern};
use crate::support::soon;

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_input_ends_the_server_and_its_questions() {
    let mut pipe = Pipe::initialized().await;
    let created = pipe.request(1, "tools/call", json!({ "name": "ask_name", "task": {} })).await;
    pipe.next_of("elicitation/create").await;
    let wait = json!({ "taskId": created["result"]["task"]["taskId"] });
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tasks/result", "params": wait })).await;
    pipe.input.shutdown().await.expect("closed");
    soon("the server ends", &mut pipe.served).await.expect("no panic").expect("a clean end");
    let id = created["result"]["task"]["taskId"].as_str().expect("an id").parse().expect("an id");
    let task = soon(
        "the task ends",
        pipe.engine.wait(&mcptask::engine::Viewer::Operator, &id, |task| task.status.is_final()),
    )
    .await
    .expect("the task");
    let answer = task.questions[0].answer.as_ref().expect("an answer");
    assert_eq!(answer.by, Answerer::Policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_at_all_is_a_clean_end() {
    let mut pipe = Pipe::open().await;
    pipe.input.shutdown().await.expect("closed");
    soon("the server ends", &mut pipe.served).await.expect("no panic").expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_needs_no_end() {
    let mut pipe = Pipe::open().await;
    let request =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": modern(json!({})) });
    pipe.input.write_all(request.to_string().as_bytes()).await.expect("written");
    pipe.input.shutdown().await.expect("closed");
    let found = pipe.next().await;
    assert!(found["id"] == 1 && found["result"]["capabilities"].is_object(), "{found}");
    soon("the server ends", &mut pipe.served).await.expect("no panic").expect("a clean end");
}

/// Begins some subscriptions; asserts after `end` that each has its final result, and soon.
async fn subscriptions_end(end: impl AsyncFnOnce(&mut Pipe)) {
    let mut pipe = Pipe::open().await;
    let created = pipe.request(1, "tools/call", modern(json!({ "name": "ask_name" }))).await;
    let task = created["result"]["taskId"].clone();
    for id in 10..20 {
        let filter = modern(json!({ "notifications": { "taskIds": [task], "toolsListChanged": true } }));
        let listen =
            json!({ "jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": filter });
        pipe.send(&listen).await;
        pipe.next_of("notifications/subscriptions/acknowledged").await;
    }
    let begun = std::time::Instant::now();
    end(&mut pipe).await;
    let mut ended = Vec::new();
    while ended.len() < 10 {
        let message = pipe.next().await;
        if let Some(id) = message.get("id") {
            assert_eq!(message["result"]["resultType"], "complete", "{message}");
            ended.push(id.as_i64().expect("a number"));
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, (10..20).collect::<Vec<_>>());
    soon("the server ends", &mut pipe.served).await.expect("no panic").expect("a clean end");
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(4),
        "nothing was waited out: {:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_ends_every_subscription_over_lines() {
    subscriptions_end(async |pipe| pipe.background.cancel()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_end_when_the_client_closes_its_end() {
    subscriptions_end(async |pipe| pipe.input.shutdown().await.expect("closed")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_tells_calls_over_lines_so_in_both_eras() {
    let mut pipe = Pipe::initialized().await;
    let call = json!({ "name": "work", "arguments": { "ms": 600_000 } });
    let (asking, finishing) =
        (json!({ "name": "ask_name" }), json!({ "name": "work", "arguments": { "ms": 400 } }));
    let mut long = modern(call.clone());
    long["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    for (id, params) in [(1, call), (2, long), (3, finishing), (4, asking)] {
        pipe.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })).await;
    }
    pipe.next_of("elicitation/create").await;
    pipe.stop.cancel();
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 4 {
        let message = pipe.next().await;
        if message.get("method").is_none() {
            told.insert(message["id"].as_i64().expect("a number"), message);
        }
    }
    assert_eq!(told[&3]["result"]["content"][0]["text"], "worked", "{told:?}");
    for id in [1, 2, 4] {
        assert_eq!(told[&id]["error"]["code"], -32603, "{told:?}");
        assert!(told[&id].to_string().contains("the server is stopping"), "{told:?}");
    }
    soon("the server ends", &mut pipe.served).await.expect("no panic").expect("a clean end");
}
