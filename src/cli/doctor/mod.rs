//! `doctor`: why tasks are stuck, and what helps.

mod native;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::fastmcp::{Found, Sources};
use super::ui::{event, text};
use crate::engine::Viewer;
use crate::fastmcp::Diagnosis;
use crate::fastmcp::hint::command;
use crate::store::TaskFilter;
use native::Checkup;

/// Unfinished tasks that are looked at where none is named.
const MOST: usize = 200;

/// Say why a task is stuck, and what helps
///
/// Without a task, all unfinished ones. Works on tasks of one's own and on FastMCP's.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The task's id, or its beginning
    #[arg(add = super::complete::unfinished_tasks())]
    task: Option<String>,
    /// Put a FastMCP task back to waiting that FastMCP lost to its own status race
    #[arg(long, requires = "task")]
    fix: bool,
}

/// One cause, ready to be told.
pub(super) struct Finding {
    source: &'static str,
    task: Option<String>,
    cause: &'static str,
    evidence: String,
    help: String,
}

pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<(), Failure> {
    let sources = Sources::open(context).await?;
    sources.tell(context);
    let found = match &args.task {
        None => everything(&sources).await?,
        Some(prefix) => match sources.find(prefix).await? {
            Found::Native(..) if args.fix => {
                return Err(Failure::usage("--fix is for FastMCP's tasks; one of our own is never lost so"));
            }
            Found::Native(engine, id) => {
                Checkup::begin(&engine).await?.of(&engine.get(&Viewer::Operator, &id).await?)
            }
            Found::Deployed(deployment, task) if args.fix => {
                let task = deployment.fix(&task.id).await?;
                return fixed(context, &task.id);
            }
            Found::Deployed(deployment, task) => {
                deployment.diagnose(Some(&task.id)).await?.into_iter().map(Finding::from).collect()
            }
        },
    };
    tell(context, &found)
}

async fn everything(sources: &Sources) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    if let Some(engine) = &sources.native {
        let checkup = Checkup::begin(engine).await?;
        for status in [crate::task::TaskStatus::Working, crate::task::TaskStatus::InputRequired] {
            let filter = TaskFilter { status: Some(status), oldest_first: true, ..TaskFilter::default() };
            let page = engine.list(&Viewer::Operator, filter, None, MOST).await?;
            found.extend(page.tasks.iter().flat_map(|task| checkup.of(task)));
        }
    }
    for deployment in &sources.deployments {
        found.extend(deployment.diagnose(None).await?.into_iter().map(Finding::from));
    }
    Ok(found)
}

impl From<Diagnosis> for Finding {
    fn from(one: Diagnosis) -> Self {
        let Diagnosis { task, cause, evidence, help } = one;
        Self { source: "fastmcp", task, cause: cause.as_str(), evidence, help }
    }
}

fn fixed(context: &Context, id: &str) -> Result<(), Failure> {
    if context.ui.is_json() {
        return context.ui.object(&json!({ "source": "fastmcp", "task": id, "fixed": true }));
    }
    let id = text::line(event::short(id));
    let respond = command("respond", &id, "");
    context.ui.talk(&format!("task {id} waits for an answer again; `mcptask {respond}` gives it"));
    Ok(())
}

fn tell(context: &Context, found: &[Finding]) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    for Finding { source, task, cause, evidence, help } in found {
        if ui.is_json() {
            ui.object(&json!({
                "at": jiff::Timestamp::now(), "source": source, "task": task, "cause": cause, "evidence": evidence,
                "help": help,
            }))?;
            continue;
        }
        let task = task.as_deref().map_or("all", |task| event::short(task));
        let cause = cause.replace('_', " ");
        ui.line(&format!(
            "{}  {}: {}",
            paint.bold(&text::line(task)),
            paint.yellow(&cause),
            text::line(evidence)
        ))?;
        ui.line(&format!("          {} {}", paint.dim("→"), text::line(help)))?;
    }
    if found.is_empty() {
        ui.talk("nothing is wrong");
    }
    Ok(())
}
