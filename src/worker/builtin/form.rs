//! `fill_form`: one question with every kind of field that MCP's forms have.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::task::{Action, Ask, Outcome, ToolSpec};
use crate::worker::{TaskContext, Tool, ToolOutcome};

pub(super) struct FillForm {
    spec: ToolSpec,
}

impl FillForm {
    pub(super) fn new() -> Self {
        let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let description = "Asks one question with every kind of form field, then returns the answer.";
        let title = Some("Fill in a form".to_owned());
        Self { spec: ToolSpec { title, ..ToolSpec::new("fill_form", description, schema) } }
    }
}

/// Every field kind, constraint and default of the specification.
fn schema() -> Value {
    json!({ "type": "object", "required": ["name", "seats", "window"], "properties": {
        "name": { "type": "string", "title": "Name", "minLength": 2, "maxLength": 60 },
        "email": { "type": "string", "format": "email", "title": "E-mail" },
        "website": { "type": "string", "format": "uri", "title": "Website" },
        "day": { "type": "string", "format": "date", "title": "Day", "description": "As YYYY-MM-DD" },
        "arrival": { "type": "string", "format": "date-time", "title": "Arrival" },
        "seats": { "type": "integer", "title": "Seats", "minimum": 1, "maximum": 8, "default": 2 },
        "budget": { "type": "number", "title": "Budget", "minimum": 0 },
        "window": { "type": "boolean", "title": "By the window", "default": true },
        "class": { "type": "string", "title": "Class", "enum": ["second", "first"], "default": "second" },
        "meal": { "type": "string", "title": "Meal", "oneOf": [
            { "const": "none", "title": "No meal" }, { "const": "veg", "title": "Vegetarian" },
            { "const": "any", "title": "Whatever there is" }] },
        "extras": { "type": "array", "title": "Extras", "maxItems": 2, "default": ["wifi"], "items": {
            "anyOf": [{ "const": "wifi", "title": "Wireless network" }, { "const": "quiet", "title": "Quiet car" },
                { "const": "bike", "title": "Room for a bicycle" }] } }
    } })
}

#[async_trait]
impl Tool for FillForm {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let answer = task.ask(Ask::form("Please fill in your booking.", schema())).await?;
        if answer.action != Action::Accept {
            return Ok(Outcome::text(format!("The form was not filled in: {}", answer.action)));
        }
        let content = Value::Object(answer.content.unwrap_or_default());
        Ok(Outcome::Result(json!({
            "content": [{ "type": "text", "text": content.to_string() }],
            "structuredContent": content,
            "isError": false
        })))
    }
}
