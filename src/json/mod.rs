//! JSON from outside, read by one function: what would not arrive as it was written is refused with a sentence.

mod exact;

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub(crate) use exact::{Problem, is_number, number};

/// Reads one JSON text: [`Problem::Inexact`] where a number would be rounded, or where a key stands twice in an object, of
/// which only one would arrive.
pub(crate) fn read(text: &str) -> Result<Value, Problem> {
    let value = serde_json::from_str(text).map_err(|error| Problem::Unlike(error.to_string()))?;
    check(text)?;
    Ok(value)
}

/// Whether the JSON values of a text arrive as they were written; also where they are none, which their reader says.
pub(crate) fn check(text: &str) -> Result<(), Problem> {
    exact::check(text)?;
    check_keys(text)
}

fn check_keys(text: &str) -> Result<(), Problem> {
    let mut rest = serde_json::Deserializer::from_str(text);
    // Several values stand after each other in a file of lines.
    while rest.end().is_err() {
        match Keys(None).deserialize(&mut rest) {
            Ok(()) => {}
            Err(error) if error.is_data() => return Err(Problem::Inexact(error.to_string())),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// The key under which a value stands, and those that it is within.
#[derive(Clone, Copy)]
struct Path<'a> {
    key: &'a str,
    within: Option<&'a Self>,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Some(within) => write!(f, "{within}.{}", self.key),
            None => f.write_str(self.key),
        }
    }
}

/// Goes through a value that stands there, and keeps no more of it than the keys of the objects that it is within.
#[derive(Clone, Copy)]
struct Keys<'a>(Option<&'a Path<'a>>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = Path { key: &key, within: self.0 };
            if seen.contains(&key) {
                let path = path.to_string();
                return Err(A::Error::custom(format!("{path:?} is there twice; give it once")));
            }
            map.next_value_seed(Keys(Some(&path)))?;
            seen.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        match read(text) {
            Err(Problem::Inexact(words)) => words,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_would_not_arrive_as_written_is_named() {
        assert!(
            problem(r#"{"a": [123456789012345678901234567890]}"#).contains("123456789012345678901234567890")
        );
        assert!(problem(r#"{"a": 1, "b": {"c": 1, "c": 2}}"#).contains("\"b.c\" is there twice"));
        assert!(problem(r#"[{"a": 1}, {"a": 1, "a": 1}]"#).contains("\"a\" is there twice"));
        // However it is written.
        assert!(problem(r#"{"a": 1, "\u0061": 2}"#).contains("twice"));
    }

    #[test]
    fn all_else_is_read_and_several_values_are_looked_at() {
        for text in ["1.5e3", "null", "[1, -2, 0.1, true, \"x\"]", r#"{"a": {"b": 1}, "b": [{"a": 1}]}"#] {
            assert_eq!(read(text), Ok(serde_json::from_str(text).expect("JSON")));
        }
        assert!(matches!(read("{"), Err(Problem::Unlike(_))));
        assert!(check("{\"a\": 1}\n{\"a\": 2}\n").is_ok());
        assert!(check("{\"a\": 1}\n{\"a\": 2, \"a\": 3}\n").is_err());
        assert!(check("{\"a\": 1} nonsense").is_ok(), "its reader says so");
    }
}
