//! tail.

use std::time::Duration;

use mcptask::store::{EventFilter, News, Store, Tail};
use mcptask::task::{Cursor, Event, RpcError, ToolSpec};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::{get, new_task, still_waits, submit, within, worker};

contract! {
    a_tail_begins_after_its_cursor,
    a_tail_waits_and_is_woken_by_its_own_process,
    a_tail_waits_and_is_woken_by_another_process,
    a_tail_misses_nothing_while_the_log_is_written,
    two_tails_each_get_everything,
    a_dropped_wait_loses_nothing,
    a_tail_hears_only_its_namespace,
    a_tail_is_told_when_the_tools_change_and_only_then,
    changed_tools_are_no_event_of_the_log,
}

async fn next(tail: &mut Box<dyn Tail>) -> Vec<Event> {
    let news = within("the next events", tail.next()).await.expect("reads");
    assert!(news.tools || !news.events.is_empty(), "a tail returns when there is something");
    news.events
}

async fn take(tail: &mut Box<dyn Tail>, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        events.extend(next(tail).await);
    }
    events
}

async fn a_tail_begins_after_its_cursor(bench: Bench) {
    let store = bench.store().await;
    for _ in 0..5 {
        submit(&*store, &new_task("dinner")).await;
    }
    let events = store.history(&EventFilter::All, Cursor::START, 10).await.expect("reads").events;
    assert_eq!(take(&mut store.tail(Cursor::START), 5).await, events);
    assert_eq!(take(&mut store.tail(events[2].cursor), 2).await, events[3..]);
    let mut at_the_end = store.tail(events[4].cursor);
    still_waits("the tail", at_the_end.next()).await;
}

async fn a_tail_waits_and_is_woken_by_its_own_process(bench: Bench) {
    let store = bench.store().await;
    let mut tail = store.tail(store.last().await.expect("reads"));
    for _ in 0..5 {
        let mut waits = tail.next();
        still_waits("the tail", &mut waits).await;
        let task = submit(&*store, &new_task("dinner")).await;
        let events = within("the next events", waits).await.expect("reads").events;
        assert_eq!((events.len(), &events[0].task), (1, task.id()));
    }
}

async fn a_tail_waits_and_is_woken_by_another_process(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut tail = here.tail(here.last().await.expect("reads"));
    for _ in 0..5 {
        let mut waits = tail.next();
        still_waits("the tail", &mut waits).await;
        let task = submit(&*there, &new_task("dinner")).await;
        let events = within("the next events", waits).await.expect("reads").events;
        assert_eq!((events.len(), &events[0].task), (1, task.id()));
        assert_eq!(get(&*here, &events[0].task).await, task, "an event is never ahead of its change");
    }
}

async fn a_tail_misses_nothing_while_the_log_is_written(bench: Bench) {
    const EACH: usize = 150;
    let store = bench.store().await;
    let mut tail = store.tail(Cursor::START);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let store = bench.store().await;
        writers.spawn(async move {
            for number in 0..EACH {
                let task = submit(&*store, &new_task("dinner")).await;
                if number % 50 == 0 {
                    // A pause lets the tail catch up and wait.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                store.note(task.id(), None, "a remark").await.expect("notes");
            }
        });
    }
    let told = take(&mut tail, 3 * EACH * 2).await;
    within("the writers", writers.join_all()).await;
    let logged = store.history(&EventFilter::All, Cursor::START, 10_000).await.expect("reads").events;
    assert_eq!(told, logged);
    still_waits("the tail", tail.next()).await;
}

async fn two_tails_each_get_everything(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut tails = [here.tail(Cursor::START), here.tail(Cursor::START), there.tail(Cursor::START)];
    for _ in 0..20 {
        submit(&*here, &new_task("dinner")).await;
    }
    let logged = here.history(&EventFilter::All, Cursor::START, 100).await.expect("reads").events;
    for tail in &mut tails {
        assert_eq!(take(tail, 20).await, logged);
    }
}

async fn a_dropped_wait_loses_nothing(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut tail = here.tail(Cursor::START);
    let writer = tokio::spawn(async move {
        for _ in 0..200 {
            submit(&*there, &new_task("dinner")).await;
        }
    });
    let mut told = Vec::new();
    let reading = async {
        while told.len() < 200 {
            // Most of these waits are dropped before they end, at any point.
            let wait = Duration::from_micros(100 + told.len() as u64 * 20);
            if let Ok(news) = tokio::time::timeout(wait, tail.next()).await {
                told.extend(news.expect("reads").events);
            }
        }
    };
    within("the events", reading).await;
    writer.await.expect("writes");
    assert_eq!(told, here.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads").events);
}

async fn a_tail_hears_only_its_namespace(bench: Bench) {
    let (one, two) = (bench.namespace("one").await, bench.namespace("two").await);
    let mut tail = one.tail(Cursor::START);
    submit(&*two, &new_task("dinner")).await;
    still_waits("the tail", tail.next()).await;
    let task = submit(&*one, &new_task("dinner")).await;
    let events = next(&mut tail).await;
    assert_eq!((events.len(), &events[0].task), (1, task.id()));
}

async fn offer(store: &dyn Store, name: &str, tools: &[&str]) {
    let spec = |tool: &&str| ToolSpec::new(tool, "A tool.", json!({ "type": "object" }));
    let specs: Vec<_> = tools.iter().map(spec).collect();
    store.enlist(&worker(name), None, &specs, Duration::from_secs(60)).await.expect("enlists");
}

async fn told_of_tools(tail: &mut Box<dyn Tail>) {
    let news = within("the news", tail.next()).await.expect("reads");
    assert_eq!(news, News { tools: true, ..News::default() });
}

async fn a_tail_is_told_when_the_tools_change_and_only_then(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut tail = here.tail(Cursor::START);
    still_waits("the tail", tail.next()).await;
    offer(&*there, "w1", &["dinner", "lunch"]).await;
    told_of_tools(&mut tail).await;
    // The same tools again, by whomever, are no change; nor is a worker that leaves.
    offer(&*there, "w1", &["dinner"]).await;
    offer(&*there, "w2", &["dinner"]).await;
    there.dismiss(&worker("w2")).await.expect("dismisses");
    still_waits("the tail", tail.next()).await;
    let gone = RpcError::internal("gone");
    there.withdraw(&["dinner".into()], &gone).await.expect("withdraws");
    still_waits("the tail", tail.next()).await;
    there.withdraw(&["lunch".into()], &gone).await.expect("withdraws");
    told_of_tools(&mut tail).await;
    let changed = ToolSpec::new("dinner", "Another one.", json!({ "type": "object" }));
    there.enlist(&worker("w1"), None, &[changed], Duration::from_secs(60)).await.expect("enlists");
    told_of_tools(&mut tail).await;
    // Who begins now cannot know what its reader has seen.
    told_of_tools(&mut here.tail(Cursor::START)).await;
}

async fn changed_tools_are_no_event_of_the_log(bench: Bench) {
    let store = bench.store().await;
    let mut tail = store.tail(Cursor::START);
    offer(&*store, "w1", &["dinner"]).await;
    let task = submit(&*store, &new_task("dinner")).await;
    let events = take(&mut tail, 1).await;
    assert_eq!((events.len(), &events[0].task), (1, task.id()));
    assert_eq!(store.history(&EventFilter::All, Cursor::START, 10).await.expect("reads").events, events);
    assert_eq!(store.last().await.expect("reads"), events[0].cursor);
}
