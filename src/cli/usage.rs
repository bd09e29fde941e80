//! A command line that clap refused, or its request for help or the version.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

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
    let ui =
        Ui::new(GlobalArgs::of_words(&words).manner(environment, None), environment, Streams::of_process());
    if ui.is_json() {
        ui.failure(&misused(&error.to_string()));
    } else {
        for line in text::block(&error.to_string()) {
            ui.usage(&line);
        }
    }
    ExitCode::from(Kind::Usage.exit_code())
}

/// A refused command line with all of clap's words: what is wrong, then tips and the usage as hints.
fn misused(text: &str) -> Failure {
    let paragraph = |part: &str| part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut parts = text.trim_end().split("\n\n").map(paragraph).filter(|part| !part.is_empty());
    let message = parts.next().unwrap_or_default();
    let failure = Failure::usage(message.trim_start_matches("error: "));
    parts.fold(failure, Failure::hint)
}
