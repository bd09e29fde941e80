//! The log read backward, by a store that only reads it forward.

use std::collections::VecDeque;

use super::{EventFilter, History, Store, StoreResult};
use crate::task::{Cursor, Event};

/// Events that are read at once.
const PAGE: usize = 500;

/// [`Store::history_before`], by going through all that comes before. No more than is wanted is kept.
pub(super) async fn by_reading_forward<S: Store + ?Sized>(
    store: &S,
    filter: &EventFilter,
    before: Option<Cursor>,
    most: usize,
) -> StoreResult<History> {
    let mut kept: VecDeque<Event> = VecDeque::new();
    let (mut after, mut is_cut) = (Some(Cursor::START), false);
    while let Some(cursor) = after {
        let page = store.history(filter, cursor, PAGE).await?;
        after = page.next;
        for event in page.events {
            if before.is_some_and(|before| event.cursor >= before) {
                after = None;
                break;
            }
            kept.push_back(event);
            if kept.len() > most {
                kept.pop_front();
                is_cut = true;
            }
        }
    }
    let next = kept.front().map(|event| event.cursor).filter(|_| is_cut);
    Ok(History { events: kept.into_iter().rev().collect(), unreadable: Vec::new(), next })
}
