//! What HTTP adds: hosts, origins, sizes, tokens, sessions and headers.

use std::time::{Duration, Instant};

use mcptask::server::{ServeConfig, Tokens};
use mcptask::store::TaskFilter;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::http::{LEGACY, Legacy, Modern, client};
use crate::support::{Server, soon};

fn tokens(config: &mut ServeConfig) {
    config.tokens = Tokens::new(&[("one".into(), "anna".into()), ("two".into(), "ben".into())]);
}

fn ping() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told() {
    let server = Server::start().await;
    let health = client().get(server.url().replace("/mcp", "/health")).send().await.expect("a response");
    assert_eq!(health.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_hosts_and_origins_are_refused() {
    let server =
        Server::with(|config| config.allowed_origins = vec!["https://good.example:443".into()]).await;
    let session = Legacy::open(&server).await;
    let send = |header: &'static str, value: &'static str| {
        session.send(Method::POST).header(header, value).body(ping()).send()
    };
    assert_eq!(send("host", "evil.example").await.expect("a response").status(), 403);
    assert_eq!(send("origin", "https://evil.example").await.expect("a response").status(), 403);
    assert_eq!(send("origin", "https://good.example").await.expect("a response").status(), 200);
    assert_eq!(session.send(Method::POST).body(ping()).send().await.expect("a response").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_servers_own_origin_is_accepted_where_none_is_named() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let own = format!("http://127.0.0.1:{}", server.address.port());
    for (origin, status) in [(own.as_str(), 200), ("http://localhost:1", 403), ("null", 403)] {
        let request = session.send(Method::POST).header("origin", origin).body(ping());
        assert_eq!(request.send().await.expect("a response").status(), status, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_have_is_not_found() {
    let server = Server::start().await;
    let (legacy, modern) = (Legacy::open(&server).await, Modern::new(&server));
    for method in ["prompts/list", "resources/list", "resources/templates/list", "nothing/at/all"] {
        assert_eq!(legacy.error(method, json!({})).await["code"], -32601, "{method}");
        assert_eq!(modern.error(method, json!({})).await["code"], -32601, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_is_refused() {
    let server = Server::with(|config| config.max_body_bytes = 10_000).await;
    let session = Legacy::open(&server).await;
    let name = "x".repeat(10_000);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name } });
    let response = session.send(Method::POST).body(body.to_string()).send().await.expect("a response");
    assert_eq!(response.status(), 413);
}

/// A body of many small values takes a hundred times its bytes when it is read; it is refused before.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_too_many_values_is_refused() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let many = vec!["1"; 300_000].join(",");
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{{"a":[{many}]}}}}}}"#
    );
    let response = session.send(Method::POST).body(body).send().await.expect("a response");
    assert_eq!(response.status(), 400);
    let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
    assert_eq!(error["error"]["code"], -32600, "{error}");
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|words| words.contains("JSON values, more than 250000")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_one_json_message_is_a_json_rpc_error() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    for (body, code) in [("{", -32700), ("[]", -32600), ("5", -32600)] {
        let response = session.send(Method::POST).body(body).send().await.expect("a response");
        assert_eq!(response.status(), 400, "{body}");
        let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
        assert_eq!(error["error"]["code"], code, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_arrive_as_it_was_sent_is_refused_by_name() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    for (arguments, words) in [
        ("{\"ms\": 123456789012345678901234567890}", "123456789012345678901234567890 would be rounded"),
        ("{\"ms\": 1, \"ms\": 2}", "\"params.arguments.ms\" is there twice"),
    ] {
        let params = format!("{{\"name\": \"work\", \"arguments\": {arguments}}}");
        let body =
            format!("{{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"tools/call\", \"params\": {params}}}");
        let response = session.send(Method::POST).body(body).send().await.expect("a response");
        let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(7), &json!(-32602)), "{error}");
        assert!(error["error"]["message"].as_str().is_some_and(|said| said.contains(words)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_names_are_refused_on_the_wire() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    for method in ["mcptask-private/legacy/tools/list", "mcptask-private/modern/tasks/get"] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} });
        let response = session.send(Method::POST).body(body.to_string()).send().await.expect("a response");
        let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
        assert_eq!(error["error"]["code"], -32601, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_nothing_is_answered() {
    let server = Server::with(tokens).await;
    for token in [None, Some("Bearer three"), Some("Basic one")] {
        let mut request = client().post(server.url()).header("content-type", "application/json").body(ping());
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let response = request.send().await.expect("a response");
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_principals_task_is_not_found_in_both_eras() {
    let server = Server::with(tokens).await;
    let anna = Legacy::with(&server, json!({ "elicitation": {} }), Some("one")).await;
    let ben = Legacy::with(&server, json!({}), Some("two")).await;
    let task = anna.launch("ask_name", json!({})).await;
    let (mine, theirs) = (Modern::with_token(&server, "one"), Modern::with_token(&server, "two"));
    mine.until(&task, "input_required").await;
    let never = json!({ "taskId": "0123456789abcdefghjkmnpqrs" });
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let mut error = ben.error(method, json!({ "taskId": task })).await;
        let unknown = ben.error(method, never.clone()).await;
        let words = error["message"].as_str().expect("text").replace(&task, "0123456789abcdefghjkmnpqrs");
        error["message"] = json!(words);
        assert_eq!(error, unknown, "{method}: the same error as for a task that never was");
    }
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": task, "inputResponses": { "q1": { "action": "decline" } } });
        assert_eq!(theirs.error(method, params).await["code"], -32602, "{method}");
    }
    assert_eq!(ben.result("tasks/list", json!({})).await["tasks"], json!([]));
    assert_eq!(mine.get(&task).await["status"], "input_required", "nothing was changed");
    let again = Legacy::with(&server, json!({}), Some("one")).await;
    let listed = again.result("tasks/list", json!({})).await;
    assert_eq!(listed["tasks"][0]["taskId"], task, "a principal sees its tasks from any session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_belongs_to_its_principal() {
    let server = Server::with(tokens).await;
    let anna = Legacy::with(&server, json!({}), Some("one")).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = client()
            .request(method.clone(), server.url())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-session-id", &anna.session)
            .header("authorization", "Bearer two")
            .body(ping());
        assert_eq!(request.send().await.expect("a response").status(), 404, "{method}");
    }
    assert_eq!(anna.request("ping", json!({})).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_session_is_not_found() {
    let server = Server::start().await;
    let mut client = Legacy::open(&server).await;
    assert_eq!(client.send(Method::DELETE).send().await.expect("a response").status(), 204);
    for method in [Method::DELETE, Method::GET, Method::POST] {
        let response = client.send(method.clone()).body(ping()).send().await.expect("a response");
        assert_eq!(response.status(), 404, "{method}");
    }
    client.session = String::new();
    let response = client.send(Method::POST).body(ping()).send().await.expect("a response");
    assert_eq!(response.status(), 400, "no session at all");
}

/// 2025-11-25, basic/transports: a request without the session id that it needs is a bad request.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_outside_a_session_is_a_bad_request() {
    let server = Server::start().await;
    let mut client = Legacy::open(&server).await;
    client.session = String::new();
    for method in ["tools/list", "tools/call", "tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
        let params = json!({ "name": "greet", "arguments": {}, "taskId": "t" });
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string();
        let response = client.send(Method::POST).body(body).send().await.expect("a response");
        assert_eq!(response.status(), 400, "{method}");
        let refusal: Value = response.json().await.expect("JSON");
        assert_eq!(
            (&refusal["id"], &refusal["error"]["code"]),
            (&json!(7), &json!(-32600)),
            "{method}: {refusal}"
        );
        let said = refusal["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("belongs to no session"), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_ends_and_one_with_a_stream_does_not() {
    let server = Server::with(|config| config.session_idle = Duration::from_secs(2)).await;
    let (silent, listening) = (Legacy::open(&server).await, Legacy::open(&server).await);
    let _events = listening.listen(None).await;
    soon("the session ends", async {
        loop {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            let response = silent.send(Method::POST).body(ping()).send().await.expect("a response");
            if response.status() == 404 {
                return;
            }
        }
    })
    .await;
    assert_eq!(listening.request("ping", json!({})).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_header_may_be_left_out_of_task_requests_but_must_not_lie() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    let mut nameless = client.clone();
    nameless.names = false;
    assert_eq!(nameless.get(&task).await["taskId"], task);
    let (_, request) = nameless.begin("tasks/get", json!({ "taskId": task }));
    let lying = request.header("mcp-name", "another").send().await.expect("a response");
    assert_eq!(lying.status(), 400);
    let error: Value = serde_json::from_str(&lying.text().await.expect("a body")).expect("JSON");
    assert_eq!(error["error"]["code"], -32020, "{error}");
    let missing = nameless.error("tools/call", json!({ "name": "greet", "arguments": {} })).await;
    assert_eq!(missing["code"], -32020, "a tool's name is demanded: {missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_header_that_differs_from_the_body_is_refused() {
    let server = Server::start().await;
    let (_, request) = Modern::new(&server).begin("tasks/get", json!({ "taskId": "x" }));
    let mut request = request.build().expect("a request");
    request.headers_mut().insert("mcp-method", "tasks/cancel".parse().expect("a value"));
    let response = client().execute(request).await.expect("a response");
    assert_eq!(response.status(), 400);
    let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
    assert_eq!(error["error"]["code"], -32020, "{error}");
    assert!(!error.to_string().contains("private"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_is_refused() {
    let server = Server::start().await;
    let (_, request) = Modern::new(&server).begin("tools/list", json!({}));
    let mut request = request.build().expect("a request");
    request.headers_mut().insert("mcp-protocol-version", "1999-01-01".parse().expect("a value"));
    assert_eq!(client().execute(request).await.expect("a response").status(), 400);
    let session = Legacy::open(&server).await;
    assert_eq!(session.initialized["protocolVersion"], LEGACY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_call_stream_is_taken_up_again() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let (id, mut events) = client.begin("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    let asked = events.next_of("elicitation/create").await;
    let last = events.last_id.clone().expect("events have ids");
    drop(events);
    client.answer(&asked, json!({ "action": "accept", "content": { "name": "Ada" } })).await;
    let mut events = client.listen(Some(&last)).await;
    let response = events.next().await.expect("a response");
    assert_eq!(
        (&response["id"], &response["result"]["content"][0]["text"]),
        (&json!(id), &json!("accept \"Ada\""))
    );
    assert!(events.next().await.is_none(), "the stream ends with the response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_was_sent_and_lost_is_sent_again() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let (id, mut events) =
        client.begin("tools/call", json!({ "name": "greet", "arguments": { "name": "Ada" } })).await;
    let sent = events.next().await.expect("a response");
    assert!(events.next().await.is_none(), "the stream ends with the response");
    // The stream's first event, which has no message, is all that a client saw whose connection broke off.
    let last = events.last_id.expect("events have ids");
    let (stream, _) = last.split_once('-').expect("a stream and a place");
    // What else the client does meanwhile does not matter.
    client.result("tools/list", json!({})).await;
    let again = client.listen(Some(&format!("{stream}-0"))).await.next().await.expect("the response");
    assert_eq!((&again, &again["id"]), (&sent, &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_lets_calls_finish() {
    let mut server = Server::start().await;
    let session = Legacy::open(&server).await;
    let (id, mut events) =
        session.begin("tools/call", json!({ "name": "work", "arguments": { "ms": 400 } })).await;
    server.stop.cancel();
    let response = events.next().await.expect("a response");
    assert_eq!((&response["id"], &response["result"]["content"][0]["text"]), (&json!(id), &json!("worked")));
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
    assert!(client().post(server.url()).body(ping()).send().await.is_err(), "nobody listens any more");
}

/// What a call that ends with its server is told.
fn assert_stopped(response: &Value, id: i64) {
    assert_eq!((&response["id"], &response["error"]["code"]), (&json!(id), &json!(-32603)), "{response}");
    let message = response["error"]["message"].as_str().expect("words");
    assert!(message.contains("the server is stopping"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_tells_calls_that_do_not_finish_so_in_both_eras() {
    let mut server = Server::start().await;
    let (session, mut undeclared) = (Legacy::open(&server).await, Modern::new(&server));
    undeclared.declares = false;
    let call = json!({ "name": "work", "arguments": { "ms": 600_000 } });
    let (id, mut events) = session.begin("tools/call", call.clone()).await;
    let (modern_id, request) = undeclared.begin("tools/call", call);
    let called = tokio::spawn(request.send());
    let calls = TaskFilter { hidden: true, ..TaskFilter::default() };
    soon("both run", async {
        while server.engine.store().list(&calls, None, 10).await.expect("a list").tasks.len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    server.stop.cancel();
    let response = soon("the call's response", called).await.expect("no panic").expect("a response");
    assert_eq!(response.status(), 200);
    assert_stopped(&response.json().await.expect("JSON"), modern_id);
    assert_stopped(&events.next().await.expect("a response before the stream ends"), id);
    assert!(events.next().await.is_none());
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_does_not_wait_for_a_person_who_was_asked_by_a_call() {
    let mut server = Server::start().await;
    let session = Legacy::open(&server).await;
    let (id, mut events) = session.begin("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    events.next_of("elicitation/create").await;
    let begun = Instant::now();
    server.stop.cancel();
    let response = loop {
        let message = events.next().await.expect("a response before the stream ends");
        if message.get("method").is_none() {
            break message;
        }
    };
    assert_stopped(&response, id);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let task = server.first_task().await;
    assert_eq!(server.task(&task).await.status.as_str(), "cancelled");
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_last_event_id_is_none() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let mut events = session.listen(Some("")).await;
    session.launch("ask_name", json!({})).await;
    events.next_of("elicitation/create").await;
}
