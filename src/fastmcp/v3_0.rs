//! FastMCP 3.0: the keys of a task lie below its session.
//!
//! `D` is the docket, `S` the session, `T` the task (a UUID), `K` = `S:T:tool:tool%3ANAME%40`.
//!
//! | key | type | what |
//! |---|---|---|
//! | `D:fastmcp:task:S:T` | string | `K`; lives for the client's ttl and 900 s more |
//! | `…:created_at` | string | ISO 8601 |
//! | `…:poll_interval`, `…:origin_request_id` | string | not read |
//! | `…:access_token` | string | a token in plain text: never read |
//! | `…:elicit:*`, `D:fastmcp:notifications:S*` | | see `elicitation` |

use super::Generation;
use super::identity::{Identity, Owner, component, is_uuid};

/// Reads `S:T:KIND:IDENTIFIER`.
pub(super) fn identity(key: &str) -> Option<Identity> {
    let mut parts = key.splitn(4, ':');
    let (session, id, kind, identifier) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_session = is_uuid(session) || (session.len() == 32 && uuid::Uuid::try_parse(session).is_ok());
    if !is_session || !is_uuid(id) {
        return None;
    }
    Some(Identity {
        generation: Generation::V3_0,
        id: id.to_owned(),
        key: key.to_owned(),
        place: format!("fastmcp:task:{session}:{id}"),
        owner: Owner::Session(session.to_owned()),
        component: component(kind, identifier)?,
    })
}
