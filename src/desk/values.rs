//! An answer in one line, and the command that would send one.

use serde_json::{Map, Value};

use super::suggest::Suggested;
use super::text;
use crate::form::{Choice, Field, FieldKind, Form, HIDDEN, editable, shown};
use crate::task::{Action, Answer, Ask, AskKind};

/// An answer to that question as one line, without its secrets.
pub(crate) fn in_words(ask: &Ask, answer: &Answer) -> String {
    match &answer.content {
        Some(content) if !content.is_empty() => text::short(&fields(ask, content).join(" "), 200),
        _ => answer.action.to_string(),
    }
}

/// The text blocks of a `CallToolResult`; other blocks, and a result without blocks, as JSON.
pub(crate) fn of_result(result: &Value) -> String {
    let blocks = result.get("content").and_then(Value::as_array).filter(|blocks| !blocks.is_empty());
    let Some(blocks) = blocks else {
        let structured = result.get("structuredContent").unwrap_or(result);
        return format!("{structured:#}");
    };
    let shown = |block: &Value| match block.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => block.to_string(),
    };
    blocks.iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// What was filled in, field by field, without the secrets.
pub(crate) fn fields(ask: &Ask, content: &Map<String, Value>) -> Vec<String> {
    let form = match &ask.kind {
        AskKind::Form { schema } => Form::parse(schema).ok(),
        AskKind::Url { .. } => None,
    };
    let is_secret =
        |name: &str| form.as_ref().and_then(|form| form.field(name)).is_some_and(|one| one.is_secret);
    let value = |name: &str, value: &Value| if is_secret(name) { HIDDEN.to_owned() } else { shown(value) };
    // In the form's order, whatever the answer's was; what is of no field comes last.
    let names =
        form.as_ref().into_iter().flat_map(|form| form.fields.iter().map(|field| field.name.as_str()));
    let names: Vec<&str> = names.collect();
    let place = |name: &str| names.iter().position(|one| *one == name).unwrap_or(names.len());
    let mut given: Vec<_> = content.iter().collect();
    given.sort_by_key(|(name, _)| place(name));
    given.into_iter().map(|(name, given)| format!("{name}={}", value(name, given))).collect()
}

/// What an answer says: its action, then what is accepted, with words in between.
pub(crate) fn action_in_words(ask: &Ask, answer: &Answer, between: &str) -> String {
    match (answer.action, &answer.content) {
        (Action::Accept, Some(content)) if !content.is_empty() => {
            format!("{}{between}{}", answer.action, in_words(ask, answer))
        }
        (action, _) => action.to_string(),
    }
}

/// The command with what would accept the question, with a place for each value.
pub(crate) fn accepting(respond: Suggested, ask: &Ask) -> Suggested {
    let AskKind::Form { schema } = &ask.kind else { return respond.flag("--accept") };
    if ask.fits_nothing() {
        // Declining and dismissing are two commands; without either, the question is shown.
        return respond;
    }
    let respond = respond.flag("--accept");
    let Some(form) = Form::parse(schema).ok().filter(|form| !form.is_whole && can_be_set(form)) else {
        return respond.option("--content", "JSON");
    };
    let defaults = form.defaults();
    let one = |respond: Suggested, field: &Field| {
        let default = defaults.get(&field.name).filter(|_| !field.is_secret);
        let value = default.map_or_else(|| place(field), editable);
        respond.option("--set", format!("{}={value}", field.name))
    };
    form.fields.iter().filter(|field| field.required).fold(respond, one)
}

/// The command with a place for each argument that a tool needs.
pub(crate) fn calling(submit: Suggested, schema: &Value) -> Suggested {
    let Some(form) = Form::parse(schema).ok().filter(|form| !form.is_whole && can_be_set(form)) else {
        return submit.option("--args-json", "JSON");
    };
    let needed = form.fields.iter().filter(|field| field.required && field.default.is_none());
    needed.fold(submit, |submit, field| submit.option("--arg", format!("{}={}", field.name, place(field))))
}

/// Whether each needed field has a name that `--set NAME=VALUE` tells from its value.
fn can_be_set(form: &Form) -> bool {
    let is_clear = |name: &str| !name.is_empty() && !name.contains('=');
    form.fields.iter().filter(|field| field.required).all(|field| is_clear(&field.name))
}

/// The most choices of a field that are named beside a suggested command.
const MOST_CHOICES: usize = 4;

/// The choices for which a word stands in the suggested command: "colour is red or green".
pub(crate) fn choices(ask: &Ask) -> Option<String> {
    let AskKind::Form { schema } = &ask.kind else { return None };
    let form = Form::parse(schema).ok().filter(|form| !form.is_whole && can_be_set(form))?;
    let defaults = form.defaults();
    let stands_for_one =
        |field: &&Field| field.required && (field.is_secret || !defaults.contains_key(&field.name));
    let named = form.fields.iter().filter(stands_for_one).filter_map(|field| match &field.kind {
        FieldKind::OneOf { choices } => Some(format!("{} is {}", field.name, listed(choices, " or "))),
        FieldKind::SomeOf { choices, .. } => Some(format!("{} is of {}", field.name, listed(choices, ", "))),
        _ => None,
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| text::line(&named.join("; ")))
}

/// What stands for the value until somebody has decided: it is refused when it is pasted as it is.
fn place(field: &Field) -> String {
    match &field.kind {
        FieldKind::Boolean => "yes|no".to_owned(),
        _ => field.stands_for().unwrap_or_default().to_owned(),
    }
}

/// The first choices, the last of them after that word.
fn listed(choices: &[Choice], last: &str) -> String {
    let more = (choices.len() > MOST_CHOICES).then(|| "…".to_owned());
    // A comma within a choice must not look like the end of it.
    let has_comma = choices.iter().take(MOST_CHOICES).any(|choice| choice.text.contains(','));
    let named = |choice: &Choice| text::short(&choice.text, 40);
    let values = choices.iter().take(MOST_CHOICES).map(|choice| match named(choice) {
        name if has_comma => format!("\"{name}\""),
        name => name,
    });
    let all: Vec<String> = values.chain(more).collect();
    match all.split_last() {
        Some((end, [before @ .., one])) => [before, &[format!("{one}{last}{end}")]].concat().join(", "),
        _ => all.concat(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_suggested_answer_decides_nothing() {
        let many: Vec<_> = (1..=9).map(|number| number.to_string()).collect();
        let schema = json!({ "type": "object", "required": ["sure", "name", "age", "size", "many", "tags", "set"],
            "properties": {
                "sure": { "type": "boolean" }, "name": { "type": "string" }, "age": { "type": "integer" },
                "size": { "type": "string", "enum": ["small", "large"] },
                "many": { "type": "string", "enum": many },
                "tags": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] } },
                "set": { "type": "boolean", "default": true } } });
        let ask = Ask::form("?", schema);
        let named = "size is small or large; many is 1, 2, 3, 4 or …; tags is of a, b";
        assert_eq!(choices(&ask).as_deref(), Some(named));
        let shown = accepting(Suggested::new("respond"), &ask).to_string();
        let places = ["'sure=yes|no'", "name=TEXT", "age=NUMBER", "size=CHOICE", "many=CHOICE"];
        for place in places.into_iter().chain(["tags=CHOICE", "set=yes"]) {
            assert!(shown.contains(&format!("--set {place}")), "{place} is not in {shown}");
        }
    }

    #[test]
    fn an_answer_of_nothing_is_told_as_such() {
        let ask = Ask::form("?", json!({ "type": "object", "properties": { "a": { "type": "string" } } }));
        let said = |content: Value| {
            let content = content.as_object().expect("an object").clone();
            in_words(&ask, &Answer::accept(content, crate::task::Answerer::Operator))
        };
        assert_eq!((said(json!({})).as_str(), said(json!({ "a": "" })).as_str()), ("accept", "a=\"\""));
    }

    #[test]
    fn a_choice_with_a_comma_is_quoted_beside_the_others() {
        let languages = json!({ "type": "string", "enum": ["ja", "日本語, 英語"] });
        let ask = Ask::form(
            "?",
            json!({ "type": "object", "required": ["lang"], "properties": { "lang": languages } }),
        );
        assert_eq!(choices(&ask).as_deref(), Some("lang is \"ja\" or \"日本語, 英語\""));
    }

    #[test]
    fn what_cannot_be_set_is_suggested_as_json_and_what_nothing_fits_is_not_accepted() {
        let suggested = |schema| accepting(Suggested::new("respond"), &Ask::form("?", schema)).to_string();
        for name in ["a=b", ""] {
            let schema = |needed: &[&str]| json!({ "type": "object", "required": needed, "properties": { name: { "type": "string" } } });
            assert_eq!(suggested(schema(&[name])), "mcptask respond --accept --content JSON", "{name:?}");
            assert_eq!(suggested(schema(&[])), "mcptask respond --accept", "{name:?}");
        }
        assert_eq!(suggested(serde_json::Value::Null), "mcptask respond");
    }
}
