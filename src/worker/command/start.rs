//! Starting a command: its program found, its process set up.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf, absolute};
use std::process::Stdio;

use tokio::process::Command;

use super::environment::{Variables, variables};
use super::group::{Group, Pipes};
use super::shortage::is_shortage;
use super::spec::CommandSpec;
use crate::ask::protocol::SOCKET_VARIABLE;
use crate::worker::TaskContext;

/// The executable that `program` means, or why there is none.
fn find_program(command: &CommandSpec, path: Option<&OsStr>) -> Result<PathBuf, StartProblem> {
    let program = &command.program;
    if program.components().count() > 1 || program.is_absolute() {
        let found = match &command.directory {
            Some(directory) => directory.join(program),
            None => program.clone(),
        };
        let found = absolute(&found).unwrap_or(found);
        return executable(&found).map(|()| found);
    }
    let folders: Vec<PathBuf> = path.map(|path| env::split_paths(path).collect()).unwrap_or_default();
    let mut candidates = folders.iter().map(|folder| folder.join(program));
    candidates.find(|candidate| executable(candidate).is_ok()).ok_or_else(|| {
        let program = program.display();
        format!("there is no executable {program} in any folder of PATH; name its path, or install it").into()
    })
}

fn executable(path: &Path) -> Result<(), StartProblem> {
    let shown = path.display();
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("there is no file {shown}").into());
        }
        Err(error) => return Err(StartProblem::of(&error, format!("cannot look at {shown}: {error}"))),
    };
    if meta.is_dir() {
        Err(format!("{shown} is a folder, not a program").into())
    } else if meta.permissions().mode() & 0o111 == 0 {
        Err(format!("{shown} is not executable; `chmod +x` makes it so").into())
    } else {
        Ok(())
    }
}

/// The process to start: a group of its own, three pipes, nothing inherited but `variables`.
fn process(program: &Path, command: &CommandSpec, variables: &Variables) -> Command {
    let mut process = Command::new(program);
    process
        .args(&command.args)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(directory) = &command.directory {
        process.current_dir(directory);
    }
    process
}

/// Why an executable file did not start, in words.
fn start_problem(program: &Path, command: &CommandSpec, error: &io::Error) -> String {
    let directory = command.directory.as_deref().filter(|directory| !directory.is_dir());
    if let Some(directory) = directory {
        return format!("its working directory {} is not a folder that can be entered", directory.display());
    }
    let program = program.display();
    match error.kind() {
        // The file was there a moment ago: what is missing is what its first line names.
        io::ErrorKind::NotFound => {
            format!("cannot start {program}: the interpreter in its first line is missing")
        }
        io::ErrorKind::PermissionDenied => {
            format!("cannot start {program}: this worker may not execute it")
        }
        io::ErrorKind::ArgumentListTooLong => {
            format!("cannot start {program}: its arguments and environment are too large")
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => format!(
            "cannot start {program}: it is no program of this machine; a script begins with a line such as \
             #!/bin/sh"
        ),
        _ => format!("cannot start {program}: {error}"),
    }
}

/// Why a command did not start.
pub(super) enum StartProblem {
    /// The machine is short of something; another attempt may succeed.
    Shortage(String),
    /// It will not start next time either.
    Lasting(String),
}

impl StartProblem {
    /// What an error of the system's comes to.
    fn of(error: &io::Error, problem: String) -> Self {
        if is_shortage(error) { Self::Shortage(problem) } else { Self::Lasting(problem) }
    }
}

impl From<String> for StartProblem {
    fn from(problem: String) -> Self {
        Self::Lasting(problem)
    }
}

/// Starts the command for one task.
pub(super) fn start(
    command: &CommandSpec,
    task: &TaskContext,
    socket: &Path,
) -> Result<(Group, Pipes), StartProblem> {
    let variables = variables(command, &task.arguments(), task.task(), socket)?;
    let program = find_program(command, variables.get(OsStr::new("PATH")).map(OsString::as_os_str))?;
    let mut mark = format!("{SOCKET_VARIABLE}=").into_bytes();
    mark.extend_from_slice(socket.as_os_str().as_bytes());
    Group::start(&mut process(&program, command, &variables), mark)
        .map_err(|error| StartProblem::of(&error, start_problem(&program, command, &error)))
}
