//! The leanest client that runs tasks: four HTTP requests for a task with one question, and one stream.
//!
//! It speaks the era of 2025-11-25 by hand, so that next to nothing of what is measured is the client's.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sse_stream::SseStream;
use tokio::sync::{oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::figures::now;
use crate::run::Run;

/// How a client answers a question's message; `None` never does.
pub(crate) type Answer = fn(&str) -> Option<String>;

/// How long a notification of a task's end is waited for before the client looks by itself.
const LOOK: Duration = Duration::from_secs(1);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(20);
/// Some servers keep the stream's head until its first event.
const STREAM: Duration = Duration::from_millis(500);

/// One pool of connections for all sessions.
pub(crate) fn http() -> reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    let made = HTTP.get_or_init(|| {
        // A second installation fails, and the first one is then in place.
        rustls::crypto::ring::default_provider().install_default().ok();
        reqwest::Client::builder().tcp_nodelay(true).build().expect("a client without special wishes")
    });
    made.clone()
}

/// One session. Dropping it ends its stream.
pub(crate) struct Lean {
    wire: Arc<Wire>,
    _reader: AbortOnDropHandle<()>,
}

struct Wire {
    http: reqwest::Client,
    url: String,
    session: String,
    answer: Answer,
    number: AtomicU64,
    ends: Mutex<Ends>,
    asked: watch::Sender<usize>,
}

/// Tasks whose end was told, and who waits for one.
#[derive(Default)]
struct Ends {
    told: HashSet<String>,
    waiting: HashMap<String, oneshot::Sender<()>>,
}

impl Lean {
    /// Opens a session and its stream.
    pub(crate) async fn connect(url: &str, answer: Answer) -> Result<Self, String> {
        let mut wire = Wire {
            http: http(),
            url: url.to_owned(),
            session: String::new(),
            answer,
            number: AtomicU64::new(1),
            ends: Mutex::default(),
            asked: watch::Sender::new(0),
        };
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": { "form": {} } },
            "clientInfo": { "name": "lean", "version": "1" } });
        let hello = wire
            .post(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }))
            .await?;
        let session = hello.headers().get("mcp-session-id").and_then(|id| id.to_str().ok());
        wire.session = session.ok_or("a server without sessions")?.to_owned();
        read(hello, 0).await?;
        wire.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        let wire = Arc::new(wire);
        let (opened, open) = oneshot::channel();
        let reader = AbortOnDropHandle::new(tokio::spawn(follow(wire.clone(), opened)));
        let _ = tokio::time::timeout(STREAM, open).await;
        Ok(Self { wire, _reader: reader })
    }

    /// Submits a task; its id.
    pub(crate) async fn submit(&self, questions: usize) -> Result<String, String> {
        let params = json!({ "name": "ask", "arguments": { "n": questions }, "task": { "ttl": 3_600_000 } });
        let result = self.wire.request("tools/call", params).await?;
        let task = result.pointer("/task/taskId").and_then(Value::as_str);
        task.map(str::to_owned).ok_or_else(|| format!("not a task: {result}"))
    }

    /// Runs one task to its end.
    pub(crate) async fn run(&self, questions: usize) -> Result<Run, String> {
        let submitted = now();
        let task = self.submit(questions).await?;
        self.wire.end_of(&task).await?;
        let result = self.wire.request("tasks/result", json!({ "taskId": task })).await?;
        let run = result.get("structuredContent").and_then(|result| Run::read(submitted, now(), result));
        run.ok_or_else(|| format!("the task ended with {result}"))
    }

    /// Waits until so many questions have come.
    pub(crate) async fn asked(&self, count: usize) {
        // The sender lives as long as this client.
        let _ = self.wire.asked.subscribe().wait_for(|asked| *asked >= count).await;
    }

    /// The shortest request that there is.
    pub(crate) async fn ping(&self) -> Result<(), String> {
        self.wire.request("ping", json!({})).await.map(drop)
    }
}

impl Wire {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        if self.session.is_empty() { request } else { request.header("mcp-session-id", &self.session) }
    }

    async fn post(&self, message: &Value) -> Result<Response, String> {
        let request = self.http.post(&self.url).header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json").body(message.to_string());
        let response =
            self.dress(request).timeout(REQUEST).send().await.map_err(|error| error.to_string())?;
        if response.status().is_success() { Ok(response) } else { Err(response.status().to_string()) }
    }

    async fn request(&self, method: &str, params: Value) -> Result<Value, String> {
        let id = self.number.fetch_add(1, Ordering::Relaxed);
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        read(self.post(&message).await?, id).await
    }

    /// Waits until the task has ended: told by the server, or seen where it does not tell.
    async fn end_of(&self, task: &str) -> Result<(), String> {
        let mut told = {
            let mut ends = self.ends();
            if ends.told.remove(task) {
                return Ok(());
            }
            let (sender, told) = oneshot::channel();
            ends.waiting.insert(task.to_owned(), sender);
            told
        };
        loop {
            if tokio::time::timeout(LOOK, &mut told).await.is_ok() {
                return Ok(());
            }
            let seen = self.request("tasks/get", json!({ "taskId": task })).await?;
            if matches!(seen["status"].as_str(), Some("completed" | "failed" | "cancelled")) {
                return Ok(());
            }
        }
    }

    fn hear(self: &Arc<Self>, message: &Value) {
        match message["method"].as_str() {
            Some("elicitation/create") => {
                self.asked.send_modify(|asked| *asked += 1);
                let text = message.pointer("/params/message").and_then(Value::as_str).unwrap_or_default();
                let Some(value) = (self.answer)(text) else { return };
                let result = json!({ "action": "accept", "content": { "value": value } });
                let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
                let wire = self.clone();
                // A server that is gone is noticed by whoever waits for the task.
                tokio::spawn(async move { wire.post(&answer).await.map(drop) });
            }
            Some("notifications/tasks/status") => {
                let (task, status) = (&message["params"]["taskId"], &message["params"]["status"]);
                if let (Some(task), Some("completed" | "failed" | "cancelled")) =
                    (task.as_str(), status.as_str())
                {
                    let mut ends = self.ends();
                    match ends.waiting.remove(task) {
                        // Whoever waited may have given up.
                        Some(waiting) => drop(waiting.send(())),
                        None => drop(ends.told.insert(task.to_owned())),
                    }
                }
            }
            _ => {}
        }
    }
}

/// The result in a response of either kind.
async fn read(response: Response, id: u64) -> Result<Value, String> {
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let streamed = kind.starts_with("text/event-stream");
    let body = response.text().await.map_err(|error| error.to_string())?;
    let messages: Vec<&str> = if streamed {
        body.lines().filter_map(|line| line.strip_prefix("data:")).collect()
    } else {
        vec![&body]
    };
    let messages = messages.iter().filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok());
    let mut reply = messages.into_iter().find(|message| message["id"] == id).ok_or("no reply")?;
    match reply.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(reply["error"]["message"].as_str().unwrap_or("an error").to_owned()),
    }
}

/// Reads the session's own stream, again where it ends.
async fn follow(wire: Arc<Wire>, opened: oneshot::Sender<()>) {
    let mut opened = Some(opened);
    loop {
        let request = wire.dress(wire.http.get(&wire.url).header("accept", "text/event-stream"));
        if let Ok(response) = request.send().await
            && response.status().is_success()
        {
            // Nobody waits for it any more after a while.
            let _ = opened.take().map(|opened| opened.send(()));
            let mut events = SseStream::from_bytes_stream(response.bytes_stream());
            while let Some(Ok(event)) = events.next().await {
                if let Some(Ok(message)) = event.data.map(|data| serde_json::from_str(&data)) {
                    wire.hear(&message);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
