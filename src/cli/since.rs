//! `--since`: where in the log reading begins.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::ui::time;
use crate::engine::Engine;
use crate::task::Cursor;

/// Where to begin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Since {
    Start,
    Now,
    After(Cursor),
    Time(Timestamp),
    Ago(Duration),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "start" => return Ok(Self::Start),
            "now" => return Ok(Self::Now),
            _ => {}
        }
        if let Ok(cursor) = text.parse() {
            return Ok(Self::After(cursor));
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::Time(at));
        }
        let wrong = "not start, now, a time ago such as 10m, a time in RFC 3339, or a cursor such as 0-12";
        time::duration(text).map(Self::Ago).map_err(|_| format!("{text:?} is {wrong}"))
    }
}

impl Since {
    /// The cursor to read after, and the time before which nothing is shown.
    pub(crate) async fn begin(&self, engine: &Engine) -> Result<(Cursor, Option<Timestamp>), Failure> {
        Ok(match self {
            Self::Start => (Cursor::START, None),
            Self::Now => (engine.last().await?, None),
            Self::After(cursor) => (*cursor, None),
            Self::Time(at) => (Cursor::START, Some(*at)),
            Self::Ago(ago) => {
                let at = Timestamp::now().checked_sub(*ago);
                (Cursor::START, Some(at.map_err(|_| Failure::usage("--since is too long ago"))?))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_and_times() {
        let since = str::parse::<Since>;
        assert_eq!(since("start"), Ok(Since::Start));
        assert_eq!(since("5-12"), Ok(Since::After(Cursor { millis: 5, sequence: 12 })));
        assert_eq!(since("10m"), Ok(Since::Ago(Duration::from_secs(600))));
        assert!(matches!(since("2026-05-01T10:00:00Z"), Ok(Since::Time(_))));
        assert!(since("yesterday").is_err());
        assert_eq!(
            since("10"),
            Ok(Since::Ago(Duration::from_secs(10))),
            "as everywhere, a bare number is seconds"
        );
    }
}
