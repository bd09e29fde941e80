//! All places that a command looks at.

use super::failure::client::runs_no_tasks;
use super::failure::{Failure, Kind};
use super::place::{Found, Place, no_task};
use super::short_id::long_enough;
use super::sought::Sought;
use super::suggest::Advice;
use crate::engine::{Engine, EngineError};
use crate::fastmcp::{Deployment, FastmcpError};

/// Keys of a Redis with tasks of our own that are searched for deployments: about as many as can be without
/// making a command noticeably slower.
pub(crate) const SEARCHED: u64 = 10_000;

/// The places.
#[derive(Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    /// Why FastMCP's were not looked for.
    unsearched: Option<FastmcpError>,
}

impl Places {
    /// These.
    pub(crate) fn of(places: Vec<Place>) -> Self {
        Self { places, unsearched: None }
    }

    /// What a Redis holds: our own store, which `existing` opens, and FastMCP's deployments; only the one of that
    /// docket, if one is named. Nothing is written.
    pub(crate) async fn of_redis(
        url: &str,
        docket: Option<&str>,
        existing: impl Future<Output = Result<Option<Engine>, Failure>>,
    ) -> Result<Self, Failure> {
        if docket.is_some() {
            return Ok(Self::of(deployed(Deployment::discover(url, docket).await?)));
        }
        let (native, refused) = match existing.await {
            Ok(native) => (native, None),
            // Users who are kept to FastMCP's keys may not look for ours.
            Err(failure) if failure.kind() == Kind::Unauthorised => (None, Some(failure)),
            Err(failure) => return Err(failure),
        };
        let discovered = if native.is_some() {
            Deployment::discover_among(url, SEARCHED).await
        } else {
            Deployment::discover(url, None).await
        };
        let (deployments, unsearched) = match discovered {
            Ok(found) => (found, None),
            Err(error @ FastmcpError::Crowded { .. }) => (Vec::new(), Some(error)),
            // Users who are kept to the keys of their own namespace may not look for others.
            Err(FastmcpError::Nothing { .. } | FastmcpError::Refused { .. }) => (Vec::new(), None),
            Err(error) => return Err(error.into()),
        };
        match refused {
            Some(failure) if deployments.is_empty() => Err(failure),
            _ => {
                let places = native.map(Place::Store).into_iter().chain(deployed(deployments)).collect();
                Ok(Self { places, unsearched })
            }
        }
    }

    /// The places, our own store first.
    pub(crate) fn all(&self) -> &[Place] {
        &self.places
    }

    /// Our own store, and which of the places it is.
    pub(crate) fn own(&self) -> Option<(usize, &Engine)> {
        self.places.iter().enumerate().find_map(|(at, place)| match place {
            Place::Store(engine) => Some((at, engine)),
            Place::Fastmcp(_) | Place::Server(_) => None,
        })
    }

    /// Whether there is no place at all where tasks could be.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether tasks are here and none of them are ours: what concerns our own store only is out of place then.
    pub(crate) fn are_of_fastmcp_alone(&self) -> bool {
        !self.is_empty() && self.places.iter().all(|place| matches!(place, Place::Fastmcp(_)))
    }

    /// Refuses a server without tasks, where something of tasks is waited for.
    pub(crate) fn refuse_taskless(&self) -> Result<(), Failure> {
        let is_taskless = |place: &Place| matches!(place, Place::Server(server) if !server.runs_tasks());
        if self.all().iter().any(is_taskless) { Err(runs_no_tasks()) } else { Ok(()) }
    }

    /// Why FastMCP's deployments were not looked for, where they were not.
    pub(crate) fn unsearched(&self) -> Option<Advice> {
        let error = self.unsearched.as_ref()?;
        let hint = super::failure::fastmcp::hint(error).unwrap_or_default();
        Some(hint.after(&format!("{error}; ")))
    }

    /// The task whose id begins so, wherever it is; where there is none, what the archive has of one.
    pub(crate) async fn seek(&self, prefix: &str) -> Result<Sought, Failure> {
        match self.search(prefix).await? {
            Some((_, found)) => Ok(Sought::Task(found)),
            None => self.seek_archived(prefix).await,
        }
    }

    /// The task whose id begins so, with which of the places it is at.
    pub(super) async fn search(&self, prefix: &str) -> Result<Option<(usize, Found)>, Failure> {
        let mut found = Vec::new();
        for (at, place) in self.places.iter().enumerate() {
            found.extend(place.find(prefix).await?.map(|task| (at, task)));
        }
        match (found.pop(), found.is_empty()) {
            (Some(_), false) => Err(Failure::usage(format!("{prefix:?} fits tasks of several places"))
                .hint("type more of the id")),
            (only, _) => Ok(only),
        }
    }

    /// What the archive has of the task whose id begins so.
    pub(super) async fn seek_archived(&self, prefix: &str) -> Result<Sought, Failure> {
        for place in &self.places {
            if let Some(archived) = place.seek_archived(prefix).await? {
                return Ok(archived);
            }
        }
        Err(no_task(prefix).maybe_hint(self.unsearched()))
    }

    /// Ends the connections to servers. Tasks that were found there must be dropped before.
    pub(crate) async fn close(self) {
        for place in self.places {
            if let Place::Server(server) = place
                && let Some(server) = std::sync::Arc::into_inner(server)
            {
                server.close().await;
            }
        }
    }
}

fn deployed(deployments: Vec<Deployment>) -> Vec<Place> {
    deployments.into_iter().map(Place::Fastmcp).collect()
}

impl Place {
    /// The task whose id begins so; `None` where it is not here.
    pub(super) async fn find(&self, prefix: &str) -> Result<Option<Found>, Failure> {
        match self {
            Self::Store(engine) => {
                long_enough(prefix)?;
                match engine.resolve(prefix).await {
                    Ok(id) => Ok(Some(Found::Store(engine.clone(), id))),
                    Err(EngineError::NoPrefix { .. }) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Self::Fastmcp(deployment) => {
                long_enough(prefix)?;
                match deployment.find(prefix).await {
                    Ok(task) => Ok(Some(Found::Fastmcp(deployment.clone(), Box::new(task)))),
                    Err(FastmcpError::NoTask { .. }) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Self::Server(server) => {
                Ok(Some(Found::Server(server.clone(), Box::new(server.find(prefix).await?))))
            }
        }
    }
}
