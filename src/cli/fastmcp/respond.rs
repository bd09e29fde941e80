//! `respond` to a FastMCP task, straight through its Redis.

use serde_json::json;

use super::super::context::Context;
use super::super::failure::{Failure, Kind};
use super::super::respond::RespondArgs;
use super::super::ui::question::Asked;
use super::super::ui::{event, text};
use super::super::{respond as native, values};
use crate::desk::suggest::Suggested;
use crate::fastmcp::{Answered, DeployedQuestion, DeployedTask, Deployment, FastmcpError, Generation, Way};
use crate::task::form::joined;
use crate::task::{Answer, QuestionId};

/// Answers that question of the task, or its first.
pub(crate) async fn respond(
    context: &Context,
    deployment: &Deployment,
    task: &DeployedTask,
    wanted: Option<&QuestionId>,
    args: &RespondArgs,
) -> Result<(), Failure> {
    let wanted = wanted.map(QuestionId::as_str);
    let question = task.questions.iter().find(|one| wanted.is_none_or(|wanted| wanted == one.id));
    let Some(question) = question else { return Err(not_waiting(deployment, task).await) };
    let way = if args.direct() { Way::Direct } else { Way::Supported };
    if task.generation == Generation::V4 && way == Way::Supported {
        // Said before anybody has filled in a form.
        return Err(FastmcpError::NeedsServer { id: task.id.clone() }.into());
    }
    let (answer, done) = match args.given(&question.ask)? {
        Some(answer) => {
            let done = deployment.answer(task, &question.id, &answer, way).await?;
            (answer, done)
        }
        None => at_prompt(context, deployment, task, question, way).await?,
    };
    told(context, &answer, &done)
}

async fn not_waiting(deployment: &Deployment, task: &DeployedTask) -> Failure {
    let message = format!("task {} waits for no answer: it is {}", text::line(&task.id), task.status);
    let failure = Failure::new(Kind::NothingChanged, message);
    match deployment.diagnose(Some(&task.id)).await {
        Ok(found) => found.into_iter().fold(failure, |failure, one| failure.hint(one.help)),
        Err(_) => failure,
    }
}

/// Asks the person here, again where the form's check refuses.
async fn at_prompt(
    context: &Context,
    deployment: &Deployment,
    task: &DeployedTask,
    question: &DeployedQuestion,
    way: Way,
) -> Result<(Answer, Answered), Failure> {
    let who = format!("{} (task {})", task.component.name, event::short(&task.id));
    let mut asked = Asked {
        who,
        ask: question.ask.clone(),
        asked_at: question.asked_at,
        deadline: None,
        refused: None,
        later: Some(later(&task.id, task.generation, question)),
    };
    loop {
        let answer = native::ask(context, &asked).await?;
        match deployment.answer(task, &question.id, &answer, way).await {
            Err(FastmcpError::Invalid { violations }) => asked.refused = Some(joined(&violations)),
            done => return Ok((answer, done?)),
        }
    }
}

/// The command that answers it.
pub(super) fn later(task: &str, generation: Generation, question: &DeployedQuestion) -> Suggested {
    let through_server = generation == Generation::V4;
    let respond = Suggested::new("respond").about(if through_server { task } else { event::short(task) });
    let respond = if through_server { respond.option("--server", "URL") } else { respond };
    values::accepting(respond, &question.ask).question(question.id.as_str())
}

fn told(context: &Context, answer: &Answer, done: &Answered) -> Result<(), Failure> {
    if context.ui.is_json() {
        let Answered { task, question, stale_cleared, left } = done;
        return context.ui.object(&json!({
            "at": jiff::Timestamp::now(), "source": "fastmcp", "task": task, "question": question,
            "action": answer.action, "by": answer.by, "stale_cleared": stale_cleared, "left": left,
        }));
    }
    let task = text::line(event::short(&done.task));
    context.ui.talk(&format!("task {task}: {} sent, and it goes on", values::in_words(answer)));
    if done.stale_cleared > 0 {
        context.ui.talk(&format!("{} stale answer(s) were cleared before", done.stale_cleared));
    }
    if done.left > 0 {
        context.ui.talk(&format!("{} question(s) of it are still open", done.left));
    }
    Ok(())
}
