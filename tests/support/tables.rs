//! Pages of `docs/` whose tables name tests: reading them, and looking whether the tests are there.

use std::path::PathBuf;

/// A file of the project.
pub(crate) fn text(file: &str) -> String {
    found(file).unwrap_or_else(|| panic!("there is no {file}"))
}

fn found(file: &str) -> Option<String> {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).ok()
}

/// The cells of the table's rows.
pub(crate) fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1).map(|row| row.split(" | ").collect()).collect()
}

/// The names between backticks in a cell; there has to be one.
pub(crate) fn names<'a>(row: &[&'a str], cell: usize) -> Vec<&'a str> {
    let names: Vec<_> = row[cell].split('`').skip(1).step_by(2).collect();
    assert!(!names.is_empty(), "{row:?} names no test");
    names
}

/// Asserts that there is a test `FILE::FUNCTION`, with the file's path under `tests/` or `src/`.
pub(crate) fn assert_test(name: &str) {
    let (file, function) = name.split_once("::").unwrap_or_else(|| panic!("{name} names no function"));
    let sources = ["tests", "src"].map(|folder| found(&format!("{folder}/{file}.rs")));
    assert!(sources.iter().any(Option::is_some), "there is no file of {name}");
    // Both may have a file of that name.
    let has_it = |source: &String| source.contains(&format!("fn {function}("));
    assert!(sources.iter().flatten().any(has_it), "there is no test {name}");
}
