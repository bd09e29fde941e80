//! `plan_dinner`: two questions in a row, progress between them, and a menu.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::task::{Action, Ask, Outcome, Progress, ToolSpec};
use crate::worker::{Interrupted, TaskContext, Tool, ToolOutcome};

/// Steps that the tool reports.
const STEPS: f64 = 3.0;

pub(super) struct PlanDinner {
    spec: ToolSpec,
}

impl PlanDinner {
    pub(super) fn new() -> Self {
        let schema = json!({
            "type": "object",
            "properties": {
                "guests": { "type": "integer", "minimum": 1, "maximum": 50, "default": 2,
                    "description": "How many people will eat" }
            },
            "additionalProperties": false
        });
        let description =
            "Plans a dinner. Asks which cuisine and whether it shall be vegetarian, then returns a menu.";
        let title = Some("Plan a dinner".to_owned());
        Self { spec: ToolSpec { title, ..ToolSpec::new("plan_dinner", description, schema) } }
    }
}

#[async_trait]
impl Tool for PlanDinner {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let guests = task.arguments().get("guests").and_then(Value::as_i64).unwrap_or(2);
        step(&task, 0.0, "thinking about dinner").await?;
        let cuisine = json!({ "type": "object", "required": ["cuisine"], "properties": {
            "cuisine": { "type": "string", "title": "Cuisine", "minLength": 1, "maxLength": 40,
                "description": "For example Italian, Thai or Mexican" } } });
        let Some(first) = answer(&task, "What cuisine would you like?", cuisine).await? else {
            return Ok(Outcome::text("No dinner then."));
        };
        step(&task, 1.0, "choosing a menu").await?;
        let vegetarian = json!({ "type": "object", "required": ["vegetarian"], "properties": {
            "vegetarian": { "type": "boolean", "title": "Vegetarian", "default": false } } });
        let Some(second) = answer(&task, "Shall it be vegetarian?", vegetarian).await? else {
            return Ok(Outcome::text("No dinner then."));
        };
        step(&task, 2.0, "writing the menu down").await?;
        let cuisine = first.get("cuisine").and_then(Value::as_str).unwrap_or_default();
        let vegetarian = second.get("vegetarian").and_then(Value::as_bool).unwrap_or_default();
        Ok(menu(cuisine, vegetarian, guests))
    }
}

async fn step(task: &TaskContext, current: f64, message: &str) -> Result<(), Interrupted> {
    task.report(Progress { current, total: Some(STEPS), message: Some(message.to_owned()) }).await
}

/// The accepted content; `None` when the user declined or dismissed the question.
async fn answer(
    task: &TaskContext,
    message: &str,
    schema: Value,
) -> Result<Option<Map<String, Value>>, Interrupted> {
    let answer = task.ask(Ask::form(message, schema)).await?;
    Ok((answer.action == Action::Accept).then(|| answer.content.unwrap_or_default()))
}

fn menu(cuisine: &str, vegetarian: bool, guests: i64) -> Outcome {
    let main = if vegetarian { "vegetables of the season" } else { "the cook's favourite roast" };
    let menu = json!({
        "cuisine": cuisine,
        "vegetarian": vegetarian,
        "guests": guests,
        "courses": [format!("{cuisine} starter"), format!("{cuisine} style {main}"), "fruit and cheese"],
    });
    let kind = if vegetarian { "vegetarian " } else { "" };
    let text = format!(
        "A {kind}{cuisine} dinner for {guests}:\n  1. {cuisine} starter\n  2. {cuisine} style {main}\n  3. fruit and cheese"
    );
    Outcome::Result(json!({
        "content": [{ "type": "text", "text": text }], "structuredContent": menu, "isError": false
    }))
}
