//! `events/stream`: what happens from a place of the log on, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ErrorData;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::super::errors::refused;
use super::super::request::{Request, Serving};
use super::super::streaming::{notify, until_closed};
use super::subscription::{Beginning, Subscription};
use crate::engine::{EngineResult, Watch, Watched};
use crate::events_extension::{ACTIVE, EVENT, HEARTBEAT, HEARTBEAT_WITHIN, TERMINATED};
use crate::store::EventFilter;
use crate::task::Event;

/// How often a stream shows that it lives, and where in the log it is: twice as often as clients have to hear of it.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(HEARTBEAT_WITHIN.as_secs() / 2);

/// How long a client may leave one message unread: its place is in the log, from which it can go on.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// What a stream meets next.
enum Next {
    /// It is time to show that it lives.
    Heartbeat,
    /// What the log has.
    Log(EngineResult<Watched>),
}

/// Serves a stream until the client ends it or the server stops.
pub(in crate::server) async fn stream(serving: &Arc<Serving>, request: Request) -> Result<Value, ErrorData> {
    let subscription = Subscription::of(&request)?;
    let beginning = subscription.begin(serving, &request).await?;
    let watch = serving.engine.watch(EventFilter::All, beginning.after).await.map_err(refused)?;
    let streaming = Streaming { serving, request: &request, subscription, watch };
    until_closed(serving, &request, streaming.run(beginning)).await
}

struct Streaming<'a> {
    serving: &'a Serving,
    request: &'a Request,
    subscription: Subscription,
    watch: Watch,
}

impl Streaming<'_> {
    /// Tells what happens. Ends only with an error.
    async fn run(mut self, beginning: Beginning) -> Result<Infallible, ErrorData> {
        self.begin(beginning.truncated).await?;
        let mut heartbeats = interval_at(Instant::now() + HEARTBEAT_EVERY, HEARTBEAT_EVERY);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                _ = heartbeats.tick() => Next::Heartbeat,
                read = self.watch.next_or_reset() => Next::Log(read),
            };
            match next {
                Next::Heartbeat => self.tell(HEARTBEAT, json!({ "cursor": self.watch.after() })).await?,
                Next::Log(Ok(Watched::Event(event))) => self.happened(&event).await?,
                Next::Log(Ok(Watched::Reset | Watched::Cut)) => self.begin(true).await?,
                Next::Log(Err(error)) => {
                    let error = refused(error);
                    self.tell(TERMINATED, json!({ "error": error })).await?;
                    return Err(error);
                }
            }
        }
    }

    /// Says from where on it tells, and whether something is passed over.
    async fn begin(&mut self, truncated: bool) -> Result<(), ErrorData> {
        self.tell(ACTIVE, json!({ "cursor": self.watch.after(), "truncated": truncated })).await
    }

    async fn happened(&mut self, event: &Event) -> Result<(), ErrorData> {
        if !self.subscription.admits(event) || self.serving.relay.silences(&event.task) {
            return Ok(());
        }
        let mut occurrence = self.subscription.occurrence(&self.serving.engine, event).await;
        occurrence["cursor"] = json!(event.cursor);
        self.tell(EVENT, occurrence).await
    }

    /// Tells something. What happens while the client does not read waits in the log, not here.
    async fn tell(&mut self, method: &str, params: Value) -> Result<(), ErrorData> {
        let telling = tokio::time::timeout(READ_WITHIN, notify(self.request, method, params));
        self.watch.meanwhile(telling).await.unwrap_or_else(|_| {
            let problem = format!("nothing was read of this stream for {} s", READ_WITHIN.as_secs());
            Err(ErrorData::internal_error(problem, None))
        })
    }
}
