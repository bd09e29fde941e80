//! Clients of both eras, by hand: what goes over the wire is what the test says.

use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{PATIENCE, Server, soon};

/// What an acknowledgement of the modern era has, and which server it is of.
pub(crate) fn assert_acknowledged(result: &Value) {
    let keys: Vec<_> = result.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((keys, &result["resultType"]), (vec!["resultType", "_meta"], &json!("complete")), "{result}");
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "mcptask", "{result}");
}

pub(crate) const LEGACY: &str = "2025-11-25";
pub(crate) const MODERN: &str = "2026-07-28";

static NEXT: AtomicI64 = AtomicI64::new(1);

fn next_id() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A client; reqwest wants a TLS provider even where there is no TLS.
pub(crate) fn client() -> reqwest::Client {
    // A second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// One message over SSE at a time.
pub(crate) struct Events {
    response: Response,
    buffer: String,
    /// The response is one message and no stream.
    is_one: bool,
    /// The id of the last event.
    pub(crate) last_id: Option<String>,
}

impl Events {
    pub(crate) fn new(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let is_one = response.headers()["content-type"] == "application/json";
        Self { response, buffer: String::new(), is_one, last_id: None }
    }

    /// The next JSON-RPC message; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let event: String = self.buffer.drain(..end + 2).collect();
                let mut data = String::new();
                for line in event.lines() {
                    if let Some(id) = line.strip_prefix("id:") {
                        self.last_id = Some(id.trim().to_owned());
                    }
                    if let Some(part) = line.strip_prefix("data:") {
                        data.push_str(part.trim_start());
                    }
                }
                if data.is_empty() {
                    continue;
                }
                return Some(serde_json::from_str(&data).expect("JSON in an event"));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("an event in time").ok().flatten();
            if chunk.is_none() && self.is_one {
                self.is_one = false;
                return serde_json::from_str(&self.buffer).ok();
            }
            let chunk = chunk?;
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The next message of that method.
    pub(crate) async fn next_of(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the stream ended before {method}"));
            if message["method"] == method {
                return message;
            }
        }
    }
}

/// A legacy session.
pub(crate) struct Legacy {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    pub(crate) session: String,
    pub(crate) initialized: Value,
}

impl Legacy {
    /// A session of a client that can be asked by form.
    pub(crate) async fn open(server: &Server) -> Self {
        Self::with(server, json!({ "elicitation": {} }), None).await
    }

    pub(crate) async fn with(server: &Server, capabilities: Value, token: Option<&str>) -> Self {
        Self::at(&server.url(), capabilities, token).await
    }

    /// A session with a server of any kind.
    pub(crate) async fn at(url: &str, capabilities: Value, token: Option<&str>) -> Self {
        let mut this = Self {
            http: client(),
            url: url.to_owned(),
            token: token.map(str::to_owned),
            session: String::new(),
            initialized: Value::Null,
        };
        let params = json!({ "protocolVersion": LEGACY, "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = this.send(Method::POST).body(body.to_string()).send().await.expect("a response");
        let session = response.headers().get("mcp-session-id").expect("a session id");
        this.session = session.to_str().expect("text").to_owned();
        this.initialized = Events::new(response).next().await.expect("a response")["result"].take();
        this.notify("notifications/initialized", json!({})).await;
        this
    }

    /// A request with the session's headers.
    pub(crate) fn send(&self, method: Method) -> RequestBuilder {
        let mut request = self
            .http
            .request(method, &self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if !self.session.is_empty() {
            request = request.header("mcp-session-id", &self.session);
            request = request.header("mcp-protocol-version", LEGACY);
        }
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Begins a request; its stream has whatever comes before the response too.
    pub(crate) async fn begin(&self, method: &str, params: Value) -> (i64, Events) {
        let id = next_id();
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let response = self.send(Method::POST).body(body.to_string()).send().await.expect("a response");
        (id, Events::new(response))
    }

    /// The whole response to a request.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Value {
        let (id, mut events) = self.begin(method, params).await;
        loop {
            let message = events.next().await.expect("a response");
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// The result of a request that must succeed.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let mut response = self.request(method, params).await;
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].take()
    }

    /// The error of a request that must fail.
    pub(crate) async fn error(&self, method: &str, params: Value) -> Value {
        let mut response = self.request(method, params).await;
        assert!(response.get("error").is_some(), "{method}: {response}");
        response["error"].take()
    }

    pub(crate) async fn notify(&self, method: &str, params: Value) {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.post(&body).await;
    }

    /// Answers a request of the server.
    pub(crate) async fn answer(&self, request: &Value, result: Value) {
        self.post(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    pub(crate) async fn post(&self, body: &Value) {
        let response = self.send(Method::POST).body(body.to_string()).send().await.expect("a response");
        assert_eq!(response.status(), 202, "{body}");
    }

    /// The standalone stream; after the event of that id.
    pub(crate) async fn listen(&self, after: Option<&str>) -> Events {
        let mut request = self.send(Method::GET);
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        Events::new(request.send().await.expect("a stream"))
    }

    /// Launches a task and returns its id.
    pub(crate) async fn launch(&self, tool: &str, arguments: Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments, "task": { "ttl": 60000 } });
        let created = self.result("tools/call", params).await;
        created["task"]["taskId"].as_str().expect("a task id").to_owned()
    }

    /// The text of a task's result, once there is one.
    pub(crate) async fn text(&self, task: &str) -> String {
        let result = soon("the task ends", self.result("tasks/result", json!({ "taskId": task }))).await;
        result["content"][0]["text"].as_str().expect("text").to_owned()
    }
}

/// A modern client: every request for itself.
#[derive(Clone)]
pub(crate) struct Modern {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    /// Whether requests declare the tasks extension.
    pub(crate) declares: bool,
    /// Whether requests declare that the client can be asked.
    pub(crate) elicits: bool,
    /// In which ways, where they do.
    pub(crate) modes: Value,
    /// Whether requests bring `Mcp-Name`.
    pub(crate) names: bool,
}

impl Modern {
    pub(crate) fn new(server: &Server) -> Self {
        Self::at(&server.url())
    }

    /// A client of a server of any kind.
    pub(crate) fn at(url: &str) -> Self {
        let url = url.to_owned();
        let modes = json!({ "form": {}, "url": {} });
        Self { http: client(), url, token: None, declares: true, elicits: true, modes, names: true }
    }

    pub(crate) fn with_token(server: &Server, token: &str) -> Self {
        Self::new(server).bearing(token)
    }

    /// The same client, with a token.
    pub(crate) fn bearing(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(crate) fn undeclared(server: &Server) -> Self {
        Self { declares: false, ..Self::new(server) }
    }

    /// A client that declares only these modes of elicitation; none at all with null.
    pub(crate) fn with_modes(server: &Server, modes: Value) -> Self {
        Self { elicits: !modes.is_null(), modes, ..Self::new(server) }
    }

    pub(crate) fn begin(&self, method: &str, mut params: Value) -> (i64, RequestBuilder) {
        let mut capabilities = json!({});
        if self.elicits {
            capabilities["elicitation"] = self.modes.clone();
        }
        if self.declares {
            capabilities["extensions"] = json!({ "io.modelcontextprotocol/tasks": {} });
        }
        let token = params["_meta"].get("progressToken").cloned();
        params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": capabilities });
        if let Some(token) = token {
            params["_meta"]["progressToken"] = token;
        }
        let id = next_id();
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut headers = HeaderMap::new();
        let mut header = |name: &'static str, value: &str| {
            headers.insert(name, value.parse().expect("a header value"));
        };
        header("content-type", "application/json");
        header("accept", "application/json, text/event-stream");
        header("mcp-protocol-version", MODERN);
        header("mcp-method", method);
        let name = body["params"].get("name").or(body["params"].get("taskId")).and_then(Value::as_str);
        if let (Some(name), true) = (name, self.names) {
            header("mcp-name", name);
        }
        if let Some(token) = &self.token {
            header("authorization", &format!("Bearer {token}"));
        }
        (id, self.http.post(&self.url).headers(headers).body(body.to_string()))
    }

    /// The whole response to a request.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Value {
        let (id, request) = self.begin(method, params);
        let response = request.send().await.expect("a response");
        let kind = response.headers().get("content-type").expect("a type").to_str().expect("text").to_owned();
        if kind.starts_with("application/json") {
            let text = response.text().await.expect("a body");
            return serde_json::from_str(&text).expect("JSON");
        }
        let mut events = Events::new(response);
        loop {
            let message = events.next().await.expect("a response");
            if message["id"] == id {
                return message;
            }
        }
    }

    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let mut response = self.request(method, params).await;
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].take()
    }

    pub(crate) async fn error(&self, method: &str, params: Value) -> Value {
        let mut response = self.request(method, params).await;
        assert!(response.get("error").is_some(), "{method}: {response}");
        response["error"].take()
    }

    pub(crate) async fn launch(&self, tool: &str, arguments: Value) -> String {
        let created = self.result("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        assert_eq!(created["resultType"], "task", "{created}");
        created["taskId"].as_str().expect("a task id").to_owned()
    }

    pub(crate) async fn get(&self, task: &str) -> Value {
        self.result("tasks/get", json!({ "taskId": task })).await
    }

    /// The task once it is in that status.
    pub(crate) async fn until(&self, task: &str, status: &str) -> Value {
        soon(&format!("status {status}"), async {
            loop {
                let found = self.get(task).await;
                if found["status"] == status {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await
    }
}
