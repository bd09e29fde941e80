//! `tools/list` in both eras.

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::fault::{invalid, refused};
use super::handler::{Request, Serving};
use super::wire;

/// How long a modern client may keep the list, in milliseconds: workers come and go.
const FRESH_MS: u64 = 5000;

pub(super) async fn list_legacy(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    Ok(json!({ "tools": list(serving, request, true).await? }))
}

pub(super) async fn list_modern(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let tools = list(serving, request, false).await?;
    Ok(json!({ "resultType": "complete", "tools": tools, "ttlMs": FRESH_MS, "cacheScope": "private" }))
}

async fn list(
    serving: &Serving,
    request: &Request,
    with_task_support: bool,
) -> Result<Vec<Value>, ErrorData> {
    if request.params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
        return Err(invalid("params.cursor is not one that this server gave: the list has one page"));
    }
    let tools = serving.engine.tools().await.map_err(refused)?;
    Ok(tools.iter().map(|spec| wire::tool(spec, with_task_support)).collect())
}
