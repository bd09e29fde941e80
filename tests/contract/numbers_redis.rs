//! Numbers that somebody else writes into a Redis: each harms its own task at most, and costs no more than what is there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mcptask::store::{ClaimKey, Due, MAX_QUESTIONS, Store, StoreError, TaskFilter};
use mcptask::task::{NewTask, Outcome, Scope, TaskId, TaskStatus};
use tokio_util::sync::CancellationToken;

use crate::redis_keys::{PREFIX, does, server};
use crate::sqlite_kitchen::Kitchen;
use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{
    accept, ask, claim, crash, enlisted, form, key, new_task, q, running, submit, within, worker,
};

fn task_key(task: &TaskId) -> String {
    format!("{PREFIX}task:{task}")
}

fn write(server: &RedisServer, task: &TaskId, field: &str, value: &str) {
    does(server, &["HSET", &task_key(task), field, value]);
}

/// What is due, once there is something.
pub(crate) async fn something_due(store: &dyn Store) -> Due {
    let due = async {
        loop {
            let due = store.due().await.expect("looks");
            if !due.is_empty() {
                return due;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("what is due", due).await
}

/// One number of one task that a dead worker held does not stop time for all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_workers_unreadable_task_stops_no_time() {
    for (field, value) in [("attempt", "x"), ("attempt", "-1"), ("attempt", "99999999999"), ("created", "x")]
    {
        let bench = Bench::redis();
        let store = bench.store().await;
        let bad = running(&*store).await;
        let good = running(&*store).await;
        write(server(&bench), bad.id(), field, value);
        let ttl = NewTask { ttl_ms: Some(1), ..new_task("lunch") };
        submit(&*store, &ttl).await;
        store.dismiss(&worker("w1")).await.expect("leaves");
        let due = something_due(&*store).await;
        assert_eq!(due.claims, [(key(&good), worker("w1"))], "{field} {value}");
        assert!(due.unreadable.iter().any(|one| one.name == bad.id().as_str()), "{field} {value}: {due:?}");
        store.requeue(&key(&good), &crash("gone")).await.expect("goes back");
        let due = something_due(&*store).await;
        assert_eq!(due.tasks, [ttl.id], "{field} {value}");
        assert!(due.claims.is_empty() && store.workers().await.expect("reads").rows.is_empty(), "{due:?}");
        store.cancel(bad.id(), "enough").await.expect("goes");
    }
}

/// Many bad ones of one dead worker, and those whom nobody settles: the others get their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_settles_keeps_back_nothing() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let mut all = BTreeSet::new();
    for _ in 0..250 {
        let new = NewTask { ttl_ms: Some(1), ..new_task("lunch") };
        all.insert(submit(&*store, &new).await.id().clone());
    }
    let asking = key(&running(&*store).await);
    store.ask(&asking, 1, &[form("Really?")], Some(Duration::from_millis(1))).await.expect("asks");
    for _ in 0..150 {
        claim(&*store, "lunch").await;
    }
    let w2 = enlisted(&*store, "w2").await;
    let stop = CancellationToken::new();
    let others = store.claim(&w2, &["lunch".to_owned()], 1, &stop).await.expect("claims");
    store.dismiss(&worker("w1")).await.expect("leaves");
    store.dismiss(&w2).await.expect("leaves");
    // The last deadline is over by then.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (mut seen, mut questions, mut claims) = (BTreeSet::new(), 0, BTreeSet::new());
    for turn in 0..4 {
        let due = store.due().await.expect("looks");
        assert!(due.tasks.len() <= 100 && due.claims.len() <= 100, "{due:?}");
        assert!(turn > 1 || due.next == Some(Duration::ZERO), "there is more");
        seen.extend(due.tasks);
        questions += due.questions.len();
        claims.extend(due.claims.into_iter().map(|(claim, _)| claim.task));
    }
    assert_eq!(seen, all);
    assert!(questions > 0, "the question comes behind them");
    assert!(claims.contains(others[0].id()), "the other worker's task");
}

/// Whatever number of questions a task is said to have asked, its end costs what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_costs_the_questions_that_are_there() {
    for expires in [false, true] {
        for (asked, there) in [("20000000", 1), ("10000", 10_000)] {
            let bench = Bench::redis();
            let store = bench.store().await;
            let new = NewTask { ttl_ms: expires.then_some(500), ..new_task("dinner") };
            submit(&*store, &new).await;
            let task = claim(&*store, "dinner").await;
            store
                .ask(&key(&task), 1, &[form("Really?")], Some(Duration::from_secs(3600)))
                .await
                .expect("asks");
            let (question, until): (String, String) =
                server(&bench).ask(&["HMGET", &task_key(task.id()), "q1", "q1.until"]).expect("reads");
            let mut words =
                vec!["HSET".to_owned(), task_key(task.id()), "asked".to_owned(), asked.to_owned()];
            for position in 2..=there {
                let (q, a) = (format!("q{position}"), format!("a{position}"));
                let field = |name: String, value: &str| [name, value.to_owned()];
                words.extend(field(q.clone(), &question));
                words.extend(field(format!("{q}.at"), "1"));
                words.extend(field(format!("{q}.until"), &until));
                words.extend(field(format!("{q}.sum"), "x"));
                words.extend(field(a.clone(), "{\"action\":\"accept\",\"content\":{},\"by\":\"operator\",\"at\":\"2026-01-01T00:00:00Z\"}"));
                words.extend(field(format!("{a}.at"), "1"));
            }
            does(server(&bench), &words.iter().map(String::as_str).collect::<Vec<_>>());
            let began = Instant::now();
            if expires {
                while store.get(task.id()).await.is_ok_and(|task| task.is_some())
                    || began.elapsed().as_millis() < 600
                {
                    store.expire(task.id()).await.expect("expires");
                }
                assert_eq!(store.get(task.id()).await.expect("reads"), None, "{asked}");
            } else {
                store.cancel(task.id(), "enough").await.expect("ends");
            }
            assert!(began.elapsed() < Duration::from_secs(8), "{asked}: {:?}", began.elapsed());
            let left: Vec<String> =
                server(&bench).ask(&["ZRANGEBYLEX", &format!("{PREFIX}index"), "[d:", "(d;"]).expect("reads");
            let questions: Vec<_> = left.iter().filter(|member| member.contains(":q:")).collect();
            assert!(questions.is_empty(), "{asked}: {questions:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_asks_only_so_many_questions_in_its_life() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    write(server(&bench), &claim.task, "asked", &(MAX_QUESTIONS - 1).to_string());
    asks_the_last_one(&*store, &claim).await;
    let kitchen = Kitchen::new().await;
    let claim = key(&running(&*kitchen.store).await);
    kitchen.sql(&format!("UPDATE task SET asked = {}", MAX_QUESTIONS - 1));
    asks_the_last_one(&*kitchen.store, &claim).await;
}

async fn asks_the_last_one(store: &dyn Store, claim: &ClaimKey) {
    ask(store, claim, MAX_QUESTIONS as u32, "the last one").await;
    let refused = store.ask(claim, MAX_QUESTIONS as u32 + 1, &[form("one more")], None).await;
    let refused = refused.expect_err("are too many");
    assert!(matches!(refused, StoreError::TooManyQuestions { limit: MAX_QUESTIONS, .. }), "{refused}");
    assert!(refused.to_string().contains("in its life"), "{refused}");
}

/// A ttl that is gone or another one than the index has: nothing is due for ever, and the field is what counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ttl_ends_when_its_task_says() {
    for (ttl, expires) in [("", None), ("x", None), ("3600000", Some(false)), ("0", Some(true))] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
        let task = submit(&*store, &new).await;
        if ttl.is_empty() {
            does(server(&bench), &["HDEL", &task_key(task.id()), "ttl"]);
        } else {
            write(server(&bench), task.id(), "ttl", ttl);
        }
        let second = format!("d:{:015}:t:{}", 1000, task.id());
        does(server(&bench), &["ZADD", &format!("{PREFIX}index"), "0", &second]);
        tokio::time::sleep(Duration::from_millis(5)).await;
        for _ in 0..3 {
            for task in store.due().await.expect("looks").tasks {
                store.expire(&task).await.expect("expires");
            }
        }
        let due = store.due().await.expect("looks");
        assert!(due.is_empty(), "{ttl}: {due:?} is due for ever");
        let is_there = store.get(task.id()).await.expect("reads").is_some();
        assert_eq!(is_there, expires != Some(true), "{ttl}");
        let is_foreseen = due.next.is_some_and(|next| next > Duration::from_secs(3000));
        assert_eq!(is_foreseen, expires == Some(false), "{ttl}: {due:?}");
    }
}

/// A member of the index that is no deadline does not hide what comes after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_deadline_in_the_index_stops_no_time() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let past = format!("{:015}", 1000);
    for member in ["d:x", "d:", "d:-5:t:a"].map(str::to_owned).into_iter().chain(
        ["q", "t:", "z:abc", "t:two words", "q:abc:99999999999999999999", "q:abc:-1", "r:", "t:\u{9b}"]
            .map(|rest| format!("d:{past}:{rest}")),
    ) {
        does(server(&bench), &["ZADD", &format!("{PREFIX}index"), "0", &member]);
    }
    let new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    submit(&*store, &new).await;
    let due = something_due(&*store).await;
    assert_eq!(due.tasks, [new.id], "{due:?}");
    assert!(due.next.is_none_or(|next| next > Duration::ZERO), "{due:?}");
}

/// How many unfinished tasks the index says that a scope has.
fn unfinished(server: &RedisServer, scope: &Scope) -> u64 {
    let begins = format!("u:{}\n", scope.as_str());
    let index = format!("{PREFIX}index");
    server.ask(&["ZLEXCOUNT", &index, &format!("[{begins}"), &format!("({begins};")]).expect("counts")
}

/// A scope's unfinished tasks are counted by the index: each way to end frees a place, what is refused takes none, and
/// an index that was lost knows them again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unfinished_tasks_of_a_scope_are_counted_right_through_its_life() {
    for scope in [Scope::anonymous(), Scope::named("alice")] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let of_others = NewTask { scope: Scope::named("alice:2"), ..new_task("lunch") };
        submit(&*store, &of_others).await;
        let new = || NewTask { scope: scope.clone(), ttl_ms: Some(600_000), ..new_task("dinner") };
        let held = submit(&*store, &new()).await;
        let claimed = claim(&*store, "dinner").await;
        assert_eq!(claimed.id(), held.id());
        let hidden = NewTask { hidden: true, ..new() };
        store.submit(&hidden, 3).await.expect("is the second");
        let queued = store.submit(&new(), 3).await.expect("is the third");
        is_full(&*store, &new(), 3).await;
        assert_eq!(unfinished(server(&bench), &scope), 3, "what was refused is not there");
        does(server(&bench), &["DEL", &format!("{PREFIX}index")]);
        store.due().await.expect("finds the tasks again");
        is_full(&*store, &new(), 3).await;
        store.finish(&key(&claimed), &Outcome::text("eaten")).await.expect("ends");
        assert_eq!(unfinished(server(&bench), &scope), 2, "a finished task");
        store.submit(&new(), 3).await.expect("there is a place again");
        store.cancel(&hidden.id, "enough").await.expect("ends");
        assert_eq!(unfinished(server(&bench), &scope), 2, "a cancelled foreground call");
        write(server(&bench), queued.id(), "ttl", "0");
        store.expire(queued.id()).await.expect("expires");
        assert_eq!(unfinished(server(&bench), &scope), 1, "an expired task");
        let page = store.list(&TaskFilter::default(), None, 100).await.expect("lists");
        for task in page.tasks.iter().filter(|task| !task.status.is_final()) {
            store.cancel(task.id(), "enough").await.expect("ends");
        }
        assert_eq!(unfinished(server(&bench), &scope), 0, "all are ended");
    }
}

async fn is_full(store: &dyn Store, new: &NewTask, most: u32) {
    let refused = store.submit(new, most).await.expect_err("is one too many");
    assert!(matches!(refused, StoreError::TooManyTasks { limit } if limit == most), "{refused}");
}

/// A question that lost a part is still one, and an answer that is none does not count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_lost_a_part_can_be_answered() {
    for (field, value) in [("q1.at", ""), ("q1.until", ""), ("a1", ""), ("q1.at", "x")] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let claim = key(&running(&*store).await);
        store.ask(&claim, 1, &[form("Really?")], Some(Duration::from_millis(1))).await.expect("asks");
        if value.is_empty() && field != "a1" {
            does(server(&bench), &["HDEL", &task_key(&claim.task), field]);
        } else {
            write(server(&bench), &claim.task, field, value);
        }
        store
            .answer(&claim.task, &q(1), &accept("Thai"))
            .await
            .unwrap_or_else(|error| panic!("{field}: {error}"));
        assert_eq!(store.answers(&claim, 1, 1).await.expect("reads").expect("is answered").len(), 1);
        store.finish(&claim, &Outcome::text("eaten")).await.expect("ends");
        assert!(store.due().await.expect("looks").is_empty(), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_nobody_can_show_is_unreadable() {
    for schema in ["5", "null", "[]", "\"x\""] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let claim = key(&running(&*store).await);
        ask(&*store, &claim, 1, "Really?").await;
        let question = format!("{{\"message\":\"x\",\"mode\":\"form\",\"requestedSchema\":{schema}}}");
        write(server(&bench), &claim.task, "q1", &question);
        let error = store.get(&claim.task).await.expect_err("cannot be read");
        assert!(matches!(error, StoreError::Unreadable { .. }), "{schema}: {error}");
        let asking = TaskFilter { status: Some(TaskStatus::InputRequired), ..TaskFilter::default() };
        let page = store.list(&asking, None, 10).await.expect("lists");
        assert_eq!((page.tasks.len(), page.unreadable.len()), (0, 1), "{schema}");
    }
}
