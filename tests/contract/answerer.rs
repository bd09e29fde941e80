//! Who answered, as it is stored: kept, bounded, and read by older and by newer processes.

use mcptask::store::{Store, StoreError};
use mcptask::task::{Answer, EventKind, Known, Task, TaskId, TaskStatus, Who};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::redis_keys::PREFIX;
use crate::support::bench::Bench;
use crate::support::{accept, ask, decline, events_of, get, key, q, running};

contract! {
    who_answered_is_kept_by_the_task_and_told_by_the_log,
    nobody_named_is_as_before,
    what_is_too_long_is_refused_and_the_question_stays_open,
    the_second_answerer_is_told_who_was_first,
}

fn ada() -> Who {
    let who = Who::of_client(Some("kitchen"), Some("inspector 2.12".into()), Who::named("ada", Known::Given));
    who.noting(Some("ticket 7\nas agreed \u{1b}[31m".into()))
}

async fn asking(store: &dyn Store) -> Task {
    let task = running(store).await;
    ask(store, &key(&task), 1, "one").await;
    task
}

async fn logged(store: &dyn Store, task: &TaskId) -> Option<Box<Who>> {
    let events = events_of(store, task).await;
    let answered = events.into_iter().find_map(|event| match event.kind {
        EventKind::Answered { who, .. } => Some(who),
        _ => None,
    });
    answered.expect("was answered")
}

async fn who_answered_is_kept_by_the_task_and_told_by_the_log(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let task = asking(&*here).await;
    here.answer(task.id(), &q(1), &accept("thai").given_by(ada())).await.expect("answers");
    let kept = get(&*there, task.id()).await.questions[0].answer.clone().expect("has an answer");
    assert_eq!(kept.who.as_deref(), Some(&ada()));
    assert_eq!(logged(&*there, task.id()).await.as_deref(), Some(&ada()));
    let journal = there.answers(&key(&task), 1, 1).await.expect("reads").expect("is there");
    assert_eq!(journal[0].who.as_deref(), Some(&ada()), "the worker is told");
}

async fn nobody_named_is_as_before(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store).await;
    store.answer(task.id(), &q(1), &decline()).await.expect("answers");
    let kept = get(&*store, task.id()).await.questions[0].answer.clone().expect("has an answer");
    assert_eq!((kept.who.clone(), logged(&*store, task.id()).await), (None, None));
    assert!(json!(kept).get("who").is_none(), "nothing is said of nobody");
}

async fn what_is_too_long_is_refused_and_the_question_stays_open(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store).await;
    for (who, named) in [
        (Who::named("x".repeat(201), Known::Given), "name has 201 bytes"),
        (ada().noting(Some("x".repeat(2049))), "note on the answer has 2049 bytes"),
        (Who::named("", Known::Given), "name is empty"),
    ] {
        let error = store.answer(task.id(), &q(1), &decline().given_by(who)).await.expect_err("is refused");
        assert!(matches!(error, StoreError::Refused { .. }) && error.to_string().contains(named), "{error}");
    }
    assert_eq!(get(&*store, task.id()).await.status, TaskStatus::InputRequired);
}

async fn the_second_answerer_is_told_who_was_first(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store).await;
    store.answer(task.id(), &q(1), &decline().given_by(ada())).await.expect("answers");
    let error = store.answer(task.id(), &q(1), &decline()).await.expect_err("it is answered");
    assert!(error.to_string().contains("decline by operator kitchen at "), "{error}");
}

/// The answer as the last version had it that knew no names: it must be able to read today's.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "reading it is the test")]
struct OldAnswer {
    action: String,
    content: Option<Value>,
    by: OldAnswerer,
    reason: Option<String>,
    at: jiff::Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OldAnswerer {
    Client,
    Operator,
    Policy,
    Timeout,
}

/// The stored answer and the stored event, past the store.
fn stored(bench: &Bench, task: &TaskId) -> (String, String) {
    match bench {
        Bench::Redis(server) => {
            let answer = server.ask(&["HGET", &format!("{PREFIX}task:{task}"), "a1"]).expect("reads");
            let log: Vec<(String, Vec<String>)> =
                server.ask(&["XRANGE", &format!("{PREFIX}events"), "-", "+"]).expect("reads");
            let fields =
                log.into_iter().map(|(_, fields)| fields).find(|all| all.contains(&"answered".to_owned()));
            let fields = fields.expect("was answered");
            let at = fields.iter().position(|field| field == "detail").expect("has a detail");
            (answer, fields[at + 1].clone())
        }
        Bench::Sqlite(folder) => {
            let file = Connection::open(folder.path().join("tasks.db")).expect("opens");
            let text = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).expect("reads");
            let event =
                text("SELECT record FROM event WHERE record LIKE '%answered%' ORDER BY sequence LIMIT 1");
            (text("SELECT answer FROM question"), event)
        }
        Bench::Cluster(..) => panic!("not here"),
    }
}

/// Puts another answer and another event in place of the stored ones.
fn replace(bench: &Bench, task: &TaskId, change: impl Fn(&str) -> String) {
    let (answer, _) = stored(bench, task);
    match bench {
        Bench::Redis(server) => {
            let words = ["HSET", &format!("{PREFIX}task:{task}"), "a1", &change(&answer)];
            let _: ::redis::Value = server.ask(&words).expect("writes");
        }
        Bench::Sqlite(folder) => {
            let file = Connection::open(folder.path().join("tasks.db")).expect("opens");
            file.execute("UPDATE question SET answer = ?1", [change(&answer)]).expect("writes");
            let (_, event) = stored(bench, task);
            let sql = "UPDATE event SET record = ?1 WHERE record LIKE '%answered%'";
            file.execute(sql, [change(&event)]).expect("writes");
        }
        Bench::Cluster(..) => panic!("not here"),
    }
}

async fn an_older_process_reads_it(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store).await;
    store.answer(task.id(), &q(1), &accept("thai").given_by(ada())).await.expect("answers");
    let (answer, event) = stored(&bench, task.id());
    assert!(answer.contains("inspector 2.12") && event.contains("inspector 2.12"), "{answer} {event}");
    let read: OldAnswer = serde_json::from_str(&answer).expect("an old process reads it");
    assert!(matches!(read.by, OldAnswerer::Operator));
    let event: Value = serde_json::from_str(&event).expect("JSON");
    assert!(event["by"] == "operator" && event["question"] == "q1" && event["action"] == "accept", "{event}");
}

async fn what_an_older_or_newer_process_wrote_is_read(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store).await;
    store.answer(task.id(), &q(1), &accept("thai").given_by(ada())).await.expect("answers");
    let newer = json!({ "name": "ada", "known": "passkey", "device": { "id": 3 }, "proof": [1] });
    for (who, name) in [(newer, Some("ada")), (Value::Null, None)] {
        replace(&bench, task.id(), |text| {
            let mut record: Value = serde_json::from_str(text).expect("JSON");
            record["who"] = who.clone();
            record["signature"] = json!({ "of": "a newer version" });
            record.to_string()
        });
        let again = bench.store().await;
        let kept: Answer = get(&*again, task.id()).await.questions[0].answer.clone().expect("has an answer");
        assert_eq!(kept.who.and_then(|who| who.name).as_deref(), name);
        assert_eq!(events_of(&*again, task.id()).await.len(), 4, "no event is passed over");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_process_reads_what_is_stored_in_redis() {
    an_older_process_reads_it(Bench::redis()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_process_reads_what_is_stored_in_sqlite() {
    an_older_process_reads_it(Bench::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_versions_wrote_is_read_from_redis() {
    what_an_older_or_newer_process_wrote_is_read(Bench::redis()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_versions_wrote_is_read_from_sqlite() {
    what_an_older_or_newer_process_wrote_is_read(Bench::sqlite()).await;
}
