//! What each verb must say in each situation, the same in every place: rows that the tests of the places share.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use serde_json::Value;

/// What every command says that would answer through a server of the legacy era.
pub const NOT_FROM_HERE: &str =
    "a legacy server sends its questions only to the client that submitted the task";

/// One row: a command in a situation, and what must come of it.
#[derive(Clone, Copy)]
pub struct Row {
    /// The command's words. Those that [`Ids`] knows stand for a task in that state.
    pub command: &'static [&'static str],
    /// The exit code.
    pub code: i32,
    /// What stderr has, in every place.
    pub words: &'static str,
}

const fn row(command: &'static [&'static str], code: i32, words: &'static str) -> Row {
    Row { command, code, words }
}

/// Commands about tasks. None of them changes anything.
pub const ABOUT_TASKS: &[Row] = &[
    row(&["show", "UNKNOWN"], 9, "no task"),
    row(&["watch", "--task", "UNKNOWN"], 9, "no task"),
    row(&["respond", "UNKNOWN", "--decline"], 9, "no task"),
    row(&["respond", "UNKNOWN", "--wait", "--decline"], 9, "no task"),
    row(&["cancel", "UNKNOWN"], 9, "no task"),
    row(&["result", "UNKNOWN"], 9, "no task"),
    row(&["result", "UNKNOWN", "--wait"], 9, "no task"),
    row(&["attach", "UNKNOWN"], 9, "no task"),
    row(&["retry", "UNKNOWN"], 9, "no task"),
    row(&["retry", ""], 2, "the task's id is empty"),
    row(&["retry", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["attach", ""], 2, "the task's id is empty"),
    row(&["attach", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["attach", "FAILED"], 5, "failed"),
    row(&["attach", "TOOL_ERROR"], 5, "the tool calls its result an error"),
    row(&["attach", "CANCELLED"], 8, "was cancelled"),
    row(&["attach", "WORKING", "--timeout", "1s"], 7, "the task goes on"),
    row(&["doctor", "UNKNOWN"], 9, "no task"),
    row(&["show", ""], 2, "the task's id is empty"),
    row(&["watch", "--task", ""], 2, "the task's id is empty"),
    row(&["respond", "", "--decline"], 2, "the task's id is empty"),
    row(&["cancel", ""], 2, "the task's id is empty"),
    row(&["result", ""], 2, "the task's id is empty"),
    row(&["doctor", ""], 2, "the task's id is empty"),
    row(&["show", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["watch", "--task", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["respond", "ab", "--decline"], 2, "is too short for the beginning of a task's id"),
    row(&["respond", "ab", "--wait", "--decline"], 2, "is too short for the beginning of a task's id"),
    row(&["cancel", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["result", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["doctor", "ab"], 2, "is too short for the beginning of a task's id"),
    row(&["tools", "no_such_tool"], 9, "no tool \"no_such_tool\""),
    row(&["submit", "no_such_tool"], 9, "no tool \"no_such_tool\""),
    row(&["respond", "ENDED", "--decline"], 10, "waits for no answer: it is completed"),
    row(&["respond", "ENDED", "--wait", "--decline"], 10, "waits for no answer: it is completed"),
    row(&["respond", "FAILED", "--decline"], 10, "waits for no answer: it has failed"),
    row(&["respond", "CANCELLED", "--decline"], 10, "waits for no answer: it is cancelled"),
    row(&["cancel", "ENDED"], 10, "has already ended: completed"),
    row(&["cancel", "FAILED"], 10, "has already ended: failed"),
    row(&["cancel", "CANCELLED"], 10, "has already ended: cancelled"),
    row(
        &["watch", "--task", "ENDED", "--until", "requeued", "--timeout", "20s"],
        10,
        "ended (completed) before it was requeued",
    ),
    row(&["result", "WORKING"], 10, "has not ended: it is working"),
    row(&["result", "ASKING"], 10, "has not ended: it is input_required"),
    row(&["respond", "WORKING", "--decline"], 10, "waits for no answer: it is working"),
    row(&["respond", "SECOND", "--question", "FIRST_QUESTION", "--decline"], 10, "answered"),
    row(&["respond", "WORKING", "--question", "q99", "--decline"], 10, "waits for no answer: it is working"),
    row(&["respond", "ENDED", "--question", "q99", "--decline"], 10, "waits for no answer: it is completed"),
    row(&["respond", "ASKING"], 6, "there is nobody to ask here"),
    row(&["respond", "ASKING", "--set", "colour=red"], 2, "there is no field \"colour\""),
    row(&["respond", "ASKING", "--content", "{}"], 2, "is a required property"),
    row(&["respond", "--decline"], 2, "name the task"),
    row(&["respond", "--all", "--tool", "nobodys", "--decline"], 10, "nothing to answer"),
    row(&["respond", "--all", "--tool", "nobodys"], 2, "--all sends the answer that the options give"),
    row(&["cancel", "ab", "UNKNOWN"], 2, "is too short for the beginning of a task's id"),
    row(&["cancel", "UNKNOWN", "ENDED"], 9, "0 cancelled, 1 had ended, 1 could not be cancelled: "),
    row(&["result", "FAILED"], 5, "failed"),
    row(&["result", "FAILED", "--wait"], 5, "failed"),
    row(&["result", "TOOL_ERROR"], 5, "the tool calls its result an error"),
    row(&["result", "CANCELLED"], 8, "was cancelled"),
    row(&["result", "CANCELLED", "--wait"], 8, "was cancelled"),
    row(&["result", "WORKING", "--wait", "--timeout", "1s"], 7, "the task goes on"),
    row(&["respond", "WORKING", "--wait", "--decline", "--timeout", "1s"], 7, "gave up after"),
];

/// What is suggested where a task has not ended that asks: in every place how to answer, if one can from there.
pub const ASKING_HINT: Row = row(&["result", "ASKING"], 10, "answer it later with: mcptask");

/// A question that was never asked, of a task that asks another one: unknown where all that were asked are kept. Where
/// only the open ones are, it may have been answered.
pub const NEVER_ASKED: Row =
    row(&["respond", "ASKING", "--question", "q99", "--decline"], 9, "has no open question q99");
pub const NEVER_ASKED_OR_ANSWERED: Row = Row { code: 10, ..NEVER_ASKED };

/// Commands at a place that is not as it should be: each must fail alike. Those that wait, wait for the place.
pub const AT_A_BROKEN_PLACE: &[&[&str]] = &[
    &["list"],
    &["show", "UNKNOWN"],
    &["watch", "--no-follow"],
    &["respond", "UNKNOWN", "--decline"],
    &["respond", "--next", "--decline"],
    &["respond", "--all", "--tool", "nobodys", "--decline"],
    &["cancel", "UNKNOWN"],
    &["cancel", "UNKNOWN", "UNKNOWN"],
    &["cancel", "--tool", "nobodys", "--yes"],
    &["retry", "UNKNOWN"],
    &["prune", "--ended", "--yes"],
    &["result", "UNKNOWN"],
    &["doctor"],
    &["doctor", "UNKNOWN"],
    &["tools"],
    &["workers"],
    &["export"],
    &["submit", "plan_dinner"],
];

/// The same through a server of the legacy era, which shows no question to others: what would answer one says so.
pub fn about_legacy_tasks() -> Vec<Row> {
    let one = |row: &Row| {
        let is_of_one = ["ASKING", "WORKING", "SECOND"].contains(&row.command[1]);
        let is_of_all = row.command[1] == "--all" && row.code == 10;
        let answers = row.command[0] == "respond" && (is_of_one || is_of_all);
        // It is said at once, however long the server takes to say what task it is.
        let until = row.command.iter().position(|word| *word == "--timeout").unwrap_or(row.command.len());
        let refused = Row { command: &row.command[..until], code: 2, words: NOT_FROM_HERE };
        if answers { refused } else { *row }
    };
    ABOUT_TASKS
        .iter()
        .map(one)
        .chain([Row { command: &["respond", "--next", "--decline"], code: 2, words: NOT_FROM_HERE }])
        .collect()
}

/// The word of an exit code in a `--json` error.
pub fn word_of(code: i32) -> &'static str {
    match code {
        2 => "usage",
        3 => "unauthorised",
        4 => "unreachable",
        5 => "task_failed",
        6 => "needs_input",
        7 => "timed_out",
        8 => "cancelled",
        9 => "not_found",
        10 => "nothing_changed",
        _ => "unexpected",
    }
}

/// What a command did.
pub struct Done {
    pub code: i32,
    pub err: String,
}

/// The tasks of a place, by the words that stand for them.
pub struct Ids(pub Vec<(&'static str, String)>);

impl Ids {
    /// The command with ids in it; `None` where the place cannot have such a task.
    pub fn filled(&self, command: &[&str]) -> Option<Vec<String>> {
        let filled = |word: &&str| match self.0.iter().find(|(name, _)| name == word) {
            Some((_, id)) => Some(id.clone()),
            None if word.chars().all(|one| one.is_ascii_uppercase() || one == '_') && !word.is_empty() => {
                None
            }
            None => Some((*word).to_owned()),
        };
        command.iter().map(filled).collect()
    }

    /// Whether the word stands for one of the tasks.
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == word)
    }

    /// The value that a message has to name: the id, or as much of it as people see.
    fn named(&self, command: &[&str]) -> Option<String> {
        let id = command.iter().find_map(|word| self.0.iter().find(|(name, _)| name == word))?;
        Some(id.1.chars().take(8).collect())
    }
}

/// What is wrong at a place with the rows, each tried for people and for scripts.
pub fn faults(place: &str, ids: &Ids, rows: &[Row], run: &mut dyn FnMut(&[&str]) -> Done) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows {
        let Some(command) = ids.filled(row.command) else { continue };
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let named = if matches!(row.code, 2 | 7) { None } else { ids.named(row.command) };
        faults.extend(tried(place, row, &words, named.as_deref(), run));
    }
    faults
}

/// What is wrong with one command. `named` is the value that it must name.
pub fn tried(
    place: &str,
    row: &Row,
    command: &[&str],
    named: Option<&str>,
    run: &mut dyn FnMut(&[&str]) -> Done,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str, done: &Done| {
        faults.push(format!("{place}: {:?}: {what}: exit {}: {}", row.command, done.code, done.err.trim()));
    };
    let done = run(command);
    if done.code != row.code {
        fault(&format!("the exit code is not {}", row.code), &done);
    }
    if !done.err.contains(row.words) {
        fault(&format!("it does not say {:?}", row.words), &done);
    }
    if named.is_some_and(|named| !done.err.contains(named)) {
        fault("it does not name the value", &done);
    }
    let json = run(&[command, &["--json"]].concat());
    let lines: Vec<Value> = json.err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let is_told = lines.len() == 1
        && json.err.lines().count() == 1
        && lines[0]["code"] == word_of(row.code)
        && lines[0]["exit"] == row.code
        && json.code == row.code;
    if !is_told {
        fault("as JSON it is not one object with the same code", &json);
    }
    let said = |line: &Value| format!("{} {}", line["message"], line["hint"]).replace("\\\"", "\"");
    if !lines.iter().any(|line| said(line).contains(row.words)) {
        fault(&format!("as JSON it does not say {:?}", row.words), &json);
    }
    faults
}
