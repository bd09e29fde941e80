//! `wait`: works for a while without asking, with progress; to try watching and cancelling.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::task::{Outcome, Progress, ToolSpec};
use crate::worker::{TaskContext, Tool, ToolOutcome};

/// Progress reports of one run.
const STEPS: u32 = 10;

pub(super) struct Wait {
    spec: ToolSpec,
}

impl Wait {
    pub(super) fn new() -> Self {
        let schema = json!({
            "type": "object",
            "properties": { "seconds": { "type": "number", "minimum": 0, "maximum": 3600, "default": 5,
                "description": "How long to work" } },
            "additionalProperties": false
        });
        let description = "Works for some seconds, reports progress, asks nothing.";
        Self {
            spec: ToolSpec { title: Some("Wait".to_owned()), ..ToolSpec::new("wait", description, schema) },
        }
    }
}

#[async_trait]
impl Tool for Wait {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let seconds = task.arguments().get("seconds").and_then(Value::as_f64).unwrap_or(5.0);
        let step = Duration::from_secs_f64(seconds / f64::from(STEPS));
        for done in 0..STEPS {
            let message = Some(format!("step {} of {STEPS}", done + 1));
            let total = Some(f64::from(STEPS));
            task.report(Progress { current: f64::from(done), total, message }).await?;
            tokio::time::sleep(step).await;
        }
        Ok(Outcome::text(format!("Waited for {seconds} s.")))
    }
}
