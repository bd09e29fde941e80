//! JSON values with templates in them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{Context, Template, TemplateError};

/// So many templates are filled in within microseconds.
const LIGHT_ITEMS: usize = 16;

/// A JSON value in which every string is a template.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueTemplate {
    /// Text, or a value where it is one `{{ … }}`.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object, its keys as written.
    Object(Vec<(String, Self)>),
    /// A number, a boolean, or null.
    Plain(Value),
}

impl ValueTemplate {
    /// Checks every string in `value`.
    pub fn parse(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(items) => Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(object) => {
                let fields = object.iter().map(|(key, value)| Ok((key.clone(), Self::parse(value)?)));
                Self::Object(fields.collect::<Result<_, _>>()?)
            }
            plain => Self::Plain(plain.clone()),
        })
    }

    /// The names that its templates use.
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Text(template) => template.names(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, value)| value.names()).collect(),
            Self::Plain(_) => BTreeSet::new(),
        }
    }

    /// Whether there is nothing in it to fill in.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Text(template) => template.is_plain(),
            Self::List(items) => items.iter().all(Self::is_plain),
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_plain()),
            Self::Plain(_) => true,
        }
    }

    /// The value with everything filled in.
    pub fn value(&self, context: &Context) -> Result<Value, TemplateError> {
        match self {
            Self::Text(template) => template.value(context),
            Self::List(items) => items.iter().map(|item| item.value(context)).collect(),
            Self::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), value.value(context)?)));
                filled.collect::<Result<serde_json::Map<_, _>, _>>().map(Value::Object)
            }
            Self::Plain(value) => Ok(value.clone()),
        }
    }

    /// Whether it may take milliseconds.
    pub(super) fn is_heavy(&self) -> bool {
        match self {
            Self::Text(template) => template.is_heavy(),
            Self::List(items) => items.len() > LIGHT_ITEMS || items.iter().any(Self::is_heavy),
            Self::Object(fields) => {
                fields.len() > LIGHT_ITEMS || fields.iter().any(|(_, value)| value.is_heavy())
            }
            Self::Plain(_) => false,
        }
    }
}
