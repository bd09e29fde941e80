//! Where the last events begin.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::Wanted;
use crate::desk::failure::Failure;
use crate::engine::Engine;
use crate::store::EventFilter;
use crate::task::Cursor;

/// Events that are read at once.
const PAGE: usize = 500;

/// The most events that can be asked for: as many as a log keeps. Only their places are kept in memory.
pub(crate) const MOST: u64 = crate::store::MAX_LOG_EVENTS;

/// The place after which the last `count` wanted events of a log begin; of those that happened after `after`, and not before
/// that time.
pub(crate) async fn begin_of_last(
    engine: &Engine,
    filter: &EventFilter,
    (after, not_before): (Cursor, Option<Timestamp>),
    count: usize,
    wanted: &Wanted,
) -> Result<Cursor, Failure> {
    if count == 0 {
        return Ok(engine.last().await?);
    }
    // Behind each wanted event that is kept, the place of the event before it.
    let (mut places, mut behind, mut next) = (VecDeque::new(), after, Some(after));
    while let Some(cursor) = next {
        let page = engine.store().history(filter, cursor, PAGE).await?;
        for event in &page.events {
            let is_late = not_before.is_none_or(|at| event.at >= at);
            if is_late && !event.hidden && wanted.admits_event(event) {
                places.push_back(behind);
            }
            behind = event.cursor;
            if places.len() > count {
                places.pop_front();
            }
        }
        next = page.next;
    }
    Ok(places.front().copied().unwrap_or(after))
}
