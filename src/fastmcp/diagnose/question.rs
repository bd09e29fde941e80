//! Causes at a question of FastMCP 3.

use super::docket::taken_over;
use super::{Cause, Findings, since, span};
use crate::fastmcp::Delivery;
use crate::fastmcp::docket::RunState;
use crate::fastmcp::hint::Help;
use crate::fastmcp::signs::{Asking, Lifetime, Signs};
use crate::task::TaskStatus;

/// How long FastMCP keeps a notification that nobody fetches.
const NOTIFICATION_MS: i64 = 300_000;

/// A server shows every 30 s that it serves a session.
const SUBSCRIBER_LIFE_MS: i64 = 35_000;

/// What of a question or its task ends sooner is worth saying.
const NEAR_MS: i64 = 300_000;

/// The question of a task that looks lost, as it also does for a moment while it is asked, and while a good answer is
/// taken.
pub(super) fn may_be_passing(signs: &Signs) -> Option<&str> {
    match &signs.asking {
        Asking::Elicitation { request: Some(request), status, .. }
            if status.as_deref().is_none_or(|status| status == "responded")
                && signs.run.state == Some(RunState::Running) =>
        {
            Some(request)
        }
        _ => None,
    }
}

pub(super) fn causes(findings: &mut Findings<'_>) {
    let signs = findings.task().signs.clone();
    let Asking::Elicitation { request, status, responses, .. } = &signs.asking else {
        return;
    };
    if signs.run.state != Some(RunState::Running) {
        return;
    }
    let alive = findings.task().worker.as_ref().is_some_and(|worker| worker.alive);
    match (request.is_some(), status.as_deref(), *responses) {
        (true, Some("responded"), 0) if alive => lost(findings),
        (true, Some("responded"), 1..) => not_consumed(findings, *responses),
        (_, _, 1..) => stale(findings, *responses),
        // Nobody has answered, and nobody would take an answer: told as the cause of the run.
        (true, _, 0) if !alive => {}
        (true, None, 0) => without_status(findings),
        (true, Some("waiting"), 0) => waiting(findings),
        _ => {}
    }
    expiring(findings, &signs, alive);
}

/// An operator was killed between an answer and taking it back, or somebody deleted the key.
fn without_status(findings: &mut Findings<'_>) {
    let respond = findings.respond();
    findings.add(
        Cause::LostToStatusRace,
        "its question is there without a status, which FastMCP's relay takes for answered: it refuses its client's \
         answer, while the worker waits",
        respond,
    );
}

fn lost(findings: &mut Findings<'_>) {
    let id = findings.task().id.clone();
    findings.add(
        Cause::LostToStatusRace,
        "the status is `responded`, yet the request is still there, the list of answers is empty and the worker \
         waits: FastMCP's relay wrote the status of the last question over that of this one",
        Help::command("doctor", &id, &["--fix"], "puts it back to waiting; then ").and_command(
            "respond",
            &id,
            &[],
            "answers it",
        ),
    );
}

fn not_consumed(findings: &mut Findings<'_>, responses: u64) {
    let help = taken_over(findings);
    findings.add(
        Cause::AnsweredNotConsumed,
        format!(
            "the status is `responded` and {responses} answer(s) lie in the list: no worker blocks on it"
        ),
        format!(
            "{help}; an operator's answer that nobody takes is taken back after 2 s, and one that still lies there \
             then is taken by the first question of the next run"
        ),
    );
}

fn stale(findings: &mut Findings<'_>, responses: u64) {
    findings.add(
        Cause::StaleAnswer,
        format!("{responses} answer(s) lie in the list and no question is open"),
        "the next question will take it as its answer, for answers name no question; delete the list \
         `…:elicit:response` of this task before it asks again",
    );
}

fn waiting(findings: &mut Findings<'_>) {
    let delivery = findings.details.delivery.clone();
    let respond = findings.respond();
    let asked_ms = findings.task().waiting_ms.unwrap_or_default();
    let asked = format!("asked {} ago", span(asked_ms));
    let Some(delivery) = delivery else {
        findings.add(Cause::SessionGone, format!("{asked}; its session is not known any more"), respond);
        return;
    };
    let Delivery { undelivered, queue_ms, subscriber_seen_ms } = delivery;
    let (cause, evidence) = match (undelivered, subscriber_seen_ms) {
        (1.., seen) => {
            let left = queue_ms.map_or_else(|| "never".to_owned(), |left| format!("in {}", span(left)));
            let server = seen.map_or("no server reads it", |_| "the server that reads it cannot deliver it");
            let evidence =
                format!("{asked}; its notification lies in the session's queue, {server}; it expires {left}");
            (Cause::NoLiveSubscriber, evidence)
        }
        (0, Some(seen)) if seen < SUBSCRIBER_LIFE_MS => {
            let evidence = format!(
                "{asked}; the notification was taken by the server that has the session, seen {} ago. Its user is \
                 thinking, or the client died without a word: FastMCP does not notice and does not ask again",
                span(seen)
            );
            (Cause::ClientHasQuestion, evidence)
        }
        (0, None) if asked_ms >= NOTIFICATION_MS => {
            let evidence =
                format!("{asked}; no server serves the session, and notifications are kept for 300 s");
            (Cause::NotificationExpired, evidence)
        }
        (0, seen) => {
            let seen = seen.map_or_else(
                || "no server serves it".to_owned(),
                |seen| format!("no server has served it for {}", span(seen)),
            );
            (Cause::SessionGone, format!("{asked}; the session has ended: {seen}"))
        }
    };
    findings.add(cause, evidence, respond);
}

fn expiring(findings: &mut Findings<'_>, signs: &Signs, worker_alive: bool) {
    let respond = findings.respond();
    if signs.metadata == Lifetime::Missing {
        let running = findings.task().started_at.map_or_else(String::new, |started| {
            format!("; it has been running for {}", span(since(started, findings.workers)))
        });
        findings.add(
            Cause::MetadataExpired,
            format!("the task's own key is gone{running}: its client is told \"not found\""),
            if findings.task().status == TaskStatus::InputRequired && worker_alive {
                respond
            } else {
                "its client cannot fetch the result; launch it with a longer ttl".into()
            },
        );
        return;
    }
    let ttl = signs.lifetimes();
    let ends = [("its question", ttl.question_ms), ("the task's own key", ttl.task_ms)];
    if !worker_alive {
        // No answer would reach anybody, and the next run asks anew.
        return;
    }
    for (what, left) in ends.into_iter().filter_map(|(what, left)| Some((what, left?))) {
        if left < NEAR_MS {
            findings.add(Cause::TtlNearEnd, format!("{what} ends in {}", span(left)), "answer before that");
        }
    }
}
