//! A command's stdout: kept up to its limit.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::sync::CancellationToken;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// What a command has written so far. It stays readable when its reader is dropped, because a process that
/// cannot be ended may hold the pipe open for ever.
#[derive(Debug, Clone)]
pub(super) struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
    exceeded: CancellationToken,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Arc::default(), limit, exceeded: CancellationToken::new() }
    }

    /// Fires when there was more than the limit.
    pub(super) fn exceeded(&self) -> &CancellationToken {
        &self.exceeded
    }

    /// Reads to the end, or past the limit; then nobody reads any more and the writer is told.
    pub(super) async fn read(self, mut pipe: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(count) => count,
            };
            let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            if bytes.len() + count > self.limit {
                self.exceeded.cancel();
                return;
            }
            bytes.extend_from_slice(&chunk[..count]);
        }
    }

    /// What was written, taken out.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
