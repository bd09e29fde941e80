//! FastMCP's errors as failures of a command.

use super::super::failure::{Failure, Kind};
use crate::fastmcp::FastmcpError;
use crate::fastmcp::hint::command;
use crate::store::Refusal;

impl From<FastmcpError> for Failure {
    fn from(error: FastmcpError) -> Self {
        let message = error.to_string();
        let kind = match &error {
            FastmcpError::Unreachable { .. } | FastmcpError::Refuses { .. } => Kind::Unreachable,
            FastmcpError::Refused { .. } | FastmcpError::NotAuthenticated { .. } => Kind::Unauthorised,
            FastmcpError::Backend { .. } | FastmcpError::Locked { .. } => Kind::Unexpected,
            FastmcpError::Nothing { .. } | FastmcpError::Crowded { .. } | FastmcpError::NoTask { .. } => {
                Kind::NotFound
            }
            FastmcpError::Ambiguous { .. }
            | FastmcpError::Invalid { .. }
            | FastmcpError::NotAForm { .. }
            | FastmcpError::NeedsServer { .. } => Kind::Usage,
            _ => Kind::NothingChanged,
        };
        let is_outage = error.is_passing();
        Self::new(kind, message).maybe_hint(hint(&error)).of_outage(is_outage)
    }
}

/// What to do about it.
pub(super) fn hint(error: &FastmcpError) -> Option<String> {
    Some(match error {
        FastmcpError::Unreachable { .. } => {
            "check --redis or MCPTASK_REDIS_URL, and that `redis-cli ping` answers there".to_owned()
        }
        FastmcpError::Refuses { code, .. } => Refusal::of_redis(code)?.advice().to_owned(),
        FastmcpError::NotAuthenticated { .. } => Refusal::NotAuthenticated.advice().to_owned(),
        FastmcpError::Refused { command, .. } => {
            format!(
                "the Redis user needs the right to run {command}: ACL SETUSER … +{}",
                command.to_lowercase()
            )
        }
        FastmcpError::Nothing { .. } => {
            "FastMCP keeps tasks in Redis only where FASTMCP_DOCKET_URL names one".to_owned()
        }
        FastmcpError::Crowded { .. } => "--docket NAME looks for that one".to_owned(),
        FastmcpError::NoTask { .. } => "`mcptask list` shows the tasks".to_owned(),
        FastmcpError::Ambiguous { .. } => "type more of the id".to_owned(),
        FastmcpError::NotAForm { id, .. } => {
            format!(
                "`mcptask {}`, or with --cancel, lets its worker go on",
                command("respond", id, " --decline")
            )
        }
        FastmcpError::NeedsServer { id } => format!(
            "`mcptask {}` answers through its server; `mcptask {}` goes through Redis, round the server's \
             authorisation",
            command("respond", id, " --server URL"),
            command("respond", id, " --direct")
        ),
        FastmcpError::LostToRace { id } => {
            format!("`mcptask {}` puts it back to waiting; then answer it", command("doctor --fix", id, ""))
        }
        FastmcpError::WorkerGone { id, .. }
        | FastmcpError::NoQuestion { id, .. }
        | FastmcpError::LegExpired { id } => format!("`mcptask {}` says more", command("doctor", id, "")),
        _ => return None,
    })
}
