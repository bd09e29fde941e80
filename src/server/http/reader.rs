//! One reader of a session's stream: what an HTTP response body is made of.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use rmcp::transport::streamable_http_server::session::ServerSseMessage;

use crate::relay::{Connection, Place};

/// How long a client whose stream broke off should wait before it comes back.
const RETRY: Duration = Duration::from_secs(1);

/// Reads one stream from one event on. Dropping it tells the session that the client is away.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Arc<Connection>,
    place: Place,
    /// Whether the first event is still to be sent that gives the client an id to come back with (SEP-1699).
    primes: bool,
}

impl Reader {
    pub(super) fn new(connection: Arc<Connection>, place: Place, primes: bool) -> Self {
        Self { connection, place, primes }
    }

    fn event_id(&self, index: u64) -> String {
        format!("{}-{index}", self.place.key)
    }
}

impl Stream for Reader {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if std::mem::take(&mut this.primes) {
            let id = this.event_id(this.place.next - 1);
            return Poll::Ready(Some(ServerSseMessage::priming(id, RETRY)));
        }
        let next = ready!(this.connection.streams().poll(&mut this.place, cx));
        Poll::Ready(next.map(|(index, message)| {
            let mut event = ServerSseMessage::default();
            event.event_id = Some(this.event_id(index));
            event.message = Some(message);
            event
        }))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.connection.streams().detach(&self.place);
    }
}
