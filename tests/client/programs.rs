//! Servers on stdio, as real processes: how they are ended, and what they say before.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcptask::client::{Answering, Client, ClientError, Era, Target, programs_ended};
use rstest::rstest;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::answers::Never;
use crate::python::python;
use crate::{PATIENCE, bounded, call, none};

/// A server of the older era that notes in `log` what happens to it, and does `at_start` first and `at_call` for a call.
/// The end of its input does not end it.
fn source(at_start: &str, at_call: &str) -> String {
    format!(
        r#"
import json, os, signal, sys, time
log = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "log"), "a")
def note(*words): print(*words, file=log, flush=True)
def bye(number, frame): note("got", signal.Signals(number).name); os._exit(0)
signal.signal(signal.SIGTERM, bye)
note("pid", os.getpid())
def reply(message, result):
    sys.stdout.write(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}) + "\n"); sys.stdout.flush()
{at_start}
for line in sys.stdin:
    message = json.loads(line)
    note(message.get("method"))
    if message.get("method") == "initialize":
        reply(message, {{"protocolVersion": "2025-11-25", "capabilities": {{"tools": {{}}}}, "serverInfo": {{"name": "x", "version": "1"}}}})
    elif message.get("method") == "tools/list":
        reply(message, {{"tools": [{{"name": "x", "inputSchema": {{"type": "object"}}}}]}})
    elif message.get("method") == "tools/call":
        {at_call}
note("end of input")
while True: time.sleep(1)
"#
    )
}

/// A folder with such a server.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new(at_start: &str, at_call: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("server.py"), source(at_start, at_call)).expect("written");
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The words that start it.
    fn words(&self) -> String {
        format!("{} {}", python("mcp-1.30").display(), self.path("server.py").display())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Whether one of its processes is there, be it only in the process table.
    fn is_there(&self) -> bool {
        let log = self.log();
        let pids = log.lines().filter_map(|line| line.strip_prefix("pid "));
        pids.into_iter().any(|pid| Path::new("/proc").join(pid).exists())
    }

    /// Waits for a line of its log.
    fn await_line(&self, line: &str) {
        let begun = Instant::now();
        while !self.log().lines().any(|one| one == line) {
            assert!(begun.elapsed() < PATIENCE, "no {line:?} in {:?}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn connect(line: &str) -> Result<Client, ClientError> {
    let target = Target::stdio(line).expect("a command");
    bounded("connect", Client::connect(&target, Era::Legacy, None)).await
}

#[rstest]
#[case::directly("{}")]
#[case::in_a_shell("sh -c '{}; true'")]
#[case::by_a_shell_that_ends("sh -c 'exec 3<&0; {} <&3 3<&- &'")]
#[tokio::test]
async fn a_server_that_outlives_its_input_is_told_by_sigterm_with_all_its_processes(#[case] wrapped: &str) {
    let program = Program::new("", "pass");
    let client = connect(&wrapped.replace("{}", &program.words())).await.expect("connects");
    bounded("close", client.close()).await;
    let log = program.log();
    assert!(log.ends_with("got SIGTERM\n"), "{log}");
    assert!(!program.is_there(), "{log}");
}

#[tokio::test]
async fn a_server_that_ignores_sigterm_is_killed() {
    let program = Program::new("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "pass");
    let client = connect(&format!("sh -c '{}; true'", program.words())).await.expect("connects");
    bounded("close", client.close()).await;
    assert!(program.log().ends_with("end of input\n"), "{}", program.log());
    assert!(!program.is_there());
}

#[tokio::test]
async fn a_server_that_ends_with_its_input_is_sent_nothing() {
    let program = Program::new("", "pass");
    let words =
        format!("sh -c 'trap \"echo got TERM >> {0}\" TERM; cat > /dev/null'", program.path("log").display());
    let target = Target::stdio(&words).expect("a command");
    // It never answers, so the connection is given up in the middle of the handshake.
    let connecting =
        tokio::time::timeout(Duration::from_millis(300), Client::connect(&target, Era::Legacy, None));
    assert!(connecting.await.is_err(), "it is still waited for");
    bounded("the end", programs_ended()).await;
    assert_eq!(program.log(), "");
}

/// What `mcptask tools` says of a program, within what a person waits.
fn tools_of(program: &str) -> (Option<i32>, String) {
    let home = TempDir::new().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home.path());
    command.args(["tools", "--stdio", program]).stdin(Stdio::null());
    let begun = Instant::now();
    let output = command.output().expect("mcptask runs");
    assert!(begun.elapsed() < Duration::from_secs(30), "{program}: {:?}", begun.elapsed());
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[rstest]
#[case::a_flood("yes", "does not speak MCP: its first line was \"y\"")]
#[case::a_line_without_end("cat /dev/zero", "sends a line that is too large")]
#[case::an_echo("cat", "does not speak MCP: it sends back what it is sent")]
fn a_program_that_does_not_speak_mcp_is_told_soon_and_in_few_words(
    #[case] program: &str,
    #[case] words: &str,
) {
    let (code, said) = tools_of(program);
    assert_eq!(code, Some(4), "{said:.1000}");
    assert!(said.contains(words) && said.len() < 4000, "{} bytes: {said:.1000}", said.len());
}

#[tokio::test]
async fn a_banner_before_the_first_message_is_passed_over() {
    let program =
        Program::new("for line in range(300): print('welcome', line)", "reply(message, {\"content\": []})");
    let client = connect(&program.words()).await.expect("connects");
    bounded("submit", client.submit(call("x", none()))).await.expect("is done");
    client.close().await;
}

#[rstest]
#[case::of_junk("while True: sys.stdout.write('y\\n' * 1000)")]
#[case::of_notices(
    "while True: sys.stdout.write('{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\\n' * 1000)"
)]
fn a_program_that_floods_its_client_does_not_keep_a_signal_from_it(#[case] at_call: &str) {
    let program = Program::new("", &format!("note('floods')\n        {at_call}"));
    let begun = Instant::now();
    assert_eq!(ended_by(Signal::TERM, &program, &program.words(), "floods"), Some(143));
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    assert!(!program.is_there(), "{}", program.log());
}

/// A question without end, as one that is asked again and again by another id.
const QUESTIONS: &str = r#"
        number = 0
        while True:
            number += 1
            sys.stdout.write('{"jsonrpc":"2.0","id":%d,"method":"elicitation/create","params":{"message":"q","requestedSchema":{"type":"object","properties":{}}}}\n' % number)
"#;

#[rstest]
#[tokio::test]
async fn a_program_that_asks_without_end_is_given_up(#[values(true, false)] asks: bool) {
    let program = Program::new("", QUESTIONS);
    let target = Target::stdio(&program.words()).expect("a command");
    let never: Arc<dyn Answering> = Arc::new(Never::default());
    let connecting = Client::connect(&target, Era::Legacy, asks.then_some(never));
    let client = bounded("connect", connecting).await.expect("connects");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it is given up");
    match &error {
        ClientError::Answers { problem, .. } => {
            let is_said =
                problem.contains("floods its client") || problem.contains("does not read what it is sent");
            assert!(is_said, "{problem}");
        }
        // Where nobody may be asked, the first question ends the wait as well, whichever is told first.
        ClientError::NeedsInput { .. } if !asks => (),
        _ => panic!("{error:?}"),
    }
    client.close().await;
}

/// Runs `mcptask` until the server's log has that line, then sends the signal; its exit code.
fn ended_by(signal: Signal, program: &Program, words: &str, line: &str) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command
        .env_clear()
        .env("HOME", program.folder.path())
        .args(["submit", "x", "--era", "legacy", "--stdio", words]);
    let mut command = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("mcptask runs");
    program.await_line(line);
    let pid = rustix::process::Pid::from_child(&command);
    rustix::process::kill_process(pid, signal).expect("it is there");
    command.wait().expect("it is ours").code()
}

#[rstest]
#[case::ctrl_c(Signal::INT, 130)]
#[case::a_closed_terminal(Signal::HUP, 143)]
#[case::quit(Signal::QUIT, 143)]
fn what_ends_the_command_ends_the_server_as_closing_does(
    #[case] signal: Signal,
    #[case] code: i32,
    #[values(("", "tools/call"), ("note('begun')\nwhile True: time.sleep(1)", "begun"))] at: (&str, &str),
) {
    let program = Program::new(at.0, "pass");
    let words = format!("sh -c '{}; true'", program.words());
    assert_eq!(ended_by(signal, &program, &words, at.1), Some(code));
    let log = program.log();
    assert!(log.ends_with("got SIGTERM\n"), "{log}");
    assert!(!program.is_there(), "{log}");
}

#[test]
fn a_task_of_a_server_that_ends_with_the_command_is_not_said_to_go_on() {
    let task = "reply(message, {'task': {'taskId': 't1', 'status': 'working', 'pollInterval': 100}})";
    let program = Program::new("", task);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("HOME", program.folder.path()).stdin(Stdio::null()).stderr(Stdio::piped());
    command.args(["submit", "x", "--wait", "--era", "legacy", "--stdio", &program.words()]);
    let command = command.spawn().expect("mcptask runs");
    program.await_line("tasks/result");
    let pid = rustix::process::Pid::from_child(&command);
    rustix::process::kill_process(pid, Signal::INT).expect("it is there");
    let output = command.wait_with_output().expect("it is ours");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("the server ends with this command, and a task that it keeps nowhere else is lost"),
        "{said}"
    );
    assert!(said.contains("takes it up again where the server keeps it"), "{said}");
    assert!(!said.contains("the task goes on"), "{said}");
}

/// `nohup` starts a command so that it goes on when the terminal is closed.
#[test]
fn a_command_that_was_started_to_go_on_without_its_terminal_does() {
    let program = Program::new("", "time.sleep(1); note('slept')");
    let words =
        format!("{:?} submit x --era legacy --stdio {:?}", env!("CARGO_BIN_EXE_mcptask"), program.words());
    let mut shell = Command::new("sh");
    shell.env_clear().env("HOME", program.folder.path()).args(["-c", &format!("trap '' HUP; exec {words}")]);
    let mut command = shell.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh runs");
    program.await_line("tools/call");
    let pid = rustix::process::Pid::from_child(&command);
    rustix::process::kill_process(pid, Signal::HUP).expect("it is there");
    program.await_line("slept");
    rustix::process::kill_process(pid, Signal::TERM).expect("it is there");
    assert_eq!(command.wait().expect("it is ours").code(), Some(143));
}

#[tokio::test]
async fn any_bytes_may_be_on_stderr_and_the_last_of_them_are_in_the_error() {
    let at_start = "os.write(2, b'\\xff\\xfe\\n' * 100000); os.write(2, b'no line end' * 20000)";
    let at_call = "os.write(2, b'\\n\\xc3\\x28 the oven is cold \\xff'); os._exit(7)";
    let program = Program::new(at_start, at_call);
    let client = connect(&program.words()).await.expect("connects: somebody reads its stderr");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it ends");
    let shown = error.to_string();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    assert!(shown.contains("the oven is cold") && shown.contains("exit status: 7"), "{shown}");
    assert!(shown.len() < 8000, "{} bytes", shown.len());
    client.close().await;
}
