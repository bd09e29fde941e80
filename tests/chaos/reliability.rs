//! `docs/RELIABILITY.md` names tests that exist, and leaves no promise out.

use std::collections::BTreeSet;
use std::path::PathBuf;

fn text(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the table's rows.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1).map(|row| row.split(" | ").collect()).collect()
}

#[test]
fn every_test_that_is_named_exists() {
    let page = text("docs/RELIABILITY.md");
    for row in rows(&page) {
        let names: Vec<_> = row[3].split('`').filter(|name| !name.trim().is_empty()).collect();
        assert!(!names.is_empty(), "{row:?} names no test");
        for name in names {
            let (file, function) =
                name.split_once("::").unwrap_or_else(|| panic!("{name} names no function"));
            let source = text(&format!("tests/{file}.rs"));
            assert!(source.contains(&format!("fn {function}(")), "there is no test {name}");
        }
    }
}

#[test]
fn every_promise_has_a_row() {
    let architecture = text("ARCHITECTURE.md");
    let section = architecture.split("## Promises").nth(1).and_then(|rest| rest.split("\n## ").next());
    let promised: BTreeSet<_> = section
        .expect("the promises")
        .lines()
        .filter_map(|line| line.split_once(". **"))
        .map(|(number, rest)| format!("{number} {}", rest.split(['.', '*']).next().expect("a title")))
        .collect();
    assert_eq!(promised.len(), 12, "{promised:?}");
    let page = text("docs/RELIABILITY.md");
    let tried: BTreeSet<_> = rows(&page).iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(tried, promised);
}
