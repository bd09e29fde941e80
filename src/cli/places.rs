//! The places that a command looks at: those that its options name.

use std::sync::Arc;

use super::config::StoreChoice;
use super::context::Context;
use super::failure::Failure;
use super::remote::{self, RemoteArgs};
use crate::desk::place::{Found, Place};
use crate::desk::places::{Places, no_task};
use crate::desk::server::Server;

/// Does a command's work at its places, and leaves them in good order. Whoever waits for a task waits for its place too.
pub(crate) async fn at<T>(
    context: &Context,
    remote: &RemoteArgs,
    waits: bool,
    work: impl AsyncFnOnce(&Places) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let open = async || open(context, remote).await;
    let places = if waits {
        context.rides_out_outages();
        context.ride_out(open).await?
    } else {
        open().await?
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

/// The places. Nothing is written.
pub(crate) async fn open(context: &Context, remote: &RemoteArgs) -> Result<Places, Failure> {
    if let Some(target) = remote.target(context)? {
        let client = remote.connect(&target, None).await?;
        remote::introduce(&context.ui, &client);
        let server = Server::new(client, &target, context.kept());
        return Ok(Places::of(vec![Place::Server(Arc::new(server))]));
    }
    let docket = context.config.docket.as_deref();
    match (&context.config.store, docket) {
        (StoreChoice::Redis(url), docket) => Places::of_redis(url, docket, context.existing()).await,
        (StoreChoice::Sqlite(_), None) => {
            Ok(Places::of(context.existing().await?.map(Place::Store).into_iter().collect()))
        }
        (StoreChoice::Sqlite(_), Some(_)) => {
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
    let find = async || {
        if places.is_empty() {
            return Err(no_task(prefix).hint(context.nothing_begun()));
        }
        places.find(prefix).await
    };
    if waits { context.ride_out(find).await } else { find().await }
}
