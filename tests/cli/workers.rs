//! `workers`: who works, and at what.

use crate::place::Place;
use crate::redis::RedisServer;
use crate::stage::TOOLS;
use crate::stock::{Engine, Stock, sure};
use crate::unreadable::damage;

/// A worker that runs one task and holds one that waits for a person is seen with both, on that store.
fn is_seen_with_what_it_runs(place: &Place) {
    let config = place.file("tools.toml", TOOLS);
    let worker = place.background(&["worker", "--json", "--concurrency", "3", "--config", &config]);
    let asking = place.asking("asks");
    let running = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
    place.until(&running, "claimed");
    let [seen] = place.json(&["workers"]).try_into().expect("one worker");
    assert_eq!(seen["worker"], worker.first["worker"]);
    assert_eq!(
        (&seen["alive"], &seen["source"], &seen["slots"]),
        (&true.into(), &"mcptask".into(), &3.into())
    );
    assert_eq!(seen["process"], worker.id());
    assert!(seen["host"].as_str().is_some_and(|host| !host.is_empty()), "{seen}");
    assert!(seen["since"].is_string() && seen["tasks"] == 2, "{seen}");
    let tools = seen["tools"].as_array().expect("a list");
    assert!(tools.contains(&"asks".into()) && tools.contains(&"wait".into()), "{seen}");
    // What runs stands before what waits.
    let runs = seen["runs"].as_array().expect("a list");
    let told: Vec<_> = runs.iter().map(|run| (&run["task"], &run["tool"], &run["waits"])).collect();
    assert_eq!(
        told,
        [
            (&running.as_str().into(), &"wait".into(), &false.into()),
            (&asking.as_str().into(), &"asks".into(), &true.into())
        ]
    );
    assert!(runs[0]["since"].is_string() && runs[0]["waiting_since"].is_null(), "{seen}");
    assert!(runs[1]["waiting_since"].is_string(), "{seen}");
    let shown = place.ok(&["workers"]);
    for words in ["1/3", &running[..8], &asking[..8], "? input_required", "… working"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(place.json(&["workers", "--tool", "asks"]).len(), 1);
    let none = place.run(&["workers", "--tool", "greet"]);
    assert!(none.code == 0 && none.err.contains("no worker runs \"greet\""), "{none:?}");
}

#[test]
fn a_worker_is_seen_with_what_it_runs_in_a_sqlite_store() {
    is_seen_with_what_it_runs(&Place::new());
}

#[test]
fn a_worker_is_seen_with_what_it_runs_in_a_redis_store() {
    let redis = RedisServer::start();
    is_seen_with_what_it_runs(&Place::on_redis(&redis.url()));
}

/// What cannot be read is held by its worker, and neither run nor answered.
fn what_cannot_be_read_is_not_run(place: &Place, server: Option<&RedisServer>) {
    let worker = place.worker();
    let (good, bad) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    damage(place, server, &bad);
    let [seen] = place.json(&["workers"]).try_into().expect("one worker");
    assert_eq!((&seen["tasks"], &seen["unreadable"]), (&2.into(), &1.into()), "{seen}");
    let runs: Vec<_> = seen["runs"].as_array().expect("a list").iter().map(|run| &run["task"]).collect();
    assert_eq!(runs, [good.as_str()]);
    let shown = place.run(&["workers"]);
    let row: Vec<_> = shown.out.lines().nth(1).expect("a worker").split_whitespace().collect();
    let runs = row.iter().position(|word| *word == "0/4").expect("what it runs");
    assert_eq!(row[runs + 1], "1", "one waits: {shown:?}");
    let said = shown.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("1 task(s) of theirs cannot be read, and nobody runs them; `mcptask"), "{said}");
    assert!(!said.contains("they hold"), "{said}");
    drop(worker);
}

#[test]
fn what_cannot_be_read_is_not_called_run_on_either_engine() {
    what_cannot_be_read_is_not_run(&Place::new(), None);
    let redis = RedisServer::start();
    what_cannot_be_read_is_not_run(&Place::on_redis(&redis.url()), Some(&redis));
}

#[test]
fn where_nobody_works_it_says_what_starts_a_worker() {
    let place = Place::new();
    let unbegun = place.run(&["workers"]);
    assert!(unbegun.code == 0 && unbegun.err.contains("nobody has begun a store"), "{unbegun:?}");
    let worker = place.worker();
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let server = place.serve(&["--workers", "0"]);
    let none = place.run(&["workers"]);
    assert!(none.code == 0 && none.err.contains("mcptask worker --builtin"), "{none:?}");
    let refused = place.run(&["workers", "--server", server.url()]);
    assert!(refused.code == 2 && refused.err.contains("mcptask --redis URL workers"), "{refused:?}");
}

#[test]
fn what_runs_and_waits_on_a_killed_worker_is_told_until_another_one_takes_over() {
    let place = Place::new();
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    worker.kill();
    let [seen] = place.json(&["workers"]).try_into().expect("it is known until its lease has ended");
    assert_eq!(seen["runs"][0]["task"], id.as_str());
}

/// However many tasks a worker holds, what is read and shown of them is bounded.
#[test]
fn thousands_of_held_tasks_are_told_within_bounds() {
    for engine in [Engine::Sqlite, Engine::Redis] {
        let stock = Stock::on(engine);
        stock.fill(2500, "deploy", "a", Some(&sure()));
        let begun = std::time::Instant::now();
        let [seen] = stock.place.json(&["workers"]).try_into().expect("one worker");
        assert_eq!((&seen["tasks"], seen["runs"].as_array().map(Vec::len)), (&2500.into(), Some(2000)));
        let shown = stock.place.run(&["workers"]);
        assert_eq!(shown.out.matches("input_required").count(), 50, "{}", shown.out);
        assert!(shown.err.contains("they hold 2450 more"), "{}", shown.err);
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
