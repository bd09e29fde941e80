//! Lengths of time as people write them: one grammar on command lines, in configuration files and in scripts.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// `90s`, `5m`, `1h30m`, `250ms`, `2 days`; a bare number is seconds. `None` for anything else.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let span: Span = text.parse().ok()?;
    let signed: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_are_understood() {
        let millis = |text| parse(text).map(|one| one.as_millis());
        assert_eq!(millis("90s"), Some(90_000));
        assert_eq!(millis("1h 30m"), Some(5_400_000));
        assert_eq!(millis("1h30m"), Some(5_400_000));
        assert_eq!(millis("5min"), Some(300_000));
        assert_eq!(millis("250ms"), Some(250));
        assert_eq!((millis("2d"), millis("2 days")), (Some(172_800_000), Some(172_800_000)));
        assert_eq!((millis("1.5"), millis("1.5h"), millis(" 3 ")), (Some(1500), Some(5_400_000), Some(3000)));
        for odd in ["", "soon", "5 parsecs", "-3s", "-1", "m", "1h -3m", "nan"] {
            assert_eq!(millis(odd), None, "{odd}");
        }
    }
}
