//! Server-sent events, with bounds that their parser does not have.

use std::error::Error;
use std::io::ErrorKind;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use rmcp::model::ServerJsonRpcMessage;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};

/// The events of a stream.
pub(super) type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The longest pause, in milliseconds, that a server may ask for before a stream is opened again: nobody means years.
const LONGEST_RETRY_MS: u64 = 300_000;

/// The events in `bytes`. One of more than `limit` bytes ends them, in whichever way its lines end.
pub(super) fn events<S>(bytes: S, limit: usize) -> Events
where
    S: futures::Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
{
    let mut counter = EventBytes { limit, ..EventBytes::default() };
    let bounded = bytes
        .map_err(|error| std::io::Error::other(error.without_url()))
        .and_then(move |chunk| std::future::ready(counter.take(chunk)));
    let events = SseStream::from_bytes_stream(bounded.boxed());
    let patient = |mut event: Sse| {
        event.retry = event.retry.map(|pause| pause.min(LONGEST_RETRY_MS));
        event
    };
    events.map_ok(patient).boxed()
}

/// Only the events that have a message: rmcp takes any other before the reply to the handshake for a broken reply, and
/// passes it over everywhere else.
pub(super) fn messages(events: Events) -> Events {
    let only_messages = |mut event: Sse| {
        let is_told = event.event.as_deref().is_none_or(|kind| matches!(kind, "" | "message"));
        event.data =
            event.data.filter(|data| is_told && serde_json::from_str::<ServerJsonRpcMessage>(data).is_ok());
        event
    };
    events.map_ok(only_messages).boxed()
}

/// Whether this is why a stream ended: an event of too many bytes.
pub(super) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::FileTooLarge)
}

/// Counts the bytes of the event that is being received; a blank line ends it.
#[derive(Default)]
struct EventBytes {
    limit: usize,
    event: usize,
    line: usize,
    /// Whether the last byte was a carriage return: a line feed after it ends no second line.
    is_after_return: bool,
}

impl EventBytes {
    fn take(&mut self, chunk: Bytes) -> Result<Bytes, std::io::Error> {
        for byte in &chunk {
            self.count(*byte);
            if self.event > self.limit {
                let problem = format!("the server sent an event of more than {} bytes", self.limit);
                return Err(std::io::Error::new(ErrorKind::FileTooLarge, problem));
            }
        }
        Ok(chunk)
    }

    fn count(&mut self, byte: u8) {
        let is_same_end = byte == b'\n' && self.is_after_return;
        self.is_after_return = byte == b'\r';
        match byte {
            _ if is_same_end => {}
            b'\n' | b'\r' if self.line == 0 => self.event = 0,
            b'\n' | b'\r' => {
                self.event += 1;
                self.line = 0;
            }
            _ => {
                self.event += 1;
                self.line += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: String, limit: usize) -> Vec<Result<Sse, SseError>> {
        // In pieces, so that a line end is cut in two.
        let pieces: Vec<_> =
            text.into_bytes().chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        events(futures::stream::iter(pieces), limit).collect().await
    }

    #[tokio::test]
    async fn an_event_is_bounded_however_its_lines_end() {
        for end in ["\n", "\r", "\r\n"] {
            let good = format!("data: {}{end}{end}", "x".repeat(50)).repeat(20);
            let read_of = read(good, 100).await;
            assert_eq!(read_of.len(), 20, "{end:?}");
            assert!(read_of.iter().all(Result::is_ok), "{end:?}");
            let lines = format!("data: x{end}").repeat(100);
            assert!(read(lines, 100).await[0].is_err(), "an event of many lines: {end:?}");
            let comments = format!(":{end}").repeat(1000);
            assert!(read(comments, 100).await[0].is_err(), "comments: {end:?}");
        }
        assert!(read("x".repeat(1000), 100).await[0].is_err(), "no line end at all");
    }

    #[tokio::test]
    async fn a_pause_of_years_is_cut_short() {
        let read_of =
            read("retry: 18446744073709551615\ndata: x\n\nretry: 20\ndata: y\n\n".into(), 100).await;
        let pauses: Vec<_> = read_of.into_iter().map(|event| event.expect("an event").retry).collect();
        assert_eq!(pauses, [Some(LONGEST_RETRY_MS), Some(20)]);
    }
}
