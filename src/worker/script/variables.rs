//! What a script knows: its arguments, and what its steps answered and set, within bounds.

use serde_json::{Value, json};

use super::template::{Scope, size};
use crate::worker::TaskContext;

/// The most that a script's own values take, in bytes. All of them are written down while it waits, and every step
/// sees all of them.
const MOST_BYTES: usize = 1024 * 1024;

/// The most levels of lists and objects in one value: a result adds some, and a store takes
/// [`crate::store::gate::MAX_DEPTH`].
const MOST_LEVELS: usize = 80;

/// The names that every script has, and cannot give to anything else.
const GIVEN: [&str; 2] = ["args", "task"];

/// The values of one run.
pub(super) struct Variables {
    scope: Scope,
    /// How much its own values take, and what every script has.
    bytes: usize,
    given: usize,
}

impl Variables {
    /// Those that every script has.
    pub(super) fn new(task: &TaskContext) -> Self {
        Self::unpack(task, "{}")
    }

    /// None, in place of those that are packed.
    pub(super) fn none() -> Self {
        Self { scope: Scope::new(), bytes: 0, given: 0 }
    }

    /// All of them, as templates see them.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How much templates see, in bytes.
    pub(super) fn bytes_in_sight(&self) -> usize {
        self.bytes + self.given
    }

    /// Gives a name a value, in place of the one that it had; an error says in words what is too much.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        if levels(&value) > MOST_LEVELS {
            return Err(format!("{name:?} is nested on more than {MOST_LEVELS} levels"));
        }
        let before = self.scope.get(name).map_or(0, size);
        self.bytes = self.bytes.saturating_sub(before) + size(&value);
        self.scope.insert(name.to_owned(), value);
        if self.bytes > MOST_BYTES {
            let now = self.bytes;
            return Err(format!("with {name:?} its values have {now} bytes, more than {MOST_BYTES}"));
        }
        Ok(())
    }

    /// What a script knows, while it waits for people: there may be very many that do, and values take several times
    /// the room of their JSON. What every script has is left out.
    pub(super) fn pack(mut self) -> Box<str> {
        self.scope.retain(|name, _| !GIVEN.contains(&name.as_str()));
        // Its keys are text, so this cannot fail.
        serde_json::to_string(&self.scope).unwrap_or_default().into()
    }

    /// What was packed.
    pub(super) fn unpack(task: &TaskContext, packed: &str) -> Self {
        // Written by `pack`, so it can be read.
        let mut scope: Scope = serde_json::from_str(packed).unwrap_or_default();
        let bytes = scope.values().map(size).sum();
        let given =
            [Value::Object(task.arguments()), json!({ "id": task.task(), "attempt": task.attempt() })];
        scope.extend(GIVEN.map(str::to_owned).into_iter().zip(given));
        Self { scope, bytes, given: task.arguments_json().len() }
    }
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(object) => 1 + object.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}
