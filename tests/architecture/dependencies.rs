//! Licences, sources and banned crates of everything that is linked: deny.toml's lists, without cargo-deny.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// A list of deny.toml.
fn listed(key: &str) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    let text = std::fs::read_to_string(path).expect("deny.toml can be read");
    let line =
        text.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).expect("a list in one line");
    serde_json::from_str(line).expect("a list of texts")
}

/// What cargo says of the package and everything that it takes on Linux, with what the tests need.
pub(crate) fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Whether a licence expression can be satisfied by what is allowed: brackets stand only around alternatives.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let any = |part: &str| {
        let part = part.trim_matches(['(', ')']).replace('/', " OR ");
        part.split(" OR ").any(|one| allowed.contains(one.trim()))
    };
    if expression.contains('(') || !expression.contains(" OR ") {
        expression.split(" AND ").all(any)
    } else {
        expression.split(" OR ").any(|one| one.split(" AND ").all(any))
    }
}

#[test]
fn every_dependency_is_one_that_may_be_linked() {
    let (allowed, mut wrong) = (listed("allow"), Vec::new());
    let banned = listed("deny");
    for package in metadata()["packages"].as_array().expect("packages") {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (name, licence, source) = (text("name"), text("license"), text("source"));
        if !is_allowed(&licence, &allowed) {
            wrong.push(format!("{name} has the licence {licence:?}"));
        }
        if !source.is_empty() && source != "registry+https://github.com/rust-lang/crates.io-index" {
            wrong.push(format!("{name} comes from {source}"));
        }
        if banned.contains(&name) {
            wrong.push(format!("{name} is banned"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed = BTreeSet::from(["MIT", "ISC"].map(str::to_owned));
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND ISC", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("(GPL-3.0 OR MIT) AND Zlib", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
