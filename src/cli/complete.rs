//! Task ids and tools, while a line is being typed. Whatever goes wrong completes nothing.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use jiff::Timestamp;

use super::config::{Config, GlobalArgs};
use super::context::existing_store;
use super::environment::Environment;
use super::ui::{event, text, time};
use crate::store::{Store, TaskFilter};
use crate::task::{Task, TaskStatus};

/// The most tasks that are offered.
const MOST: usize = 50;

/// A shell that waits longer than this feels broken.
const PATIENCE: Duration = Duration::from_millis(800);

/// All tasks.
pub(crate) fn tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| found(current, |_| true))
}

/// Tasks that can be answered.
pub(crate) fn waiting_tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| found(current, |task| task.status == TaskStatus::InputRequired))
}

/// Tasks that can be cancelled.
pub(crate) fn unfinished_tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| found(current, |task| !task.status.is_final()))
}

/// Names of tools.
pub(crate) fn tools() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let tools = with_store(async |store| store.tools().await.ok()).unwrap_or_default();
        let fits = |name: &str| current.to_str().is_some_and(|current| name.starts_with(current));
        let candidate = |tool: crate::task::ToolSpec| {
            fits(&tool.name).then(|| {
                CompletionCandidate::new(text::line(&tool.name))
                    .help(Some(text::short(&tool.description, 70).into()))
            })
        };
        tools.rows.into_iter().filter_map(candidate).collect()
    })
}

fn found(current: &OsStr, wanted: fn(&Task) -> bool) -> Vec<CompletionCandidate> {
    let page = with_store(async |store| store.list(&TaskFilter::default(), None, MOST).await.ok());
    let fits = |task: &Task| current.to_str().is_some_and(|current| task.id().as_str().starts_with(current));
    let tasks = page.map(|page| page.tasks).unwrap_or_default();
    tasks.iter().filter(|task| wanted(task) && fits(task)).map(|task| candidate(task, current)).collect()
}

fn candidate(task: &Task, current: &OsStr) -> CompletionCandidate {
    let id = task.id().as_str();
    // Who typed more than the short form wants the whole.
    let shown = if current.len() > event::short(id).len() { id } else { event::short(id) };
    let when = time::relative(task.updated_at, Timestamp::now());
    let help = format!("{} {}, {when}", text::short(&task.new.tool, 30), task.status);
    CompletionCandidate::new(shown).help(Some(help.into()))
}

/// Runs `read` on the store that the environment, and the line as far as it is typed, name. Nothing is written: where
/// nobody has begun a store there is nothing to offer.
fn with_store<T>(read: impl AsyncFnOnce(&dyn Store) -> Option<T>) -> Option<T> {
    let typed: Vec<String> = std::env::args().skip_while(|word| word != "--").skip(2).collect();
    let config = Config::resolve(&GlobalArgs::of_words(&typed), &Environment::of_process()).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let reading = async {
        let store = existing_store(&config).await.ok()?;
        let found = read(&*store).await;
        store.close().await;
        found
    };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, reading).await.ok()? })
}
