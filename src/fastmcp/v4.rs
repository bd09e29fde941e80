//! FastMCP 4.1: a task is a chain of legs. A leg that asks ends; the answers start the next one.
//!
//! `D` is the docket, `A` is `anon` or `auth:SCOPE`, `T` the task (43 characters of URL-safe base 64), `K` =
//! `A:T:tool:tool%3ANAME%40`; leg `n` from 2 on runs as `K#legn`. `P` = `D:fastmcp:task:A:T`.
//!
//! | key | type | what |
//! |---|---|---|
//! | `P` | string | `K`; 1800 s from the last `tasks/get`, `update` or `cancel`, as the next four |
//! | `P:created_at` | string | ISO 8601 |
//! | `P:current_leg` | string | Docket's key of the leg that counts |
//! | `P:leg` | string | its number, written after the pointer: not read |
//! | `P:args` | string | JSON of the arguments; only how long it lives is read: up to 4.0.11 nothing prolongs it |
//! | `P:snapshot` | string | JSON, or a Fernet token (`gAAAAA…`) where encrypted; never read further |
//! | `P:input:n:requests` | hash | surfaced key by JSON `{method, params}`; 3600 s |
//! | `P:input:n:map` | hash | surfaced key by the tool's own key, written after the request |
//! | `P:input_responses` | string | JSON of the answers so far, by the tool's own key; only whether it is there is read |
//! | `P:cancelled` | string | `1`, 900 s |
//! | `P:update_lock` | string | `1`, 30 s, held during an update |
//!
//! `input_required` is: the leg's run has completed, it has requests, and the task is not cancelled.

use std::collections::BTreeMap;

use jiff::Timestamp;
use redis::Pipeline;
use serde::Deserialize;

use super::elicitation::asked_at;
use super::identity::{Identity, component, scoped};
use super::link::Replies;
use super::signs::{Leg, Lifetime};
use super::{DeployedQuestion, FastmcpResult, Generation};
use crate::task::Ask;

/// Seconds for which FastMCP keeps a task's own keys after each request of its client.
pub(super) const TASK_TTL: u64 = 1800;

/// Reads `A:T:KIND:IDENTIFIER`, with or without a leg.
pub(super) fn identity(key: &str) -> Option<Identity> {
    let key = match key.rsplit_once("#leg") {
        Some((base, leg)) if leg.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => key,
    };
    let (owner, rest) = scoped(key)?;
    let mut parts = rest.splitn(3, ':');
    let (id, kind, identifier) = (parts.next()?, parts.next()?, parts.next()?);
    let is_token =
        id.len() == 43 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_token {
        return None;
    }
    let above = key.strip_suffix(rest)?;
    Some(Identity {
        generation: Generation::V4,
        id: id.to_owned(),
        key: key.to_owned(),
        place: format!("fastmcp:task:{above}{id}"),
        owner,
        component: component(kind, identifier)?,
    })
}

/// Asks which leg counts; `own` is the task's own key.
pub(super) fn ask(own: &str, reads: &mut Pipeline) {
    reads.cmd("GET").arg(format!("{own}:current_leg"));
    reads.cmd("EXISTS").arg(format!("{own}:cancelled"));
    // Seven characters tell whether it is encrypted; the rest may hold a token.
    reads.cmd("GETRANGE").arg(format!("{own}:snapshot")).arg(0).arg(6);
    reads.cmd("PTTL").arg(format!("{own}:args"));
}

/// Takes what [`ask`] asked for.
pub(super) fn take(
    replies: &mut Replies,
    identity: &Identity,
    notes: &mut Vec<String>,
) -> FastmcpResult<Leg> {
    // FastMCP itself goes on with the first leg where the pointer is missing.
    let pointer: Option<String> = replies.next("its current leg", notes)?;
    let key = pointer.unwrap_or_else(|| identity.key.clone());
    // Not from `P:leg`: FastMCP writes it after the pointer, and in between they differ.
    let number = key.rsplit_once("#leg").and_then(|(_, number)| number.parse().ok()).unwrap_or(1);
    let cancelled: Option<u64> = replies.next("whether it is cancelled", notes)?;
    let snapshot: Option<String> = replies.next("its snapshot", notes)?;
    let encrypted = snapshot.is_some_and(|beginning| beginning.starts_with("gAAAAA"));
    let arguments = Lifetime::parse(replies.next("its arguments' ttl", notes)?);
    Ok(Leg { number, key, cancelled: cancelled == Some(1), encrypted, arguments, ..Leg::default() })
}

/// Asks for the requests of a leg.
pub(super) fn ask_requests(own: &str, leg: u32, reads: &mut Pipeline) {
    reads.cmd("HGETALL").arg(format!("{own}:input:{leg}:requests"));
    reads.cmd("PTTL").arg(format!("{own}:input:{leg}:requests"));
    reads.cmd("HGETALL").arg(format!("{own}:input:{leg}:map"));
    reads.cmd("EXISTS").arg(format!("{own}:input_responses"));
    // Last: FastMCP moves this on before it drops the requests.
    reads.cmd("GET").arg(format!("{own}:current_leg"));
}

/// Takes what [`ask_requests`] asked for. A request without its map is still being written.
pub(super) fn take_requests(
    replies: &mut Replies,
    leg: &mut Leg,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> FastmcpResult<Vec<DeployedQuestion>> {
    let requests: BTreeMap<String, String> = replies.next("the questions", notes)?.unwrap_or_default();
    leg.requests_ttl_ms = replies.next("the questions' ttl", notes)?.filter(|ttl: &i64| *ttl >= 0);
    leg.map = replies.next("the questions' names", notes)?.unwrap_or_default();
    let answers: Option<u64> = replies.next("whether it has answers", notes)?;
    leg.has_answers = answers == Some(1);
    let current: Option<String> = replies.next("its current leg", notes)?;
    leg.has_moved_on = current.is_some_and(|current| current != leg.key);
    let asked_at = asked_at(leg.requests_ttl_ms, now);
    let mut found = Vec::new();
    for (id, text) in requests.into_iter().filter(|(id, _)| leg.map.contains_key(id)) {
        match question(&text) {
            Ok(mut ask) => {
                ask.name = leg.map.get(&id).cloned();
                found.push(DeployedQuestion { id, problems: ask.unshowable(), asked_at, ask });
            }
            Err(problem) => notes.push(format!("question {id} cannot be read: {problem}")),
        }
    }
    // In the order of the tool's own names: a hash keeps none.
    found.sort_by(|one, other| leg.map.get(&one.id).cmp(&leg.map.get(&other.id)));
    Ok(found)
}

#[derive(Deserialize)]
struct Request {
    method: String,
    params: Ask,
}

fn question(text: &str) -> Result<Ask, String> {
    let request: Request = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if request.method == "elicitation/create" {
        Ok(request.params)
    } else {
        Err(format!("it is {}, which no person answers", request.method))
    }
}
