//! Whether the server can do its work: `/health`.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::engine::Engine;

/// How long one look at the store is good for: whoever asks often is no burden to it.
const FRESH: Duration = Duration::from_secs(1);

/// How long a store may take to answer, before it counts as one that does not.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the store for everybody who asks.
pub(super) struct Health {
    engine: Engine,
    /// When it was looked at last, and whether it answered. Held while somebody looks, so that one look serves all.
    last: Mutex<Option<(Instant, bool)>>,
}

impl Health {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, last: Mutex::default() }
    }

    /// What is said to whoever asks. What is wrong with the store stands in the server's log, and not here.
    pub(super) async fn told(&self) -> Response {
        if self.works().await {
            "ok\n".into_response()
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "the task store does not work at present\n").into_response()
        }
    }

    async fn works(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((_, works)) = last.filter(|(at, _)| at.elapsed() < FRESH) {
            return works;
        }
        let works = matches!(tokio::time::timeout(PATIENCE, self.engine.last()).await, Ok(Ok(_)));
        *last = Some((Instant::now(), works));
        works
    }
}
