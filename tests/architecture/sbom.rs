//! The bill of materials: every crate that the program is made of, as `CycloneDX` 1.5, checked in for each release.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::dependencies::metadata;

/// Where it is.
const FILE: &str = "docs/sbom.cdx.json";

type Packages<'a> = BTreeMap<&'a str, &'a Value>;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A package's address (<https://github.com/package-url/purl-spec>).
fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version"))
}

/// What each package takes for more than its own build and tests.
fn takes<'a>(metadata: &'a Value) -> BTreeMap<&'a str, Vec<&'a str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a resolved graph");
    let is_normal = |dependency: &&Value| {
        dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
    };
    let of = |node: &'a Value| {
        let all = node["deps"].as_array().into_iter().flatten().filter(is_normal);
        (text(node, "id"), all.map(|dependency| text(dependency, "pkg")).collect())
    };
    nodes.iter().map(of).collect()
}

fn component(package: &Value) -> Value {
    json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "licenses": [{ "expression": text(package, "license").replace('/', " OR ") }],
    })
}

fn bill(metadata: &Value) -> Value {
    let packages: Packages<'_> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (text(package, "id"), package))
        .collect();
    let (takes, root) = (takes(metadata), text(&metadata["resolve"], "root"));
    let (mut found, mut new) = (BTreeSet::new(), vec![root]);
    while let Some(id) = new.pop() {
        if found.insert(id) {
            new.extend(&takes[id]);
        }
    }
    let mut all: Vec<&str> = found.into_iter().collect();
    all.sort_by_key(|id| purl(packages[id]));
    let mut program = component(packages[root]);
    program["type"] = json!("application");
    let sorted = |id: &str| takes[id].iter().map(|id| purl(packages[id])).collect::<BTreeSet<_>>();
    let edges = all.iter().map(|id| json!({ "ref": purl(packages[id]), "dependsOn": sorted(id) }));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": program },
        "components":
            all.iter().filter(|id| **id != root).map(|id| component(packages[id])).collect::<Vec<_>>(),
        "dependencies": edges.collect::<Vec<_>>(),
    })
}

#[test]
fn the_bill_of_materials_is_as_checked_in() {
    let mut wanted = serde_json::to_string_pretty(&bill(&metadata())).expect("JSON");
    wanted.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &wanted).expect("can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "{FILE} is out of date; refresh it with: UPDATE=1 cargo test --test architecture bill"
    );
}
