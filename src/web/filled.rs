//! A form as it is filled in on a page: what stands in its controls, what is wrong with that, and the answer that it makes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::posted::Posted;
use crate::form::{Field, FieldKind, Form};
use crate::task::Violation;

/// The name of the control of a form that is filled in as a whole.
pub(super) const WHOLE: &str = "whole";

/// The name of the control of the field of that place.
pub(super) fn control(at: usize) -> String {
    format!("f{at}")
}

/// What stands in a form.
#[derive(Default)]
pub(super) struct Filled {
    /// What was typed and not taken; before that the defaults stand there.
    posted: Option<Posted>,
    /// What is wrong, by the place of its field.
    wrong: BTreeMap<usize, String>,
    /// What is wrong with the whole.
    pub(super) whole: Vec<String>,
}

impl Filled {
    /// Something that was typed and not taken as a whole.
    pub(super) fn refused(posted: Posted, problem: String) -> Self {
        Self { posted: Some(posted), whole: vec![problem], ..Self::default() }
    }

    /// Something that was typed and breaks the schema.
    pub(super) fn violating(form: &Form, posted: Posted, violations: &[Violation]) -> Self {
        let mut filled = Self { posted: Some(posted), ..Self::default() };
        for violation in violations {
            let found = form.fields.iter().position(|field| is_of(violation, field));
            match found.filter(|_| !form.is_whole) {
                Some(at) => drop(filled.wrong.entry(at).or_insert_with(|| violation.problem.clone())),
                None => filled.whole.push(violation.to_string()),
            }
        }
        filled
    }

    /// The answer's content, or what is wrong with what was typed.
    pub(super) fn read(form: &Form, posted: &Posted) -> Result<Map<String, Value>, Problems> {
        if form.is_whole {
            let text = posted.text(WHOLE).unwrap_or_default();
            return form
                .read_whole(text)
                .map_err(|problem| Problems { whole: vec![problem], ..Problems::default() });
        }
        let (mut content, mut problems) = (Map::new(), Problems::default());
        for (at, field) in form.fields.iter().enumerate() {
            match value(form, (at, field), posted) {
                Ok(Some(value)) => drop(content.insert(field.name.clone(), value)),
                Ok(None) => {}
                Err(problem) => drop(problems.wrong.insert(at, problem)),
            }
        }
        if problems.wrong.is_empty() { Ok(content) } else { Err(problems) }
    }

    /// What was typed, with what is wrong with it.
    pub(super) fn wrong(posted: Posted, problems: Problems) -> Self {
        Self { posted: Some(posted), wrong: problems.wrong, whole: problems.whole }
    }

    /// What is wrong with the field of that place.
    pub(super) fn problem(&self, at: usize) -> Option<&str> {
        self.wrong.get(&at).map(String::as_str)
    }

    /// The places of fields that are wrong.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.wrong.keys().copied()
    }

    /// The text in the control of a field. What was typed for a secret does not come back.
    pub(super) fn text(&self, (at, field): (usize, &Field)) -> String {
        match &self.posted {
            _ if field.is_secret => String::new(),
            Some(posted) => posted.text(&control(at)).unwrap_or_default().to_owned(),
            None => field.default.as_ref().map(|value| field.write(value)).unwrap_or_default(),
        }
    }

    /// The text in the control of a whole form.
    pub(super) fn whole_text(&self) -> &str {
        self.posted.as_ref().and_then(|posted| posted.text(WHOLE)).unwrap_or_default()
    }

    /// Whether yes or no stands in the field; nothing where neither does.
    pub(super) fn truth(&self, (at, field): (usize, &Field)) -> Option<bool> {
        match &self.posted {
            Some(posted) => truth(posted.text(&control(at))),
            None => field.default.as_ref().and_then(Value::as_bool),
        }
    }

    /// Whether the choice of that place is chosen.
    pub(super) fn has_chosen(&self, (at, field): (usize, &Field), choice: usize) -> bool {
        if let Some(posted) = &self.posted {
            return posted.all(&control(at)).iter().any(|one| one.parse() == Ok(choice));
        }
        let (Some(value), Some(default)) = (field.choices().get(choice), &field.default) else {
            return false;
        };
        match (&field.kind, default) {
            (FieldKind::SomeOf { .. }, Value::Array(items)) => items.contains(&value.value),
            (_, default) => value.value == *default,
        }
    }
}

/// What is wrong with a form: by the places of its fields, and with the whole.
#[derive(Default)]
pub(super) struct Problems {
    wrong: BTreeMap<usize, String>,
    whole: Vec<String>,
}

/// What was filled in for one field; `None` leaves it out.
fn value(form: &Form, (at, field): (usize, &Field), posted: &Posted) -> Result<Option<Value>, String> {
    let name = control(at);
    match &field.kind {
        FieldKind::Boolean => match truth(posted.text(&name)) {
            Some(truth) => Ok(Some(truth.into())),
            None => nothing(field, "choose yes or no"),
        },
        FieldKind::OneOf { choices } => {
            let chosen = posted.text(&name).and_then(|text| choices.get(text.parse::<usize>().ok()?));
            chosen.map_or_else(|| nothing(field, "choose one"), |choice| Ok(Some(choice.value.clone())))
        }
        FieldKind::SomeOf { choices, .. } => {
            let chosen: Vec<usize> = posted.all(&name).iter().filter_map(|text| text.parse().ok()).collect();
            // In the order of the form, each once.
            let chosen = choices.iter().enumerate().filter(|(at, _)| chosen.contains(at));
            several(form, field, chosen.map(|(_, choice)| choice.value.clone()).collect())
        }
        _ => form.read_again(field, field.default.as_ref(), posted.text(&name).unwrap_or_default()),
    }
}

fn nothing(field: &Field, problem: &str) -> Result<Option<Value>, String> {
    if field.may_be_empty() { Ok(field.empty()) } else { Err(problem.to_owned()) }
}

fn several(form: &Form, field: &Field, chosen: Vec<Value>) -> Result<Option<Value>, String> {
    let is_nothing = chosen.is_empty() && field.may_be_empty();
    if is_nothing && field.default.is_none() {
        return Ok(field.empty());
    }
    let value = Value::Array(chosen);
    match form.check(field, &value) {
        Err(_) if is_nothing => Ok(field.empty()),
        checked => checked.map(|()| Some(value)),
    }
}

fn truth(text: Option<&str>) -> Option<bool> {
    match text {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    }
}

/// Whether a violation is of the value of that field.
fn is_of(violation: &Violation, field: &Field) -> bool {
    let path = format!("/{}", field.name.replace('~', "~0").replace('/', "~1"));
    violation.path == path || violation.path.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        Form::parse(&json!({ "type": "object", "required": ["name", "sure", "tags"], "properties": {
            "name": { "type": "string", "minLength": 2 },
            "age": { "type": "integer", "default": 20 },
            "sure": { "type": "boolean" },
            "size": { "enum": ["s", "l"], "default": "l" },
            "tags": { "type": "array", "minItems": 1, "items": { "enum": ["a", "b", "c"] } } } }))
        .expect("a form")
    }

    #[test]
    fn a_form_is_read_as_its_fields_say() {
        let posted = Posted::of(b"f0=Ada&f1=21&f2=no&f3=0&f4=2&f4=0&other=1");
        let Ok(content) = Filled::read(&form(), &posted) else { panic!("is right") };
        let expected = json!({ "name": "Ada", "age": 21, "sure": false, "size": "s", "tags": ["a", "c"] });
        assert_eq!(Value::Object(content), expected);
    }

    #[test]
    fn what_is_wrong_stands_with_its_field_and_what_was_typed_stays() {
        let form = form();
        let posted = Posted::of(b"f0=A&f1=x&f3=9&f4=7");
        let Err(problems) = Filled::read(&form, &posted) else { panic!("is wrong") };
        let filled = Filled::wrong(posted, problems);
        assert_eq!(filled.places().collect::<Vec<_>>(), [0, 1, 2, 4]);
        assert_eq!(filled.problem(1), Some("\"x\" is not a whole number"));
        assert_eq!(filled.problem(2), Some("choose yes or no"));
        assert_eq!(filled.text((1, &form.fields[1])), "x");
        assert!(!filled.has_chosen((3, &form.fields[3]), 1), "what was posted stands over the default");
    }

    #[test]
    fn defaults_stand_there_first() {
        let (form, filled) = (form(), Filled::default());
        assert_eq!(filled.text((1, &form.fields[1])), "20");
        assert!(filled.has_chosen((3, &form.fields[3]), 1) && !filled.has_chosen((3, &form.fields[3]), 0));
        assert_eq!(filled.truth((2, &form.fields[2])), None);
    }
}
