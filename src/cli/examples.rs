//! Examples for each command's help; tests/cli/examples.rs runs every one.

use std::fmt::Write as _;

/// What an example does, and its command line.
type Example = (&'static str, &'static str);

/// The examples' part of a command's help.
pub(super) fn of(command: &str) -> String {
    let mut text = String::from("Examples:\n");
    for (does, line) in examples(command) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  # {does}\n  {line}");
    }
    text
}

fn examples(command: &str) -> &'static [Example] {
    match command {
        "demo" => &DEMO,
        "serve" => &SERVE,
        "worker" => &WORKER,
        "submit" => &SUBMIT,
        "attach" => &ATTACH,
        "watch" => &WATCH,
        "respond" => &RESPOND,
        "inbox" => &INBOX,
        "link" => &LINK,
        "extend" => &EXTEND,
        "list" => &LIST,
        "show" => &SHOW,
        "result" => &RESULT,
        "cancel" => &CANCEL,
        "retry" => &RETRY,
        "prune" => &PRUNE,
        "doctor" => &DOCTOR,
        "tools" => &TOOLS,
        "workers" => &WORKERS,
        "notify" => &NOTIFY,
        "export" => &EXPORT,
        "ask" => &ASK,
        "report" => &REPORT,
        "mcp" => &MCP,
        "check" => &CHECK,
        "completions" => &COMPLETIONS,
        "config" => &CONFIG,
        "init" => &INIT,
        "help" => &HELP,
        _ => &[],
    }
}

const DEMO: [Example; 3] = [
    ("The whole loop, with you as the user", "mcptask demo"),
    ("The same with given answers", "mcptask demo --no-input"),
    ("As a script sees it", "mcptask demo --json"),
];

const SERVE: [Example; 3] = [
    ("The built-in tools, at http://127.0.0.1:8737/mcp", "mcptask serve"),
    ("Tools of your own, and rules that answer", "mcptask serve --config mcptask.toml --rules rules.toml"),
    ("Only for clients with a token", "mcptask serve --token-file tokens.txt"),
];

const WORKER: [Example; 3] = [
    ("The built-in tools, also in a folder with an mcptask.toml", "mcptask worker --builtin"),
    ("Tools of your own, 16 tasks at once", "mcptask worker --config mcptask.toml --concurrency 16"),
    ("For the tasks of another namespace", "mcptask worker --namespace staging"),
];

const SUBMIT: [Example; 3] = [
    ("Launch a task of a session", "mcptask submit plan_dinner --session dinner"),
    ("Launch one with an argument, and wait for its result", "mcptask submit wait --arg seconds=1 --wait"),
    ("Launch one at a server", "mcptask submit plan_dinner --server http://127.0.0.1:8737/mcp"),
];

const ATTACH: [Example; 3] = [
    ("Take up a task that was left", "mcptask attach 7w3k9q2m"),
    ("With given answers", "mcptask attach 7w3k9q2m --answers answers.json"),
    ("Stop it too when this command is stopped", "mcptask attach 7w3k9q2m --cancel-on-exit"),
];

const WATCH: [Example; 3] = [
    ("A session's events, past and new", "mcptask watch dinner"),
    ("Wait until a task has asked", "mcptask watch --task 7w3k9q2m --until asked"),
    ("Run a command for each question", "mcptask watch --event asked --since 10m --exec ./notify.sh"),
];

const RESPOND: [Example; 3] = [
    ("Answer what has waited longest", "mcptask respond --next --set cuisine=Thai"),
    ("Answer all that a file of rules is about", "mcptask respond --rules rules.toml"),
    ("Say no to all that a session asks", "mcptask respond --all --session dinner --decline"),
];

const INBOX: [Example; 3] = [
    ("Everything that waits, as it comes", "mcptask inbox"),
    ("Of a FastMCP deployment too, under a name that the log keeps", "mcptask inbox --as ann"),
    ("Of a server of 2026-07-28", "mcptask inbox --server http://127.0.0.1:8737/mcp"),
];

const LIST: [Example; 3] = [
    ("What waits for an answer, the longest first", "mcptask list --waiting"),
    ("A session's unfinished tasks", "mcptask list --session dinner --status working,input_required"),
    ("The last hour's tasks, for a script", "mcptask list --since 1h --json"),
];

const SHOW: [Example; 3] = [
    ("A task with its questions, answers and events", "mcptask show 7w3k9q2m"),
    ("What a server shows of it", "mcptask show 7w3k9q2m --server http://127.0.0.1:8737/mcp"),
    ("All of it, for a script", "mcptask show 7w3k9q2m --json"),
];

const RESULT: [Example; 3] = [
    ("The result of a task that has ended", "mcptask result 7w3k9q2m"),
    ("Wait for it, five minutes at most", "mcptask result 7w3k9q2m --wait --timeout 5m"),
    ("With its structured content, for a script", "mcptask result 7w3k9q2m --json"),
];

const LINK: [Example; 3] = [
    ("A link to its first open question", "mcptask link 7w3k9q2m --public-url https://tasks.example.com"),
    ("For somebody by name", "mcptask link 7w3k9q2m --as ada --public-url https://tasks.example.com"),
    ("Withdraw its links", "mcptask link 7w3k9q2m --withdraw"),
];

const EXTEND: [Example; 3] = [
    ("It waits another two hours, from now on", "mcptask extend 7w3k9q2m 2h"),
    ("Until tomorrow, with a note for its log", "mcptask extend 7w3k9q2m 24h --note 'asleep here'"),
    ("One of several questions, for a script", "mcptask extend 7w3k9q2m 3h --question q1 --json"),
];

const CANCEL: [Example; 3] = [
    ("Stop a task", "mcptask cancel 7w3k9q2m"),
    ("Say why, for its log", "mcptask cancel 7w3k9q2m --reason 'the guests are ill'"),
    (
        "Stop what a session launched two hours ago or before",
        "mcptask cancel --session dinner --older 2h --yes",
    ),
];

const RETRY: [Example; 3] = [
    ("The same once more", "mcptask retry 7w3k9q2m"),
    ("With another argument, and wait for its result", "mcptask retry 7w3k9q2m --arg seconds=1 --wait"),
    ("With the answers that were given before", "mcptask retry 7w3k9q2m --wait --from-journal"),
];

const PRUNE: [Example; 3] = [
    ("What would go", "mcptask prune --ended --older-than 7d --dry-run"),
    ("Delete it, from a script", "mcptask prune --ended --older-than 7d --yes"),
    ("What was cancelled of one session", "mcptask prune --status cancelled --session dinner --yes"),
];

const DOCTOR: [Example; 3] = [
    ("Everything that is stuck", "mcptask doctor"),
    ("Why one task does not go on", "mcptask doctor 7w3k9q2m"),
    ("For a monitor: exit 5 where something is wrong", "mcptask doctor --json"),
];

const TOOLS: [Example; 3] = [
    ("What can be submitted", "mcptask tools"),
    ("What one of them takes", "mcptask tools plan_dinner"),
    ("What a server offers", "mcptask tools --server http://127.0.0.1:8737/mcp"),
];

const WORKERS: [Example; 3] = [
    ("Who works, and at what", "mcptask workers"),
    ("Who runs one tool", "mcptask workers --tool plan_dinner"),
    ("All of it, for a script", "mcptask workers --json"),
];

const NOTIFY: [Example; 3] = [
    ("Who is told, who runs that, and what could not be told", "mcptask notify"),
    ("Send again what was given up", "mcptask notify retry --all"),
    ("Send one notice now, and say what came back", "mcptask notify test desk"),
];

const EXPORT: [Example; 3] = [
    ("The last week's questions and answers", "mcptask export --since 7d"),
    ("For a spreadsheet", "mcptask export --since 7d --format csv > answers.csv"),
    ("Those of one tool", "mcptask export --tool plan_dinner --format csv"),
];

const ASK: [Example; 3] = [
    ("Go on only if the user says yes", "mcptask ask 'Delete them?' --confirm && echo gone"),
    ("Take what the user chose", "size=$(mcptask ask 'Which size?' --choose small,large)"),
    ("Give up after ten minutes", "mcptask ask 'Your address?' --email --timeout 10m"),
];

const REPORT: [Example; 3] = [
    ("The third of ten steps", "mcptask report 3/10"),
    ("With words, which the task's status shows", "mcptask report 3/10 'copying pictures'"),
    ("By hand, without a worker", "mcptask report 3/10 --local"),
];

const MCP: [Example; 3] = [
    ("For a host that may look and launch: its command, with nothing else", "mcptask mcp"),
    (
        "For one whose user may answer there, under a name that the log keeps",
        "mcptask mcp --allow-answer --as ann",
    ),
    ("For the tasks of a server", "mcptask mcp --server http://127.0.0.1:8737/mcp"),
];

const CHECK: [Example; 3] = [
    ("The file mcptask.toml of this directory", "mcptask check"),
    ("A file of rules", "mcptask check rules.toml"),
    ("For an editor", "mcptask check mcptask.toml --json"),
];

const COMPLETIONS: [Example; 3] = [
    ("For bash, in ~/.bashrc", "source <(mcptask completions bash)"),
    ("For fish, in its config.fish", "mcptask completions fish | source"),
    ("A file that never runs mcptask", "mcptask completions zsh --static > _mcptask"),
];

const CONFIG: [Example; 3] = [
    ("Each setting, and where its value comes from", "mcptask config show"),
    ("The file to write profiles into", "mcptask config path"),
    ("As a script sees it", "mcptask config show --json"),
];

const INIT: [Example; 3] = [
    ("In a folder of its own", "mkdir kitchen && cd kitchen && mcptask init"),
    ("Under another name", "mcptask init tools.toml"),
    ("As a script sees it", "mcptask init kitchen.toml --json"),
];

const HELP: [Example; 3] = [
    ("What there is", "mcptask help"),
    ("About one command", "mcptask help list"),
    ("The options that most commands take", "mcptask help options"),
];
