//! The programs of peers: a script, and what runs it as `tests/run` installs it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::python::{cache, python};

/// How long a server may take to listen. Imports alone take seconds on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A command that is ready for its arguments.
pub(crate) struct Program {
    pub(crate) command: Command,
    /// Where a script of Node's stands, beside the packages that it imports.
    _folder: Option<TempDir>,
}

impl Program {
    /// The command as a line for a shell.
    pub(crate) fn line(&self) -> String {
        let command = self.command.as_std();
        let words = [command.get_program()].into_iter().chain(command.get_args());
        shell_words::join(words.map(|word| word.to_str().expect("a path in UTF-8")))
    }
}

/// A server that prints its port once it listens; killed when dropped.
pub(crate) struct Listening {
    _child: Child,
    pub(crate) url: String,
}

/// Starts the script as a server on HTTP.
pub(crate) async fn listen(mut program: Program) -> (Listening, Program) {
    let command =
        program.command.arg("http").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn().expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let port = tokio::time::timeout(START, lines.next_line()).await.expect("the server listens in time");
    let port = port.expect("it prints text").expect("the server lives");
    (Listening { _child: child, url: format!("http://127.0.0.1:{port}/mcp") }, program)
}

/// A script of `tests/interop/FOLDER`, run by Python or Node with an environment that `tests/run` installs.
pub(crate) fn program(environment: &str, folder: &str, name: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(folder);
    if Path::new(name).extension().is_some_and(|ending| ending == "mjs") {
        return node_program(environment, &folder, name);
    }
    let mut command = Command::new(python(environment));
    command.arg(folder.join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    Program { command, _folder: None }
}

/// Node looks for packages in the folder of a script and above, so scripts stand beside a link to theirs.
fn node_program(environment: &str, folder: &Path, name: &str) -> Program {
    let beside = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(packages(environment), beside.path().join("node_modules")).expect("a link");
    let scripts = std::fs::read_dir(folder).expect("the scripts").flatten();
    // Python leaves a folder there.
    for entry in scripts.filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), beside.path().join(entry.file_name())).expect("a copy");
    }
    let mut command = Command::new(node());
    command.arg(beside.path().join(name));
    Program { command, _folder: Some(beside) }
}

/// The packages that `tests/run` installs for one `package.json`.
pub(crate) fn packages(environment: &str) -> PathBuf {
    let packages = cache(environment).join("node_modules");
    assert!(packages.exists(), "{} is missing: run tests/run, which installs it", packages.display());
    packages
}

/// The Node that comes with the conformance suite.
pub(crate) fn node() -> PathBuf {
    packages("conformance").join("node/bin/node")
}
