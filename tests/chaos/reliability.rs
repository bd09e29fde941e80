//! `docs/RELIABILITY.md` names tests that exist, and leaves no promise out.

use std::collections::BTreeSet;

use crate::tables::{assert_test, names, rows, text};

#[test]
fn every_test_that_is_named_exists() {
    let page = text("docs/RELIABILITY.md");
    rows(&page).iter().flat_map(|row| names(row, 3)).for_each(assert_test);
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
