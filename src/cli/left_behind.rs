//! What becomes of a task that is left to the server that it was submitted to.

use crate::client::{Era, Target};
use crate::desk::suggest::{Advice, Suggested};

/// What is said of a task of a server that was started here.
const ENDS_WITH_THIS: &str = "the server was started for this command and ends with it, and so does the task, unless the \
    server keeps tasks elsewhere; --wait stays to its end";

/// What is said of a task that is left to a server which asks in its client's own session only.
const ASKS_NOBODY: &str = "a server of 2025-11-25 asks only the client that submitted the task, and this one leaves now: \
    what the task asks may wait for nobody, or be answered by cancel, and some servers show the task to that client's \
    session alone; --wait stays and asks";

/// What to know of a task that is left to its server.
pub(crate) fn warning(target: &Target, era: Era) -> Option<&'static str> {
    match (target, era) {
        (Target::Stdio { .. }, _) => Some(ENDS_WITH_THIS),
        (_, Era::Legacy) => Some(ASKS_NOBODY),
        (_, Era::Auto | Era::Modern) => None,
    }
}

/// What becomes of a task when a command ends that stays with it, where that is not simply "it goes on": a server that was
/// started for the command ends with it, and only the server knows whether it keeps its tasks.
pub(crate) fn when_this_ends(target: &Target, id: &str) -> Option<Advice> {
    let Target::Stdio { .. } = target else { return None };
    let lost =
        Advice::from("the server ends with this command, and a task that it keeps nowhere else is lost; ");
    let attach = Suggested::new("attach").about(id);
    Some(lost.and_command(attach, "takes it up again where the server keeps it"))
}
