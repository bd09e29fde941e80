//! What `watch` and `show` follow, and what is done beside it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;
use crate::redis::RedisServer;
use crate::stage::{Stage, TOOLS};

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().expect("an event's name")).collect()
}

/// The last events come first, counted among those that are wanted.
fn begins_with_the_last(place: &Place) {
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let watch = |options: &[&str]| place.json(&[&["watch", "--no-follow"], options].concat());
    let all = watch(&[]);
    assert_eq!(names(&all), ["submitted", "claimed", "progress", "asked", "cancelled"]);
    for count in 0..=6 {
        let tail = watch(&["--tail", &count.to_string()]);
        assert_eq!(tail, all[all.len().saturating_sub(count)..], "{count}");
    }
    assert_eq!(names(&watch(&["--tail", "1", "--event", "asked,claimed"])), ["asked"]);
    assert_eq!(names(&watch(&["--tail", "2", "--task", &id])), ["asked", "cancelled"]);
    assert_eq!(names(&watch(&["--tail", "9", "--since", "now"])), Vec::<&str>::new());
    assert_eq!(names(&watch(&["--event", "end", "--event", "submitted"])), ["submitted", "cancelled"]);
    // It goes on from there.
    let mut follows = place.background(&["watch", "--json", "--tail", "1", "--event", "end"]);
    assert_eq!(follows.first["event"], "cancelled");
    let other = place.asking("plan_dinner");
    place.ok(&["cancel", &other]);
    assert_eq!(follows.next()["task"], other.as_str());
}

#[test]
fn a_watch_begins_with_the_last_events_of_a_sqlite_store() {
    begins_with_the_last(&Place::new());
}

#[test]
fn a_watch_begins_with_the_last_events_of_a_redis_store() {
    let redis = RedisServer::start();
    begins_with_the_last(&Place::on_redis(&redis.url()));
}

#[test]
fn what_is_waited_for_may_be_of_a_name_that_is_not_printed() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let seen = place.json(&["watch", "--event", "asked", "--until", "cancelled"]);
    assert_eq!(names(&seen), ["asked"]);
}

#[test]
fn the_exit_status_of_a_watched_task_is_that_of_its_result() {
    let stage = Stage::on(Place::new());
    for (name, code, words) in [
        ("ENDED", 0, ""),
        ("TOOL_ERROR", 5, "calls its result an error"),
        ("CANCELLED", 8, "was cancelled"),
        ("UNKNOWN", 9, "no task"),
    ] {
        let id = &stage.ids.0.iter().find(|(known, _)| *known == name).expect("is there").1;
        for way in [&[][..], &["--server", stage.server.url(), "--era", "modern"]] {
            for words_of in [&["--task", id.as_str()][..], &[id.as_str()]] {
                let ran = stage.place.run(&[&["watch", "--exit-status"], words_of, way].concat());
                assert!(ran.code == code && ran.err.contains(words), "{name} {way:?}: {ran:?}");
                let result = stage.place.run(&[&["result", "--wait", id.as_str()], way].concat());
                assert_eq!(ran.code, result.code, "{name} {way:?}");
            }
        }
    }
    let unnamed = stage.place.run(&["watch", "--exit-status"]);
    assert!(unnamed.code == 2 && unnamed.err.contains("--task"), "{unnamed:?}");
}

/// A question that would do harm as a part of a command's text.
const RUDE: &str = r#"[tools.rude]
description = "Asks rudely."
steps = [
  { ask = "$(touch pwned) `touch pwned` '; touch pwned; \" \\ *\nsecond line", form = { name = "text" } },
  { return = "hello" },
]
"#;

#[test]
fn a_command_finds_the_event_in_variables_and_on_stdin_and_never_in_its_text() {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("rude.toml", RUDE)]);
    let id = place.ok(&["submit", "rude", "--session", "dinner"]);
    place.until(&id, "asked");
    let command = r#"printf '%s|' "$MCPTASK_EVENT" "$MCPTASK_EVENT_TASK" "$MCPTASK_EVENT_TOOL" "$MCPTASK_EVENT_STATUS" \
        "$MCPTASK_EVENT_SESSION" "$MCPTASK_EVENT_QUESTION" "$MCPTASK_EVENT_ACTION" "$MCPTASK_EVENT_MESSAGE" >> told
        cat >> given"#;
    let watch = ["watch", "--no-follow", "--event", "asked", "--exec", command];
    let printed = place.ok(&watch);
    assert_eq!(printed.lines().filter(|line| line.contains("asked")).count(), 1, "{printed}");
    let message = "$(touch pwned) `touch pwned` '; touch pwned; \" \\ *\nsecond line";
    let told = std::fs::read_to_string(place.path().join("told")).expect("it was run");
    assert_eq!(told, format!("asked|{id}|rude|input_required|dinner|q1||{message}|"));
    let given = std::fs::read_to_string(place.path().join("given")).expect("it was run");
    let given: Value = serde_json::from_str(&given).expect("one object");
    assert_eq!(given["question"]["message"], message);
    assert!(!place.path().join("pwned").exists(), "nothing of it was run");
    // Nothing of it comes between the objects.
    let with_output = ["watch", "--no-follow", "--json", "--exec", "echo said"];
    assert!(place.ok(&with_output).lines().all(|line| line.starts_with('{')));
}

#[test]
fn a_command_reaches_the_store_that_was_watched() {
    let place = Place::new();
    let flags = ["--db", "other place.db", "--namespace", "mine"];
    let worker = place.background(&[&["worker", "--json"], &flags[..]].concat());
    let answers = format!(
        "'{}' respond \"$MCPTASK_EVENT_TASK\" --question \"$MCPTASK_EVENT_QUESTION\" --decline",
        place.command(&[]).get_program().to_string_lossy()
    );
    let command = ["watch", "--json", "--event", "asked", "--since", "start", "--exec", &answers];
    let id = place.ok(&[&["submit", "plan_dinner"], &flags[..]].concat());
    let watch = place.background(&[&flags[..], &command].concat());
    assert_eq!(watch.first["task"], id.as_str());
    let answered = place.run(&[&["watch", "--task", &id, "--until", "answered"], &flags[..]].concat());
    assert_eq!(answered.code, 0, "{answered:?}");
    drop(worker);
}

#[test]
fn commands_run_one_at_a_time_or_as_many_as_were_allowed() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let one_at_a_time = "mkdir busy || echo two >> overlaps; sleep 0.05; rmdir busy; echo ran >> runs";
    place.ok(&["watch", "--no-follow", "--exec", one_at_a_time]);
    assert!(!place.path().join("overlaps").exists(), "two ran at once");
    let runs = std::fs::read_to_string(place.path().join("runs")).expect("it was run");
    assert_eq!(runs.lines().count(), 5);
    // Each waits until five have begun, of five tasks.
    for _ in 0..4 {
        place.asking("plan_dinner");
    }
    let together = "echo here >> begun; while [ $(wc -l < begun) -lt 5 ]; do sleep 0.02; done";
    let asked = ["watch", "--no-follow", "--event", "asked", "--exec", together, "--timeout", "30s"];
    place.ok(&[&asked[..], &["--parallel", "5"]].concat());
}

#[test]
fn a_command_that_fails_is_told_of_and_the_watch_goes_on() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let ran = place.run(&["watch", "--no-follow", "--exec", "echo ran >> runs; exit 3"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err.matches("ended with exit status: 3").count(), 5, "{ran:?}");
    assert!(ran.err.contains(&format!("asked of task {}", &id[..8])), "{ran:?}");
}

#[test]
fn a_command_that_cannot_be_run_is_told_of_and_the_watch_goes_on() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let ran = place.run_among(&[("PATH", "/nowhere")], &["watch", "--no-follow", "--exec", "true"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err.matches("could not be run").count(), 5, "there is no sh: {ran:?}");
}

/// One that hangs, with something in its background, before events of other tasks.
#[test]
fn a_command_that_hangs_holds_nothing_up_and_leaves_nothing() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    let command = r#"if [ "$MCPTASK_EVENT" = claimed ]; then echo $$ >> hung; sleep 1000 & sleep 1000; fi
        echo "$MCPTASK_EVENT" >> runs"#;
    let begun = Instant::now();
    let ran = place.run(&["watch", "--no-follow", "--exec", command, "--exec-timeout", "1s"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(ran.err.matches("was stopped after 1s").count(), 1, "{ran:?}");
    let runs = std::fs::read_to_string(place.path().join("runs")).expect("it was run");
    assert_eq!(runs.lines().collect::<Vec<_>>(), ["submitted", "progress", "asked", "cancelled"]);
    let group = std::fs::read_to_string(place.path().join("hung")).expect("it hung");
    let left = std::process::Command::new("pgrep").args(["-g", group.trim()]).output().expect("pgrep runs");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "nothing of its group is left");
    let odd = place.run(&["watch", "--exec-timeout", "1s"]);
    assert_eq!(odd.code, 2, "{odd:?}");
}

#[test]
fn events_are_printed_while_a_command_runs() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let watch = ["watch", "--json", "--since", "start", "--exec", "cat > /dev/null; sleep 1000"];
    let mut watching = place.background(&watch);
    place.ok(&["cancel", &id]);
    while watching.next()["event"] != "cancelled" {}
    // What still runs goes with it.
    watching.signal("TERM");
    assert_eq!(watching.code(), 143);
}

#[test]
fn of_one_task_commands_run_in_the_order_of_its_events_however_many_run_at_once() {
    let place = Place::new();
    let _worker = place.worker();
    let ids: Vec<String> = (0..3).map(|_| place.asking("plan_dinner")).collect();
    for id in &ids {
        place.ok(&["cancel", id]);
    }
    // The earlier an event is, the longer its command takes.
    let command = r#"case "$MCPTASK_EVENT" in submitted) sleep 0.4;; claimed) sleep 0.3;; progress) sleep 0.2;; esac
        echo "$MCPTASK_EVENT" >> "$MCPTASK_EVENT_TASK""#;
    place.ok(&["watch", "--no-follow", "--parallel", "16", "--exec", command]);
    for id in &ids {
        let runs = std::fs::read_to_string(place.path().join(id)).expect("it was run");
        let runs: Vec<&str> = runs.lines().collect();
        assert_eq!(runs, ["submitted", "claimed", "progress", "asked", "cancelled"]);
    }
}

#[test]
fn through_a_server_a_command_finds_no_variable_that_leads_to_another_store() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = place.asking("plan_dinner");
    let command =
        r#"printf '%s|' "$MCPTASK_REDIS_URL$MCPTASK_DB$MCPTASK_NAMESPACE" "$MCPTASK_PROFILE" >> reach"#;
    let watch =
        ["--task", &id, "--since", "start", "--timeout", "30s", "--until", "asked", "--exec", command];
    let elsewhere = [("MCPTASK_REDIS_URL", "redis://127.0.0.1:1"), ("MCPTASK_NAMESPACE", "other")];
    let line = [&["watch", "--server", server.url()][..], &watch].concat();
    let ran = place.run_among(&elsewhere, &line);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", &format!("[profile.s]\nserver = \"{}\"\n", server.url()));
    let ran = place.run(&[&["watch", "--profile", "s"][..], &watch].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let reach = std::fs::read_to_string(place.path().join("reach")).expect("it was run");
    assert_eq!(reach, "|||s|", "the profile's server has the profile");
}

#[test]
fn without_a_beginning_a_command_is_run_for_what_happens_from_now_on() {
    let place = Place::new();
    let _worker = place.worker();
    let before = place.asking("plan_dinner");
    let other = place.asking("plan_dinner");
    let until = ["--until", "cancelled", "--json"];
    let watch =
        [&["watch", "--exec", "echo \"$MCPTASK_EVENT $MCPTASK_EVENT_TASK\" >> runs"], &until[..]].concat();
    // It has begun when it has seen the first of what is cancelled again and again.
    let seen = std::thread::scope(|scope| {
        let watching = scope.spawn(|| place.json(&watch[..watch.len() - 1]));
        place.ok(&["cancel", &before]);
        while !watching.is_finished() {
            let id = place.ok(&["submit", "plan_dinner"]);
            place.ok(&["cancel", &id]);
        }
        watching.join().expect("no panic")
    });
    assert!(seen.iter().all(|event| event["task"] != other.as_str()), "what was before is not printed");
    let runs = std::fs::read_to_string(place.path().join("runs")).expect("it was run");
    assert!(!runs.contains(&other) && !runs.contains(&format!("asked {before}")), "{runs}");
}

/// The sheet, then what happens until the end.
fn goes_on(place: &Place, way: &[&str]) {
    let submit = [&["submit", "asks"], way].concat();
    let id = place.ok(&submit);
    place.until(&id, "asked");
    let mut follows = place.background(&[&["show", "--follow", "--json", &id], way].concat());
    assert_eq!(
        (&follows.first["task"], &follows.first["status"]),
        (&Value::from(id.as_str()), &"input_required".into())
    );
    place.ok(&["respond", &id, "--set", "sure=yes"]);
    place.until_asked(&id, "q2");
    place.ok(&["respond", &id, "--set", "size=large"]);
    let mut seen = Vec::new();
    while let Some(event) = follows.next_or_end() {
        seen.push(event["event"].as_str().expect("a name").to_owned());
    }
    let told: Vec<&str> = seen.iter().map(String::as_str).collect();
    let expected: &[&str] = if way.is_empty() {
        &["answered", "asked", "answered", "completed"]
    } else {
        &["answered", "asked", "completed"]
    };
    assert!(expected.iter().all(|name| told.contains(name)), "{way:?}: {told:?}");
    assert_eq!(told.last(), Some(&"completed"));
    assert_eq!(follows.code(), 0);
    let over = place.run(&[&["show", "--follow", &id], way].concat());
    assert!(over.code == 0 && over.out.contains("completed"), "{over:?}");
}

#[test]
fn show_goes_on_until_the_task_ends() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let server = place.serve(&["--config", &config]);
    goes_on(&place, &[]);
    goes_on(&place, &["--server", server.url(), "--era", "modern"]);
}
