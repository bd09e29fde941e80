//! What an operator says of a command: which program, in which surroundings, with which bounds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::task::Violation;

/// Variables that every command inherits from the worker, because programs rarely work without them.
/// None of them is a secret; `LC_*` is inherited as well.
pub const INHERITED: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];

/// The prefix of variables that only the worker sets in a command's environment.
pub const OWN_PREFIX: &str = "MCPTASK_";

/// A command as the operator describes it. Nothing in it is ever read by a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// The executable: a bare name, looked up in the command's `PATH`, or a path. A relative path counts
    /// from [`CommandSpec::directory`]; whoever reads a file resolves it against that file's folder first.
    pub program: PathBuf,
    /// Its arguments, handed over as they are.
    pub args: Vec<String>,
    /// Where it runs; the worker's own working directory where absent.
    pub directory: Option<PathBuf>,
    /// What it finds in its environment.
    pub environment: Environment,
    /// How long it may run before it is ended. Time in which it waits for a person does not count.
    /// `None` lets it run for ever.
    pub time_limit: Option<Duration>,
    /// The pause between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How much it may write.
    pub output: OutputLimits,
}

/// A command's environment: nothing but what is named here, [`INHERITED`], and the worker's `MCPTASK_*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables taken from the worker's environment in addition to [`INHERITED`], where it has them.
    pub inherit: Vec<String>,
    /// Variables with fixed values; they win over inherited ones.
    pub set: BTreeMap<String, String>,
}

/// Bounds of what a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// The largest result on stdout, in bytes. A command that writes more is ended.
    pub stdout_bytes: usize,
    /// How much of the end of stderr an error result quotes, in bytes.
    pub stderr_tail_bytes: usize,
    /// How many events a second its stderr and its reports may cause on average; lines beyond are left
    /// out of the event log, and a report waits for its turn. At least 1.
    pub events_per_second: u32,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self { stdout_bytes: 1024 * 1024, stderr_tail_bytes: 4 * 1024, events_per_second: 5 }
    }
}

impl CommandSpec {
    /// A program without arguments, with the usual bounds: an hour of its own time, ten seconds' grace.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            directory: None,
            environment: Environment::default(),
            time_limit: Some(Duration::from_secs(60 * 60)),
            grace: Duration::from_secs(10),
            output: OutputLimits::default(),
        }
    }

    /// Everything in it that can never work, whatever is on the disk; the paths point to its fields.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if self.program.as_os_str().is_empty() {
            found.push(Violation::new("/program", "is empty: name an executable"));
        }
        if self.program.as_os_str().as_encoded_bytes().contains(&0) {
            found.push(Violation::new(
                "/program",
                format!("{:?} has a NUL character", self.program.to_string_lossy()),
            ));
        }
        for (at, arg) in self.args.iter().enumerate().filter(|(_, arg)| arg.contains('\0')) {
            found.push(Violation::new(format!("/args/{at}"), format!("{arg:?} has a NUL character")));
        }
        for (at, name) in self.environment.inherit.iter().enumerate() {
            found.extend(
                name_problem(name)
                    .map(|problem| Violation::new(format!("/environment/inherit/{at}"), problem)),
            );
        }
        for (name, value) in &self.environment.set {
            let problem = name_problem(name)
                .or_else(|| value.contains('\0').then(|| format!("the value of {name} has a NUL character")));
            found.extend(problem.map(|problem| Violation::new(format!("/environment/set/{name}"), problem)));
        }
        if self.time_limit.is_some_and(|limit| limit.is_zero()) {
            found.push(Violation::new("/time_limit", "is 0: the command could never run"));
        }
        if self.output.events_per_second == 0 {
            found.push(Violation::new("/output/events_per_second", "is 0: at least 1 is needed"));
        }
        found
    }
}

fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        Some(format!("{name:?} cannot be the name of an environment variable"))
    } else if name.starts_with(OWN_PREFIX) {
        // MCPTASK_REDIS_URL holds a password, and a command never talks to the store.
        Some(format!("{name:?} is not handed to commands: names with {OWN_PREFIX} belong to the worker"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workers_own_variables_cannot_be_handed_on() {
        let mut spec = CommandSpec::new("true");
        spec.environment.inherit = vec!["AWS_PROFILE".into(), "MCPTASK_REDIS_URL".into()];
        spec.environment.set = BTreeMap::from([("A=B".to_owned(), String::new())]);
        let found: Vec<_> = spec.violations().into_iter().map(|violation| violation.path).collect();
        assert_eq!(found, ["/environment/inherit/1", "/environment/set/A=B"]);
    }
}
