//! A form's fields: what each is called and takes.

use serde_json::Value;

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The property's name.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What to fill in.
    pub description: Option<String>,
    /// Whether an accepted answer must have it.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What is filled in; never what the schema itself refuses.
    pub default: Option<Value>,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether what is typed for it is shown to nobody: a password, or what its server never shows either (`writeOnly`).
    pub is_secret: bool,
}

impl Field {
    /// The title, or the name where there is none.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// What can be chosen; nothing where anything is typed.
    pub fn choices(&self) -> &[Choice] {
        match &self.kind {
            FieldKind::OneOf { choices } | FieldKind::SomeOf { choices, .. } => choices,
            _ => &[],
        }
    }

    /// Whether it may be left empty: it is then left out, or null.
    pub fn may_be_empty(&self) -> bool {
        !self.required || self.nullable
    }

    /// What is sent where it is left empty; `None` leaves it out. Who takes away a default that null could stand for
    /// means null: left out, it would get the default again.
    pub fn empty(&self) -> Option<Value> {
        (self.nullable && (self.required || self.default.is_some())).then_some(Value::Null)
    }
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// Text.
    Text {
        /// Fewest characters.
        min_length: Option<u64>,
        /// Most characters.
        max_length: Option<u64>,
        /// `email`, `uri`, `date` or `date-time`; strangers have others.
        format: Option<String>,
        /// A regular expression; enforced where present, though MCP does not have it.
        pattern: Option<String>,
    },
    /// A number.
    Number {
        /// Only whole ones.
        integer: bool,
        /// The least.
        minimum: Option<f64>,
        /// The greatest.
        maximum: Option<f64>,
    },
    /// Yes or no.
    Boolean,
    /// One of several choices.
    OneOf {
        /// The choices.
        choices: Vec<Choice>,
    },
    /// Any of several choices.
    SomeOf {
        /// The choices.
        choices: Vec<Choice>,
        /// Fewest of them.
        min_items: Option<u64>,
        /// Most of them.
        max_items: Option<u64>,
    },
    /// A list of whatever is typed. MCP's forms have none, but several libraries write it.
    List {
        /// What its items are, in words.
        items: &'static str,
        /// Fewest of them.
        min_items: Option<u64>,
        /// Most of them.
        max_items: Option<u64>,
    },
    /// What no form can hold: a line of JSON, or what else the schema takes.
    Other {
        /// What it takes, in words.
        takes: String,
    },
}

/// One choice: what is sent and what is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is sent.
    pub value: Value,
    /// The value as it is typed.
    pub text: String,
    /// What is shown.
    pub title: String,
}

impl Choice {
    /// A choice that is shown by its value where it has no title.
    pub fn new(value: &Value, title: Option<&str>) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { value: value.clone(), title: title.map_or_else(|| text.clone(), str::to_owned), text }
    }
}
