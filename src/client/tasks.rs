//! Looking at tasks, answering and cancelling them.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::asking::elicit_result;
use super::{Client, ClientError, ClientResult, TaskView};
use crate::task::{Answer, Ask};

/// Invalid params: what both eras answer to an unknown task, and modern servers to an unfit answer.
pub const INVALID_PARAMS: i64 = -32602;

/// The request for all tasks of a legacy server.
pub(super) const LIST_TASKS: &str = "tasks/list";

/// How many pages of tasks without a new one are read: who filters what it pages through has empty ones.
const MOST_STALE: usize = 20;

/// How often an answer is sent that meets an internal error of a server which is there, and the pause before the next
/// time: what was about to pass has passed by then.
const UPDATE_TRIES: u32 = 3;
const UPDATE_PAUSE: Duration = Duration::from_millis(300);

/// Under this key of an acknowledgement's `_meta` our own servers name the answers that count.
const COUNTED: &str = "mcptask/counted";

/// What is known of an answer that a server acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It is the question's answer.
    Counted,
    /// The question had an answer already, or its task had ended.
    TooLate,
    /// The server does not say.
    Unknown,
}

impl Acknowledged {
    /// Where an earlier try was lost on the way, the answer that had come first may be this one.
    fn read(reply: &Value, key: &str, was_lost: bool) -> Self {
        let counted = reply.get("_meta").and_then(|meta| meta.get(COUNTED)).and_then(Value::as_array);
        match counted {
            Some(counted) if counted.iter().any(|one| one == key) => Self::Counted,
            Some(_) if !was_lost => Self::TooLate,
            _ => Self::Unknown,
        }
    }
}

impl Client {
    /// The task as it stands.
    pub async fn get(&self, id: &str) -> ClientResult<TaskView> {
        let reply = self.patient_request("tasks/get", &json!({ "taskId": id })).await;
        self.viewed(id, reply)
    }

    /// The same, asked once: one task of many that cannot be looked at keeps nobody waiting.
    pub(crate) async fn get_once(&self, id: &str) -> ClientResult<TaskView> {
        let reply = self.request("tasks/get", json!({ "taskId": id })).await;
        self.told_answered(&reply);
        self.viewed(id, reply)
    }

    /// What the reply to a look at the task shows.
    fn viewed(&self, id: &str, reply: ClientResult<Value>) -> ClientResult<TaskView> {
        let reply = reply.map_err(|error| no_task(id, error))?;
        let view = TaskView::read(&reply).ok_or_else(|| self.odd("tasks/get", "the reply is not a task"))?;
        if view.id != id {
            return Err(self.odd("tasks/get", &format!("the reply is about another task, {:?}", view.id)));
        }
        Ok(view)
    }

    /// All tasks that a legacy server shows, each once; the modern era has no such list.
    pub async fn list(&self) -> ClientResult<Vec<TaskView>> {
        self.list_until(|_| false).await
    }

    /// The same, up to the page with the first task with which it is enough: each is shown to `is_enough` once, in order.
    pub async fn list_until(
        &self,
        mut is_enough: impl FnMut(&TaskView) -> bool,
    ) -> ClientResult<Vec<TaskView>> {
        if self.modern {
            let reason = "its protocol, 2026-07-28, lets clients see only tasks whose ids they kept";
            return Err(ClientError::NotOffered { server: self.server(), verb: "list tasks", reason });
        }
        let (mut met, mut listed, mut stale) = (HashSet::new(), Vec::new(), 0);
        let page = |tasks: &[Value]| {
            let (before, mut enough) = (listed.len(), false);
            for task in tasks {
                match TaskView::read(task) {
                    Some(view) if met.insert(view.id.clone()) => {
                        enough |= is_enough(&view);
                        listed.push(view);
                    }
                    Some(_) => {}
                    // One that is newer than this client, or broken, hides no other.
                    None => {
                        tracing::warn!("the server lists what is not read as a task: {}", beginning(task));
                    }
                }
            }
            stale = if listed.len() > before { 0 } else { stale + 1 };
            if stale == MOST_STALE {
                tracing::warn!(
                    "{stale} pages of the server's list of tasks had no new one: the rest is not read"
                );
            }
            enough || stale == MOST_STALE
        };
        self.pages_until(LIST_TASKS, "tasks", page).await?;
        Ok(listed)
    }

    /// Cancels the task. Modern servers take it without a word on ended tasks, legacy ones refuse those.
    pub async fn cancel(&self, id: &str) -> ClientResult<()> {
        self.request("tasks/cancel", json!({ "taskId": id })).await.map(drop)
    }

    /// Answers one open question of a modern task, as `tasks/get` shows it. Servers acknowledge answers to questions
    /// that are not open as well; ours say which ones count.
    pub async fn answer(
        &self,
        id: &str,
        key: &str,
        ask: &Ask,
        answer: &Answer,
    ) -> ClientResult<Acknowledged> {
        if !self.modern {
            let reason = "its protocol sends each question to the client that submitted the task";
            return Err(ClientError::NotOffered { server: self.server(), verb: "take answers", reason });
        }
        let responses = json!({ key: elicit_result(ask, answer) });
        let params = json!({ "taskId": id, "inputResponses": responses });
        let (mut tries, mut was_lost) = (1, false);
        loop {
            let (reply, is_lost) = self.repeated_request("tasks/update", &params).await;
            was_lost |= is_lost;
            match reply {
                // Where the server is away, looking at the task fails as well, and is waited for. Where it is not, the
                // error is about this answer.
                Err(error) if error.is_internal() && tries < UPDATE_TRIES => {
                    (tries, was_lost) = (tries + 1, true);
                    self.get(id).await?;
                    tokio::time::sleep(UPDATE_PAUSE).await;
                }
                done => return Ok(Acknowledged::read(&done?, key, was_lost)),
            }
        }
    }

    /// The result of a legacy task: blocks to its end where the server follows the specification.
    pub(super) async fn result(&self, id: &str) -> ClientResult<Value> {
        self.long_request("tasks/result", json!({ "taskId": id })).await
    }
}

/// Enough of a value to know it again.
pub(super) fn beginning(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

fn no_task(id: &str, error: ClientError) -> ClientError {
    match error {
        ClientError::Refused { error, .. } if error.code == INVALID_PARAMS => {
            ClientError::NoTask { task: id.to_owned(), message: error.message }
        }
        other => other,
    }
}
