//! The line transport: one JSON-RPC message per line, capped, with the dialect layer in it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, GetMeta as _, JsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage,
    ServerNotification,
};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::dialect::{Translation, check_exact, check_id, id, translate, with_events, with_legacy_tasks};
use super::handshake::{check_initialize, drop_unknown_elicitation};
use super::request::Client;
use crate::bounded_lines::{BoundedLines, Line};
use crate::events_extension::EVENT;
use crate::relay::has_its_place;

/// Messages that wait for a client that does not read; more, and the connection is over.
const UNREAD: usize = 10_000;

/// The same in bytes. A line cannot be left out, so this is the place of a few of the largest results, not less.
const UNREAD_BYTES: usize = 64 * 1024 * 1024;

/// How long the end of a connection waits for a client that reads nothing more of what was written to it, and how often
/// that begins anew since it has read something.
const READS_WITHIN: Duration = Duration::from_secs(2);
const MOST_WAITS: u32 = 5;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;

/// What waits for a client that does not read.
#[derive(Debug, Default)]
struct Unread {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// Tells of each that was written.
    written: Notify,
}

impl Unread {
    fn add(&self, line: &[u8]) -> io::Result<()> {
        let messages = self.messages.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(line.len(), Ordering::Relaxed);
        if messages >= UNREAD || bytes >= UNREAD_BYTES {
            let problem = format!("the client has left {messages} messages of {bytes} bytes unread");
            return Err(io::Error::other(problem));
        }
        Ok(())
    }

    fn remove(&self, line: &[u8]) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        self.written.notify_waiters();
    }

    /// Waits until there is much more room than any one message takes.
    async fn room(&self) {
        loop {
            let written = self.written.notified();
            let (messages, bytes) =
                (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
            if messages < UNREAD / 10 && bytes < UNREAD_BYTES / 10 {
                return;
            }
            written.await;
        }
    }

    /// Waits until all is written, for as long as the client reads.
    async fn written(&self, mut writing: JoinHandle<io::Result<()>>) -> io::Result<()> {
        for _ in 0..MOST_WAITS {
            let before = self.messages.load(Ordering::Relaxed);
            if let Ok(written) = tokio::time::timeout(READS_WITHIN, &mut writing).await {
                return written.map_err(io::Error::other)?;
            }
            if self.messages.load(Ordering::Relaxed) == before {
                break;
            }
        }
        writing.abort();
        let messages = self.messages.load(Ordering::Relaxed);
        Err(io::Error::other(format!("the client does not read: {messages} messages are left unread")))
    }
}

/// A client on two streams of lines.
pub(super) struct Lines<R> {
    client: Arc<Client>,
    input: BoundedLines<R>,
    most_bytes: usize,
    /// A request came that says in which era the client speaks: what rmcp waits for first.
    begun: bool,
    unread: Arc<Unread>,
    outgoing: Option<mpsc::UnboundedSender<Vec<u8>>>,
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl<R: AsyncBufRead + Unpin + Send> Lines<R> {
    pub(super) fn new<W>(client: Arc<Client>, reader: R, writer: W, most_bytes: usize) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let unread = Arc::new(Unread::default());
        let writing = Some(tokio::spawn(write(queue, writer, unread.clone())));
        Self {
            client,
            input: BoundedLines::new(reader, most_bytes),
            most_bytes,
            begun: false,
            unread,
            outgoing: Some(outgoing),
            writing,
        }
    }

    /// The next line; `None` at the end of the input. Losing the future loses nothing.
    async fn next_line(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.input.next().await {
                Ok(Some(Line::Whole(line))) => return Some(line),
                Ok(Some(Line::TooLong)) => {
                    let problem = format!("the line is longer than {} bytes", self.most_bytes);
                    self.refuse(&Value::Null, INVALID_REQUEST, &problem);
                }
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!(%error, "cannot read from the client");
                    return None;
                }
            }
        }
    }

    /// The message of a line; `None` where it was answered here, or means nothing.
    fn message(&mut self, line: &[u8]) -> Option<ClientJsonRpcMessage> {
        let mut value: Value = match serde_json::from_slice(line) {
            Ok(value) => value,
            Err(error) => {
                self.refuse(&Value::Null, PARSE_ERROR, &format!("the line is not JSON: {error}"));
                return None;
            }
        };
        let id = id(&value);
        let checked = check_id(&value).and_then(|()| check_exact(&value, line));
        if let Err(error) = checked.and_then(|()| check_initialize(&value)) {
            self.refuse(&id, error.code.0, &error.message);
            return None;
        }
        drop_unknown_elicitation(&mut value);
        if translate(&mut value) == Translation::Forged {
            self.refuse(&id, METHOD_NOT_FOUND, "the method's name is reserved");
            return None;
        }
        let mut message: ClientJsonRpcMessage = match serde_json::from_value(value) {
            Ok(message) => message,
            Err(error) => {
                self.refuse(&id, INVALID_REQUEST, &format!("the line is not a JSON-RPC message: {error}"));
                return None;
            }
        };
        self.begun |= tells_era(&message);
        if !self.begun && !matches!(message, JsonRpcMessage::Request(_)) {
            // rmcp would end the connection. Nothing is under way yet that it could be about.
            tracing::debug!("ignored a message that is no request before the era is known");
            return None;
        }
        message.insert_extension(self.client.clone());
        Some(message)
    }

    fn refuse(&self, id: &Value, code: i32, problem: &str) {
        let reply = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": problem } });
        // A client that cannot be written to is noticed by what it did ask for.
        let _ = self.put(reply.to_string().into_bytes());
    }

    fn put(&self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        self.unread.add(&line)?;
        let sent = self.outgoing.as_ref().is_some_and(|outgoing| outgoing.send(line).is_ok());
        if sent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
}

impl<R: AsyncBufRead + Unpin + Send> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    /// Queued before this returns, so messages keep the order in which they were sent.
    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        has_its_place(&message);
        let is_paced = is_occurrence(&message);
        let line = serde_json::to_vec(&with_events(with_legacy_tasks(message)));
        let put = line.map_err(io::Error::from).and_then(|line| self.put(line));
        let unread = self.unread.clone();
        async move {
            // The log has more of these at once than can wait here.
            if is_paced && put.is_ok() {
                unread.room().await;
            }
            put
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let Some(line) = self.next_line().await else {
                self.client.connection.leave("the client closed its end");
                return None;
            };
            if let Some(message) = self.message(&line) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.client.connection.leave("the connection is over");
        self.outgoing = None;
        match self.writing.take() {
            Some(writing) => self.unread.written(writing).await,
            None => Ok(()),
        }
    }
}

/// Whether it is an event of a stream.
fn is_occurrence(message: &ServerJsonRpcMessage) -> bool {
    let JsonRpcMessage::Notification(told) = message else { return false };
    matches!(&told.notification, ServerNotification::CustomNotification(told) if told.method == EVENT)
}

/// Whether that is a request by which rmcp knows the era: `initialize`, or any but a probe that says all that a modern one
/// has to.
fn tells_era(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else { return false };
    match &request.request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        modern => {
            let meta = modern.get_meta();
            let is_known = |version: ProtocolVersion| ProtocolVersion::KNOWN_VERSIONS.contains(&version);
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(is_known)
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
    mut writer: W,
    unread: Arc<Unread>,
) -> io::Result<()> {
    while let Some(line) = lines.recv().await {
        writer.write_all(&line).await?;
        unread.remove(&line);
        // What follows at once goes out with it.
        if lines.is_empty() {
            writer.flush().await?;
        }
    }
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use rmcp::model::CustomNotification;

    use super::*;
    use crate::relay::Streams;
    use crate::task::SessionId;

    #[tokio::test]
    async fn a_client_that_does_not_read_is_bounded_in_bytes() {
        let client = Arc::new(Client::new(SessionId::generate(), Streams::line()));
        let (writer, _nobody_reads) = tokio::io::duplex(1024);
        let lines = Lines::new(client, tokio::io::empty(), writer, 1024);
        let large = vec![b'x'; 1024 * 1024];
        let taken = (0..100).take_while(|_| lines.put(large.clone()).is_ok()).count();
        assert!((60..=65).contains(&taken), "{taken} MiB were taken");
        let problem = lines.put(large).expect_err("the connection is over").to_string();
        assert!(problem.contains("bytes unread"), "{problem}");
    }

    #[tokio::test]
    async fn an_event_of_a_stream_waits_for_room_and_nothing_else_does() {
        let client = Arc::new(Client::new(SessionId::generate(), Streams::line()));
        let (writer, mut reader) = tokio::io::duplex(1024);
        let mut lines = Lines::new(client, tokio::io::empty(), writer, 1024);
        let told = |method: &str| {
            let params = Some(json!({ "large": "x".repeat(1024 * 1024) }));
            let notice = CustomNotification::new(method, params);
            ServerJsonRpcMessage::notification(ServerNotification::CustomNotification(notice))
        };
        let mut sent = 0;
        while tokio::time::timeout(Duration::from_millis(100), lines.send(told(EVENT))).await.is_ok() {
            sent += 1;
        }
        assert!((4..=8).contains(&sent), "{sent} MiB");
        lines.send(told("notifications/tasks")).await.expect("is queued at once");
        let waiting = lines.send(told(EVENT));
        let reading = tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
        let sent = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        sent.expect("there is room once it is read").expect("is sent");
        reading.abort();
    }
}
