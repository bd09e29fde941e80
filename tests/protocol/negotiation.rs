//! What is read of a request before its method is looked at: path, host, media types, the shape of a message, the headers
//! that repeat it.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http::{LEGACY, Legacy, Modern, client};
use crate::support::{Server, soon};
use mcptask::server::Tokens;

fn hello() -> String {
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string()
}

/// The status and the body of a POST with just these lines of headers besides its length.
async fn raw(server: &Server, path: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).await.expect("connects");
    let headers = headers.join("\r\n");
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut response = String::new();
    soon("the response ends", stream.read_to_string(&mut response)).await.expect("read");
    let status = response.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, response.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

const HOST: &str = "Host: localhost";
const SENT: &str = "Content-Type: application/json";
const TAKEN: &str = "Accept: application/json, text/event-stream";

#[tokio::test(flavor = "multi_thread")]
async fn media_types_are_read_as_ranges_and_in_any_letters() {
    let server = Server::start().await;
    for accept in [
        "Accept: */*",
        "Accept: application/*, text/*",
        "Accept: application/*",
        "Accept: APPLICATION/JSON, Text/Event-Stream;q=0.5",
        "Accept: application/json",
        "X-Nothing: said",
    ] {
        let (status, body) = raw(&server, "/mcp", &[HOST, SENT, accept], &hello()).await;
        assert!(status == 200 && body.contains("serverInfo"), "{accept}: {status} {body}");
    }
    let sent = "Content-Type: Application/JSON; Charset=UTF-8";
    assert_eq!(raw(&server, "/mcp", &[HOST, sent, TAKEN], &hello()).await.0, 200);
    for (sent, accept, status) in [
        (SENT, "Accept: text/html", 406),
        (SENT, "Accept: */*;q=0", 406),
        ("Content-Type: text/plain", TAKEN, 415),
    ] {
        assert_eq!(raw(&server, "/mcp", &[HOST, sent, accept], &hello()).await.0, status, "{sent} {accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_only_json_gets_json_and_who_takes_anything_gets_streams() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" }).to_string();
    let post = async |accept: &'static str| {
        let mut request = session.send(Method::POST).body(list.clone()).build().expect("a request");
        request.headers_mut().insert("accept", accept.parse().expect("a value"));
        client().execute(request).await.expect("a response")
    };
    let response = post("application/json").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json::<Value>().await.expect("JSON")["id"], 7);
    assert_eq!(post("*/*").await.headers()["content-type"], "text/event-stream");
    let mut request = session.send(Method::GET).build().expect("a request");
    request.headers_mut().insert("accept", "text/*".parse().expect("a value"));
    assert_eq!(client().execute(request).await.expect("a stream").status(), 200);
}

/// What needs a stream is refused to who takes none, and what only may have one is not.
#[tokio::test(flavor = "multi_thread")]
async fn who_takes_only_json_is_told_what_needs_a_stream() {
    let server = Server::with(|config| config.vanish_grace = Duration::from_millis(200)).await;
    let session = Legacy::open(&server).await;
    let call = async |tool: &str| {
        let params = json!({ "name": tool, "arguments": {}, "_meta": { "progressToken": tool } });
        let call = json!({ "jsonrpc": "2.0", "id": tool, "method": "tools/call", "params": params });
        let mut request = session.send(Method::POST).body(call.to_string()).build().expect("a request");
        request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
        only_json(request).await
    };
    let (status, told) = call("steps").await;
    assert!(status == 200 && told["id"] == "steps" && told["result"].is_object(), "{status} {told}");
    let (status, told) = call("ask_name").await;
    assert_eq!(
        (status, &told["id"], &told["error"]["code"]),
        (406, &json!("ask_name"), &json!(-32600)),
        "{told}"
    );
    assert!(told["error"]["message"].to_string().contains("asks something before it responds"), "{told}");

    let listen = json!({ "notifications": { "toolsListChanged": true } });
    let (id, request) = Modern::new(&server).begin("subscriptions/listen", listen);
    let mut request = request.build().expect("a request");
    request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
    let (status, told) = only_json(request).await;
    assert_eq!((status, &told["id"], &told["error"]["code"]), (406, &json!(id), &json!(-32600)), "{told}");
    assert!(told["error"]["message"].to_string().contains("text/event-stream"), "{told}");
}

async fn only_json(request: Request) -> (u16, Value) {
    let response = soon("the response", client().execute(request)).await.expect("a response");
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status().as_u16();
    (status, soon("its body", response.json()).await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_json_and_no_json_rpc_is_an_invalid_request() {
    let server = Server::start().await;
    for (body, id) in [
        ("{}", Value::Null),
        (r#"{"a":1}"#, Value::Null),
        (r#"{"jsonrpc":"2.0","id":3}"#, json!(3)),
        (r#"{"jsonrpc":"1.0","id":"x","method":"ping"}"#, json!("x")),
        (r#"{"jsonrpc":"2.0","id":4,"method":5}"#, json!(4)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Value::Null),
        ("null", Value::Null),
        ("[]", Value::Null),
        (r#""ping""#, Value::Null),
    ] {
        let (status, text) = raw(&server, "/mcp", &[HOST, SENT, TAKEN], body).await;
        let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{body}: {status} {text}"));
        assert_eq!((status, &error["error"]["code"], &error["id"]), (400, &json!(-32600), &id), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_may_end_in_a_slash() {
    let server = Server::start().await;
    assert_eq!(raw(&server, "/mcp/", &[HOST, SENT, TAKEN], &hello()).await.0, 200);
    assert_eq!(raw(&server, "/mcp/other", &[HOST, SENT, TAKEN], &hello()).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_host_and_nobody_before_it() {
    let server = Server::start().await;
    for (hosts, expected) in [
        (&["Host: localhost"][..], 200),
        (&["Host: localhost", "Host: localhost"], 400),
        (&["Host: localhost", "Host: evil.example"], 400),
        (&["Host: user@localhost"], 400),
        (&["Host: localhost:port"], 400),
        (&["Host: evil.example"], 403),
    ] {
        let headers = [hosts, &[SENT, TAKEN]].concat();
        assert_eq!(raw(&server, "/mcp", &headers, &hello()).await.0, expected, "{hosts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_task_is_got_as_json_and_not_as_a_stream() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let task = session.launch("ask_name", json!({})).await;
    for (method, params) in [
        ("tasks/get", json!({ "taskId": task })),
        ("tasks/get", json!({ "taskId": "nothing" })),
        ("tasks/list", json!({})),
        ("tasks/cancel", json!({ "taskId": task })),
    ] {
        let body = json!({ "jsonrpc": "2.0", "id": 9, "method": method, "params": params });
        let response = session.send(Method::POST).body(body.to_string()).send().await.expect("a response");
        assert_eq!(response.status(), 200, "{method}");
        assert_eq!(response.headers()["content-type"], "application/json", "{method}");
        assert_eq!(response.json::<Value>().await.expect("JSON")["id"], 9, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_repeats_an_argument_is_compared_as_a_value() {
    let server = Server::start().await;
    for (count, written, status) in [
        (json!(3), "3.0", 200),
        (json!(3.0), "3", 200),
        (json!(1000), "1e3", 200),
        (json!(3), "=?base64?My4w?=", 200),
        (json!(3), "4", 400),
        (json!(3), "three", 400),
    ] {
        let call = json!({ "name": "regional", "arguments": { "count": count, "region": "1.0" } });
        let (_, request) = Modern::new(&server).begin("tools/call", call);
        let request = request.header("mcp-param-count", written).header("mcp-param-region", "1.0");
        let response = request.send().await.expect("a response");
        assert_eq!(response.status(), status, "{count} {written}");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["error"]["code"] == -32020, status == 400, "{body}");
    }
    let call = json!({ "name": "regional", "arguments": { "region": "1.0" } });
    let (_, request) = Modern::new(&server).begin("tools/call", call);
    let refused = request.header("mcp-param-region", "1").send().await.expect("a response");
    assert_eq!(refused.status(), 400, "a text is no number");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_capability_is_named_in_words_too() {
    let server = Server::start().await;
    let refused = Modern::undeclared(&server).error("tasks/get", json!({ "taskId": "nothing" })).await;
    let message = refused["message"].as_str().expect("text");
    assert!(refused["code"] == -32021 && message.contains("io.modelcontextprotocol/tasks"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_modern_result_says_which_server_it_is_of() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    client.until(&task, "input_required").await;
    let mut plain = Modern::undeclared(&server);
    plain.elicits = true;
    for (client, method, params) in [
        (&client, "server/discover", json!({})),
        (&client, "tools/list", json!({})),
        (&client, "tools/call", json!({ "name": "greet", "arguments": {} })),
        (&client, "tools/call", json!({ "name": "work", "arguments": { "ms": 1 } })),
        (&plain, "tools/call", json!({ "name": "ask_name", "arguments": {} })),
        (&client, "tasks/get", json!({ "taskId": task })),
        (&client, "tasks/update", json!({ "taskId": task, "inputResponses": {} })),
        (&client, "tasks/cancel", json!({ "taskId": task })),
    ] {
        let result = client.result(method, params).await;
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!((&server["name"], server["version"].is_string()), (&json!("mcptask"), true), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initialize_that_cannot_be_read_is_named() {
    let server = Server::start().await;
    for (key, value, named) in [
        ("protocolVersion", json!(null), "protocolVersion must be a string, not null"),
        ("protocolVersion", json!(5), "protocolVersion must be a string, not 5"),
        ("capabilities", json!([]), "cannot be read"),
        ("clientInfo", json!(null), "cannot be read"),
    ] {
        let mut hello: Value = serde_json::from_str(&hello()).expect("JSON");
        hello["params"][key] = value;
        let (status, text) = raw(&server, "/mcp", &[HOST, SENT, TAKEN], &hello.to_string()).await;
        let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{key}: {status} {text}"));
        assert_eq!(
            (status, &error["error"]["code"], &error["id"]),
            (400, &json!(-32602), &json!(0)),
            "{text}"
        );
        assert!(text.contains(named), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_message_is_json_rpc_with_an_id() {
    let server = Server::start().await;
    let modern = "MCP-Protocol-Version: 2026-07-28";
    let response = json!({ "jsonrpc": "2.0", "id": 3, "result": {} });
    let failure = json!({ "jsonrpc": "2.0", "id": 3, "error": { "code": -1, "message": "no" } });
    let ping = json!({ "jsonrpc": "2.0", "id": 4, "method": "ping" });
    for (headers, body, id) in [
        (&[HOST, SENT, TAKEN, modern][..], &response, Value::Null),
        (&[HOST, SENT, TAKEN, modern], &failure, Value::Null),
        (&[HOST, SENT, TAKEN], &response, Value::Null),
        (&[HOST, SENT, TAKEN], &ping, json!(4)),
        (&[HOST, SENT, TAKEN, "MCP-Protocol-Version: 1"], &ping, json!(4)),
    ] {
        let (status, text) = raw(&server, "/mcp", headers, &body.to_string()).await;
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{body}: {status} {text}"));
        assert_eq!((status, told.get("id")), (400, Some(&id)), "{body}: {text}");
        assert!(told["error"]["code"].is_i64() && told["error"]["message"].is_string(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_its_headers_alone_is_json_rpc_with_a_sentence_too() {
    let server = Server::start().await;
    let tokens = Server::with(|config| {
        config.tokens = Tokens::new(&[("secret".to_owned(), "anna".to_owned())]);
    })
    .await;
    for (server, headers, status, id, words) in [
        (&server, &[HOST, SENT, "Accept: text/html"][..], 406, json!(0), "does not take application/json"),
        (
            &server,
            &[HOST, SENT, "Accept: text/event-stream"],
            406,
            json!(0),
            "does not take application/json",
        ),
        (&server, &[HOST, "Content-Type: text/plain", TAKEN], 415, Value::Null, "application/json"),
        (&server, &[HOST, TAKEN], 415, Value::Null, "application/json"),
        (&server, &["Host: evil.example", SENT, TAKEN], 403, Value::Null, "allowed hosts"),
        (&server, &[HOST, "Origin: https://evil.example", SENT, TAKEN], 403, Value::Null, "web pages"),
        (&server, &[HOST, HOST, SENT, TAKEN], 400, Value::Null, "one Host header"),
        (&server, &[HOST, "Mcp-Session-Id: nobodys", SENT, TAKEN], 404, json!(0), "ession"),
        (&tokens, &[HOST, SENT, TAKEN], 401, Value::Null, "bearer token"),
    ] {
        let (found, text) = raw(server, "/mcp", headers, &hello()).await;
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{headers:?}: {text}"));
        let error = &told["error"];
        assert_eq!(
            (found, &told["id"], &error["code"]),
            (status, &id, &json!(-32600)),
            "{headers:?}: {text}"
        );
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_named_once() {
    let server = Server::start().await;
    let (one, other) = ("MCP-Protocol-Version: 2025-11-25", "MCP-Protocol-Version: 2025-06-18");
    assert_eq!(raw(&server, "/mcp", &[HOST, SENT, TAKEN, one], &hello()).await.0, 200);
    for second in [one, other] {
        let (status, text) = raw(&server, "/mcp", &[HOST, SENT, TAKEN, one, second], &hello()).await;
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{second}: {text}"));
        assert_eq!((status, &told["error"]["code"], &told["id"]), (400, &json!(-32020), &json!(0)), "{text}");
    }
    let session = Legacy::open(&server).await;
    for method in [Method::GET, Method::DELETE] {
        let mut request = session.send(method).build().expect("a request");
        request.headers_mut().append("mcp-protocol-version", "2025-06-18".parse().expect("a value"));
        assert_eq!(client().execute(request).await.expect("a response").status(), 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_comes_back_as_it_was_or_is_refused() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let ping = async |id: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tasks/list"}}"#);
        let response = session.send(Method::POST).body(body).send().await.expect("a response");
        let status = response.status().as_u16();
        (status, response.text().await.expect("a body"))
    };
    for id in
        ["9223372036854775807", "-9223372036854775808", "0", r#""a""#, r#""18446744073709551617""#, r#""""#]
    {
        let (status, text) = ping(id).await;
        assert!(status == 200 && text.contains(&format!(r#""id":{id}"#)), "{id}: {text}");
    }
    for id in ["18446744073709551617", "18446744073709551615", "9223372036854775808", "1.5", "1e300", "-0.1"]
    {
        let (status, text) = ping(id).await;
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{id}: {text}"));
        assert_eq!(
            (status, &told["error"]["code"], &told["id"]),
            (400, &json!(-32600), &Value::Null),
            "{text}"
        );
        assert!(
            told["error"]["message"].as_str().is_some_and(|words| words.contains("whole number")),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_a_whole_url_says_the_host() {
    let server = Server::start().await;
    for (target, status) in [("http://evil.example/mcp", 403), ("http://127.0.0.1/mcp", 200)] {
        assert_eq!(raw(&server, target, &[HOST, SENT, TAKEN], &hello()).await.0, status, "{target}");
    }
}
