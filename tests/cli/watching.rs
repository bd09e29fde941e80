//! `watch`, `list`, `show` and `tools`.

use serde_json::Value;

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::redis::RedisServer;
use crate::stock::{Engine, Stock};

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().expect("an event's name")).collect()
}

#[test]
fn a_session_is_watched_from_the_start_and_nothing_is_taken_away() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    place.ok(&["submit", "plan_dinner", "--session", "other"]);
    place.until(&id, "asked");
    let first = place.json(&["watch", "dinner", "--no-follow"]);
    assert_eq!(names(&first), ["submitted", "claimed", "progress", "asked"]);
    assert!(first.iter().all(|event| event["task"] == id.as_str()));
    let again = place.json(&["watch", "dinner", "--no-follow"]);
    assert_eq!(first, again);
}

#[test]
fn a_watcher_goes_on_from_a_cursor_and_filters_by_status() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let events = place.json(&["watch", "--no-follow"]);
    let cursor = events[1]["cursor"].as_str().expect("a cursor");
    assert_eq!(names(&place.json(&["watch", "--no-follow", "--since", cursor])), ["progress", "asked"]);
    assert_eq!(names(&place.json(&["watch", "--no-follow", "--status", "input_required"])), ["asked"]);
    assert_eq!(place.json(&["watch", "--no-follow", "--since", "now"]).len(), 0);
    assert_eq!(place.json(&["watch", "--no-follow", "--since", "1h"]).len(), 4);
    assert_eq!(place.run(&["watch", "--since", "yesterday"]).code, 2);
    place.ok(&["cancel", &id]);
}

#[test]
fn a_question_is_printed_with_the_command_that_answers_it() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let out = place.ok(&["watch", "--no-follow"]);
    assert!(out.contains("? input_required"), "{out}");
    assert!(out.contains(&format!("mcptask respond {} --accept --set cuisine=TEXT", &id[..8])), "{out}");
}

#[test]
fn the_suggested_command_reaches_the_same_store() {
    let place = Place::new();
    let flags = ["--db", "other place.db", "--namespace", "mine"];
    let with = |rest: &[&str]| place.ok(&flags.iter().chain(rest).copied().collect::<Vec<_>>());
    let _worker = place.background(&[&["worker", "--json"], &flags[..]].concat());
    let id = with(&["submit", "plan_dinner"]);
    with(&["watch", "--task", &id, "--until", "asked"]);
    let out = with(&["watch", "--no-follow"]);
    assert!(out.contains("mcptask --db 'other place.db' --namespace mine respond"), "{out}");
}

#[test]
fn until_that_never_comes_changes_nothing() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    assert_eq!(place.run(&["watch", "--task", &id, "--until", "asked"]).code, 10);
    assert_eq!(place.run(&["watch", "--task", &id, "--until", "end"]).code, 0);
    assert_eq!(place.run(&["watch", "--task", &id]).code, 0, "a watched task's end is the end");
}

#[test]
fn lists_are_filtered() {
    let place = Place::new();
    let _worker = place.worker();
    let dinner = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    place.until(&dinner, "asked");
    let wait = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    place.until(&wait, "completed");
    let listed = |arguments: &[&str], wanted: &[&String]| {
        let tasks = place.json(&[&["list"], arguments].concat());
        let ids: Vec<&str> = tasks.iter().map(|task| task["id"].as_str().expect("an id")).collect();
        assert_eq!(ids, wanted.iter().map(|id| id.as_str()).collect::<Vec<_>>(), "{arguments:?}");
    };
    listed(&[], &[&wait, &dinner]);
    listed(&["--session", "dinner"], &[&dinner]);
    listed(&["--status", "completed"], &[&wait]);
    listed(&["--tool", "plan_dinner"], &[&dinner]);
    listed(&["--limit", "1"], &[&wait]);
}

#[test]
fn show_has_questions_answers_and_events() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    let out = place.ok(&["show", &id]);
    for part in [id.as_str(), "question q1", "accept by operator", "cuisine=Thai", "claimed by"] {
        assert!(out.contains(part), "{part:?} is not in {out}");
    }
}

#[test]
fn a_submission_warns_where_no_worker_runs() {
    let place = Place::new();
    let worker = place.worker();
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let ran = place.run(&["submit", "wait"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("no worker runs \"wait\" now"), "{ran:?}");
    assert_eq!(ran.out.trim().len(), 26, "only the id is on stdout: {ran:?}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let place = Place::new();
    let _worker = place.worker();
    place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    let watch = place.background(&["watch", "--json"]).without_reader();
    place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    assert_eq!(watch.code(), 0);
}

#[test]
fn show_has_the_newest_events_and_says_how_many_it_leaves_out() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let id = place.ok(&["submit", "chatters"]);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "told");
    let ran = place.run(&["show", &id]);
    assert!(ran.out.contains("step 1100.") && ran.out.trim_end().ends_with("completed"), "{ran:?}");
    assert!(!ran.out.contains("step 1."), "{ran:?}");
    assert!(ran.err.contains("103 older events are left out"), "{}", ran.err);
    assert!(ran.err.contains(&format!("watch --task {id} --no-follow")), "{}", ran.err);
    assert!(place.ok(&["watch", "--task", &id, "--no-follow"]).contains("step 1."));
}

#[test]
fn what_was_waited_for_and_never_came_is_no_success() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    for arguments in [&["watch", "--no-follow"][..], &["watch", "--task", &id, "--no-follow"]] {
        assert_eq!(place.run(&[arguments, &["--until", "asked"]].concat()).code, 0);
        let ran = place.run(&[arguments, &["--until", "failed"]].concat());
        assert_eq!(ran.code, 10, "{ran:?}");
        assert!(ran.err.contains("no event until now is \"failed\""), "{ran:?}");
    }
}

#[test]
fn the_past_is_watched_with_one_look_at_what_is_still_open() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = place.worker();
    let answered: Vec<String> = (0..20).map(|_| place.asking("plan_dinner")).collect();
    for id in &answered {
        place.ok(&["respond", id, "--decline"]);
        place.until(id, "end");
    }
    let open = place.asking("plan_dinner");
    let records = || redis.ask::<String>(&["INFO", "commandstats"]).expect("answers");
    redis.ask::<()>(&["CONFIG", "RESETSTAT"]).expect("may");
    let watched = place.ok(&["watch", "--no-follow"]);
    let read = calls(&records(), "hgetall") + calls(&records(), "hget") + calls(&records(), "hmget");
    assert!(read < 10, "{read} records are read for one open question: {}", records());
    let hints: Vec<&str> = watched.lines().filter(|line| line.contains("answer with")).collect();
    assert_eq!(hints.len(), 1, "{watched}");
    assert!(hints[0].contains(&open[..8]), "{watched}");
}

/// How often a Redis was given that command.
fn calls(statistics: &str, command: &str) -> u64 {
    let line = statistics.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or_default()
}

/// Of a long log no more is read than the last events need, however few of them are wanted.
#[test]
fn the_last_events_are_read_from_the_logs_end() {
    let stock = Stock::on(Engine::Redis);
    stock.fill(4000, "deploy", "old", None);
    let ids = stock.fill(3, "deploy", "new", None);
    stock.place.ok(&["cancel", ids[0].as_str()]);
    stock.fill(20, "deploy", "newer", None);
    let redis = stock.redis.as_ref().expect("is on one");
    for (options, wanted, most) in [
        (&["--tail", "5"][..], 5, 4),
        (&["--tail", "1", "--event", "cancelled"], 1, 4),
        (&["--tail", "2", "new"], 2, 4),
        (&["--tail", "2", "--task", ids[0].as_str()], 2, 4),
    ] {
        redis.ask::<()>(&["CONFIG", "RESETSTAT"]).expect("may");
        let seen = stock.place.json(&[&["watch", "--no-follow"], options].concat());
        assert_eq!(seen.len(), wanted, "{options:?}: {seen:?}");
        let statistics = redis.ask::<String>(&["INFO", "commandstats"]).expect("answers");
        let stretches = calls(&statistics, "xrange") + calls(&statistics, "xrevrange");
        // Those of a session and of a task are read one by one.
        let each = if options.len() > 2 && options[2] != "--event" { 8 } else { 0 };
        assert!(stretches <= most + each, "{options:?}: {stretches} stretches of the log are read");
    }
    let whole = stock.place.json(&["watch", "--no-follow", "--tail", "100000"]);
    assert_eq!(whole, stock.place.json(&["watch", "--no-follow"]));
}

#[test]
fn an_unknown_event_is_refused_with_the_names_there_are() {
    let place = Place::new();
    for option in ["--event", "--until"] {
        let ran = place.run(&["watch", option, "askd"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        for name in ["submitted", "asked", "answered", "end"] {
            assert!(ran.err.contains(name), "{name}: {ran:?}");
        }
    }
}

/// In our own store and through a server of either era: nothing would ever be seen of such a session.
#[test]
fn a_task_where_a_session_is_meant_is_told_from_one() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = place.asking("plan_dinner");
    let modern = ["--server", server.url(), "--era", "modern"];
    for (way, begins) in [(&[][..], &id[..4]), (&[], &id), (&modern, &id)] {
        for follows in [&["--no-follow"][..], &["--timeout", "20s"]] {
            let ran = place.run(&[&["watch", begins], follows, way].concat());
            assert_eq!(ran.code, 2, "{way:?} {follows:?}: {ran:?}");
            assert!(ran.err.contains("a session's id is wanted"), "{ran:?}");
            assert!(ran.err.contains(&format!("watch --task {begins}")), "{ran:?}");
        }
    }
    let ran = place.run(&["watch", "nobodys-session", "--no-follow"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "a session may be yet to come");
    let ran = place.run(&[&["watch", "nobodys-session", "--no-follow"][..], &modern].concat());
    assert!(ran.code == 2 && ran.err.contains("does not say which session"), "{ran:?}");
}

#[test]
fn a_task_that_expires_while_it_is_watched_is_8_everywhere() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in [None, Some("modern"), Some("legacy")] {
        let way = era.map_or(vec![], |era| vec!["--server", server.url(), "--era", era]);
        for (until, code) in [(&[][..], 8), (&["--until", "completed"], 8), (&["--until", "expired"], 0)] {
            let id = place.ok(&["submit", "wait", "--arg", "seconds=3600", "--ttl", "3s"]);
            // A legacy server shows a task to the session that launched it only, which this one is not.
            let ran = place.run(&[&["watch", "--task", &id, "--timeout", "30s"], until, &way].concat());
            assert_eq!(ran.code, code, "{era:?} {until:?}: {ran:?}");
            assert!((ran.out + &ran.err).contains("expired"), "{era:?} {until:?}");
        }
    }
}
