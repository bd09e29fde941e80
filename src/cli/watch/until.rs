//! What may be waited for.

/// The event of a task whose ttl ended.
pub(super) const EXPIRED: &str = "expired";

/// Any event that ends a task.
pub(super) const END: &str = "end";

/// What `--until` takes: the events' names, and `end`.
pub(super) const UNTIL: [&str; 12] = [
    "submitted",
    "claimed",
    "progress",
    "asked",
    "answered",
    "completed",
    "failed",
    "cancelled",
    "requeued",
    EXPIRED,
    "noted",
    END,
];
