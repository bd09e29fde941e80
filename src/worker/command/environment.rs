//! A command's environment: built from nothing, so that no secret of the worker is in it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde_json::{Map, Value};

use super::spec::{CommandSpec, INHERITED};
use crate::ask::protocol::{SOCKET_VARIABLE, TASK_VARIABLE};
use crate::task::TaskId;

/// The prefix of an argument's variable.
const ARGUMENT_PREFIX: &str = "MCPTASK_ARG_";

/// The longest argument that is put into the environment, in bytes; Linux takes 128 KiB for one variable.
/// Longer ones are on stdin only, like all of them.
const MAX_VARIABLE_BYTES: usize = 32 * 1024;

/// The most that all arguments take in the environment, in bytes; macOS has 1 MiB for everything.
const MAX_VARIABLES_BYTES: usize = 256 * 1024;

/// The environment of one run.
pub(super) type Variables = BTreeMap<OsString, OsString>;

/// Everything that a command finds in its environment; an error names the argument that cannot be there.
pub(super) fn variables(
    command: &CommandSpec,
    arguments: &Map<String, Value>,
    task: &TaskId,
    socket: &Path,
) -> Result<Variables, String> {
    let mut variables = inherited(&command.environment.inherit);
    variables.extend(command.environment.set.iter().map(|(name, value)| (name.into(), value.into())));
    put_own_program_on_path(&mut variables);
    for (name, value) in argument_variables(arguments)? {
        variables.insert(name.into(), value.into());
    }
    variables.insert(TASK_VARIABLE.into(), task.as_str().into());
    variables.insert(SOCKET_VARIABLE.into(), socket.into());
    Ok(variables)
}

fn inherited(more: &[String]) -> Variables {
    let wanted = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            INHERITED.contains(&name) || name.starts_with("LC_") || more.iter().any(|one| one == name)
        })
    };
    env::vars_os().filter(|(name, _)| wanted(name)).collect()
}

/// A command must find `mcptask`, installed or not; anything already on its path wins.
fn put_own_program_on_path(variables: &mut Variables) {
    let Ok(program) = env::current_exe() else { return };
    let (Some(folder), Some("mcptask")) = (program.parent(), program.file_name().and_then(OsStr::to_str))
    else {
        return;
    };
    let path = variables.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    let folders = env::split_paths(&path).filter(|one| !one.as_os_str().is_empty());
    if let Ok(path) = env::join_paths(folders.chain([folder.to_owned()])) {
        variables.insert("PATH".into(), path);
    }
}

/// The arguments as variables: texts as they are, everything else as JSON, nulls not at all.
fn argument_variables(arguments: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    let mut bytes = 0;
    for (name, value) in arguments {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.contains('\0') => {
                return Err(format!("the argument {name:?} has a NUL character, which no variable can hold"));
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        bytes += text.len();
        if text.len() > MAX_VARIABLE_BYTES || bytes > MAX_VARIABLES_BYTES {
            bytes -= text.len();
            tracing::debug!(argument = %name, bytes = text.len(), "too long for a variable; on stdin only");
            continue;
        }
        let variable = variable_name(name);
        if variables.insert(variable.clone(), text).is_some() {
            return Err(format!("two arguments would both be {variable}; one of them is {name:?}"));
        }
    }
    Ok(variables)
}

/// `dry-run` is `MCPTASK_ARG_DRY_RUN`.
fn variable_name(argument: &str) -> String {
    let word = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' }
    };
    ARGUMENT_PREFIX.chars().chain(argument.chars().map(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables_of(arguments: &Value) -> Result<BTreeMap<String, String>, String> {
        argument_variables(arguments.as_object().expect("an object"))
    }

    #[test]
    fn arguments_become_variables() {
        let found = variables_of(&json!({ "dry-run": true, "to": "a b", "n": 2, "none": null, "l": ["x"] }));
        let expected = [
            ("MCPTASK_ARG_DRY_RUN", "true"),
            ("MCPTASK_ARG_L", "[\"x\"]"),
            ("MCPTASK_ARG_N", "2"),
            ("MCPTASK_ARG_TO", "a b"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found.expect("fine"), BTreeMap::from(expected));
    }

    #[test]
    fn arguments_that_no_variable_can_hold_are_named() {
        assert!(
            variables_of(&json!({ "a-b": 1, "a_b": 2 })).expect_err("collide").contains("MCPTASK_ARG_A_B")
        );
        assert!(variables_of(&json!({ "a": "x\0y" })).expect_err("NUL").contains("\"a\""));
    }

    #[test]
    fn a_long_argument_is_left_to_stdin() {
        let found = variables_of(&json!({ "long": "x".repeat(40_000), "short": "y" })).expect("fine");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["MCPTASK_ARG_SHORT"]);
    }
}
