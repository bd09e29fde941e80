//! Options of `submit` that a server does not heed: it is said, since the protocol has no place for them.

use super::ui::time;
use crate::client::Era;

/// What is said of `--session` where the task gets another label, or most likely none.
pub(super) fn session(era: Era, is_ours: bool) -> Option<&'static str> {
    match era {
        Era::Legacy => {
            Some("--session has no effect here: the server labels the task with its own session's id")
        }
        _ if is_ours => None,
        _ => Some(
            "--session has no effect here, unless the server is one of mcptask's: others know no such label",
        ),
    }
}

/// What is said of `--ttl`, both in milliseconds: `kept` is what the server says of the task, where it made one.
pub(super) fn ttl(era: Era, wished: u64, kept: Option<u64>) -> Option<String> {
    let long = kept.map(|kept| time::rough(kept / 1000));
    match (era, kept, long) {
        (Era::Legacy, Some(kept), Some(long)) if kept < wished => {
            Some(format!("the server keeps the task for {long} only"))
        }
        (Era::Legacy, ..) => None,
        (_, _, long) => {
            let long = long.map(|long| format!(": {long}")).unwrap_or_default();
            Some(format!(
                "--ttl has no effect here: a modern server decides itself how long it keeps a task{long}"
            ))
        }
    }
}
