//! A JSON schema and what breaks it, in bounded time: both may come from strangers.

use std::collections::BTreeSet;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

use super::effort::{self, Effort};
use super::{compiling, mend, plain};
use crate::task::{Violation, aside};

/// The most violations that are named.
const MOST_VIOLATIONS: usize = 100;

/// The most faults of defaults that are looked at: as many fields have room in a schema, each with one that is missing.
const MOST_FAULTS: usize = 10_000;

/// The longest description of a violation, in characters: it may quote a whole value.
const LONGEST: usize = 500;

/// A schema, compiled: that takes many times longer than checking a value against it.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    schema: Value,
    /// Nothing where nobody can compile it.
    validator: Option<Validator>,
}

impl Schema {
    /// A schema of anybody's. What of it cannot be compiled is left out.
    pub(super) fn new(schema: &Value) -> Self {
        if !mend::is_foreign(schema)
            && let Ok(validator) = validator(schema)
        {
            return Self { validator: Some(validator), schema: schema.clone() };
        }
        aside(|| {
            let schema = mend::mended(schema);
            let build = |schema: &Value| compiling::strangers().build(schema).ok();
            let needed =
                || json!({ "required": schema.get("required").cloned().unwrap_or_else(|| json!([])) });
            Self { validator: build(&schema).or_else(|| build(&needed())), schema }
        })
    }

    /// The schema as it was written, but for what was left out.
    pub(super) fn as_value(&self) -> &Value {
        &self.schema
    }

    /// Every way in which the value breaks it.
    pub(super) fn violations(&self, value: &Value) -> Vec<Violation> {
        self.validator.as_ref().map(|one| checked(&self.schema, one, value)).unwrap_or_default()
    }

    /// The names in an object under which something breaks the schema.
    pub(super) fn faulty(&self, content: &Map<String, Value>) -> BTreeSet<String> {
        let value = Value::Object(content.clone());
        let find = |validator: &Validator| {
            let errors = validator.iter_errors(&value).take(MOST_FAULTS);
            let paths = errors.map(|error| error.instance_path().to_string());
            let name = |path: String| path.split('/').nth(1).map(str::to_owned);
            paths.filter_map(name).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
        };
        let bearable =
            || !effort::is_large(&self.schema, &value) || Effort::is_bearable(&self.schema, &value);
        self.validator.as_ref().filter(|_| bearable()).map(|one| aside(|| find(one))).unwrap_or_default()
    }
}

/// Every way in which `value` breaks the JSON schema; the schema's own fault, where it is broken, is
/// the one violation reported.
pub fn schema_violations(schema: &Value, value: &Value) -> Vec<Violation> {
    match validator(schema) {
        Ok(validator) => checked(schema, &validator, value),
        Err(violation) => vec![violation],
    }
}

/// What is wrong with the JSON schema itself.
pub fn schema_fault(schema: &Value) -> Option<Violation> {
    validator(schema).err()
}

fn checked(schema: &Value, validator: &Validator, value: &Value) -> Vec<Violation> {
    if effort::is_large(schema, value) {
        return aside(|| measured(schema, validator, value));
    }
    named(validator, value)
}

fn measured(schema: &Value, validator: &Validator, value: &Value) -> Vec<Violation> {
    if !Effort::is_bearable(schema, value) {
        return vec![Violation::new("", "takes too long to check: its schema refers to itself too often")];
    }
    named(validator, value)
}

fn named(validator: &Validator, value: &Value) -> Vec<Violation> {
    // A pattern that goes back and forth for too long says nothing.
    let is_known = |error: &jsonschema::ValidationError<'_>| {
        !matches!(error.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. })
    };
    let errors = validator.iter_errors(value).filter(is_known).take(MOST_VIOLATIONS);
    let violation = |error: jsonschema::ValidationError<'_>| {
        let problem: String = plain::in_words(&error).chars().take(LONGEST).collect();
        Violation::new(error.instance_path().to_string(), problem)
    };
    errors.map(violation).collect()
}

fn validator(schema: &Value) -> Result<Validator, Violation> {
    if effort::takes_long_to_compile(schema) { aside(|| compiled(schema)) } else { compiled(schema) }
}

fn compiled(schema: &Value) -> Result<Validator, Violation> {
    compiling::ours().build(schema).map_err(|error| {
        let problem: String = error.to_string().chars().take(LONGEST).collect();
        Violation::new(error.instance_path().to_string(), format!("the schema is broken: {problem}"))
    })
}
