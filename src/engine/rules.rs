//! What may be seen and stored, decided without the store.

use serde_json::{Map, Value};

use super::{EngineResult, Viewer};
use crate::form::Form;
use crate::store::{StoreError, StoreResult, gate};
use crate::task::{Action, Answer, AskKind, Question, Task, TaskId, Violation};

/// What a viewer gets of what the store has.
pub(super) fn visible(viewer: &Viewer, id: &TaskId, found: StoreResult<Option<Task>>) -> EngineResult<Task> {
    let found = match found {
        Err(StoreError::Unreadable { .. }) if *viewer != Viewer::Operator => None,
        found => found?,
    };
    found.filter(|task| viewer.may_see(task)).ok_or_else(|| StoreError::NoTask(id.clone()).into())
}

/// The most levels of JSON in arguments. What holds them (the task's record, a result that repeats them, a protocol's
/// message) adds some of its own, and has to pass the store's gate too.
const MAX_ARGUMENT_DEPTH: usize = gate::MAX_DEPTH - 8;
/// The most values in them, for the same reason.
const MAX_ARGUMENT_VALUES: usize = gate::MAX_VALUES - 100;

/// In what way arguments are more than can be stored.
pub(super) fn oversize(arguments: &Map<String, Value>, most_bytes: usize) -> Option<Violation> {
    let json = serde_json::to_string(arguments).unwrap_or_default();
    let shape = gate::shape(json.as_bytes());
    let problem = if json.len() > most_bytes {
        format!("have {} bytes, more than {most_bytes}", json.len())
    } else if shape.depth > MAX_ARGUMENT_DEPTH {
        format!("are nested {} levels deep, more than {MAX_ARGUMENT_DEPTH}", shape.depth)
    } else if shape.values > MAX_ARGUMENT_VALUES {
        format!("have {} JSON values, more than {MAX_ARGUMENT_VALUES}", shape.values)
    } else {
        return None;
    };
    Some(Violation::new("", problem))
}

/// The answer as it may be stored: content only where an accepted form has it, and valid.
pub(super) fn checked_answer(
    question: &Question,
    mut answer: Answer,
    most_bytes: usize,
) -> Result<Answer, Vec<Violation>> {
    if answer.action != Action::Accept {
        answer.content = None;
        return Ok(answer);
    }
    match &question.ask.kind {
        AskKind::Url { .. } => {
            if answer.content.take().is_some_and(|content| !content.is_empty()) {
                return Err(vec![Violation::new("", "a visited page is accepted without content")]);
            }
        }
        AskKind::Form { schema } => {
            let content = answer.content.get_or_insert_default();
            let size = serde_json::to_vec(content).map_or(0, |json| json.len());
            if size > most_bytes {
                let problem = format!("the content has {size} bytes, more than {most_bytes}");
                return Err(vec![Violation::new("", problem)]);
            }
            let violations = Form::parse(schema)?.violations(content);
            if !violations.is_empty() {
                return Err(violations);
            }
        }
    }
    Ok(answer)
}
