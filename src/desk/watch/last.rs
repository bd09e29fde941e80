//! Where the last events begin.

use jiff::Timestamp;

use super::Wanted;
use crate::desk::failure::Failure;
use crate::engine::Engine;
use crate::store::EventFilter;
use crate::task::Cursor;

/// Events that are read at once, at least and at most: mostly a few are asked for, and each may be among many that are not
/// wanted.
const PAGE: (usize, usize) = (50, 500);

/// The most events that can be asked for: as many as a log keeps.
pub(crate) const MOST: u64 = crate::store::MAX_LOG_EVENTS;

/// The place after which the last `count` wanted events of a log begin; of those that happened after `after`, and not before
/// that time. The log is read backward, no further than is needed for it.
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
    let most = count.saturating_add(1).clamp(PAGE.0, PAGE.1);
    let (mut left, mut before) = (count, None);
    loop {
        let page = engine.store().history_before(filter, before, most).await?;
        let mut is_late = false;
        for event in &page.events {
            // The event before the first of those that are wanted.
            if left == 0 || event.cursor <= after {
                return Ok(event.cursor.max(after));
            }
            if not_before.is_none_or(|at| event.at >= at) {
                is_late = true;
                left -= usize::from(!event.hidden && wanted.admits_event(event));
            }
        }
        // A clock that was set may have put some of them out of order, but hardly a page.
        let is_past = not_before.is_some() && !is_late && !page.events.is_empty();
        before = page.next;
        if before.is_none() || is_past {
            return Ok(after);
        }
    }
}
