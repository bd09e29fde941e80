//! The page of a question in Chromium.

use std::path::PathBuf;
use std::process::Command;

use mcptask::task::Ask;
use serde_json::{Value, json};

use crate::pages::{Pages, form};

/// How to get what the test needs.
pub(crate) const INSTALLS: &str = "`tests/run --install` installs it (npm install of tests/web/browser/package.json, apt-get install chromium)";

/// Where `tests/run` installs what tests need.
fn cache() -> PathBuf {
    let named = std::env::var_os("MCPTASK_TEST_CACHE").map(PathBuf::from);
    named.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").expect("a home directory")).join(".cache/mcptask-tests")
    })
}

/// The Node that `tests/run` installs for all tests, or the machine's own.
pub(crate) fn node() -> PathBuf {
    let installed = cache().join("conformance/node_modules/node/bin/node");
    if installed.exists() { installed } else { "node".into() }
}

/// Where the packages are.
pub(crate) fn modules() -> PathBuf {
    let modules = cache().join("pages/node_modules");
    for package in ["playwright-core", "axe-core"] {
        assert!(modules.join(package).exists(), "{} is missing: {INSTALLS}", modules.join(package).display());
    }
    modules
}

/// A form with each kind of field.
fn kinds() -> Ask {
    let cities: Vec<Value> =
        (0..12).map(|at| json!({ "const": at.to_string(), "title": format!("City {at}") })).collect();
    let schema = json!({ "type": "object",
        "required": ["name", "story", "age", "sure", "size", "city", "extras", "day", "when", "mail", "uri"],
        "properties": {
            "name": { "type": "string", "title": "Name", "description": "Whom to call", "minLength": 2 },
            "story": { "type": "string", "title": "Story", "maxLength": 4000 },
            "age": { "type": "integer", "title": "Age", "minimum": 1, "maximum": 150 },
            "share": { "type": "number", "title": "Share" },
            "sure": { "type": "boolean", "title": "Sure" },
            "size": { "type": "string", "title": "Size", "oneOf": [
                { "const": "s", "title": "Small" }, { "const": "l", "title": "Large" }] },
            "city": { "type": "string", "title": "City", "oneOf": cities },
            "extras": { "type": "array", "title": "Extras", "minItems": 1, "maxItems": 2, "items": { "anyOf": [
                { "const": "o", "title": "Olives" }, { "const": "c", "title": "Capers" }, { "const": "h", "title": "Ham" }] } },
            "day": { "type": "string", "title": "Day", "format": "date" },
            "when": { "type": "string", "title": "Moment", "format": "date-time" },
            "mail": { "type": "string", "title": "Mail", "format": "email" },
            "uri": { "type": "string", "title": "Address", "format": "uri" },
            "left": { "type": "string", "title": "Left alone", "default": "as it was" },
            "no": { "type": "boolean", "title": "Skipped" } } });
    Ask::form(
        "Tell all.\nA second line with aVeryLongWordThatDoesNotFitIntoThreeHundredAndSixtyPixelsHoweverSmallItsLettersAre.",
        schema,
    )
}

/// What stands in such a form once it is filled in.
fn filled() -> Value {
    json!({ "name": "Zoë \"Z\"", "story": "one\ntwo", "age": 42, "share": 0.5, "sure": true, "size": "l", "city": "7",
        "extras": ["o", "c"], "day": "2026-12-24", "when": "2026-12-24T18:00:00Z", "mail": "zoe@example.com",
        "uri": "https://example.com/a?b=c&d", "left": "as it was" })
}

pub(crate) const HOSTILE: &str =
    "</p><script>alert(1)</script><img src=\"https://evil.example/x\" onerror=\"alert(2)\">";

#[test]
fn a_question_is_answered_in_chromium() {
    let (pages, modules) = (Pages::sqlite(), modules());
    let site = format!("http://{}", pages.site.address());
    let asks = [
        ("kinds", kinds()),
        ("errors", kinds()),
        ("twice", form()),
        ("keys", form()),
        ("visit", Ask::url("Please look at it.", format!("{site}/health"))),
        (
            "hostile",
            Ask::form(
                HOSTILE,
                json!({ "type": "object", "properties": { "a": { "type": "string", "title": HOSTILE } } }),
            ),
        ),
    ];
    let tasks = asks.map(|(name, ask)| (name, pages.asking(&ask)));
    let links: Value = tasks
        .iter()
        .map(|(name, task)| ((*name).to_owned(), json!(pages.link(task, &["--as", "ada"]))))
        .collect();
    let given =
        json!({ "site": site, "links": links, "pictures": std::env::var("MCPTASK_TEST_PICTURES").ok() });
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/web/browser/pages.mjs");
    let done = Command::new(node()).arg(script).arg(modules).arg(given.to_string()).output();
    let done = done.unwrap_or_else(|error| panic!("node does not run: {error}: {INSTALLS}"));
    assert!(done.status.success(), "{}: {INSTALLS}", String::from_utf8_lossy(&done.stderr));
    let seen: Value = serde_json::from_slice(&done.stdout).expect("JSON");

    let answer = |wanted: &str| {
        let (_, task) = tasks.iter().find(|(name, _)| *name == wanted).expect("is one");
        pages.answer(task)
    };
    let answered = json!("This question is answered");
    assert_eq!(
        (&seen["kinds"], &seen["reloaded"], &seen["mended"]),
        (&answered, &answered, &answered),
        "{seen:#}"
    );
    assert_eq!(
        (&answer("kinds")["content"], &answer("errors")["content"]),
        (&filled(), &filled()),
        "{seen:#}"
    );
    assert_eq!(seen["title"], "Not sent: deploy asks");
    assert_eq!(
        (&seen["focused"], &seen["kept"], &seen["invalid"]),
        (&json!("f0"), &json!("many"), &json!("true")),
        "{seen:#}"
    );
    assert_eq!(
        (&seen["said"], &seen["linked"]),
        (&json!("Not right yet: \"many\" is not a whole number"), &json!("#f2"))
    );
    assert!(seen["second"].as_str().is_some_and(|said| said.contains("decline by operator ada")), "{seen:#}");
    assert_eq!(seen["stops"], json!(["f0", "Send", "Decline", "Dismiss"]), "{seen:#}");
    assert!(seen["dismissed"].is_string() && answer("keys")["action"] == "cancel", "{seen:#}");
    assert_eq!(seen["visit"], json!({ "before": 1, "opener": null, "referrer": "", "path": "/health" }));
    assert_eq!((&answer("visit")["action"], &answer("visit")["content"]), (&json!("accept"), &Value::Null));
    assert_eq!(seen["hostile"], json!({ "scripts": 0, "images": 0, "title": "deploy asks" }));
    assert_eq!((&seen["message"], &seen["dialog"]), (&json!(HOSTILE), &Value::Null));
    assert_eq!((&seen["axe"], &seen["wide"]), (&json!([]), &Value::Null), "{seen:#}");
    assert_eq!(seen["origins"], json!([site]), "no request to anybody else");
}
