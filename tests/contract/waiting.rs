//! More time for questions: the end moves once, its task's with it, and whoever counted to the old one is refused. And what
//! people are told of once more while it waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mcptask::store::links::{Link, LinkDigest};
use mcptask::store::{Extended, Extension, KEPT_BEYOND, Store, StoreError};
use mcptask::task::who::Known;
use mcptask::task::{Action, Answer, Answerer, EventKind, NewTask, Outcome, Task, TaskId, TaskStatus, Who};

use crate::redis_keys::server;
use crate::support::bench::Bench;
use crate::support::{
    accept, ask, claim, crash, events_of, form, get, key, new_task, nothing_foreseen, q, submit, within,
};

contract! {
    a_question_that_is_extended_ends_later,
    its_task_is_kept_longer_where_it_has_to_be,
    a_question_that_would_end_with_its_task_is_extended,
    it_is_extended_again,
    a_shorter_time_is_refused_and_changes_nothing,
    a_question_without_an_end_has_no_later_one,
    only_an_open_question_is_extended,
    whoever_counted_to_the_old_end_is_refused,
    an_extended_question_is_due_at_its_new_end,
    a_task_that_runs_again_finds_the_new_end,
    the_log_says_who_gave_how_much,
    what_may_not_be_stored_is_refused,
    links_are_kept_with_their_task,
    a_reminder_is_due_and_told_once,
    a_question_that_is_answered_or_ended_has_no_reminder,
    a_reminder_is_left_alone_before_its_time,
    a_large_question_is_told_whole,
    that_nobody_at_a_client_can_answer_is_told_of_an_open_question,
}

const HOUR: Duration = Duration::from_secs(3600);

fn extension(lasts: Duration) -> Extension {
    Extension { lasts, by: Answerer::Operator, who: None }
}

/// A task that asks `one` and `two`, which end after that time.
async fn asking(store: &dyn Store, ttl: Option<Duration>, timeout: Option<Duration>) -> Task {
    let ttl_ms = ttl.map(|ttl| ttl.as_millis() as u64);
    submit(store, &NewTask { ttl_ms, ..new_task("dinner") }).await;
    let task = claim(store, "dinner").await;
    store.ask(&key(&task), 1, &[form("one"), form("two")], timeout).await.expect("asks");
    get(store, task.id()).await
}

async fn extend(store: &dyn Store, task: &TaskId, lasts: Duration) -> Extended {
    store.extend(task, &q(1), &extension(lasts)).await.expect("extends")
}

fn is_about(at: Timestamp, from_now: Duration) -> bool {
    let expected = Timestamp::now() + from_now;
    at.duration_since(expected).abs() < SignedDuration::from_secs(20)
}

async fn a_question_that_is_extended_ends_later(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let before = asking(&*here, Some(24 * HOUR), Some(HOUR)).await;
    let extended = extend(&*there, before.id(), 3 * HOUR).await;
    assert!(is_about(extended.deadline, 3 * HOUR), "{extended:?}");
    assert_eq!(extended.expires_at, None, "the task is kept for long enough");
    let after = get(&*here, before.id()).await;
    assert_eq!(after.questions[0].deadline, Some(extended.deadline));
    assert_eq!(after.questions[1], before.questions[1], "the other one ends when it did");
    assert_eq!(after.expires_at(), before.expires_at());
    let same = |task: &Task| (task.status, task.worker.clone(), task.attempt);
    assert_eq!(same(&after), same(&before));
    here.answer(before.id(), &q(1), &accept("Thai")).await.expect("answers");
    here.answer(before.id(), &q(2), &accept("Thai")).await.expect("answers");
    nothing_foreseen(here.due().await.expect("reads").next.filter(|next| *next < 20 * HOUR));
}

async fn its_task_is_kept_longer_where_it_has_to_be(bench: Bench) {
    for hidden in [false, true] {
        let store = bench.store().await;
        let new = NewTask { ttl_ms: Some(3_600_000), hidden, ..new_task("dinner") };
        submit(&*store, &new).await;
        let task = claim(&*store, "dinner").await;
        store.ask(&key(&task), 1, &[form("one")], Some(HOUR)).await.expect("asks");
        let extended = extend(&*store, task.id(), 2 * HOUR).await;
        let ends = extended.expires_at.expect("it moved");
        assert_eq!(ends, extended.deadline + KEPT_BEYOND);
        let after = get(&*store, task.id()).await;
        assert_eq!(after.expires_at(), Some(ends));
        store.cancel(task.id(), "enough").await.expect("cancels");
        assert_eq!(get(&*store, task.id()).await.status, TaskStatus::Cancelled);
    }
}

/// A question ends with its task, however long it could wait itself.
async fn a_question_that_would_end_with_its_task_is_extended(bench: Bench) {
    for own in [Some(10 * HOUR), None] {
        let store = bench.store().await;
        let task = asking(&*store, Some(HOUR), own).await;
        let extended = extend(&*store, task.id(), 2 * HOUR).await;
        let deadline = own.unwrap_or(2 * HOUR);
        assert!(is_about(extended.deadline, deadline), "{own:?}: {extended:?}");
        assert_eq!(extended.expires_at, Some(extended.deadline + KEPT_BEYOND), "{own:?}");
        let after = get(&*store, task.id()).await;
        assert_eq!(
            (after.questions[0].deadline, after.expires_at()),
            (Some(extended.deadline), extended.expires_at)
        );
        let next = store.due().await.expect("reads").next.expect("an end");
        assert!(next > HOUR, "{own:?}: {next:?}");
        let refused = store.extend(task.id(), &q(1), &extension(HOUR)).await.expect_err("it ends later");
        assert!(
            matches!(refused, StoreError::WaitsLonger { until, .. } if until == Some(extended.deadline)),
            "{refused}"
        );
        store.cancel(task.id(), "enough").await.expect("cancels");
    }
}

async fn it_is_extended_again(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, Some(HOUR), Some(HOUR)).await;
    for hours in 2..6 {
        let extended = extend(&*store, task.id(), hours * HOUR).await;
        let now = get(&*store, task.id()).await;
        assert_eq!(
            (now.questions[0].deadline, now.expires_at()),
            (Some(extended.deadline), extended.expires_at)
        );
        let next = store.due().await.expect("reads").next.expect("the other question");
        assert!(next <= HOUR, "{next:?}");
    }
}

async fn a_shorter_time_is_refused_and_changes_nothing(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, Some(2 * HOUR), Some(HOUR)).await;
    let events = events_of(&*store, task.id()).await;
    let refused = store.extend(task.id(), &q(1), &extension(HOUR / 2)).await.expect_err("it ends later");
    let StoreError::WaitsLonger { until, question, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*until, question), (task.questions[0].deadline, &q(1)));
    assert!(refused.to_string().contains(&until.expect("an end").to_string()), "{refused}");
    assert_eq!(get(&*store, task.id()).await, task);
    assert_eq!(events_of(&*store, task.id()).await, events);
}

async fn a_question_without_an_end_has_no_later_one(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, None).await;
    let refused = store.extend(task.id(), &q(1), &extension(HOUR)).await;
    assert!(matches!(refused, Err(StoreError::WaitsLonger { until: None, .. })), "{refused:?}");
    assert_eq!(get(&*store, task.id()).await, task);
}

async fn only_an_open_question_is_extended(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(HOUR)).await;
    let id = task.id();
    let given = store.answer(id, &q(1), &accept("Thai")).await.expect("answers");
    let refused = async |question| store.extend(id, &question, &extension(2 * HOUR)).await.expect_err("no");
    match refused(q(1)).await {
        StoreError::AlreadyAnswered { answer, .. } => assert_eq!(*answer, given),
        other => panic!("{other}"),
    }
    for question in [q(3), "x".parse().expect("an id")] {
        assert!(matches!(refused(question).await, StoreError::NoQuestion { .. }));
    }
    store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
    assert!(matches!(refused(q(2)).await, StoreError::Ended { status: TaskStatus::Completed, .. }));
    let nobody = TaskId::generate();
    let missing = store.extend(&nobody, &q(1), &extension(HOUR)).await.expect_err("no such task");
    assert!(matches!(missing, StoreError::NoTask(id) if id == nobody));
}

/// Whoever found it due a moment before it was extended.
async fn whoever_counted_to_the_old_end_is_refused(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(HOUR)).await;
    let own = Answer::timed_out(Action::Cancel);
    let refused = store.answer(task.id(), &q(1), &own).await.expect_err("it has not ended");
    assert!(matches!(refused, StoreError::WaitsLonger { until: Some(_), .. }), "{refused}");
    assert!(get(&*store, task.id()).await.questions[0].is_open());
    let soon = asking(&*store, None, Some(Duration::from_millis(1))).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.answer(soon.id(), &q(2), &own).await.expect("its time is over");
    // Until somebody has settled it, it can be given more time.
    extend(&*store, soon.id(), HOUR).await;
    assert!(store.answer(soon.id(), &q(1), &own).await.is_err());
}

async fn an_extended_question_is_due_at_its_new_end(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(Duration::from_millis(1))).await;
    extend(&*store, task.id(), Duration::from_millis(1500)).await;
    let due = || async { store.due().await.expect("reads").questions };
    let first = within("the other question", async {
        loop {
            let found = due().await;
            if !found.is_empty() {
                return found;
            }
        }
    });
    assert_eq!(first.await, [(task.id().clone(), q(2))]);
    let both = async { while !due().await.contains(&(task.id().clone(), q(1))) {} };
    within("the new end", both).await;
    let ended = get(&*store, task.id()).await.questions[0].deadline.expect("an end");
    assert!(ended <= Timestamp::now() + Duration::from_secs(2));
}

async fn a_task_that_runs_again_finds_the_new_end(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(HOUR)).await;
    let extended = extend(&*store, task.id(), 2 * HOUR).await;
    store.answer(task.id(), &q(2), &accept("Thai")).await.expect("answers");
    store.requeue(&key(&task), &crash("killed")).await.expect("requeues");
    assert_eq!(get(&*store, task.id()).await.questions[0].deadline, Some(extended.deadline));
    store.answer(task.id(), &q(1), &accept("Thai")).await.expect("answers");
    let again = claim(&*store, "dinner").await;
    let asked = ask(&*store, &key(&again), 1, "one").await;
    assert_eq!(asked.deadline, Some(extended.deadline));
}

async fn the_log_says_who_gave_how_much(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, Some(HOUR), Some(HOUR)).await;
    let who = Who::named("Zoë \"Z\"", Known::Given).noting(Some("asleep".to_owned()));
    let given = Extension { who: who.if_any(), ..extension(2 * HOUR) };
    let extended = store.extend(task.id(), &q(1), &given).await.expect("extends");
    let events = events_of(&*store, task.id()).await;
    let last = events.last().expect("an event");
    let Extended { deadline, expires_at } = extended;
    let who = given.who.clone();
    assert_eq!(
        last.kind,
        EventKind::Extended { question: q(1), deadline, expires_at, by: Answerer::Operator, who }
    );
    assert!(expires_at.is_some());
    assert_eq!((last.kind.name(), last.status), ("extended", TaskStatus::InputRequired));
}

async fn what_may_not_be_stored_is_refused(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(HOUR)).await;
    let who = Who::named("x".repeat(300), Known::Given).if_any();
    let refused = store.extend(task.id(), &q(1), &Extension { who, ..extension(2 * HOUR) }).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!(get(&*store, task.id()).await, task);
}

async fn links_are_kept_with_their_task(bench: Bench) {
    let store = bench.store().await;
    let ttl = Duration::from_millis(if matches!(bench, Bench::Redis(_)) { 5000 } else { 3_600_000 });
    let task = asking(&*store, Some(ttl), Some(Duration::from_secs(1))).await;
    let digest = LinkDigest::new(&[7; 32]);
    let made_by = "ada".to_owned();
    let (id, made_at) = (task.id().clone(), Timestamp::UNIX_EPOCH);
    let link = Link { task: id, question: q(1), holder: None, made_by, made_at };
    store.links().keep_link(&digest, &link).await.expect("keeps it");
    extend(&*store, task.id(), HOUR).await;
    if let Bench::Redis(_) = &bench {
        for name in ["links:".to_owned() + task.id().as_str(), "link:".to_owned() + digest.as_str()] {
            let left: i64 =
                server(&bench).ask(&["PTTL", &format!("mcptask:{{test}}:2:{name}")]).expect("tells");
            assert!(left > 3_600_000, "{name}: {left}");
        }
    }
    assert_eq!(store.links().find_link(&digest).await.expect("looks"), Some(link));
}

/// A task with a question of which people are reminded after that time, and one that has no reminder.
async fn reminding(store: &dyn Store, after: Duration) -> Task {
    submit(store, &new_task("dinner")).await;
    let task = claim(store, "dinner").await;
    let asks = [form("one"), form("two").remind_after(Some(after)), form("three")];
    store.ask(&key(&task), 1, &asks, Some(24 * HOUR)).await.expect("asks");
    get(store, task.id()).await
}

/// The reminders that are due, once there are any.
async fn due_reminders(store: &dyn Store) -> Vec<(TaskId, mcptask::task::QuestionId)> {
    within("a reminder", async {
        loop {
            let due = store.due().await.expect("reads");
            assert_eq!(due.unreadable, []);
            if !due.reminders.is_empty() {
                return due.reminders;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

async fn a_reminder_is_due_and_told_once(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let task = reminding(&*here, Duration::from_millis(50)).await;
    assert_eq!(task.questions[1].ask.remind_after_ms, Some(50));
    assert_eq!(due_reminders(&*here).await, [(task.id().clone(), q(2))]);
    here.remind(task.id(), &q(2)).await.expect("reminds");
    there.remind(task.id(), &q(2)).await.expect("does nothing");
    let events = events_of(&*there, task.id()).await;
    let told: Vec<_> = events.iter().filter(|event| event.kind.name() == "reminded").collect();
    let question = task.questions[1].clone();
    assert_eq!(told.iter().map(|event| &event.kind).collect::<Vec<_>>(), [&EventKind::Reminded { question }]);
    assert_eq!(told[0].status, TaskStatus::InputRequired);
    let due = here.due().await.expect("reads");
    assert!(due.reminders.is_empty() && due.next.is_some_and(|next| next > HOUR), "{due:?}");
    assert_eq!(get(&*here, task.id()).await.questions, task.questions);
    // A run after a crash asks it again, and nobody is told again.
    here.requeue(&key(&task), &crash("killed")).await.expect("requeues");
    here.answer(task.id(), &q(1), &accept("Thai")).await.expect("answers");
    here.answer(task.id(), &q(3), &accept("Thai")).await.expect("answers");
    assert!(here.due().await.expect("reads").reminders.is_empty());
}

async fn a_question_that_is_answered_or_ended_has_no_reminder(bench: Bench) {
    let store = bench.store().await;
    let (soon, later) = (Duration::from_millis(1), 2 * HOUR);
    for after in [soon, later] {
        let answered = reminding(&*store, after).await;
        store.answer(answered.id(), &q(2), &accept("Thai")).await.expect("answers");
        store.answer(answered.id(), &q(1), &accept("Thai")).await.expect("answers");
        store.answer(answered.id(), &q(3), &accept("Thai")).await.expect("answers");
        let cancelled = reminding(&*store, after).await;
        store.cancel(cancelled.id(), "enough").await.expect("cancels");
        store.finish(&key(&answered), &Outcome::text("eaten")).await.expect("finishes");
        store.prune(answered.id()).await.expect("prunes");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let due = store.due().await.expect("reads");
        assert!(due.reminders.is_empty() && due.unreadable.is_empty(), "{due:?}");
        nothing_foreseen(due.next);
        store.remind(cancelled.id(), &q(2)).await.expect("does nothing");
        assert!(store.remind(answered.id(), &q(2)).await.is_err(), "it is gone");
        assert!(events_of(&*store, cancelled.id()).await.iter().all(|event| event.kind.name() != "reminded"));
    }
}

async fn a_reminder_is_left_alone_before_its_time(bench: Bench) {
    let store = bench.store().await;
    let task = reminding(&*store, HOUR).await;
    for question in [q(1), q(2), q(3)] {
        store.remind(task.id(), &question).await.expect("does nothing");
    }
    let next = store.due().await.expect("reads").next.expect("the reminder");
    assert!(next <= HOUR && next + Duration::from_secs(60) > HOUR, "{next:?}");
    extend(&*store, task.id(), 30 * HOUR).await;
    assert_eq!(events_of(&*store, task.id()).await.last().expect("one").kind.name(), "extended");
}

/// One that is too large for the log of a Redis is in its task only.
async fn a_large_question_is_told_whole(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &new_task("dinner")).await;
    let task = claim(&*store, "dinner").await;
    let ask = form(&"x".repeat(10_000)).remind_after(Some(Duration::from_millis(1)));
    let asked = store.ask(&key(&task), 1, &[ask], Some(HOUR)).await.expect("asks");
    due_reminders(&*store).await;
    store.remind(task.id(), &q(1)).await.expect("reminds");
    let events = events_of(&*store, task.id()).await;
    assert_eq!(events.last().expect("one").kind, EventKind::Reminded { question: asked[0].clone() });
}

async fn that_nobody_at_a_client_can_answer_is_told_of_an_open_question(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None, Some(HOUR)).await;
    let id = task.id();
    store.leave(id, &q(2), "it did not say that it can be asked").await.expect("leaves it");
    let (question, reason) = (task.questions[1].clone(), "it did not say that it can be asked".to_owned());
    let last = events_of(&*store, id).await.pop().expect("one");
    assert_eq!(last.kind, EventKind::Unanswerable { question, reason });
    assert_eq!((last.kind.name(), last.status), ("unanswerable", TaskStatus::InputRequired));
    assert_eq!(get(&*store, id).await.questions, task.questions);
    let events = events_of(&*store, id).await.len();
    store.answer(id, &q(2), &accept("Thai")).await.expect("answers");
    for question in [q(2), q(3)] {
        store.leave(id, &question, "why").await.expect("does nothing");
    }
    assert_eq!(events_of(&*store, id).await.len(), events + 1, "the answer alone");
    assert!(matches!(store.leave(&TaskId::generate(), &q(1), "why").await, Err(StoreError::NoTask(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_index_is_made_anew_with_its_reminders_and_new_ends() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let task = reminding(&*store, Duration::from_secs(1)).await;
    extend(&*store, task.id(), 30 * HOUR).await;
    let index = "mcptask:{test}:2:index";
    let before: Vec<String> = server(&bench).ask(&["ZRANGE", index, "0", "-1"]).expect("reads");
    let _: ::redis::Value = server(&bench).ask(&["DEL", index]).expect("is gone");
    assert_eq!(due_reminders(&*store).await, [(task.id().clone(), q(2))]);
    let after: Vec<String> = server(&bench).ask(&["ZRANGE", index, "0", "-1"]).expect("reads");
    assert_eq!(after, before);
}
