//! A server on HTTP of which a test writes every byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcptask::client::Target;
use serde_json::{Value, json};

/// What a client sent.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The first line and the headers, in small letters.
    pub(crate) head: String,
    /// The message; null where there is none.
    pub(crate) message: Value,
    /// How many requests came before it on its connection, and for how long the connection had none.
    pub(crate) earlier: usize,
    pub(crate) idle: Duration,
}

impl Said {
    /// The method of the message; empty where it has none.
    pub(crate) fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or_default()
    }
}

/// What a test has the server say.
pub(crate) enum Reply {
    /// A result.
    Result(Value),
    /// A status, a content type, and the body.
    Http(u16, &'static str, String),
    /// A result that begins a session.
    Session(Value),
    /// Events, on a stream that stays open until the client leaves it.
    Stream(String),
    /// Events without end, each piece of them the same.
    Endless(&'static [u8]),
    /// A result, after which the connection stays open for the next request.
    Kept(Value),
    /// The connection closes without a word.
    HangUp,
}

pub(crate) struct Peer {
    port: u16,
    said: Arc<Mutex<Vec<Said>>>,
}

impl Peer {
    /// `reply` has what is said to each request, and may leave the handshake and the notices of either era, and a list
    /// of one tool `x`, to [`legacy`].
    pub(crate) fn start(reply: impl Fn(&Said) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let (said, reply) = (Arc::new(Mutex::new(Vec::new())), Arc::new(reply));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, reply) = (Arc::clone(&heard), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream, &heard, &*reply));
            }
        });
        Self { port, said }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    pub(crate) fn target(&self) -> Target {
        Target::http(&self.url()).expect("a URL")
    }

    /// All that was said so far.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.said.lock().expect("no test panics in here").clone()
    }

    /// What was said by that method.
    pub(crate) fn said_of(&self, method: &str) -> Vec<Said> {
        self.said().into_iter().filter(|said| said.method() == method).collect()
    }
}

/// A server of the older era with one tool `x`, which may be a task.
pub(crate) fn legacy(said: &Said) -> Reply {
    let tasks = json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } });
    match said.method() {
        "initialize" => Reply::Result(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {}, "tasks": tasks },
            "serverInfo": { "name": "peer", "version": "1" },
        })),
        "tools/list" => {
            let support = json!({ "taskSupport": "optional" });
            Reply::Result(json!({ "tools": [{ "name": "x", "inputSchema": { "type": "object" }, "execution": support }] }))
        }
        "" if said.head.starts_with("get") => Reply::Http(405, "text/plain", String::new()),
        method if method.starts_with("notifications/") => Reply::Http(202, "text/plain", String::new()),
        "" => Reply::Http(202, "text/plain", String::new()),
        method => Reply::Http(
            404,
            "application/json",
            json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": { "code": -32601, "message": method } })
                .to_string(),
        ),
    }
}

/// A server of the newer era with one tool `x`.
pub(crate) fn modern(said: &Said) -> Reply {
    match said.method() {
        "server/discover" => Reply::Result(json!({
            "resultType": "complete",
            "supportedVersions": ["2026-07-28"],
            "capabilities": { "tools": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } },
            "serverInfo": { "name": "peer", "version": "1" },
            "ttlMs": 0,
            "cacheScope": "private",
        })),
        "tools/list" => Reply::Result(json!({
            "resultType": "complete",
            "tools": [{ "name": "x", "inputSchema": { "type": "object" } }],
            "ttlMs": 0,
            "cacheScope": "private",
        })),
        _ => legacy(said),
    }
}

fn serve(mut stream: TcpStream, heard: &Mutex<Vec<Said>>, reply: &dyn Fn(&Said) -> Reply) {
    let mut earlier = 0;
    while serve_one(&mut stream, earlier, heard, reply) {
        earlier += 1;
    }
}

/// Serves a request, and says whether the connection stays open for another.
fn serve_one(
    stream: &mut TcpStream,
    earlier: usize,
    heard: &Mutex<Vec<Said>>,
    reply: &dyn Fn(&Said) -> Reply,
) -> bool {
    let since = Instant::now();
    let Some((opening, message, begun)) = read(stream) else { return false };
    let said = Said { head: opening, message, earlier, idle: begun.duration_since(since) };
    heard.lock().expect("no test panics in here").push(said.clone());
    // A client that has gone has no need of the rest.
    let _ = match reply(&said) {
        Reply::Kept(result) => {
            let message = json!({ "jsonrpc": "2.0", "id": said.message["id"], "result": result });
            return keep(stream, &message.to_string()).is_ok();
        }
        Reply::Result(result) => {
            let message = json!({ "jsonrpc": "2.0", "id": said.message["id"], "result": result });
            write(stream, 200, "application/json", &message.to_string())
        }
        Reply::Session(result) => {
            let message = json!({ "jsonrpc": "2.0", "id": said.message["id"], "result": result });
            write(stream, 200, "application/json\r\nmcp-session-id: s1", &message.to_string())
        }
        Reply::Stream(events) => hold(stream, &events),
        Reply::Http(status, kind, body) => write(stream, status, kind, &body),
        Reply::Endless(piece) => endless(stream, piece),
        Reply::HangUp => Ok(()),
    };
    false
}

/// The opening and the message of a request, and when it began.
fn read(stream: &TcpStream) -> Option<(String, Value, Instant)> {
    stream.peek(&mut [0]).ok()?;
    let begun = Instant::now();
    let mut reader = BufReader::new(stream);
    let (mut opening, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        opening.push_str(&line.to_lowercase());
        line.clear();
    }
    let length = opening.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    (!opening.is_empty()).then(|| (opening, serde_json::from_slice(&body).unwrap_or_default(), begun))
}

fn keep(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn write(stream: &mut TcpStream, status: u16, kind: &str, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn hold(stream: &mut TcpStream, events: &str) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    stream.write_all(events.as_bytes())?;
    stream.read(&mut [0]).map(drop)
}

fn endless(stream: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    let pieces = piece.repeat(64 * 1024 / piece.len());
    loop {
        stream.write_all(&pieces)?;
    }
}
