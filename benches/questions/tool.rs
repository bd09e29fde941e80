//! The tool `ask`: asks `n` times for a string, and returns how long each answer took to reach it.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use mcptask::task::{Ask, Outcome, ToolSpec};
use mcptask::worker::{TaskContext, Tool, ToolOutcome};
use serde_json::{Value, json};

/// Nanoseconds since the epoch, by the clock that both processes read.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_nanos()).expect("a clock before 2554")
}

pub(crate) struct AskTool {
    spec: ToolSpec,
}

impl AskTool {
    pub(crate) fn new() -> Self {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        Self { spec: ToolSpec::new("ask", "Asks n times for a string.", schema) }
    }
}

#[async_trait]
impl Tool for AskTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let started = now();
        let n = task.arguments().get("n").and_then(Value::as_u64).unwrap_or(1);
        let mut answers = Vec::new();
        for at in 0..n {
            let schema = json!({ "type": "object", "required": ["value"],
                "properties": { "value": { "type": "string" } } });
            let answer = task.ask(Ask::form(format!("q{at} t={}", now()), schema)).await?;
            let woken = now();
            let content = answer.content.unwrap_or_default();
            let answered =
                content.get("value").and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
            answers.push(woken.saturating_sub(answered.unwrap_or(woken)));
        }
        Ok(Outcome::Result(json!({
            "content": [], "structuredContent": { "started": started, "answers": answers }, "isError": false
        })))
    }
}
