//! Schemas of strangers that cannot be compiled as they are: what is at fault in them is left out, so that the rest is
//! still checked here. Their server checks the whole.

use serde_json::{Map, Value};

use super::compiling::compiles;
use super::shape::referred;
use super::strict::MAX_PATTERNS;

/// How often what is left is looked at again: leaving out one fault may show another.
const MOST_ROUNDS: usize = 8;

/// The most faults that are left out in one round.
const MOST_FAULTS: usize = 2000;

/// Keywords whose values are no schemas, whatever they look like.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];

/// Whether the schema has a word for null that only `OpenAPI` has.
pub(super) fn is_foreign(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(is_foreign),
        Value::Object(object) => {
            object.get("nullable").is_some_and(Value::is_boolean) || object.values().any(is_foreign)
        }
        _ => false,
    }
}

/// The schema without what cannot be compiled.
pub(super) fn mended(schema: &Value) -> Value {
    let mut mended = schema.clone();
    for _ in 0..MOST_ROUNDS {
        let faults = faults(&mended);
        if faults.is_empty() {
            break;
        }
        for path in &faults {
            leave_out(&mut mended, path);
        }
    }
    let root = mended.clone();
    Mending { root: &root, patterns: 0 }.mend(&mut mended);
    mended
}

/// Where the schema is no schema, as JSON pointers into it.
fn faults(schema: &Value) -> Vec<String> {
    let rules = jsonschema::draft202012::meta::validator();
    let found = rules.iter_errors(schema).take(MOST_FAULTS);
    found.map(|error| error.instance_path().to_string()).filter(|path| !path.is_empty()).collect()
}

/// Leaves out the keyword at the path, or the one whose list the path leads into.
fn leave_out(schema: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    match schema.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.shift_remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(_)) => leave_out(schema, parent),
        _ => {}
    }
}

/// A walk through a schema, each of whose keywords is right by itself.
struct Mending<'a> {
    root: &'a Value,
    /// How many patterns there have been.
    patterns: usize,
}

impl Mending<'_> {
    fn mend(&mut self, schema: &mut Value) {
        match schema {
            Value::Array(items) => items.iter_mut().for_each(|item| self.mend(item)),
            Value::Object(object) => {
                self.keywords(object);
                let parts = object.iter_mut().filter(|(key, _)| !VALUES.contains(&key.as_str()));
                parts.for_each(|(_, part)| self.mend(part));
            }
            _ => {}
        }
    }

    /// A property may have a keyword's name: its schema is then an object, where the keyword's value is text.
    fn keywords(&mut self, object: &mut Map<String, Value>) {
        for key in ["$schema", "$id"] {
            if object.get(key).is_some_and(Value::is_string) {
                object.shift_remove(key);
            }
        }
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let leads_nowhere = |key: &&str| text(key).is_some_and(|name| referred(self.root, name).is_none());
        let lost: Vec<&str> = ["$ref", "$dynamicRef"].into_iter().filter(leads_nowhere).collect();
        let pattern = text("pattern").map(str::to_owned);
        for key in lost {
            object.shift_remove(key);
        }
        if pattern.is_some_and(|pattern| !self.is_read(&pattern)) {
            object.shift_remove("pattern");
        }
        if let Some(Value::Object(by_pattern)) = object.get_mut("patternProperties") {
            by_pattern.retain(|pattern, _| self.is_read(pattern));
        }
        if object.get("nullable") == Some(&Value::Bool(true)) {
            allow_null(object);
        }
    }

    fn is_read(&mut self, pattern: &str) -> bool {
        self.patterns += 1;
        self.patterns <= MAX_PATTERNS && compiles(pattern)
    }
}

/// What `nullable` means in `OpenAPI`.
fn allow_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    let types = match object.get("type") {
        Some(Value::String(name)) if name != "null" => vec![name.clone(), "null".to_owned()],
        _ => return,
    };
    object.insert("type".to_owned(), types.into());
}
