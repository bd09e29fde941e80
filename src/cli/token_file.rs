//! The file of names and tokens. What is wrong with it is said with its line; nothing of a token is.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use super::failure::{Failure, Kind};
use super::ui::text;
use crate::server::is_reserved;
use crate::store::gate;

/// The largest file, in bytes: every request is compared with every token.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The shortest token, in bytes: a shorter one is guessed in no time.
const MIN_TOKEN_BYTES: usize = 8;

/// The shortest one that nobody is warned of: 16 random letters and digits cannot be guessed over a network.
const GOOD_TOKEN_BYTES: usize = 16;

/// The longest, so that it fits a header beside all others.
const MAX_TOKEN_BYTES: usize = 4096;

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TokenFile {
    /// Tokens with the names of their scopes.
    pub(super) tokens: Vec<(String, String)>,
    /// What is allowed and not good, line by line.
    pub(super) warnings: Vec<String>,
}

/// Reads names and tokens; the error names the line, never the token.
pub(super) fn read(path: &Path) -> Result<TokenFile, Failure> {
    let whole = |problem: String| Failure::usage(format!("{} {problem}", path.display()));
    // Nobody may ever write to it. A shell's `<(…)` has a pipe without a name, and ends.
    if path.metadata().is_ok_and(|found| found.file_type().is_fifo()) && !path.starts_with("/dev/fd") {
        return Err(whole("is a pipe with a name, which may never end".to_owned()).hint("give a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(whole(format!("has more than {MAX_FILE_BYTES} bytes: it is no file of tokens")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        whole(format!("is no text: line {line} has a byte that is not UTF-8"))
    })?;
    // Some editors begin a file with a byte order mark, which is no part of the first name.
    let read = parse(text.strip_prefix('\u{feff}').unwrap_or(&text));
    let mut file = read.map_err(|(line, (problem, hint))| {
        Failure::usage(format!("line {line} of {} {problem}", path.display())).hint(hint)
    })?;
    if file.tokens.is_empty() {
        return Err(whole("has no tokens: everybody would be let in".to_owned()));
    }
    if file.tokens.iter().all(|(_, name)| is_reserved(name)) {
        file.warnings
            .push("has no token that lets anybody in: give each client a name of its own".to_owned());
    }
    for warning in &mut file.warnings {
        *warning = format!("{}: {warning}", path.display());
    }
    Ok(file)
}

/// What is wrong with a line, and what to do.
type Problem = (String, &'static str);

fn parse(text: &str) -> Result<TokenFile, (usize, Problem)> {
    let mut lines = HashMap::new();
    let mut file = TokenFile::default();
    let mut too_short = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, token) = words(line).map_err(|problem| (number, problem))?;
        if let Some(first) = lines.insert(token, number) {
            let problem = format!("has the token of line {first} again");
            return Err((number, (problem, "give each client a token of its own")));
        }
        if token.len() < MIN_TOKEN_BYTES {
            too_short.get_or_insert((number, length_problem(token)));
        }
        file.warnings.extend(doubts(name, token).map(|doubt| format!("line {number} {doubt}")));
        file.tokens.push((token.to_owned(), name.to_owned()));
    }
    too_short.map_or(Ok(file), Err)
}

/// How a token is made.
const MAKE: &str = "make a token with: openssl rand -hex 24";

fn length_problem(token: &str) -> Problem {
    let length = token.len();
    (format!("has a token of {length} characters: give {GOOD_TOKEN_BYTES} to {MAX_TOKEN_BYTES}"), MAKE)
}

/// A line's name and token.
fn words(line: &str) -> Result<(&str, &str), Problem> {
    const EXAMPLE: &str = "for example: anna 5Zr0xjq…; make a token with: openssl rand -hex 24";
    if let Some(control) = line.chars().find(|one| one.is_control() && *one != '\t') {
        let problem = format!("has the control character U+{:04X}", u32::from(control));
        return Err((problem, "write the line anew, with a plain editor"));
    }
    let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    let [name, token] = words[..] else { return Err(("is not a name and a token".to_owned(), EXAMPLE)) };
    if let Err(error) = gate::label("name", name) {
        return Err((format!("cannot be used: {error}"), "give a short name, such as anna"));
    }
    if let Some(odd) = name.chars().find(|one| one.is_whitespace() || text::is_harmful(*one)) {
        let problem = format!("has a name with U+{:04X}, which nobody sees", u32::from(odd));
        return Err((problem, "write the line anew, with a plain editor"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(("has a token that no header can hold: it is not plain ASCII".to_owned(), MAKE));
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(length_problem(token));
    }
    Ok((name, token))
}

/// What is wrong with a line that keeps no other line from being used.
fn doubts(name: &str, token: &str) -> impl Iterator<Item = String> {
    // Whoever comes without a token has this scope, and the command line's tasks are in it. `Tokens` opens nothing by it.
    let nobodys = is_reserved(name).then(|| {
        format!("has the name {name:?}, which is that of everybody without a token: its token is refused")
    });
    let short = (token.len() < GOOD_TOKEN_BYTES)
        .then(|| format!("has a token of only {} characters: it may be guessed", token.len()));
    nobodys.into_iter().chain(short)
}

/// A file that cannot be read.
pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::caused(Kind::Usage, format!("cannot read {}: {error}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn problem(text: &str) -> (usize, String) {
        let (line, (problem, hint)) = parse(text).expect_err(text);
        assert!(!problem.contains("0123456789") && !hint.contains("0123456789"), "{problem}");
        (line, problem)
    }

    #[test]
    fn names_and_tokens_are_read() {
        let text = format!("# people\n\n anna\t{TOKEN}a\r\nben  {TOKEN}b \nanna {TOKEN}c\n");
        let names: Vec<_> = parse(&text).expect("fine").tokens.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["anna", "ben", "anna"]);
    }

    #[test]
    fn each_fault_is_named_with_its_line_and_without_the_token() {
        let faults = [
            (TOKEN.to_owned(), 1, "not a name and a token"),
            (format!("ben {TOKEN} x"), 1, "not a name and a token"),
            (format!("ben {TOKEN}\u{7}"), 1, "U+0007"),
            (format!("b\u{1b}en {TOKEN}"), 1, "U+001B"),
            (format!("ben {TOKEN}\u{85}"), 1, "U+0085"),
            (format!("ben {TOKEN}ä"), 1, "no header"),
            (format!("ben {TOKEN}\u{200b}"), 1, "no header"),
            (format!("ben \u{a0}{TOKEN}"), 1, "no header"),
            (format!("be\u{202e}n {TOKEN}"), 1, "name with U+202E"),
            (format!("ben\u{a0} {TOKEN}"), 1, "name with U+00A0"),
            (format!("ben\u{200b} {TOKEN}"), 1, "name with U+200B"),
            ("ben 0123456".to_owned(), 1, "of 7 characters"),
            (format!("ben {TOKEN}\n\nanna {TOKEN}"), 3, "token of line 1 again"),
            (format!("{} {TOKEN}", "x".repeat(300)), 1, "more than 200"),
        ];
        for (text, line, words) in faults {
            let (at, said) = problem(&text);
            assert!(at == line && said.contains(words), "{text:?}: {at} {said}");
        }
    }

    #[test]
    fn the_name_of_everybody_is_refused_with_its_line() {
        let read = parse(&format!("ben {TOKEN}\nAnonymous {TOKEN}x\n")).expect("ben's is fine");
        assert!(read.warnings.len() == 1 && read.warnings[0].contains("line 2 has the name"), "{read:?}");
    }

    #[test]
    fn a_short_token_is_warned_of_with_its_line() {
        let read = parse(&format!("anna {TOKEN}\nben 0123456789abcde\n")).expect("fine");
        assert!(
            read.warnings.len() == 1 && read.warnings[0].contains("line 2 has a token of only 15"),
            "{read:?}"
        );
        assert!(!read.warnings[0].contains("0123456789"), "{read:?}");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_and_other_bytes_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens");
        std::fs::write(&path, format!("\u{feff}anna {TOKEN}\n")).expect("writes");
        assert_eq!(read(&path).expect("fine").tokens[0].1, "anna");
        std::fs::write(&path, [b"anna x\nben ".as_slice(), &[0xff]].concat()).expect("writes");
        assert!(read(&path).expect_err("no text").to_string().contains("line 2"));
        std::fs::write(&path, format!("anonymous {TOKEN}\n")).expect("writes");
        let nobody = read(&path).expect("readable").warnings;
        assert!(nobody.iter().any(|one| one.contains("no token that lets anybody in")), "{nobody:?}");
        assert!(read(Path::new("/dev/zero")).expect_err("no end").to_string().contains("more than"));
    }
}
