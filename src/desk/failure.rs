//! Everything that can go wrong, the exit code of each kind, and the library's errors as such failures.

pub(crate) mod client;
pub(crate) mod fastmcp;
pub(crate) mod server;
pub(crate) mod store;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::desk::suggest::{Advice, Reach, Suggested};
use crate::store::Refusal;

/// What helps where a certificate is not taken.
const CERTIFICATE_HELP: &str = "it has to be valid for the server's name, made without CA:TRUE, and trusted on this \
                                machine: SSL_CERT_FILE=FILE names a file of certificates to trust";

/// What kind of failure: it alone decides the exit code. This table is the documentation of the codes;
/// 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 1: none of the others.
    Unexpected,
    /// 2: the command line, or a value on it, is wrong.
    Usage,
    /// 3: the server wants a token or another one, the store other rights or another password.
    Unauthorised,
    /// 4: the store or the server cannot be reached.
    Unreachable,
    /// 5: the task failed, its tool called its result an error, or `doctor` found trouble.
    TaskFailed,
    /// 6: a question is open, and nobody may be asked here, or who was asked left it open.
    NeedsInput,
    /// 7: `--timeout` ended.
    TimedOut,
    /// 8: the task was cancelled or expired.
    Cancelled,
    /// 9: there is no such task, question or tool.
    NotFound,
    /// 10: nothing was changed: already answered, already finished, nothing to answer.
    NothingChanged,
    /// 130: Ctrl-C.
    Interrupted,
    /// 143: SIGTERM, or the terminal was closed (SIGHUP, which `serve` and `worker` take otherwise), or SIGQUIT.
    Terminated,
}

impl Kind {
    /// All of them, for the help text.
    pub(crate) const ALL: [Self; 12] = [
        Self::Unexpected,
        Self::Usage,
        Self::Unauthorised,
        Self::Unreachable,
        Self::TaskFailed,
        Self::NeedsInput,
        Self::TimedOut,
        Self::Cancelled,
        Self::NotFound,
        Self::NothingChanged,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The process's exit code.
    pub(crate) fn exit_code(self) -> u8 {
        self.row().0
    }

    /// The word in `--json` errors.
    pub(crate) fn code(self) -> &'static str {
        self.row().1
    }

    /// What it means, for the help text.
    pub(crate) fn meaning(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Self::Unexpected => (1, "unexpected", "an unexpected error; ask --confirm: the user said no"),
            Self::Usage => (2, "usage", "a wrong command line, argument or answer"),
            Self::Unauthorised => (
                3,
                "unauthorised",
                "the server wants another token, or the store other rights or another password",
            ),
            Self::Unreachable => (4, "unreachable", "the store or the server cannot be reached"),
            Self::TaskFailed => {
                (5, "task_failed", "the task failed, its result is an error, or doctor found trouble")
            }
            Self::NeedsInput => (
                6,
                "needs_input",
                "input is needed and nobody may be asked here, or who was asked left it open",
            ),
            Self::TimedOut => (7, "timed_out", "--timeout ended"),
            Self::Cancelled => (8, "cancelled", "the task was cancelled or expired"),
            Self::NotFound => (9, "not_found", "no such task, question or tool"),
            Self::NothingChanged => {
                (10, "nothing_changed", "nothing changed: already answered, already ended, already there")
            }
            Self::Interrupted => (130, "interrupted", "Ctrl-C"),
            Self::Terminated => (
                143,
                "terminated",
                "SIGTERM, SIGQUIT, or SIGHUP, at which serve and worker read their files again instead",
            ),
        }
    }
}

/// Why a command did not do what it was told: what was wrong, and what helps.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    hints: Vec<Advice>,
    is_outage: bool,
    leaves_open: bool,
    refusal: Option<Refusal>,
    task: Option<String>,
    question: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of that kind.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
            is_outage: false,
            leaves_open: false,
            refusal: None,
            task: None,
            question: None,
            source: None,
        }
    }

    /// A wrong command line or value.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something with its cause.
    pub(crate) fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(kind, message) }
    }

    /// With one more thing that helps.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Advice>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With a hint, where there is one.
    #[must_use]
    pub(crate) fn maybe_hint(self, hint: Option<Advice>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// After what had been done before it: "120 answered, then the store was gone: …".
    #[must_use]
    pub(crate) fn after(mut self, done: &str) -> Self {
        let then = match self.refusal {
            None if self.is_outage => "the store was gone: ",
            Some(Refusal::FileGone) => "the store was gone: ",
            Some(_) => "the store refused the rest: ",
            None => "",
        };
        self.message = format!("{done}, then {then}{}", self.message);
        self
    }

    /// One of a store that is away: the same command may succeed later.
    #[must_use]
    pub(crate) fn of_outage(self, is_outage: bool) -> Self {
        Self { is_outage, ..self }
    }

    /// One of an answer that changed nothing, and whose question is open all the same.
    #[must_use]
    pub(crate) fn leaving_open(self, leaves_open: bool) -> Self {
        Self { leaves_open, ..self }
    }

    /// Whether the question is open all the same, of which something was changed in vain.
    pub(crate) fn leaves_open(&self) -> bool {
        self.leaves_open
    }

    /// One of a store that is there and refuses.
    #[must_use]
    pub(crate) fn of_refusal(self, refusal: Option<Refusal>) -> Self {
        Self { refusal, ..self }
    }

    /// What the store refuses for, where that is the failure.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Whether it may be otherwise later, with nothing changed here.
    pub(crate) fn is_outage(&self) -> bool {
        self.is_outage
    }

    /// Whether a signal ended the command.
    pub(crate) fn is_signal(&self) -> bool {
        matches!(self.kind, Kind::Interrupted | Kind::Terminated)
    }

    /// Whether the reader of the output went away, as `head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        let cause = self.source.as_deref().and_then(|source| source.downcast_ref::<std::io::Error>());
        cause.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The commands of its hints reach the same tasks as the one that failed.
    #[must_use]
    pub(crate) fn at(mut self, reach: &Reach) -> Self {
        self.hints = self.hints.into_iter().map(|hint| hint.at(reach)).collect();
        self
    }

    /// The commands of its hints that answer a question give the answer that `given` has.
    #[must_use]
    pub(crate) fn answering(mut self, given: &Suggested) -> Self {
        self.hints = self.hints.into_iter().map(|hint| hint.answering(given)).collect();
        self
    }

    /// The task, and the question, that the command was about.
    #[must_use]
    pub(crate) fn concerning(self, task: Option<String>, question: Option<String>) -> Self {
        Self { task, question, ..self }
    }

    /// What programs are told of it: docs/JSON.md, "error".
    pub(crate) fn object(&self) -> Value {
        let mut object = json!({
            "code": self.kind.code(), "exit": self.kind.exit_code(), "message": self.message,
        });
        for (name, id) in [("task", &self.task), ("question", &self.question)] {
            if let Some(id) = id {
                object[name] = json!(id);
            }
        }
        if !self.hints.is_empty() {
            let hints: Vec<_> = self.hints.iter().map(ToString::to_string).collect();
            object["hint"] = json!(hints.join("; "));
        }
        let causes = self.causes();
        if !causes.is_empty() {
            object["causes"] = json!(causes);
        }
        object
    }

    pub(crate) fn hints(&self) -> &[Advice] {
        &self.hints
    }

    /// The causes, outermost first, without those whose words the message already has.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = next {
            let text = error.to_string();
            if !self.message.contains(&text) {
                found.push(text);
            }
            next = error.source();
        }
        found
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        Self::from(failure.kind.exit_code())
    }
}
