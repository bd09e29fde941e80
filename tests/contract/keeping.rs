//! How the archive is kept is the store's: what one process says of it holds for those that were not told, and what is
//! wrong with it is told.

use std::time::Duration;

use mcptask::store::{Retention, Store, Trouble};
use mcptask::task::NewTask;
use serde_json::{Map, Value};

use crate::archive::{DAY, all, archived, ids, short};
use crate::support::bench::Bench;
use crate::support::submit;

contract! {
    who_was_not_told_archives_as_another_one_says,
    two_who_say_different_things_are_told_of,
    an_archive_that_forgets_early_is_told_of,
}

fn retention(time: Duration) -> Retention {
    Retention { time, bytes: 1 << 30 }
}

/// What is wrong with the archive, by its cause.
async fn troubles(store: &dyn Store) -> Vec<Trouble> {
    let found = store.health().await.expect("looks");
    found.into_iter().filter(|one| one.cause.starts_with("archive_")).collect()
}

async fn who_was_not_told_archives_as_another_one_says(bench: Bench) {
    let (told, other) = (bench.store().await, bench.store().await);
    archived(&*other, &short("dinner")).await;
    assert_eq!(ids(&*other).await, [], "nobody has said anything");
    told.retain(retention(DAY));
    told.due().await.expect("looks");
    let id = archived(&*other, &short("dinner")).await;
    let kept = all(&*other).await.remove(0);
    assert_eq!((kept.task.id(), kept.kept_until), (&id, kept.expired_at + DAY));
    archived(&*other, &NewTask { hidden: true, ..short("dinner") }).await;
    assert_eq!(ids(&*other).await.len(), 1, "foreground calls are not archived by anybody");
    // Who deletes a task wants no archive of it.
    let pruned = submit(&*other, &short("lunch")).await;
    other.cancel(pruned.id(), "enough").await.expect("ends");
    assert!(other.prune(pruned.id()).await.expect("deletes"));
    assert_eq!(ids(&*other).await, [id]);
    let elsewhere = bench.namespace("other").await;
    archived(&*elsewhere, &short("dinner")).await;
    assert_eq!(ids(&*elsewhere).await, [], "another namespace was told nothing");
    assert_eq!(troubles(&*other).await, []);
}

async fn two_who_say_different_things_are_told_of(bench: Bench) {
    let (here, there, other) = (bench.store().await, bench.store().await, bench.store().await);
    for store in [&here, &there] {
        store.retain(retention(DAY));
        store.due().await.expect("looks");
    }
    assert_eq!(troubles(&*other).await, [], "both say the same");
    let longer = bench.store().await;
    longer.retain(retention(30 * DAY));
    longer.due().await.expect("looks");
    let [trouble] = troubles(&*other).await.try_into().expect("one");
    assert_eq!(trouble.cause, "archive_kept_differently");
    for part in ["1d (at most 1073741824 bytes)", "30d (at most 1073741824 bytes)"] {
        assert!(trouble.problem.contains(part), "{trouble:?}");
    }
    archived(&*other, &short("dinner")).await;
    let kept = all(&*other).await.remove(0);
    assert_eq!(kept.kept_until, kept.expired_at + 30 * DAY, "nothing is lost that anybody keeps");
}

async fn an_archive_that_forgets_early_is_told_of(bench: Bench) {
    let store = bench.store().await;
    store.retain(Retention { time: DAY, bytes: 30_000 });
    let text = Value::String("x".repeat(10_000));
    let arguments = Map::from_iter([("text".to_owned(), text)]);
    let new = || NewTask { arguments: arguments.clone(), ..short("dinner") };
    archived(&*store, &new()).await;
    assert_eq!(troubles(&*store).await, []);
    for _ in 0..3 {
        archived(&*store, &new()).await;
    }
    let [trouble] = troubles(&*store).await.try_into().expect("one");
    assert_eq!(trouble.cause, "archive_full");
    assert!(trouble.advice.contains("--keep-bytes"), "{trouble:?}");
}
