//! A thread that owns one connection: SQLite blocks, the callers must not.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::{StoreError, StoreResult};
use super::fault::Fault;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

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
    ) -> Result<Self, Fault> {
        let (jobs, inbox) = mpsc::channel();
        thread::Builder::new()
            .name("sqlite".into())
            .spawn(move || serve(connection, &inbox, check))
            .map_err(|error| Fault::File(format!("no thread can be started for it: {error}")))?;
        Ok(Self { jobs, location })
    }

    /// Runs `job` on the thread. Once begun it runs to its end, even if nobody waits for the result.
    pub(super) async fn run<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if !reply.is_closed() {
                // The caller may have gone while the job ran; then there is nobody to tell.
                let _ = reply.send(job(connection));
            }
        });
        self.jobs.send(job).map_err(|_| self.ended())?;
        let result = result.await.map_err(|_| self.ended())?;
        result.map_err(|fault| fault.at(&self.location))
    }

    fn ended(&self) -> StoreError {
        StoreError::Backend {
            location: self.location.to_string(),
            problem: "the thread that reads and writes it has ended; restart this process".into(),
        }
    }
}

fn serve(mut connection: Connection, inbox: &Receiver<Job>, check: Option<Check>) {
    let Some(mut check) = check else {
        return inbox.iter().for_each(|job| job(&mut connection));
    };
    let mut next = Instant::now();
    loop {
        match inbox.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(job) => job(&mut connection),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= next {
            (check.run)(&connection);
            next = Instant::now() + check.every;
        }
    }
}
