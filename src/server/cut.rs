//! The fault that cuts a response off in its middle.

use axum::body::{Body, Bytes};
use futures::StreamExt as _;

/// Marks a request whose response is cut off: [`Fault::DroppedConnection`].
///
/// [`Fault::DroppedConnection`]: crate::task::Fault::DroppedConnection
#[derive(Debug, Clone)]
pub(super) struct Cut;

/// The body up to the middle of its first message. The error behind it drops the connection.
pub(super) fn cut_off(body: Body) -> Body {
    let parts = body.into_data_stream().scan(false, |over, part| {
        if *over {
            return std::future::ready(Some(Err(axum::Error::new("fault: the connection is dropped"))));
        }
        let message = |part: &Bytes| String::from_utf8_lossy(part).contains("jsonrpc");
        *over = part.as_ref().is_ok_and(message);
        let kept = |part: Bytes| if *over { part.slice(..part.len() / 2) } else { part };
        std::future::ready(Some(part.map(kept)))
    });
    // A message is one part, and something has to come behind it: later, so that the first half goes out.
    let end = futures::stream::once(async {
        tokio::task::yield_now().await;
        Err(axum::Error::new("fault: the connection is dropped"))
    });
    Body::from_stream(parts.chain(end))
}
