//! `doctor`: why tasks are stuck, and what helps.

mod native;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::fastmcp::{Found, Sources};
use super::ui::{event, text};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError, Viewer};
use crate::fastmcp::{Cause, Diagnosis};
use crate::store::{StoreError, TaskFilter, Unreadable};
use native::Checkup;

/// Unfinished tasks that are looked at where none is named.
const MOST: usize = 200;

/// Say why a task is stuck, and what helps
///
/// Without a task, all unfinished ones and the store itself. Works on tasks of one's own and on FastMCP's. Exits with 5
/// where something is wrong; with 0 where all is well, also where a person is waited for.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::unfinished_tasks())]
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
    help: Advice,
    /// Whether something is wrong; else a person is waited for, or it is only worth knowing.
    is_trouble: bool,
}

pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<(), Failure> {
    let sources = Sources::open(context).await?;
    sources.tell(context);
    if sources.is_empty() && args.task.is_none() {
        context.ui.talk(&format!("nothing is wrong; {}", context.nothing_begun()));
        return Ok(());
    }
    let found = match &args.task {
        None => everything(&sources).await?,
        Some(prefix) => match sources.find(context, prefix).await? {
            Found::Native(..) if args.fix => {
                return Err(Failure::usage("--fix is for FastMCP's tasks; one of our own is never lost so"));
            }
            Found::Native(engine, id) => {
                let checkup = Checkup::begin(&engine).await?;
                match engine.get(&Viewer::Operator, &id).await {
                    Err(EngineError::Store(StoreError::Unreadable { task, problem })) => {
                        vec![native::unreadable(&Unreadable { name: task.to_string(), problem })]
                    }
                    task => checkup.of(&task?),
                }
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
        found = native::of_health(engine).await?;
        match of_tasks(engine).await {
            Ok(more) => found.extend(more),
            // What is wrong with the store has been found, and is why.
            Err(_) if !found.is_empty() => {}
            Err(failure) => return Err(failure),
        }
    }
    for deployment in &sources.deployments {
        found.extend(deployment.diagnose(None).await?.into_iter().map(Finding::from));
    }
    Ok(found)
}

/// What is wrong with the tasks of our own store, and with its tools and workers.
async fn of_tasks(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let checkup = Checkup::begin(engine).await?;
    let mut found = checkup.of_store(engine).await?;
    // By name: one that cannot be read may belong to either list.
    let mut unreadable = BTreeMap::new();
    for status in [crate::task::TaskStatus::Working, crate::task::TaskStatus::InputRequired] {
        let filter = TaskFilter { status: Some(status), oldest_first: true, ..TaskFilter::default() };
        let page = engine.list(&Viewer::Operator, filter, None, MOST).await?;
        found.extend(page.tasks.iter().flat_map(|task| checkup.of(task)));
        unreadable.extend(page.unreadable.into_iter().map(|one| (one.name.clone(), one)));
    }
    found.extend(unreadable.values().map(native::unreadable));
    Ok(found)
}

impl From<Diagnosis> for Finding {
    fn from(one: Diagnosis) -> Self {
        let Diagnosis { task, cause, evidence, help } = one;
        let is_trouble =
            !matches!(cause, Cause::ClientHasQuestion | Cause::SnapshotEncrypted | Cause::TtlNearEnd);
        Self { source: "fastmcp", task, cause: cause.as_str(), evidence, help: help.into(), is_trouble }
    }
}

fn fixed(context: &Context, id: &str) -> Result<(), Failure> {
    if context.ui.is_json() {
        return context.ui.object(&json!({ "source": "fastmcp", "task": id, "fixed": true }));
    }
    let id = text::line(event::short(id));
    let gives = Advice::command(Suggested::new("respond").about(id.as_str()), "gives it");
    context.ui.talk(&context.advise(gives.after(&format!("task {id} waits for an answer again; "))));
    Ok(())
}

fn tell(context: &Context, found: &[Finding]) -> Result<(), Failure> {
    found
        .iter()
        .try_for_each(|one| if context.ui.is_json() { one.object(context) } else { one.lines(context) })?;
    if found.is_empty() {
        context.ui.talk("nothing is wrong");
    }
    match found.iter().filter(|one| one.is_trouble).count() {
        0 => Ok(()),
        1 => Err(Failure::new(Kind::TaskFailed, "something is wrong")),
        several => Err(Failure::new(Kind::TaskFailed, format!("{several} things are wrong"))),
    }
}

impl Finding {
    fn object(&self, context: &Context) -> Result<(), Failure> {
        let Self { source, task, cause, evidence, help, is_trouble } = self;
        context.ui.object(&json!({
            "at": jiff::Timestamp::now(), "source": source, "task": task, "cause": cause, "evidence": evidence,
            "help": help.clone().at(context.reach()).to_string(), "trouble": is_trouble,
        }))
    }

    fn lines(&self, context: &Context) -> Result<(), Failure> {
        let (ui, paint) = (&context.ui, context.ui.paint());
        let task = self.task.as_deref().map_or("all", |task| event::short(task));
        let cause = self.cause.replace('_', " ");
        let cause = if self.is_trouble { paint.red(&cause) } else { paint.yellow(&cause) };
        ui.line(&format!("{}  {cause}: {}", paint.bold(&text::line(task)), text::line(&self.evidence)))?;
        ui.line(&format!("          {} {}", paint.dim("→"), context.advise(self.help.clone())))
    }
}
