//! What a server on stdio wrote to its stderr last, and how it ended: it may say why the connection did.

use std::process::ExitStatus;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::watch;

use super::ClientError;
use super::failure::answers_oddly;

/// How much of its stderr is kept for an error message, in bytes.
const KEPT_BYTES: usize = 2048;
/// How long the end of its stderr is waited for once the connection has ended. Something that the server started may
/// hold it open.
const REST: Duration = Duration::from_secs(2);

/// The last that the server wrote to its stderr; nothing, where the server is no child process.
#[derive(Debug, Clone)]
pub(super) struct LastWords {
    kept: Arc<RwLock<Vec<u8>>>,
    status: Arc<RwLock<Option<ExitStatus>>>,
    /// What the program did, where the connection was closed for it.
    hung_up: Arc<RwLock<Option<String>>>,
    ended: Arc<watch::Sender<bool>>,
}

impl Default for LastWords {
    fn default() -> Self {
        let ended = Arc::new(watch::Sender::new(true));
        Self { kept: Arc::default(), status: Arc::default(), hung_up: Arc::default(), ended }
    }
}

impl LastWords {
    /// Adds them to an error that says the server is gone, or silent, for they may say why.
    pub(super) async fn explain(&self, error: ClientError) -> ClientError {
        let hung_up = self.hung_up.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (error, hung_up) {
            (ClientError::Unreachable { server, .. }, Some(problem)) => answers_oddly(&server, problem),
            (error, _) => self.with_words(error).await,
        }
    }

    async fn with_words(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Unreachable { server, reason, is_sent } => {
                // The pipes close in any order.
                let _ = tokio::time::timeout(REST, self.ended.subscribe().wait_for(|ended| *ended)).await;
                let reason = format!("{}{}", self.end().unwrap_or(reason), self.said());
                ClientError::Unreachable { server, reason, is_sent }
            }
            ClientError::Timeout { server, what, after, .. } => {
                ClientError::Timeout { server, what, after, words: self.said() }
            }
            other => other,
        }
    }

    /// The connection was closed from here, since the program does that.
    pub(super) fn hung_up_on(&self, problem: String) {
        *self.hung_up.write().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }

    /// Whether the connection was closed from here.
    pub(super) fn has_hung_up(&self) -> bool {
        self.hung_up.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The program has ended.
    pub(super) fn ended_with(&self, status: ExitStatus) {
        *self.status.write().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    fn end(&self) -> Option<String> {
        let status = (*self.status.read().unwrap_or_else(PoisonError::into_inner))?;
        Some(format!("the program ended ({status})"))
    }

    /// The words as they stand after an error; empty where there are none.
    fn said(&self) -> String {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept).trim().to_owned();
        if text.is_empty() { text } else { format!("; the last it wrote to stderr: {text}") }
    }

    /// Reads its stderr to the end, whatever bytes it has: a server whose stderr nobody reads stops when it is full.
    pub(super) fn listen(self, stderr: ChildStderr) {
        // A program that was started before, in the other era, has said nothing about this one.
        self.kept.write().unwrap_or_else(PoisonError::into_inner).clear();
        *self.status.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.hung_up.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.ended.send_replace(false);
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr);
            while let Ok(read) = stderr.fill_buf().await {
                // One that writes without end leaves its turn to the others.
                tokio::task::consume_budget().await;
                let end = read.iter().position(|byte| *byte == b'\n').map_or(read.len(), |end| end + 1);
                if end == 0 {
                    break;
                }
                tracing::debug!(target: "mcptask::server_stderr", "{}", String::from_utf8_lossy(&read[..end]).trim_end());
                self.add(&read[..end]);
                stderr.consume(end);
            }
            self.ended.send_replace(true);
        });
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let excess = kept.len().saturating_sub(KEPT_BYTES);
        if excess > 0 {
            // The rest of a character that is cut goes with it.
            let is_rest = |byte: &u8| (0x80..0xC0).contains(byte);
            let rest = kept[excess..].iter().take_while(|byte| is_rest(byte)).count();
            kept.drain(..excess + rest);
        }
    }
}
