//! The host's lines. Each is read here first: rmcp answers none that it cannot read, so the host would wait for ever, and of a
//! key that stands twice it would take one.

use std::io;
use std::sync::Arc;

use rmcp::model::{ClientJsonRpcMessage, ErrorCode, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bounded_lines::{BoundedLines, Line};
use crate::json;

/// The most bytes of one message of the host.
const LINE: usize = 1024 * 1024;

/// What some programs begin a stream with. It means nothing.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a request does not arrive as it was written, beside the request.
#[derive(Debug, Clone)]
pub(super) struct Inexact(pub(super) String);

/// Why a line is not taken, and the id of its request where that can be read.
#[derive(Debug)]
struct Refusal {
    id: Option<RequestId>,
    code: ErrorCode,
    problem: String,
}

/// What is read of a line whose rest cannot be.
#[derive(Debug, Default, Deserialize)]
struct Head {
    id: Option<RequestId>,
    method: Option<IgnoredAny>,
    result: Option<IgnoredAny>,
}

/// A host on two streams of lines.
pub(super) struct Lines<R, W> {
    input: BoundedLines<BufReader<R>>,
    writer: Arc<Mutex<W>>,
    /// Told when the host closes its end, so that no call that waits for something holds up the end of the server.
    closed: CancellationToken,
    /// A request came: what rmcp waits for first.
    begun: bool,
    /// The refusal that is being written. Until it is, nothing more is read, so no host makes more of them than it reads.
    refusing: Option<JoinHandle<io::Result<()>>>,
}

impl<R: AsyncRead + Unpin + Send, W: AsyncWrite + Unpin + Send + 'static> Lines<R, W> {
    pub(super) fn new(reader: R, writer: W, closed: CancellationToken) -> Self {
        Self {
            input: BoundedLines::new(BufReader::new(reader), LINE),
            writer: Arc::new(Mutex::new(writer)),
            closed,
            begun: false,
            refusing: None,
        }
    }

    /// The next line; `None` at the end of the input. Losing the future loses nothing.
    async fn next_line(&mut self) -> Option<Result<Vec<u8>, Refusal>> {
        let next = self.input.next().await.inspect_err(|error| {
            tracing::warn!(%error, "cannot read from the host");
        });
        match next.unwrap_or_default() {
            Some(Line::Whole(line)) => Some(Ok(line)),
            Some(Line::TooLong) => {
                let problem = format!("the line is longer than {LINE} bytes");
                Some(Err(Refusal { id: None, code: ErrorCode::INVALID_REQUEST, problem }))
            }
            None => {
                self.closed.cancel();
                None
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = serde_json::to_vec(&message);
        let writer = self.writer.clone();
        async move { write(&writer, line?).await }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let refused = refusing.await;
                self.refusing = None;
                if !matches!(refused, Ok(Ok(()))) {
                    tracing::debug!(?refused, "the host was not told that a line was refused");
                }
            }
            match self.next_line().await?.and_then(|line| read(&line)) {
                Ok(message) => {
                    self.begun |= matches!(message, JsonRpcMessage::Request(_));
                    // rmcp would end the connection at anything else that comes first.
                    if self.begun {
                        return Some(message);
                    }
                }
                Err(Refusal { id, code, problem }) => {
                    // rmcp's own type leaves the id out where it is not known; JSON-RPC wants null.
                    let error = ErrorData::new(code, problem, None);
                    let reply = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
                    let writer = self.writer.clone();
                    self.refusing =
                        Some(tokio::spawn(async move { write(&writer, reply.into_bytes()).await }));
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.writer.lock().await.flush().await
    }
}

/// The message of a line.
fn read(line: &[u8]) -> Result<ClientJsonRpcMessage, Refusal> {
    let line = line.strip_prefix(MARK).unwrap_or(line);
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => {
            let problem = format!("the line cannot be read as JSON: {error}");
            let code = ErrorCode::PARSE_ERROR;
            // Numbers, texts and levels are passed over, so what is wrong with one of them hides no id.
            return match serde_json::from_slice(line).unwrap_or_default() {
                Head { id: Some(id), method: None, result: Some(_) } => Ok(unusable_reply(id, code, problem)),
                Head { id, .. } => Err(Refusal { id, code, problem }),
            };
        }
    };
    let inexact = std::str::from_utf8(line).ok().and_then(|text| json::check(text).err());
    let id = value.get("id").and_then(|id| RequestId::deserialize(id).ok());
    let mut message: ClientJsonRpcMessage = serde_json::from_value(value).map_err(|error| {
        let problem = format!("the line is not a JSON-RPC message: {error}");
        Refusal { id, code: ErrorCode::INVALID_REQUEST, problem }
    })?;
    if let Some(problem) = inexact {
        let problem = problem.to_string();
        if let JsonRpcMessage::Response(reply) = message {
            return Ok(unusable_reply(reply.id, ErrorCode::INVALID_PARAMS, problem));
        }
        message.insert_extension(Inexact(problem));
    }
    Ok(message)
}

/// A reply of the host that cannot be used ends the wait for it.
fn unusable_reply(id: RequestId, code: ErrorCode, problem: String) -> ClientJsonRpcMessage {
    ClientJsonRpcMessage::error(ErrorData::new(code, problem, None), Some(id))
}

async fn write<W: AsyncWrite + Unpin>(writer: &Mutex<W>, mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    let mut writer = writer.lock().await;
    writer.write_all(&line).await?;
    writer.flush().await
}
