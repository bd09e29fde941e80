//! Times for people; machines get RFC 3339.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::task::duration;

/// How long ago, or how soon: "3 min ago", "in 2 h", "just now".
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match seconds {
        -1..=1 => "just now".to_owned(),
        past @ 2.. => format!("{} ago", rough(past.unsigned_abs())),
        future => format!("in {}", rough(future.unsigned_abs())),
    }
}

/// How long ago something began, or how long at most where it `may_be_later`: "16 s ago", "<16 s ago".
pub(crate) fn since(at: Timestamp, may_be_later: bool, now: Timestamp) -> String {
    let bound = if may_be_later && now.as_second() - at.as_second() > 1 { "<" } else { "" };
    format!("{bound}{}", relative(at, now))
}

/// The time so many milliseconds from now.
pub(crate) fn from_now(ms: i64) -> Option<Timestamp> {
    Timestamp::now().checked_add(SignedDuration::from_millis(ms)).ok()
}

/// How long it was from one time to another: "3 min".
pub(crate) fn between(begin: Timestamp, end: Timestamp) -> String {
    rough((end.as_second() - begin.as_second()).max(0).unsigned_abs())
}

/// A length of time in one unit, for example "3 min".
pub(crate) fn rough(seconds: u64) -> String {
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=129_599 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

/// The time of day here, with the date where it is not today's.
pub(crate) fn clock(at: Timestamp, now: Timestamp) -> String {
    let zone = TimeZone::system();
    let (at, now) = (at.to_zoned_datetime(zone.clone()), now.to_zoned_datetime(zone));
    let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.strftime(format).to_string()
}

/// The date and the time of day here, to be read beside [`clock`].
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// Reads a length of time: `90s`, `5m`, `1h30m`, `2 days`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a length of time such as 90s, 5m, 1h30m or 2days");
    duration::parse(text).ok_or_else(wrong)
}

/// Reads for how long something is to be kept: no time at all is most likely an empty variable, or meant for no limit.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let kept = duration(text)?;
    if kept.is_zero() {
        return Err("a task that is kept for no time is gone before anybody sees it; leave the option out for no limit".to_owned());
    }
    Ok(kept)
}

/// Reads a moment: a time ago such as `10m`, or a time in RFC 3339.
pub(crate) fn ago_or_at(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = duration(text).map_err(|_| {
        format!("{text:?} is not a time ago such as 10m, or a time such as 2026-05-01T10:00:00Z")
    })?;
    Timestamp::now().checked_sub(ago).map_err(|_| format!("{text:?} is too long ago"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let now = Timestamp::from_second(1_000_000).expect("in range");
        let said = |offset: i64| relative(Timestamp::from_second(1_000_000 + offset).expect("in range"), now);
        assert_eq!(said(0), "just now");
        assert_eq!(said(-40), "40 s ago");
        assert_eq!(said(-180), "3 min ago");
        assert_eq!(said(7_200), "in 2 h");
        assert_eq!(said(-200_000), "2 days ago");
        let begun =
            |offset: i64| since(Timestamp::from_second(1_000_000 + offset).expect("in range"), true, now);
        assert_eq!((begun(-16), begun(0)), ("<16 s ago".to_owned(), "just now".to_owned()));
    }
}
