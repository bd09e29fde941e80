//! No files of `src` use each other in a circle, directly or through others. That a part uses what stands around it
//! (`super`) is no circle by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::{files, names};

/// Names of a module, from the crate on.
type Path = Vec<String>;

/// The module of a source file.
fn module(file: &str) -> Path {
    let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
    match name {
        "lib" | "main" | "mod" => Vec::new(),
        name => name.split('/').map(str::to_owned).collect(),
    }
}

/// All paths of a tree such as `a::{b, c::{d, e}}` that begins here.
fn tree(code: &str, before: &Path, found: &mut Vec<Path>) -> usize {
    let mut path = before.clone();
    let mut at = 0;
    loop {
        let rest = &code[at..];
        if rest.starts_with('{') {
            at += 1;
            while !code[at..].starts_with('}') {
                let blank = code[at..].len() - code[at..].trim_start_matches([' ', '\n', ',']).len();
                at += blank;
                if blank == 0 {
                    at += tree(&code[at..], &path, found).max(1);
                }
            }
            return at + 1;
        }
        let word = rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
        if word == 0 {
            break;
        }
        path.push(rest[..word].to_owned());
        at += word;
        if !code[at..].starts_with("::") {
            break;
        }
        at += 2;
    }
    found.push(path);
    at
}

/// The paths that a file names from the crate, or from what stands around it, on.
fn named(code: &str, module: &Path) -> Vec<Path> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|one| one.is_alphanumeric() || one == '_' || one == ':') {
                continue;
            }
            let (mut from, mut rest) = (Vec::new(), &code[at..]);
            if root == "super::" {
                from.clone_from(module);
                while let Some(above) = rest.strip_prefix("super::") {
                    from.pop();
                    rest = above;
                }
            } else {
                rest = &rest[root.len()..];
            }
            tree(rest, &from, &mut found);
        }
    }
    found
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let code: BTreeMap<Path, String> = files()
        .into_iter()
        // What stands in a file's own tests is built for them alone.
        .map(|(name, code)| {
            (module(&name), code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned())
        })
        .collect();
    let mut uses: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, text) in &code {
        let file = |path: Path| (1..=path.len()).rev().find_map(|most| code.get_key_value(&path[..most]));
        let named = named(text, from).into_iter().filter_map(file).map(|(to, _)| to);
        let parts = code.keys().filter(|to| to.len() == from.len() + 1 && to.starts_with(from));
        let parts = parts.filter(|to| names(text, &format!("{}::", to[from.len()])));
        uses.entry(from).or_default().extend(named.chain(parts).filter(|to| !from.starts_with(to)));
    }
    let mut circles = Vec::new();
    for from in uses.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*from]);
        while let Some(one) = next.pop() {
            next.extend(uses[one].iter().filter(|to| seen.insert(**to)));
        }
        if seen.contains(from) {
            circles.push(from.join("::"));
        }
    }
    assert!(circles.is_empty(), "these use each other in a circle:\n{}", circles.join("\n"));
}
