//! A command's side of its socket. It blocks, and needs no runtime: a script may ask many times, and each
//! `mcptask ask` is a process of its own.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::protocol::{AskAllRequest, AskRequest, Refusal, Reply, ReportRequest, Request, SOCKET_VARIABLE};
use crate::task::Answer;

/// The connection of a command to its worker.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no socket to talk to.
    #[error(
        "this is not inside a task: {SOCKET_VARIABLE} is not set. Only a command that a worker runs can ask and \
         report"
    )]
    Outside,
    /// The socket cannot be reached.
    #[error("cannot reach the worker at {}: {source}; the task has probably ended", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The worker went away without a reply.
    #[error("the worker closed the connection without a reply: the task is over, or the worker stopped")]
    Closed,
    /// The worker replied with something else.
    #[error("the worker's reply cannot be read: {0}")]
    Unreadable(String),
    /// The worker said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Connection {
    /// Connects to the worker that runs this command, as `MCPTASK_SOCKET` says.
    pub fn from_environment() -> Result<Self, AskError> {
        match env::var_os(SOCKET_VARIABLE) {
            Some(path) if !path.is_empty() => Self::open(Path::new(&path)),
            _ => Err(AskError::Outside),
        }
    }

    /// Connects to a socket.
    pub fn open(path: &Path) -> Result<Self, AskError> {
        let stream = UnixStream::connect(path)
            .map_err(|source| AskError::Unreachable { path: path.to_owned(), source })?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks one question and waits for its answer, for as long as that takes.
    pub fn ask(&mut self, question: AskRequest) -> Result<Answer, AskError> {
        match self.send(&Request::Ask(question))? {
            Reply::Answer(answer) => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks several questions at once and waits for all answers, in the order asked.
    pub fn ask_all(&mut self, questions: AskAllRequest) -> Result<Vec<Answer>, AskError> {
        match self.send(&Request::AskAll(questions))? {
            Reply::Answers(answers) => Ok(answers),
            other => Err(unexpected(&other)),
        }
    }

    /// Reports a step. Where steps come fast the newest stands for those before it, and is written down soon.
    pub fn report(&mut self, step: ReportRequest) -> Result<(), AskError> {
        match self.send(&Request::Report(step))? {
            Reply::Reported {} => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn send(&mut self, request: &Request) -> Result<Reply, AskError> {
        let mut line =
            serde_json::to_string(request).map_err(|error| AskError::Unreadable(error.to_string()))?;
        line.push('\n');
        // A worker that refuses a line before its end closes; its reply is there to be read all the same.
        let written = self.stream.get_mut().write_all(line.as_bytes());
        let mut reply = String::new();
        let read = self.stream.read_line(&mut reply);
        if reply.is_empty() || read.and(written).is_err() && !reply.ends_with('\n') {
            return Err(AskError::Closed);
        }
        match serde_json::from_str(&reply).map_err(|error| AskError::Unreadable(error.to_string()))? {
            Reply::Error(refusal) => Err(refusal.into()),
            reply => Ok(reply),
        }
    }
}

fn unexpected(reply: &Reply) -> AskError {
    AskError::Unreadable(format!("it belongs to another request: {reply:?}"))
}
