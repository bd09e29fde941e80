//! A JSON schema and what breaks it, in bounded time: both may come from strangers.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::Violation;
use super::effort::{self, Effort};
use crate::task::aside;

/// The most violations that are named.
const MOST_VIOLATIONS: usize = 100;

/// The longest description of a violation, in characters: it may quote a whole value.
const LONGEST: usize = 500;

/// A schema, compiled: that takes many times longer than checking a value against it.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    schema: Value,
    validator: Validator,
}

impl Schema {
    pub(super) fn new(schema: &Value) -> Result<Self, Violation> {
        Ok(Self { validator: validator(schema)?, schema: schema.clone() })
    }

    /// The schema as it was written.
    pub(super) fn as_value(&self) -> &Value {
        &self.schema
    }

    /// Every way in which the value breaks it.
    pub(super) fn violations(&self, value: &Value) -> Vec<Violation> {
        checked(&self.schema, &self.validator, value)
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
    let errors = validator.iter_errors(value).take(MOST_VIOLATIONS);
    let violation = |error: jsonschema::ValidationError<'_>| {
        let problem: String = error.to_string().chars().take(LONGEST).collect();
        Violation::new(error.instance_path().to_string(), problem)
    };
    errors.map(violation).collect()
}

/// The most that one pattern may take when it is compiled, in bytes, and in proportion to that, time.
const PATTERN_BYTES: usize = 2 * 1024 * 1024;

fn validator(schema: &Value) -> Result<Validator, Violation> {
    if effort::takes_long_to_compile(schema) { aside(|| compiled(schema)) } else { compiled(schema) }
}

/// Patterns are those of the `regex` crate, which takes time in proportion to the text.
fn compiled(schema: &Value) -> Result<Validator, Violation> {
    let options = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES));
    options.build(schema).map_err(|error| {
        let problem: String = error.to_string().chars().take(LONGEST).collect();
        Violation::new(error.instance_path().to_string(), format!("the schema is broken: {problem}"))
    })
}
