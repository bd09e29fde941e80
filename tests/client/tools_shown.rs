//! What `tools` tells of strangers' tools, and what is refused at a server without tasks.

use serde_json::json;

use crate::command::at;
use crate::peer::{Peer, Reply, legacy};

/// A server of one tool with arguments of many kinds, which no task runs.
fn odd() -> Peer {
    Peer::start(|said| match said.method() {
        "initialize" => Reply::Result(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "odd", "version": "1" },
        })),
        "tools/list" => Reply::Result(json!({ "tools": [{ "name": "x", "inputSchema": {
            "type": "object", "required": ["pri", "home"], "properties": {
                "pri": { "type": "string", "enum": ["fast", "slow"], "title": "Priority" },
                "tags": { "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "null" }], "default": null },
                "count": { "anyOf": [{ "type": "integer" }, { "type": "null" }], "default": null },
                "more": { "anyOf": [{ "type": "object" }, { "type": "null" }], "default": null },
                "home": { "type": "object", "required": ["zip"], "properties": {
                    "street": { "type": "string" }, "zip": { "type": "integer" } } },
            } } }] })),
        _ => legacy(said),
    })
}

#[test]
fn a_tool_shows_what_each_argument_takes() {
    let ran = at(&odd(), &["tools", "x"], "");
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "pri: one of fast, slow, needed; Priority",
        "tags: a list of text or null",
        "count: whole number or null",
        "more: a JSON object or null",
        "home: a JSON object with street (text), zip (a whole number, needed), needed",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn what_waits_for_tasks_is_refused_where_a_server_has_none() {
    for words in [&["watch"][..], &["respond", "--next", "--decline"]] {
        let ran = at(&odd(), words, "");
        assert!(
            ran.code == Some(2) && ran.err.contains("the server runs no tool as a task"),
            "{words:?}: {ran:?}"
        );
    }
}
