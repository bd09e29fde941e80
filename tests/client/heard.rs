//! A server that tells of its tasks is listened to; one that does not is looked at, and the more seldom the longer nothing
//! changes.

use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PATIENCE;
use crate::command::run_in;
use crate::peer::{Peer, Reply, Said, legacy, modern};

const TASKS: usize = 20;

fn task(id: &str, status: &str) -> Value {
    json!({
        "resultType": "complete", "taskId": id, "status": status, "createdAt": "2026-11-26T21:00:00Z",
        "lastUpdatedAt": "2026-11-26T21:00:00Z", "ttlMs": 600_000_000, "pollIntervalMs": 100,
    })
}

fn event(method: &str, params: &Value) -> String {
    format!("data: {}\n\n", json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

fn promise(said: &Said) -> String {
    let ids = &said.message["params"]["notifications"]["taskIds"];
    event("notifications/subscriptions/acknowledged", &json!({ "notifications": { "taskIds": ids } }))
}

/// When which task was looked at.
type Looks = Arc<Mutex<Vec<(Instant, String)>>>;

/// A server whose tasks work for ever, but for those that it does not know, whose ids say so; `listen` has what it says to
/// who wants to be told.
fn working(listen: impl Fn(&Said) -> Reply + Send + Sync + 'static) -> (Peer, Looks) {
    let (calls, looks) = (AtomicUsize::new(0), Looks::default());
    let seen = looks.clone();
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => {
            let number = calls.fetch_add(1, Ordering::SeqCst);
            let kind = if number.is_multiple_of(2) { "known" } else { "unknown" };
            let mut created = task(&format!("{kind}-{number}"), "working");
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        "tasks/get" => {
            let id = said.message["params"]["taskId"].as_str().expect("an id").to_owned();
            seen.lock().expect("no test panics in here").push((Instant::now(), id.clone()));
            if id.starts_with("known") {
                return Reply::Result(task(&id, "working"));
            }
            let error = json!({ "code": -32602, "message": "no such task" });
            let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
            Reply::Http(200, "application/json", body.to_string())
        }
        "subscriptions/listen" => listen(said),
        _ => modern(said),
    });
    (peer, looks)
}

/// Watches all that one user has launched there, for so long.
fn watched(peer: &Peer, words: &[&str], timeout: Duration) -> Output {
    let home = TempDir::new().expect("a folder");
    for _ in 0..TASKS {
        let ran = run_in(&home, &["submit", "x", "--server", &peer.url()], "{}");
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let timeout = format!("{}s", timeout.as_secs());
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path()).stdin(Stdio::null());
    command.args(["watch", "--server", &peer.url(), "--timeout", &timeout]).args(words);
    command.output().expect("mcptask runs")
}

/// How often each of a kind was looked at from then on, at the most.
fn most(looks: &Looks, from: Duration, kind: &str) -> usize {
    let looks = looks.lock().expect("no test panics in here");
    let begun = looks.first().expect("something was looked at").0 + from;
    let later = looks.iter().filter(|(at, id)| *at >= begun && id.starts_with(kind));
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    later.for_each(|(_, id)| *counts.entry(id).or_default() += 1);
    counts.into_values().max().unwrap_or(0)
}

#[test]
fn tasks_at_rest_of_a_server_that_tells_of_them_cost_next_to_nothing() {
    let (peer, looks) = working(|said| Reply::Stream(promise(said)));
    let ran = watched(&peer, &[], Duration::from_secs(16));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        said.contains("the server tells of the tasks that were launched from here by subscription"),
        "{said}"
    );
    // It has begun by then, and each was looked at once more, since it was told of none by itself.
    let from = Duration::from_secs(5);
    let begun = looks.lock().expect("no test panics in here").first().expect("a look").0 + from;
    let later = looks.lock().expect("no test panics in here").iter().filter(|(at, _)| *at >= begun).count();
    assert!(later <= 2, "{later} looks at {TASKS} tasks at rest");
    assert_eq!(peer.said_of("subscriptions/listen").len(), 1, "one request for all");
}

#[test]
fn what_a_server_tells_is_news_although_no_look_shows_it() {
    let (peer, _) = working(|said| {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let params = json!({ "mode": "form", "message": "Which one?", "requestedSchema": schema });
        let mut asking = task("known-4", "input_required");
        asking["inputRequests"] = json!({ "q1": { "method": "elicitation/create", "params": params } });
        Reply::Stream(promise(said) + &event("notifications/tasks", &asking))
    });
    let ran = watched(&peer, &["--until", "asked"], PATIENCE);
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("Which one?"), "{ran:?}");
}

#[test]
fn tasks_of_a_server_that_tells_nothing_are_looked_at_and_those_it_does_not_know_are_left_alone() {
    let (peer, looks) = working(modern);
    let ran = watched(&peer, &[], Duration::from_secs(9));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("are looked at every 2 s, more seldom the longer nothing changes"), "{said}");
    let from = Duration::from_secs(1);
    assert!(most(&looks, from, "known") >= 2, "{looks:?}");
    assert_eq!(most(&looks, from, "unknown"), 0, "{looks:?}");
}

#[test]
fn a_server_that_breaks_off_again_and_again_is_asked_more_and_more_seldom() {
    let (peer, _) = working(|_| Reply::HangUp);
    watched(&peer, &[], Duration::from_secs(9));
    let asked = peer.said_of("subscriptions/listen").len();
    assert!((2..=6).contains(&asked), "{asked} times in 9 s");
}

#[test]
fn what_a_legacy_server_tells_in_its_session_is_news_although_its_list_does_not_show_it() {
    let listed = Arc::new(AtomicUsize::new(0));
    let peer = Peer::start(move |said| match said.method() {
        "initialize" => match legacy(said) {
            Reply::Result(result) => Reply::Session(result),
            other => other,
        },
        "tasks/list" => {
            listed.fetch_add(1, Ordering::SeqCst);
            Reply::Result(json!({ "tasks": [{ "taskId": "t1", "status": "working", "pollInterval": 100 }] }))
        }
        "" if said.head.starts_with("get") => {
            let begun = Instant::now();
            while listed.load(Ordering::SeqCst) == 0 && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
            // It is followed once the reply to the list has arrived.
            std::thread::sleep(Duration::from_millis(700));
            let cancelled = json!({ "taskId": "t1", "status": "cancelled", "pollInterval": 100 });
            Reply::Stream(event("notifications/tasks/status", &cancelled))
        }
        _ => legacy(said),
    });
    let home = TempDir::new().expect("a folder");
    let ran = run_in(&home, &["watch", "--server", &peer.url(), "--era", "legacy", "--until", "end"], "{}");
    assert!(ran.out.contains("cancelled"), "{ran:?}");
}
