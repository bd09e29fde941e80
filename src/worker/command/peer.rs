//! One connection on a command's socket: lines in, lines out, and whether somebody still listens.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::time::sleep;

use crate::ask::protocol::{MAX_LINE_BYTES, Reply};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// Looks at a peer that has finished writing but may still read (`nc`) are this far apart: the system tells
/// when a connection closes, and not when the second half of it does.
const HALF_CLOSED_LOOK: Duration = Duration::from_millis(500);

pub(super) struct Peer {
    stream: UnixStream,
    buffer: Vec<u8>,
}

/// What was read.
pub(super) enum Line {
    /// A line without its newline.
    Whole(Vec<u8>),
    /// More than a line may have; nothing after it can be understood.
    TooLong,
    /// The peer has nothing more to say.
    End,
}

impl Peer {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The next line; the last one may lack its newline.
    pub(super) async fn line(&mut self) -> Line {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return if at < MAX_LINE_BYTES { Line::Whole(line) } else { Line::TooLong };
            }
            if self.buffer.len() >= MAX_LINE_BYTES {
                return Line::TooLong;
            }
            if !self.read_more().await {
                let rest = std::mem::take(&mut self.buffer);
                return if rest.is_empty() { Line::End } else { Line::Whole(rest) };
            }
        }
    }

    /// Reads what there is; false at the end. Dropping the future loses nothing.
    async fn read_more(&mut self) -> bool {
        self.buffer.reserve(CHUNK);
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(count) if count > 0)
    }

    /// Waits until nobody is there to read a reply. Dropping the future loses nothing.
    pub(super) async fn gone(&mut self) {
        while self.buffer.len() < MAX_LINE_BYTES {
            if !self.read_more().await {
                return self.both_halves_closed().await;
            }
        }
        // It sends on without waiting for the reply; its next writes will tell.
        std::future::pending::<()>().await;
    }

    async fn both_halves_closed(&self) {
        while let Ok(ready) = self.stream.ready(Interest::WRITABLE).await {
            if ready.is_write_closed() {
                return;
            }
            sleep(HALF_CLOSED_LOOK).await;
        }
    }

    /// Sends a reply; false when nobody takes it.
    pub(super) async fn send(&mut self, reply: &Reply) -> bool {
        let Ok(mut line) = serde_json::to_vec(reply) else { return false };
        line.push(b'\n');
        self.stream.write_all(&line).await.is_ok()
    }
}
