//! Both eras over lines.

use std::collections::VecDeque;
use std::sync::Arc;

use mcptask::server::{self, ServeConfig, ServeError};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::http::{LEGACY, MODERN};
use crate::support::{engine, keep_time, soon, work};

pub(crate) struct Pipe {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    pub(crate) input: WriteHalf<DuplexStream>,
    /// Messages that came while a response was waited for.
    earlier: VecDeque<Value>,
    pub(crate) served: JoinHandle<Result<(), ServeError>>,
    pub(crate) engine: mcptask::engine::Engine,
    /// Stops the server alone; the worker goes on.
    pub(crate) stop: CancellationToken,
    pub(crate) background: CancellationToken,
    _bench: Arc<Bench>,
}

impl Pipe {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let bench = Arc::new(Bench::sqlite());
        let background = CancellationToken::new();
        let engine = engine(&bench, &background).await;
        work(&engine, &background).await;
        keep_time(&engine, &background);
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (stdin, stdout) = tokio::io::split(far);
        let mut config = ServeConfig { max_body_bytes: 100_000, ..ServeConfig::default() };
        change(&mut config);
        let stop = background.child_token();
        let served = tokio::spawn(server::stdio(engine.clone(), config, stdin, stdout, stop.clone()));
        let (output, input) = tokio::io::split(near);
        let lines = BufReader::new(output).lines();
        Self { lines, input, earlier: VecDeque::new(), served, engine, stop, background, _bench: bench }
    }

    pub(crate) async fn initialized() -> Self {
        let mut this = Self::open().await;
        let params = json!({ "protocolVersion": LEGACY, "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "test", "version": "1" } });
        this.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })).await;
        let response = this.next().await;
        assert!(response["result"]["capabilities"]["tasks"]["list"].is_object(), "{response}");
        this.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        this
    }

    pub(crate) async fn raw(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("written");
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.raw(&message.to_string()).await;
    }

    pub(crate) async fn next(&mut self) -> Value {
        match self.earlier.pop_front() {
            Some(message) => message,
            None => self.read().await,
        }
    }

    pub(crate) async fn read(&mut self) -> Value {
        let line = soon("a line", self.lines.next_line()).await.expect("readable").expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    pub(crate) async fn next_of(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["method"] == method {
                return message;
            }
        }
    }

    pub(crate) async fn request(&mut self, id: i64, method: &str, params: Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        loop {
            let message = self.read().await;
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.earlier.push_back(message);
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.background.cancel();
    }
}

pub(crate) fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {
            "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } } });
    params
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_client_is_asked_over_lines() {
    let mut pipe = Pipe::initialized().await;
    let created = pipe.request(1, "tools/call", json!({ "name": "ask_name", "task": {} })).await;
    let task = created["result"]["task"]["taskId"].clone();
    let asked = pipe.next_of("elicitation/create").await;
    let content = json!({ "action": "accept", "content": { "name": "Ada" } });
    pipe.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": content })).await;
    let result = pipe.request(2, "tasks/result", json!({ "taskId": task })).await;
    assert_eq!(result["result"]["content"][0]["text"], "accept \"Ada\"");
    let listed = pipe.request(3, "tasks/list", json!({})).await;
    assert_eq!(listed["result"]["tasks"][0]["taskId"], task);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_is_asked_over_lines() {
    let mut pipe = Pipe::initialized().await;
    let params = json!({ "name": "ask_name", "arguments": {} });
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params })).await;
    let asked = pipe.next_of("elicitation/create").await;
    let content = json!({ "action": "decline" });
    pipe.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": content })).await;
    let response = pipe.next().await;
    assert_eq!((&response["id"], &response["result"]["content"][0]["text"]), (&json!(7), &json!("decline ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_client_needs_no_handshake_over_lines() {
    let mut pipe = Pipe::open().await;
    let found = pipe.request(1, "server/discover", modern(json!({}))).await;
    assert!(found["result"]["capabilities"]["extensions"].is_object(), "{found}");
    let created = pipe.request(2, "tools/call", modern(json!({ "name": "ask_name" }))).await;
    assert_eq!(created["result"]["resultType"], "task", "{created}");
    let task = created["result"]["taskId"].clone();
    let filter = modern(json!({ "notifications": { "taskIds": [task] } }));
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 3, "method": "subscriptions/listen", "params": filter }))
        .await;
    pipe.next_of("notifications/subscriptions/acknowledged").await;
    while pipe.next_of("notifications/tasks").await["params"]["status"] != "input_required" {}
    let answers = json!({ "q1": { "action": "accept", "content": { "name": "Ada" } } });
    let update = modern(json!({ "taskId": task, "inputResponses": answers }));
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 4, "method": "tasks/update", "params": update })).await;
    loop {
        let told = pipe.next_of("notifications/tasks").await;
        if told["params"]["status"] == "completed" {
            assert_eq!(told["params"]["result"]["content"][0]["text"], "accept \"Ada\"");
            return;
        }
    }
}

/// Clients that probe with what a server does not know, or not yet, and take a probe back that took too long.
#[rstest]
#[case::discovered("server/discover", modern(json!({})))]
#[case::pinged("ping", json!({}))]
#[case::nothing_said_of_the_client("tools/list", json!({}))]
#[case::an_unknown_version("tools/list", with_version("2099-01-01"))]
#[tokio::test(flavor = "multi_thread")]
async fn no_notice_and_no_response_between_a_probe_and_the_handshake_ends_the_connection(
    #[case] probe: &str,
    #[case] params: Value,
    #[values(false, true)] is_modern: bool,
) {
    let mut pipe = Pipe::open().await;
    pipe.request(1, probe, params).await;
    for message in [
        json!({ "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        json!({ "method": "notifications/initialized" }),
        json!({ "id": 9, "result": {} }),
        json!({ "id": null, "error": { "code": -32700, "message": "what?" } }),
    ] {
        let mut message = message;
        message["jsonrpc"] = json!("2.0");
        pipe.send(&message).await;
    }
    let reply = if is_modern {
        pipe.request(2, "tools/list", modern(json!({}))).await
    } else {
        let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        pipe.request(2, "initialize", params).await
    };
    assert!(reply["result"].is_object(), "{reply}");
}

fn with_version(version: &str) -> Value {
    let mut params = modern(json!({}));
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(version);
    params
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_notification_over_lines_does_not_cancel_a_modern_task() {
    let mut pipe = Pipe::open().await;
    let created = pipe.request(1, "tools/call", modern(json!({ "name": "ask_name" }))).await;
    let task = created["result"]["taskId"].clone();
    pipe.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
    )
    .await;
    let found = pipe.request(2, "tasks/get", modern(json!({ "taskId": task }))).await;
    assert!(["working", "input_required"].iter().any(|one| found["result"]["status"] == *one), "{found}");
    let answers = json!({ "q1": { "action": "decline" } });
    let mut id = 3;
    soon("it goes on to its end", async {
        loop {
            let update = modern(json!({ "taskId": task, "inputResponses": answers }));
            pipe.request(id, "tasks/update", update).await;
            let found = pipe.request(id + 1, "tasks/get", modern(json!({ "taskId": task }))).await;
            if found["result"]["status"] == "completed" {
                return;
            }
            id += 2;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_an_older_version_is_asked_without_a_mode() {
    let mut pipe = Pipe::open().await;
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": { "elicitation": {} },
        "clientInfo": { "name": "test", "version": "1" } });
    pipe.request(0, "initialize", params).await;
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    let params = json!({ "name": "ask_name", "arguments": {} });
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })).await;
    let asked = pipe.next_of("elicitation/create").await;
    assert!(asked["params"].get("mode").is_none(), "a missing mode means form: {asked}");
    assert!(asked["params"]["requestedSchema"].is_object(), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_lines_are_answered_and_cost_nothing_else() {
    let mut pipe = Pipe::open().await;
    pipe.raw("{").await;
    assert_eq!(pipe.next().await["error"]["code"], -32700);
    pipe.raw("[]").await;
    assert_eq!(pipe.next().await["error"]["code"], -32600);
    pipe.raw(&format!("\"{}\"", "x".repeat(200_000))).await;
    assert_eq!(pipe.next().await["error"]["code"], -32600);
    pipe.raw("").await;
    pipe.raw("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{}}").await;
    pipe.raw("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"mcptask-private/legacy/tools/list\"}").await;
    let forged = pipe.next().await;
    assert_eq!((&forged["id"], &forged["error"]["code"]), (&json!(5), &json!(-32601)));
    let found = pipe.request(6, "server/discover", modern(json!({}))).await;
    assert!(found["result"].is_object(), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initialize_over_lines_that_cannot_be_read_is_named() {
    let mut pipe = Pipe::open().await;
    let refused = pipe.request(1, "initialize", json!({ "protocolVersion": null })).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert!(refused.to_string().contains("protocolVersion must be a string"), "{refused}");
    let found = pipe.request(6, "server/discover", modern(json!({}))).await;
    assert!(found["result"].is_object(), "{found}");
}

#[tokio::test]
async fn an_id_over_lines_comes_back_as_it_was_or_is_refused() {
    let mut pipe = Pipe::initialized().await;
    for (id, comes_back) in [
        (r#""18446744073709551617""#, true),
        ("9223372036854775807", true),
        ("18446744073709551617", false),
        ("9223372036854775808", false),
        ("1.5", false),
    ] {
        pipe.raw(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tasks/list"}}"#)).await;
        let told = pipe.next().await;
        if comes_back {
            assert_eq!((told["id"].to_string().as_str(), told.get("result").is_some()), (id, true), "{told}");
        } else {
            assert_eq!((&told["id"], &told["error"]["code"]), (&Value::Null, &json!(-32600)), "{told}");
        }
    }
}

/// Who starts the program has the store, and needs no token.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_over_lines_until_their_stream_is_cancelled() {
    let mut pipe = Pipe::with(|config| config.experimental_events = true).await;
    let found = pipe.request(1, "server/discover", modern(json!({}))).await;
    assert_eq!(found["result"]["capabilities"]["events"], json!({}), "{found}");
    let params = modern(json!({ "name": "task.input_required", "arguments": {} }));
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 2, "method": "events/stream", "params": params })).await;
    pipe.next_of("notifications/events/active").await;
    let created = pipe.request(3, "tools/call", modern(json!({ "name": "ask_name" }))).await;
    let told = pipe.next_of("notifications/events/event").await;
    assert_eq!(told["params"]["data"]["taskId"], created["result"]["taskId"], "{told}");
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 2, "{told}");
    let cancelled = json!({ "requestId": 2 });
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled })).await;
    let poll =
        |cursor: &Value| modern(json!({ "name": "task.input_required", "arguments": {}, "cursor": cursor }));
    pipe.request(4, "events/poll", poll(&Value::Null)).await;
    pipe.request(5, "tools/call", modern(json!({ "name": "ask_name" }))).await;
    soon("it is told to who polls", async {
        loop {
            let found = pipe.request(6, "events/poll", poll(&told["params"]["cursor"])).await;
            if found["result"]["events"].as_array().is_some_and(|events| events.len() == 1) {
                return;
            }
        }
    })
    .await;
    let told_again = pipe.earlier.iter().any(|message| message["method"] == "notifications/events/event");
    assert!(!told_again, "nobody listens any more: {:?}", pipe.earlier);
}
