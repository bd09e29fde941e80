//! All at a glance: who works, what runs, what has ended, and what is wrong with it. It is read only while somebody looks at
//! it, again when something has happened, and not more often than a person reads.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Inbox;
use crate::desk::diagnose::Finding;
use crate::desk::failure::Failure;
use crate::desk::place::Place;
use crate::desk::row::{Row, Wanted};
use crate::desk::text;
use crate::desk::workers::{Looked, Worker, deployed};
use crate::task::TaskStatus;

/// Tasks that are shown of each kind, the newest.
const MOST: usize = 100;

/// How many tasks are looked at for what workers run.
const AT_A_GLANCE: Looked = Looked { at: 200, least: 5 };

/// The least time from one reading to the next.
const BETWEEN_READINGS: Duration = Duration::from_secs(1);

/// How long after that it is read again although nothing has happened: a lease ends without a word.
const STALE: Duration = Duration::from_secs(4);

/// The same where all places are servers: each of their tasks costs a request.
const STALE_AT_SERVERS: Duration = Duration::from_secs(30);

/// The least time from one diagnosis to the next: it looks at each task.
const BETWEEN_DIAGNOSES: Duration = Duration::from_secs(5);

/// Something, and which of the places it is at.
pub(crate) struct At<T> {
    pub(crate) place: usize,
    pub(crate) what: T,
}

/// What there is.
#[derive(Default)]
pub(crate) struct Overview {
    pub(crate) workers: Vec<At<Worker>>,
    pub(crate) unfinished: Vec<At<Row>>,
    pub(crate) ended: Vec<At<Row>>,
    pub(crate) findings: Arc<Vec<At<Finding>>>,
    /// How servers are followed: what they tell by themselves, and what is looked at.
    pub(crate) ways: Vec<String>,
    /// What the places are called.
    pub(crate) places: Vec<String>,
    /// Why places could not be read.
    pub(crate) problems: Vec<String>,
}

/// The findings, and when they were looked for.
type Diagnosed = Option<(Instant, Arc<Vec<At<Finding>>>)>;

impl Inbox {
    /// Whether somebody looks at the overview from now on.
    pub(crate) fn look_at_all(&self, looks: bool) {
        self.looked_at.send_if_modified(|now| std::mem::replace(now, looks) != looks);
    }

    /// The overview as it was read last, and whenever it is read anew.
    pub(crate) fn overviews(&self) -> tokio::sync::watch::Receiver<Option<Arc<Overview>>> {
        self.overview.subscribe()
    }

    /// Reads the overview for as long as somebody looks at it.
    pub(crate) async fn survey(&self) -> Infallible {
        let (mut looked_at, mut happened) = (self.looked_at.subscribe(), self.happened.subscribe());
        let mut diagnosed: Diagnosed = None;
        loop {
            if looked_at.wait_for(|looks| *looks).await.is_err() {
                return std::future::pending().await;
            }
            happened.mark_unchanged();
            // Boxed, since whoever waits for it would carry it along.
            let reading = Box::pin(self.read_all(&mut diagnosed));
            tokio::select! {
                overview = reading => drop(self.overview.send_replace(Some(Arc::new(overview)))),
                _ = looked_at.wait_for(|looks| !looks) => continue,
            }
            tokio::time::sleep(BETWEEN_READINGS).await;
            let stale = if self.has_servers_alone() { STALE_AT_SERVERS } else { STALE };
            let something = tokio::time::timeout(stale, happened.changed());
            let _ = something.await;
        }
    }

    fn has_servers_alone(&self) -> bool {
        self.opened().iter().all(|(place, _)| matches!(place, Place::Server(_)))
    }

    async fn read_all(&self, diagnosed: &mut Diagnosed) -> Overview {
        let mut overview = Overview::default();
        let before = diagnosed.take().filter(|(at, _)| at.elapsed() < BETWEEN_DIAGNOSES);
        let mut findings = Vec::new();
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unreached = away.iter().map(|name| format!("{}: it cannot be reached yet", text::line(name)));
        overview.problems.extend(unreached);
        for at in 0..self.count() {
            let Some(place) = &self.place(at) else { continue };
            overview.places.push(self.name(at));
            let read = self.read_place(at, place, &mut overview).await;
            let found = match (read, &before) {
                (Ok(()), None) => place.diagnose().await,
                (read, _) => read.map(|()| Vec::new()),
            };
            match found {
                Ok(found) => findings.extend(found.into_iter().map(|what| At { place: at, what })),
                Err(failure) => overview.problems.push(self.problem(at, &failure)),
            }
        }
        let newest_first = |rows: &mut Vec<At<Row>>| {
            rows.sort_by_key(|row| std::cmp::Reverse(row.what.created_at));
            rows.truncate(MOST);
        };
        newest_first(&mut overview.unfinished);
        newest_first(&mut overview.ended);
        let (when, findings) = before.unwrap_or_else(|| (Instant::now(), Arc::new(findings)));
        overview.findings = findings.clone();
        *diagnosed = Some((when, findings));
        overview
    }

    /// Reads a place, once.
    async fn read_place(&self, at: usize, place: &Place, overview: &mut Overview) -> Result<(), Failure> {
        let (rows, workers) = rows_and_workers(place).await?;
        for mut row in rows {
            row.source = self.name_of(at, &row.source);
            let is_over = row.status.is_some_and(TaskStatus::is_final);
            let kind = if is_over { &mut overview.ended } else { &mut overview.unfinished };
            kind.push(At { place: at, what: row });
        }
        if let Place::Server(server) = place
            && let Some(way) = server.way()
        {
            overview.ways.push(format!("{}: {way}", text::line(&self.name(at))));
        }
        overview.workers.extend(workers.into_iter().map(|what| At { place: at, what }));
        Ok(())
    }

    fn problem(&self, at: usize, failure: &Failure) -> String {
        format!("{}: {}", text::line(&self.name(at)), text::sentence(&failure.to_string()))
    }
}

const UNFINISHED: &[TaskStatus] = &[TaskStatus::Working, TaskStatus::InputRequired];
const ENDED: &[TaskStatus] = &[TaskStatus::Completed, TaskStatus::Failed, TaskStatus::Cancelled];

/// What there is at a place. Our own store has the newest of each kind at hand; others are gone through as a whole, once.
async fn rows_and_workers(place: &Place) -> Result<(Vec<Row>, Vec<Worker>), Failure> {
    let kinds: &[&[TaskStatus]] = match place {
        Place::Fastmcp(deployment) => {
            let tasks = deployment.list().await?;
            let workers = deployed(deployment, &tasks).await?;
            return Ok((tasks.iter().map(Row::of_deployed).collect(), workers));
        }
        Place::Store(_) => &[UNFINISHED, ENDED],
        Place::Server(_) => &[&[]],
    };
    let mut rows = Vec::new();
    for statuses in kinds {
        let wanted = Wanted { statuses: statuses.to_vec(), most: MOST, ..Wanted::default() };
        rows.extend(place.rows(&wanted).await?);
    }
    Ok((rows, place.known_workers(AT_A_GLANCE).await?.workers))
}
