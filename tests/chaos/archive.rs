//! Processes that archive what expires, killed at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mcptask::engine::{Engine, Viewer};
use mcptask::store::{EventFilter, TaskFilter};
use mcptask::task::{EventKind, TaskId};

use crate::invariants::log;
use crate::load::{number, runtime, submission};
use crate::stage::Stage;

on_both_engines!(keepers_that_are_killed_lose_and_double_nothing);

/// A tool of which no worker here takes a task.
const IDLE: &str = r#"
[tools.asker]
description = "Waits."
input = { n = "integer" }
steps = [{ sleep = 600 }]
"#;

fn keepers_that_are_killed_lose_and_double_nothing(stage: &Stage) {
    let tools = stage.file("asker.toml", IDLE);
    let command = ["worker", "--json", "--concurrency", "1", "--keep", "1h", "--config", &tools];
    let (runtime, begun) = (runtime(), Instant::now());
    let mut keepers = vec![stage.background(&command)];
    let engine = runtime.block_on(stage.engine());
    let submitted: BTreeSet<TaskId> = runtime.block_on(async {
        let mut ids = BTreeSet::new();
        for n in 0..number("MCPTASK_CHAOS_ARCHIVED", 300) {
            // Their ttls end one after the other for as long as keepers are killed.
            let task = engine.submit(submission(n, Some(1000 + 10 * n))).await.expect("submits");
            ids.insert(task.id().clone());
        }
        ids
    });
    let mut kills = 0;
    while runtime.block_on(are_left(&engine)) {
        assert!(begun.elapsed() < Duration::from_secs(120), "tasks do not expire");
        keepers.push(stage.background(&command));
        std::thread::sleep(Duration::from_millis(37 * (kills % 5)));
        keepers.remove(0).kill();
        kills += 1;
    }
    runtime.block_on(check(&engine, &submitted));
}

async fn are_left(engine: &Engine) -> bool {
    let page = engine.list(&Viewer::Operator, TaskFilter::default(), None, 1).await.expect("lists");
    !page.tasks.is_empty()
}

/// Each task is in the archive, once, with its end; the log tells of each end once.
async fn check(engine: &Engine, submitted: &BTreeSet<TaskId>) {
    let (mut archived, mut after) = (Vec::new(), None);
    loop {
        let page = engine.archived(&TaskFilter::default(), after.as_ref(), 100).await.expect("lists");
        assert_eq!(page.unreadable, []);
        archived.extend(page.tasks);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let ids: Vec<_> = archived.iter().map(|one| one.task.id().clone()).collect();
    assert_eq!(ids.len(), submitted.len());
    assert_eq!(&ids.into_iter().collect::<BTreeSet<_>>(), submitted);
    let mut ends: BTreeMap<TaskId, usize> = BTreeMap::new();
    for event in log(engine, &EventFilter::All).await {
        if event.kind == (EventKind::Expired { pruned: false }) {
            *ends.entry(event.task).or_default() += 1;
        }
    }
    for one in archived {
        assert_eq!(ends.get(one.task.id()), Some(&1));
        assert_eq!(one.events.last().map(|event| event.kind.name()), Some("expired"));
    }
}
