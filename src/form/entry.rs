//! One field's value as it is typed, and a form's values as they are before anything is typed.

use serde_json::{Map, Value};

use super::field::{Field, FieldKind};
use super::plain::NONE_FITS;
use super::{Form, escaped, typed};
use crate::json;
use crate::task::{Violation, joined};

/// What is said where the fields of a form cannot be told.
pub(crate) const WHOLE: &str = "the answer is a JSON object";

impl Form {
    /// The values that are sent when nothing is changed.
    pub fn defaults(&self) -> Map<String, Value> {
        self.fields.iter().filter_map(|field| Some((field.name.clone(), field.default.clone()?))).collect()
    }

    /// Reads what was typed for a field, whole: with its bounds, and with what an empty line means. `None` leaves the
    /// field out. The error is a sentence for who typed it.
    pub fn read(&self, field: &Field, text: &str) -> Result<Option<Value>, String> {
        self.read_again(field, None, text)
    }

    /// [`Form::read`] of a text that began as the field's value so far, as [`Field::write`] has it. What was left as it
    /// was is what it was, however it would be read.
    pub fn read_again(
        &self,
        field: &Field,
        now: Option<&Value>,
        text: &str,
    ) -> Result<Option<Value>, String> {
        if text.is_empty() && field.may_be_empty() {
            return Ok(field.empty());
        }
        if text.is_empty() && !matches!(field.kind, FieldKind::List { .. } | FieldKind::SomeOf { .. }) {
            return Err("a value is needed here".to_owned());
        }
        let value = match now {
            Some(now) if text == field.write(now) => now.clone(),
            _ => self.typed(field, text)?,
        };
        self.check(field, &value)?;
        if text.is_empty() && now.is_none() {
            // Nobody can tell an empty list from one that was forgotten.
            return Err("a value is needed here; [] is a list of nothing".to_owned());
        }
        Ok(Some(value))
    }

    /// Reads the type of what was typed for a field; its bounds, lengths and formats are looked at by [`Form::check`].
    pub(crate) fn typed(&self, field: &Field, text: &str) -> Result<Value, String> {
        let read = typed::read(self.schema(), self.property(&field.name), text);
        // What is wrong with a secret is said without it.
        read.map_err(|problem| if field.is_secret { field.unfit() } else { problem })
    }

    /// Whether `value` fits that field of the form; the error says in words what is wrong.
    pub fn check(&self, field: &Field, value: &Value) -> Result<(), String> {
        let content = Map::from_iter([(field.name.clone(), value.clone())]);
        let path = format!("/{}", escaped(&field.name));
        let here = |one: &Violation| one.path == path || one.path.starts_with(&format!("{path}/"));
        match self.violations(&content).into_iter().find(here) {
            Some(found) => {
                // Which part of the value it is.
                let part = found.path.get(path.len() + 1..).filter(|_| !field.is_secret).unwrap_or_default();
                let words = in_words(field, value, found.problem);
                Err(if part.is_empty() { words } else { format!("{part}: {words}") })
            }
            None => Ok(()),
        }
    }

    /// Reads a whole answer that was typed as JSON, for a form whose fields cannot be told ([`Form::is_whole`]).
    pub fn read_whole(&self, text: &str) -> Result<Map<String, Value>, String> {
        match json::read(text) {
            Ok(Value::Object(content)) => match self.violations(&content).as_slice() {
                [] => Ok(content),
                violations => Err(joined(violations)),
            },
            Ok(_) => Err(WHOLE.to_owned()),
            Err(problem) => Err(format!("{WHOLE}: {problem}")),
        }
    }
}

/// The schema's words, in those of who fills in the field.
fn in_words(field: &Field, value: &Value, problem: String) -> String {
    match &field.kind {
        // Said without the value already.
        _ if field.is_secret => problem,
        FieldKind::SomeOf { .. } => {
            format!("{} are chosen: {}", value.as_array().map_or(0, Vec::len), field.rules())
        }
        FieldKind::Other { .. } => problem,
        // What the field takes says more than what each alternative finds.
        _ if problem.contains(NONE_FITS) => format!("{value} does not fit: {}", field.rules()),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        Form::parse(&json!({ "type": "object", "required": ["age", "tags"], "properties": {
            "age": { "type": "integer", "minimum": 18, "default": 20 },
            "mail": { "type": "string", "format": "email" },
            "note": { "type": ["string", "null"], "default": "a" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "size": { "oneOf": [{ "const": "s", "title": "Small" }, { "const": "l", "title": "Large" }] },
            "any": {} } }))
        .expect("a form")
    }

    fn read(name: &str, text: &str) -> Result<Option<Value>, String> {
        let form = form();
        form.read(form.field(name).expect("the field"), text)
    }

    #[test]
    fn a_field_is_read_whole() {
        assert_eq!(read("age", "21"), Ok(Some(json!(21))));
        assert_eq!(read("age", ""), Err("a value is needed here".to_owned()));
        assert_eq!(read("age", "x"), Err("\"x\" is not a whole number".to_owned()));
        assert_eq!(read("age", "3"), Err("3 is less than the minimum of 18".to_owned()));
        assert_eq!(read("mail", ""), Ok(None), "left out");
        assert_eq!(read("mail", "x"), Err("\"x\" is not an e-mail address".to_owned()));
        assert_eq!(read("note", ""), Ok(Some(Value::Null)), "left out, it would have its default again");
        assert_eq!(read("tags", ""), Err("a value is needed here; [] is a list of nothing".to_owned()));
        assert_eq!(read("tags", "[]"), Ok(Some(json!([]))));
        let (form, empty) = (form(), json!([]));
        let tags = form.field("tags").expect("the field");
        assert_eq!(form.read_again(tags, Some(&empty), ""), Ok(Some(json!([]))), "as it was filled in");
        assert_eq!(read("tags", "a,\"b,c\""), Ok(Some(json!(["a", "b,c"]))));
        assert_eq!(read("size", "Small"), Ok(Some(json!("s"))));
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let form = form();
        let field = |name| form.field(name).expect("the field");
        for (name, value) in [
            ("age", json!(18)),
            ("note", json!("")),
            ("tags", json!(["a, b", " c", "\"", "[", ""])),
            ("any", json!("12")),
            ("any", json!({ "a": [1] })),
        ] {
            let written = field(name).write(&value);
            let read = form.read_again(field(name), Some(&value), &written);
            let empty = written.is_empty().then_some(Value::Null);
            assert_eq!(read, Ok(Some(empty.unwrap_or(value))), "{name}");
        }
        assert_eq!(field("tags").write(&Value::Null), "");
        assert_eq!(field("size").show(&json!("s")), "Small");
        assert_eq!(Value::Object(form.defaults()), json!({ "age": 20, "note": "a" }));
    }
}
