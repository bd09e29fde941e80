//! Ids that are shortened to their beginning.

use super::failure::Failure;

/// Fewer characters mean no task: one is typed by mistake, none comes from a script's variable that was not set.
const FEWEST: usize = 4;

/// What is wrong with fewer.
pub(crate) const TOO_SHORT: &str = "is too short for the beginning of a task's id";

/// Refuses the beginning of an id that is too short to mean one task.
pub(super) fn long_enough(prefix: &str) -> Result<(), Failure> {
    if prefix.chars().count() >= FEWEST {
        return Ok(());
    }
    let message = format!("{prefix:?} {TOO_SHORT}");
    Err(Failure::usage(message).hint(format!("type more of the id: {FEWEST} characters at least")))
}
