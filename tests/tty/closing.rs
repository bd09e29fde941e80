//! A terminal that is closed: whoever asks somebody there ends, and so does who serves there, unless it was started to
//! outlive its terminal.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use rexpect::process::Signal;
use rstest::rstest;

use crate::place::{BOUND, Place};
use crate::screen::Screen;

const TOOLS: &str = r#"
[tools.allow]
description = "Asks whether."
steps = [{ ask = "May I?", as = "a", form = { ok = "boolean" } }, { return = "{{ a.action }}" }]
"#;

/// A command in a terminal that is closed once that text is on it; see `closed.py`.
struct Closed {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Closed {
    fn run(place: &Place, (manner, text, name): (&str, &str, &str), arguments: &[&str]) -> Self {
        let program = place.command(&[]);
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tty/closed.py")).args([manner, text]);
        command.arg(program.get_program()).args(arguments).current_dir(place.path()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", name);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let mut this = Self { child, said };
        assert_eq!(this.line(), "closed");
        this
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// What it is when somebody asks: gone, by its exit code, or alive.
    fn asked(mut self) -> String {
        self.child.stdin.as_mut().expect("piped").write_all(b"\n").expect("it listens");
        self.ended()
    }

    /// How it ended.
    fn ended(mut self) -> String {
        let line = self.line();
        let _ = self.child.wait();
        line
    }
}

#[rstest]
fn who_asks_there_ends_also_where_it_passes_over_the_signal(
    #[values("heeds", "ignores")] manner: &str,
    #[values("inbox", "respond", "respond-dumb", "ask")] command: &str,
) {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", TOOLS)]);
    let first = place.asking("allow");
    let (text, arguments) = match command {
        "inbox" => ("waiting", vec!["inbox"]),
        "ask" => ("Send", vec!["ask", "--local", "--confirm", "May I?"]),
        _ => ("May I", vec!["respond", &first]),
    };
    let name = if command.ends_with("dumb") { "dumb" } else { "xterm" };
    let ended = Closed::run(&place, (manner, text, name), &arguments).ended();
    assert!(matches!(ended.as_str(), "6" | "143"), "{ended}");
    assert!(place.json(&["show", &first])[0]["questions"][0]["answer"].is_null());
}

#[rstest]
fn who_serves_there_ends_as_if_it_were_told_to(
    #[values("worker", "serve")] command: &str,
    #[values(true, false)] has_file: bool,
) {
    let place = Place::new();
    let file = place.file("tools.toml", TOOLS);
    let mut arguments = match command {
        "serve" => vec!["serve", "--listen", "127.0.0.1:0"],
        _ => vec!["worker"],
    };
    arguments.extend(if has_file { vec!["--config", &file] } else { vec!["--builtin"] });
    let text = if command == "serve" { "/mcp" } else { "tasks at once" };
    let ended = Closed::run(&place, ("heeds", text, "xterm"), &arguments).ended();
    assert_eq!(ended, "0", "{command} with a file: {has_file}");
    // It has left in good order.
    assert!(place.json(&["workers"]).is_empty(), "{:?}", place.json(&["workers"]));
}

#[test]
fn what_was_started_to_outlive_its_terminal_does() {
    let place = Place::new();
    let file = place.file("tools.toml", TOOLS);
    let closed = Closed::run(&place, ("ignores", "tasks at once", "xterm"), &["worker", "--config", &file]);
    place.asking("allow");
    assert_eq!(closed.asked(), "lives on");
}

#[test]
fn the_signal_alone_has_the_file_read_again() {
    let place = Place::new();
    let file = place.file("tools.toml", TOOLS);
    let mut screen = Screen::run(&place, &["worker", "--config", &file]);
    screen.sees("tasks at once");
    place.file("tools.toml", &TOOLS.replace("tools.allow", "tools.permit"));
    screen.signal(Signal::SIGHUP);
    let begun = Instant::now();
    while !place.ok(&["tools"]).contains("permit") {
        assert!(begun.elapsed() < BOUND, "never read again:\n{}", screen.text());
    }
    screen.signal(Signal::SIGTERM);
    assert_eq!(screen.ends().1, 0);
}
