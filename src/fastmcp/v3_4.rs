//! FastMCP 3.4: the keys of a task lie below the scope of whoever launched it.
//!
//! `D` is the docket, `A` is `anon` or `auth:SCOPE`, `T` the task (a UUID), `K` = `A:T:tool:tool%3ANAME%40`.
//!
//! | key | type | what |
//! |---|---|---|
//! | `D:fastmcp:task:A:T` | string | `K`; lives for the client's ttl and 900 s more |
//! | `…:created_at` | string | ISO 8601 |
//! | `…:poll_interval` | string | not read |
//! | `…:snapshot` | string | JSON; only its `session_id` is taken, never its token or headers |
//! | `…:elicit:*`, `D:fastmcp:notifications:S*` | | see `elicitation` |

use serde::Deserialize;

use super::Generation;
use super::identity::{Identity, component, is_uuid, scoped};

/// Reads `A:T:KIND:IDENTIFIER`.
pub(super) fn identity(key: &str) -> Option<Identity> {
    let (owner, rest) = scoped(key)?;
    let mut parts = rest.splitn(3, ':');
    let (id, kind, identifier) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_uuid(id) {
        return None;
    }
    let above = key.strip_suffix(rest)?;
    Some(Identity {
        generation: Generation::V3_4,
        id: id.to_owned(),
        key: key.to_owned(),
        place: format!("fastmcp:task:{above}{id}"),
        owner,
        component: component(kind, identifier)?,
    })
}

/// The only field of a snapshot that is looked at: the others hold tokens and headers.
#[derive(Deserialize)]
struct Snapshot {
    session_id: Option<String>,
}

/// The session that a snapshot names, or why it cannot be told.
pub(super) fn session(snapshot: &str) -> Result<Option<String>, String> {
    let snapshot: Snapshot =
        serde_json::from_str(snapshot).map_err(|error| format!("the snapshot is not JSON: {error}"))?;
    Ok(snapshot.session_id)
}
