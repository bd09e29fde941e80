//! Verbs over many tasks at a server that cannot show one of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Ran, run_in};
use crate::peer::{Peer, Reply, Said, modern};

fn task(id: &str, status: &str, more: Value) -> Value {
    let mut task = json!({
        "resultType": "complete", "taskId": id, "status": status, "createdAt": "2026-11-26T21:00:00Z",
        "lastUpdatedAt": "2026-11-26T21:00:00Z", "ttlMs": 600_000_000, "pollIntervalMs": 100,
    });
    let Value::Object(more) = more else { panic!("no members: {more}") };
    task.as_object_mut().expect("an object").extend(more);
    task
}

fn asking(id: &str) -> Reply {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let params = json!({ "mode": "form", "message": "Q?", "requestedSchema": schema });
    let question = json!({ "method": "elicitation/create", "params": params });
    Reply::Result(task(id, "input_required", json!({ "inputRequests": { "q": question } })))
}

/// A server whose task of each id is shown so; each call begins the next of these tasks.
fn showing(
    ids: &'static [&'static str],
    show: impl Fn(&str, &Said) -> Reply + Send + Sync + 'static,
) -> Peer {
    let calls = AtomicUsize::new(0);
    Peer::start(move |said| match said.method() {
        "tools/call" => {
            let mut created = task(ids[calls.fetch_add(1, Ordering::SeqCst)], "working", json!({}));
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        "tasks/get" => show(said.message["params"]["taskId"].as_str().expect("an id"), said),
        "tasks/update" => Reply::Result(json!({ "resultType": "complete" })),
        _ => modern(said),
    })
}

/// Commands of one user, who has launched all those tasks.
struct User<'a> {
    home: TempDir,
    peer: &'a Peer,
}

impl<'a> User<'a> {
    fn of(peer: &'a Peer, ids: &[&str]) -> Self {
        let user = Self { home: TempDir::new().expect("a folder"), peer };
        for id in ids {
            let ran = user.run(&["submit", "x"]);
            assert!(ran.code == Some(0) && ran.out.contains(id), "{ran:?}");
        }
        user
    }

    fn run(&self, words: &[&str]) -> Ran {
        run_in(&self.home, &[words, &["--server", &self.peer.url()]].concat(), "{}")
    }
}

fn error(said: &Said, code: i64) -> Reply {
    let error = json!({ "code": code, "message": "inner trouble" });
    let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
    Reply::Http(200, "application/json", body.to_string())
}

const BAD: [&str; 7] = ["rpc-1", "deny-1", "away-1", "page-1", "none-1", "hangup-1", "paused-1"];
const IDS: [&str; 9] =
    ["good-1", "rpc-1", "deny-1", "away-1", "page-1", "none-1", "hangup-1", "paused-1", "good-2"];

fn show(id: &str, said: &Said) -> Reply {
    match id {
        "rpc-1" => error(said, -32603),
        "deny-1" => Reply::Http(403, "text/plain", String::new()),
        "away-1" => Reply::Http(503, "text/plain", String::new()),
        "page-1" => Reply::Http(200, "text/html", "<html>log in</html>".to_owned()),
        "none-1" => Reply::Http(404, "text/plain", String::new()),
        "hangup-1" => Reply::HangUp,
        "paused-1" => Reply::Result(task(id, "paused", json!({}))),
        good => asking(good),
    }
}

#[test]
fn a_task_that_its_server_cannot_show_hides_no_other() {
    let peer = showing(&IDS, show);
    let user = User::of(&peer, &IDS);

    let listed = user.run(&["list", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let rows: Vec<Value> =
        listed.out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(rows.len(), IDS.len(), "{rows:?}");
    for row in &rows {
        let is_bad = BAD.iter().any(|bad| row["task"] == *bad);
        assert_eq!(row["status"] == "unreadable", is_bad, "{row}");
        assert_eq!(row["problem"].as_str().is_some_and(|problem| !problem.is_empty()), is_bad, "{row}");
    }
    let listed = user.run(&["list"]);
    assert!(listed.code == Some(0) && listed.out.contains("! unreadable"), "{listed:?}");

    let found = user.run(&["doctor"]);
    assert!(found.code == Some(5) && IDS.iter().all(|id| found.out.contains(id)), "{found:?}");

    let answered = user.run(&["respond", "--all", "--tool", "x", "--set", "a=x", "--dry-run"]);
    assert!(answered.code == Some(0) && answered.out.contains("good-1"), "{answered:?}");
    assert!(
        answered.out.contains("good-2") && answered.err.contains("7 tasks cannot be looked at"),
        "{answered:?}"
    );
    let next = user.run(&["respond", "--next", "--set", "a=x"]);
    assert!(next.code == Some(0) && next.err.contains("cannot be looked at"), "{next:?}");
    let cancelled = user.run(&["cancel", "--tool", "x", "--dry-run"]);
    assert!(cancelled.code == Some(0) && cancelled.err.contains("7 tasks cannot be read"), "{cancelled:?}");
    let watched = user.run(&["watch", "--until", "asked"]);
    assert!(watched.code == Some(0) && watched.err.contains("7 tasks cannot be looked at"), "{watched:?}");
}

#[test]
fn a_look_that_takes_too_long_keeps_nobody_waiting_for_the_others() {
    let peer = showing(&["good-1", "hang-1", "hang-2"], |id, _| match id {
        "good-1" => asking(id),
        _ => Reply::Stream(String::new()),
    });
    let user = User::of(&peer, &["good-1", "hang-1", "hang-2"]);
    let listed = user.run(&["list"]);
    assert!(listed.code == Some(0) && listed.out.contains("good-1"), "{listed:?}");
    // Another one is shown at once, so that it is these that hang; both are looked at at once.
    assert!(listed.out.contains("has not answered for 2 s"), "{listed:?}");
    assert!(listed.took < Duration::from_secs(9), "{listed:?}");
}

#[test]
fn where_no_task_is_shown_the_server_may_only_be_slow() {
    let peer = showing(&["slow-1"], |id, _| {
        std::thread::sleep(Duration::from_secs(4));
        asking(id)
    });
    let listed = User::of(&peer, &["slow-1"]).run(&["list"]);
    assert!(listed.code == Some(0) && listed.out.contains("input_required"), "{listed:?}");
}

#[test]
fn who_watches_waits_seldom_for_a_task_that_is_not_shown() {
    let looks = AtomicUsize::new(0);
    let peer = showing(&["good-1", "hang-1"], move |id, _| match id {
        "hang-1" => Reply::Stream(String::new()),
        _ if looks.fetch_add(1, Ordering::SeqCst) > 3 => {
            let result = json!({ "content": [], "isError": false });
            Reply::Result(task(id, "completed", json!({ "result": result })))
        }
        other => Reply::Result(task(other, "working", json!({}))),
    });
    let user = User::of(&peer, &["good-1", "hang-1"]);
    let watched = user.run(&["watch", "--until", "completed"]);
    assert!(watched.code == Some(0) && watched.err.contains("has not answered for 2 s"), "{watched:?}");
    // Of its looks only the first one takes 2 s.
    assert!(watched.took < Duration::from_secs(20), "{watched:?}");
    let hangs =
        peer.said_of("tasks/get").into_iter().filter(|said| said.message["params"]["taskId"] == "hang-1");
    assert_eq!(hangs.count(), 1);
}

#[test]
fn watching_goes_on_beside_a_task_that_cannot_be_looked_at_any_more() {
    let looks = AtomicUsize::new(0);
    let peer = showing(&["good-1", "rpc-1"], move |id, said| match id {
        "rpc-1" if looks.load(Ordering::SeqCst) > 2 => error(said, -32603),
        // It ends when the other one has gone bad.
        "good-1" if looks.fetch_add(1, Ordering::SeqCst) > 6 => {
            let result = json!({ "content": [], "isError": false });
            Reply::Result(task(id, "completed", json!({ "result": result })))
        }
        other => Reply::Result(task(other, "working", json!({}))),
    });
    let user = User::of(&peer, &["good-1", "rpc-1"]);
    let watched = user.run(&["watch", "--until", "completed"]);
    assert_eq!(watched.code, Some(0), "{watched:?}");
    assert_eq!(watched.err.matches("a task cannot be looked at now: task rpc-1").count(), 1, "{watched:?}");
}
