//! `check`: says every mistake of a configuration file.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::offer;
use crate::config::{self, Mistake};

/// Check a configuration file: every mistake, with its line and column and what is allowed there
///
/// Exits 2 when there are mistakes. Nothing is run, and no store is needed.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The file
    #[arg(default_value = config::FILE, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

pub(crate) fn run(context: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let ui = &context.ui;
    if !ui.is_json() {
        let config = offer::load(&args.file)?;
        config.warnings().iter().for_each(|one| ui.warn(&one.to_string()));
        let tools = config.tools();
        let names: Vec<&str> = tools.keys().map(String::as_str).collect();
        return ui.line(&format!("{} is right: it offers {}", args.file.display(), listed(&names)));
    }
    match config::load(&args.file) {
        Ok(config) => {
            for one in config.warnings() {
                ui.object(&found("warning", one))?;
            }
            for tool in config.tools().values() {
                ui.object(&json!({ "event": "tool", "tool": tool.spec() }))?;
            }
            Ok(())
        }
        Err(mistakes) => {
            for one in &mistakes {
                ui.object(&found("mistake", one))?;
            }
            let problem = format!("{} has {}", args.file.display(), config::counted(&mistakes));
            Err(Failure::new(Kind::Usage, problem))
        }
    }
}

fn found(event: &str, one: &Mistake) -> Value {
    json!({ "event": event, "file": one.file, "line": one.line, "column": one.column, "problem": one.problem,
        "hint": one.hint })
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no tools".to_owned() } else { names.join(", ") }
}
