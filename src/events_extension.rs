//! The words of the Events extension (SEP-3415), which are still moving: what our server says and our client reads.

use std::time::Duration;

/// The extension's name, among `capabilities.extensions`.
pub(crate) const ID: &str = "io.modelcontextprotocol/events";

/// Where an older sketch had it among the capabilities; some clients look there alone.
pub(crate) const OLD_KEY: &str = "events";

/// The requests.
pub(crate) const LIST: &str = "events/list";
pub(crate) const POLL: &str = "events/poll";
pub(crate) const STREAM: &str = "events/stream";

/// What is told in a stream.
pub(crate) const ACTIVE: &str = "notifications/events/active";
pub(crate) const EVENT: &str = "notifications/events/event";
pub(crate) const HEARTBEAT: &str = "notifications/events/heartbeat";
pub(crate) const ERROR: &str = "notifications/events/error";
pub(crate) const TERMINATED: &str = "notifications/events/terminated";

/// All of that.
pub(crate) const TOLD: [&str; 5] = [ACTIVE, EVENT, HEARTBEAT, ERROR, TERMINATED];

/// The `_meta` key under which each of them names the request whose stream it is of.
pub(crate) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The longest that a stream is silent.
pub(crate) const HEARTBEAT_WITHIN: Duration = Duration::from_secs(30);

/// The events of our servers: a task asks, a task has ended.
pub(crate) const INPUT_REQUIRED: &str = "task.input_required";
pub(crate) const ENDED: &str = "task.ended";

/// How a task ended whose time was over before: the other ways have the words of statuses.
pub(crate) const EXPIRED: &str = "expired";

/// Why a request, or a stream, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Something of the request cannot be right, whenever it is sent.
    InvalidParams,
    /// There is no such event.
    NotFound,
    /// Whoever asks may not have that.
    Forbidden,
    /// Too much at once: later.
    ResourceExhausted,
    /// The server has not this part of the extension.
    Unsupported,
}

/// Each with its code, and with that of the older sketch, which deployed servers still have. They may move once more.
const CODES: [(Refusal, i32, i32); 5] = [
    (Refusal::InvalidParams, -32602, -32602),
    (Refusal::NotFound, -32023, -32011),
    (Refusal::Forbidden, -32024, -32012),
    (Refusal::ResourceExhausted, -32025, -32013),
    (Refusal::Unsupported, -32026, -32014),
];

impl Refusal {
    /// Its code, as we send it.
    pub(crate) fn code(self) -> i32 {
        CODES.iter().find(|(refusal, ..)| *refusal == self).map_or(-32602, |(_, code, _)| *code)
    }

    /// What a code of either set means.
    pub(crate) fn of(code: i64) -> Option<Self> {
        let is_it = |(_, new, old): &&(Self, i32, i32)| [i64::from(*new), i64::from(*old)].contains(&code);
        CODES.iter().find(is_it).map(|(refusal, ..)| *refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_sets_are_read_and_the_newer_ones_are_sent() {
        for (refusal, new, old) in CODES {
            assert_eq!(refusal.code(), new);
            assert_eq!((Refusal::of(new.into()), Refusal::of(old.into())), (Some(refusal), Some(refusal)));
        }
        assert_eq!(Refusal::of(-32601), None);
    }
}
