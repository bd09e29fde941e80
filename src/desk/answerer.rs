//! Who answered: which places keep a name and a note beside an answer.

use super::place::Found;
use super::text;

impl Found {
    /// What is said where the place has no room for who answers and for a note.
    pub(crate) fn keeps_no_names(&self) -> Option<String> {
        match self {
            Self::Store(..) => None,
            Self::Fastmcp(..) => Some(
                "FastMCP keeps neither the name of who answers nor a note: the answer is stored without them"
                    .to_owned(),
            ),
            Self::Server(server, _) if server.is_ours() => None,
            Self::Server(server, _) => Some(format!(
                "{} is sent the name and the note beside the answer, and may keep neither: MCP has no place for them",
                text::line(server.title())
            )),
        }
    }
}
