//! What the server offers.

use serde_json::{Value, json};

use super::tasks::{LIST_TASKS, beginning};
use super::{Client, ClientError, ClientResult};
use crate::task::{TaskSupport, ToolSpec};

/// The most pages that a list may have; a server that goes on names its own cursors in a circle.
pub(super) const MAX_PAGES: usize = 1000;
/// The most bytes that a list may have, on all of its pages.
const MAX_LIST_BYTES: usize = 64 * 1024 * 1024;

/// Tells of something that is listed and cannot be called, which hides no other.
pub(super) fn not_a_tool(tool: &Value) {
    tracing::warn!("the server lists what is not read as a tool: {}", beginning(tool));
}

impl Client {
    /// The server's tools, asked for once per connection.
    pub async fn tools(&self) -> ClientResult<&[ToolSpec]> {
        let list = || async {
            let tools = self.pages("tools/list", "tools").await?;
            let read = |tool: &Value| {
                let spec = self.tool_from(tool);
                if spec.is_none() {
                    not_a_tool(tool);
                }
                spec
            };
            Ok(tools.iter().filter_map(read).collect())
        };
        self.tools.get_or_try_init(list).await.map(Vec::as_slice)
    }

    /// The tool of that name.
    pub(super) async fn tool(&self, name: &str) -> ClientResult<&ToolSpec> {
        let tools = self.tools().await?;
        tools.iter().find(|tool| tool.name == name).ok_or_else(|| ClientError::UnknownTool {
            name: name.to_owned(),
            known: tools.iter().map(|tool| tool.name.clone()).collect(),
        })
    }

    /// All items of a list that comes in pages. A server whose list has no end, or goes in a circle, is found out.
    pub(super) async fn pages(&self, method: &str, items: &str) -> ClientResult<Vec<Value>> {
        self.pages_until(method, items, |_| false).await
    }

    /// The same, up to the first page with which it is enough.
    pub(super) async fn pages_until(
        &self,
        method: &str,
        items: &str,
        mut is_enough: impl FnMut(&[Value]) -> bool,
    ) -> ClientResult<Vec<Value>> {
        let (mut all, mut params, mut bytes) = (Vec::new(), json!({}), 0);
        for _ in 0..MAX_PAGES {
            let mut page = self.patient_request(method, &params).await?;
            let next = page.get("nextCursor").filter(|next| !next.is_null() && *next != "").cloned();
            let Some(Value::Array(found)) = page.get_mut(items).map(Value::take) else {
                return Err(self.odd(method, "the reply has no list"));
            };
            bytes += found.iter().map(|item| item.to_string().len()).sum::<usize>();
            let is_enough = is_enough(&found);
            all.extend(found);
            let Some(next) = next.filter(|_| !is_enough) else { return Ok(all) };
            let following = json!({ "cursor": next });
            if following == params {
                return Err(
                    self.odd(method, "the list goes in a circle: a page names itself as the next one")
                );
            }
            if bytes > MAX_LIST_BYTES {
                return Err(self.odd(method, &format!("the list has more than {MAX_LIST_BYTES} bytes")));
            }
            params = following;
        }
        // The tasks that the list begins with are tasks all the same; of tools, the one that is called may be missing.
        if method != LIST_TASKS {
            return Err(self.odd(method, &format!("the list has more than {MAX_PAGES} pages")));
        }
        tracing::warn!("the server's list of tasks has more than {MAX_PAGES} pages: the rest is not read");
        Ok(all)
    }

    fn tool_from(&self, tool: &Value) -> Option<ToolSpec> {
        let text = |key: &str| tool.get(key).and_then(Value::as_str).map(str::to_owned);
        let schema = tool.get("inputSchema").cloned().unwrap_or_else(|| json!({ "type": "object" }));
        let mut spec = ToolSpec::new(&text("name")?, &text("description").unwrap_or_default(), schema);
        spec.title = text("title");
        spec.output_schema = tool.get("outputSchema").cloned();
        spec.annotations = tool.get("annotations").cloned();
        let said = tool.pointer("/execution/taskSupport").and_then(Value::as_str);
        spec.task_support = match said {
            _ if !self.runs_tasks() => TaskSupport::Forbidden,
            // Modern servers do not say which: they decide with each call.
            _ if self.modern => TaskSupport::Optional,
            Some("required") => TaskSupport::Required,
            Some("optional") => TaskSupport::Optional,
            // 2025-11-25: a tool that says nothing must not be called as a task.
            _ => TaskSupport::Forbidden,
        };
        Some(spec)
    }
}
