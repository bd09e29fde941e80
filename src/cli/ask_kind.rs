//! What `ask` asks for: options that become a form.

use clap::Args;
use serde_json::{Value, json};

use super::arguments;
use super::failure::Failure;
use crate::ask::protocol::PLAIN_FIELD;
use crate::form::Form;
use crate::json::{self, Problem};
use crate::task::joined;

/// The kinds of answers; one line of text where none is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own on the command line")]
pub(crate) struct KindArgs {
    /// One line of text, the default
    #[arg(long)]
    text: bool,
    /// A number
    #[arg(long)]
    number: bool,
    /// A whole number
    #[arg(long)]
    integer: bool,
    /// Yes (exit 0) or no (exit 1)
    #[arg(long)]
    pub(super) confirm: bool,
    /// One of these
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    choose: Vec<String>,
    /// Any of these
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    choose_many: Vec<String>,
    /// A day, as YYYY-MM-DD
    #[arg(long)]
    date: bool,
    /// An e-mail address
    #[arg(long)]
    email: bool,
    /// Consent to visit this page
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// A form, by its JSON schema: a file, or - for stdin
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<String>,
}

/// Reads a schema from a file or stdin.
pub(super) fn read_schema(file: &str) -> Result<Value, Failure> {
    let given = if file == "-" { file.to_owned() } else { format!("@{file}") };
    json::read(&arguments::text(&given)?).map_err(|problem| match problem {
        Problem::Inexact(problem) => Failure::usage(format!("the schema in {file:?}: {problem}")),
        Problem::Unlike(problem) => Failure::usage(format!("the schema in {file:?} is not JSON: {problem}")),
    })
}

impl KindArgs {
    /// The form of one field that asks for it.
    pub(super) fn form(&self, title: Option<&str>, default: Option<&str>) -> Result<Value, Failure> {
        let schema = self.with(title, None);
        let Some(default) = default else { return Ok(schema) };
        let form = Form::parse(&schema).map_err(|violations| Failure::usage(joined(&violations)))?;
        let field = form.field(PLAIN_FIELD).ok_or_else(|| Failure::usage("the form has no field"))?;
        let value =
            form.read(field, default).map_err(|problem| Failure::usage(format!("--default: {problem}")))?;
        Ok(self.with(title, value))
    }

    fn with(&self, title: Option<&str>, default: Option<Value>) -> Value {
        let mut field = self.field();
        if let Some(title) = title {
            field["title"] = title.into();
        }
        if let Some(default) = default {
            field["default"] = default;
        }
        json!({ "type": "object", "properties": { PLAIN_FIELD: field }, "required": [PLAIN_FIELD] })
    }

    fn field(&self) -> Value {
        if self.number {
            json!({ "type": "number" })
        } else if self.integer {
            json!({ "type": "integer" })
        } else if self.confirm {
            json!({ "type": "boolean" })
        } else if self.date {
            json!({ "type": "string", "format": "date" })
        } else if self.email {
            json!({ "type": "string", "format": "email" })
        } else if !self.choose.is_empty() {
            json!({ "type": "string", "enum": self.choose })
        } else if !self.choose_many.is_empty() {
            json!({ "type": "array", "items": { "type": "string", "enum": self.choose_many } })
        } else {
            json!({ "type": "string" })
        }
    }
}
