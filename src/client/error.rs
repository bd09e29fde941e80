//! What can go wrong between this client and a server.

use std::time::Duration;

use super::asked::AskedQuestion;
use super::quiet::LONGEST;
use super::target::is_program;
use crate::certificate::CertificateFault;
use crate::task::RpcError;

/// The result of a client's verb.
pub type ClientResult<T> = Result<T, ClientError>;

/// Why a client's verb failed. No variant carries a token, a header value or a URL's query.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// What was given names no server.
    #[error("{given:?} {problem}")]
    Target {
        /// What was given, without what may be secret.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answers there, or the connection broke and did not come back.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// Which server.
        server: String,
        /// Why.
        reason: String,
        /// Whether what was asked may have arrived there all the same.
        is_sent: bool,
    },
    /// The server does not know the session any more, as one that was started again does not. Nothing was done; a new
    /// connection may go on.
    #[error("{server} does not know this session any more")]
    SessionEnded {
        /// Which server.
        server: String,
    },
    /// Somebody answers there, and not as an MCP server does.
    #[error("{server} {problem}")]
    Answers {
        /// Which server.
        server: String,
        /// What it does instead.
        problem: String,
        /// The status of HTTP, where that is what it answers with.
        status: Option<u16>,
        /// For how long it wants to be left alone, where it says so.
        wait: Option<Duration>,
        /// Whether it may be otherwise a moment later.
        is_passing: bool,
        /// Whether it refused what was asked before anything of it was done.
        is_refusal: bool,
    },
    /// Somebody answers there, with a certificate that is not taken.
    #[error("no secure connection to {server}: {fault}")]
    Untrusted {
        /// Which server.
        server: String,
        /// What is wrong with its certificate.
        fault: CertificateFault,
    },
    /// Somebody answers there, and no secure connection comes about.
    #[error("no secure connection to {server}: {reason}")]
    Insecure {
        /// Which server.
        server: String,
        /// Why not.
        reason: String,
    },
    /// The server wants a token, or another one.
    #[error("{server} refuses these credentials (HTTP 401): give a valid token")]
    Unauthorised {
        /// Which server.
        server: String,
    },
    /// The server knows who asks, or does not care, and says no.
    #[error("{server} forbids this (HTTP 403){}", words.as_ref().map(|words| format!(": {words}")).unwrap_or_default())]
    Forbidden {
        /// Which server.
        server: String,
        /// Its words.
        words: Option<String>,
    },
    /// The server took too long.
    #[error("{server} did not answer {what} within {}s{words}", after.as_secs())]
    Timeout {
        /// Which server.
        server: String,
        /// What was asked of it.
        what: String,
        /// How long it had.
        after: Duration,
        /// What a program wrote to its stderr last; empty where it wrote nothing.
        words: String,
    },
    /// The server breaks the protocol, or shares no version of it with this client.
    #[error("{server} does not speak MCP as expected: {problem}")]
    Protocol {
        /// Which server.
        server: String,
        /// What was unexpected.
        problem: String,
    },
    /// A call comes back for input again and again. Nothing has come of it.
    #[error("{server} does not speak MCP as expected: tools/call: {problem}")]
    Endless {
        /// Which server.
        server: String,
        /// What it does.
        problem: &'static str,
    },
    /// The server refused a request.
    #[error("the server refused {method}: {} (code {})", error.message, error.code)]
    Refused {
        /// The request's method.
        method: String,
        /// The server's words.
        error: Box<RpcError>,
    },
    /// The server offers no such tool.
    #[error("the server has no tool {name:?}; it has {}", known.join(", "))]
    UnknownTool {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The server knows no such task, or does not show it to us.
    #[error("the server knows no task {task:?}: {message}")]
    NoTask {
        /// The task's id.
        task: String,
        /// The server's words.
        message: String,
    },
    /// The server's protocol era lacks this verb.
    #[error("{server} cannot {verb}: {reason}")]
    NotOffered {
        /// Which server.
        server: String,
        /// What was wanted.
        verb: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The task is completed, and the server does not give its result.
    #[error("task {task} is completed, and its result could not be had: {reason}")]
    NoResult {
        /// The task's id.
        task: String,
        /// Why not.
        reason: String,
    },
    /// A question is open, and this client was given no way of answering.
    #[error("{server} asks, and nobody may be asked here: {message}")]
    NeedsInput {
        /// Who asks.
        server: String,
        /// The waiting task, unless it is a foreground call.
        task: Option<String>,
        /// The question's text.
        message: String,
        /// The question, where the server has shown it.
        question: Option<Box<AskedQuestion>>,
    },
    /// The answerer left the question open.
    #[error("the question was left open: {message}")]
    LeftOpen {
        /// The question's text.
        message: String,
    },
    /// Several answers to one question were refused; the question is still open.
    #[error("the answer to {message:?} is not valid: {problem}")]
    AnswerRefused {
        /// The question's text.
        message: String,
        /// Why the last one was.
        problem: String,
    },
    /// A task asks under another key after each answer.
    #[error(
        "task {task} has had {answered} questions answered here, and asks another one each time: no more are answered"
    )]
    TooManyQuestions {
        /// The task's id.
        task: String,
        /// How many were.
        answered: usize,
    },
    /// The server took an answer, and another one had come first.
    #[error(
        "question {question} of task {task} was already answered, or its task had ended: this answer came too late"
    )]
    TooLate {
        /// The task's id.
        task: String,
        /// The question's key.
        question: String,
    },
    /// The server asks for something that this client did not offer.
    #[error("the server asks what cannot be answered here: {problem}")]
    Unanswerable {
        /// What it asks.
        problem: String,
    },
}

/// Under this key of an error's data our own servers say that their store is away: [`DONE_NOTHING`] where it refused
/// and changed nothing, anything else where what was asked may have been done.
const STORE_AWAY: &str = "mcptask/storeAway";
const DONE_NOTHING: &str = "nothingChanged";

/// Under this key they say that their store refuses, and that waiting does not help.
const STORE_REFUSES: &str = "mcptask/storeRefuses";

/// "Internal error" of JSON-RPC.
pub(super) const INTERNAL_ERROR: i64 = -32603;

/// "Method not found" of JSON-RPC.
const METHOD_NOT_FOUND: i64 = -32601;

/// "Missing required client capability" of 2026-07-28; its data names the capabilities.
const MISSING_CAPABILITY: i64 = -32021;

/// The request that only looks: its internal error says that the server cannot look now, and nothing of the task itself.
pub(super) const LOOK: &str = "tasks/get";

impl ClientError {
    /// Whether it may be otherwise a moment later, with nothing changed here: the server, or its store, is away.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::SessionEnded { .. } | Self::Timeout { .. } => true,
            Self::Answers { is_passing, .. } => *is_passing,
            Self::Refused { method, error } => {
                store_away(error).is_some() || (error.code == INTERNAL_ERROR && method == LOOK)
            }
            _ => false,
        }
    }

    /// For how long the server wants to be left alone, as far as that is done; zero where it does not say.
    pub fn wait(&self) -> Duration {
        match self {
            Self::Answers { wait: Some(wait), .. } => LONGEST.min(*wait),
            _ => Duration::ZERO,
        }
    }

    /// Whether the server says of itself that it failed at what was asked, in JSON-RPC or in HTTP.
    pub(super) fn is_internal(&self) -> bool {
        match self {
            Self::Refused { error, .. } => error.code == INTERNAL_ERROR,
            Self::Answers { status, .. } => *status == Some(500),
            _ => false,
        }
    }

    /// Whether it is about the server as a whole, whatever was asked of it: nobody is there, it takes nobody's word without
    /// a token, or its store is away.
    pub(crate) fn is_of_server(&self) -> bool {
        match self {
            Self::Unreachable { is_sent, .. } => !is_sent,
            Self::SessionEnded { .. }
            | Self::Untrusted { .. }
            | Self::Insecure { .. }
            | Self::Unauthorised { .. } => true,
            Self::Refused { error, .. } => store_away(error).is_some(),
            _ => false,
        }
    }

    /// Whether the server would have to ask, and was told that nobody here can be: it names elicitation as the
    /// capability that it misses.
    pub fn misses_elicitation(&self) -> bool {
        let Self::Refused { error, .. } = self else { return false };
        let missed = error.data.as_ref().and_then(|data| data.pointer("/requiredCapabilities/elicitation"));
        error.code == MISSING_CAPABILITY && missed.is_some()
    }

    /// Whether it is about the server's store, which refuses.
    pub fn is_of_store(&self) -> bool {
        let Self::Refused { error, .. } = self else { return false };
        error.data.as_ref().is_some_and(|data| data.get(STORE_REFUSES) == Some(&true.into()))
    }

    /// Whether the server has no such method, be it that its protocol could.
    pub fn is_unknown_method(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error.code == METHOD_NOT_FOUND)
    }

    /// Whether it is about a program that was started here, rather than about a server elsewhere.
    pub fn is_about_program(&self) -> bool {
        matches!(self, Self::Unreachable { server, .. } | Self::Timeout { server, .. } if is_program(server))
    }

    /// Whether what was asked may have been done all the same: it was sent, and no reply says what came of it.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Unreachable { is_sent, .. } => *is_sent,
            Self::Answers { is_refusal, .. } => !is_refusal,
            Self::Timeout { .. } | Self::Protocol { .. } => true,
            Self::Refused { error, .. } => store_away(error).is_some_and(|what| what != DONE_NOTHING),
            _ => false,
        }
    }
}

/// Whether an error says that the tool wanted to ask in the middle of a call, as 2025-11-25 has it, and the server found
/// no session to send that request to: SDKs say so in words only.
pub fn asks_as_in_sessions(error: &str) -> bool {
    error.contains("elicitation/create") && error.contains("back-channel")
}

/// What a server says of its store, where that is away.
fn store_away(error: &RpcError) -> Option<&str> {
    error.data.as_ref()?.get(STORE_AWAY)?.as_str()
}
