//! `events/poll`: what has happened since the last poll, without anything kept of it here.

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::super::errors::refused;
use super::super::request::{Request, Serving};
use super::subscription::{Subscription, whole};
use crate::engine::{EngineError, bytes};
use crate::store::EventFilter;

/// The most events of one poll, and their most bytes of JSON, but for one that is larger by itself.
const MOST: usize = 100;
const MOST_BYTES: usize = 1024 * 1024;

/// Events of the log that are read at once, and how often for one poll: where those that are wanted are few, the next poll
/// goes on from there.
const PAGE: usize = 500;
const MOST_PAGES: usize = 20;

/// The shortest pause between two polls that clients are asked for, in milliseconds.
const SHORTEST_PAUSE_MS: u64 = 1000;

/// See the module.
pub(in crate::server) async fn poll(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let subscription = Subscription::of(request)?;
    let most =
        whole(request, "maxEvents", 1)?.map_or(MOST, |most| usize::try_from(most).unwrap_or(MOST)).min(MOST);
    let beginning = subscription.begin(serving, request).await?;
    let (mut events, mut size, mut after, mut has_more) = (Vec::new(), 0, beginning.after, false);
    let store = serving.engine.store();
    // What happens from now on has not happened yet.
    let pages = if beginning.is_now { 0 } else { MOST_PAGES };
    'reading: for page in 1..=pages {
        let read = store.history(&EventFilter::All, after, PAGE).await;
        let read = read.map_err(|error| refused(EngineError::from(error)))?;
        for event in &read.events {
            if subscription.admits(event) && !serving.relay.silences(&event.task) {
                let occurrence = subscription.occurrence(&serving.engine, event).await;
                size += bytes(&occurrence);
                has_more = events.len() >= most || (size > MOST_BYTES && !events.is_empty());
                if has_more {
                    break 'reading;
                }
                events.push(occurrence);
            }
            after = event.cursor;
        }
        let Some(next) = read.next else { break };
        // A page of nothing but what cannot be read is gone past too.
        after = next.max(after);
        has_more = page == MOST_PAGES;
    }
    Ok(json!({
        "resultType": "complete",
        "events": events,
        "cursor": after,
        "truncated": beginning.truncated,
        "hasMore": has_more,
        "nextPollMs": serving.config.poll_interval_ms.max(SHORTEST_PAUSE_MS),
    }))
}
