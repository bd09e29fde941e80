//! The one gate into a store. Whatever is written passes it, so that whatever is stored can be read back: JSON is
//! bounded in depth and bytes, numbers are numbers, labels and names are short and printable. What does not pass
//! is refused with [`StoreError::Refused`], which names it; reasons of our own are shortened instead, since they
//! must never keep a transition from happening.

use serde::Serialize;

use super::{StoreError, StoreResult};
use crate::task::who::{MAX_NAME_BYTES, MAX_NOTE_BYTES};
use crate::task::{Progress, Who};

/// The most levels of JSON in anything that is stored. Readers give up at 128, and records and protocol messages
/// add levels of their own around what a stranger sent.
pub const MAX_DEPTH: usize = 100;

/// The most values in anything that is stored, and in a message from outside. Each takes some dozen bytes once it is read,
/// however short it was written, so that bytes alone bound little.
pub const MAX_VALUES: usize = 250_000;

/// About what a value takes in memory, in bytes, beside its text.
const VALUE_BYTES: usize = 64;

/// The longest label, name or scope, in bytes.
pub const MAX_LABEL_BYTES: usize = 200;

/// The longest progress or status message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// The longest reason or remark that is kept, in bytes.
pub const MAX_REASON_BYTES: usize = 4 * 1024;

/// A kind of thing that is stored, with how many bytes of JSON it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A task as it was submitted, its arguments above all.
    Task,
    /// A question.
    Question,
    /// An answer.
    Answer,
    /// How a task ended.
    Outcome,
    /// A step.
    Progress,
    /// A tool's specification.
    Tool,
    /// What a notifier is to deliver, and how it went.
    Delivery,
    /// A link to a question.
    Link,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "the task",
            Self::Question => "the question",
            Self::Answer => "the answer",
            Self::Outcome => "the outcome",
            Self::Progress => "the progress",
            Self::Tool => "the tool's specification",
            Self::Delivery => "the delivery",
            Self::Link => "the link",
        }
    }

    /// The most bytes of JSON. The engine's own limits are lower where people can be told sooner.
    pub fn most_bytes(self) -> usize {
        const KIB: usize = 1024;
        match self {
            Self::Task => 1100 * KIB,
            Self::Question => 256 * KIB,
            Self::Answer | Self::Tool => 512 * KIB,
            Self::Outcome => 4096 * KIB,
            Self::Progress => 32 * KIB,
            Self::Delivery => super::notifiers::MAX_DELIVERY_BYTES,
            Self::Link => KIB,
        }
    }
}

/// The value as the JSON that is stored.
pub fn json<T: Serialize + ?Sized>(kind: Kind, value: &T) -> StoreResult<String> {
    let refused = |problem: String| StoreError::Refused { what: kind.name().to_owned(), problem };
    let text = serde_json::to_string(value).map_err(|error| refused(format!("is no JSON: {error}")))?;
    let most = kind.most_bytes();
    if text.len() > most {
        return Err(refused(format!("has {} bytes, more than {most}", text.len())));
    }
    let Shape { depth, values } = shape(text.as_bytes());
    if depth > MAX_DEPTH {
        return Err(refused(format!("is nested {depth} levels deep, more than {MAX_DEPTH}")));
    }
    if values > MAX_VALUES {
        return Err(refused(format!("has {values} JSON values, more than {MAX_VALUES}")));
    }
    Ok(text)
}

/// What a JSON text is like, told without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many levels of arrays and objects it has.
    pub depth: usize,
    /// How many values it has, an empty array or object counted twice.
    pub values: usize,
}

/// The shape of a JSON text.
pub fn shape(json: &[u8]) -> Shape {
    let (mut depth, mut now, mut values, mut in_text, mut escaped) = (0_usize, 0_usize, 1, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                (now, values) = (now + 1, values + 1);
                depth = depth.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    Shape { depth, values }
}

/// About what a JSON text takes in memory once it is read, in bytes: what pages are bounded by.
pub(super) fn weight(json: &[u8]) -> usize {
    json.len() + VALUE_BYTES * shape(json).values
}

/// Numbers that JSON has: neither infinite nor none at all.
pub fn finite(what: &str, number: f64) -> StoreResult<()> {
    if number.is_finite() {
        return Ok(());
    }
    Err(StoreError::Refused { what: what.to_owned(), problem: format!("is {number}, which JSON cannot say") })
}

/// A label or name that is taken from outside: not empty, short, without control characters.
pub fn label(what: &str, label: &str) -> StoreResult<()> {
    let problem = if label.is_empty() {
        "is empty".to_owned()
    } else if label.len() > MAX_LABEL_BYTES {
        format!("has {} bytes, more than {MAX_LABEL_BYTES}", label.len())
    } else if label.chars().any(char::is_control) {
        "has a control character".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = label.chars().take(60).collect();
    Err(StoreError::Refused { what: format!("{what} {shown:?}"), problem })
}

/// A message of a tool's.
pub fn message(what: &str, message: &str) -> StoreResult<()> {
    if message.len() <= MAX_MESSAGE_BYTES {
        return Ok(());
    }
    let problem = format!("has {} bytes, more than {MAX_MESSAGE_BYTES}", message.len());
    Err(StoreError::Refused { what: what.to_owned(), problem })
}

/// A step of a tool's: numbers that are numbers, and a message of some length.
pub fn progress(progress: &Progress) -> StoreResult<()> {
    finite("the progress", progress.current)?;
    finite("the progress' total", progress.total.unwrap_or_default())?;
    message("the progress' message", progress.message.as_deref().unwrap_or_default())
}

/// Who answered: names and a note of some length. Control characters in them are kept, and shown as what they are.
pub fn who(who: &Who) -> StoreResult<()> {
    let parts = [
        ("the answerer's name", &who.name, MAX_NAME_BYTES),
        ("the answerer's own name", &who.given, MAX_NAME_BYTES),
        ("the name of the answerer's client", &who.client, MAX_NAME_BYTES),
        ("the note on the answer", &who.note, MAX_NOTE_BYTES),
    ];
    for (what, text, most) in
        parts.into_iter().filter_map(|(what, text, most)| Some((what, text.as_ref()?, most)))
    {
        let problem = if text.trim().is_empty() {
            "is empty".to_owned()
        } else if text.len() > most {
            format!("has {} bytes, more than {most}", text.len())
        } else {
            continue;
        };
        return Err(StoreError::Refused { what: what.to_owned(), problem });
    }
    Ok(())
}

/// A reason of our own, shortened where it is too long.
pub fn reason(reason: &str) -> String {
    if reason.len() <= MAX_REASON_BYTES {
        return reason.to_owned();
    }
    let end = (0..=MAX_REASON_BYTES).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or_default();
    format!("{} … ({} bytes in all)", &reason[..end], reason.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn nested(levels: usize) -> Value {
        (1..levels).fold(json!([]), |inner, _| json!([inner]))
    }

    #[test]
    fn levels_and_values_are_counted_outside_of_texts_only() {
        let shape = |text: &str| (shape(text.as_bytes()).depth, shape(text.as_bytes()).values);
        assert_eq!(shape(&nested(7).to_string()), (7, 8));
        assert_eq!(shape(r#"{"a":"[[[[\",[[","b":[1,{"c":2}]}"#), (3, 6));
        assert_eq!(shape("3"), (0, 1));
    }

    #[test]
    fn what_is_too_deep_too_long_or_too_much_is_named() {
        assert!(json(Kind::Outcome, &nested(MAX_DEPTH)).is_ok());
        let error = json(Kind::Outcome, &nested(MAX_DEPTH + 1)).expect_err("is too deep").to_string();
        assert_eq!(error, "the outcome is nested 101 levels deep, more than 100");
        let error = json(Kind::Progress, &"x".repeat(40_000)).expect_err("is too long").to_string();
        assert_eq!(error, "the progress has 40002 bytes, more than 32768");
        let error = json(Kind::Task, &vec![1; MAX_VALUES]).expect_err("is too much").to_string();
        assert_eq!(error, "the task has 250001 JSON values, more than 250000");
        assert!(json(Kind::Task, &",".repeat(MAX_VALUES)).is_ok());
    }

    #[test]
    fn labels_are_short_and_printable() {
        assert!(label("tool", "plan_dinner").is_ok());
        for bad in ["", "a\nb", &"x".repeat(201)] {
            assert!(label("tool", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_and_notes_have_bounds_and_any_characters() {
        let named = |name: &str| Who::named(name, crate::task::Known::Given);
        assert!(who(&named("a\u{1b}[31m\n").noting(Some("line\nline".into()))).is_ok());
        let error = who(&named(&"x".repeat(201))).expect_err("is too long").to_string();
        assert_eq!(error, "the answerer's name has 201 bytes, more than 200");
        let error = who(&named("a").noting(Some("x".repeat(2049)))).expect_err("is too long").to_string();
        assert_eq!(error, "the note on the answer has 2049 bytes, more than 2048");
        assert!(who(&named(" ")).is_err());
    }

    #[test]
    fn reasons_are_shortened_at_a_character() {
        let long = "ä".repeat(MAX_REASON_BYTES);
        assert!(reason(&long).starts_with("ää"));
        assert!(reason(&long).len() < MAX_REASON_BYTES + 40);
        assert_eq!(reason("short"), "short");
    }
}
