//! FastMCP's errors as failures of a command.

use super::{CERTIFICATE_HELP, Failure, Kind};
use crate::desk::suggest::{Advice, Suggested};
use crate::fastmcp::{FastmcpError, Help, HelpPart, Right};
use crate::store::Refusal;

impl From<FastmcpError> for Failure {
    fn from(error: FastmcpError) -> Self {
        let message = error.to_string();
        let kind = match &error {
            FastmcpError::Unreachable { .. }
            | FastmcpError::Untrusted { .. }
            | FastmcpError::Refuses { .. } => Kind::Unreachable,
            FastmcpError::Refused { .. } | FastmcpError::NotAuthenticated { .. } => Kind::Unauthorised,
            FastmcpError::Backend { .. } | FastmcpError::Locked { .. } => Kind::Unexpected,
            FastmcpError::Nothing { .. } | FastmcpError::Crowded { .. } | FastmcpError::NoTask { .. } => {
                Kind::NotFound
            }
            FastmcpError::Ambiguous { .. }
            | FastmcpError::Address { .. }
            | FastmcpError::Invalid { .. }
            | FastmcpError::NotAForm { .. }
            | FastmcpError::NeedsServer { .. }
            | FastmcpError::ArgumentsExpired { .. } => Kind::Usage,
            _ => Kind::NothingChanged,
        };
        let is_outage = error.is_passing();
        // Nobody has answered these, and nobody took the answer.
        let leaves_open = matches!(error, FastmcpError::WorkerGone { .. } | FastmcpError::LostToRace { .. });
        Self::new(kind, message).maybe_hint(hint(&error)).of_outage(is_outage).leaving_open(leaves_open)
    }
}

impl From<Help> for Advice {
    fn from(help: Help) -> Self {
        help.parts.into_iter().fold(Self::default(), |advice, part| match part {
            HelpPart::Text(text) => advice.text(&text),
            HelpPart::Command { verb, task, question, options } => {
                let mut command = match options {
                    ["--server", "URL"] => Suggested::new(verb).through_some_server(),
                    options => {
                        options.iter().fold(Suggested::new(verb), |command, option| command.flag(option))
                    }
                };
                command = question.into_iter().fold(command, Suggested::question);
                advice.quoted(task.into_iter().fold(command, Suggested::about))
            }
        })
    }
}

/// What a user of Redis lacks, with the rule that gives it.
fn lacking(right: Right, command: &str) -> String {
    match right {
        Right::Command => {
            let rule = command.to_lowercase();
            format!("the Redis user needs the right to run {command}: ACL SETUSER … +{rule}")
        }
        Right::Keys => format!(
            "the Redis user may run {command}, and not on these keys: ACL SETUSER … ~DOCKET:*, with the docket's name, or \
             %R~DOCKET:* only to read them (docs/REDIS.md)"
        ),
        Right::Channels => format!(
            "the Redis user may run {command}, and not on these channels: ACL SETUSER … &DOCKET:*, with the docket's name \
             (docs/REDIS.md)"
        ),
    }
}

/// What to do about it.
pub(crate) fn hint(error: &FastmcpError) -> Option<Advice> {
    Some(match error {
        FastmcpError::Untrusted { .. } => CERTIFICATE_HELP.into(),
        FastmcpError::Unreachable { location, .. } => super::store::ping(location).into(),
        FastmcpError::Refuses { code, .. } => Refusal::of_redis(code)?.advice().into(),
        FastmcpError::NotAuthenticated { .. } => Refusal::NotAuthenticated.advice().into(),
        FastmcpError::Refused { command, lacks, .. } => lacking(*lacks, command).into(),
        FastmcpError::Nothing { .. } => {
            "FastMCP keeps tasks in Redis only where FASTMCP_DOCKET_URL names one".into()
        }
        FastmcpError::Crowded { .. } => "--docket NAME looks for that one".into(),
        FastmcpError::NoTask { .. } => Advice::command(Suggested::new("list"), "shows the tasks"),
        FastmcpError::Ambiguous { .. } => "type more of the id".into(),
        FastmcpError::NotAForm { id, .. } => {
            let respond = Suggested::new("respond").about(id).flag("--decline");
            Advice::command(respond, "lets its worker go on, as --cancel does")
        }
        FastmcpError::NeedsServer { id, question } => {
            let respond = || Suggested::new("respond").about(id).question(question);
            Advice::command(respond().through_some_server(), "answers through its server; ").and_command(
                respond().flag("--direct"),
                "goes through Redis, round the server's authorisation",
            )
        }
        FastmcpError::ArgumentsExpired { id, question } => Advice::command(
            Suggested::new("respond").about(id).question(question).flag("--direct"),
            "goes through Redis, with the arguments of the leg that asked, round the server's authorisation",
        ),
        FastmcpError::LostToRace { id } => {
            let fix = Suggested::new("doctor").about(id).flag("--fix");
            Advice::command(fix, "puts it back to waiting; then answer it")
        }
        FastmcpError::Ended { id, .. } => Advice::command(Suggested::new("result").about(id), "shows how"),
        FastmcpError::WorkerGone { id, .. }
        | FastmcpError::NotLost { id, .. }
        | FastmcpError::NoQuestion { id, .. }
        | FastmcpError::LegExpired { id } => Advice::command(Suggested::new("doctor").about(id), "says more"),
        _ => return None,
    })
}
