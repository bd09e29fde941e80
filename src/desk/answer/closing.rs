//! What becomes of a question that somebody else may answer first.

use super::own::{closed_in_store, how_closed, is_closed_in_store};
use super::until;
use crate::client::TaskView;
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::place::Found;
use crate::desk::text;
use crate::engine::Viewer;
use crate::fastmcp::DeployedTask;
use crate::task::TaskStatus;

impl Found {
    /// Waits until the question is not open any more, and says what became of it.
    pub(crate) async fn closed_elsewhere(&self, question: &OpenQuestion) -> Result<String, Failure> {
        let (question, asked) = (question.id.as_str(), &question.asked);
        match self {
            Self::Store(engine, id) => {
                let begun = engine.get_patiently(&Viewer::Operator, id).await?;
                closed_in_store(engine, &begun, (question, asked)).await
            }
            Self::Fastmcp(deployment, task) => {
                let is_closed = |now: &DeployedTask| is_closed_in_deployment(now, question);
                let now = until(deployment, &task.id, is_closed).await?;
                Ok(closed(&now.id, now.status))
            }
            Self::Server(server, task) => {
                let is_closed = |now: &TaskView| is_closed_at_server(now, question);
                let now = server.until(&task.id, &is_closed).await?;
                Ok(closed(&now.id, now.status))
            }
        }
    }

    /// What became of the question where it is not open any more now; `None` where it still is.
    pub(crate) async fn closed_by_now(&self, question: &OpenQuestion) -> Result<Option<String>, Failure> {
        let question = question.id.as_str();
        Ok(match self {
            Self::Store(engine, id) => {
                let now = engine.get_patiently(&Viewer::Operator, id).await?;
                is_closed_in_store(&now, question).then(|| how_closed(&now, question))
            }
            Self::Fastmcp(deployment, task) => {
                let now = deployment.find(&task.id).await?;
                is_closed_in_deployment(&now, question).then(|| closed(&now.id, now.status))
            }
            Self::Server(server, task) => {
                let now = server.get(&task.id).await?;
                is_closed_at_server(&now, question).then(|| closed(&now.id, now.status))
            }
        })
    }
}

fn is_closed_in_deployment(task: &DeployedTask, question: &str) -> bool {
    task.questions.iter().all(|one| one.id != question)
}

fn is_closed_at_server(task: &TaskView, question: &str) -> bool {
    !task.input_requests.contains_key(question)
}

/// What is said of a question that is not open any more, where nobody keeps what became of it.
fn closed(task: &str, status: TaskStatus) -> String {
    let task = text::line(task);
    if status.is_final() {
        return format!("task {task} has ended meanwhile: {}", status.as_str());
    }
    format!("the question of task {task} is not open any more: it was answered elsewhere, or withdrawn")
}
