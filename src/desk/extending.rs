//! More time for a question, where its place can give it.

use super::failure::Failure;
use super::place::Found;
use super::suggest::{Advice, Suggested};
use super::text;
use crate::engine::Engine;
use crate::task::TaskId;

impl Found {
    /// The store of a task whose questions can be extended; a failure that names the way that works where they cannot.
    pub(crate) fn extensible(&self) -> Result<(&Engine, &TaskId), Failure> {
        match self {
            Self::Store(engine, id) => Ok((engine, id)),
            Self::Fastmcp(_, task) => {
                let respond = Suggested::new("respond").about(text::short_id(&task.id));
                let why = "a question of FastMCP ends when FastMCP says, and nobody can give it more time";
                Err(Failure::usage(why).hint(Advice::command(respond, "answers it before that")))
            }
            Self::Server(..) => Err(behind_a_server()),
        }
    }
}

/// The failure of a question that is reached through a server.
pub(crate) fn behind_a_server() -> Failure {
    let why = "no server takes more time for a question: MCP has no such request";
    Failure::usage(why).hint(Advice::at_its_store(
        "at the store of one of ours, ",
        Suggested::new("extend").about("TASK").word("DURATION"),
        "does it",
    ))
}
