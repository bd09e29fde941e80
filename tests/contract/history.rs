//! note, history and last.

use mcptask::store::{EventFilter, StoreError};
use mcptask::task::{Cursor, Event, NewTask, TaskId};

use crate::support::bench::Bench;
use crate::support::{claim, drain, get, key, new_task, session, submit, words_of};

contract! {
    an_empty_log_begins_at_the_start,
    cursors_grow_and_last_is_the_newest,
    history_goes_on_after_a_cursor,
    history_of_a_session_or_task_is_only_theirs,
    history_is_read_backward_as_it_is_forward,
    a_note_is_only_logged,
    events_have_the_order_of_what_happened,
}

async fn all(store: &dyn mcptask::store::Store) -> Vec<Event> {
    store.history(&EventFilter::All, Cursor::START, 10_000).await.expect("reads").events
}

async fn an_empty_log_begins_at_the_start(bench: Bench) {
    let store = bench.store().await;
    assert_eq!(store.last().await.expect("reads"), Cursor::START);
    assert!(all(&*store).await.is_empty());
    let far = Cursor { millis: u64::MAX, sequence: 0 };
    assert!(store.history(&EventFilter::All, far, 10).await.expect("reads").events.is_empty());
}

async fn cursors_grow_and_last_is_the_newest(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    for _ in 0..20 {
        submit(&*here, &new_task("dinner")).await;
        submit(&*there, &new_task("lunch")).await;
    }
    let events = all(&*there).await;
    assert_eq!(events.len(), 40);
    assert!(events.is_sorted_by(|one, next| one.cursor < next.cursor && one.at <= next.at));
    assert!(events[0].cursor > Cursor::START);
    assert_eq!(here.last().await.expect("reads"), events[39].cursor);
}

async fn history_is_read_backward_as_it_is_forward(bench: Bench) {
    let store = bench.store().await;
    assert!(store.history_before(&EventFilter::All, None, 10).await.expect("reads").events.is_empty());
    let one = submit(&*store, &NewTask { session: Some(session("s")), ..new_task("dinner") }).await;
    for number in 0..12 {
        let session = (number % 2 == 0).then(|| session("s"));
        submit(&*store, &NewTask { session, ..new_task("lunch") }).await;
        store.note(one.id(), None, &format!("note {number}")).await.expect("notes");
    }
    for filter in [EventFilter::All, EventFilter::Session(session("s")), EventFilter::Task(one.id().clone())]
    {
        let forward = store.history(&filter, Cursor::START, 1000).await.expect("reads").events;
        for most in [1, 3, 1000] {
            let (mut backward, mut before) = (Vec::new(), None);
            loop {
                let page = store.history_before(&filter, before, most).await.expect("reads");
                assert!(page.events.len() <= most);
                backward.extend(page.events);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            backward.reverse();
            assert_eq!(backward, forward, "{filter:?} by {most}");
        }
        let middle = forward[forward.len() / 2].cursor;
        let before = store.history_before(&filter, Some(middle), 1).await.expect("reads").events;
        assert_eq!(before, forward[forward.len() / 2 - 1..forward.len() / 2]);
    }
}

async fn history_goes_on_after_a_cursor(bench: Bench) {
    let store = bench.store().await;
    for _ in 0..10 {
        submit(&*store, &new_task("dinner")).await;
    }
    let events = all(&*store).await;
    let (mut read, mut after) = (Vec::new(), Cursor::START);
    loop {
        let page = store.history(&EventFilter::All, after, 3).await.expect("reads").events;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = last.cursor;
        read.extend(page);
    }
    assert_eq!(read, events);
    let again: Cursor = after.to_string().parse().expect("a cursor is text and back");
    assert!(store.history(&EventFilter::All, again, 3).await.expect("reads").events.is_empty());
}

async fn history_of_a_session_or_task_is_only_theirs(bench: Bench) {
    let store = bench.store().await;
    let mut made = Vec::new();
    for number in 0..30 {
        let session = [None, Some(session("s1")), Some(session("s2"))][number % 3].clone();
        made.push(submit(&*store, &NewTask { session, ..new_task("dinner") }).await);
        store.note(made[number / 2].id(), None, &format!("note {number}")).await.expect("notes");
    }
    let events = all(&*store).await;
    assert_eq!(events.len(), 60);
    for filter in [
        EventFilter::Session(session("s1")),
        EventFilter::Session(session("s")),
        EventFilter::Task(made[3].id().clone()),
        EventFilter::Task(TaskId::generate()),
    ] {
        let expected: Vec<Event> = events.iter().filter(|event| filter.admits(event)).cloned().collect();
        assert_eq!(store.history(&filter, Cursor::START, 1000).await.expect("reads").events, expected);
        let first: Vec<Event> = expected.iter().take(1).cloned().collect();
        assert_eq!(store.history(&filter, Cursor::START, 1).await.expect("reads").events, first);
        let middle = events[30].cursor;
        let later: Vec<Event> = expected.into_iter().filter(|event| event.cursor > middle).collect();
        assert_eq!(store.history(&filter, middle, 1000).await.expect("reads").events, later);
    }
}

async fn a_note_is_only_logged(bench: Bench) {
    let store = bench.store().await;
    let task = submit(&*store, &new_task("dinner")).await;
    store.note(task.id(), None, "the prompt could not be delivered").await.expect("notes");
    assert_eq!(get(&*store, task.id()).await, task);
    let event = serde_json::to_value(all(&*store).await.pop()).expect("json");
    assert_eq!(
        (&event["event"], &event["note"]),
        (&"noted".into(), &"the prompt could not be delivered".into())
    );
    let nobody = TaskId::generate();
    let refused = store.note(&nobody, None, "nothing").await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == nobody));
}

async fn events_have_the_order_of_what_happened(bench: Bench) {
    let store = bench.store().await;
    let new = new_task("dinner");
    submit(&*store, &new).await;
    for _ in 0..3 {
        let task = claim(&*store, "dinner").await;
        store.requeue(&key(&task), &drain()).await.expect("requeues");
    }
    store.cancel(&new.id, "not hungry").await.expect("cancels");
    let words = words_of(&*store, &new.id).await;
    let round = ["claimed", "requeued"];
    assert_eq!(words, [&["submitted"][..], &round, &round, &round, &["cancelled"]].concat());
}
