//! A place of its own for each test: a home directory, a store, and the program itself.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The bound on every command: long enough for a busy machine, short enough to find what hangs.
pub const BOUND: Duration = Duration::from_secs(60);

/// How long a process in the background may live: whoever waits for a line of one that hangs is told by its end.
const LIFE: Duration = Duration::from_secs(240);

/// The command of a server that listens.
pub const SERVE: [&str; 4] = ["serve", "--json", "--listen", "127.0.0.1:0"];

/// The file with what processes in the background say on stderr.
const SAID: &str = "said";

/// Where one test runs.
pub struct Place {
    home: TempDir,
    redis: Option<String>,
    file: Option<String>,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    /// On a SQLite file of its own, in the home directory's usual place.
    pub fn new() -> Self {
        Self { home: TempDir::new().expect("a temporary directory"), redis: None, file: None }
    }

    /// On a Redis.
    pub fn on_redis(url: &str) -> Self {
        Self { redis: Some(url.to_owned()), ..Self::new() }
    }

    /// On that SQLite file.
    pub fn on_file(self, path: &str) -> Self {
        Self { file: Some(path.to_owned()), ..self }
    }

    /// The home directory.
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Where the tasks are when nothing else is said.
    pub fn database(&self) -> std::path::PathBuf {
        self.path().join("state/mcptask/tasks.db")
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.to_string_lossy().into_owned()
    }

    /// The program, with nothing of this process's environment but the path to programs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("XDG_STATE_HOME", self.path().join("state"));
        command.env("TERM", "xterm").env("TMPDIR", self.path()).env("TZ", "UTC");
        if let Some(url) = &self.redis {
            command.env("MCPTASK_REDIS_URL", url);
        }
        if let Some(path) = &self.file {
            command.env("MCPTASK_DB", path);
        }
        command.args(arguments).current_dir(self.path());
        command
    }

    /// Runs a command to its end, with nobody at the terminal.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs a command with that on its stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        Self::ran(self.command(arguments), arguments, stdin)
    }

    fn ran(command: Command, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = assert_cmd::Command::from_std(command);
        let output = command.write_stdin(stdin).timeout(BOUND).output().expect("the program runs");
        Ran {
            code: output
                .status
                .code()
                .unwrap_or_else(|| panic!("{arguments:?} ended by {:?}", output.status)),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The same with variables beside the usual ones.
    pub fn run_among(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Self::ran(command, arguments, "")
    }

    /// A command that must succeed; its stdout without the last line end.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.out.trim_end().to_owned()
    }

    /// A command's JSON lines; it must succeed.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.ok(&all).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// Submits a task and waits until it has asked.
    pub fn asking(&self, tool: &str) -> String {
        let id = self.ok(&["submit", tool]);
        self.until(&id, "asked");
        id
    }

    /// Waits for an event of a task.
    pub fn until(&self, id: &str, event: &str) {
        self.ok(&["watch", "--task", id, "--until", event]);
    }

    /// Waits until a task has asked that question.
    pub fn until_asked(&self, id: &str, question: &str) {
        let mut watch = self.background(&["watch", "--json", "--task", id]);
        let mut event = watch.first.clone();
        while event["event"] != "asked" || event["question"]["id"] != question {
            event = watch.next();
        }
    }

    /// A worker that has begun.
    pub fn worker(&self) -> Background {
        self.background(&["worker", "--json"])
    }

    /// A server that listens.
    pub fn serve(&self, arguments: &[&str]) -> Background {
        self.serve_for(LIFE, arguments)
    }

    /// The same for a server that may live so long.
    pub fn serve_for(&self, most: Duration, arguments: &[&str]) -> Background {
        self.background_for(most, &[&SERVE[..], arguments].concat())
    }

    /// What processes in the background have said on stderr, once that is among it.
    pub fn heard(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = std::fs::read_to_string(self.path().join(SAID)).unwrap_or_default();
            if said.contains(words) {
                return said;
            }
            assert!(begun.elapsed() < BOUND, "nobody said {words:?}, but: {said}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a command, and waits for the first line that it prints.
    pub fn background(&self, arguments: &[&str]) -> Background {
        self.background_for(LIFE, arguments)
    }

    /// The same for a process that may live so long.
    pub fn background_for(&self, most: Duration, arguments: &[&str]) -> Background {
        self.begin(most, self.command(arguments))
    }

    /// The same, run by another program.
    pub fn background_in(&self, by: &[&str], arguments: &[&str]) -> Background {
        let own = self.command(arguments);
        let mut command = Command::new(by[0]);
        command.args(&by[1..]).arg(own.get_program()).args(own.get_args()).current_dir(self.path());
        command.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.begin(LIFE, command)
    }

    fn begin(&self, most: Duration, mut command: Command) -> Background {
        let said = std::fs::OpenOptions::new().create(true).append(true).open(self.path().join(SAID));
        let said = said.expect("a file can be written");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
        let mut child = command.spawn().expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let bound = bounded(child.id(), most);
        let mut line = String::new();
        out.read_line(&mut line).expect("the first line");
        let first =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?}: {error}: {line:?}"));
        Background { child, first, out: Some(out), _bound: bound }
    }
}

/// A process in the background; killed when dropped.
pub struct Background {
    child: Child,
    /// The first object that it printed.
    pub first: Value,
    out: Option<BufReader<std::process::ChildStdout>>,
    _bound: Sender<()>,
}

/// Kills the process after that time, unless the sender is dropped before.
fn bounded(id: u32, most: Duration) -> Sender<()> {
    let (bound, ended) = channel();
    std::thread::spawn(move || {
        if ended.recv_timeout(most) == Err(RecvTimeoutError::Timeout) {
            // Its owner has not reaped it, so the id is still its own.
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
        }
    });
    bound
}

impl Background {
    /// Where a server listens.
    pub fn url(&self) -> &str {
        self.first["url"].as_str().expect("a server's url")
    }

    /// The next object that it prints.
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.out.as_mut().expect("still read").read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Closes the reading end of its stdout.
    pub fn without_reader(mut self) -> Self {
        self.out = None;
        self
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process is ours");
    }

    /// The next object that it prints; `None` at its end.
    pub fn next_or_end(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.out.as_mut().expect("still read").read_line(&mut line).expect("a line");
        (read > 0).then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}")))
    }

    /// Waits for its end; the exit code.
    pub fn code(mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state can be read") {
                return status.code().expect("an exit code");
            }
            assert!(begun.elapsed() < BOUND, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
