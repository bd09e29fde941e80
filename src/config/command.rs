//! Tools of kind `command`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::Table;
use crate::worker::command::{CommandSpec, Environment, OutputLimits};

/// Reads `command` and what belongs to it; notes mistakes.
pub(super) fn read(table: &mut Table<'_>, timeout: Option<Duration>) -> Option<CommandSpec> {
    let span = table.get("command")?.node.span();
    let words = words(table);
    let folder = table.source.folder().to_owned();
    let directory = table.text("directory").map(|(text, span)| {
        let path = folder.join(&text);
        if !path.is_dir() {
            table.mistake(&span, format!("the directory {} is not there", path.display()));
        }
        path
    });
    let environment = environment(table);
    let output = output(table);
    let mut words = words?.into_iter();
    let program = words.next().unwrap_or_default();
    if let Some(problem) = missing(&folder, &program) {
        table.mistake(&span, problem);
    }
    let mut spec = CommandSpec::new(resolved(&folder, &program));
    spec.args = words.collect();
    spec.directory = directory;
    spec.environment = environment;
    spec.output = output;
    if timeout.is_some() {
        spec.time_limit = timeout;
    }
    spec.grace = table.duration("grace").unwrap_or(spec.grace);
    for violation in spec.violations() {
        table.mistake(&span, format!("{}: {violation}", table.what()));
    }
    Some(spec)
}

/// The program and its arguments: a list of texts, or one text that is the program.
fn words(table: &mut Table<'_>) -> Option<Vec<String>> {
    let found = table.get("command")?;
    let Some(text) = found.node.get_ref().as_str() else { return table.texts("command") };
    if text.contains(' ') {
        let parts: Vec<_> = text.split_whitespace().collect();
        let hint = format!("no shell reads it; write a list: {parts:?}");
        let problem = format!("\"command\" in {} is one text with spaces", table.what());
        table.source.mistake(&found.node.span(), problem, Some(hint));
        return None;
    }
    Some(vec![text.to_owned()])
}

fn environment(table: &mut Table<'_>) -> Environment {
    let Some(mut named) = table.table("environment") else { return Environment::default() };
    let inherit = named.texts("inherit").unwrap_or_default();
    let mut set = BTreeMap::new();
    if let Some(values) = named.table("set") {
        for (name, _, node) in values.entries() {
            match node.get_ref().as_str() {
                Some(value) => drop(set.insert(name.to_owned(), value.to_owned())),
                None => values.mistake(&node.span(), format!("the variable {name:?} is not text")),
            }
        }
    }
    named.done();
    Environment { inherit, set }
}

/// The most that a command may be allowed to print: a store keeps no larger result.
const MAX_STDOUT_BYTES: usize = 4 * 1024 * 1024;

/// The most of stderr that an error result may be told to quote.
const MAX_TAIL_BYTES: usize = 64 * 1024;

fn bytes(limits: &mut Table<'_>, key: &'static str, most: usize) -> Option<usize> {
    let count = limits.count(key, 1)? as usize;
    if count > most {
        let span = limits.get(key).map_or(0..0, |found| found.node.span());
        limits.mistake(&span, format!("{key:?} in {} is {count}, more than {most}", limits.what()));
    }
    Some(count)
}

fn output(table: &mut Table<'_>) -> OutputLimits {
    let usual = OutputLimits::default();
    let Some(mut limits) = table.table("limits") else { return usual };
    let read = OutputLimits {
        stdout_bytes: bytes(&mut limits, "stdout_bytes", MAX_STDOUT_BYTES).unwrap_or(usual.stdout_bytes),
        stderr_tail_bytes: bytes(&mut limits, "stderr_tail_bytes", MAX_TAIL_BYTES)
            .unwrap_or(usual.stderr_tail_bytes),
        events_per_second: limits.count("events_per_second", 1).unwrap_or(usual.events_per_second),
    };
    limits.done();
    read
}

/// A program with a slash counts from the file's folder, whatever the directory that it runs in.
fn resolved(folder: &Path, program: &str) -> PathBuf {
    if !program.contains('/') {
        return program.into();
    }
    let path = folder.join(program);
    std::path::absolute(&path).unwrap_or(path)
}

/// Why a program that is named by a path cannot be run. One that is looked up may be there on the machine
/// that runs it.
fn missing(folder: &Path, program: &str) -> Option<String> {
    if !program.contains('/') {
        return None;
    }
    let path = folder.join(program);
    let Ok(metadata) = path.metadata() else { return Some(format!("{} is not there", path.display())) };
    if !metadata.is_file() {
        return Some(format!("{} is not a file", path.display()));
    }
    if !is_executable(&metadata) {
        return Some(format!("{0} is not executable: chmod +x {0}", path.display()));
    }
    None
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}
