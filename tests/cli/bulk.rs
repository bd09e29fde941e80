//! Verbs on many tasks at once: `cancel` with several tasks or filters, and `respond --all`.

use mcptask::task::Ask;
use rstest::rstest;
use serde_json::{Value, json};

use crate::json_shapes::is_line;
use crate::place::Place;
use crate::stock::{Engine, Stock, sure};

/// The lines on stdout as JSON.
fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[rstest]
fn a_thousand_tasks_of_a_session_are_cancelled_once_that_is_confirmed(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    stock.fill(900, "deploy", "mine", None);
    stock.fill(100, "copy", "mine", Some(&sure()));
    stock.fill(5, "deploy", "others", None);
    let refused = stock.place.run(&["cancel", "--session", "mine"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("1000 tasks: 900 of deploy, 100 of copy"), "{refused:?}");
    assert!(refused.err.contains("--yes"), "{refused:?}");
    let dry = stock.place.run(&["cancel", "--session", "mine", "--dry-run"]);
    assert_eq!((dry.code, dry.out.lines().count()), (0, 1001), "a header, and a line each");
    assert!(dry.err.contains("1000 would be cancelled"), "{}", dry.err);
    assert_eq!(stock.count("mine", "working,input_required"), 1000, "nothing was changed");
    let done = stock.place.run(&["cancel", "--session", "mine", "--yes", "--reason", "enough"]);
    assert_eq!((done.code, done.err.trim()), (0, "1000 cancelled"), "{done:?}");
    assert_eq!(stock.count("mine", "cancelled"), 1000);
    assert_eq!(stock.count("others", "working"), 5, "others are left alone");
    let again = stock.place.run(&["cancel", "--session", "mine", "--yes"]);
    assert_eq!((again.code, again.err.trim()), (0, "0 cancelled"), "{again:?}");
}

#[rstest]
fn filters_combine(#[values(Engine::Sqlite, Engine::Redis)] engine: Engine) {
    let stock = Stock::on(engine);
    stock.fill(2, "deploy", "a", None);
    stock.fill(3, "copy", "a", None);
    stock.fill(4, "copy", "b", None);
    let dry = |filters: &[&str]| {
        let found = stock.place.json(&[&["cancel", "--dry-run"], filters].concat());
        found.last().expect("a tally")["done"].as_u64().expect("a number")
    };
    assert_eq!(dry(&["--tool", "copy"]), 7);
    assert_eq!(dry(&["--tool", "copy", "--session", "a"]), 3);
    assert_eq!(dry(&["--tool", "copy", "--session", "a", "--older", "1h"]), 0);
    assert_eq!(dry(&["--older", "0s"]), 9);
    assert_eq!(dry(&["--tool", "nobodys"]), 0);
}

#[rstest]
fn of_several_tasks_those_that_have_ended_are_no_failure(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    let ids = stock.fill(4, "deploy", "a", None);
    let id = |at: usize| ids[at].as_str();
    stock.place.ok(&["cancel", id(0)]);
    assert_eq!(stock.place.run(&["cancel", id(0)]).code, 10, "one alone says that nothing was changed");
    // The same one twice is one.
    let done = stock.place.run(&["cancel", id(0), id(1), id(1), &id(2)[..8]]);
    assert_eq!((done.code, done.err.trim()), (0, "2 cancelled, 1 had ended"), "{done:?}");
    let unknown = stock.place.run(&["cancel", "zzzzzzzz", id(3), "--json"]);
    assert_eq!(unknown.code, 9, "{unknown:?}");
    let told = lines(&unknown.out);
    is_line("cancellation", &told[0]);
    is_line("tally", &told[1]);
    assert_eq!(
        (&told[0]["task"], &told[1]["done"], &told[1]["failed"]),
        (&json!(id(3)), &json!(1), &json!(1))
    );
    assert!(unknown.err.contains("zzzzzzzz"), "{unknown:?}");
    let short = stock.place.run(&["cancel", "ab", id(3)]);
    assert_eq!(short.code, 2, "{short:?}");
}

#[rstest]
fn a_dry_run_shows_named_tasks_as_lists_do_and_what_has_ended_apart(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    let ids = stock.fill(3, "deploy", "mine", Some(&sure()));
    let id = |at: usize| ids[at].as_str();
    let row = |out: &str| out.lines().find(|line| line.contains("deploy")).map(str::to_owned);
    let dry = stock.place.run(&["cancel", id(0), "--dry-run"]);
    let named = row(&dry.out).expect("the task's row");
    assert!(named.contains("input_required") && !named.contains("unreadable"), "{dry:?}");
    let of_session = stock.place.run(&["cancel", "--session", "mine", "--dry-run"]);
    assert!(row(&of_session.out).is_some_and(|row| row.contains("input_required")), "{of_session:?}");
    let shown = stock.place.json(&["cancel", id(0), "--dry-run"]);
    assert_eq!(
        (&shown[0]["status"], &shown[0]["tool"], &shown[0]["session"]),
        (&json!("input_required"), &json!("deploy"), &json!("mine"))
    );
    stock.place.ok(&["cancel", id(0)]);
    let alone = stock.place.run(&["cancel", id(0), "--dry-run"]);
    assert_eq!(alone.code, 10, "as without --dry-run: {alone:?}");
    let several = stock.place.run(&["cancel", id(0), id(1), "--dry-run"]);
    assert_eq!((several.code, several.err.trim()), (0, "1 would be cancelled, 1 had ended"), "{several:?}");
    assert_eq!(stock.count("mine", "input_required"), 2, "nothing was changed");
}

#[test]
fn what_is_meant_has_to_be_said() {
    let place = Place::new();
    for wrong in [
        &["cancel"][..],
        &["cancel", "--dry-run"],
        &["cancel", "7w3k9q2m", "--tool", "deploy"],
        &["cancel", "--tool", ""],
        &["cancel", "--session", ""],
        &["cancel", "--older", "soon"],
        &["respond", "--all", "--set", "ok=yes"],
        &["respond", "--all", "--tool", "deploy"],
        &["respond", "--all", "--tool", "", "--accept"],
        &["respond", "--tool", "deploy", "--accept"],
        &["respond", "--dry-run", "--accept"],
        &["respond", "7w3k9q2m", "--all", "--tool", "deploy", "--accept"],
        &["respond", "--next", "--all", "--tool", "deploy", "--accept"],
    ] {
        let ran = place.run(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
    }
}

#[rstest]
fn a_thousand_questions_are_answered(#[values(Engine::Sqlite, Engine::Redis)] engine: Engine) {
    let stock = Stock::on(engine);
    stock.fill(1000, "deploy", "mine", Some(&sure()));
    stock.fill(3, "deploy", "others", Some(&sure()));
    let all = ["respond", "--all", "--tool", "deploy", "--session", "mine", "--set", "ok=yes"];
    let dry = stock.place.run(&[&all[..], &["--dry-run"]].concat());
    assert_eq!((dry.code, dry.out.lines().count()), (0, 1000), "{}", dry.err);
    assert!(dry.out.contains("q1  would be sent: ok=yes  (Go on?)"), "{}", &dry.out[..200]);
    assert_eq!(stock.count("mine", "input_required"), 1000, "nothing was changed");
    let done = stock.place.run(&[&all[..], &["--as", "ada", "--note", "CH-7"]].concat());
    assert_eq!((done.code, done.err.trim()), (0, "1000 answered"), "{done:?}");
    assert_eq!(stock.count("mine", "input_required"), 0);
    assert_eq!(stock.count("others", "input_required"), 3, "others are left alone");
    let tasks = stock.place.json(&["list", "--session", "mine", "--limit", "1"]);
    let answer = &tasks[0]["questions"][0]["answer"];
    assert_eq!((&answer["content"]["ok"], &answer["who"]["name"]), (&json!(true), &json!("ada")));
    let again = stock.place.run(&all);
    assert_eq!(again.code, 10, "{again:?}");
    assert_eq!(again.err.lines().count(), 1, "{again:?}");
    assert!(again.err.contains("nothing to answer"), "{again:?}");
}

#[rstest]
fn each_answer_is_checked_against_its_own_form(#[values(Engine::Sqlite, Engine::Redis)] engine: Engine) {
    let stock = Stock::on(engine);
    stock.fill(2, "deploy", "a", Some(&sure()));
    let schema =
        json!({ "type": "object", "required": ["seats"], "properties": { "seats": { "type": "integer" } } });
    let other = stock.fill(1, "deploy", "a", Some(&Ask::form("How many?", schema)));
    let ran = stock.place.run(&["respond", "--all", "--tool", "deploy", "--set", "ok=yes", "--json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let told = lines(&ran.out);
    let (tally, receipts) = told.split_last().expect("a tally");
    for receipt in receipts {
        is_line("receipt", receipt);
    }
    is_line("tally", tally);
    assert_eq!((receipts.len(), &tally["done"], &tally["failed"]), (2, &json!(2), &json!(1)));
    let error: Value = serde_json::from_str(&ran.err).expect("JSON");
    let message = error["message"].as_str().expect("a message");
    assert!(message.starts_with("2 answered, 1 refused: question q1 of task "), "{message}");
    assert!(message.contains(&other[0].as_str()[..8]) && message.contains("no field \"ok\""), "{message}");
    // Content is read once, wherever it comes from.
    stock.fill(2, "deploy", "b", Some(&sure()));
    let content = ["respond", "--all", "--session", "b", "--content", "-"];
    let ran = stock.place.run_with(&content, r#"{"ok":false}"#);
    assert_eq!((ran.code, ran.err.trim()), (0, "2 answered"), "{ran:?}");
}

#[test]
fn pages_are_accepted_only_where_that_is_said_and_named() {
    let stock = Stock::on(Engine::Sqlite);
    let page = Ask::url("Please pay.", "https://pay.example/checkout");
    stock.fill(2, "pay", "a", Some(&page));
    for reply in [["--set", "ok=yes"], ["--content", "{}"]] {
        let ran = stock.place.run(&[&["respond", "--all", "--tool", "pay"][..], &reply].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("0 answered, 2 refused"), "{ran:?}");
    }
    let dry = stock.place.run(&["respond", "--all", "--tool", "pay", "--accept", "--dry-run"]);
    assert!(
        dry.out.lines().all(|line| line.contains("https://pay.example/checkout (host pay.example)")),
        "{dry:?}"
    );
    let dry = stock.place.json(&["respond", "--all", "--tool", "pay", "--accept", "--dry-run"]);
    is_line("proposal", &dry[0]);
    assert_eq!(stock.count("a", "input_required"), 2);
    let ran = stock.place.run(&["respond", "--all", "--tool", "pay", "--accept"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err.matches("https://pay.example/checkout").count(), 2, "{ran:?}");
    assert!(ran.err.trim_end().ends_with("2 answered"), "{ran:?}");
}

#[test]
fn many_are_cancelled_and_answered_through_a_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let with = |arguments: &[&str]| place.run(&[arguments, &way].concat());
    for _ in 0..3 {
        let id = with(&["submit", "plan_dinner"]).out.trim().to_owned();
        place.until(&id, "asked");
    }
    let done = with(&["respond", "--all", "--tool", "plan_dinner", "--set", "cuisine=Thai"]);
    assert_eq!((done.code, done.err.trim()), (0, "3 answered"), "{done:?}");
    let refused = with(&["cancel", "--tool", "plan_dinner"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    let done = with(&["cancel", "--tool", "plan_dinner", "--yes"]);
    assert_eq!((done.code, done.err.trim()), (0, "3 cancelled"), "{done:?}");
    for command in
        [&["cancel", "--session", "s", "--yes"][..], &["respond", "--all", "--session", "s", "--decline"]]
    {
        let ran = with(command);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("does not say of which session"), "{ran:?}");
    }
    let legacy = ["--server", server.url(), "--era", "legacy"];
    let ran = place.run(&[&["respond", "--all", "--tool", "plan_dinner", "--decline"][..], &legacy].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains(crate::situations::NOT_FROM_HERE), "{ran:?}");
}

#[test]
fn where_nobody_has_begun_a_store_there_is_nothing_to_do() {
    let place = Place::new();
    assert_eq!(place.run(&["cancel", "--tool", "deploy", "--yes"]).code, 0);
    assert_eq!(place.run(&["cancel", "aaaaaaaa", "bbbbbbbb"]).code, 9);
    assert_eq!(place.run(&["respond", "--all", "--tool", "deploy", "--decline"]).code, 10);
    assert!(!place.database().exists(), "nothing is created");
}

#[test]
fn what_only_all_takes_answers_no_stranger() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let rules = place.file("rules.toml", "[[rule]]\nname = \"all\"\ndecline = true\n");
    for one in [&["--tool", "nosuch"][..], &["--session", "nosuch"]] {
        for which in [&["--next", "--decline"][..], &[&id, "--decline"], &["--rules", &rules]] {
            let refused = place.run(&[&["respond"], which, one].concat());
            assert_eq!(refused.code, 2, "{which:?} {one:?}: {refused:?}");
            assert!(refused.err.contains("cannot be used with"), "{refused:?}");
        }
    }
    for words in
        [&["respond", "--next", "--follow", "--decline"][..], &["list", "--stdio", "true", "--token", "t"]]
    {
        assert_eq!(place.run(words).code, 2, "{words:?}");
    }
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required", "nobody has answered");
}
