//! A command line that clap refused, or its request for help or the version.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::config::GlobalArgs;
use super::environment::Environment;
use super::failure::{Failure, Kind};
use super::ui::{Streams, Ui, text};

/// Says what clap has to say: help as clap lays it out, errors like all others.
pub(super) fn refused(error: &clap::Error, arguments: &[OsString], environment: &Environment) -> ExitCode {
    let is_asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_asked_for || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nobody can be told that the stream is closed.
        let _ = error.print();
        return ExitCode::from(if is_asked_for { 0 } else { Kind::Usage.exit_code() });
    }
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let said = dashed_value(error, &words).unwrap_or_else(|| error.to_string());
    let ui =
        Ui::new(GlobalArgs::of_words(&words).manner(environment, None), environment, Streams::of_process());
    if ui.is_json() {
        ui.failure(&misused(&said));
    } else {
        for line in text::block(&said) {
            ui.usage(&line);
        }
    }
    ExitCode::from(Kind::Usage.exit_code())
}

/// What is said where the value of an option begins with a dash: clap takes it for an option, and its tip of `--` makes it
/// another argument.
fn dashed_value(error: &clap::Error, words: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let ContextValue::String(refused) = error.get(ContextKind::InvalidArg)? else { return None };
    let is_refused = |word: &str| !word.starts_with("--") && word.starts_with(refused.as_str());
    let pairs = words.iter().zip(words.iter().skip(1));
    let (option, value) = pairs.take_while(|(word, _)| *word != "--").find(|(_, word)| is_refused(word))?;
    if !takes_value(&super::help::whole(), option.strip_prefix("--")?) {
        return None;
    }
    Some(format!(
        "error: the value {value} of {option} begins with a dash, as an option does\n\n  tip: where it is meant, \
         write {option}={value}\n\nFor more information, try '--help'.\n"
    ))
}

/// Whether an option of that name takes a value, of whatever command.
fn takes_value(command: &Command, name: &str) -> bool {
    let is_it = |one: &Arg| one.get_long() == Some(name) && one.get_action().takes_values();
    command.get_arguments().any(is_it) || command.get_subcommands().any(|command| takes_value(command, name))
}

/// A refused command line with all of clap's words: what is wrong, then tips and the usage as hints.
fn misused(text: &str) -> Failure {
    let paragraph = |part: &str| part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut parts = text.trim_end().split("\n\n").map(paragraph).filter(|part| !part.is_empty());
    let message = parts.next().unwrap_or_default();
    let failure = Failure::usage(message.trim_start_matches("error: "));
    parts.fold(failure, Failure::hint)
}
