//! Rules on one task, rules that change while they are followed, and those of a server on stdio.

use serde_json::json;

use crate::place::Place;
use crate::redis::RedisServer;
use crate::rules::{TOOLS, begun, order};

const YES: &str = "[[rule]]\nname = \"yes\"\ntool = \"order\"\naccept = { ok = true }\n";
const LEAVE: &str = "[[rule]]\nname = \"wait\"\nleave = true\n";

fn of_one_task(place: &Place) {
    let _worker = begun(place);
    let rules = place.file("rules.toml", YES);
    let (meant, other) = (order(place, 1), order(place, 2));
    let dry = place.json(&["respond", &meant[..8], "--rules", &rules, "--dry-run"]);
    assert_eq!((dry.len(), &dry[0]["task"], &dry[0]["event"]), (2, &json!(meant), &json!("would_answer")));
    let said = place.ok(&["respond", &meant, "--rules", &rules]);
    assert!(said.ends_with("1 answered, 0 left"), "{said}");
    let waiting = place.json(&["list", "--waiting"]);
    assert_eq!((waiting.len(), &waiting[0]["task"]), (1, &json!(other)));
    let again = place.run(&["respond", &meant, "--rules", &rules]);
    assert_eq!(again.code, 10, "{again:?}");
    assert_eq!(place.run(&["respond", "zzzzzzzz", "--rules", &rules]).code, 9);
    let follows = place.run(&["respond", &other, "--rules", &rules, "--follow"]);
    assert_eq!(follows.code, 2, "{follows:?}");
    let leaving = place.file("leaving.toml", LEAVE);
    let left = place.json(&["respond", &other, "--rules", &leaving]);
    assert_eq!((&left[0]["event"], &left[0]["rule"]), (&json!("left"), &json!("wait")));
}

#[test]
fn rules_answer_one_task_of_a_file() {
    of_one_task(&Place::new());
}

#[test]
fn rules_answer_one_task_of_a_redis() {
    let redis = RedisServer::start();
    of_one_task(&Place::on_redis(&redis.url()));
}

#[test]
fn rules_answer_one_task_of_a_server() {
    let place = Place::new();
    let server = place.serve(&["--config", &place.file("tools.toml", TOOLS)]);
    // Of others' tasks a server does not say what they run.
    let submit = ["submit", "order", "--arg", "amount=3", "--server", server.url()];
    let (meant, other) = (place.ok(&submit), place.ok(&submit));
    for id in [&meant, &other] {
        place.until(id, "asked");
    }
    let rules = place.file("rules.toml", YES);
    let words = ["respond", &meant, "--rules", &rules, "--server", server.url()];
    let done = place.json(&words);
    assert_eq!((&done[0]["event"], &done[0]["source"]), (&json!("answered"), &json!("server")));
    assert_eq!(place.json(&["list", "--waiting"])[0]["task"], json!(other));
}

#[test]
fn a_follower_reads_its_file_again_and_a_broken_one_leaves_the_old_in_force() {
    let place = Place::new();
    let _worker = begun(&place);
    let rules = place.file("rules.toml", LEAVE);
    let first = order(&place, 1);
    let mut follower = place.background(&["respond", "--rules", &rules, "--follow", "--json"]);
    assert_eq!((&follower.first["task"], &follower.first["event"]), (&json!(first), &json!("left")));
    // What was left is looked at again.
    place.file("rules.toml", YES);
    let told = follower.next();
    assert_eq!(
        (&told["task"], &told["event"], &told["rule"]),
        (&json!(first), &json!("answered"), &json!("yes"))
    );
    place.file("rules.toml", "[[rule]]\nname = \"broken\"\n");
    place.heard("\"usage\"");
    let second = order(&place, 2);
    let told = follower.next();
    assert_eq!((&told["task"], &told["rule"]), (&json!(second), &json!("yes")), "the old are in force");
    // A file that is not there is a broken one.
    std::fs::remove_file(place.path().join("rules.toml")).expect("is there");
    let third = order(&place, 3);
    assert_eq!(follower.next()["task"], json!(third));
    place.file("rules.toml", "[[rule]]\nname = \"no\"\ntool = \"order\"\ndecline = true\n");
    let last = loop {
        let id = order(&place, 4);
        let told = follower.next();
        assert_eq!(told["task"], json!(id));
        if told["rule"] == "no" {
            break told;
        }
    };
    assert_eq!(last["action"], "decline");
}

#[test]
fn a_hangup_has_the_rules_read_again_and_ends_nothing() {
    let place = Place::new();
    let _worker = begun(&place);
    let rules = place.file("rules.toml", YES);
    let first = order(&place, 1);
    // Without a terminal, as a service has none.
    let words = ["respond", "--rules", &rules, "--follow", "--json"];
    let mut follower = place.background_in(&["setsid", "-w"], &words);
    assert_eq!(follower.first["task"], json!(first));
    let id =
        std::process::Command::new("pgrep").args(["-P", &follower.id().to_string()]).output().expect("runs");
    let id = String::from_utf8(id.stdout).expect("a number");
    let id = if id.trim().is_empty() { follower.id().to_string() } else { id.trim().to_owned() };
    place.file("rules.toml", "[[rule]]\n");
    assert!(std::process::Command::new("kill").args(["-HUP", &id]).status().expect("kill runs").success());
    place.heard("\"usage\"");
    let second = order(&place, 2);
    assert_eq!(follower.next()["task"], json!(second), "it goes on with the old ones");
}

/// The rules of a server on stdio decide before its client is asked.
#[test]
fn a_server_on_stdio_has_rules_too() {
    let place = Place::new();
    let (tools, rules) = (place.file("tools.toml", TOOLS), place.file("rules.toml", YES));
    let program = place.command(&[]).get_program().to_string_lossy().into_owned();
    let server = format!("'{program}' serve --stdio --config '{tools}' --rules '{rules}'");
    for era in ["legacy", "modern"] {
        let words = [
            "submit",
            "order",
            "--arg",
            "amount=3",
            "--stdio",
            &server,
            "--era",
            era,
            "--wait",
            "--timeout",
            "30s",
        ];
        let ran = place.run(&words);
        assert_eq!(ran.code, 0, "{era}: {ran:?}");
        assert!(ran.out.contains("went on"), "{era}: {ran:?}");
    }
    let broken = place.file("broken.toml", "[[rule]]\n");
    let ran = place.run(&["serve", "--stdio", "--rules", &broken]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
}

#[test]
fn a_condition_on_what_is_not_there_is_told_with_what_a_rule_has() {
    let place = Place::new();
    let _worker = begun(&place);
    let rules = place.file(
        "rules.toml",
        "[[rule]]\nname = \"deep\"\nwhen = \"args.nope.x > 3\"\naccept = { ok = true }\n",
    );
    order(&place, 5);
    let said = place.ok(&["respond", "--rules", &rules]);
    assert!(
        said.contains("test for it first, as in `args.x is defined and") && !said.contains("answer.accepted"),
        "{said}"
    );
    let tested = "[[rule]]\nname = \"deep\"\nwhen = \"args.nope is defined and args.nope.x > 3\"\naccept = { ok = true }\n";
    let said = place.ok(&["respond", "--rules", &place.file("tested.toml", tested)]);
    assert!(said.contains("no rule is about it"), "{said}");
}
