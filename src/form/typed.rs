//! Text that people type, read as a schema says: one way for `--arg`, for `--set` and at the prompt.
//!
//! Text stays text wherever the schema takes text: `1.10`, `01` and `yes` are not turned into something else. Numbers
//! are exact or refused. A value of a choice wins over every title.

use serde_json::Value;

use super::shape::{Choice, Shape, Type};
use crate::json::{self, Problem};

/// How values are typed, for the help of the commands that take them.
pub(crate) const FORMAT: &str = "\
Values:
  Text stays text: 1.10 and 01 are no numbers where the schema takes text. Numbers are sent exactly, or refused. \
  Where null is allowed, null is null.
  A choice is given by its value, or by its title where that is no other's value.
  A list is a,b or a JSON list, or the option again. An item with a comma stands in double quotes, which the shell \
  must leave, or has a backslash before the comma: '\"a,b\",c' or 'a\\,b,c'.";

/// The order in which types are tried: text takes everything, so it comes last.
const ORDER: [Type; 7] =
    [Type::Null, Type::Integer, Type::Number, Type::Boolean, Type::Object, Type::List, Type::Text];

/// Reads text as `schema` says, whose references are into `root`. Bounds and formats are checked with the whole.
pub(crate) fn read(root: &Value, schema: Option<&Value>, text: &str) -> Result<Value, String> {
    Reader { root, shape: Shape::of(root, schema), is_item: false }.read(text)
}

/// Reads `true` or `false` in the words that people type. Alternatives have to agree: `yes|no`, which suggested commands
/// have, is undecided.
fn boolean(text: &str) -> Option<bool> {
    let mut alternatives = text.split('|').map(|word| match word.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    });
    let first = alternatives.next()??;
    alternatives.all(|other| other == Some(first)).then_some(first)
}

/// One value's reader.
struct Reader<'a> {
    root: &'a Value,
    shape: Shape<'a>,
    /// Whether it is an item of a list. A list within a list is JSON: a schema may be its own items' schema.
    is_item: bool,
}

impl<'a> Reader<'a> {
    fn read(&self, text: &str) -> Result<Value, String> {
        if let Some(value) = self.choice(text)? {
            return Ok(value.clone());
        }
        if self.shape.takes(Type::Anything) {
            return anything(text);
        }
        let mut problems = Vec::new();
        for wanted in ORDER.into_iter().filter(|one| self.shape.takes(*one)) {
            match self.read_as(wanted, text) {
                Ok(value) => return Ok(value),
                // Who may leave it open hears what is wrong with what was typed.
                Err(_) if wanted == Type::Null && self.shape.types.len() > 1 => {}
                Err(problem) => problems.push(problem),
            }
        }
        Err(self.refusal(text, problems))
    }

    /// The choice that the text means: its value, or its title where that is nobody's value.
    fn choice(&self, text: &str) -> Result<Option<&'a Value>, String> {
        let choices = &self.shape.choices;
        let found = choices.iter().find(|one| *one.value == text);
        if let Some(found) = found.or_else(|| choices.iter().find(|one| is_meant(one.value, text))) {
            return Ok(Some(found.value));
        }
        let titled: Vec<&Choice<'_>> = choices.iter().filter(|one| one.title == Some(text)).collect();
        match titled.as_slice() {
            [one] if !self.shape.takes(Type::Text) => Ok(Some(one.value)),
            [_, _, ..] if !self.shape.takes(Type::Text) => {
                Err(format!("{text:?} is the title of several choices: give one of {}", listed(&titled)))
            }
            _ => Ok(None),
        }
    }

    fn read_as(&self, wanted: Type, text: &str) -> Result<Value, Problem> {
        let unlike = || Problem::Unlike(format!("{text:?} is not {}", wanted.words()));
        // Where text is taken too, only what can be nothing else is read as something else.
        let only = !self.shape.takes(Type::Text);
        match wanted {
            Type::Null if text.trim() == "null" => Ok(Value::Null),
            Type::Integer | Type::Number => {
                let number = json::number(text, wanted == Type::Integer)?;
                if only || number.to_string() == text { Ok(number.into()) } else { Err(unlike()) }
            }
            Type::Boolean if only => boolean(text)
                .map(Value::Bool)
                .ok_or_else(|| Problem::Unlike(format!("{text:?} is neither true (yes) nor false (no)"))),
            Type::Boolean if text == "true" || text == "false" => Ok(Value::Bool(text == "true")),
            Type::Object if text.trim_start().starts_with('{') => json_of(text, wanted),
            Type::List if text.trim_start().starts_with('[') => self.titles_replaced(json_of(text, wanted)?),
            Type::List if only && !self.is_item => self.list(text).map_err(Problem::Unlike),
            Type::Text => Ok(text.into()),
            _ => Err(unlike()),
        }
    }

    fn refusal(&self, text: &str, mut problems: Vec<Problem>) -> String {
        let inexact = problems.iter().find(|one| matches!(one, Problem::Inexact(_)));
        if let Some(problem) = inexact {
            return problem.to_string();
        }
        if self.shape.choices.is_empty() && problems.len() == 1 {
            return problems.remove(0).to_string();
        }
        let choices: Vec<&Choice<'_>> = self.shape.choices.iter().collect();
        let types = ORDER.into_iter().filter(|one| self.shape.takes(*one)).map(|one| one.words().to_owned());
        let named = (!choices.is_empty()).then(|| format!("one of {}", listed(&choices)));
        let all: Vec<String> = named.into_iter().chain(types).collect();
        format!("{text:?} is not {}", all.join(" or "))
    }

    fn of_items(&self) -> Self {
        Self { root: self.root, shape: Shape::of(self.root, self.shape.items), is_item: true }
    }

    /// The items of a list that is separated by commas.
    fn list(&self, text: &str) -> Result<Value, String> {
        let item = self.of_items();
        let mut found = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (element, more) = item.element(rest);
            rest = more.strip_prefix(',').unwrap_or(more).trim_start();
            match element {
                Element::Plain(text) if text.is_empty() => {}
                Element::Quoted(text) if item.shape.takes(Type::Text) => found.push(text.into()),
                Element::Plain(text) | Element::Quoted(text) => found.push(item.read(&text)?),
            }
        }
        Ok(Value::Array(found))
    }

    /// The first item of a list, and what follows it. A choice may have commas; other text with commas is quoted, or
    /// has a backslash before each.
    fn element<'t>(&self, text: &'t str) -> (Element, &'t str) {
        let values = self.shape.choices.iter().filter_map(|one| one.value.as_str());
        let titles = self.shape.choices.iter().filter_map(|one| one.title);
        if let Some(found) = longest(values, text).or_else(|| longest(titles, text)) {
            let (choice, more) = text.split_at(found);
            return (Element::Plain(choice.to_owned()), more.trim_start());
        }
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        if let Some(Ok(quoted)) = text.starts_with('"').then(|| strings.next()).flatten()
            && let Some(more) = ended(&text[strings.byte_offset()..])
        {
            return (Element::Quoted(quoted), more);
        }
        let mut escaped = false;
        let end = text.find(|c: char| {
            let ends = c == ',' && !escaped;
            escaped = c == '\\';
            ends
        });
        let (element, more) = text.split_at(end.unwrap_or(text.len()));
        (Element::Plain(element.trim().replace("\\,", ",")), more)
    }

    /// A JSON list may name choices by their titles as well.
    fn titles_replaced(&self, mut list: Value) -> Result<Value, Problem> {
        let item = self.of_items();
        for one in list.as_array_mut().into_iter().flatten() {
            let chosen = match &*one {
                Value::String(text) => item.choice(text).map_err(Problem::Unlike)?,
                _ => None,
            };
            if let Some(value) = chosen {
                *one = value.clone();
            }
        }
        Ok(list)
    }
}

/// One item of a list as it was typed.
enum Element {
    Plain(String),
    Quoted(String),
}

/// The length of the longest of the texts with a comma that the text begins with, where an item ends after it.
fn longest<'a>(known: impl Iterator<Item = &'a str>, text: &str) -> Option<usize> {
    let begins = |one: &&str| one.contains(',') && text.strip_prefix(*one).and_then(ended).is_some();
    known.filter(begins).map(str::len).max()
}

/// What follows an item, from the comma on; `None` where the item goes on.
fn ended(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with(',')).then_some(rest)
}

/// Whether the text is how one types a value that is no text.
fn is_meant(value: &Value, text: &str) -> bool {
    match value {
        Value::String(_) => false,
        Value::Bool(value) => boolean(text) == Some(*value),
        Value::Number(number) => json::is_number(text, number),
        other => serde_json::from_str::<Value>(text).is_ok_and(|typed| typed == *other),
    }
}

fn listed(choices: &[&Choice<'_>]) -> String {
    choices.iter().map(|one| one.value.to_string()).collect::<Vec<_>>().join(", ")
}

fn json_of(text: &str, wanted: Type) -> Result<Value, Problem> {
    let value = json::read(text).map_err(|problem| match problem {
        Problem::Unlike(why) => Problem::Unlike(format!("{text:?} is not JSON: {why}")),
        inexact @ Problem::Inexact(_) => inexact,
    })?;
    let fits = if wanted == Type::List { value.is_array() } else { value.is_object() };
    if fits { Ok(value) } else { Err(Problem::Unlike(format!("{text:?} is not {}", wanted.words()))) }
}

/// Where nothing is said of the type: JSON where the text is JSON and would be written the same way again, else text.
fn anything(text: &str) -> Result<Value, String> {
    match json::read(text) {
        Ok(Value::Number(number)) if number.to_string() != text => Ok(text.into()),
        Ok(value) => Ok(value),
        Err(Problem::Unlike(_)) => Ok(text.into()),
        Err(inexact @ Problem::Inexact(_)) => Err(inexact.to_string()),
    }
}

#[cfg(test)]
mod tests;
