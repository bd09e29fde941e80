//! Ids of tasks as people type them.

use super::failure::Failure;

/// The fewest characters that name a task of a store. One character fits one in 32 of anybody's tasks.
const FEWEST: usize = 4;

/// Reads an id on the command line, whole or its beginning. An unset variable of a script is an empty one, which would
/// be the beginning of every id.
pub(crate) fn typed(id: &str) -> Result<String, String> {
    if id.is_empty() {
        return Err("the task's id is empty: in a script, is a variable unset?".to_owned());
    }
    Ok(id.to_owned())
}

/// Refuses the beginning of an id that is too short to mean one task.
pub(crate) fn checked(prefix: &str) -> Result<(), Failure> {
    if prefix.chars().count() >= FEWEST {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{prefix:?} is too short for the beginning of a task's id; nothing was changed"
    ))
    .hint(format!("type more of the id: {FEWEST} characters at least")))
}
