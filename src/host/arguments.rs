//! The arguments of a call.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::calls::Caller;
use super::lines::Inexact;
use crate::desk::failure::Failure;
use crate::task::SessionId;

/// Reads them. What is unknown, missing or of another type is named, and what does not arrive as it was written.
pub(super) fn read<T: DeserializeOwned>(caller: &Caller<'_>) -> Result<T, Failure> {
    if let Some(Inexact(problem)) = caller.context.extensions.get() {
        return Err(Failure::usage(problem.clone()));
    }
    let given = Value::Object(caller.request.arguments.clone().unwrap_or_default());
    serde_json::from_value(given).map_err(|error| {
        Failure::usage(format!("the arguments of {} cannot be used: {error}", caller.request.name))
    })
}

/// A session's label.
pub(super) fn session(given: Option<&str>) -> Result<Option<SessionId>, Failure> {
    let read = |text: &str| {
        text.parse().map_err(|error| Failure::usage(format!("session {text:?} cannot be used: {error}")))
    };
    given.map(read).transpose()
}
