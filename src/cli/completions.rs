//! `completions`: scripts for shells.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::{self, EnvCompleter, Shells};

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

/// Every shell that can ask `mcptask` itself.
pub(crate) const SHELLS: Shells<'static> = Shells(&[&Bash, &env::Elvish, &env::Fish, &Powershell, &env::Zsh]);

/// Bash, with a script of our own: clap's passes the words on as bash breaks them, so that nothing completes beside or
/// after `--name=value` and URLs (clap-rs/clap#6280).
struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        binary: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> io::Result<()> {
        let completer = crate::desk::word::quoted(completer);
        let text = include_str!("completions.bash");
        let text = text.replace("VARIABLE", variable).replace("BINARY", binary);
        script.write_all(text.replace("COMPLETER", &completer).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        replies: &mut dyn io::Write,
    ) -> io::Result<()> {
        env::Bash.write_complete(command, words, directory, replies)
    }
}

/// PowerShell, which puts replies onto the line as they are: names of sessions, tools and fields are written by others, so
/// what may mean anything to it is quoted.
struct Powershell;

impl EnvCompleter for Powershell {
    fn name(&self) -> &'static str {
        env::Powershell.name()
    }

    fn is(&self, name: &str) -> bool {
        env::Powershell.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        binary: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> io::Result<()> {
        env::Powershell.write_registration(variable, name, binary, completer, script)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        replies: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut all = Vec::new();
        env::Powershell.write_complete(command, words, directory, &mut all)?;
        for reply in String::from_utf8_lossy(&all).lines() {
            match reply.split_once('\t') {
                Some((word, help)) => writeln!(replies, "{}\t{help}", in_powershell(word))?,
                None => writeln!(replies, "{}", in_powershell(reply))?,
            }
        }
        Ok(())
    }
}

/// A word as PowerShell takes it. It takes typographic apostrophes for its own.
fn in_powershell(word: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || "-_./:=+%".contains(one);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for one in word.chars() {
        quoted.extend(matches!(one, '\'' | '\u{2018}'..='\u{201b}').then_some(one));
        quoted.push(one);
    }
    quoted + "'"
}

/// The script that knows the command line as it is now.
fn fixed(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::help::whole(), "mcptask", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash { script.replacen(PREVIOUS, PREVIOUS_OPTION, 1) } else { script }
}

/// How clap's script for bash learns which option the cursor is at the value of.
const PREVIOUS: &str = "    prev=\"$3\"\n";

/// The same where `=` stands between them, which bash takes for a word.
const PREVIOUS_OPTION: &str = "    prev=\"$3\"
    if [[ \"$prev\" == \"=\" && \"$COMP_CWORD\" -ge 2 ]]; then
        prev=\"${COMP_WORDS[COMP_CWORD-2]}\"
    fi
";

/// The script that asks `mcptask` itself.
fn dynamic(shell: Shell) -> Result<String, Failure> {
    let name = shell.to_string();
    let completer = SHELLS
        .completer(&name)
        .ok_or_else(|| Failure::usage(format!("{name} cannot ask for completions")).hint("use --static"))?;
    let mut script = Vec::new();
    completer
        .write_registration("COMPLETE", "mcptask", "mcptask", "mcptask", &mut script)
        .map_err(|error| Failure::caused(Kind::Unexpected, "cannot write the script", error))?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

#[cfg(test)]
mod tests {
    use super::in_powershell;

    #[test]
    fn nothing_means_anything_to_powershell_in_a_word() {
        assert_eq!(in_powershell("--task=7w3k.q2m:1"), "--task=7w3k.q2m:1");
        assert_eq!(in_powershell("größe="), "größe=");
        for word in ["$x", "a;b", "`n", "\"", "@x", "{x}", "a b", ""] {
            assert_eq!(in_powershell(word), format!("'{word}'"));
        }
        assert_eq!(in_powershell("it's \u{2019}so\u{201b}"), "'it''s \u{2019}\u{2019}so\u{201b}\u{201b}'");
    }
}
