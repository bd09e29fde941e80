//! Making deliveries of what there is to tell.

use jiff::Timestamp;
use serde_json::json;

use super::notice::Notice;
use crate::store::notifiers::Delivery;
use crate::task::Event;

/// A delivery of what is told of an event by that notifier.
pub(super) fn of(notifier: &str, event: &Event, notice: &Notice, number: u64) -> Delivery {
    Delivery {
        id: notice.id(notifier, &event.cursor.to_string()),
        number,
        task: event.task.clone(),
        queued_at: Timestamp::now(),
        tries: 0,
        next_try: None,
        problem: None,
        notice: json!(notice),
    }
}
