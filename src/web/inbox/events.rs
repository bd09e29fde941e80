//! `/inbox/events`: one word whenever the inbox of the scope is another one, by server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::super::Web;
use crate::server::SignedIn;

/// The shortest time between two words: whoever hears one reads the whole list again.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a stream shows that it is alive, before proxies take it for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// What is said at first: when to come again after the stream has ended, and to look now, since something may have happened
/// since the page was made.
const BEGINNING: &[u8] = b"retry: 3000\ndata: changed\n\n";
const CHANGED: &[u8] = b"data: changed\n\n";
const ALIVE: &[u8] = b":\n\n";

/// Opens the stream of whoever is signed in.
pub(super) async fn open(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
) -> Response {
    let Some(signed_in) = signed_in else { return StatusCode::UNAUTHORIZED.into_response() };
    match web.changes.of(signed_in.scope()).await {
        Ok(Some(changes)) => {
            let body = Body::from_stream(words(changes, web.changes.stop()));
            ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Ok(None) => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Err(error) => {
            tracing::warn!(%error, "an inbox cannot be told of what is new");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// A stream, and when it said something last.
struct Open {
    changes: watch::Receiver<u64>,
    stop: CancellationToken,
    said: Option<Instant>,
}

fn words(
    changes: watch::Receiver<u64>,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let open = Open { changes, stop, said: None };
    futures::stream::unfold(open, async |mut open| {
        let word = open.next().await?;
        Some((Ok(Bytes::from_static(word)), open))
    })
}

impl Open {
    /// The next word; nothing once the server stops.
    async fn next(&mut self) -> Option<&'static [u8]> {
        let Some(said) = self.said else {
            self.said = Some(Instant::now());
            return Some(BEGINNING);
        };
        let stop = self.stop.clone();
        let changed = async {
            self.changes.changed().await.ok()?;
            sleep_until(said + PAUSE).await;
            // What came during the pause is told by this word too.
            self.changes.mark_unchanged();
            Some(CHANGED)
        };
        let word = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            word = changed => word,
            () = sleep(KEEP_ALIVE) => return Some(ALIVE),
        };
        self.said = Some(Instant::now());
        word
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    #[tokio::test]
    async fn many_changes_are_one_word() {
        let (sender, changes) = watch::channel(0);
        let stop = CancellationToken::new();
        let mut words = Box::pin(words(changes, stop.clone()));
        let mut next = async || words.next().await.map(Result::unwrap_or_default);
        assert_eq!(next().await.as_deref(), Some(BEGINNING));
        let began = Instant::now();
        for _ in 0..100 {
            sender.send_modify(|count| *count += 1);
        }
        assert_eq!(next().await.as_deref(), Some(CHANGED));
        assert!(began.elapsed() >= PAUSE / 2, "{:?}", began.elapsed());
        assert!(next().now_or_never().is_none());
        stop.cancel();
        assert_eq!(next().await, None);
    }
}
