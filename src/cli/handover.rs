//! Secrets of the environment that commands which are tools must not read.
//!
//! A command runs as the user who runs its worker, and every process of that user can read the environment that the
//! worker was started with (`/proc/PID/environ`), whatever the worker does with its own copy. So a process that runs
//! commands begins itself anew, under the same process id, without the secrets; it finds them in a pipe. Then it asks
//! the kernel to show its memory to nobody but root. What stays: a command that runs as root can read the memory of
//! any process, and whoever started the worker may have the variable in an environment of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use super::environment::{Environment, REDIS_URL, TOKEN};
use super::ui::Ui;

/// The number of the descriptor with the secrets.
const HANDOVER: &str = "MCPTASK_HANDOVER";

/// Secrets by the names of their variables.
type Secrets = BTreeMap<String, String>;

/// The most that a pipe takes before anybody reads it, less than the 64 KiB of Linux and what macOS has.
const MAX_BYTES: usize = 16 * 1024;

/// The environment of a process that runs commands, as if its secrets were still in it. Where they are, this call
/// begins the program anew and does not return.
pub(super) fn environment(
    arguments: &[OsString],
    mut environment: Environment,
    (ui, more): (&Ui, impl FnOnce() -> Vec<String>),
) -> Environment {
    if let Some(number) = environment.get(HANDOVER).map(str::to_owned) {
        match taken_over(&number) {
            Ok(secrets) => secrets.into_iter().for_each(|(name, value)| environment.set(name, value)),
            Err(error) => ui.warn(&format!("{HANDOVER}={number} says nothing: {error}")),
        }
        hide_memory(ui);
        return environment;
    }
    let secrets = secrets(&environment, &more());
    if secrets.is_empty() {
        return environment;
    }
    let error = begin_anew(arguments, &secrets);
    let names: Vec<&str> = secrets.keys().map(String::as_str).collect();
    ui.warn(&format!(
        "commands that run as root can read {}: cannot begin anew: {error}",
        names.join(" and ")
    ));
    hide_memory(ui);
    environment
}

/// What must not be read, by name: what this program knows, and what a file names.
fn secrets(environment: &Environment, more: &[String]) -> Secrets {
    // Only before an `@` and in a query can there be a password.
    let url = environment.given(REDIS_URL).filter(|url| url.contains(['@', '?']));
    let token = environment.given(TOKEN);
    let ours = [(REDIS_URL, url), (TOKEN, token)].into_iter();
    let named = more.iter().map(|name| (name.as_str(), environment.given(name)));
    let all = ours.chain(named).filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    all.collect()
}

/// Replaces this program by itself; returns why it could not.
fn begin_anew(arguments: &[OsString], secrets: &Secrets) -> io::Error {
    match prepared(arguments, secrets) {
        Ok((mut command, _reader)) => command.exec(),
        Err(error) => error,
    }
}

fn prepared(arguments: &[OsString], secrets: &Secrets) -> io::Result<(Command, io::PipeReader)> {
    let text = serde_json::to_vec(secrets)?;
    if text.len() > MAX_BYTES {
        return Err(io::Error::other(format!("they have {} bytes, more than {MAX_BYTES}", text.len())));
    }
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(&text)?;
    fcntl_setfd(&reader, FdFlags::empty())?;
    let mut command = Command::new(std::env::current_exe()?);
    let mut words = arguments.iter();
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    command.args(words).env(HANDOVER, reader.as_raw_fd().to_string());
    for name in secrets.keys() {
        command.env_remove(name);
    }
    Ok((command, reader))
}

/// Reads the pipe empty and closes it, so that no command inherits it.
fn taken_over(number: &str) -> io::Result<BTreeMap<String, String>> {
    let descriptor: RawFd = number.parse().map_err(io::Error::other)?;
    let mut text = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    File::open(format!("/dev/fd/{descriptor}"))?.take(limit).read_to_end(&mut text)?;
    nix::unistd::close(descriptor)?;
    Ok(serde_json::from_slice(&text)?)
}

/// From now on neither memory nor environment of this process can be read by others of its user.
#[cfg(target_os = "linux")]
fn hide_memory(ui: &Ui) {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        ui.warn(&format!("commands can read this process's memory: {error}"));
    }
}

/// Nothing: elsewhere the kernel shows it to nobody.
#[cfg(not(target_os = "linux"))]
fn hide_memory(_: &Ui) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_tokens_and_urls_that_may_have_a_password() {
        let of = |variables: &[(&str, &str)]| {
            secrets(&Environment::of(variables), &["HOOK".to_owned()]).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(of(&[(REDIS_URL, "redis://127.0.0.1:6379/0")]), Vec::<String>::new());
        assert_eq!(of(&[(REDIS_URL, "redis://me:x@127.0.0.1"), (TOKEN, "t")]), [REDIS_URL, TOKEN]);
        assert_eq!(of(&[(REDIS_URL, "redis+sentinel://h/m?password=x"), (TOKEN, "")]), [REDIS_URL]);
        assert_eq!(of(&[("HOOK", "x"), ("OTHER", "y")]), ["HOOK"], "what a file names");
    }

    #[test]
    fn what_is_handed_over_is_taken_over_once() {
        let arguments = ["mcptask".into(), "serve".into()];
        let (command, reader) =
            prepared(&arguments, &Secrets::from([(TOKEN.to_owned(), "s3cret".to_owned())])).expect("a pipe");
        let shown = format!("{:?}", command.get_args().chain([command.get_program()]).collect::<Vec<_>>());
        assert!(!shown.contains("s3cret"), "{shown}");
        let variables: Vec<_> = command.get_envs().collect();
        assert!(variables.contains(&(TOKEN.as_ref(), None)), "{variables:?}");
        let number = std::os::fd::IntoRawFd::into_raw_fd(reader).to_string();
        assert_eq!(
            taken_over(&number).expect("is there"),
            BTreeMap::from([(TOKEN.to_owned(), "s3cret".to_owned())])
        );
        assert!(taken_over("none").is_err());
    }
}
