//! How schemas are compiled.

use jsonschema::{PatternOptions, ValidationOptions};
use serde_json::json;

/// The most that one pattern may take when it is compiled, in bytes, and in proportion to that, time.
const PATTERN_BYTES: usize = 2 * 1024 * 1024;

/// How often a stranger's pattern may go back in a text.
const MOST_BACKTRACKS: usize = 50_000;

fn options<E>(patterns: PatternOptions<E>) -> ValidationOptions<'static> {
    jsonschema::draft202012::options().should_validate_formats(true).with_pattern_options(patterns)
}

/// Of what we ask: patterns are those of the `regex` crate, which takes time in proportion to the text.
pub(super) fn ours() -> ValidationOptions<'static> {
    options(PatternOptions::regex().size_limit(PATTERN_BYTES))
}

/// Of what strangers ask: their patterns look ahead and behind, as those of Zod for an e-mail address do.
pub(super) fn strangers() -> ValidationOptions<'static> {
    options(PatternOptions::fancy_regex().backtrack_limit(MOST_BACKTRACKS).size_limit(PATTERN_BYTES))
}

/// Whether a stranger's pattern can be read here.
pub(super) fn compiles(pattern: &str) -> bool {
    strangers().build(&json!({ "pattern": pattern })).is_ok()
}
