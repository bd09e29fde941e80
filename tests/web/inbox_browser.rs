//! The inbox in Chromium, while questions come and are answered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mcptask::task::{Ask, Task};
use serde_json::{Value, json};

use crate::browser::{HOSTILE, INSTALLS, modules, node};
use crate::http::Site;
use crate::inbox::asking;
use crate::pages::{Pages, form};
use crate::stage::Stage;

/// A server for browsers on this machine, which lets in two people.
fn pages() -> Pages {
    let stage = Stage::sqlite();
    let tokens = stage.file("tokens", "anna annas-own-token\nben bens-own-token\n");
    let options = ["--workers", "0", "--public-url", "http://127.0.0.1/mcptask", "--token-file", &tokens];
    let site = Site::of(stage.serve(&options));
    let tasks = stage.tasks();
    Pages { stage, tasks, site }
}

/// What is asked on the pictures of the README.
fn release() -> Ask {
    let schema = json!({ "type": "object", "required": ["version", "when"], "properties": {
        "version": { "type": "string", "title": "Version", "description": "As it stands in the change log", "minLength": 3 },
        "when": { "type": "string", "title": "When", "oneOf": [
            { "const": "now", "title": "Now" }, { "const": "night", "title": "Tonight" }] },
        "notify": { "type": "boolean", "title": "Tell the customers", "default": true } } });
    Ask::form("Release the new version to production?", schema)
}

/// A question of that name, as the browser wishes for one.
fn asked(pages: &Pages, name: &str) -> Task {
    let empty = || json!({ "type": "object", "properties": {} });
    match name {
        "hostile" => asking(pages, "anna", &Ask::form(HOSTILE, empty())),
        "release" => asking(pages, "anna", &release()),
        "visit" => {
            asking(pages, "anna", &Ask::url("Sign the contract.", "https://sign.example.com/contract/7"))
        }
        "other" => asking(pages, "ben", &Ask::form("For nobody else", empty())),
        "cuisine" => asking(pages, "anna", &form()),
        name => asking(pages, "anna", &Ask::form(name, empty())),
    }
}

/// Where pictures go.
fn pictures() -> Option<PathBuf> {
    let docs = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    let named = std::env::var_os("MCPTASK_TEST_PICTURES").map(PathBuf::from);
    named.or_else(|| std::env::var_os("UPDATE").map(|_| docs()))
}

/// Lets the browser look at the pages, and asks what it wishes for meanwhile. What it saw.
fn seen(pages: &Pages) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/web/browser/inbox.mjs");
    let given = json!({ "site": format!("http://{}/mcptask", pages.site.address()), "pictures": pictures() });
    let mut command = Command::new(node());
    command.arg(script).arg(modules()).arg(given.to_string());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("node does not run: {error}: {INSTALLS}"));
    let (mut wishes, lines) =
        (child.stdin.take().expect("piped"), BufReader::new(child.stdout.take().expect("piped")).lines());
    let mut seen = Value::Null;
    for line in lines {
        let said: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        match said["ask"].as_str() {
            Some(name) => {
                let task = asked(pages, name);
                writeln!(wishes, "{}", json!(task.id())).expect("is read");
            }
            None => seen = said,
        }
    }
    assert!(child.wait().expect("ours").success(), "{INSTALLS}: {seen:#}");
    seen
}

#[test]
fn the_inbox_is_used_in_chromium() {
    let pages = pages();
    let seen = seen(&pages);
    let answer = |name: &str| {
        let task = seen["tasks"][name].as_str().unwrap_or_else(|| panic!("no {name} in {seen:#}"));
        pages.stage.json(&["show", task])[0].clone()
    };
    let given = |name: &str| answer(name)["questions"][0]["answer"].clone();
    assert_eq!((&seen["axe"], &seen["wide"]), (&json!([]), &Value::Null), "{seen:#}");
    assert_eq!((&seen["dialog"], &seen["hostile"]), (&Value::Null, &json!({ "scripts": 1, "images": 0 })));
    assert_eq!(seen["wrong"], "That token opens nothing here.");
    assert_eq!(
        seen["cookie"],
        json!({ "httpOnly": true, "sameSite": "Strict", "path": "/mcptask/inbox", "script": "" })
    );
    assert_eq!(seen["first"], json!({ "title": "(3) Inbox", "rows": 3, "other": 0 }), "{seen:#}");
    assert!(seen["arrival"]["milliseconds"].as_u64().is_some_and(|after| after < 2500), "{seen:#}");
    let arrived = json!({ "said": "1 new", "title": "(4) Inbox", "focus": "kept" });
    assert_eq!(seen["arrived"], arrived, "{seen:#}");
    assert_eq!(seen["left"], json!({ "said": "1 answered or ended", "title": "(3) Inbox" }), "{seen:#}");
    let told = seen["told"]["said"].as_str().unwrap_or_default();
    assert!(told.starts_with("This question is answered: accept by operator anna"), "{seen:#}");
    assert_eq!(
        (&seen["told"]["typed"], &seen["told"]["focus"]),
        (&json!("Ital"), &json!("f0")),
        "what was typed stays: {seen:#}"
    );
    assert_eq!(seen["second"], "This question is answered");
    assert_eq!(given("cuisine")["content"], json!({ "cuisine": "Thai" }));
    assert_eq!(given("release")["content"], json!({ "version": "2.1.0", "when": "now", "notify": true }));
    assert_eq!((given("visit")["action"].clone(), seen["declined"].clone()), (json!("decline"), json!(true)));
    assert_eq!(answer("hostile")["status"], "cancelled");
    assert_eq!(given("without script")["action"], "accept");
    assert_eq!(
        seen["recent"],
        json!(["accept", "accept", "decline", "accept"]),
        "the newest first: {seen:#}"
    );
    assert_eq!(seen["led"], "?again", "{seen:#}");
    assert_eq!(seen["out"], "You are signed out. Reload the page to sign in.");
    assert_eq!(
        seen["origins"],
        json!([format!("http://{}", pages.site.address())]),
        "no request to anybody else"
    );
}
