//! One reader of a session's stream: what an HTTP response body is made of.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use rmcp::transport::streamable_http_server::session::ServerSseMessage;

use super::streams::Streams;

/// How long a client whose stream broke off should wait before it comes back.
const RETRY: Duration = Duration::from_secs(1);

/// Reads one stream from one event on. Dropping it tells the session that the client is away.
#[derive(Debug)]
pub(super) struct Reader {
    streams: Arc<Streams>,
    key: u64,
    number: u64,
    next: u64,
    /// Whether the first event is still to be sent that gives the client an id to come back with (SEP-1699).
    primes: bool,
}

impl Reader {
    pub(super) fn new(streams: Arc<Streams>, key: u64, number: u64, next: u64, primes: bool) -> Self {
        Self { streams, key, number, next, primes }
    }

    fn event_id(&self, index: u64) -> String {
        format!("{}-{index}", self.key)
    }
}

impl Stream for Reader {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut state = this.streams.lock();
        let closed = state.closed;
        let Some(stream) = state.streams.get_mut(&this.key) else { return Poll::Ready(None) };
        if stream.reader != this.number {
            return Poll::Ready(None);
        }
        if this.primes {
            this.primes = false;
            let id = this.event_id(this.next - 1);
            return Poll::Ready(Some(ServerSseMessage::priming(id, RETRY)));
        }
        // What a slow reader missed is gone; it goes on with what is left.
        while this.next <= stream.last() {
            let index = this.next;
            this.next += 1;
            stream.taken = stream.taken.max(index);
            if let Some(message) = stream.message(index) {
                let mut event = ServerSseMessage::default();
                event.event_id = Some(this.event_id(index));
                event.message = Some(message);
                return Poll::Ready(Some(event));
            }
        }
        if stream.ended || closed {
            return Poll::Ready(None);
        }
        stream.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.streams.detach(self.key, self.number);
    }
}
