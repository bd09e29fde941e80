//! `docs/SPECIFICATION.md` leaves each claim to tests that exist, or to scenarios of the suite, which
//! `tests/conformance` looks for.

use crate::tables::{assert_test, names, rows, text};

#[test]
fn every_test_that_the_page_names_exists() {
    let page = text("docs/SPECIFICATION.md");
    let all = rows(&page);
    assert!(all.len() > 80, "{} claims", all.len());
    let ours = |name: &&str| !name.starts_with("conformance ");
    all.iter().flat_map(|row| names(row, 2)).filter(ours).for_each(assert_test);
}
