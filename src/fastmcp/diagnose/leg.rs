//! Causes at a leg of FastMCP 4.

use super::docket::unknown_to_workers;
use super::{Cause, Findings, span};
use crate::fastmcp::hint::Help;
use crate::fastmcp::signs::{Leg, Lifetime};
use crate::fastmcp::v4::TASK_TTL;
use crate::task::TaskStatus;

/// A client that waits asks at least that often: FastMCP tells it every 5 s.
const ASKS_WITHIN_MS: i64 = 30_000;

/// What of a parked leg ends sooner is worth saying.
const NEAR_MS: i64 = 300_000;

pub(super) fn causes(leg: &Leg, findings: &mut Findings<'_>) {
    if leg.encrypted && !findings.task().status.is_final() {
        findings.add(
            Cause::SnapshotEncrypted,
            "the snapshot of who launched it is encrypted (FASTMCP_TASKS_ENCRYPTION_KEY)",
            "nothing is wrong; a worker with another key would fail the task",
        );
    }
    if findings.task().status == TaskStatus::InputRequired {
        parked(findings);
    }
}

fn parked(findings: &mut Findings<'_>) {
    let signs = findings.task().signs.clone();
    let (id, asked) = (findings.task().id.clone(), span(findings.task().waiting_ms.unwrap_or_default()));
    let question = findings.question().map(str::to_owned);
    let question = question.as_deref();
    let direct = || Help::respond(&id, question, &["--direct"], "answers it in Redis");
    if signs.run.state.is_none() {
        findings.add(
            Cause::LegExpired,
            format!(
                "asked {asked} ago; Docket's record of the leg that asked is gone, which is kept for 900 s"
            ),
            "its client is told \"not found\", and no answer can start the next leg: launch it again",
        );
        return;
    }
    if findings.details.able_workers.is_empty() {
        // Nobody waits for the answer, but somebody has to run what follows it.
        unknown_to_workers(findings, "it is parked on a question");
    }
    let has_expired = findings.task().arguments_have_expired();
    if has_expired {
        findings.add(
            Cause::ArgumentsExpired,
            "FastMCP has dropped the task's arguments, which up to 4.0.11 live for 30 minutes from its launch: \
             answered through its server, the task would run again with none",
            Help::respond(&id, question, &["--direct"], "answers it with those of the leg that asked"),
        );
    }
    let respond = |question: &str| {
        let (options, does): (&'static [_], _) = if has_expired {
            (&["--direct"], "answers it in Redis")
        } else {
            (&["--server", "URL"], "answers it through its server")
        };
        Help::respond(&id, Some(question), options, does)
    };
    let questions = findings.task().questions.clone();
    match signs.metadata {
        Lifetime::Missing => findings.add(
            Cause::MetadataExpired,
            "the task's own key is gone: its client is told \"not found\"",
            direct(),
        ),
        Lifetime::Endless => {}
        Lifetime::Milliseconds(left) => {
            // Every request about the task prolongs the key to its full life, whoever's it is: ours too.
            let silent = (TASK_TTL as i64 * 1000 - left).max(0);
            let (cause, seen) = if silent > ASKS_WITHIN_MS {
                (Cause::SessionGone, format!("nobody has asked for the task for {}", span(silent)))
            } else {
                let seen = format!(
                    "somebody last asked for the task {} ago, its client or another one, such as mcptask: whether its \
                     client is still there cannot be told",
                    span(silent)
                );
                (Cause::ClientHasQuestion, seen)
            };
            for question in &questions {
                let evidence = format!("asked {asked} ago; {seen}");
                findings.add_asked(cause, &evidence, question, respond(&question.id));
            }
        }
    }
    if let Some(left) = signs.run.ttl_ms.filter(|left| *left < NEAR_MS) {
        let evidence =
            format!("the record of the leg that asked ends in {}; then it can't be answered", span(left));
        let help = questions.first().map(|question| respond(&question.id)).unwrap_or_default();
        findings.add(Cause::TtlNearEnd, evidence, help);
    }
}
