//! `demo`: the whole loop in one terminal: a server, a worker, a client that is asked through the relay.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow::Answering;
use super::remote;
use super::remote_answering::RemoteAnswering;
use super::ui::{Piece, event};
use super::{outcome, worker};
use crate::client::{Call, Client, Era, Submitted, Target};
use crate::desk::answers::Answers;
use crate::desk::background::Background;
use crate::desk::place::SERVER;
use crate::desk::watch::Seen;
use crate::engine::{Engine, Limits};
use crate::server::{self, ServeConfig};
use crate::store::sqlite::SqliteStore;
use crate::store::{EventFilter, Store as _};
use crate::task::{Cursor, TaskId};
use crate::worker::{Worker, WorkerConfig, builtin};

/// Show the whole loop in one terminal: a task asks, you answer, it goes on
///
/// Runs a server, a worker and a client on a store that is thrown away afterwards; needs no set-up. Without a
/// terminal, given answers are used.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// What is answered where nobody can be asked.
const GIVEN: &str = r#"{ "cuisine": "Italian", "vegetarian": true }"#;

pub(crate) async fn run(context: &Context, _: DemoArgs) -> Result<(), Failure> {
    if let Some(flag) = context.config.flag_of_store() {
        context.ui.talk(&format!("{flag} has no effect here: the demo has a store of its own"));
    }
    let place = Place::make()?;
    let store = SqliteStore::open(&place.path.join("tasks.db"), "demo").await?;
    let engine = Engine::new(store.clone(), Limits::default(), context.stop.clone());
    let stop = context.stop.child_token();
    let parts = TaskTracker::new();
    say(context, 1, "A worker takes tasks from a store, here an SQLite file that is thrown away afterwards.");
    let worker =
        Worker::enlist(engine.clone(), WorkerConfig::new(worker::worker_id(), builtin::tools(), 4)).await?;
    parts.spawn(worker.run(stop.clone()));
    worker::spawn_time(&parts, &engine, &stop);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_port)?;
    let listen = listener.local_addr().map_err(no_port)?;
    say(context, 2, &format!("A server speaks MCP at http://{listen}/mcp."));
    let config = ServeConfig::default();
    parts.spawn(server::http(engine.clone(), config, listener, stop.clone()));
    let done = as_client(context, &engine, &format!("http://{listen}/mcp")).await;
    stop.cancel();
    parts.close();
    parts.wait().await;
    store.close().await;
    done
}

fn no_port(error: std::io::Error) -> Failure {
    Failure::caused(Kind::Unexpected, format!("cannot listen on 127.0.0.1: {error}"), error)
}

/// Plays the client: submits the task and has its questions answered.
async fn as_client(context: &Context, engine: &Engine, url: &str) -> Result<(), Failure> {
    let answers = if context.ui.may_prompt() {
        None
    } else {
        context.ui.talk(&format!("   Nobody can be asked here, so these answers are given: {GIVEN}"));
        Some(Answers::parse(GIVEN).map_err(Failure::usage)?)
    };
    let answering = RemoteAnswering::new(Answering::new(context, answers), false);
    let client = Client::connect(&Target::http(url)?, Era::Legacy, Some(answering.clone())).await?;
    let done = dinner(context, engine, &client, &answering).await;
    client.close().await;
    done
}

async fn dinner(
    context: &Context,
    engine: &Engine,
    client: &Client,
    answering: &Arc<RemoteAnswering>,
) -> Result<(), Failure> {
    say(
        context,
        3,
        "A client calls the tool plan_dinner as a task. The call returns at once, with the task's id:",
    );
    let call = Call { tool: "plan_dinner".to_owned(), session: Some("demo".to_owned()), ..Call::default() };
    answering.is_about(Some(call.tool.clone()), Background::of_call(&call));
    let Submitted::Task(task) = client.submit(call).await? else {
        return Err(Failure::new(Kind::Unexpected, "the server ran plan_dinner in the foreground"));
    };
    context.ui.talk(&format!("   {}", context.ui.talk_paint().bold(&task.id)));
    if context.ui.is_json() {
        context.ui.object(&json!({ "task": task.id, "tool": "plan_dinner", "status": task.status }))?;
    }
    say(
        context,
        4,
        "The worker runs it, and it asks. The server passes each question on to the client: you.",
    );
    answering.announced(&task);
    let ended = client.follow(&task.id, &|_| {}).await;
    let ended = ended.map_err(|error| thrown_away(remote::explained(error, answering)))?;
    say(context, 5, "The answers went back to the worker, and the task ended. Its result:");
    outcome::tell(context, (SERVER, &task.id), &ended.into())?;
    log(context, engine, &task.id).await?;
    next_steps(context);
    Ok(())
}

/// The failure of a question that was left open: nobody can answer it later, as elsewhere.
fn thrown_away(failure: Failure) -> Failure {
    if failure.kind() != Kind::NeedsInput {
        return failure;
    }
    Failure::new(failure.kind(), failure.to_string())
        .hint("the demo's task and its store are thrown away with it; `mcptask demo` begins anew")
}

/// What `watch` would have shown.
async fn log(context: &Context, engine: &Engine, id: &str) -> Result<(), Failure> {
    say(context, 6, "All of it is in the event log, which `mcptask watch` shows:");
    let task: TaskId =
        id.parse().map_err(|error| Failure::caused(Kind::Unexpected, "an odd task id", error))?;
    let events = engine.store().history(&EventFilter::Task(task), Cursor::START, 100).await?.events;
    for one in &events {
        event::talk_below(&context.ui, "   ", &Seen::of_event(one), Timestamp::now());
    }
    Ok(())
}

fn next_steps(context: &Context) {
    let ui = &context.ui;
    ui.talk("");
    ui.talk("The same in four terminals, for tasks that stay:");
    for command in ["serve", "submit plan_dinner --session dinner", "watch dinner", "respond"] {
        ui.talk(&format!("   {}", ui.talk_paint().bold(&format!("mcptask {command}"))));
    }
}

fn say(context: &Context, step: usize, text: &str) {
    let number = context.ui.talk_paint().cyan(&format!("{step}."));
    context.ui.talk_after(&format!("{number} "), &[Piece::Words(text.to_owned())]);
}

/// A directory that nobody else can read, gone when dropped.
struct Place {
    path: PathBuf,
}

impl Place {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("mcptask-demo-{}", TaskId::generate()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| {
            Failure::caused(
                Kind::Unexpected,
                format!("cannot make the directory {}: {error}", path.display()),
                error,
            )
            .hint("TMPDIR names the directory for temporary files")
        })?;
        Ok(Self { path })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::warn!(%error, ?path, "could not remove the demo's directory");
    }
}
