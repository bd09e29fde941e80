//! Numbers, exactly: what would be rounded on its way is refused with a sentence.

use serde_json::Number;

/// Why a number or a JSON text was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It is none.
    Unlike(String),
    /// It is one, but would arrive as another number.
    Inexact(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unlike(words) | Self::Inexact(words)) = self;
        f.write_str(words)
    }
}

/// Whether every number of a text of JSON values arrives as it was written.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[at..];
        if let Some(within) = rest.strip_prefix('"') {
            rest = after_string(within);
            continue;
        }
        let end = rest.find(|c: char| !is_of_number(c)).unwrap_or(rest.len());
        let (number, more) = rest.split_at(end);
        if !is_exact(number) {
            return Err(Problem::Inexact(beyond(number)));
        }
        rest = more;
    }
    Ok(())
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')
}

/// What follows a JSON string whose opening quote is behind.
fn after_string(text: &str) -> &str {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return &text[at + 1..],
            '\\' => drop(characters.next()),
            _ => {}
        }
    }
    ""
}

/// Reads a number that was typed; `integer` says that it must be a whole one.
pub(crate) fn number(text: &str, integer: bool) -> Result<Number, Problem> {
    let text = text.trim();
    let kind = if integer { "a whole number" } else { "a number" };
    let unlike = || Problem::Unlike(format!("{text:?} is not {kind}"));
    if let Some(whole) = whole(text) {
        return Ok(whole);
    }
    let decimal = Decimal::of(text).ok_or_else(unlike)?;
    if integer {
        // 3.0 and 1e3 are whole numbers in JSON Schema; they are sent as what they are.
        let digits = decimal.whole().ok_or_else(unlike)?;
        return whole(&digits).ok_or_else(|| Problem::Inexact(beyond(text)));
    }
    let float = text.parse().map_err(|_| unlike())?;
    let number = Number::from_f64(float).ok_or_else(|| Problem::Inexact(beyond(text)))?;
    if is_exact(text) { Ok(number) } else { Err(Problem::Inexact(beyond(text))) }
}

fn whole(text: &str) -> Option<Number> {
    let signed = text.parse::<i64>().map(Number::from);
    signed.or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

/// Whether a number is as written when it has been read and is written again.
fn is_exact(text: &str) -> bool {
    if whole(text).is_some() {
        return true;
    }
    let read = text.parse().ok().and_then(Number::from_f64);
    read.is_some_and(|number| Decimal::of(&number.to_string()) == Decimal::of(text))
}

fn beyond(text: &str) -> String {
    let limits = format!("whole numbers from {} to {}, others of up to 15 digits", i64::MIN, u64::MAX);
    format!("{text} would be rounded: exact are {limits}")
}

/// Whether a text is the number, however it is written.
pub(crate) fn is_number(text: &str, number: &Number) -> bool {
    let typed = Decimal::of(text.trim());
    typed.is_some() && typed == Decimal::of(&number.to_string())
}

/// The longest number in decimal digits that is written out: the longest exact whole number has 20.
const MAX_DIGITS: i64 = 40;

/// A decimal number, in one form however it was written: `digits` times ten to the power of `exponent`, without
/// zeros at either end.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{before}{after}");
        if all.is_empty() || !all.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        let moved = zeros.checked_sub(i64::try_from(after.len()).ok()?)?;
        Some(Self { negative, digits, exponent: power.parse::<i64>().ok()?.checked_add(moved)? })
    }

    /// Its digits where it is a whole number. One that is far too long is cut: it is beyond every limit anyhow.
    fn whole(&self) -> Option<String> {
        let zeros = usize::try_from(self.exponent.min(MAX_DIGITS)).ok()?;
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() { "0" } else { &self.digits };
        Some(format!("{sign}{digits}{}", "0".repeat(zeros)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn whole_numbers_are_read_exactly_or_refused() {
        for text in
            ["9007199254740993", "-9223372036854775808", "9223372036854775808", "18446744073709551615"]
        {
            assert_eq!(number(text, true).expect(text).to_string(), text);
            assert_eq!(number(text, false).expect(text).to_string(), text);
            assert_eq!(read(text).expect(text).to_string(), text);
        }
        for text in ["18446744073709551616", "18446744073709551617", "-9223372036854775809", "1e400"] {
            assert!(matches!(number(text, true), Err(Problem::Inexact(_))), "{text}");
        }
        for (text, wanted) in [("3.0", "3"), ("1e3", "1000"), ("-0", "0"), (" 7 ", "7"), ("1.5e1", "15")] {
            assert_eq!(number(text, true).expect(text).to_string(), wanted);
        }
        for text in ["1.5", "", "-", "x", "1e", "0x10", "1_000", "inf", "NaN", "."] {
            assert!(matches!(number(text, true), Err(Problem::Unlike(_))), "{text}");
        }
    }

    #[test]
    fn fractions_are_what_they_were_or_refused() {
        for text in ["0.1", "1.10", "1e20", "-2.5e-3", "3.141592653589793"] {
            assert!(is_number(text, &number(text, false).expect(text)), "{text}");
        }
        for text in ["9007199254740993.0", "3.14159265358979323846", "1e400", "18446744073709551617"] {
            assert!(matches!(number(text, false), Err(Problem::Inexact(_))), "{text}");
        }
    }

    #[test]
    fn numbers_within_json_are_looked_at_and_texts_are_not() {
        assert!(read(r#"{"a":"18446744073709551617 \" 18446744073709551617","b":[1.50,-2]}"#).is_ok());
        for text in [r#"{"a":[1,18446744073709551617]}"#, r#"["x\\",-9223372036854775809]"#] {
            assert!(matches!(read(text), Err(Problem::Inexact(_))), "{text}");
        }
    }
}
