//! Servers that are killed: another one goes on, nothing is lost, and each task's order stays.

use std::collections::HashMap;
use std::time::Duration;

use crate::receiver::{Got, Receiver, Reply};
use crate::stage::{Stage, posting};

on_both_engines! {
    two_servers_killed_by_turns_lose_nothing_of_a_thousand_notices,
    a_server_that_stops_hands_over_at_once,
}

/// Tasks of five events each.
const TASKS: usize = 200;

/// How often a server is killed meanwhile.
const KILLS: usize = 8;

/// How long all of it may take.
const LONG: Duration = Duration::from_secs(150);

fn two_servers_killed_by_turns_lose_nothing_of_a_thousand_notices(stage: &Stage) {
    // Some are slow, and some are not taken at first.
    let receiver = Receiver::start(|got, before| match got.id().as_bytes().last() {
        Some(b'0' | b'1') if before == 0 => Reply::Status(503),
        Some(b'2') => Reply::Late(Duration::from_millis(100), 200),
        _ => Reply::Status(200),
    });
    let file = posting("hook", &["submitted", "claimed", "requeued", "completed"], &receiver.url());
    let mut servers = vec![stage.telling(&file), stage.server_with(&file)];
    let tasks = stage.tasks();
    let mut all = Vec::new();
    for turn in 0..KILLS {
        (0..TASKS / KILLS).for_each(|_| all.push(tasks.five_events("work").to_string()));
        // Whoever holds the notifier is sending by now.
        let so_far = turn * TASKS / KILLS * 4;
        receiver.until_within(LONG, "further notices", |got| distinct(got) > so_far);
        servers.remove(0).kill();
        servers.push(stage.server_with(&file));
    }
    let got = receiver.until_within(LONG, "every notice", |got| distinct(got) == 5 * TASKS);
    stage.until_notifiers("nothing waits", |found| found.len() == 1 && found[0]["waiting"] == 0);
    for task in &all {
        assert_eq!(
            order(&got, task),
            ["submitted", "claimed", "requeued", "claimed", "completed"],
            "of {task}"
        );
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    // What was refused at first is asked for twice.
    for one in &got {
        *times.entry(one.id()).or_default() += 1;
    }
    let most = times.values().max().copied().unwrap_or_default();
    assert!(most <= 4, "one was sent {most} times");
    let refused = times.keys().filter(|id| id.ends_with(['0', '1'])).count();
    let again = got.len() - times.len() - refused;
    // At most those that were being sent, or whose taking was not written down yet, each time that a server was killed.
    assert!(again <= KILLS * 30, "{again} were sent again");
}

fn distinct(got: &[Got]) -> usize {
    got.iter().map(Got::id).collect::<std::collections::HashSet<_>>().len()
}

/// The events of a task in the order in which they came first.
fn order(got: &[Got], task: &str) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let of_task = got.iter().filter(|one| one.data("task") == task);
    of_task.filter(|one| seen.insert(one.id().to_owned())).map(|one| one.data("event")).collect()
}

fn a_server_that_stops_hands_over_at_once(stage: &Stage) {
    let receiver = Receiver::ready();
    let file = posting("hook", &["submitted"], &receiver.url());
    let first = stage.telling(&file);
    let tasks = stage.tasks();
    tasks.submit("one", None);
    receiver.count(1);
    let _second = stage.server_with(&file);
    first.signal("TERM");
    assert_eq!(first.code(), 0);
    tasks.submit("two", None);
    let all = receiver.count(2);
    assert_eq!((all[0].data("tool"), all[1].data("tool"), all.len()), ("one".into(), "two".into(), 2));
}
