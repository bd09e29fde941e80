//! Lengths of time as people write them.

use std::time::Duration;

/// Longer ones are a slip: they leave the range of the clocks that they are added to.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// `"250ms"`, `"90s"`, `"5m"`, `"1h 30m"`, `"2d"`; a bare number is seconds. `None` for anything else.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let after = &rest[digits..];
        let unit = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let seconds: f64 = match &after[..unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(rest[..digits].parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = after[unit..].trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
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
        assert_eq!(millis("250ms"), Some(250));
        assert_eq!(millis("1.5"), Some(1500));
        for odd in ["", "soon", "5 parsecs", "-3s", "m", "1h -3m"] {
            assert_eq!(millis(odd), None, "{odd}");
        }
    }
}
