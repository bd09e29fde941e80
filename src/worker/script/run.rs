//! Running a script's steps.

use std::slice;

use serde_json::{Value, json};

use super::prepare::{Ready, broken, holds, prepare};
use super::step::{Step, StepKind};
use super::variables::Variables;
use crate::task::{Action, Answer, Ask, Outcome};
use crate::worker::{Interrupted, TaskContext, ToolOutcome};

/// Runs the steps from the first on. A script that comes to its end without a result returns no content.
pub(super) async fn run(task: &TaskContext, tool: &str, steps: &[Step]) -> ToolOutcome {
    let mut variables = Variables::new(task);
    // Most scripts are no deeper than one loop.
    let mut blocks = Vec::with_capacity(2);
    blocks.push(Block { left: steps.iter(), repeats: None });
    while let Some(block) = blocks.last_mut() {
        let Some(step) = block.left.next() else {
            if block.again(&variables)? {
                // A loop that never waits must not keep other tasks from running.
                tokio::task::yield_now().await;
            } else {
                blocks.pop();
            }
            continue;
        };
        match run_step((task, tool), step, &mut variables).await? {
            Next::Step => {}
            Next::Into(block) => blocks.push(block),
            Next::End(outcome) => return Ok(outcome),
        }
    }
    Ok(Outcome::Result(json!({ "content": [], "isError": false })))
}

/// Steps that a script is in the middle of. It keeps them in a list, from the outermost to the innermost, and does
/// not recurse: there may be very many scripts that wait, and each keeps all of its stack.
struct Block<'a> {
    left: slice::Iter<'a, Step>,
    /// The loop whose body they are, and its rounds so far.
    repeats: Option<(&'a Step, u32)>,
}

impl Block<'_> {
    /// Begins the next round of a loop; false where there is none.
    fn again(&mut self, variables: &Variables) -> Result<bool, Interrupted> {
        let Some((step, rounds)) = &mut self.repeats else { return Ok(false) };
        let StepKind::Loop { at_most, body, .. } = &step.kind else { return Ok(false) };
        if !holds(step, variables)? {
            return Ok(false);
        }
        if rounds == at_most {
            return Err(broken(step, &format!("the loop exceeds its bound of {at_most} rounds")));
        }
        *rounds += 1;
        self.left = body.iter();
        Ok(true)
    }
}

/// What comes after a step.
enum Next<'a> {
    /// The one that is written after it.
    Step,
    /// These first.
    Into(Block<'a>),
    /// Nothing: the task ends.
    End(Outcome),
}

async fn run_step<'a>(
    (task, tool): (&TaskContext, &str),
    step: &'a Step,
    variables: &mut Variables,
) -> Result<Next<'a>, Interrupted> {
    match prepare(tool, step, variables)? {
        Ready::Ask(asks) => ask(task, step, asks, variables).await?,
        // Boxed, so that no other step has to keep room for it.
        Ready::Sleep(time) => Box::pin(tokio::time::sleep(time)).await,
        Ready::Report(progress) => task.report(progress).await?,
        Ready::Set(values) => {
            for (name, value) in values {
                variables.set(name, value).map_err(|problem| broken(step, &problem))?;
            }
        }
        Ready::Into(steps) => return Ok(Next::Into(Block { left: steps.iter(), repeats: None })),
        // It begins where it would after a round.
        Ready::Loop => return Ok(Next::Into(Block { left: [].iter(), repeats: Some((step, 0)) })),
        Ready::End(outcome) => return Ok(Next::End(outcome)),
        Ready::Fail(error) => return Err(Interrupted::Failed(error)),
        Ready::Misbehave(fault) => task.misbehave(fault).await?,
    }
    Ok(Next::Step)
}

async fn ask(
    task: &TaskContext,
    step: &Step,
    asks: Vec<Ask>,
    variables: &mut Variables,
) -> Result<(), Interrupted> {
    let StepKind::Ask { questions, timeout } = &step.kind else { return Ok(()) };
    let packed = std::mem::replace(variables, Variables::none()).pack();
    let answers = task.ask_within(asks, *timeout).await?;
    *variables = Variables::unpack(task, &packed);
    for (question, answer) in questions.iter().zip(&answers) {
        if let Some(name) = &question.name {
            variables.set(name, shown(answer)).map_err(|problem| broken(step, &problem))?;
        }
    }
    Ok(())
}

/// An answer as templates see it.
fn shown(answer: &Answer) -> Value {
    let who = answer.who.as_deref().cloned().unwrap_or_default();
    json!({
        "action": answer.action,
        "accepted": answer.action == Action::Accept,
        "content": answer.content.clone().unwrap_or_default(),
        "by": answer.by,
        "who": { "name": who.name, "known": who.known, "note": who.note },
        "reason": answer.reason,
    })
}
