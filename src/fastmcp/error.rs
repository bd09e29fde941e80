//! Why a deployment could not be read, or was not changed.

use crate::certificate::CertificateFault;
use crate::redis_link;
use crate::task::{TaskStatus, Violation, joined};
use redis::{ErrorKind, RedisError};

/// The result of an operation on a deployment.
pub type FastmcpResult<T> = Result<T, FastmcpError>;

/// Why it was not done. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FastmcpError {
    /// The Redis cannot be reached.
    #[error("cannot reach {location}: {problem}")]
    Unreachable {
        /// Where, without secrets.
        location: String,
        /// What went wrong.
        problem: String,
    },
    /// What was given cannot be the address of a Redis.
    #[error("{location} cannot be used: {problem}")]
    Address {
        /// Where, without secrets.
        location: String,
        /// What is wrong with it, and what may be given.
        problem: String,
    },
    /// Somebody answers there, with a certificate that is not taken.
    #[error("no secure connection to {location}: {fault}")]
    Untrusted {
        /// Where, without secrets.
        location: String,
        /// What is wrong with its certificate.
        fault: CertificateFault,
    },
    /// The Redis is there and does not do it now.
    #[error("{location} refuses: {problem}")]
    Refuses {
        /// Where, without secrets.
        location: String,
        /// Redis' word for why, such as `OOM`.
        code: String,
        /// Redis' own words.
        problem: String,
    },
    /// Nobody is signed in, or not with this password.
    #[error("{location} refuses: {problem}")]
    NotAuthenticated {
        /// Where, without secrets.
        location: String,
        /// Redis' own words.
        problem: String,
    },
    /// The ACL user may not do it.
    #[error("{location} refuses {command}: {problem}")]
    Refused {
        /// Where, without secrets.
        location: String,
        /// The command that was refused.
        command: String,
        /// Which right the user lacks.
        lacks: Right,
        /// Redis' own words.
        problem: String,
    },
    /// The Redis refused a command, or holds something that cannot be read.
    #[error("{location}: {problem}")]
    Backend {
        /// Where, without secrets.
        location: String,
        /// What went wrong.
        problem: String,
    },
    /// There is no FastMCP in this Redis.
    #[error("{location} holds no FastMCP tasks and no Docket workers{}", others(.found))]
    Nothing {
        /// Where, without secrets.
        location: String,
        /// The dockets that are there instead of the one asked for.
        found: Vec<String>,
    },
    /// There are too many keys to search them all for deployments without being told a name.
    #[error("{location} has {keys} keys, too many to look for FastMCP deployments among them")]
    Crowded {
        /// Where, without secrets.
        location: String,
        /// How many.
        keys: u64,
    },
    /// No task of that id.
    #[error("there is no task {id} in docket {docket}")]
    NoTask {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        docket: String,
    },
    /// The first characters of an id fit several.
    #[error("{prefix} fits {} tasks: {}", .found.len(), .found.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that begin so.
        found: Vec<String>,
    },
    /// The task waits for no answer.
    #[error("task {id} ({status}) has no question {question} that waits for an answer")]
    NoQuestion {
        /// The task.
        id: String,
        /// What was to be answered.
        question: String,
        /// Where the task stands.
        status: TaskStatus,
    },
    /// Somebody else answered first.
    #[error("question {question} of task {id} was answered before: by its client, or by another operator")]
    AlreadyAnswered {
        /// The task.
        id: String,
        /// The question.
        question: String,
    },
    /// The task has ended.
    #[error("task {id} has already ended: {status}")]
    Ended {
        /// The task.
        id: String,
        /// How.
        status: TaskStatus,
    },
    /// FastMCP itself marked the question as answered and lost the answer.
    #[error("task {id} waits for an answer that FastMCP already counts as given: it lost a status race")]
    LostToRace {
        /// The task.
        id: String,
    },
    /// Nobody took the answer, so it was taken back: it would have leaked into the next question.
    #[error("no worker waits for the answer to task {id} any more (its worker was {worker})")]
    WorkerGone {
        /// The task.
        id: String,
        /// Its worker.
        worker: String,
    },
    /// An answer that breaks the question's form.
    #[error("the answer does not fit the question: {}", joined(.violations))]
    Invalid {
        /// Every way in which it does not.
        violations: Vec<Violation>,
    },
    /// A question whose schema is no form, so that no content can be checked.
    #[error("the question of task {id} is not a form, so it can only be declined or cancelled: {}", joined(.violations))]
    NotAForm {
        /// The task.
        id: String,
        /// What its schema has that forms have not.
        violations: Vec<Violation>,
    },
    /// FastMCP 4 takes answers through its server; its Redis is taken only on demand.
    #[error("FastMCP 4 takes the answer to task {id} through its server, which checks who may answer")]
    NeedsServer {
        /// The task.
        id: String,
        /// Its question that was meant.
        question: String,
    },
    /// FastMCP 4 would run the task again without its arguments; only its Redis still has a copy.
    #[error(
        "FastMCP has dropped the arguments of task {id}: answered through its server, it would run again with none"
    )]
    ArgumentsExpired {
        /// The task.
        id: String,
        /// Its question that was meant.
        question: String,
    },
    /// Another update of the task did not end in time.
    #[error("another answer to task {id} is under way and has not ended within {seconds} s")]
    Locked {
        /// The task.
        id: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The record that the next leg is copied from has expired.
    #[error("task {id} can no longer be answered: FastMCP's record of the leg that asked has expired")]
    LegExpired {
        /// The task.
        id: String,
    },
    /// The task is not in the state that `fix` mends.
    #[error("task {id} was not lost to the status race, so there is nothing to mend: {found}")]
    NotLost {
        /// The task.
        id: String,
        /// What was found.
        found: String,
    },
}

fn others(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!(" of that name; it has: {}", found.join(", ")) }
}

impl FastmcpError {
    /// Whether it may be otherwise later, with nothing changed here.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refuses { .. })
    }

    /// The error for a Redis error that `command` met.
    pub(super) fn from_redis(location: &str, command: &str, error: &RedisError) -> Self {
        let (location, problem) = (location.to_owned(), redis_link::said(error));
        let code = error.code().unwrap_or_default();
        if code == "NOPERM" || problem.contains("can't run this command") {
            let command = quoted(&problem).map_or_else(|| command.to_owned(), str::to_uppercase);
            return Self::Refused { location, command, lacks: Right::named_in(&problem), problem };
        }
        let is_unknown = error.kind() == ErrorKind::AuthenticationFailed;
        if is_unknown || matches!(code, "NOAUTH" | "WRONGPASS") {
            return Self::NotAuthenticated { location, problem };
        }
        if PASSING.contains(&code) {
            return Self::Refuses { location, code: code.to_owned(), problem };
        }
        if let Some(fault) = CertificateFault::of(error) {
            return Self::Untrusted { location, fault };
        }
        if redis_link::is_wrong_address(error) {
            return Self::Address { location, problem };
        }
        if redis_link::is_unreachable(error) {
            return Self::Unreachable { location, problem };
        }
        Self::Backend { location, problem }
    }
}

/// A right of an ACL user of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To run the command at all.
    Command,
    /// To the keys that the command names.
    Keys,
    /// To the channels that the command names.
    Channels,
}

impl Right {
    /// The one that Redis says is missing: `No permissions to access a key`, before 7 `… one of the keys used as arguments`.
    fn named_in(problem: &str) -> Self {
        let names = |what: &str| {
            problem.contains(&format!("access a {what}")) || problem.contains(&format!("one of the {what}s"))
        };
        match (names("key"), names("channel")) {
            (true, _) => Self::Keys,
            (_, true) => Self::Channels,
            _ => Self::Command,
        }
    }
}

/// What Redis says where it is there, and may do the same later.
const PASSING: [&str; 14] = [
    "OOM",
    "MISCONF",
    "BUSY",
    "LOADING",
    "NOREPLICAS",
    "READONLY",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "NOMASTERLINK",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "UNBLOCKED",
    "NOSCRIPT",
];

/// The command that Redis names in `… to run the 'get' command`.
fn quoted(problem: &str) -> Option<&str> {
    let (_, rest) = problem.split_once(" '")?;
    rest.split_once('\'').map(|(command, _)| command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_is_named_that_is_missing() {
        for (problem, right) in [
            ("NOPERM User guest has no permissions to run the 'xinfo|stream' command", Right::Command),
            (
                "NOPERM this user has no permissions to run the 'get' command or its subcommand",
                Right::Command,
            ),
            ("NOPERM No permissions to access a key", Right::Keys),
            ("NOPERM this user has no permissions to access one of the keys used as arguments", Right::Keys),
            ("NOPERM No permissions to access a channel", Right::Channels),
            (
                "NOPERM this user has no permissions to access one of the channels used as arguments",
                Right::Channels,
            ),
        ] {
            assert_eq!(Right::named_in(problem), right, "{problem}");
        }
    }
}
