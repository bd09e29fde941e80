//! A file of answers, given in advance: `--answers FILE`.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::{arguments, values};
use crate::desk::suggest::{Advice, Suggested};
use crate::task::{Action, Answer, Answerer, Ask, AskKind, Form};

/// The format, for the help of `submit`.
pub(crate) const FORMAT: &str = "\
Answers file:
  A JSON list, or one JSON value per line: the n-th entry answers the task's n-th question. An entry is
  {\"action\": \"accept\", \"content\": {…}}, {\"action\": \"decline\"}, {\"action\": \"cancel\"}, or just the content.
  One single object answers every question: each takes the fields that it asks for. Fields that are left
  out have their defaults. For example
    [{\"cuisine\": \"Thai\"}, {\"vegetarian\": true}]   or   {\"cuisine\": \"Thai\", \"vegetarian\": true}";

/// Answers in the order of the questions, or by the names of their fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answers {
    InOrder(Vec<Entry>),
    ByName(Entry),
}

/// One entry of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    action: Action,
    content: Map<String, Value>,
}

impl Answers {
    /// Reads the file; `-` is stdin.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let text = arguments::text(&if path == "-" { path.to_owned() } else { format!("@{path}") })?;
        Self::parse(&text).map_err(|problem| {
            Failure::usage(format!("the answers in {path:?} cannot be read: {problem}"))
                .hint(Advice::command(Suggested::new("submit").flag("--help"), "shows the format"))
        })
    }

    /// Answers that the program itself has.
    pub(crate) fn given(text: &str) -> Result<Self, Failure> {
        Self::parse(text).map_err(Failure::usage)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let values: Vec<Value> = serde_json::Deserializer::from_str(text)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|e| e.to_string())?;
        match <[Value; 1]>::try_from(values) {
            Ok([Value::Array(list)]) => {
                list.into_iter().map(entry).collect::<Result<_, _>>().map(Self::InOrder)
            }
            Ok([one]) => entry(one).map(Self::ByName),
            Err(lines) if lines.is_empty() => Err("there are none".to_owned()),
            Err(lines) => lines.into_iter().map(entry).collect::<Result<_, _>>().map(Self::InOrder),
        }
    }

    /// The answer to the task's question at `position`, counted from 1; `None` where the file has none.
    pub(crate) fn to(&self, position: usize, ask: &Ask) -> Option<Answer> {
        match self {
            Self::InOrder(entries) => entries.get(position.checked_sub(1)?).map(|entry| entry.answer(ask)),
            Self::ByName(entry) if entry.action != Action::Accept => Some(entry.answer(ask)),
            Self::ByName(entry) => entry.of_its_fields(ask),
        }
    }
}

impl Entry {
    fn answer(&self, ask: &Ask) -> Answer {
        match (self.action, &ask.kind) {
            (Action::Accept, AskKind::Form { schema }) => {
                let form = Form::parse(schema).ok();
                let content = form.map(|form| values::defaults(&form)).unwrap_or_default();
                Answer::accept(content.into_iter().chain(self.content.clone()).collect(), Answerer::Operator)
            }
            (action, _) => Answer::new(action, Answerer::Operator),
        }
    }

    /// The part of the content that the question asks for; `None` where it has nothing of it.
    fn of_its_fields(&self, ask: &Ask) -> Option<Answer> {
        let AskKind::Form { schema } = &ask.kind else { return None };
        let form = Form::parse(schema).ok()?;
        let fits = |(name, _): &(&String, &Value)| form.field(name).is_some();
        let content: Map<String, Value> =
            self.content.iter().filter(fits).map(|(name, value)| (name.clone(), value.clone())).collect();
        let given = !content.is_empty();
        let content = values::defaults(&form).into_iter().chain(content).collect();
        given.then(|| Answer::accept(content, Answerer::Operator))
    }
}

/// Reads one entry: an object is an envelope if it has an `action` of MCP's and nothing else but content.
fn entry(value: Value) -> Result<Entry, String> {
    let Value::Object(mut object) = value else { return Err(format!("{value} is not an object")) };
    let action = object.get("action").and_then(|action| serde_json::from_value(action.clone()).ok());
    let is_envelope = object.keys().all(|key| key == "action" || key == "content");
    let Some(action) = action.filter(|_| is_envelope) else {
        return Ok(Entry { action: Action::Accept, content: object });
    };
    match object.remove("content") {
        None | Some(Value::Null) => Ok(Entry { action, content: Map::new() }),
        Some(Value::Object(content)) => Ok(Entry { action, content }),
        Some(other) => Err(format!("the content {other} is not an object")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(field: &str) -> Ask {
        Ask::form("?", json!({ "type": "object", "properties": { field: { "type": "string" } } }))
    }

    fn content(answers: &Answers, position: usize, field: &str) -> Option<Value> {
        answers.to(position, &ask(field)).and_then(|answer| answer.content).map(Value::Object)
    }

    #[test]
    fn a_list_and_lines_answer_in_order() {
        for text in ["[{\"a\":\"1\"},{\"action\":\"decline\"}]", "{\"a\":\"1\"}\n{\"action\":\"decline\"}\n"]
        {
            let answers = Answers::parse(text).expect(text);
            assert_eq!(content(&answers, 1, "a"), Some(json!({ "a": "1" })));
            assert_eq!(answers.to(2, &ask("b")).expect("given").action, Action::Decline);
            assert_eq!(answers.to(3, &ask("c")), None);
        }
    }

    #[test]
    fn one_object_answers_by_field_names() {
        let answers = Answers::parse("{\"a\":\"1\",\"b\":\"2\"}").expect("reads");
        assert_eq!(content(&answers, 7, "b"), Some(json!({ "b": "2" })));
        assert_eq!(answers.to(1, &ask("c")), None);
    }

    #[test]
    fn a_field_named_action_is_content() {
        let answers = Answers::parse("[{\"action\":\"merge\"}]").expect("reads");
        assert_eq!(content(&answers, 1, "action"), Some(json!({ "action": "merge" })));
    }

    #[test]
    fn what_is_not_an_answer_is_refused() {
        for text in ["", "[1]", "{", "\"yes\"", "{\"action\":\"accept\",\"content\":3}"] {
            assert!(Answers::parse(text).is_err(), "{text}");
        }
    }
}
