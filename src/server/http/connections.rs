//! The server's connections: how many there are, how long they may take, and TLS.
//!
//! Connections that have not shown a request that was let in are few, and the oldest gives way to the newest:
//! whoever opens thousands and says nothing, or says it very slowly, shuts nobody out.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::server::tls::Identity;

/// Connections at once, where the open-file limit allows more.
pub(crate) const MOST: usize = 50_000;

/// Open files that are left for everything else: the store, tools and their pipes.
const RESERVED_FILES: usize = 128;

/// Connections that have not shown a request that was let in.
const MOST_NEWCOMERS: usize = 1024;

/// How long to wait when the system has no connection to give.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(super) struct Connections {
    router: Router,
    identity: Option<Identity>,
    /// How long a client may take for its TLS handshake, and for the head of each request.
    read_time: Duration,
    newcomers: Newcomers,
    open: TaskTracker,
}

impl Connections {
    pub(super) fn new(router: Router, identity: Option<Identity>, read_time: Duration) -> Self {
        let newcomers = Newcomers { most: MOST_NEWCOMERS.min(most() / 2), waiting: Arc::default() };
        Self { router, identity, read_time, newcomers, open: TaskTracker::new() }
    }

    /// Serves until `stop`, then until all that is under way has been answered.
    pub(super) async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let this = Arc::new(self);
        let places = Arc::new(Semaphore::new(most()));
        loop {
            let connected = stop.run_until_cancelled(next(&listener, &places)).await;
            let Some((stream, place)) = connected else { break };
            let (this, stop) = (this.clone(), stop.clone());
            this.open.clone().spawn(async move {
                this.connection(stream, stop).await;
                drop(place);
            });
        }
        drop(listener);
        this.open.close();
        this.open.wait().await;
    }

    async fn connection(&self, stream: TcpStream, stop: CancellationToken) {
        let newcomer = Arc::new(self.newcomers.come());
        // A question is a small packet that a person waits for.
        drop(stream.set_nodelay(true));
        let Some(identity) = &self.identity else {
            return self.requests(stream, newcomer, stop).await;
        };
        let spoken = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = newcomer.gave_way() => return,
            spoken = timeout(self.read_time, identity.accept(stream)) => spoken,
        };
        match spoken {
            Ok(Ok(stream)) => self.requests(stream, newcomer, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a client and this server did not agree on TLS"),
            Err(_) => tracing::debug!("a client did not finish its TLS handshake in time"),
        }
    }

    async fn requests<S>(&self, stream: S, newcomer: Arc<Newcomer>, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let shown = newcomer.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(shown.clone());
            router.call(request)
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.read_time);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            () = newcomer.gave_way() => return,
            ended = connection.as_mut() => Some(ended),
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                () = newcomer.gave_way() => return,
                ended = connection => ended,
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// How many connections the open-file limit leaves place for.
fn most() -> usize {
    let files =
        getrlimit(Resource::Nofile).current.map_or(MOST, |files| usize::try_from(files).unwrap_or(MOST));
    files.saturating_sub(RESERVED_FILES).clamp(16, MOST)
}

/// The next connection, as soon as there is place for one.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { std::future::pending().await };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the client left before it was taken.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The connections that have not shown a request that was let in, oldest first.
struct Newcomers {
    most: usize,
    waiting: Waiting,
}

type Waiting = Arc<Mutex<BTreeMap<u64, CancellationToken>>>;

/// One of them, or one that was.
#[derive(Debug)]
pub(super) struct Newcomer {
    number: u64,
    waiting: Waiting,
    gives_way: CancellationToken,
    let_in: AtomicBool,
}

impl Newcomers {
    fn come(&self) -> Newcomer {
        let gives_way = CancellationToken::new();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let number = waiting.last_key_value().map_or(0, |(last, _)| last + 1);
        waiting.insert(number, gives_way.clone());
        if waiting.len() > self.most
            && let Some((_, oldest)) = waiting.pop_first()
        {
            oldest.cancel();
        }
        drop(waiting);
        Newcomer { number, waiting: self.waiting.clone(), gives_way, let_in: AtomicBool::new(false) }
    }
}

impl Newcomer {
    /// A request of this connection was let in: from now on it gives way to nobody.
    pub(super) fn let_in(&self) {
        if !self.let_in.swap(true, Ordering::Relaxed) {
            self.leave();
        }
    }

    async fn gave_way(&self) {
        self.gives_way.cancelled().await;
        tracing::debug!("a connection without a request that was let in gave way to newer ones");
    }

    fn leave(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_newcomer_gives_way_and_who_was_let_in_stays() {
        let newcomers = Newcomers { most: 2, waiting: Arc::default() };
        let known = newcomers.come();
        known.let_in();
        let (first, second, third) = (newcomers.come(), newcomers.come(), newcomers.come());
        let gave_way = [&known, &first, &second, &third].map(|one| one.gives_way.is_cancelled());
        assert_eq!(gave_way, [false, true, false, false]);
        drop((first, second));
        let fourth = newcomers.come();
        assert!(!third.gives_way.is_cancelled() && !fourth.gives_way.is_cancelled(), "there was place again");
    }
}
