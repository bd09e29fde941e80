//! A server is killed while a client's question is open, and started again on the same port.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::protocol::http::Legacy;
use crate::protocol::redis::free_port;
use crate::protocol::soon;
use crate::stage::{CUISINE, Stage, VEGETARIAN, Views as _};

on_both_engines!(
    an_operator_answers_what_a_dead_server_was_asking,
    a_client_that_comes_back_is_asked_once,
    a_server_killed_with_the_answer_on_its_way_asks_again_or_goes_on,
);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn client(port: u16, token: Option<&str>) -> Legacy {
    let url = format!("http://127.0.0.1:{port}/mcp");
    soon("the session opens", Legacy::at(&url, json!({ "elicitation": {} }), token)).await
}

fn accept(content: &Value) -> Value {
    json!({ "action": "accept", "content": content })
}

fn an_operator_answers_what_a_dead_server_was_asking(stage: &Stage) {
    let port = free_port();
    let server = stage.serve_on(port, &[]);
    let task = runtime().block_on(async {
        let client = client(port, None).await;
        let mut events = client.listen(None).await;
        let task = client.launch("plan_dinner", json!({})).await;
        events.next_of("elicitation/create").await;
        server.kill();
        task
    });
    assert_eq!(stage.asked(&task), [CUISINE]);
    let _server = stage.serve_on(port, &[]);
    assert_eq!(stage.json(&["list", "--status", "input_required"]).len(), 1, "the question is still there");
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

fn a_client_that_comes_back_is_asked_once(stage: &Stage) {
    let port = free_port();
    let tokens = stage.file("tokens", "ada 0123456789abcdef0123456789abcdef\n");
    let arguments = ["--workers", "0", "--token-file", &tokens];
    let token = Some("0123456789abcdef0123456789abcdef");
    let _worker = stage.worker();
    let server = stage.serve_on(port, &arguments);
    let task = runtime().block_on(async {
        let client = client(port, token).await;
        let mut events = client.listen(None).await;
        let task = client.launch("plan_dinner", json!({})).await;
        events.next_of("elicitation/create").await;
        server.kill();
        task
    });
    let _server = stage.serve_on(port, &arguments);
    let (asked, result) = runtime().block_on(async {
        let client = client(port, token).await;
        soon("the task ends", answer_until_result(&client, &task)).await
    });
    assert_eq!(asked, [CUISINE, VEGETARIAN], "each was asked once");
    assert_eq!(result["structuredContent"]["cuisine"], "Thai", "{result}");
    stage.menu(&task);
}

/// Asks for a task's result, and answers what comes before it.
async fn answer_until_result(client: &Legacy, task: &str) -> (Vec<String>, Value) {
    let (id, mut events) = client.begin("tasks/result", json!({ "taskId": task })).await;
    let mut asked = Vec::new();
    loop {
        let mut message = events.next().await.expect("a response");
        if message["id"] == id && message.get("method").is_none() {
            return (asked, message["result"].take());
        }
        if message["method"] == "elicitation/create" {
            let question = message["params"]["message"].as_str().expect("a message").to_owned();
            let content = if question == CUISINE {
                json!({ "cuisine": "Thai" })
            } else {
                json!({ "vegetarian": true })
            };
            asked.push(question);
            client.answer(&message, accept(&content)).await;
        }
    }
}

/// Whether the answer was stored before the kill is chance; either way nothing is lost and nothing happens twice.
fn a_server_killed_with_the_answer_on_its_way_asks_again_or_goes_on(stage: &Stage) {
    let port = free_port();
    let _worker = stage.worker();
    let server = stage.serve_on(port, &["--workers", "0"]);
    let task = runtime().block_on(async {
        let client = client(port, None).await;
        let mut events = client.listen(None).await;
        let task = client.launch("plan_dinner", json!({})).await;
        let asked = events.next_of("elicitation/create").await;
        client.answer(&asked, accept(&json!({ "cuisine": "Thai" }))).await;
        server.kill();
        task
    });
    let _server = stage.serve_on(port, &["--workers", "0"]);
    if stage.run(&["respond", &task, "--question", "q1", "--accept", "--set", "cuisine=Thai"]).code != 0 {
        let answered = stage.events(&task).into_iter().filter(|event| event["event"] == "answered");
        assert_eq!(answered.map(|event| event["by"].clone()).collect::<Vec<_>>(), [json!("client")]);
    }
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}
