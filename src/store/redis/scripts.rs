//! The Lua files, each with those parts of the shared ones that it uses: Redis runs the whole text at each call, and
//! what it defines for nothing costs as much as a command.

use std::collections::HashSet;

use redis::Script;

/// What several scripts use, in parts with an empty line between them: each is one function, or stands before all.
const SHARED: &str = concat!(
    include_str!("lua/prelude.lua"),
    "\n",
    include_str!("lua/ending.lua"),
    "\n",
    include_str!("lua/archive.lua")
);
const EPILOGUE: &str = include_str!("lua/epilogue.lua");

macro_rules! scripts {
    ($($name:ident),+ $(,)?) => {
        /// One script for each verb. Redis keeps them by their hash; a lost cache is filled again.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $($name: Script::new(&whole(include_str!(concat!("lua/", stringify!($name), ".lua")))),)+
                }
            }
        }
    };
}

scripts!(
    open, claim, wake, park, report, ask, answer, extend, remind, leave, resume, scrub, note, enlist,
    attribute, withdraw, renew, dismiss, due, mend, mended, drop, sweep, migrate, reindex, submit, finish,
    cancel, requeue, expire, strand, keep, hold, settle, release, wait_again, forget, link, unlink,
);

/// The body of a script as Redis runs it.
fn whole(body: &str) -> String {
    [&shared_by(&[body, EPILOGUE]), "local function body()\n", body, "end\n", EPILOGUE].concat()
}

/// The shared parts that these texts use, and those that these parts use: each uses only what stands before it.
fn shared_by(texts: &[&str]) -> String {
    let mut used: HashSet<&str> = texts.iter().copied().flat_map(words).collect();
    let mut parts = Vec::new();
    for part in SHARED.split("\n\n").collect::<Vec<_>>().into_iter().rev() {
        if function(part).is_none_or(|name| used.contains(name)) {
            used.extend(words(part));
            parts.push(part);
        }
    }
    parts.reverse();
    parts.join("\n\n") + "\n"
}

/// The function that a part defines.
fn function(part: &str) -> Option<&str> {
    part.lines().find_map(|line| line.strip_prefix("local function ")).and_then(|line| words(line).next())
}

/// The names in a text, its remarks left out.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().map(|line| line.split("--").next().unwrap_or_default());
    code.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_what_it_uses_and_nothing_else() {
        let functions = |body: &str| -> Vec<String> {
            let text = whole(body);
            text.lines()
                .filter_map(|line| line.strip_prefix("local function "))
                .filter_map(|line| words(line).next().map(str::to_owned))
                .collect()
        };
        assert_eq!(functions("return { 'ok' }\n"), ["seldom", "body"]);
        let remarks = functions("-- Uses no load().\nreturn whole(1)\n");
        assert_eq!(remarks, ["seldom", "whole", "body"]);
        assert_eq!(functions("return names_of(ARGV[1])\n"), ["seldom", "typed", "names_of", "body"]);
    }

    #[test]
    fn a_script_has_the_limits_that_the_store_has() {
        use crate::store::{
            MAX_ARCHIVED_EVENT_BYTES, MAX_ARCHIVED_EVENTS, MAX_OPEN_QUESTIONS, MAX_QUESTIONS,
        };
        let archive = include_str!("lua/archive.lua");
        assert!(archive.contains(&format!("#ids - {})", MAX_ARCHIVED_EVENTS - 1)));
        assert!(archive.contains(&format!("bytes > {MAX_ARCHIVED_EVENT_BYTES} then")));
        let limits = format!("local MOST_OPEN, MOST_ASKED = {MAX_OPEN_QUESTIONS}, {MAX_QUESTIONS}\n");
        assert!(include_str!("lua/ask.lua").contains(&limits), "{limits}");
    }

    #[test]
    fn each_shared_part_with_a_function_defines_nothing_else() {
        for part in SHARED.split("\n\n").filter(|part| function(part).is_some()) {
            let defined = part.lines().filter(|line| line.starts_with("local ")).count();
            assert_eq!(defined, 1, "{part}");
        }
    }
}
