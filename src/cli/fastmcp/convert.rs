//! FastMCP's errors as failures of a command.

use super::super::failure::{Failure, Kind};
use crate::fastmcp::FastmcpError;

impl From<FastmcpError> for Failure {
    fn from(error: FastmcpError) -> Self {
        let message = error.to_string();
        let kind = match &error {
            FastmcpError::Unreachable { .. } => Kind::Unreachable,
            FastmcpError::Refused { .. } => Kind::Unauthorised,
            FastmcpError::Backend { .. } | FastmcpError::Locked { .. } => Kind::Unexpected,
            FastmcpError::Nothing { .. } | FastmcpError::NoTask { .. } => Kind::NotFound,
            FastmcpError::Ambiguous { .. }
            | FastmcpError::Invalid { .. }
            | FastmcpError::NotAForm { .. }
            | FastmcpError::NeedsServer { .. } => Kind::Usage,
            _ => Kind::NothingChanged,
        };
        Self::new(kind, message).maybe_hint(hint(&error))
    }
}

fn hint(error: &FastmcpError) -> Option<String> {
    Some(match error {
        FastmcpError::Unreachable { .. } => {
            "check --redis or MCPTASK_REDIS_URL, and that `redis-cli ping` answers there".to_owned()
        }
        FastmcpError::Refused { command, .. } => {
            format!(
                "the Redis user needs the right to run {command}: ACL SETUSER … +{}",
                command.to_lowercase()
            )
        }
        FastmcpError::Nothing { .. } => {
            "FastMCP keeps tasks in Redis only where FASTMCP_DOCKET_URL names one".to_owned()
        }
        FastmcpError::NoTask { .. } => "`mcptask list` shows the tasks".to_owned(),
        FastmcpError::Ambiguous { .. } => "type more of the id".to_owned(),
        FastmcpError::NotAForm { id, .. } => {
            format!("`mcptask respond {id} --decline` or `--cancel` lets its worker go on")
        }
        FastmcpError::NeedsServer { id } => format!(
            "`mcptask respond {id} --server URL` answers through its server; `mcptask respond {id} --direct` goes \
             through Redis, round the server's authorisation"
        ),
        FastmcpError::LostToRace { id } => {
            format!("`mcptask doctor --fix {id}` puts it back to waiting; then answer it")
        }
        FastmcpError::WorkerGone { id, .. }
        | FastmcpError::NoQuestion { id, .. }
        | FastmcpError::LegExpired { id } => format!("`mcptask doctor {id}` says more"),
        _ => return None,
    })
}
