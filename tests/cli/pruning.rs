//! `prune`.

use mcptask::task::{Outcome, RpcError};
use rstest::rstest;

use crate::json_shapes::is_line;
use crate::place::Place;
use crate::stock::{Engine, Stock};

#[rstest]
fn a_thousand_ended_tasks_are_deleted_once_that_is_confirmed(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    stock.fill(1000, "deploy", "mine", None);
    stock.place.ok(&["cancel", "--session", "mine", "--yes"]);
    stock.fill(2, "deploy", "mine", None);
    let refused = stock.place.run(&["prune", "--ended"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("this would delete 1000 tasks: 1000 of deploy"), "{refused:?}");
    let dry = stock.place.run(&["prune", "--ended", "--dry-run"]);
    assert_eq!((dry.code, dry.out.lines().count()), (0, 1001), "a header, and a line each");
    assert_eq!(stock.count("mine", "cancelled"), 1000, "nothing was changed");
    let done = stock.place.run(&["prune", "--ended", "--yes"]);
    assert_eq!((done.code, done.err.trim()), (0, "1000 deleted"), "{done:?}");
    assert_eq!((stock.count("mine", "cancelled"), stock.count("mine", "working")), (0, 2));
    let again = stock.place.run(&["prune", "--ended", "--yes"]);
    assert_eq!((again.code, again.err.trim()), (0, "0 deleted"), "{again:?}");
}

#[rstest]
fn only_what_is_meant_goes(#[values(Engine::Sqlite, Engine::Redis)] engine: Engine) {
    let stock = Stock::on(engine);
    stock.fill(3, "deploy", "a", None);
    let done = stock.finish("deploy", &Outcome::text("done"));
    let failed = stock.finish("deploy", &Outcome::Error(RpcError::internal("no")));
    let cancelled = stock.fill(1, "copy", "b", None).remove(0);
    stock.place.ok(&["cancel", cancelled.as_str()]);
    let meant = |filters: &[&str]| {
        let lines = stock.place.json(&[&["prune", "--dry-run"], filters].concat());
        let (tally, tasks) = lines.split_last().expect("a tally");
        is_line("tally", tally);
        tasks.iter().map(|task| task["task"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(meant(&["--ended"]).len(), 3);
    assert_eq!(meant(&["--status", "failed"]), [failed.to_string()]);
    assert_eq!(meant(&["--ended", "--status", "failed"]), [failed.to_string()]);
    assert_eq!(meant(&["--status", "completed,cancelled", "--tool", "deploy"]), [done.to_string()]);
    assert_eq!(meant(&["--ended", "--session", "b"]), [cancelled.to_string()]);
    assert_eq!(meant(&["--ended", "--older-than", "1h"]), [""; 0]);
    assert_eq!(meant(&["--ended", "--older-than", "0s"]).len(), 3);
    let deleted = stock.place.json(&["prune", "--status", "failed", "--yes"]);
    is_line("candidate", &deleted[0]);
    assert_eq!((&deleted[0]["task"], &deleted[0]["status"]), (&failed.to_string().into(), &"failed".into()));
    assert_eq!(stock.place.run(&["show", failed.as_str()]).code, 9);
    assert_eq!(stock.place.run(&["show", done.as_str()]).code, 0);
}

#[rstest]
fn the_log_tells_what_was_pruned_from_what_has_expired(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    stock.fill(1, "deploy", "a", None);
    stock.finish("deploy", &Outcome::text("done"));
    stock.place.ok(&["prune", "--ended", "--yes"]);
    let said = stock.place.ok(&["watch", "--no-follow"]);
    assert!(said.contains("deleted by prune") && !said.contains("expired"), "{said}");
    let events = stock.place.json(&["watch", "--no-follow"]);
    let last = events.last().expect("has some");
    is_line("event", last);
    assert_eq!((&last["event"], &last["pruned"]), (&"expired".into(), &true.into()));
}

#[test]
fn what_is_meant_has_to_be_said_and_to_have_ended() {
    let place = Place::new();
    for wrong in [
        &["prune"][..],
        &["prune", "--older-than", "7d"],
        &["prune", "--status", "working"],
        &["prune", "--ended", "--tool", ""],
    ] {
        assert_eq!(place.run(wrong).code, 2, "{wrong:?}");
    }
    let nothing = place.run(&["prune", "--ended", "--yes"]);
    assert_eq!((nothing.code, nothing.err.trim()), (0, "0 deleted"));
    assert!(!place.database().exists(), "nothing is created");
}

#[test]
fn tasks_of_a_server_are_not_deleted_from_here() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ran = place.run(&["prune", "--ended", "--yes", "--server", server.url()]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("mcptask --redis URL prune --ended"), "{ran:?}");
}

#[rstest]
fn what_is_kept_beyond_its_ttl_goes_only_where_that_is_said(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    let kept = stock.fill_for(1, (5, "deploy", "a"), None);
    stock.fill_for(1, (1, "copy", "a"), None);
    stock.archive(&kept);
    stock.fill(2, "deploy", "a", None);
    stock.place.ok(&["cancel", "--session", "a", "--tool", "deploy", "--yes"]);
    let history = || stock.place.json(&["list", "--history"]).len();
    assert_eq!(history(), 5);
    assert_eq!(stock.place.run(&["prune", "--ended", "--tool", "deploy", "--yes"]).err.trim(), "2 deleted");
    assert_eq!(history(), 5, "what is kept stays");
    let none = stock.place.run(&["prune", "--history", "--older-than", "1h", "--yes"]);
    assert_eq!((none.code, none.err.trim()), (0, "0 deleted"), "{none:?}");
    let dry = stock.place.json(&["prune", "--history", "--tool", "deploy", "--dry-run"]);
    is_line("candidate", &dry[0]);
    assert_eq!(dry.len(), 6, "five and the tally");
    let refused = stock.place.run(&["prune", "--history"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert_eq!(
        stock.place.run(&["prune", "--history", "--status", "completed", "--yes"]).err.trim(),
        "0 deleted"
    );
    let done = stock.place.run(&["prune", "--history", "--yes"]);
    assert_eq!((done.code, done.err.trim()), (0, "5 deleted"), "{done:?}");
    assert_eq!((history(), stock.place.run(&["show", kept[0].as_str()]).code), (0, 9));
    assert_eq!(stock.place.run(&["prune", "--yes"]).code, 2, "which ones has to be said");
}

#[test]
fn what_would_be_deleted_is_shown_as_a_list_shows_it() {
    let place = Place::new();
    place.file(
        "mcptask.toml",
        "[tools.fail]\ndescription = \"Fails.\"\ncommand = [\"false\"]\n[tools.say]\ndescription = \"Says.\"\ncommand = [\"echo\", \"all good\"]\n",
    );
    let _worker = place.worker();
    let tasks = ["fail", "say"].map(|tool| place.ok(&["submit", tool]));
    for id in &tasks {
        place.run(&["result", id, "--wait"]);
    }
    let dry = place.run(&["prune", "--ended", "--dry-run"]);
    let listed = place.run(&["list"]);
    for ran in [&dry, &listed] {
        assert!(ran.out.contains("CHANGED") && !ran.out.contains("LAUNCHED"), "{ran:?}");
        assert!(ran.out.contains(&tasks[0][..8]) && !ran.out.contains(&tasks[0]), "{ran:?}");
        assert!(ran.out.contains("\u{2717} completed") && ran.out.contains("all good"), "{ran:?}");
    }
}
