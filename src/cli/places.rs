//! The places that a command looks at: those that its options name.

use std::sync::Arc;

use super::config::StoreChoice;
use super::connections;
use super::context::Context;
use super::failure::Failure;
use super::remote::RemoteArgs;
use crate::desk::place::{Found, Place, no_task};
use crate::desk::places::Places;
use crate::desk::selection::counted;
use crate::desk::server::Unseen;
use crate::desk::sought::Sought;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::Engine;

/// Does a command's work at its places, and leaves them in good order. Whoever waits for a task waits for its place too.
pub(crate) async fn at<T>(
    context: &Context,
    remote: &RemoteArgs,
    waits: bool,
    work: impl AsyncFnOnce(&Places) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let places = if waits {
        context.rides_out_outages();
        context.ride_out(async || context.asking(open(context, remote, true)).await).await?
    } else {
        context.asking(open(context, remote, false)).await?
    };
    let done = work(&places).await;
    places.close().await;
    done
}

/// Says so where the places are not all there may be.
pub(crate) fn tell_unsearched(context: &Context, places: &Places) {
    if let Some(why) = places.unsearched() {
        context.ui.talk(&context.advise(why));
    }
}

/// Says so where tasks cannot be read, and what that means here: " and are left out".
pub(crate) fn tell_unreadable(context: &Context, count: usize, so: &str) {
    if count > 0 {
        let words = format!("{} cannot be read{so}; ", counted(count, "task"));
        let doctor = Advice::command(Suggested::new("doctor"), "names them");
        context.ui.warn(&context.advise(doctor.after(&words)));
    }
}

/// The most questions that are named of those that nobody here can answer.
const NAMED: usize = 3;

/// Says so where tasks of a server cannot be looked at, and what cannot be answered here.
pub(crate) fn tell_unseen(context: &Context, unseen: &Unseen) {
    unseen.in_words().iter().for_each(|words| context.ui.warn(words));
    unseen.unanswerable.iter().take(NAMED).for_each(|words| context.ui.warn(words));
    let more = unseen.unanswerable.len().saturating_sub(NAMED);
    if more > 0 {
        let doctor = Advice::command(Suggested::new("doctor"), "names them");
        context.ui.warn(&context.advise(doctor.after(&format!("{more} more cannot be answered here; "))));
    }
}

/// Says so where nobody runs the task that is waited for.
pub(crate) async fn tell_unoffered(context: &Context, found: &Found) {
    if let Some(tool) = found.unoffered_tool().await {
        let said = match found {
            // One of ours would take nothing of FastMCP's, and begin a store in its Redis.
            Found::Fastmcp(..) => Advice::from(format!(
                "no worker runs {tool:?} now; the task waits until one does: start a worker of the server that has this tool"
            )),
            Found::Store(..) | Found::Server(..) => unoffered(&tool),
        };
        context.ui.warn(&context.advise(said));
    }
}

/// What is said of a task that no worker will take: it waits for ever.
pub(crate) fn unoffered(tool: &str) -> Advice {
    Advice::worker_for(format!("no worker runs {tool:?} now; the task waits until one does: "), tool)
}

/// The places. Nothing is written. A server that is away is waited for where the command `waits`.
pub(crate) async fn open(context: &Context, remote: &RemoteArgs, waits: bool) -> Result<Places, Failure> {
    if let Some(target) = remote.target(context)? {
        let server = connections::open(context, remote, &target, waits, None).await;
        let server = server.map_err(|failure| failure.of_outage(false))?;
        return Ok(Places::of(vec![Place::Server(Arc::new(server))]));
    }
    of_store(context, context.existing()).await
}

/// The places of the store that is chosen, of which `existing` opens our own.
pub(crate) async fn of_store(
    context: &Context,
    existing: impl Future<Output = Result<Option<Engine>, Failure>>,
) -> Result<Places, Failure> {
    let docket = context.config.docket.as_deref();
    match (&context.config.store, docket) {
        (StoreChoice::Redis(url), docket) => Places::of_redis(url, docket, existing).await,
        (StoreChoice::Sqlite(_) | StoreChoice::Nowhere, None) => {
            Ok(Places::of(existing.await?.map(Place::Store).into_iter().collect()))
        }
        (StoreChoice::Sqlite(_) | StoreChoice::Nowhere, Some(_)) => {
            Err(Failure::usage("--docket names a FastMCP deployment, which is in a Redis")
                .hint("give --redis URL"))
        }
    }
}

/// The task whose id begins so, wherever it is.
pub(crate) async fn find(
    context: &Context,
    places: &Places,
    prefix: &str,
    waits: bool,
) -> Result<Found, Failure> {
    seek(context, places, prefix, waits).await?.task()
}

/// The same, or what the archive has of such a task.
pub(crate) async fn seek(
    context: &Context,
    places: &Places,
    prefix: &str,
    waits: bool,
) -> Result<Sought, Failure> {
    let find = async || {
        if places.is_empty() {
            return Err(no_task(prefix).hint(context.nothing_begun()));
        }
        places.seek(prefix).await
    };
    let find = async || context.asking(find()).await;
    let found = if waits { context.ride_out(find).await } else { find().await }?;
    context.concerns(found.id(), None);
    Ok(found)
}
