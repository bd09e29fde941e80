//! Ids of tasks as people type them.

use std::ffi::OsString;

/// Reads an id on the command line, whole or its beginning. An unset variable of a script is an empty one, which would
/// be the beginning of every id.
pub(crate) fn typed(id: &str) -> Result<String, String> {
    if id.is_empty() {
        return Err("the task's id is empty: in a script, is a variable unset?".to_owned());
    }
    Ok(id.to_owned())
}

/// The fewest characters of an id that begins with a dash and stands where options may stand. `FastMCP` 4's ids are 43
/// characters of base 64 for URLs, so one of 64 begins so.
const FEWEST: usize = 8;

/// Whether a word is such an id, and no option of which the second dash was forgotten: those have no capitals and no digits.
fn may_be_id(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else { return false };
    let is_id = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
    word.len() >= FEWEST
        && !rest.starts_with('-')
        && rest.chars().all(is_id)
        && rest.chars().any(|one| one.is_ascii_uppercase() || one.is_ascii_digit())
}

/// The lines that a refused line may have meant: each has one word that may be an id behind two dashes, where no word is
/// taken for an option. `has_value` says of which option the next word is the value.
pub(super) fn behind_dashes<'a>(
    line: &'a [OsString],
    has_value: &'a dyn Fn(&str) -> bool,
) -> impl Iterator<Item = Vec<OsString>> + 'a {
    let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
    let is_value =
        move |at: usize| at.checked_sub(1).and_then(|before| line[before].to_str()).is_some_and(has_value);
    let may_be = move |at: &usize| line[*at].to_str().is_some_and(may_be_id) && !is_value(*at);
    (1..end).filter(may_be).map(move |at| {
        let others = line[..end].iter().enumerate().filter(move |(other, _)| *other != at);
        let behind = [OsString::from("--"), line[at].clone()];
        let rest = line.get(end + 1..).unwrap_or_default();
        others.map(|(_, word)| word.clone()).chain(behind).chain(rest.iter().cloned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(line: &str) -> Vec<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let joined = |line: Vec<OsString>| line.join(" ".as_ref()).to_string_lossy().into_owned();
        behind_dashes(&words, &|option| option == "--note").map(joined).collect()
    }

    #[test]
    fn an_id_that_begins_with_a_dash_is_told_from_options() {
        assert_eq!(meant("m show -1bXcdefgh --json"), ["m show --json -- -1bXcdefgh"]);
        assert_eq!(
            meant("m respond -1bXcdefgh --note -2bXcdefgh"),
            ["m respond --note -2bXcdefgh -- -1bXcdefgh"]
        );
        for line in [
            "m show -1bX",
            "m show -unknown-option",
            "m show --1bXcdefgh",
            "m show -- -1bXcdefgh",
            "m show -1bX=defgh",
        ] {
            assert_eq!(meant(line), [""; 0], "{line}");
        }
    }
}
