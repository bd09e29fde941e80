//! Which tools `serve` and `worker` offer, and how a changed file is taken up while they run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::environment::host;
use super::failure::{Failure, Kind};
use super::signals;
use super::ui::time;
use crate::config::{self, Mistake};
use crate::desk::suggest::{Advice, Suggested};
use crate::notify::Notifier;
use crate::task::Fault;
use crate::worker::{Tools, ToolsHandle, builtin};

/// Where the tools come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tools")]
pub(crate) struct OfferArgs {
    /// Offer the tools of this file [default: mcptask.toml of the working directory, else the built-in tools]
    ///
    /// SIGHUP reads it again, unless it comes because the terminal was closed, which ends the command. Running tasks keep the
    /// tools that they began with.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Offer the built-in tools as well, beside those of a file
    #[arg(long)]
    builtin: bool,
    /// Misbehave on purpose, for tests of MCP clients. May be given several times
    #[arg(long = "fault", value_name = "NAME", help_heading = "Tools", value_parser = faults())]
    faults: Vec<Fault>,
    /// How long this process may be silent before others take over the tasks that it runs
    ///
    /// A killed worker's tasks go on elsewhere after that time. It says that it lives three times as often.
    #[arg(long, value_name = "DURATION", default_value = "15s", hide_short_help = true, value_parser = lease)]
    lease: Duration,
}

/// What is offered, and who is told of it.
pub(crate) struct Offered {
    /// The tools to offer.
    pub(crate) tools: Tools,
    /// Who is told of what happens.
    pub(crate) notifiers: Vec<Notifier>,
}

/// The shortest lease: a shorter one would end whenever the machine is busy for a moment.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// Reads a lease.
fn lease(text: &str) -> Result<Duration, String> {
    let lease = time::duration(text)?;
    if lease < SHORTEST_LEASE {
        return Err(format!("a lease of {text} would end whenever the machine is busy; give at least 1s"));
    }
    Ok(lease)
}

/// The names of the faults, for help, completions and errors.
fn faults() -> impl clap::builder::TypedValueParser<Value = Fault> {
    use clap::builder::TypedValueParser as _;
    let known = Fault::ALL.map(|fault| clap::builder::PossibleValue::new(fault.as_str()));
    clap::builder::PossibleValuesParser::new(known).try_map(|name| name.parse::<Fault>())
}

impl OfferArgs {
    /// The file that is read, if any.
    fn file(&self) -> Option<PathBuf> {
        let usual = || Path::new(config::FILE).is_file().then(|| config::FILE.into());
        self.config.clone().or_else(usual)
    }

    /// The file and its machine, by which a later process knows what this one offered.
    pub(crate) fn source(&self) -> Option<String> {
        let path = self.file()?.canonicalize().ok()?;
        Some(format!("{}:{}", host(), path.display()))
    }

    /// How every tool misbehaves.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How long the worker may be silent.
    pub(crate) fn lease(&self) -> Duration {
        self.lease
    }

    /// What the file says. It is read once for all of it: it may be a pipe.
    pub(crate) fn read(&self) -> Result<Offered, Failure> {
        let Some(file) = self.file() else {
            return Ok(Offered { tools: builtin::tools(), notifiers: Vec::new() });
        };
        let config = load(&file)?;
        let (mut tools, notifiers) = (config.tools(), config.notifiers().to_vec());
        if self.builtin {
            // A tool of the file goes before a built-in one of the same name.
            let missing = builtin::tools().into_iter().filter(|(name, _)| !tools.contains_key(name));
            let missing: Vec<_> = missing.collect();
            tools.extend(missing);
        }
        Ok(Offered { tools, notifiers })
    }

    /// The variables of the environment in which the file says that secrets are. What is no plain file can be read once
    /// only, which is later; and of a file with mistakes nothing is used.
    pub(crate) fn secret_variables(&self) -> Vec<String> {
        let Some(file) = self.file().filter(|file| file.is_file()) else { return Vec::new() };
        let config = config::load(&file).unwrap_or_default();
        config.notifiers().iter().flat_map(Notifier::variables).map(str::to_owned).collect()
    }

    /// Reads the file again whenever SIGHUP comes. A file with mistakes changes nothing.
    pub(crate) fn reload(
        &self,
        context: &Context,
        parts: &TaskTracker,
        handle: ToolsHandle,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let (offer, ui) = (self.clone(), context.ui.clone());
        signals::on_hangup(parts, stop, move || {
            let (offer, ui, handle) = (offer.clone(), ui.clone(), handle.clone());
            async move {
                match take_up(&offer, &handle).await {
                    Ok(count) => ui.talk(&format!("read the tools again: {count} of them")),
                    Err(failure) => signals::tell_kept(&ui, &failure, "the tools are"),
                }
            }
        })
    }
}

async fn take_up(offer: &OfferArgs, handle: &ToolsHandle) -> Result<usize, Failure> {
    // A file may be large, or a pipe that nobody writes to.
    let reading = offer.clone();
    let read = tokio::task::spawn_blocking(move || reading.read())
        .await
        .map_err(|error| Failure::caused(Kind::Unexpected, "the file of tools could not be read", error))?;
    let tools = read?.tools;
    handle.replace(&tools).await?;
    Ok(tools.len())
}

/// Reads a file; its mistakes are one failure.
pub(crate) fn load(file: &Path) -> Result<config::Config, Failure> {
    config::load(file).map_err(|mistakes| mistaken(file, &mistakes))
}

/// The failure of a file with mistakes.
pub(crate) fn mistaken(file: &Path, mistakes: &[Mistake]) -> Failure {
    // Of a file that is not there, or cannot be read, nothing can be corrected.
    if let [Mistake { line: 0, problem, hint, .. }] = mistakes {
        return Failure::usage(format!("{} {problem}", file.display()))
            .maybe_hint(hint.clone().map(Advice::from));
    }
    let lines: Vec<_> = mistakes.iter().map(Mistake::to_string).collect();
    let count = config::counted(mistakes);
    let message = format!("{} has {count}:\n{}", file.display(), lines.join("\n"));
    let check = Suggested::new("check").about(file.display().to_string());
    Failure::usage(message).hint(Advice::from("correct it; ").and_command(check, "looks again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_that_every_worker_can_run_are_known_by_name() {
        let known: Vec<String> = builtin::tools().into_keys().collect();
        assert_eq!(known, crate::desk::suggest::BUILTIN);
    }

    #[test]
    fn a_lease_that_a_busy_machine_would_end_is_refused() {
        assert_eq!(lease("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(lease("1"), Ok(SHORTEST_LEASE));
        assert!(lease("999ms").is_err_and(|problem| problem.contains("999ms")));
    }
}
