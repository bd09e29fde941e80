//! Events that somebody else wrote into the SQLite file, where the log has no place for them.

use mcptask::store::{EventFilter, Store};
use mcptask::task::{Cursor, NewTask};

use crate::sqlite_kitchen::Kitchen;
use crate::support::{claim, events_of, get, key, new_task, running, session, submit, within};

/// Places that no log leads up to.
const STRANGE: [i64; 8] =
    [i64::MAX, i64::MAX - 1, 1_000_000_000_000_000, 9_007_199_254_740_993, 5_000_000_000, 0, -1, i64::MIN];

/// Writes a copy of the first event at each of these places.
fn insert(kitchen: &Kitchen, places: &[i64]) {
    for place in places {
        kitchen.sql(&format!(
            "INSERT INTO event SELECT namespace, {place}, at_ms, task, tool, scope, session, hidden, status, record,
            bytes, session_events FROM event WHERE sequence = 1"
        ));
    }
}

/// The sequences of the whole log, as readers have them.
async fn sequences(kitchen: &Kitchen) -> Vec<u64> {
    let history = kitchen.store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads");
    assert_eq!((history.unreadable, history.next), (Vec::new(), None));
    history.events.iter().map(|event| event.cursor.sequence).collect()
}

#[tokio::test]
async fn an_event_beyond_the_log_stops_nobody_and_deafens_nobody() {
    let each = STRANGE.iter().map(|place| vec![*place]);
    for places in each.chain([STRANGE.to_vec(), vec![i64::MAX - 2, i64::MAX - 1, i64::MAX]]) {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let new = NewTask { session: Some(session("s1")), ..new_task("dinner") };
        let first = submit(store, &new).await;
        let mut tail = store.tail(store.last().await.expect("reads"));
        insert(&kitchen, &places);
        // Every kind of write goes on, in the order of the log.
        let task = claim(store, "dinner").await;
        store.note(task.id(), None, "on").await.expect("notes");
        submit(store, &new_task("lunch")).await;
        store.cancel(task.id(), "not hungry").await.expect("cancels");
        assert_eq!(sequences(&kitchen).await, [1, 2, 3, 4, 5], "{places:?}");
        assert_eq!(store.last().await.expect("reads").sequence, 5, "{places:?}");
        let news = within("the news", tail.next()).await.expect("reads");
        let heard: Vec<_> = news.events.iter().map(|event| event.cursor.sequence).collect();
        assert_eq!((news.reset, heard), (false, vec![2, 3, 4, 5]), "{places:?}");
        store.note(first.id(), None, "again").await.expect("notes");
        let news = within("more news", tail.next()).await.expect("reads");
        assert_eq!((news.reset, news.events[0].cursor.sequence), (false, 6), "{places:?}");
        assert_eq!(events_of(store, first.id()).await.len(), 5, "{places:?}");
        let troubles = store.health().await.expect("says so");
        assert_eq!(troubles.iter().map(|one| one.cause).collect::<Vec<_>>(), ["events_out_of_place"]);
        let highest = places.iter().max().expect("one").to_string();
        assert!(troubles[0].problem.contains(&highest), "{places:?}: {troubles:?}");
    }
}

/// As if somebody had moved a log to where no event fits behind it.
#[tokio::test]
async fn events_on_the_last_places_of_all_leave_a_place_for_the_next() {
    let last = 1_000_000_000_000_000;
    for above in [0, 5] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let task = submit(store, &new_task("dinner")).await;
        store.note(task.id(), None, "on").await.expect("notes");
        insert(&kitchen, &(last - 10..=last + above).collect::<Vec<_>>());
        insert(&kitchen, &(last - 2_000_010..=last - 2_000_000).collect::<Vec<_>>());
        for _ in 0..3 {
            store.note(task.id(), None, "on").await.expect("notes");
        }
        assert_eq!(sequences(&kitchen).await, [1, 2, 3, 4, 5], "{above}");
    }
}

#[tokio::test]
async fn who_reads_on_from_beyond_the_log_is_told_that_it_is_another_one() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let task = submit(store, &new_task("dinner")).await;
    for sequence in [5_000_000_000, i64::MAX as u64, u64::MAX] {
        let mut tail = store.tail(Cursor { millis: 0, sequence });
        let news = within("the reset", tail.next()).await.expect("reads");
        assert!(news.reset && news.events.is_empty(), "{sequence}: {news:?}");
        store.note(task.id(), None, "on").await.expect("notes");
        assert_eq!(within("the news", tail.next()).await.expect("reads").events.len(), 1);
    }
}

#[tokio::test]
async fn a_last_event_that_is_moved_away_is_a_log_that_came_back_older() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let task = running(store).await;
    let mut tail = store.tail(store.last().await.expect("reads"));
    kitchen.sql(&format!("UPDATE event SET sequence = {} WHERE sequence = 2", i64::MAX));
    let news = within("the reset", tail.next()).await.expect("reads");
    assert!(news.reset && news.events.is_empty(), "{news:?}");
    store.report(&key(&task), &progress()).await.expect("reports");
    assert_eq!(within("the news", tail.next()).await.expect("reads").events[0].cursor.sequence, 2);
}

fn progress() -> mcptask::task::Progress {
    mcptask::task::Progress { current: 1.0, total: None, message: None }
}

#[tokio::test]
async fn counts_of_events_that_cannot_be_stop_nothing_and_drop_no_other_event() {
    let columns = ["bytes", "session_events"];
    let values = [i64::MIN, -1, 1 << 50, i64::MAX - 1, i64::MAX];
    let rows = ["sequence = 1", "sequence = 5", "sequence = 9", "sequence = 10", "sequence >= 1"];
    for (column, value) in columns.into_iter().flat_map(|column| values.map(|value| (column, value))) {
        for row in rows {
            let kitchen = Kitchen::new().await;
            let store = &*kitchen.store;
            let new = NewTask { session: Some(session("s1")), ..new_task("dinner") };
            let task = submit(store, &new).await;
            for _ in 0..9 {
                store.note(task.id(), None, "on").await.expect("notes");
            }
            kitchen.sql(&format!("UPDATE event SET {column} = {value} WHERE {row}"));
            for _ in 0..95 {
                store
                    .note(task.id(), None, "on")
                    .await
                    .unwrap_or_else(|error| panic!("{column} {value}: {error}"));
            }
            let kept = sequences(&kitchen).await;
            let harmless = kept == (1..=105).collect::<Vec<_>>();
            // Only what was damaged itself may go, from the log's beginning.
            let only_bad = kept[0] <= 11 && row == "sequence >= 1" || kept[0] == 2 && row == "sequence = 1";
            assert!(harmless || only_bad, "{column} {value} {row}: {kept:?}");
            assert_eq!(get(store, task.id()).await.id(), task.id());
        }
    }
}

#[tokio::test]
async fn times_of_events_that_cannot_be_are_named() {
    for at_ms in [i64::MIN, -1, i64::MAX] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let task = running(store).await;
        kitchen.sql(&format!("UPDATE event SET at_ms = {at_ms} WHERE sequence = 1"));
        let history = store.history(&EventFilter::All, Cursor::START, 10).await.expect("reads");
        assert_eq!((history.events.len(), history.unreadable[0].name.as_str()), (1, "0-1"));
        assert!(history.unreadable[0].problem.contains("no time"), "{history:?}");
        store.note(task.id(), None, "on").await.expect("notes");
    }
}
