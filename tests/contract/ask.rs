//! ask.

use std::time::Duration;

use mcptask::store::{ClaimKey, MAX_OPEN_QUESTIONS, StoreError};
use mcptask::task::{Ask, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{
    accept, ask, claim, crash, decline, events_of, form, get, key, nothing_queued, q, running, words_of,
};

contract! {
    an_open_question_makes_the_task_input_required,
    the_event_carries_the_whole_question,
    several_questions_are_asked_at_once,
    a_timeout_becomes_a_deadline,
    an_endless_timeout_is_no_deadline,
    asking_nothing_changes_nothing,
    asking_again_returns_the_journal,
    a_rerun_goes_on_after_its_journal,
    asking_something_else_is_refused_and_changes_nothing,
    the_order_of_keys_makes_no_other_question,
    a_gap_is_refused_and_changes_nothing,
    open_questions_have_a_limit,
    answered_questions_do_not_count_for_the_limit,
    asking_for_a_missing_task_says_so,
}

async fn an_open_question_makes_the_task_input_required(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    let question = ask(&*store, &key(&claimed), 1, "Which cuisine?").await;
    assert_eq!((&question.id, &question.ask), (&q(1), &form("Which cuisine?")));
    assert_eq!((question.deadline, question.answer.as_ref()), (None, None));
    let task = get(&*store, claimed.id()).await;
    assert_eq!(task.status, TaskStatus::InputRequired);
    assert_eq!((task.worker, task.attempt), (claimed.worker, 1));
    assert_eq!(task.questions, [question]);
    assert_eq!(task.status_message, None);
}

async fn the_event_carries_the_whole_question(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    let asked = store
        .ask(
            &key(&claimed),
            1,
            &[Ask::url("Pay here", "https://example.com/pay")],
            Some(Duration::from_secs(60)),
        )
        .await
        .expect("asks");
    let event = events_of(&*store, claimed.id()).await.pop().expect("an event");
    assert_eq!(event.status, TaskStatus::InputRequired);
    let mcptask::task::EventKind::Asked { question } = event.kind else { panic!("not asked: {event:?}") };
    assert_eq!([question], *asked);
}

async fn several_questions_are_asked_at_once(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let asked = store.ask(&claim, 1, &[form("one"), form("two"), form("three")], None).await.expect("asks");
    let ids: Vec<_> = asked.iter().map(|question| question.id.clone()).collect();
    assert_eq!(ids, [q(1), q(2), q(3)]);
    assert_eq!(get(&*store, &claim.task).await.questions, asked);
    assert_eq!(words_of(&*store, &claim.task).await, ["submitted", "claimed", "asked", "asked", "asked"]);
}

async fn a_timeout_becomes_a_deadline(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let timeout = Duration::from_millis(90_500);
    let asked = store.ask(&claim, 1, &[form("one")], Some(timeout)).await.expect("asks");
    let deadline = asked[0].deadline.expect("a deadline");
    let waits = deadline.as_millisecond() - asked[0].asked_at.as_millisecond();
    assert_eq!(waits, 90_500);
}

async fn an_endless_timeout_is_no_deadline(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let asked = store.ask(&claim, 1, &[form("one")], Some(Duration::MAX)).await.expect("asks");
    assert_eq!(asked[0].deadline, None);
    assert_eq!(get(&*store, &claim.task).await.questions, asked);
}

async fn asking_nothing_changes_nothing(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    assert!(store.ask(&key(&claimed), 1, &[], None).await.expect("asks").is_empty());
    assert_eq!(get(&*store, claimed.id()).await, claimed);
    assert_eq!(words_of(&*store, claimed.id()).await, ["submitted", "claimed"]);
}

async fn asking_again_returns_the_journal(bench: Bench) {
    let store = bench.store().await;
    let first = key(&running(&*store).await);
    let asked = ask(&*store, &first, 1, "Which cuisine?").await;
    assert_eq!(ask(&*store, &first, 1, "Which cuisine?").await, asked, "asking twice in one run is once");
    let answer = store.answer(&first.task, &q(1), &accept("thai")).await.expect("answers");
    store.requeue(&first, &crash("killed")).await.expect("requeues");

    let again = claim(&*store, "dinner").await;
    let question = ask(&*store, &key(&again), 1, "Which cuisine?").await;
    assert_eq!(question.answer, Some(answer));
    assert_eq!(question.asked_at, asked.asked_at);
    assert_eq!(get(&*store, again.id()).await, again, "the journal was only read");
    let words = words_of(&*store, again.id()).await;
    assert_eq!(words, ["submitted", "claimed", "asked", "answered", "requeued", "claimed"]);
}

async fn a_rerun_goes_on_after_its_journal(bench: Bench) {
    let store = bench.store().await;
    let first = key(&running(&*store).await);
    ask(&*store, &first, 1, "one").await;
    store.answer(&first.task, &q(1), &accept("thai")).await.expect("answers");
    store.requeue(&first, &crash("killed")).await.expect("requeues");
    let again = key(&claim(&*store, "dinner").await);
    let asked = store.ask(&again, 1, &[form("one"), form("two")], None).await.expect("asks");
    assert!(asked[0].answer.is_some() && asked[1].answer.is_none());
    let task = get(&*store, &again.task).await;
    assert_eq!((task.status, task.questions), (TaskStatus::InputRequired, asked));
}

async fn asking_something_else_is_refused_and_changes_nothing(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    ask(&*store, &claim, 2, "two").await;
    store.answer(&claim.task, &q(1), &decline()).await.expect("answers");
    let (before, last) = (get(&*store, &claim.task).await, store.last().await.expect("reads"));
    for (first, asks, at) in [
        (1, vec![form("another")], q(1)),
        (1, vec![form("one"), form("another"), form("new")], q(2)),
        (2, vec![Ask::url("two", "https://example.com/")], q(2)),
    ] {
        let refused = store.ask(&claim, first, &asks, None).await.expect_err("the journal differs");
        assert!(
            matches!(&refused, StoreError::JournalDiffers { task, question } if task == &claim.task && question == &at),
            "{refused}"
        );
    }
    assert_eq!(get(&*store, &claim.task).await, before);
    assert_eq!(store.last().await.expect("reads"), last);
}

async fn the_order_of_keys_makes_no_other_question(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let schema = |text: &str| serde_json::from_str(text).expect("JSON");
    let one =
        schema(r#"{"type":"object","properties":{"a":{"type":"string","title":"A"},"b":{"type":"number"}}}"#);
    let other =
        schema(r#"{"properties":{"b":{"type":"number"},"a":{"title":"A","type":"string"}},"type":"object"}"#);
    let first = store.ask(&claim, 1, &[Ask::form("one", one)], None).await.expect("asks");
    let again = store.ask(&claim, 1, &[Ask::form("one", other)], None).await.expect("is the same question");
    assert_eq!(again, first);
}

async fn a_gap_is_refused_and_changes_nothing(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    let before = get(&*store, &claim.task).await;
    let refused = store.ask(&claim, 3, &[form("three")], None).await.expect_err("two was never asked");
    assert!(matches!(refused, StoreError::Backend { .. }), "{refused}");
    assert_eq!(get(&*store, &claim.task).await, before);
    store.ask(&claim, 1, &[form("one"), form("two"), form("three")], None).await.expect("no gap");
}

async fn open_questions_have_a_limit(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let asks: Vec<Ask> = (0..MAX_OPEN_QUESTIONS).map(|number| form(&format!("number {number}"))).collect();
    store.ask(&claim, 1, &asks, None).await.expect("the limit is allowed");
    let before = get(&*store, &claim.task).await;
    let refused = store
        .ask(&claim, MAX_OPEN_QUESTIONS as u32 + 1, &[form("one more")], None)
        .await
        .expect_err("too many");
    assert!(
        matches!(&refused, StoreError::TooManyQuestions { task, limit: MAX_OPEN_QUESTIONS } if task == &claim.task),
        "{refused}"
    );
    assert_eq!(get(&*store, &claim.task).await, before);
    assert_eq!(
        store.ask(&claim, 1, &asks, None).await.expect("asking again is no new question"),
        before.questions
    );
}

async fn answered_questions_do_not_count_for_the_limit(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let asks: Vec<Ask> = (0..MAX_OPEN_QUESTIONS).map(|number| form(&format!("number {number}"))).collect();
    store.ask(&claim, 1, &asks, None).await.expect("the limit is allowed");
    store.answer(&claim.task, &q(7), &decline()).await.expect("answers");
    ask(&*store, &claim, MAX_OPEN_QUESTIONS as u32 + 1, "one more").await;
    nothing_queued(&*store, "dinner").await;
}

async fn asking_for_a_missing_task_says_so(bench: Bench) {
    let store = bench.store().await;
    let claim = ClaimKey { task: TaskId::generate(), attempt: 1 };
    let refused = store.ask(&claim, 1, &[form("one")], None).await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == claim.task));
}
