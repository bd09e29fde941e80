//! Cancelling a task by Docket's own protocol.

use jiff::Timestamp;
use redis::Script;
use serde::Serialize;
use serde_json::json;

use super::answer::{elicitation_keys, iso};
use super::docket::RECORD_TTL;
use super::signs::Asking;
use super::{Deployment, FastmcpError, FastmcpResult};
use crate::task::TaskStatus;

/// What a cancel did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cancelled {
    /// The task.
    pub task: String,
    /// Where its run stood: a queued one is gone; a running one has been told, and its worker ends it.
    pub was: &'static str,
    /// Whether nobody is there to hear it: its worker is dead. The next one will not take the task up.
    pub worker_dead: bool,
}

impl Deployment {
    /// Cancels the task whose id begins so. One that has ended is an error.
    pub async fn cancel(&self, prefix: &str) -> FastmcpResult<Cancelled> {
        let task = self.find(prefix).await?;
        if task.status.is_final() {
            return Err(FastmcpError::Ended { id: task.id, status: task.status });
        }
        let (signs, key, now) = (&task.signs, task.signs.current(), iso(Timestamp::now()));
        let (mark, parked) = match &signs.asking {
            Asking::Leg(_) => (signs.own(":cancelled"), task.status == TaskStatus::InputRequired),
            Asking::Elicitation { .. } => (String::new(), false),
        };
        let event = json!({ "type": "state", "key": key, "state": "cancelled", "completed_at": now });
        let script = Script::new(include_str!("lua/cancel.lua"));
        let mut call = script.prepare_invoke();
        call.key(signs.docket.runs(key)).key(signs.docket.key("stream")).key(signs.docket.key("queue"));
        call.key(signs.docket.key(key)).key(signs.docket.progress(key)).key(question_keys(signs));
        call.arg(key).arg(&now).arg(signs.docket.state_channel(key)).arg(event.to_string());
        call.arg(signs.docket.cancel_channel(key)).arg(RECORD_TTL).arg(mark).arg(u8::from(parked));
        let before: String = self.link.call(&call).await?;
        if matches!(before.as_str(), "completed" | "failed" | "cancelled") && !parked {
            let task = self.find(&task.id).await?;
            return Err(FastmcpError::Ended { id: task.id, status: task.status });
        }
        let worker_dead = task.state == "running" && task.worker.as_ref().is_none_or(|worker| !worker.alive);
        Ok(Cancelled { task: task.id, was: task.state, worker_dead })
    }
}

/// What an open question would leave behind.
fn question_keys(signs: &super::signs::Signs) -> Vec<String> {
    match &signs.asking {
        Asking::Elicitation { .. } => elicitation_keys(signs),
        Asking::Leg(leg) => {
            ["requests", "map"].map(|what| signs.own(&format!(":input:{}:{what}", leg.number))).to_vec()
        }
    }
}
