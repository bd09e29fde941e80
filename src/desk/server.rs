//! An MCP server as a place of tasks.

use std::collections::HashMap;

use super::failure::{Failure, Kind};
use super::kept::{Kept, KeptTask};
use super::places::is_long_enough;
use super::suggest::{Advice, Suggested};
use super::text;
use crate::client::{Client, ClientError, Era, Target, TaskView};
use crate::task::TaskStatus;

/// A connection to a server, with the tasks that are known to be there.
pub(crate) struct Server {
    client: Client,
    name: String,
    kept: Option<Kept>,
}

/// A server's task, with what only its launcher knows.
pub(crate) struct ServerTask {
    /// As the server shows it.
    pub(crate) view: TaskView,
    /// The tool that was called, where this user launched it.
    pub(crate) tool: Option<String>,
}

impl Server {
    /// The server that `client` is connected to; `kept` has the ids of the tasks that this user launched.
    pub(crate) fn new(client: Client, target: &Target, kept: Option<Kept>) -> Self {
        Self { client, name: target.to_string(), kept }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        self.client.close().await;
    }

    /// The tasks that can be known of, newest first: all that a legacy server shows; of a modern one those that this
    /// user launched, since it shows a task only to who has its id.
    pub(crate) async fn tasks(&self, most: usize) -> Result<Vec<ServerTask>, Failure> {
        let mut tools = self.tools_of_kept();
        if self.client.era() == Era::Legacy {
            let views = self.client.list().await?.into_iter().take(most);
            return Ok(views.map(|view| ServerTask { tool: tools.remove(&view.id), view }).collect());
        }
        let (mut tasks, mut gone) = (Vec::new(), Vec::new());
        for one in self.kept() {
            if tasks.len() >= most {
                break;
            }
            match self.client.get(&one.task).await {
                Ok(view) => tasks.push(ServerTask { view, tool: Some(one.tool) }),
                // The server keeps a task only for its ttl.
                Err(ClientError::NoTask { .. }) => gone.push(one.task),
                Err(error) => return Err(error.into()),
            }
        }
        self.forget(&gone);
        Ok(tasks)
    }

    /// The tasks of this server that this user launched, newest first.
    fn kept(&self) -> Vec<KeptTask> {
        self.kept.as_ref().map(|kept| kept.of_server(&self.name)).unwrap_or_default()
    }

    fn tools_of_kept(&self) -> HashMap<String, String> {
        self.kept().into_iter().map(|one| (one.task, one.tool)).collect()
    }

    /// The tool that a task runs, where this user launched it.
    pub(crate) fn tool_of(&self, task: &str) -> Option<String> {
        self.tools_of_kept().remove(task)
    }

    fn forget(&self, gone: &[String]) {
        if gone.is_empty() {
            return;
        }
        if let Some(Err(error)) = self.kept.as_ref().map(|kept| kept.forget(&self.name, gone)) {
            tracing::debug!(%error, "tasks that are gone are still kept");
        }
    }

    /// The task of that id; else the one known task whose id begins so.
    pub(crate) async fn find(&self, prefix: &str) -> Result<TaskView, Failure> {
        let missing = match self.client.get(prefix).await {
            Ok(task) => return Ok(task),
            Err(missing @ ClientError::NoTask { .. }) => missing,
            Err(error) => return Err(error.into()),
        };
        let mut known = if is_long_enough(prefix) { self.ids().await? } else { Vec::new() };
        known.retain(|id| id.starts_with(prefix));
        match known.as_slice() {
            [] => Err(missing.into()),
            [id] => Ok(self.client.get(id).await?),
            _ => Err(Failure::usage(format!("{prefix:?} fits several tasks: {}", known.join(", ")))
                .hint("type more of the id")),
        }
    }

    async fn ids(&self) -> Result<Vec<String>, Failure> {
        if self.client.era() == Era::Modern {
            return Ok(self.kept().into_iter().map(|one| one.task).collect());
        }
        match self.client.list().await {
            Ok(tasks) => Ok(tasks.into_iter().map(|task| task.id).collect()),
            // Not every server of that era lists its tasks.
            Err(ClientError::Refused { .. } | ClientError::NotOffered { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Cancels a task. A modern server says nothing where the task had ended before, so its status is looked at.
    pub(crate) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        ended(&self.client.get(id).await?).map_or(Ok(()), Err)?;
        let done = self.client.cancel(id).await;
        // It may have ended meanwhile, which legacy servers refuse and modern ones pass over.
        let now =
            self.client.get(id).await.ok().filter(|now| done.is_err() || now.status != TaskStatus::Cancelled);
        match now.as_ref().and_then(ended) {
            Some(failure) => Err(failure),
            None => Ok(done?),
        }
    }

    /// Why no question of a task can be answered from here.
    pub(crate) fn refuses_answers(&self) -> Option<Failure> {
        (self.client.era() == Era::Legacy).then(|| {
            Failure::usage("a legacy server sends its questions only to the client that submitted the task")
                .hint(
                    Advice::from("answer there, or straight at the store that the server uses: ")
                        .and_command(Suggested::new("respond").option("--redis", "URL"), "does that"),
                )
        })
    }
}

/// The failure of a task that has ended.
fn ended(task: &TaskView) -> Option<Failure> {
    let words = || format!("task {} has already ended: {}", text::line(&task.id), task.status);
    task.status.is_final().then(|| Failure::new(Kind::NothingChanged, words()))
}
