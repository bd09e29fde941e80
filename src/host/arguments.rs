//! The arguments of a call.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::calls::Caller;
use crate::desk::failure::Failure;
use crate::task::SessionId;

/// Whole numbers are told exactly up to here: 2 to the power of 53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads them. What is unknown, missing or of another type is named.
pub(super) fn read<T: DeserializeOwned>(caller: &Caller<'_>) -> Result<T, Failure> {
    let given = Value::Object(caller.request.arguments.clone().unwrap_or_default());
    exact(&given)?;
    serde_json::from_value(given).map_err(|error| {
        Failure::usage(format!("the arguments of {} cannot be used: {error}", caller.request.name))
    })
}

/// Refuses a whole number that was rounded when it was read: it would count as another one than was said.
pub(super) fn exact(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Array(elements) => elements.iter().try_for_each(exact),
        Value::Object(members) => members.values().try_for_each(exact),
        Value::Number(number) => {
            let is_rounded = number.is_f64() && number.as_f64().is_some_and(|number| number.abs() > EXACT);
            if !is_rounded {
                return Ok(());
            }
            Err(Failure::usage(format!("the number {number} has more digits than are told exactly here"))
                .hint("at the command line it is taken as it is written, or refused"))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// A session's label.
pub(super) fn session(given: Option<&str>) -> Result<Option<SessionId>, Failure> {
    let read = |text: &str| {
        text.parse().map_err(|error| Failure::usage(format!("session {text:?} cannot be used: {error}")))
    };
    given.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_was_rounded_is_refused_wherever_it_stands() {
        for text in ["12345678901234567890123", "[{\"n\": -99999999999999999999}]"] {
            let value: Value = serde_json::from_str(text).expect("JSON");
            assert!(exact(&value).is_err(), "{text}");
        }
        assert!(exact(&json!([u64::MAX, i64::MIN, 0.1, 1e15, "99999999999999999999"])).is_ok());
    }
}
