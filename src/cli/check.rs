//! `check`: says every mistake of a configuration file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::text;
use super::{offer, profile_file};
use crate::config::profiles::{self, Profiles};
use crate::config::{self, Mistake};

/// Check configuration files: every mistake, with its line and column and what is allowed there
///
/// Without a path, checks mcptask.toml here and the file of profiles, where there is one. Exits 2 when there are
/// mistakes. Nothing is run, and no store is needed.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// One file, of tools, of profiles or of rules [default: mcptask.toml, and the file of profiles]
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let own = profile_file::file(&context.environment).filter(|path| path.exists());
    let here = Path::new(config::FILE);
    match (&args.file, own) {
        (Some(file), own) if own.as_ref() == Some(file) || profiles::is_one(file) => {
            profiles(context, file, false)
        }
        (Some(file), _) if config::rules::is_one(file) => rules(context, file),
        (Some(file), _) if config::says_nothing(file) => nothing(context, file),
        (Some(file), _) => tools(context, file),
        (None, None) => tools(context, here),
        (None, Some(own)) => {
            let of_tools = if here.exists() { tools(context, here) } else { Ok(()) };
            let of_profiles = profiles(context, &own, true);
            if let (Err(_), Err(second)) = (&of_tools, &of_profiles) {
                context.ui.failure(second);
            }
            of_tools.and(of_profiles)
        }
    }
}

/// Checks a file of profiles. One that nobody named and that cannot be read at all is a warning.
fn profiles(context: &Context, file: &Path, is_found: bool) -> Result<(), Failure> {
    let home = context.environment.given("HOME").map(Path::new);
    let mistakes = match profiles::load(file, home, profile_file::problem).map(Option::unwrap_or_default) {
        Ok(found) => return right(context, file, &found),
        Err(mistakes) => mistakes,
    };
    let is_unreadable = is_found && mistakes.iter().all(|one| one.line == 0);
    if !context.ui.is_json() {
        if is_unreadable {
            for one in &mistakes {
                context.ui.warn(&one.to_string());
            }
            return Ok(());
        }
        return Err(offer::mistaken(file, &mistakes));
    }
    told(context, file, (if is_unreadable { "warning" } else { "mistake" }, &mistakes))
}

fn right(context: &Context, file: &Path, found: &Profiles) -> Result<(), Failure> {
    if context.ui.is_json() {
        let names = found.named.keys();
        return names
            .map(|name| json!({ "event": "profile", "file": file, "name": name }))
            .try_for_each(|one| context.ui.object(&one));
    }
    let names: Vec<&str> = found.named.keys().map(String::as_str).collect();
    let names = if names.is_empty() {
        "no profiles".to_owned()
    } else {
        format!("the profiles {}", text::line(&names.join(", ")))
    };
    context.ui.line(&format!("{} is right: it has {names}", file.display()))
}

/// Of a file that says nothing, it is said what it may be.
fn nothing(context: &Context, file: &Path) -> Result<(), Failure> {
    let mistakes = [config::nothing_said(file)];
    if context.ui.is_json() {
        return told(context, file, ("mistake", &mistakes));
    }
    Err(offer::mistaken(file, &mistakes))
}

fn rules(context: &Context, file: &Path) -> Result<(), Failure> {
    let ui = &context.ui;
    if !ui.is_json() {
        let rules = super::rules_file::load(&context.ui, file)?;
        let names: Vec<&str> = rules.all().iter().map(|rule| rule.name.as_str()).collect();
        return ui.line(&format!(
            "{} is right: it has the rules {}",
            file.display(),
            text::line(&names.join(", "))
        ));
    }
    match config::rules::load(file) {
        Ok((rules, warnings)) => {
            warnings.iter().try_for_each(|one| ui.object(&found("warning", one)))?;
            let names = rules.all().iter().map(|rule| &rule.name);
            names
                .map(|name| json!({ "event": "rule", "file": file, "name": name }))
                .try_for_each(|one| ui.object(&one))
        }
        Err(mistakes) => told(context, file, ("mistake", &mistakes)),
    }
}

fn tools(context: &Context, file: &Path) -> Result<(), Failure> {
    let ui = &context.ui;
    if !ui.is_json() {
        let config = offer::load(file)?;
        config.warnings().iter().for_each(|one| ui.warn(&one.to_string()));
        let tools = config.tools();
        let names: Vec<&str> = tools.keys().map(String::as_str).collect();
        let told: Vec<&str> = config.notifiers().iter().map(|one| one.name.as_str()).collect();
        let tells = if told.is_empty() {
            String::new()
        } else {
            format!(", and tells {}", text::line(&told.join(", ")))
        };
        return ui.line(&format!("{} is right: it offers {}{tells}", file.display(), listed(&names)));
    }
    match config::load(file) {
        Ok(config) => {
            for one in config.warnings() {
                ui.object(&found("warning", one))?;
            }
            for tool in config.tools().values() {
                ui.object(&json!({ "event": "tool", "tool": tool.spec() }))?;
            }
            for notifier in config.notifiers() {
                ui.object(&json!({ "event": "notifier", "file": file, "name": notifier.name }))?;
            }
            Ok(())
        }
        Err(mistakes) => told(context, file, ("mistake", &mistakes)),
    }
}

/// Prints what is wrong as objects; a failure where it is more than a warning.
fn told(context: &Context, file: &Path, (event, all): (&str, &[Mistake])) -> Result<(), Failure> {
    all.iter().try_for_each(|one| context.ui.object(&found(event, one)))?;
    if event == "warning" {
        return Ok(());
    }
    Err(Failure::new(Kind::Usage, format!("{} has {}", file.display(), config::counted(all))))
}

fn found(event: &str, one: &Mistake) -> Value {
    json!({ "event": event, "file": one.file, "line": one.line, "column": one.column, "problem": one.problem,
        "hint": one.hint })
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no tools".to_owned() } else { names.join(", ") }
}
