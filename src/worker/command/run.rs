//! One run of a command, from its start to the end of everything that it started.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::group::{Group, Pipes, Remains};
use super::leftovers::end_earlier_run;
use super::outcome::{exit_problem, failure, result};
use super::output::Output;
use super::requests::Requests;
use super::shortage::is_shortage;
use super::socket::PrivateSocket;
use super::spec::CommandSpec;
use super::start::{StartProblem, start};
use super::stderr::Stderr;
use crate::ask::protocol::TASK_VARIABLE;
use crate::task::ToolSpec;
use crate::worker::{Interrupted, TaskContext, ToolOutcome};

/// How long the pipes may stay open after the last process is gone; only one that could not be ended, or
/// that hides, holds them longer.
const PIPES: Duration = Duration::from_secs(1);

/// Why a run is over.
enum Ending {
    Exited(io::Result<ExitStatus>),
    TimedOut,
    TooMuch,
    Interrupted(Interrupted),
}

/// Runs the command once.
pub(super) async fn run(tool: &ToolSpec, command: &CommandSpec, task: TaskContext) -> ToolOutcome {
    if task.attempt() > 1 {
        let mark = format!("{TASK_VARIABLE}={}", task.task()).into_bytes();
        end_earlier_run(&mark).await;
    }
    let socket = PrivateSocket::open().map_err(|error| no_socket(&error))?;
    let (group, pipes) = match start(command, &task, socket.path()) {
        Ok(started) => started,
        Err(StartProblem::Shortage(problem)) => return Err(Interrupted::Shortage(problem)),
        Err(StartProblem::Lasting(problem)) => {
            note_failure(tool, &task, &problem).await?;
            return Err(Interrupted::Lasting(problem));
        }
    };
    let mut run = Run {
        tool,
        command,
        group,
        output: Output::new(command.output.stdout_bytes),
        stderr: Stderr::new(command.output.stderr_tail_bytes),
        requests: Arc::new(Requests::new(task, command.output.events_per_second)),
        readers: JoinSet::new(),
        others: JoinSet::new(),
    };
    let ended = run.begin(socket, pipes);
    let outcome = run.conclude(ended).await;
    // The socket goes with the task that serves it.
    run.others.shutdown().await;
    outcome
}

fn no_socket(error: &io::Error) -> Interrupted {
    let problem = format!("cannot open a socket for the command: {error}");
    if is_shortage(error) { Interrupted::Shortage(problem) } else { Interrupted::Retry(problem) }
}

/// Says on the task and in the log what was wrong with a command.
async fn note_failure(tool: &ToolSpec, task: &TaskContext, problem: &str) -> Result<(), Interrupted> {
    let noted = task.note(problem).await;
    // Whoever took the task may have ended the command.
    if !matches!(noted, Err(Interrupted::Taken)) {
        tracing::warn!(task = %task.task(), tool = %tool.name, %problem, "a command failed");
    }
    noted
}

struct Run<'a> {
    tool: &'a ToolSpec,
    command: &'a CommandSpec,
    group: Group,
    output: Output,
    stderr: Stderr,
    requests: Arc<Requests>,
    readers: JoinSet<()>,
    /// The socket, the relay of stderr and the writer of stdin.
    others: JoinSet<()>,
}

impl Run<'_> {
    /// Sets everything going that runs beside the command; the token stops the relay of stderr.
    fn begin(&mut self, socket: PrivateSocket, pipes: Pipes) -> (CancellationToken, JoinHandle<()>) {
        self.readers.spawn(self.output.clone().read(pipes.stdout));
        self.readers.spawn(self.stderr.clone().read(pipes.stderr));
        let arguments = self.requests.task.arguments_json().to_owned();
        self.others.spawn(hand_over(pipes.stdin, arguments));
        self.others.spawn(self.requests.clone().serve(socket));
        let ended = CancellationToken::new();
        let relay = tokio::spawn(self.requests.clone().relay(self.stderr.clone(), ended.clone()));
        (ended, relay)
    }

    async fn conclude(&mut self, (ended, relay): (CancellationToken, JoinHandle<()>)) -> ToolOutcome {
        let ending = self.wait().await;
        let open_question = self.requests.is_asking();
        let grace = self.command.grace;
        let remains = match &ending {
            Ending::Exited(_) => self.group.sweep(grace).await,
            _ => self.group.end(grace).await,
        };
        // Past this, only a process that could not be found or ended holds a pipe open.
        let _ = timeout(PIPES, async { while self.readers.join_next().await.is_some() {} }).await;
        self.readers.abort_all();
        ended.cancel();
        if let Ending::Interrupted(interrupted) = ending {
            relay.abort();
            return Err(interrupted);
        }
        let _ = relay.await;
        self.requests.relay_rest(&self.stderr).await;
        let problems = self.problems(&ending, open_question, remains);
        self.outcome(problems).await
    }

    async fn wait(&mut self) -> Ending {
        let (requests, limit) = (&self.requests, self.command.time_limit);
        let clock = requests.task.clock();
        tokio::select! {
            biased;
            interrupted = requests.interrupted() => Ending::Interrupted(interrupted),
            () = self.output.exceeded().cancelled() => Ending::TooMuch,
            status = self.group.exited() => Ending::Exited(status),
            () = clock.reaches(limit.unwrap_or(Duration::MAX)), if limit.is_some() => Ending::TimedOut,
        }
    }

    /// Everything that keeps the command's stdout from being a result.
    fn problems(&self, ending: &Ending, open_question: bool, remains: Remains) -> Vec<String> {
        let mut problems = Vec::new();
        match ending {
            Ending::Exited(Ok(status)) => problems.extend(exit_problem(*status)),
            Ending::Exited(Err(error)) => problems.push(format!("its end could not be seen: {error}")),
            Ending::TimedOut => problems.push(format!(
                "it ran longer than its time limit of {:?}, time for answers not counted, and was ended",
                self.command.time_limit.unwrap_or_default()
            )),
            Ending::TooMuch => {}
            Ending::Interrupted(interrupted) => problems.push(interrupted.to_string()),
        }
        if self.output.exceeded().is_cancelled() {
            let limit = self.command.output.stdout_bytes;
            problems.push(format!("it wrote more than {limit} bytes to stdout and was ended"));
        }
        if open_question && matches!(ending, Ending::Exited(_)) {
            problems.push("it ended while its question was open".to_owned());
        }
        match (remains, ending) {
            (Remains::Ended, Ending::Exited(_)) => problems.push(
                "it left processes running, which were ended; a command must wait for what it starts"
                    .to_owned(),
            ),
            (Remains::Stuck, _) => problems.push("some of its processes could not be ended".to_owned()),
            _ => {}
        }
        problems
    }

    async fn outcome(&self, mut problems: Vec<String>) -> ToolOutcome {
        let stdout = self.output.take();
        if problems.is_empty() {
            match result(self.tool, stdout.clone()) {
                Ok(outcome) => return Ok(outcome),
                Err(problem) => problems.push(problem),
            }
        }
        let program = self.command.program.display();
        let problem = format!("{program}: {}", problems.join("; "));
        note_failure(self.tool, &self.requests.task, &problem).await?;
        Ok(failure(&problem, &self.stderr.tail(), &stdout))
    }
}

/// Writes the arguments. A command that does not read them is none the worse for it.
async fn hand_over(mut stdin: ChildStdin, arguments: String) {
    let _ = stdin.write_all(arguments.as_bytes()).await;
    let _ = stdin.write_all(b"\n").await;
}
