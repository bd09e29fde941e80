//! Task ids, sessions and tools, while a line is being typed. Whatever goes wrong completes nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use jiff::Timestamp;

use super::config::{Config, GlobalArgs, StoreChoice};
use super::context::existing_store;
use super::environment::Environment;
use super::profile;
use super::ui::{event, text, time};
use crate::desk::places::SEARCHED;
use crate::fastmcp::{DeployedTask, Deployment};
use crate::store::{Store, TaskFilter};
use crate::task::{Task, TaskStatus};

/// The most tasks that are offered.
const MOST: usize = 50;

/// How many tasks are read at once.
const PAGE: usize = 200;

/// No page of tasks is begun after this long, so that what was found is offered in time.
const SEARCH: Duration = Duration::from_millis(400);

/// A shell that waits longer than this feels broken.
const PATIENCE: Duration = Duration::from_millis(800);

/// All tasks.
pub(crate) fn tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| found(current, &[None]))
}

/// Tasks that can be answered.
pub(crate) fn waiting_tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| found(current, &[Some(TaskStatus::InputRequired)]))
}

/// Tasks that can be cancelled.
pub(crate) fn unfinished_tasks() -> ArgValueCompleter {
    let unfinished = [Some(TaskStatus::InputRequired), Some(TaskStatus::Working)];
    ArgValueCompleter::new(move |current: &OsStr| found(current, &unfinished))
}

/// Tasks that can be started again.
pub(crate) fn ended_tasks() -> ArgValueCompleter {
    let ended = [Some(TaskStatus::Failed), Some(TaskStatus::Cancelled), Some(TaskStatus::Completed)];
    ArgValueCompleter::new(move |current: &OsStr| found(current, &ended))
}

/// What a task can be.
pub(crate) fn statuses() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        TaskStatus::ALL.iter().map(|status| CompletionCandidate::new(status.as_str())).collect()
    })
}

/// Sessions of tasks, the newest first.
pub(crate) fn sessions() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let fits = |session: &str| current.to_str().is_some_and(|current| session.starts_with(current));
        let mut known = BTreeSet::new();
        let mut wanted = |task: Task| {
            let session = task.new.session.map(|session| session.to_string());
            session.filter(|session| fits(session) && known.insert(session.clone()))
        };
        let sessions = with_store(async |store| Some(sought(store, &[None], &mut wanted).await));
        let line = |session: String| CompletionCandidate::new(text::line(&session));
        sessions.unwrap_or_default().into_iter().map(line).collect()
    })
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

fn found(current: &OsStr, statuses: &[Option<TaskStatus>]) -> Vec<CompletionCandidate> {
    let fits = |task: &Task| current.to_str().is_some_and(|current| task.id().as_str().starts_with(current));
    let mut wanted = |task: Task| Some(task).filter(fits);
    let tasks = with_store(async |store| Some(sought(store, statuses, &mut wanted).await));
    let own = tasks.unwrap_or_default();
    let deployed = deployed_tasks().unwrap_or_default();
    let is_sought = |task: &&DeployedTask| {
        let is_one_of = |status: &Option<TaskStatus>| status.is_none_or(|status| status == task.status);
        current.to_str().is_some_and(|current| task.id.starts_with(current)) && statuses.iter().any(is_one_of)
    };
    let deployed = deployed.iter().filter(is_sought).take(MOST - own.len());
    let deployed = deployed.map(|task| {
        let when = task.created_at.map(|at| format!(", {}", time::relative(at, Timestamp::now())));
        let (tool, when) = (text::short(&task.component.name, 30), when.unwrap_or_default());
        offered(&task.id, format!("{tool} {}{when}", task.status), current)
    });
    own.iter().map(|task| candidate(task, current)).chain(deployed).collect()
}

/// The tasks that FastMCP keeps in the Redis that is named: looking writes nothing there.
fn deployed_tasks() -> Option<Vec<DeployedTask>> {
    let config = chosen()?;
    let StoreChoice::Redis(url) = &config.store else { return None };
    let docket = config.docket.as_deref();
    in_time(async {
        let found = match docket {
            Some(_) => Deployment::discover(url, docket).await,
            None => Deployment::discover_among(url, SEARCHED).await,
        };
        let mut tasks = Vec::new();
        for deployment in found.ok()? {
            tasks.extend(deployment.list().await.ok()?);
        }
        Some(tasks)
    })
}

/// What `wanted` makes of the tasks in one of the statuses, however many others are newer: as much as is found in time.
async fn sought<T>(
    store: &dyn Store,
    statuses: &[Option<TaskStatus>],
    wanted: &mut impl FnMut(Task) -> Option<T>,
) -> Vec<T> {
    let began = Instant::now();
    let mut found = Vec::new();
    for status in statuses {
        let filter = TaskFilter { status: *status, ..TaskFilter::default() };
        let mut after = None;
        loop {
            let Ok(page) = store.list(&filter, after.as_ref(), PAGE).await else { return found };
            found.extend(page.tasks.into_iter().filter_map(&mut *wanted).take(MOST - found.len()));
            after = page.next;
            if after.is_none() || found.len() == MOST {
                break;
            }
            if began.elapsed() > SEARCH {
                return found;
            }
        }
    }
    found
}

fn candidate(task: &Task, current: &OsStr) -> CompletionCandidate {
    let when = time::relative(task.updated_at, Timestamp::now());
    let help = format!("{} {}, {when}", text::short(&task.new.tool, 30), task.status);
    offered(task.id().as_str(), help, current)
}

fn offered(id: &str, help: String, current: &OsStr) -> CompletionCandidate {
    // Who typed more than the short form wants the whole.
    let shown = if current.len() > event::short(id).len() { id } else { event::short(id) };
    CompletionCandidate::new(text::line(shown)).help(Some(help.into()))
}

/// The words of the line as far as it is typed, after the program's name.
pub(super) fn typed_words() -> Vec<String> {
    std::env::args_os()
        .skip_while(|word| word != "--")
        .skip(2)
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// The configuration that the environment, and the line as far as it is typed, come to.
fn chosen() -> Option<Config> {
    let words = typed_words();
    // A server is not asked while a line is typed, and what is elsewhere would mislead.
    let names_a_server =
        |word: &String| ["--server", "--stdio"].iter().any(|flag| word.split('=').next() == Some(flag));
    if words.iter().any(names_a_server) {
        return None;
    }
    let given = GlobalArgs::of_words(&words);
    let environment = Environment::of_process();
    let profile = profile::chosen(&given, &environment).ok()?;
    Config::resolve(&given, &environment, profile.as_ref()).ok().filter(|config| config.server.is_none())
}

/// What was found while somebody still waits for it.
fn in_time<T>(reading: impl Future<Output = Option<T>>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, reading).await.ok()? });
    // A name that is being looked up must not keep the shell waiting.
    runtime.shutdown_background();
    found
}

/// Runs `read` on the store that is named. Nothing is written: where nobody has begun a store there is nothing to offer.
pub(super) fn with_store<T>(read: impl AsyncFnOnce(&dyn Store) -> Option<T>) -> Option<T> {
    let config = chosen()?;
    in_time(async {
        let store = existing_store(&config).await.ok()?;
        let found = read(&*store).await;
        store.close().await;
        found
    })
}
