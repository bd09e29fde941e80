//! A thread that owns one connection: SQLite blocks, the callers must not.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::{StoreError, StoreResult};
use super::failure::Failure;

/// What the thread is asked for.
enum Job {
    /// To do something with its connection.
    Run(Box<dyn FnOnce(&mut Connection) + Send>),
    /// To close its connection, say so, and end.
    Close(oneshot::Sender<()>),
}

/// Something that the thread does with its connection from time to time.
pub(super) struct Check {
    /// How often.
    pub(super) every: Duration,
    /// What.
    pub(super) run: Box<dyn FnMut(&Connection) + Send>,
}

/// A handle on the thread, which ends with its last handle.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    jobs: Sender<Job>,
    location: Arc<str>,
}

impl Actor {
    /// Starts the thread.
    pub(super) fn start(
        location: Arc<str>,
        connection: Connection,
        check: Option<Check>,
    ) -> Result<Self, Failure> {
        let (jobs, inbox) = mpsc::channel();
        thread::Builder::new()
            .name("sqlite".into())
            .spawn(move || serve(connection, &inbox, check))
            .map_err(|error| Failure::File(format!("no thread can be started for it: {error}")))?;
        Ok(Self { jobs, location })
    }

    /// Runs `job` on the thread. Once begun it runs to its end, even if nobody waits for the result.
    pub(super) async fn run<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            if !reply.is_closed() {
                // The caller may have gone while the job ran; then there is nobody to tell.
                let _ = reply.send(job(connection));
            }
        });
        self.jobs.send(Job::Run(job)).map_err(|_| self.ended())?;
        let result = result.await.map_err(|_| self.ended())?;
        result.map_err(|failure| failure.at(&self.location))
    }

    /// Closes the connection, after what was asked for before. Whatever is asked for afterwards is refused.
    pub(super) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).is_ok() {
            // An error only means that the thread ended before it could say so.
            let _ = closed.await;
        }
    }

    fn ended(&self) -> StoreError {
        StoreError::Backend {
            location: self.location.to_string(),
            problem: "it was closed by this process, which is ending".into(),
        }
    }
}

fn serve(mut connection: Connection, inbox: &Receiver<Job>, mut check: Option<Check>) {
    let mut next = Instant::now();
    loop {
        let job = match &check {
            Some(_) => inbox.recv_timeout(next.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(RecvTimeoutError::from),
        };
        match job {
            Ok(Job::Run(job)) => job(&mut connection),
            Ok(Job::Close(reply)) => {
                drop(connection);
                // Whoever closed may have gone.
                let _ = reply.send(());
                return;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(check) = check.as_mut().filter(|_| Instant::now() >= next) {
            (check.run)(&connection);
            next = Instant::now() + check.every;
        }
    }
}
