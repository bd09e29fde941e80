//! `completions`: scripts for shells.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, env::Shells};

use super::context::Context;
use super::failure::{Failure, Kind};

/// Print a shell's completion script; task ids and tools complete as well
///
/// For example: source <(mcptask completions bash), or mcptask completions fish | source
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
    /// A script that never runs mcptask: completes options, not ids
    #[arg(long = "static")]
    fixed: bool,
}

pub(crate) fn run(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    let script = if args.fixed { fixed(args.shell) } else { dynamic(args.shell)? };
    context.ui.line(script.trim_end())
}

/// The script that knows the command line as it is now.
fn fixed(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "mcptask", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The script that asks `mcptask` itself.
fn dynamic(shell: Shell) -> Result<String, Failure> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| Failure::usage(format!("{name} cannot ask for completions")).hint("use --static"))?;
    let mut script = Vec::new();
    completer
        .write_registration("COMPLETE", "mcptask", "mcptask", "mcptask", &mut script)
        .map_err(|error| Failure::caused(Kind::Unexpected, "cannot write the script", error))?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}
