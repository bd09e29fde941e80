//! Whose task a Docket key belongs to, and which generation of FastMCP wrote it.

use serde::{Serialize, Serializer};

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
    /// Reads the name that Docket's workers know it by; `None` where it is no function of FastMCP's.
    pub(super) fn of_function(function: &str) -> Option<Self> {
        let (kind, rest) = function.split_once(':')?;
        if !matches!(kind, "tool" | "prompt" | "resource" | "template") {
            return None;
        }
        // A name may have an @ of its own, a URI has colons.
        let (name, version) = rest.rsplit_once('@').unwrap_or((rest, ""));
        let version = (!version.is_empty()).then(|| version.to_owned());
        Some(Self { kind: kind.to_owned(), name: name.to_owned(), version })
    }

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

/// `KIND:IDENTIFIER` at the end of a Docket key, the identifier percent-encoded `KIND:NAME@VERSION`.
pub(super) fn component(kind: &str, identifier: &str) -> Option<Component> {
    Component::of_function(&decoded(identifier)?).filter(|_| !kind.is_empty())
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
