//! Ids of tasks as people type them.

/// Reads an id on the command line, whole or its beginning. An unset variable of a script is an empty one, which would
/// be the beginning of every id.
pub(crate) fn typed(id: &str) -> Result<String, String> {
    if id.is_empty() {
        return Err("the task's id is empty: in a script, is a variable unset?".to_owned());
    }
    Ok(id.to_owned())
}
