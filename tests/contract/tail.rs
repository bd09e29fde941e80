//! tail.

use std::time::Duration;

use mcptask::store::{EventFilter, Tail};
use mcptask::task::{Cursor, Event};

use crate::support::bench::Bench;
use crate::support::{get, new_task, still_waits, submit, within};

contract! {
    a_tail_begins_after_its_cursor,
    a_tail_waits_and_is_woken_by_its_own_process,
    a_tail_waits_and_is_woken_by_another_process,
    a_tail_misses_nothing_while_the_log_is_written,
    two_tails_each_get_everything,
    a_dropped_wait_loses_nothing,
    a_tail_hears_only_its_namespace,
}

async fn next(tail: &mut Box<dyn Tail>) -> Vec<Event> {
    let events = within("the next events", tail.next()).await.expect("reads");
    assert!(!events.is_empty(), "a tail returns at least one event");
    events
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
    let events = store.history(&EventFilter::All, Cursor::START, 10).await.expect("reads");
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
        let events = within("the next events", waits).await.expect("reads");
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
        let events = within("the next events", waits).await.expect("reads");
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
                store.note(task.id(), "a remark").await.expect("notes");
            }
        });
    }
    let told = take(&mut tail, 3 * EACH * 2).await;
    within("the writers", writers.join_all()).await;
    let logged = store.history(&EventFilter::All, Cursor::START, 10_000).await.expect("reads");
    assert_eq!(told, logged);
    still_waits("the tail", tail.next()).await;
}

async fn two_tails_each_get_everything(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut tails = [here.tail(Cursor::START), here.tail(Cursor::START), there.tail(Cursor::START)];
    for _ in 0..20 {
        submit(&*here, &new_task("dinner")).await;
    }
    let logged = here.history(&EventFilter::All, Cursor::START, 100).await.expect("reads");
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
            if let Ok(events) = tokio::time::timeout(wait, tail.next()).await {
                told.extend(events.expect("reads"));
            }
        }
    };
    within("the events", reading).await;
    writer.await.expect("writes");
    assert_eq!(told, here.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads"));
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
