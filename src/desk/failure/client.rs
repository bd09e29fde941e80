//! A server's errors as failures.

use super::{CERTIFICATE_HELP, Failure, Kind};
use crate::client::{ClientError, HANDSHAKE, INVALID_PARAMS};
use crate::desk::suggest::{Advice, Suggested};

/// What helps where nobody answers what a call asks that is no task, and so nobody can later.
pub(crate) const ANSWER_AT_ONCE: &str =
    "the tool asks: run it at a terminal with --wait, or give --answers FILE with it";

/// What an error says of a connection through a proxy.
const THROUGH_PROXY: &str = ", through the proxy ";

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        let failure = match &error {
            ClientError::Target { .. } | ClientError::NotOffered { .. } => Self::usage(message),
            ClientError::Refused { .. } if error.is_passing() && error.is_of_server() => {
                Self::new(Kind::Unreachable, message)
            }
            ClientError::Refused { .. } if error.is_of_store() => Self::new(Kind::Unreachable, message)
                .hint("its log says what is wrong with the store"),
            ClientError::Unreachable { .. } if error.is_about_program() => Self::new(Kind::Unreachable, message)
                .hint("look at its command line: run by itself, it has to wait for MCP messages on its stdin"),
            // Somebody has taken the request.
            ClientError::Unreachable { is_sent: true, .. } => Self::new(Kind::Unreachable, message)
                .hint("something took the connection there and closed it: look at its log, and whether it is an MCP server"),
            ClientError::Unreachable { reason, .. } if reason.contains(THROUGH_PROXY) => {
                Self::new(Kind::Unreachable, message)
                    .hint("is the proxy there? NO_PROXY names the hosts that are reached without it")
            }
            ClientError::Unreachable { .. } => Self::new(Kind::Unreachable, message)
                .hint("is the server running? `mcptask serve` prints its URL"),
            // A server that has answered the handshake is of the era that it was in.
            ClientError::Timeout { what, .. } if what != HANDSHAKE => Self::new(Kind::Unreachable, message),
            ClientError::Timeout { .. } => Self::new(Kind::Unreachable, message)
                .hint("a legacy server that stays silent is reached faster with --era legacy"),
            ClientError::Answers { server, problem, .. } if problem.contains("HTTP 404") => {
                Self::new(Kind::Unreachable, message).hint(help_with_path(server))
            }
            ClientError::Answers { .. } | ClientError::SessionEnded { .. } => {
                Self::new(Kind::Unreachable, message)
            }
            ClientError::Untrusted { .. } => Self::new(Kind::Unreachable, message).hint(CERTIFICATE_HELP),
            ClientError::Insecure { .. } => Self::new(Kind::Unreachable, message).hint(
                "where the server speaks no TLS, the URL begins with http://",
            ),
            ClientError::Forbidden { .. } => Self::new(Kind::Unauthorised, message).hint(
                "the token lacks the right, or the server does not take requests for this host or from this Origin: \
                 `mcptask serve` has --allowed-host and --allowed-origin",
            ),
            ClientError::Unauthorised { .. } => {
                Self::new(Kind::Unauthorised, message).hint("set MCPTASK_TOKEN, or give --token")
            }
            ClientError::UnknownTool { .. } => Self::new(Kind::NotFound, message)
                .hint(Advice::command(Suggested::new("tools"), "shows the tools")),
            ClientError::NoTask { .. } => Self::new(Kind::NotFound, message)
                .hint("through a server give the whole id, or the beginning of one that was launched from here; another client's tasks \
                 are not shown"),
            ClientError::NeedsInput { .. } | ClientError::LeftOpen { .. } | ClientError::Unanswerable { .. } => {
                Self::new(Kind::NeedsInput, message)
            }
            ClientError::NoResult { .. } => Self::new(Kind::Unreachable, message),
            ClientError::Refused { .. } if error.misses_elicitation() => Self::new(Kind::NeedsInput, message)
                .hint(ANSWER_AT_ONCE),
            ClientError::Refused { method, .. } if error.is_unknown_method() && method.starts_with("tasks/") => {
                Self::usage(format!("the server runs no tool as a task: it has no {method}"))
                    .hint(without_tasks())
            }
            ClientError::TooLate { .. } => Self::new(Kind::NothingChanged, message),
            ClientError::TooManyQuestions { task, .. } => Self::new(Kind::Unexpected, message)
                .hint(Advice::command(Suggested::new("cancel").about(task.as_str()), "ends it")),
            ClientError::AnswerRefused { .. } => Self::usage(message).hint("the question is still open"),
            ClientError::Refused { error, .. } if error.code == INVALID_PARAMS => Self::usage(message),
            ClientError::Refused { method, .. } if method == "tasks/update" => {
                Self::new(Kind::Unexpected, message).hint("the question is still open")
            }
            _ => Self::new(Kind::Unexpected, message),
        };
        failure.of_outage(error.is_passing())
    }
}

/// The failure at a server that runs no tool as a task.
pub(crate) fn runs_no_tasks() -> Failure {
    Failure::usage("the server runs no tool as a task: it does not say that it can").hint(without_tasks())
}

/// What works at a server without tasks.
fn without_tasks() -> Advice {
    Advice::command(Suggested::new("tools"), "shows its tools; ")
        .and_command(Suggested::new("submit").about("TOOL").flag("--wait"), "calls one and stays to its end")
}

/// What helps where a server has no MCP endpoint at that path.
fn help_with_path(server: &str) -> String {
    let pathless = server.strip_suffix('/').filter(|rest| rest.matches('/').count() == 2);
    match pathless {
        Some(host) => format!("the URL has no path, which is often /mcp: {host}/mcp"),
        None => "look at the URL: its path is often /mcp".to_owned(),
    }
}
