//! What comes from the host, until it closes its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

/// The host's messages. Its end is told at once, so that no call that waits for something holds up the end of the server.
pub(super) struct Input<R> {
    reader: R,
    closed: CancellationToken,
}

impl<R> Input<R> {
    pub(super) fn new(reader: R, closed: CancellationToken) -> Self {
        Self { reader, closed }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.reader).poll_read(context, buffer);
        if matches!(&read, Poll::Ready(done) if done.is_err() || buffer.filled().len() == before) {
            self.closed.cancel();
        }
        read
    }
}
