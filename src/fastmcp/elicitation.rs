//! Questions of FastMCP 3.0 and 3.4, which keep them the same way.
//!
//! `P` is the task's own key, `S` its session, `D` the docket.
//!
//! | key | type | what |
//! |---|---|---|
//! | `P:elicit:request` | string | JSON `{request_id, message, schema}`; 3600 s from the moment of asking |
//! | `P:elicit:status` | string | `waiting`, then `responded`; often left behind |
//! | `P:elicit:response` | list | JSON `{action, content}`, popped by the worker that blocks on it; no request id |
//! | `D:fastmcp:notifications:S` | list | notifications on their way to the client; 300 s from the last push |
//! | `D:fastmcp:notifications:S:active` | string | `1`, 60 s, refreshed at least every 30 s by the server that has the session |
//!
//! The worker writes request, then status, then the notification, then blocks; after the pop it deletes
//! request and status.

use jiff::{SignedDuration, Timestamp};
use redis::Pipeline;
use serde::Deserialize;
use serde_json::Value;

use super::docket::{Docket, RunState};
use super::link::Replies;
use super::signs::Asking;
use super::{Delivery, DeployedQuestion, FastmcpResult};
use crate::form;
use crate::task::Ask;

/// How long a question lives, in milliseconds.
pub(super) const QUESTION_MS: i64 = 3_600_000;

/// How long the sign of a subscriber lives, in milliseconds.
const SUBSCRIBER_MS: i64 = 60_000;

/// The most undelivered notifications that are looked at.
const LOOKED_AT: isize = 100;

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "request_id")]
    id: String,
    message: String,
    schema: Value,
}

/// Asks for a task's question; `own` is the task's own key.
pub(super) fn ask(own: &str, reads: &mut Pipeline) {
    // The status first: its worker deletes both at once, and a question that is seen without one still waits.
    reads.cmd("GET").arg(format!("{own}:elicit:status"));
    reads.cmd("GET").arg(format!("{own}:elicit:request"));
    reads.cmd("PTTL").arg(format!("{own}:elicit:request"));
    reads.cmd("LLEN").arg(format!("{own}:elicit:response"));
}

/// Takes what [`ask`] asked for: the question that is there, answered or not, and its signs.
pub(super) fn take(
    replies: &mut Replies,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> FastmcpResult<(Option<DeployedQuestion>, Asking)> {
    let status = replies.next("the question's status", notes)?;
    let text: Option<String> = replies.next("the question", notes)?;
    let request_ttl_ms = replies.next("the question's ttl", notes)?.filter(|ttl: &i64| *ttl >= 0);
    let responses = replies.next("the answers", notes)?.unwrap_or_default();
    let question = text.and_then(|text| match serde_json::from_str(&text) {
        Ok(request) => Some(question(request, request_ttl_ms, now)),
        Err(error) => {
            notes.push(format!("its question cannot be read: {error}"));
            None
        }
    });
    let request = question.as_ref().map(|question| question.id.clone());
    Ok((question, Asking::Elicitation { request, status, request_ttl_ms, responses }))
}

fn question(request: Request, ttl_ms: Option<i64>, now: Timestamp) -> DeployedQuestion {
    let ask = Ask::form(request.message, form::of_object(&request.schema));
    DeployedQuestion { id: request.id, problems: ask.unshowable(), asked_at: asked_at(ttl_ms, now), ask }
}

/// When a question was asked whose key has so long left of [`QUESTION_MS`].
pub(super) fn asked_at(ttl_ms: Option<i64>, now: Timestamp) -> Option<Timestamp> {
    let since = QUESTION_MS.checked_sub(ttl_ms?).filter(|since| *since >= 0)?;
    now.checked_sub(SignedDuration::from_millis(since)).ok()
}

/// Whether its worker waits for an answer.
pub(super) fn is_waiting(asking: &Asking, state: Option<RunState>) -> bool {
    match asking {
        Asking::Elicitation { request, status, .. } => {
            // The status of an answer that nobody took may have expired before the question.
            let is_open = status.as_deref().is_none_or(|status| status == "waiting");
            request.is_some() && is_open && state == Some(RunState::Running)
        }
        Asking::Leg(_) => false,
    }
}

/// The notifications on their way to one session's client.
#[derive(Default)]
pub(super) struct Notifications {
    waiting: Vec<String>,
    queue_ms: Option<i64>,
    subscriber_seen_ms: Option<i64>,
}

impl Notifications {
    /// Asks for those of a session.
    pub(super) fn ask(docket: &Docket, session: &str, reads: &mut Pipeline) {
        let queue = queue(docket, session);
        reads.cmd("LRANGE").arg(&queue).arg(0).arg(LOOKED_AT);
        reads.cmd("PTTL").arg(&queue).cmd("PTTL").arg(format!("{queue}:active"));
    }

    /// Takes what [`Notifications::ask`] asked for.
    pub(super) fn take(replies: &mut Replies) -> FastmcpResult<Self> {
        let mut notes = Vec::new();
        let waiting = replies.next("the notifications", &mut notes)?.unwrap_or_default();
        let queue_ms = replies.next("their ttl", &mut notes)?.filter(|ttl: &i64| *ttl >= 0);
        let active: Option<i64> = replies.next("the subscriber", &mut notes)?.filter(|ttl: &i64| *ttl >= 0);
        let subscriber_seen_ms = active.map(|left| (SUBSCRIBER_MS - left).max(0));
        Ok(Self { waiting, queue_ms, subscriber_seen_ms })
    }

    /// How those of one task would reach the client.
    pub(super) fn delivery(&self, task: &str) -> Delivery {
        let undelivered = self.waiting.iter().filter(|message| message.contains(task)).count() as u64;
        Delivery { undelivered, queue_ms: self.queue_ms, subscriber_seen_ms: self.subscriber_seen_ms }
    }
}

fn queue(docket: &Docket, session: &str) -> String {
    docket.key(&format!("fastmcp:notifications:{session}"))
}
