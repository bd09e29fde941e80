//! The archive: what expires goes there where that is wanted, whole, once, for a while and within its bytes.

use std::time::Duration;

use mcptask::store::gate::MAX_DEPTH;
use mcptask::store::{ArchivedTask, EventFilter, PageCursor, Retention, Store, StoreError, TaskFilter};
use mcptask::task::{Answer, Cursor, Known, NewTask, Outcome, Task, TaskId, TaskStatus, Who};
use serde_json::{Map, Value, json};

use crate::support::bench::Bench;
use crate::support::{accept, ask, claim, get, key, new_task, q, session, submit, within};

contract! {
    without_a_retention_nothing_is_archived,
    what_expires_is_archived_whole_and_gone_for_everybody_else,
    what_had_not_ended_is_archived_as_cancelled,
    foreground_calls_are_not_archived,
    an_archived_task_goes_when_its_time_is_over,
    the_archive_is_bounded_in_bytes_and_the_oldest_go_first,
    the_archive_is_listed_in_pages_and_by_what_tasks_have,
    two_who_let_a_task_expire_archive_it_once,
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn retention(time: Duration) -> Retention {
    Retention { time, bytes: u64::MAX }
}

/// A task whose ttl ends at once.
pub(crate) fn short(tool: &str) -> NewTask {
    NewTask { ttl_ms: Some(1), ..new_task(tool) }
}

/// Waits until `task` is due, and lets it expire.
async fn expire(store: &dyn Store, task: &TaskId) {
    let due = async {
        while !store.due().await.expect("reads").tasks.contains(task) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of the ttl", due).await;
    store.expire(task).await.expect("expires");
}

/// Submits a task, and lets it end and expire.
pub(crate) async fn archived(store: &dyn Store, new: &NewTask) -> TaskId {
    submit(store, new).await;
    expire(store, &new.id).await;
    new.id.clone()
}

pub(crate) async fn all(store: &dyn Store) -> Vec<ArchivedTask> {
    let page = store.archived(&TaskFilter::default(), None, 1000).await.expect("lists");
    assert_eq!((page.unreadable, page.next), (Vec::new(), None));
    page.tasks
}

pub(crate) async fn ids(store: &dyn Store) -> Vec<TaskId> {
    all(store).await.iter().map(|one| one.task.id().clone()).collect()
}

pub(crate) async fn words(store: &dyn Store) -> Vec<&'static str> {
    let log = store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads");
    log.events.iter().map(|event| event.kind.name()).collect()
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

async fn without_a_retention_nothing_is_archived(bench: Bench) {
    let store = bench.store().await;
    let id = archived(&*store, &short("dinner")).await;
    assert_eq!(all(&*store).await, []);
    assert_eq!(store.archived_task(&id).await.expect("reads"), None);
    assert_eq!(store.find_archived("", 10).await.expect("finds"), []);
    match &bench {
        Bench::Redis(server) => {
            let keys: Vec<String> = server.ask(&["KEYS", "*archive*"]).expect("lists");
            assert_eq!(keys, Vec::<String>::new());
        }
        Bench::Sqlite(directory) => {
            let file = rusqlite::Connection::open(directory.path().join("tasks.db")).expect("opens");
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%archive%'";
            let tables: i64 = file.query_row(sql, [], |row| row.get(0)).expect("counts");
            assert_eq!(tables, 0, "the file is as it was");
        }
        Bench::Cluster(..) => {}
    }
}

/// A task that was asked, answered by somebody, and ended with a result that is nested as deep as may be.
pub(crate) async fn eaten(store: &dyn Store) -> Task {
    let arguments = Map::from_iter([("for".to_owned(), json!("Zoë \u{1b}[31m 雪"))]);
    let new = NewTask { ttl_ms: Some(300), session: Some(session("s1")), arguments, ..new_task("dinner") };
    submit(store, &new).await;
    let claimed = claim(store, "dinner").await;
    let question = ask(store, &key(&claimed), 1, "which?").await;
    let who = Who::named("zoe", Known::Given).noting(Some("she is vegan".into()));
    let answer = Answer { who: Some(Box::new(who)), ..accept("thai") };
    store.answer(claimed.id(), &question.id, &answer).await.expect("answers");
    let deep = json!({ "content": [], "structuredContent": { "deep": nested(MAX_DEPTH - 3) } });
    store.finish(&key(&claimed), &Outcome::Result(deep)).await.expect("finishes");
    get(store, claimed.id()).await
}

async fn what_expires_is_archived_whole_and_gone_for_everybody_else(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    here.retain(retention(DAY));
    let before = eaten(&*here).await;
    expire(&*here, before.id()).await;

    assert_eq!(there.get(before.id()).await.expect("reads"), None);
    assert_eq!(there.find("", 10).await.expect("finds"), []);
    let everything = TaskFilter { hidden: true, ..TaskFilter::default() };
    assert_eq!(there.list(&everything, None, 10).await.expect("lists").tasks, []);
    let refused = there.answer(before.id(), &q(1), &accept("thai")).await.expect_err("it is gone");
    assert!(matches!(refused, StoreError::NoTask(_)), "{refused}");

    let kept = there.archived_task(before.id()).await.expect("reads").expect("is archived");
    assert_eq!(kept.task, before);
    let log = there.history(&EventFilter::All, Cursor::START, 100).await.expect("reads");
    assert_eq!(kept.events, log.events);
    let words: Vec<_> = kept.events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(words, ["submitted", "claimed", "asked", "answered", "completed", "expired"]);
    assert_eq!(kept.kept_until, kept.expired_at + DAY);
    assert!(kept.expired_at >= before.expires_at().expect("has a ttl"));
    assert_eq!(all(&*there).await, [kept]);
    let prefix = &before.id().as_str()[..6];
    assert_eq!(there.find_archived(prefix, 10).await.expect("finds"), [before.id().clone()]);
    assert_eq!(there.find_archived("0000000000", 10).await.expect("finds"), []);
    assert_eq!(there.archived_task(&TaskId::generate()).await.expect("reads"), None);
    assert_eq!(
        ids(&*bench.namespace("other").await).await,
        [],
        "another namespace has an archive of its own"
    );
    // What is done with an archived task is done with one that is not there.
    there.expire(before.id()).await.expect("does nothing");
    assert_eq!(ids(&*there).await, [before.id().clone()]);
}

async fn what_had_not_ended_is_archived_as_cancelled(bench: Bench) {
    let store = bench.store().await;
    store.retain(retention(DAY));
    submit(&*store, &short("dinner")).await;
    let claimed = claim(&*store, "dinner").await;
    ask(&*store, &key(&claimed), 1, "which?").await;
    expire(&*store, claimed.id()).await;
    let kept = all(&*store).await.remove(0);
    assert_eq!((kept.task.id(), kept.task.status), (claimed.id(), TaskStatus::Cancelled));
    assert_eq!((kept.task.worker, kept.task.finished_at), (None, Some(kept.task.updated_at)));
    assert_eq!(kept.task.questions.len(), 1);
    assert!(kept.task.questions[0].is_open());
    let last = kept.events.last().expect("has events");
    assert_eq!((last.kind.name(), last.status), ("expired", TaskStatus::Cancelled));
    assert!(store.submit(&new_task("dinner"), 1).await.is_ok(), "it makes room");
}

async fn foreground_calls_are_not_archived(bench: Bench) {
    let store = bench.store().await;
    store.retain(retention(DAY));
    archived(&*store, &NewTask { hidden: true, ..short("dinner") }).await;
    let shown = archived(&*store, &short("dinner")).await;
    assert_eq!(ids(&*store).await, [shown]);
}

async fn an_archived_task_goes_when_its_time_is_over(bench: Bench) {
    let store = bench.store().await;
    store.retain(retention(Duration::from_millis(50)));
    let id = archived(&*store, &short("dinner")).await;
    let gone = async {
        while store.archived_task(&id).await.expect("reads").is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of its time", gone).await;
    assert_eq!(store.find_archived("", 10).await.expect("finds"), []);
    assert_eq!(all(&*store).await, []);
    // Nothing is left of it once the next one comes.
    store.retain(retention(DAY));
    let next = archived(&*store, &short("lunch")).await;
    assert_eq!(ids(&*store).await, [next]);
    match &bench {
        Bench::Redis(server) => {
            let members: Vec<String> =
                server.ask(&["ZRANGE", "mcptask:{test}:2:archive", "0", "-1"]).expect("reads");
            assert!(!members.iter().any(|member| member.contains(id.as_str())), "{members:?}");
            assert_eq!(members.len(), 4, "{members:?}");
        }
        Bench::Sqlite(directory) => {
            let file = rusqlite::Connection::open(directory.path().join("tasks.db")).expect("opens");
            let sql = "SELECT count(*), sum(bytes) = (SELECT bytes FROM archive_size) FROM archive";
            let found = file.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
            assert_eq!(found, Ok((1_i64, true)));
        }
        Bench::Cluster(..) => {}
    }
}

async fn the_archive_is_bounded_in_bytes_and_the_oldest_go_first(bench: Bench) {
    let store = bench.store().await;
    let (each, most) = (10_000, 8);
    store.retain(Retention { time: DAY, bytes: (each + 3000) * most });
    let text = Value::String("x".repeat(usize::try_from(each).expect("fits")));
    let arguments = Map::from_iter([("text".to_owned(), text)]);
    let mut expired = Vec::new();
    for _ in 0..3 * most {
        let new = NewTask { arguments: arguments.clone(), ..short("dinner") };
        expired.push(archived(&*store, &new).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut kept = ids(&*store).await;
    kept.reverse();
    assert!((usize::try_from(most).expect("fits")..=10).contains(&kept.len()), "{} are kept", kept.len());
    assert_eq!(kept, expired[expired.len() - kept.len()..], "the oldest are gone");
    // Whoever keeps less from now on finds the rest gone with the next one.
    let less = bench.store().await;
    less.retain(Retention { time: DAY, bytes: 2 * (each + 3000) });
    archived(&*less, &NewTask { arguments: arguments.clone(), ..short("dinner") }).await;
    assert_eq!(ids(&*store).await.len(), 2);
    less.retain(Retention { time: DAY, bytes: 1 });
    archived(&*less, &short("dinner")).await;
    assert_eq!(ids(&*store).await, [], "one that is larger than all that may be is not kept either");
}

async fn the_archive_is_listed_in_pages_and_by_what_tasks_have(bench: Bench) {
    let store = bench.store().await;
    store.retain(retention(DAY));
    let mut submitted = Vec::new();
    for number in 0..7 {
        let session = (number % 2 == 0).then(|| session("even"));
        let tool = if number < 3 { "lunch" } else { "dinner" };
        submitted.push(archived(&*store, &NewTask { session, ..short(tool) }).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut pages: Vec<Vec<TaskId>> = Vec::new();
    let mut after: Option<PageCursor> = None;
    loop {
        let page = store.archived(&TaskFilter::default(), after.as_ref(), 3).await.expect("lists");
        pages.push(page.tasks.iter().map(|one| one.task.id().clone()).collect());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let newest_first: Vec<_> = submitted.iter().rev().cloned().collect();
    assert_eq!(pages.concat(), newest_first);
    let count = async |filter: TaskFilter| {
        let page = store.archived(&filter, None, 100).await.expect("lists");
        page.tasks.len()
    };
    let usual = TaskFilter::default();
    assert_eq!(count(TaskFilter { session: Some(session("even")), ..usual.clone() }).await, 4);
    assert_eq!(count(TaskFilter { tool: Some("lunch".into()), ..usual.clone() }).await, 3);
    assert_eq!(count(TaskFilter { status: Some(TaskStatus::Cancelled), ..usual.clone() }).await, 7);
    assert_eq!(count(TaskFilter { status: Some(TaskStatus::Completed), ..usual.clone() }).await, 0);
    let oldest_first = TaskFilter { oldest_first: true, ..usual };
    let page = store.archived(&oldest_first, None, 2).await.expect("lists");
    let first: Vec<_> = page.tasks.iter().map(|one| one.task.id().clone()).collect();
    assert_eq!(first, submitted[..2]);
    let page = store.archived(&oldest_first, page.next.as_ref(), 100).await.expect("lists");
    assert_eq!((page.tasks.len(), page.next), (5, None));
}

async fn two_who_let_a_task_expire_archive_it_once(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let mut all_ids = Vec::new();
    for store in [&here, &there] {
        store.retain(retention(DAY));
    }
    for _ in 0..20 {
        let task = submit(&*here, &short("dinner")).await;
        all_ids.push(task.id().clone());
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    for id in &all_ids {
        let (one, other) = tokio::join!(here.expire(id), there.expire(id));
        one.and(other).expect("both are content");
    }
    let mut kept = ids(&*here).await;
    kept.sort();
    all_ids.sort();
    assert_eq!(kept, all_ids);
    assert_eq!(words(&*here).await.iter().filter(|word| **word == "expired").count(), 20);
}
