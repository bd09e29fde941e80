//! Receivers that are slow, dead, refuse, redirect, hang, close early or answer without an end.

use std::time::{Duration, Instant};

use crate::receiver::{Got, Receiver, Reply};
use crate::redis::free_port;
use crate::shapes::{is_line, is_notice};
use crate::stage::{Stage, posting};

on_both_engines! {
    what_fails_is_tried_again_and_keeps_its_tasks_order,
    what_is_refused_is_set_aside_and_sent_again_when_somebody_wants_it,
    a_receiver_that_hangs_or_is_dead_holds_up_nobody_else,
}

fn words(all: &[Got], task: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for got in all.iter().filter(|got| got.data("task") == task) {
        if words.last() != Some(&got.data("event")) {
            words.push(got.data("event"));
        }
    }
    words
}

fn what_fails_is_tried_again_and_keeps_its_tasks_order(stage: &Stage) {
    // The first try of each kind of failure is not taken, whatever the failure.
    let receiver = Receiver::start(|got, before| match (got.data("tool").as_str(), before) {
        ("fails", 0) => Reply::Status(500),
        ("closes", 0) => Reply::Close,
        ("endless", 0) => Reply::Endless(503),
        ("moved", 0) => Reply::With(302, "location: http://127.0.0.1:1/\r\ncontent-length: 0\r\n".into()),
        ("busy", 0) => Reply::With(429, "retry-after: 2\r\ncontent-length: 0\r\n".into()),
        ("slow", _) => Reply::Late(Duration::from_millis(300), 200),
        ("talks", _) => Reply::Endless(200),
        _ => Reply::Status(200),
    });
    let on = ["submitted", "claimed", "requeued", "completed"];
    let _server = stage.telling(&posting("hook", &on, &receiver.url()));
    let tasks = stage.tasks();
    for tool in ["fails", "closes", "endless", "moved", "busy", "slow", "talks"] {
        let task = tasks.five_events(tool).to_string();
        let is_over =
            |all: &[Got]| all.iter().any(|got| got.data("task") == task && got.data("event") == "completed");
        let done = |all: &[Got]| {
            let tries =
                all.iter().filter(|got| got.data("task") == task && got.data("event") == "completed").count();
            is_over(all) && (tries == 2 || matches!(tool, "slow" | "talks"))
        };
        let all = receiver.until(tool, done);
        assert_eq!(
            words(&all, &task),
            ["submitted", "claimed", "requeued", "claimed", "completed"],
            "{tool}"
        );
        let tries: Vec<&Got> = all.iter().filter(|got| got.data("task") == task).collect();
        if tool == "busy" {
            assert!(tries[1].at - tries[0].at >= Duration::from_secs(2), "it wished for that pause");
        }
    }
    assert!(receiver.all().iter().all(|got| got.path == "/s3cret-path"), "no redirect is followed");
    let found = stage.until_notifiers("nothing waits", |found| found.len() == 1 && found[0]["waiting"] == 0);
    assert_eq!((&found[0]["set_aside"], &found[0]["failing_since"]), (&0.into(), &serde_json::Value::Null));
}

fn what_is_refused_is_set_aside_and_sent_again_when_somebody_wants_it(stage: &Stage) {
    let receiver = Receiver::start(|got, before| match (got.data("tool").as_str(), before) {
        ("gone", 0) => Reply::Status(410),
        ("unwanted", 0) => Reply::With(400, "content-length: 12\r\n\r\nnot \u{1b}[31m so".into()),
        _ => Reply::Status(200),
    });
    let _server = stage.telling(&posting("hook", &["submitted", "cancelled"], &receiver.url()));
    let tasks = stage.tasks();
    let gone = tasks.submit("gone", None);
    tasks.submit("unwanted", None);
    let found = stage.until_notifiers("two are set aside", |found| found[0]["set_aside"] == 2);
    assert_eq!(found.len(), 3, "{found:#?}");
    is_line("notifier", &found[0]);
    for one in &found[1..] {
        is_line("undelivered notice", one);
    }
    let first = found[1..].iter().find(|one| one["task"] == gone.as_str()).expect("is shown");
    assert_eq!(
        (&first["event"], &first["tries"], &first["set_aside"]),
        (&"submitted".into(), &1.into(), &true.into())
    );
    assert!(first["problem"].as_str().expect("a problem").contains("410"), "{first}");
    let shown = stage.ok(&["notify"]);
    assert!(shown.contains("410") && !shown.contains('\u{1b}') && !shown.contains("s3cret"), "{shown}");
    let doctor = stage.run(&["doctor", "--json"]);
    assert!(doctor.code == 5 && doctor.out.contains("notices_set_aside"), "{doctor:?}");
    // What comes later of the task is not held up by what was given up.
    tasks.cancel(&gone);
    receiver.until("the cancellation", |all| all.iter().any(|got| got.data("event") == "cancelled"));
    let id = first["notice"].as_str().expect("an id");
    assert_eq!(stage.json(&["notify", "retry", &id[..12]])[0]["retried"], 1);
    for got in &receiver.all() {
        is_notice(&got.body());
    }
    receiver.until("it again", |all| all.iter().filter(|got| got.id() == id).count() == 2);
    // The cancellation was refused at first as well.
    assert_eq!(stage.json(&["notify", "retry", "--all"])[0]["retried"], 2);
    stage.until_notifiers("all are taken", |found| found.len() == 1 && found[0]["set_aside"] == 0);
    assert_eq!(stage.run(&["notify", "retry", "--all"]).code, 10);
    assert_eq!(stage.run(&["notify", "retry", "nobody"]).code, 9);
}

fn a_receiver_that_hangs_or_is_dead_holds_up_nobody_else(stage: &Stage) {
    let hangs =
        Receiver::start(|got, _| if got.data("tool") == "stuck" { Reply::Hang } else { Reply::Status(200) });
    let well = Receiver::ready();
    let dead = format!("http://127.0.0.1:{}/", free_port());
    let all = [("hangs", hangs.url()), ("well", well.url()), ("dead", dead)];
    let text: String = all.iter().map(|(name, url)| posting(name, &["submitted"], url)).collect();
    let _server = stage.telling(&text);
    let tasks = stage.tasks();
    let began = Instant::now();
    (0..4).for_each(|_| drop(tasks.submit("stuck", None)));
    (0..50).for_each(|_| drop(tasks.submit("other", None)));
    well.count(54);
    hangs.until("those of other tasks", |all| {
        all.iter().filter(|got| got.data("tool") == "other").count() == 50
    });
    // The bound on one try is ten seconds, and nobody waited for it.
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    let found = stage.until_notifiers("the dead one is known", |found| {
        found
            .iter()
            .any(|one| one["notifier"] == "dead" && one["failing_since"].is_string() && one["waiting"] == 54)
    });
    assert_eq!(found[0]["notifier"], "dead");
    let doctor = stage.run(&["doctor", "--json"]);
    assert!(doctor.code == 5 && doctor.out.contains("notifier_fails"), "{doctor:?}");
    hangs.until("another try of those that hung", |all| {
        all.iter().filter(|got| got.data("tool") == "stuck").count() > 4
    });
}

#[test]
fn a_store_that_was_emptied_is_told_of_from_then_on() {
    let stage = Stage::redis();
    let receiver = Receiver::ready();
    let _server = stage.telling(&posting("hook", &["submitted"], &receiver.url()));
    stage.tasks().submit("before", None);
    receiver.count(1);
    let redis = stage.server().expect("a Redis");
    let _: String = redis.ask(&["FLUSHALL"]).expect("empties it");
    stage.heard("lost what it knew of the notifier");
    stage.tasks().submit("after", None);
    assert_eq!(receiver.count(2)[1].data("tool"), "after");
}

#[test]
fn a_log_that_was_cut_before_it_was_told_is_told_of_and_gone_on_with() {
    let stage = Stage::redis();
    let receiver = Receiver::ready();
    let server = stage.telling(&posting("hook", &["submitted"], &receiver.url()));
    let tasks = stage.tasks();
    tasks.submit("before", None);
    receiver.count(1);
    // Or it would come again.
    stage.until_notifiers("that is written down", |found| found[0]["waiting"] == 0);
    server.kill();
    for tool in ["lost", "lost", "kept"] {
        tasks.submit(tool, None);
    }
    let redis = stage.server().expect("a Redis");
    let _: i64 = redis.ask(&["XTRIM", "mcptask:{default}:2:events", "MAXLEN", "=", "1"]).expect("cuts it");
    let _server = stage.telling(&posting("hook", &["submitted"], &receiver.url()));
    stage.heard("the event log was cut before it was told");
    assert_eq!(receiver.count(2)[1].data("tool"), "kept");
}

#[test]
fn a_store_that_is_away_is_waited_for_and_a_stop_is_seen_meanwhile() {
    let mut stage = Stage::persistent();
    let receiver = Receiver::ready();
    let file = posting("hook", &["submitted"], &receiver.url());
    let server = stage.telling(&file);
    stage.tasks().submit("before", None);
    receiver.count(1);
    // Or it would come again.
    stage.until_notifiers("that is written down", |found| found[0]["waiting"] == 0);
    stage.server_mut().kill();
    stage.heard("telling of events does not work");
    stage.server_mut().restart();
    stage.heard("telling of events works again");
    stage.until_run(1);
    stage.tasks().submit("after", None);
    assert_eq!(receiver.count(2)[1].data("tool"), "after");
    let second = stage.server_with(&file);
    stage.server_mut().kill();
    for server in [server, second] {
        server.signal("TERM");
        server.code();
    }
}
