//! Small tools that the protocol tests call.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mcptask::task::{Action, Ask, Outcome, Progress, RpcError, TaskSupport, ToolSpec};
use mcptask::worker::{Interrupted, TaskContext, Tool, ToolOutcome, Tools, builtin};
use serde_json::{Value, json};
use tokio::sync::Notify;

type Run = fn(TaskContext) -> BoxFuture<'static, ToolOutcome>;

struct Small {
    spec: ToolSpec,
    run: Run,
}

#[async_trait::async_trait]
impl Tool for Small {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        (self.run)(task).await
    }
}

fn small(name: &str, support: TaskSupport, properties: Value, run: Run) -> Arc<dyn Tool> {
    let mut schema = json!({ "type": "object" });
    schema["properties"] = properties;
    Arc::new(Small { spec: ToolSpec { task_support: support, ..ToolSpec::new(name, name, schema) }, run })
}

pub(crate) fn name_form() -> Value {
    json!({ "type": "object", "required": ["name"], "properties": {
        "name": { "type": "string", "minLength": 2 }, "age": { "type": "integer", "minimum": 0 } } })
}

static TOLD: Notify = Notify::const_new();

/// Lets the tool `ask_when_told` go on.
pub(crate) fn tell() {
    TOLD.notify_one();
}

/// Those that only a modern client can make something of.
fn modern() -> Vec<Arc<dyn Tool>> {
    vec![
        small("ask_form_and_page", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                let page = Ask::url("Please sign.", "https://example.com/sign");
                let answers = task.ask_all(vec![Ask::form("Your name?", name_form()), page]).await?;
                let actions: Vec<_> = answers.iter().map(|answer| answer.action.to_string()).collect();
                Ok(Outcome::text(actions.join(" ")))
            })
        }),
        Arc::new(Small {
            spec: ToolSpec {
                asks_first: 1,
                ..ToolSpec::new("ask_first", "ask_first", json!({ "type": "object" }))
            },
            run: |task| {
                Box::pin(async move {
                    let answer = task.ask(Ask::form("First?", name_form())).await?;
                    Ok(Outcome::text(format!("{} {}", answer.action, answer.reason.unwrap_or_default())))
                })
            },
        }),
        small("ask_when_told", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                let message = Some("waits".to_owned());
                task.report(Progress { current: 0.0, total: None, message }).await?;
                TOLD.notified().await;
                let answer = task.ask(Ask::form("Your name?", name_form())).await?;
                Ok(Outcome::text(format!("{} {}", answer.action, answer.reason.unwrap_or_default())))
            })
        }),
        small("regional", TaskSupport::Forbidden, regional(), |_| {
            Box::pin(async { Ok(Outcome::text("done")) })
        }),
    ]
}

/// Arguments that requests repeat in headers.
fn regional() -> Value {
    json!({ "region": { "type": "string", "x-mcp-header": "Region" },
        "count": { "type": "number", "x-mcp-header": "Count" } })
}

/// The built-in tools and the tests' own.
pub(crate) fn all() -> Tools {
    let mut tools = builtin::tools();
    for tool in [
        small("greet", TaskSupport::Forbidden, json!({ "name": { "type": "string" } }), |task| {
            Box::pin(async move {
                let arguments = task.arguments();
                let name = arguments.get("name").and_then(Value::as_str).unwrap_or("you");
                Ok(Outcome::text(format!("Hello, {name}!")))
            })
        }),
        small("ask_name", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                let answer = task.ask(Ask::form("What is your name?", name_form())).await?;
                Ok(Outcome::text(match answer.action {
                    Action::Accept => format!("accept {}", answer.content.unwrap_or_default()["name"]),
                    other => format!("{other} {}", answer.reason.unwrap_or_default()),
                }))
            })
        }),
        small("ask_many", TaskSupport::Optional, json!({ "count": { "type": "integer" } }), |task| {
            Box::pin(async move {
                let count = task.arguments().get("count").and_then(Value::as_u64).unwrap_or(3);
                let mut names = Vec::new();
                for number in 1..=count {
                    let answer = task.ask(Ask::form(format!("Name {number}?"), name_form())).await?;
                    let name = answer.content.and_then(|content| content.get("name").cloned());
                    names.push(name.unwrap_or_else(|| json!(answer.action.to_string())));
                }
                Ok(Outcome::text(json!(names).to_string()))
            })
        }),
        small("ask_named", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                for _ in 1..=2 {
                    task.ask(Ask::form("Who?", name_form()).named(Some("who".into()))).await?;
                }
                Ok(Outcome::text("asked"))
            })
        }),
        small("ask_both", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                let asks = vec![Ask::form("First?", name_form()), Ask::form("Second?", name_form())];
                let answers = task.ask_all(asks).await?;
                Ok(Outcome::text(
                    json!(answers.iter().map(|one| &one.content).collect::<Vec<_>>()).to_string(),
                ))
            })
        }),
        small("ask_page", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                let answer = task.ask(Ask::url("Please sign.", "https://example.com/sign")).await?;
                Ok(Outcome::text(format!("{} {}", answer.action, answer.reason.unwrap_or_default())))
            })
        }),
        small("fail", TaskSupport::Required, json!({}), |_| {
            Box::pin(async { Ok(Outcome::tool_error("It did not work.")) })
        }),
        small("break", TaskSupport::Optional, json!({}), |_| {
            Box::pin(async {
                let data = Some(json!({ "part": 7 }));
                Err(Interrupted::Failed(RpcError { code: -32011, message: "It broke.".into(), data }))
            })
        }),
        small("steps", TaskSupport::Optional, json!({}), |task| {
            Box::pin(async move {
                for step in 1..=3 {
                    let message = Some(format!("step {step}"));
                    task.report(Progress { current: f64::from(step), total: Some(3.0), message }).await?;
                }
                Ok(Outcome::text("done"))
            })
        }),
        small("work", TaskSupport::Optional, json!({ "ms": { "type": "integer" } }), |task| {
            Box::pin(async move {
                let time = task.arguments().get("ms").and_then(Value::as_u64).unwrap_or(100);
                tokio::time::sleep(Duration::from_millis(time)).await;
                Ok(Outcome::text("worked"))
            })
        }),
    ] {
        tools.insert(tool.spec().name.clone(), tool);
    }
    for tool in modern() {
        tools.insert(tool.spec().name.clone(), tool);
    }
    tools
}
