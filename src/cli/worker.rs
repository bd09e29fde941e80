//! `worker`: runs tasks, without a server.

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::activity::{self, Whose};
use super::context::Context;
use super::environment;
use super::failure::Failure;
use super::notifying;
use super::offer::{OfferArgs, Offered};
use super::retention::RetentionArgs;
use super::signals::{Signals, Stop, bury_orphans};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::Engine;
use crate::task::WorkerId;
use crate::worker::{Tools, Worker, WorkerConfig};

/// Run tasks of the store, without a server
///
/// As many workers on as many machines as wanted. A task that waits for an answer takes no room. The first
/// SIGINT or SIGTERM lets running tasks finish, the second ends at once; another worker goes on then.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// How many tasks run at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    #[command(flatten)]
    pub(crate) offer: OfferArgs,
    #[command(flatten)]
    retention: RetentionArgs,
}

pub(crate) async fn run(context: &Context, args: WorkerArgs) -> Result<(), Failure> {
    if let Some(fault) = args.offer.faults().iter().find(|fault| fault.is_servers()) {
        let serve = Suggested::new("serve").option("--fault", fault.as_str());
        return Err(Failure::usage(format!(
            "--fault {fault} has no effect on a worker: the server shows it"
        ))
        .hint(Advice::command(serve, "shows it, and so does the step `fault` of a script")));
    }
    let Offered { tools, notifiers } = args.offer.read()?;
    let notifiers = notifying::open(notifiers, &context.environment)?;
    let signals = Signals::of_service()?;
    context.before_working().await?;
    let engine = context.engine().await?;
    args.retention.apply(&engine);
    let stop = context.stop.child_token();
    let id = worker_id();
    let worker = enlist(&engine, &id, usize::from(args.concurrency), (&args.offer, tools)).await?;
    // It listens before it says that it runs: who reads that may send SIGHUP at once.
    let parts = TaskTracker::new();
    args.offer.reload(context, &parts, worker.tools(), &stop)?;
    notifying::begin(
        (context, &args.offer, context.config.public_url.as_ref()),
        notifiers,
        &engine,
        (&parts, &stop),
    )?;
    if context.ui.is_json() {
        context
            .ui
            .object(&json!({ "event": "started", "worker": id, "store": engine.store().location() }))?;
    }
    context.ui.talk(&format!(
        "worker {id} runs {} tasks at once on {}",
        args.concurrency,
        engine.store().location()
    ));
    if context.ui.may_animate() {
        activity::suggest(context, &engine).await;
    }
    activity::tell(context, &engine, Whose::of(&id), &parts, &stop).await;
    parts.spawn(worker.run(stop.clone()));
    spawn_time(&parts, &engine, &stop);
    until_stopped(context, signals, parts, &stop, OnLoss::End).await
}

/// Announces a worker of the tools that are offered.
pub(super) async fn enlist(
    engine: &Engine,
    id: &WorkerId,
    concurrency: usize,
    (offer, tools): (&OfferArgs, Tools),
) -> Result<Worker, Failure> {
    let mut config = WorkerConfig::new(id.clone(), tools, concurrency);
    config.host = Some(environment::host());
    config.faults = offer.faults().to_vec();
    config.lease = offer.lease();
    config.source = offer.source();
    Ok(Worker::enlist(engine.clone(), config).await?)
}

/// An id that tells people the machine and the process.
pub(super) fn worker_id() -> WorkerId {
    WorkerId::generate(environment::host().split('.').next().unwrap_or_default())
}

/// Keeps deadlines as long as the process serves.
pub(super) fn spawn_time(parts: &TaskTracker, engine: &Engine, stop: &CancellationToken) {
    let (engine, stop) = (engine.clone(), stop.clone());
    parts.spawn(async move { engine.keep_time(stop).await });
}

/// What is done when the store is found not to come back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnLoss {
    /// The process ends, since it can do nothing more.
    End,
    /// It goes on to tell its clients why nothing works.
    Refuse,
}

/// Waits for the first signal, then for all parts to end, or for the second signal.
pub(super) async fn until_stopped(
    context: &Context,
    signals: Signals,
    parts: TaskTracker,
    stop: &CancellationToken,
    on_loss: OnLoss,
) -> Result<(), Failure> {
    parts.spawn(bury_orphans(stop.clone()));
    parts.close();
    let ui = context.ui.clone();
    let draining = move || ui.talk("stopping; running tasks may finish. A second signal ends at once");
    let lost = async {
        if on_loss == OnLoss::Refuse {
            return std::future::pending().await;
        }
        let lost = context.lost().await;
        // Nothing can be recorded any more, so nothing is waited for but the ends of what runs.
        stop.cancel();
        parts.wait().await;
        lost
    };
    tokio::select! {
        biased;
        lost = lost => Err(lost),
        () = parts.wait() => Ok(()),
        second = signals.stop_then_abort(stop, draining) => Err(aborted(second)),
    }
}

fn aborted(second: Stop) -> Failure {
    second.failure().hint("tasks that were running go on at another worker, or when one starts here")
}
