//! `subscriptions/listen` with `taskIds` and `toolsListChanged` (2026-07-28, basic/utilities/subscriptions;
//! SEP-2663).

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rmcp::ErrorData;
use serde_json::{Value, json};

use super::errors::{invalid, needs_tasks_extension, refused};
use super::request::{Request, Serving};
use super::{streaming, wire};
use crate::engine::{EngineError, EngineResult, Follow};
use crate::store::StoreError;
use crate::task::{Task, TaskId};

/// The most tasks of one subscription.
const MOST: usize = 1000;

/// Serves a subscription until the client ends it or the server stops.
pub(super) async fn listen(serving: &Arc<Serving>, request: Request) -> Result<Value, ErrorData> {
    let wanted = wanted(&request)?;
    let tools = wants_tools(&request)?;
    let listening = Listening { serving, request: &request };
    streaming::until_closed(serving, &request, listening.run(wanted, tools)).await
}

/// What a subscription hears.
enum Heard {
    /// The tools are other ones.
    Tools,
    /// A task changed.
    Task(TaskId, Follow),
}

async fn change(task: TaskId, mut follow: Follow) -> (TaskId, Follow) {
    follow.changed().await;
    (task, follow)
}

/// Whether the client asks to hear of changed tools.
fn wants_tools(request: &Request) -> Result<bool, ErrorData> {
    match request.object("notifications")?.get("toolsListChanged") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(wanted)) => Ok(*wanted),
        Some(other) => {
            Err(invalid(format!("params.notifications.toolsListChanged must be true or false, not {other}")))
        }
    }
}

/// The task ids that the client asks for. Notifications of prompts and resources are never sent, so none is
/// acknowledged.
fn wanted(request: &Request) -> Result<Vec<TaskId>, ErrorData> {
    let notifications = request.object("notifications")?;
    let ids = match notifications.get("taskIds") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(ids)) => ids,
        Some(other) => {
            return Err(invalid(format!("params.notifications.taskIds must be a list, not {other}")));
        }
    };
    if !request.declares_tasks() {
        return Err(needs_tasks_extension());
    }
    if ids.len() > MOST {
        return Err(invalid(format!("params.notifications.taskIds names more than {MOST} tasks")));
    }
    let mut wanted: Vec<TaskId> = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(text) = id.as_str() else {
            return Err(invalid(format!("params.notifications.taskIds has {id}, which is not a string")));
        };
        if let Ok(task) = text.parse()
            && !wanted.contains(&task)
        {
            wanted.push(task);
        }
    }
    Ok(wanted)
}

/// What stands for a message that was sent: the message itself would be kept for each task.
fn print(shown: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    shown.to_string().hash(&mut hasher);
    hasher.finish()
}

struct Listening<'a> {
    serving: &'a Serving,
    request: &'a Request,
}

impl Listening<'_> {
    /// Acknowledges, then tells of each change. Ends only with an error.
    async fn run(&self, wanted: Vec<TaskId>, tools: bool) -> Result<Infallible, ErrorData> {
        let engine = &self.serving.engine;
        let mut tool_changes = engine.tool_changes();
        let hub = engine.hub().await.map_err(refused)?;
        let (mut accepted, mut changes) = (Vec::new(), FuturesUnordered::new());
        for task in wanted {
            let follow = hub.follow(&task);
            // A task that the caller may not see is left out, like one that never was.
            let found = engine.get(&self.request.caller.viewer(), &task).await;
            if self.shown(found).await?.is_some() {
                accepted.push(task.clone());
                changes.push(change(task, follow));
            }
        }
        self.acknowledge(&accepted, tools).await?;
        let mut last = HashMap::new();
        for task in accepted {
            self.tell(&task, &mut last).await?;
        }
        loop {
            let heard = tokio::select! {
                biased;
                Ok(()) = tool_changes.changed(), if tools => Heard::Tools,
                Some((task, follow)) = changes.next() => Heard::Task(task, follow),
                else => std::future::pending().await,
            };
            match heard {
                Heard::Tools => self.notify("notifications/tools/list_changed", json!({})).await?,
                Heard::Task(task, follow) => {
                    if self.tell(&task, &mut last).await? {
                        changes.push(change(task, follow));
                    }
                }
            }
        }
    }

    async fn acknowledge(&self, accepted: &[TaskId], tools: bool) -> Result<(), ErrorData> {
        let mut notifications = if accepted.is_empty() { json!({}) } else { json!({ "taskIds": accepted }) };
        if tools {
            notifications["toolsListChanged"] = json!(true);
        }
        let acknowledged = json!({ "notifications": notifications });
        self.notify("notifications/subscriptions/acknowledged", acknowledged).await
    }

    /// The task as the client is shown it; `None` where there is nothing to show.
    async fn shown(&self, found: EngineResult<Task>) -> Result<Option<Value>, ErrorData> {
        match found {
            Ok(task) => {
                let task = self.serving.relay.ruled(task).await.map_err(refused)?;
                let shown =
                    wire::detailed_task(&task, self.serving.config.poll_interval_ms, self.request.modes());
                Ok(Some(Value::Object(shown)))
            }
            Err(EngineError::Store(StoreError::NoTask(_) | StoreError::Unreadable { .. })) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Sends the task as it is, unless the client has seen just that; false when there is no more of it.
    async fn tell(&self, task: &TaskId, last: &mut HashMap<TaskId, u64>) -> Result<bool, ErrorData> {
        let found = self.serving.engine.get_patiently(&self.request.caller.viewer(), task).await;
        let Some(shown) = self.shown(found).await? else { return Ok(false) };
        let print = print(&shown);
        if last.insert(task.clone(), print) == Some(print) {
            return Ok(true);
        }
        if !self.serving.relay.silences(task) {
            self.notify("notifications/tasks", shown).await?;
        }
        Ok(true)
    }

    async fn notify(&self, method: &str, params: Value) -> Result<(), ErrorData> {
        streaming::notify(self.request, method, params).await
    }
}
