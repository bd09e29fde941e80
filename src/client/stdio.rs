//! A server that is a child process: one JSON message per line on its stdin and stdout.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, watch};

use super::ClientError;
use super::wire::Wire;

/// The longest line that a server may send, in bytes: what HTTP takes, too.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;
/// How much of its stderr is kept for an error message, in bytes.
const KEPT_STDERR_BYTES: usize = 2048;
/// How long the server has after its stdin closed.
const GRACE: Duration = Duration::from_secs(3);

/// The last lines that the server wrote to its stderr; nothing, where the server is no child process.
#[derive(Debug, Clone)]
pub(super) struct LastWords {
    text: Arc<RwLock<String>>,
    ended: Arc<watch::Sender<bool>>,
}

impl Default for LastWords {
    fn default() -> Self {
        Self { text: Arc::default(), ended: Arc::new(watch::Sender::new(true)) }
    }
}

impl LastWords {
    /// Adds them to an error that says the server is gone, for they may say why.
    pub(super) async fn explain(&self, error: ClientError) -> ClientError {
        let ClientError::Unreachable { server, reason, is_sent } = error else { return error };
        // The pipes close in any order. A grandchild may hold stderr open, so the wait has a bound.
        let _ = tokio::time::timeout(GRACE, self.ended.subscribe().wait_for(|ended| *ended)).await;
        let text = self.text.read().unwrap_or_else(PoisonError::into_inner).trim().to_owned();
        let reason =
            if text.is_empty() { reason } else { format!("{reason}; the last it wrote to stderr: {text}") };
        ClientError::Unreachable { server, reason, is_sent }
    }

    async fn listen(self, stderr: ChildStderr) {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            tracing::debug!(target: "mcptask::server_stderr", "{line}");
            self.add(&line);
        }
        self.ended.send_replace(true);
    }

    fn add(&self, line: &str) {
        let mut kept = self.text.write().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(line);
        kept.push('\n');
        let excess = kept.len().saturating_sub(KEPT_STDERR_BYTES);
        let cut = (excess..=kept.len()).find(|at| kept.is_char_boundary(*at)).unwrap_or(0);
        kept.drain(..cut);
    }
}

/// The running server.
pub(super) struct ChildServer {
    child: Child,
    stdin: Option<Arc<Mutex<ChildStdin>>>,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
    wire: Arc<Wire>,
}

impl ChildServer {
    /// Starts the program; it is killed when this value goes.
    pub(super) fn start(command: &[String], wire: Arc<Wire>, words: LastWords) -> io::Result<Self> {
        let mut process = Command::new(&command[0]);
        process.args(&command[1..]).kill_on_drop(true);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C at the terminal is for the prompt, which then closes the server in order.
        #[cfg(unix)]
        process.process_group(0);
        let mut child = process.spawn()?;
        let missing = || io::Error::other("the process has no pipes");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        words.ended.send_replace(false);
        tokio::spawn(words.listen(child.stderr.take().ok_or_else(missing)?));
        let stdin = Some(Arc::new(Mutex::new(stdin)));
        Ok(Self { child, stdin, stdout: BufReader::new(stdout), line: Vec::new(), wire })
    }

    /// The next whole line; `None` at the end. Dropping the future loses nothing: what was read so far
    /// stays in `self.line`.
    async fn next_line(&mut self) -> Option<String> {
        loop {
            let read = self.stdout.fill_buf().await.ok()?;
            if read.is_empty() {
                return None;
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            self.line.extend_from_slice(&read[..taken]);
            self.stdout.consume(taken);
            if self.line.len() > MAX_LINE_BYTES {
                tracing::warn!("the server sent a line of more than {MAX_LINE_BYTES} bytes: hanging up");
                return None;
            }
            if end.is_some() {
                return Some(String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned());
            }
        }
    }
}

impl Transport<RoleClient> for ChildServer {
    type Error = io::Error;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let stdin = self.stdin.clone();
        async move {
            let stdin = stdin.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let mut stdin = stdin.lock().await;
            stdin.write_all(&line).await?;
            stdin.flush().await
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let line = self.next_line().await?;
            match serde_json::from_str(&self.wire.inbound(&line)) {
                Ok(message) => return Some(message),
                Err(_) if line.trim().is_empty() => {}
                // Some servers print banners there; the protocol goes on with the next line.
                Err(error) => tracing::warn!("the server sent a line that is not MCP: {error}"),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.stdin = None;
        if let Ok(status) = tokio::time::timeout(GRACE, self.child.wait()).await {
            return status.map(drop);
        }
        self.child.kill().await
    }
}
