//! The command line's own shape: what is said in each command's help beside its options, and which of the global
//! options a command takes.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::environment::Environment;
use super::{Cli, examples, task_id};

/// The options that go through a server.
const SERVER: [&str; 2] = ["server", "stdio"];

/// The options that say where one's own tasks are, and why they mean nothing at a server. Those of an alias or a script
/// stand before whatever command, and are none of it: only what stands behind the command was meant for it.
const STORES: [(&str, &str); 4] = [
    ("redis", "the tasks are the server's, wherever it keeps them"),
    ("db", "the tasks are the server's, wherever it keeps them"),
    ("namespace", "only the server knows its namespace"),
    ("docket", "a docket is in a Redis"),
];

/// The command that prints another one's help, its argument, and the word for the global options.
const HELP: &str = "help";
const ABOUT: &str = "command";
const OPTIONS: &str = "options";

/// Reads a command line. One that is refused may have the id of a task that looks like an option.
pub(super) fn parse(arguments: &[OsString], environment: &Environment) -> Result<Cli, clap::Error> {
    let refused = match parse_exactly(arguments, environment) {
        Ok(cli) => return Ok(cli),
        Err(refused) => refused,
    };
    let whole = whole();
    let has_value = |word: &str| word.strip_prefix("--").is_some_and(|name| takes_value(&whole, name));
    let mut others = task_id::behind_dashes(arguments, &has_value);
    let meant = others.find_map(|line| parse_exactly(&line, environment).ok());
    meant.filter(|cli| cli.command.is_about_a_task()).ok_or(refused)
}

/// Whether the option of that name, of whichever command, has a value behind it.
fn takes_value(command: &Command, name: &str) -> bool {
    let is_such = |one: &Arg| one.get_long() == Some(name) && one.get_action().takes_values();
    command.get_arguments().any(is_such) || command.get_subcommands().any(|one| takes_value(one, name))
}

fn parse_exactly(arguments: &[OsString], environment: &Environment) -> Result<Cli, clap::Error> {
    let mut command = command(environment);
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    if let Some((HELP, given)) = matches.subcommand() {
        let about = given.get_one::<String>(ABOUT).filter(|about| *about != OPTIONS).cloned();
        let program = arguments.first().map(OsString::as_os_str).unwrap_or_default();
        let words = std::iter::once(program.to_owned()).chain(about.map(OsString::from));
        // Ends with the help, or with what is wrong with the command's name.
        matches = command.try_get_matches_from_mut(words.chain(["--help".into()]))?;
    }
    if let Some((name, problem)) = without_effect(&command, &matches, arguments) {
        let named = command.find_subcommand_mut(&name);
        let error = named.map(|command| command.error(ErrorKind::ArgumentConflict, &problem));
        return Err(error.unwrap_or_else(|| clap::Error::raw(ErrorKind::ArgumentConflict, problem)));
    }
    Cli::from_arg_matches(&matches)
}

/// The command line, with examples, and the global options in one line of each command's help.
fn command(environment: &Environment) -> Command {
    let mut command = whole();
    // An environment may say how wide the terminal is, as it does for all that is printed.
    if let Some(columns) = environment.given("COLUMNS").and_then(|columns| columns.parse().ok()) {
        command = command.term_width(columns);
    }
    command.build();
    command.mut_subcommands(described)
}

/// All commands with all their options, as shells complete them.
pub(super) fn whole() -> Command {
    Cli::command().subcommand(help())
}

/// clap's own knows no further words and has no help of its own.
fn help() -> Command {
    let about = Arg::new(ABOUT).value_name("COMMAND").help("A command, or `options` for the global options");
    Command::new(HELP).about("Print the help of all, or of one command").arg(about)
}

fn described(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let after = format!("{}\n{}", examples::of(&name), global_options(&command, &name));
    let long = command.get_after_long_help().map(|before| format!("{before}\n\n{after}"));
    let command = command.mut_args(|argument| {
        let is_global = argument.is_global_set();
        argument.hide(is_global)
    });
    let command = command.after_help(after.clone());
    command.after_long_help(long.unwrap_or(after))
}

/// The line that names them: each is explained once, in the program's own help.
fn global_options(command: &Command, name: &str) -> String {
    let is_taken = |id: &str| !without_meaning(name).contains(&id);
    let globals =
        command.get_arguments().filter(|one| one.is_global_set() && is_taken(one.get_id().as_str()));
    let mut line = String::from("Global (mcptask help):");
    for one in globals {
        // Writing to a string cannot fail.
        let _ = match (one.get_short(), one.get_long()) {
            (Some(short), _) => write!(line, " -{short}"),
            (None, long) => write!(line, " --{}", long.unwrap_or_default()),
        };
    }
    line
}

/// The global options that would have no effect on a command: whoever gives one expects something. Those that name
/// the store are none of them where no other place is named: like the variables of the same meaning they say where
/// everything of one's own is, and stand in aliases and scripts before whatever command.
fn without_meaning(command: &str) -> &'static [&'static str] {
    match command {
        "demo" | "ask" => &["docket"],
        "serve" | "worker" | "report" | "check" | "completions" | "init" | HELP => &["docket", "timeout"],
        "config" | "mcp" => &["timeout"],
        _ => &[],
    }
}

/// The command, and what is wrong with the options that it was given.
fn without_effect(whole: &Command, matches: &ArgMatches, arguments: &[OsString]) -> Option<(String, String)> {
    let (name, matches) = matches.subcommand()?;
    let behind = arguments.iter().position(|word| word == name).map_or(0, |at| at + 1);
    let given = Given { command: whole.find_subcommand(name)?, matches };
    Some((name.to_owned(), problem(name, &given, &arguments[behind..])?))
}

/// What a command was given. Which options it has is asked of the command itself: the matches refuse an unknown name in
/// debug builds only.
struct Given<'a> {
    command: &'a Command,
    matches: &'a ArgMatches,
}

impl Given<'_> {
    /// Whether the command has an option of that name.
    fn takes(&self, option: &str) -> bool {
        self.command.get_arguments().any(|one| one.get_id() == option)
    }

    /// Whether the line has that option.
    fn has(&self, option: &str) -> bool {
        self.takes(option) && self.matches.value_source(option) == Some(ValueSource::CommandLine)
    }
}

/// What is wrong with the options of a command; `behind` is what stands behind its name.
fn problem(name: &str, given: &Given<'_>, behind: &[OsString]) -> Option<String> {
    if let Some(option) = without_meaning(name).iter().find(|option| given.has(option)) {
        return Some(format!("--{option} has no effect on `mcptask {name}`: leave it out"));
    }
    // `serve` has a `--stdio` of its own, which is no server that it goes through.
    if !SERVER.iter().all(|option| given.takes(option)) {
        return None;
    }
    let server = SERVER.iter().find(|option| given.has(option))?;
    // A docket is meant for one Redis wherever it stands.
    let is_meant = |option: &str| option == "docket" || names(behind, option);
    let (option, why) = STORES.iter().find(|(option, _)| given.has(option) && is_meant(option))?;
    Some(format!("--{option} has no effect with --{server}: {why}; give one of the two"))
}

/// Whether a line names that option.
fn names(line: &[OsString], option: &str) -> bool {
    let named = |word: &OsString| {
        let word = word.to_str().and_then(|word| word.strip_prefix("--"))?;
        Some(word.split('=').next() == Some(option))
    };
    line.iter().any(|word| named(word) == Some(true))
}
