//! How much of a server one scope may use at once, so that the others are served whatever it does.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::task::Scope;

/// JSON-RPC's first code for a server's own errors: the request may come again later.
const LATER: i32 = -32000;

/// Large bodies of one scope that are read at once; further ones wait.
const LARGE_BODIES: usize = 32;

/// The allowances of all scopes.
#[derive(Debug)]
pub(super) struct Allowances {
    /// Requests per second.
    rate: Option<NonZeroU32>,
    /// Requests and streams at once.
    most: usize,
    /// As many as there are names in the token file.
    scopes: Mutex<HashMap<Scope, Arc<Allowance>>>,
}

/// One scope's.
#[derive(Debug)]
pub(super) struct Allowance {
    /// When all that was admitted would have come, had it come evenly.
    even: Mutex<Instant>,
    under_way: Arc<Semaphore>,
    pub(super) large_bodies: Arc<Semaphore>,
}

/// A request under way: held by its handler and by its stream.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Why a request has to come later.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    #[error("more than {rate} requests in a second; try again in {} ms", wait.as_millis())]
    Rate { rate: NonZeroU32, wait: Duration },
    #[error("{most} requests and streams are open already; end some of them")]
    UnderWay { most: usize },
    #[error("{most} sessions are open already; end some of them")]
    Sessions { most: usize },
}

impl Exceeded {
    /// How long to wait before it may be tried again.
    pub(super) fn wait(&self) -> Duration {
        match self {
            Self::Rate { wait, .. } => *wait,
            Self::UnderWay { .. } | Self::Sessions { .. } => Duration::from_secs(1),
        }
    }
}

/// "Too many requests", with the time after which to come again.
impl IntoResponse for Exceeded {
    fn into_response(self) -> Response {
        let wait = self.wait();
        let data = json!({ "retryAfterMs": u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) });
        let error = json!({ "code": LATER, "message": self.to_string(), "data": data });
        let body = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
        let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).to_string();
        let headers = [(RETRY_AFTER, seconds.as_str()), (CONTENT_TYPE, "application/json")];
        (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
    }
}

impl Allowances {
    pub(super) fn new(rate: Option<NonZeroU32>, most: usize) -> Self {
        Self { rate, most: most.min(Semaphore::MAX_PERMITS), scopes: Mutex::default() }
    }

    /// Counts one more request of a scope.
    pub(super) fn admit(&self, scope: &Scope) -> Result<(Arc<Allowance>, UnderWay), Exceeded> {
        let allowance = self.of(scope);
        if let Some(rate) = self.rate {
            allowance.spend(rate, Instant::now())?;
        }
        let permit = allowance.under_way.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Exceeded::UnderWay { most: self.most })?;
        Ok((allowance, UnderWay { _permit: Arc::new(permit) }))
    }

    fn of(&self, scope: &Scope) -> Arc<Allowance> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = scopes.get(scope) {
            return known.clone();
        }
        let allowance = Arc::new(Allowance {
            even: Mutex::new(Instant::now()),
            under_way: Arc::new(Semaphore::new(self.most)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
        });
        scopes.insert(scope.clone(), allowance.clone());
        allowance
    }
}

impl Allowance {
    /// Takes one request off a second's worth of them, which fills up again evenly.
    fn spend(&self, rate: NonZeroU32, now: Instant) -> Result<(), Exceeded> {
        let gap = Duration::from_secs(1) / rate.get();
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (*even).max(now) + gap;
        let ahead = next.duration_since(now);
        if ahead > Duration::from_secs(1) {
            return Err(Exceeded::Rate { rate, wait: ahead.saturating_sub(Duration::from_secs(1)) });
        }
        *even = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seconds_worth_at_once_then_evenly() {
        let rate = NonZeroU32::new(4).expect("not zero");
        let allowances = Allowances::new(Some(rate), 100);
        let (anna, ben) = (allowances.of(&Scope::named("anna")), allowances.of(&Scope::named("ben")));
        let now = Instant::now();
        for _ in 0..4 {
            assert_eq!(anna.spend(rate, now), Ok(()));
        }
        let wait = Duration::from_millis(250);
        assert_eq!(anna.spend(rate, now), Err(Exceeded::Rate { rate, wait }));
        assert_eq!(ben.spend(rate, now), Ok(()), "another scope has its own");
        assert_eq!(anna.spend(rate, now + wait), Ok(()));
        assert!(anna.spend(rate, now + wait).is_err());
    }

    #[test]
    fn what_is_over_makes_place() {
        let allowances = Allowances::new(None, 2);
        let scope = Scope::named("anna");
        let first = allowances.admit(&scope).expect("admitted");
        let _second = allowances.admit(&scope).expect("admitted");
        assert_eq!(allowances.admit(&scope).map(drop), Err(Exceeded::UnderWay { most: 2 }));
        drop(first);
        assert!(allowances.admit(&scope).is_ok());
    }
}
