//! What a task's keys tell beyond its state: the signs that a diagnosis is made from.

use std::collections::BTreeMap;

use serde::Serialize;

use super::docket::{Docket, Run};
use super::identity::Identity;

/// What was read of one task, as it lies in Redis.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    pub(super) identity: Identity,
    pub(super) docket: Docket,
    pub(super) run: Run,
    /// The task's own key: without it, FastMCP says "not found".
    pub(super) metadata: Lifetime,
    pub(super) asking: Asking,
}

/// How long a key lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lifetime {
    #[default]
    Missing,
    Endless,
    Milliseconds(i64),
}

impl Lifetime {
    /// Reads a PTTL reply.
    pub(super) fn parse(reply: Option<i64>) -> Self {
        match reply {
            Some(-1) => Self::Endless,
            Some(left) if left >= 0 => Self::Milliseconds(left),
            _ => Self::Missing,
        }
    }

    pub(super) fn milliseconds(self) -> Option<i64> {
        if let Self::Milliseconds(left) = self { Some(left) } else { None }
    }
}

/// How the generation keeps a question.
#[derive(Debug, Clone)]
pub(super) enum Asking {
    /// FastMCP 3: a request, its status, and a list that the worker blocks on.
    Elicitation {
        /// The id of the request that is there, whatever its status.
        request: Option<String>,
        status: Option<String>,
        request_ttl_ms: Option<i64>,
        responses: u64,
    },
    /// FastMCP 4: a leg of the task that ended with requests.
    Leg(Leg),
}

/// The leg that a task of FastMCP 4 is on.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Leg {
    pub(super) number: u32,
    /// Docket's key of this leg.
    pub(super) key: String,
    /// Surfaced key by the tool's own key.
    pub(super) map: BTreeMap<String, String>,
    pub(super) requests_ttl_ms: Option<i64>,
    /// Whether questions of the task were answered, whose names are in no map any more.
    pub(super) has_answers: bool,
    pub(super) cancelled: bool,
    pub(super) encrypted: bool,
    /// The arguments that FastMCP's server begins the next leg with; a leg's own copy lives with its run.
    pub(super) arguments: Lifetime,
    /// Whether another leg took its place while this one was read.
    pub(super) has_moved_on: bool,
}

/// How long what belongs to a task still lives, in milliseconds. What is missing does not end, or is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lifetimes {
    /// The task itself, as MCP clients can ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_ms: Option<i64>,
    /// The record of its run, once that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_ms: Option<i64>,
    /// Its open question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question_ms: Option<i64>,
}

impl Signs {
    /// A key of the task's own: `D:fastmcp:task:…:ID` with that ending.
    pub(super) fn own(&self, ending: &str) -> String {
        self.docket.key(&format!("{}{ending}", self.identity.place))
    }

    /// Docket's key of the run that counts now.
    pub(super) fn current(&self) -> &str {
        match &self.asking {
            Asking::Leg(leg) => &leg.key,
            Asking::Elicitation { .. } => &self.identity.key,
        }
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        let question_ms = match &self.asking {
            Asking::Elicitation { request_ttl_ms, .. } => *request_ttl_ms,
            Asking::Leg(leg) => leg.requests_ttl_ms,
        };
        Lifetimes { task_ms: self.metadata.milliseconds(), run_ms: self.run.ttl_ms, question_ms }
    }
}
