//! `tools`: what can be submitted.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::{self, RemoteArgs};
use super::ui::{table, text};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::Engine;
use crate::task::ToolSpec;

/// List the tools that can be submitted, or show one with its arguments
#[derive(Debug, Args)]
pub(crate) struct ToolsArgs {
    /// Show this tool and what it takes
    #[arg(add = super::complete::tools())]
    tool: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ToolsArgs) -> Result<(), Failure> {
    let mut tools = known(context, &args.remote).await?;
    if let Some(name) = &args.tool {
        tools.retain(|tool| &tool.name == name);
        if tools.is_empty() {
            return Err(Failure::new(Kind::NotFound, format!("there is no tool {name:?}"))
                .hint(Advice::command(Suggested::new("tools"), "shows the tools")));
        }
    }
    if context.ui.is_json() {
        return tools.iter().try_for_each(|tool| context.ui.object(tool));
    }
    match (&args.tool, tools.as_slice()) {
        (Some(_), [tool]) => show(context, tool),
        (_, []) => {
            let worker = context.suggest(Suggested::new("worker"));
            context.ui.talk(&format!("no worker has offered a tool here yet; start one with: {worker}"));
            Ok(())
        }
        (_, tools) => list(context, tools),
    }
}

async fn known(context: &Context, remote: &RemoteArgs) -> Result<Vec<ToolSpec>, Failure> {
    let Some(target) = remote.target(context)? else {
        return match context.existing().await? {
            Some(engine) => offered(context, &engine).await,
            None => Ok(Vec::new()),
        };
    };
    let client = remote.connect(&target, None).await?;
    remote::introduce(&context.ui, &client);
    let tools = client.tools().await.map(<[ToolSpec]>::to_vec);
    client.close().await;
    Ok(tools?)
}

/// The tools of a store, past those that cannot be read.
async fn offered(context: &Context, engine: &Engine) -> Result<Vec<ToolSpec>, Failure> {
    let tools = engine.store().tools().await?;
    for one in &tools.unreadable {
        let (name, problem) = (text::line(&one.name), text::short(&one.problem, 200));
        context
            .ui
            .warn(&format!("tool {name} cannot be read: {problem}; a worker that offers it writes it anew"));
    }
    Ok(tools.rows)
}

fn list(context: &Context, tools: &[ToolSpec]) -> Result<(), Failure> {
    let row = |tool: &ToolSpec| {
        let first = tool.description.lines().next().unwrap_or_default();
        vec![text::short(&tool.name, 40), text::short(first, 100)]
    };
    let lines = table(&["TOOL", "DOES"], tools.iter().map(row).collect(), context.ui.paint());
    lines.iter().try_for_each(|line| context.ui.line(line))
}

fn show(context: &Context, tool: &ToolSpec) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    let title = tool.title.as_deref().map(|title| format!("  {}", text::line(title))).unwrap_or_default();
    ui.line(&format!("{}{title}", paint.bold(&text::line(&tool.name))))?;
    for line in text::block(&tool.description) {
        ui.line(&format!("  {line}"))?;
    }
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        return ui.line("It takes no arguments.");
    };
    let required = |name: &str| {
        let names = tool.input_schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|one| one == name))
    };
    let row = |(name, property): (&String, &Value)| argument_row(name, property, required(name));
    let lines =
        table(&["ARGUMENT", "TYPE", "NEEDED", "MEANING"], properties.iter().map(row).collect(), paint);
    ui.line("")?;
    lines.iter().try_for_each(|line| ui.line(line))
}

fn argument_row(name: &str, property: &Value, required: bool) -> Vec<String> {
    let words = |key: &str| property.get(key).and_then(Value::as_str).unwrap_or_default();
    let needed = match (required, property.get("default")) {
        (true, _) => "yes".to_owned(),
        (false, Some(default)) => format!("no, {default}"),
        (false, None) => "no".to_owned(),
    };
    let meaning = if words("description").is_empty() { words("title") } else { words("description") };
    vec![
        text::short(name, 40),
        text::short(words("type"), 20),
        text::short(&needed, 30),
        text::short(meaning, 80),
    ]
}
