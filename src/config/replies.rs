//! The results and errors of a script as they are written.

use serde_json::Value;

use super::mistake::{Source, allowed};
use super::steps::Reader;
use super::table::{Node, Table, json};
use crate::worker::script::{Reply, StepKind, ValueTemplate};

/// MCP's kinds of content, each with what it has to have (2025-11-25 and 2026-07-28, server/tools, "Tool Result").
const CONTENT: [(&str, &[&str]); 5] = [
    ("text", &["text"]),
    ("image", &["data", "mimeType"]),
    ("audio", &["data", "mimeType"]),
    ("resource", &["resource"]),
    ("resource_link", &["uri", "name"]),
];

impl Reader {
    /// Text, or a table of `text`, `content` and `structured`.
    pub(super) fn reply(&mut self, table: &mut Table<'_>, word: &'static str) -> Option<Reply> {
        let node = table.get(word)?.node;
        if node.get_ref().as_str().is_some() {
            return Some(Reply { text: self.template(table, word), ..Reply::default() });
        }
        let mut parts = Table::of(table.source, format!("{word:?}"), node)?;
        let text = if parts.has("text") { self.template(&mut parts, "text") } else { None };
        parts.get("text");
        let mut content = Vec::new();
        if let Some(found) = parts.get("content") {
            content = self.blocks(table.source, found.node);
        }
        let structured = parts.json("structured").and_then(|(value, span)| {
            // MCP's structured results are objects; a template may give one.
            if !value.is_object() && !value.as_str().is_some_and(|text| text.contains("{{")) {
                parts.mistake(&span, format!("\"structured\" in {} is no table", parts.what()));
            }
            self.value_template(table.source, &span, &value)
        });
        if ["text", "content", "structured"].iter().all(|key| !parts.has(key)) {
            parts.mistake(&parts.span, format!("{word:?} says nothing: give it text, content or structured"));
        }
        parts.done();
        Some(Reply { text, content, structured })
    }

    fn blocks(&mut self, source: &Source<'_>, node: Node<'_>) -> Vec<ValueTemplate> {
        let known = CONTENT.map(|(kind, _)| kind);
        let Some(blocks) = node.get_ref().as_array() else {
            source.mistake(&node.span(), "\"content\" is not a list of content blocks", None);
            return Vec::new();
        };
        let mut read = Vec::new();
        for block in blocks {
            let value = json(block.get_ref());
            let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
            let needed = CONTENT.iter().find(|(known, _)| *known == kind).map(|(_, needed)| *needed);
            if needed.is_none() {
                let problem = format!("a content block has the type {kind:?}");
                source.mistake(&block.span(), problem, Some(allowed(kind, &known)));
            }
            for key in needed.unwrap_or_default().iter().filter(|key| value.get(**key).is_none()) {
                let problem = format!("a content block of the type {kind:?} has no {key:?}");
                source.mistake(&block.span(), problem, None);
            }
            read.extend(self.value_template(source, &block.span(), &value));
        }
        read
    }

    pub(super) fn protocol_error(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let mut parts = table.table("protocol_error")?;
        let code = parts.integer("code").unwrap_or(-32603);
        if !parts.has("message") {
            parts.missing("message", "say what went wrong");
        }
        let message = self.template(&mut parts, "message");
        let data = parts.json("data");
        let data = data.and_then(|(value, span)| self.value_template(table.source, &span, &value));
        parts.done();
        Some(StepKind::ProtocolError { code, message: message?, data })
    }
}
