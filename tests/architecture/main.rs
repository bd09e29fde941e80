//! Who may use whom. ARCHITECTURE.md, "Layers", says the same in words.

mod circles;
mod dependencies;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

/// Each module with what it may name of the crate's other modules.
const MAY_USE: &[(&str, &[&str])] = &[
    ("task", &[]),
    ("certificate", &[]),
    ("process_group", &[]),
    ("redis_link", &["certificate"]),
    ("json", &[]),
    ("bounded_lines", &[]),
    ("events_extension", &[]),
    ("form", &["json", "task"]),
    ("fastmcp", &["certificate", "form", "task", "redis_link"]),
    ("store", &["certificate", "task", "redis_link"]),
    ("engine", &["form", "store", "task"]),
    ("ask", &["form", "task"]),
    ("worker", &["ask", "engine", "form", "json", "process_group", "store", "task"]),
    ("rules", &["form", "task", "worker"]),
    ("relay", &["engine", "store", "task"]),
    ("server", &["bounded_lines", "events_extension", "json", "relay", "engine", "store", "task", "worker"]),
    ("client", &["certificate", "events_extension", "form", "process_group", "task"]),
    ("desk", &["client", "engine", "fastmcp", "form", "json", "redis_link", "rules", "store", "task"]),
    ("tui", &["desk", "form", "task"]),
    ("host", &["bounded_lines", "client", "desk", "engine", "fastmcp", "json", "relay", "store", "task"]),
    ("web", &["desk", "engine", "form", "server", "store", "task"]),
    ("notify", &["certificate", "engine", "process_group", "store", "task", "worker"]),
    ("config", &["form", "json", "notify", "rules", "task", "worker"]),
];

/// Each crate that stands for a concern, with the modules that may use it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("clap", &["cli", "main.rs"]),
    ("clap_complete", &["cli", "main.rs"]),
    ("dialoguer", &["cli"]),
    ("indicatif", &["cli"]),
    ("owo_colors", &["cli"]),
    ("crossterm", &["tui"]),
    ("ratatui", &["tui"]),
    ("redis", &["store/redis", "fastmcp", "redis_link"]),
    ("rusqlite", &["store/sqlite"]),
    ("rmcp", &["server", "relay", "client", "host"]),
    ("axum", &["server", "web"]),
    ("maud", &["web"]),
    ("minijinja", &["worker/script"]),
    ("regex", &["rules"]),
    ("toml", &["config"]),
];

fn sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).expect("src can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file: its path below `src`, and its code without comments.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let code = fs::read_to_string(&path).expect("a source file can be read");
        let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (name, code.join("\n"))
    };
    found.into_iter().map(read).collect()
}

/// Whether `code` names `path` as a path, not as a part of a longer word.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let goes_on = |one: char| one.is_alphanumeric() || one == '_';
        let before = code[..at].chars().next_back();
        let after = code[at + path.len()..].chars().next().filter(|_| !path.ends_with(':'));
        !before.is_some_and(|before| goes_on(before) || before == ':') && !after.is_some_and(goes_on)
    })
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let all: Vec<&str> = MAY_USE.iter().map(|(module, _)| *module).chain(["cli", "config"]).collect();
    let mut wrong = Vec::new();
    for (name, code) in files() {
        let is_of = |module: &str| name.starts_with(&format!("{module}/")) || name == format!("{module}.rs");
        let Some((module, allowed)) = MAY_USE.iter().find(|(module, _)| is_of(module)) else { continue };
        for other in all.iter().filter(|other| *other != module && !allowed.contains(other)) {
            if names(&code, &format!("crate::{other}")) {
                wrong.push(format!("src/{name} uses crate::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these cross the layers:\n{}", wrong.join("\n"));
}

#[test]
fn each_concern_has_one_place() {
    let mut wrong = Vec::new();
    for (name, code) in files() {
        for (dependency, places) in ONLY_IN {
            let allowed = places.iter().any(|place| name == *place || name.starts_with(&format!("{place}/")));
            if !allowed && names(&code, &format!("{dependency}::")) {
                wrong.push(format!("src/{name} uses {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these crates are used outside their place:\n{}", wrong.join("\n"));
}
