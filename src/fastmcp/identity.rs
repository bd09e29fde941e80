//! Whose task a Docket key belongs to, and which generation of FastMCP wrote it.

use serde::{Serialize, Serializer};

use super::{v3_0, v3_4, v4};

/// A generation of FastMCP's key layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 3.0: tasks below their session.
    V3_0,
    /// 3.4: tasks below their authorisation scope, questions as in 3.0.
    V3_4,
    /// 4.1: a task is a chain of legs, each ended by its questions.
    V4,
}

impl Generation {
    /// As people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V3_0 => "FastMCP 3.0",
            Self::V3_4 => "FastMCP 3.4",
            Self::V4 => "FastMCP 4",
        }
    }
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// `tool`, `prompt`, `resource` or `template`.
    pub kind: String,
    /// Its name or URI.
    pub name: String,
    /// Its version, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Component {
    /// The name that Docket's workers know it by: `tool:NAME@VERSION`.
    pub(super) fn function(&self) -> String {
        format!("{}:{}@{}", self.kind, self.name, self.version.as_deref().unwrap_or_default())
    }
}

/// One task, as its Docket key tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) generation: Generation,
    /// What MCP clients call it.
    pub(super) id: String,
    /// Docket's key of the task, without a leg.
    pub(super) key: String,
    /// Where FastMCP keeps the task's own keys, below the docket: `fastmcp:task:…:ID`.
    pub(super) place: String,
    pub(super) owner: Owner,
    pub(super) component: Component,
}

/// Whose keyspace a task is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Session(String),
    Anonymous,
    Scope(String),
}

impl Identity {
    /// Reads a Docket key; `None` for what is no FastMCP task, such as a plain Docket task.
    pub(super) fn parse(key: &str) -> Option<Self> {
        v4::identity(key).or_else(|| v3_4::identity(key)).or_else(|| v3_0::identity(key))
    }
}

/// `KIND:IDENTIFIER` at the end of a Docket key, the identifier percent-encoded `KIND:NAME@VERSION`.
pub(super) fn component(kind: &str, identifier: &str) -> Option<Component> {
    let decoded = decoded(identifier)?;
    let (prefix, rest) = decoded.split_once(':')?;
    if !matches!(prefix, "tool" | "prompt" | "resource" | "template") || kind.is_empty() {
        return None;
    }
    let (name, version) = rest.rsplit_once('@').unwrap_or((rest, ""));
    let version = (!version.is_empty()).then(|| version.to_owned());
    Some(Component { kind: prefix.to_owned(), name: name.to_owned(), version })
}

/// `anon:REST` or `auth:SCOPE:REST`, as 3.4 and 4 have it: the owner, and the rest.
pub(super) fn scoped(key: &str) -> Option<(Owner, &str)> {
    if let Some(rest) = key.strip_prefix("anon:") {
        return Some((Owner::Anonymous, rest));
    }
    let (scope, rest) = key.strip_prefix("auth:")?.split_once(':')?;
    Some((Owner::Scope(decoded(scope)?), rest))
}

/// Whether the text has the form of a UUID, as FastMCP 3 makes its task ids.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Percent-decoded, as Python's `quote(…, safe="")` encodes.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        if byte == b'%' {
            let digits = [left.next()?, left.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "9ebc6552aa444ab9b130d5b1dc406b61";
    const UUID: &str = "3f4d4108-205e-4640-ae64-bcd84f74d563";
    const TOKEN: &str = "m8ls1plEUM4VklwTObitK2vTEqtpwgtD1ISpzDa7g7c";

    #[test]
    fn each_generation_is_told_by_its_keys() {
        let parse = |key: String| Identity::parse(&key).expect("a task's key");
        let old = parse(format!("{SESSION}:{UUID}:tool:tool%3Aplan_dinner%40"));
        assert_eq!((old.generation, old.id.as_str()), (Generation::V3_0, UUID));
        assert_eq!(old.owner, Owner::Session(SESSION.to_owned()));
        assert_eq!(old.component.function(), "tool:plan_dinner@");
        let scoped = parse(format!("auth:me%7Cyou:{UUID}:tool:tool%3Aplan%401.2"));
        assert_eq!((scoped.generation, scoped.owner), (Generation::V3_4, Owner::Scope("me|you".to_owned())));
        assert_eq!(scoped.component.version.as_deref(), Some("1.2"));
        let leg = parse(format!("anon:{TOKEN}:tool:tool%3Aplan%40#leg2"));
        assert_eq!((leg.generation, leg.id.as_str()), (Generation::V4, TOKEN));
        assert_eq!(leg.key, format!("anon:{TOKEN}:tool:tool%3Aplan%40"));
    }

    #[test]
    fn keys_that_only_look_alike_are_none_of_fastmcps() {
        for odd in
            ["", "anon", "anon:x:tool:tool%3Aa%40", "a:b:c:d", "anon::tool:tool%3Aa%40", "mail:%zz:tool:x"]
        {
            assert_eq!(Identity::parse(odd), None, "{odd}");
        }
    }
}
