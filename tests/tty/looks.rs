//! How everything looks on terminals of 60, 80 and 120 columns. After a change on purpose, look at the new snapshots of
//! `INSTA_UPDATE=always cargo nextest run --test tty looks` before they are checked in.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use mcptask::task::{Ask, Outcome, ToolSpec};
use mcptask::worker::{TaskContext, Tool, ToolOutcome};
use rstest::rstest;
use serde_json::json;

use crate::kitchen::Kitchen;
use crate::place::{BOUND, Place};
use crate::terminal::Terminal;

/// From ten seconds on, times are wider.
const FRESH: Duration = Duration::from_secs(9);

/// Tools that ask: `release` with a form in two writings, `pay` with a page, `both` with two forms at once.
struct Asks(ToolSpec);

impl Asks {
    fn new(name: &str) -> Self {
        let description = "Releases a new version of the shop to all of its customers, and asks which one it is \
                           and where it goes before anything is done.";
        let schema = json!({ "type": "object", "required": ["who"], "properties": {
            "who": { "type": "string", "description": "The customer that everything is for, as the list has it" } } });
        Self(ToolSpec::new(name, description, schema))
    }
}

#[async_trait]
impl Tool for Asks {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let schema = json!({ "type": "object", "required": ["where"], "properties": {
            "where": { "type": "string", "title": "Where to", "enum": ["staging", "production in Europe"] },
            "seats": { "type": "integer", "minimum": 1, "maximum": 8, "default": 2 } } });
        let ask = match self.0.name.as_str() {
            "pay" => Ask::url("Please pay the bill.", "https://pay.example/checkout?order=4711&language=en"),
            _ => Ask::form(
                "Do we release 本番環境 tonight, and does e\u{301}verybody know that we do?",
                schema,
            ),
        };
        task.ask(ask).await?;
        Ok(Outcome::text("It is done, and everybody who has to know of it has been told so by now."))
    }
}

/// A worker whose id is always the same.
fn kitchen(place: &Place) -> Kitchen {
    let path = place.database();
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("can be made");
    Kitchen::with(&path, "kitchen".parse().expect("an id"), ["release", "pay"].map(Asks::new))
}

/// Every run of characters like the pattern, in which `0` stands for any digit, becomes the pattern.
fn blank(text: &str, pattern: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let same = |(one, wanted): (char, char)| one == wanted || (wanted == '0' && one.is_ascii_digit());
        if rest.chars().count() >= pattern.len() && rest.chars().zip(pattern.chars()).all(same) {
            shown += pattern;
            rest = &rest[pattern.len()..];
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    shown
}

/// What a command shows on a terminal of so many columns, and its exit code; ids and times are always the same.
fn look(place: &Place, columns: u16, command: &str, ids: &[&str]) -> String {
    let script = format!("stty cols {columns} rows 50; exec \"$MCPTASK\" {command}");
    let (bytes, code) = Terminal::shell(place, &script).ends();
    // Each byte of the terminal is a character here.
    let bytes = bytes.chars().map(|one| u8::try_from(u32::from(one)).expect("a byte")).collect();
    let mut shown = String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
    let mut line = command.to_owned();
    for (at, id) in ids.iter().enumerate() {
        let letter = ["a", "b", "c"][at];
        for part in [id, &id[..8]] {
            (shown, line) = (
                shown.replace(part, &letter.repeat(part.len())),
                line.replace(part, &letter.repeat(part.len())),
            );
        }
    }
    for pattern in ["00:00:00", "0000-00-00", "0 s", "00 min", "00 h"] {
        shown = blank(&shown, pattern);
    }
    let end = if code == 0 { String::new() } else { format!("(exit {code})\n") };
    format!("$ mcptask {line}\n{shown}{end}")
}

/// Everything, on a place that is so new that all times have one digit; `None` where this machine was too slow.
fn all(columns: u16) -> Option<String> {
    let (place, begun) = (Place::new(), Instant::now());
    let _kitchen = kitchen(&place);
    let asking = |tool: &str| {
        let id = place.ok(&["submit", tool, "--session", "friday", "--arg", "who=everybody"]);
        place.until(&id, "asked");
        id
    };
    let (pay, done, open) = (asking("pay"), asking("release"), asking("release"));
    place.ok(&["respond", &done, "--set", "where=staging", "--as", "tester"]);
    place.until(&done, "end");
    while place.ok(&["list"]).contains("just now") {
        assert!(begun.elapsed() < BOUND, "time does not pass");
    }
    let ids = [pay.as_str(), done.as_str(), open.as_str()];
    let commands = [
        "list".to_owned(),
        "list --waiting --tool release".to_owned(),
        "list --tool nope".to_owned(),
        format!("show {done}"),
        format!("show {open}"),
        format!("show {pay}"),
        "watch --no-follow".to_owned(),
        format!("watch {open}"),
        format!("respond {open} --no-input"),
        format!("respond {open} --set seats=99"),
        "show zzzzzzzz".to_owned(),
        "tools".to_owned(),
        "tools release".to_owned(),
        "doctor".to_owned(),
        format!("list --db {}", "a/very/long/path/to/a/database/that/is/not/there.db"),
    ];
    let shown: Vec<String> = commands.iter().map(|command| look(&place, columns, command, &ids)).collect();
    (begun.elapsed() < FRESH).then(|| shown.join("\n"))
}

/// The columns that text takes.
fn wide(text: &str) -> usize {
    text.chars()
        .map(|one| match one {
            '\u{300}'..='\u{36f}' => 0,
            // Punctuation and signs, such as the one where something is left out.
            '\u{2000}'..='\u{2bff}' => 1,
            '\u{1100}'.. => 2,
            _ => 1,
        })
        .map(|columns: usize| columns)
        .sum()
}

#[rstest]
fn everything_fits(#[values(60, 80, 120)] columns: u16) {
    let shown = (0..5).find_map(|_| all(columns)).expect("a machine that is fast enough");
    for line in shown.lines().filter(|line| !line.starts_with("$ mcptask")) {
        assert!(wide(line) <= usize::from(columns), "{line:?} is wider than {columns} columns");
    }
    insta::assert_snapshot!(format!("at_{columns}_columns"), shown);
}

#[rstest]
fn help_fits(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let commands = ["--help", "-h", "list -h", "respond --help", "help serve", "lisst", "serve --timeout 5m"];
    let shown: Vec<String> = commands.iter().map(|command| look(&place, columns, command, &[])).collect();
    insta::assert_snapshot!(format!("help_at_{columns}_columns"), shown.join("\n"));
}

#[rstest]
fn what_is_said_of_a_wrong_command_line_fits(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let commands = [
        "watch --until tomorrow",
        "submit --wait --answers answers.json",
        "respond abcdefgh --accept --decline --set cuisine=Thai",
        "list --limit many --status completed",
        "list --redis redis://127.0.0.1/0 --db a/very/long/path/to/a/database/that/is/not/there.db",
        "serve --docket fastmcp",
        "show abcdefgh def",
    ];
    let shown: Vec<String> = commands.iter().map(|command| look(&place, columns, command, &[])).collect();
    for line in shown.iter().flat_map(|shown| shown.lines().skip(1)) {
        assert!(wide(line) <= usize::from(columns), "{line:?} is wider than {columns} columns");
    }
    insta::assert_snapshot!(format!("usage_at_{columns}_columns"), shown.join("\n"));
}

/// A server's tasks fit a narrow terminal, and each is found by what is shown of its id.
#[test]
fn a_servers_tasks_fit_a_narrow_terminal_and_are_found_by_what_is_shown() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in ["modern", "legacy"] {
        let at = format!("--server {} --era {era}", server.url());
        let way = ["--server", server.url(), "--era", era];
        let id = place.ok(&[&["submit", "plan_dinner"][..], &way].concat());
        place.until(&id, "asked");
        for columns in [60, 80] {
            let shown = look(&place, columns, &format!("list --color never {at}"), &[]);
            let (_, rows) = shown.split_once('\n').expect("the command");
            assert!(rows.contains(&id[..8]) && !rows.contains(&id), "{shown}");
            assert!(rows.lines().all(|row| row.chars().count() <= usize::from(columns)), "{shown}");
        }
        assert!(look(&place, 120, &format!("list {at}"), &[]).contains(&id));
        for verb in ["show", "cancel"] {
            let ran = place.run(&[&[verb, &id[..8]][..], &way].concat());
            assert_eq!(ran.code, 0, "{verb}: {ran:?}");
        }
        assert_eq!(place.run(&[&["result", &id[..8]][..], &way].concat()).code, 8);
    }
}
