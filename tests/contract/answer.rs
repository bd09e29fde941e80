//! answer.

use mcptask::store::StoreError;
use mcptask::task::{Action, Answer, Answerer, Outcome, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{
    BOUND, accept, ask, claim, crash, decline, drain, events_of, form, get, key, nothing_queued, q, running,
    within, words_of,
};

contract! {
    the_answer_is_stored_and_the_task_works_again,
    the_task_waits_for_its_last_answer,
    the_answer_is_logged_without_its_content,
    second_answer_changes_nothing,
    fifty_answerers_have_one_winner,
    an_answer_needs_its_task_and_question,
    an_answer_after_the_end_is_refused,
    an_answer_given_before_the_end_stands_after_it,
    the_last_answer_queues_a_parked_task,
    an_answer_does_not_queue_a_task_that_is_held,
    an_answer_reaches_no_other_question,
    an_answer_is_never_behind_its_event,
    the_asker_reads_its_answers_once_all_are_there,
    who_lost_the_claim_reads_no_answers,
}

async fn the_answer_is_stored_and_the_task_works_again(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claimed = running(&*here).await;
    let asked = ask(&*here, &key(&claimed), 1, "Which cuisine?").await;
    let given = Answer { at: "2001-01-01T00:00:00Z".parse().expect("a time"), ..accept("thai") };
    let stored = there.answer(claimed.id(), &q(1), &given).await.expect("answers");
    assert!(stored.at >= asked.asked_at, "the store sets the time");
    assert_eq!(Answer { at: given.at, ..stored.clone() }, given);
    let task = get(&*here, claimed.id()).await;
    assert_eq!(task.status, TaskStatus::Working);
    assert_eq!(task.questions[0].answer, Some(stored));
    assert_eq!((task.worker, task.attempt), (claimed.worker, claimed.attempt));
}

async fn the_task_waits_for_its_last_answer(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one"), form("two")], None).await.expect("asks");
    store.answer(&claim.task, &q(2), &decline()).await.expect("answers");
    assert_eq!(get(&*store, &claim.task).await.status, TaskStatus::InputRequired);
    store.answer(&claim.task, &q(1), &decline()).await.expect("answers");
    assert_eq!(get(&*store, &claim.task).await.status, TaskStatus::Working);
}

async fn the_answer_is_logged_without_its_content(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one"), form("two")], None).await.expect("asks");
    store.answer(&claim.task, &q(1), &accept("a private cuisine")).await.expect("answers");
    let by_rule = Answer::cancel(Answerer::Policy, "the client cannot be asked");
    store.answer(&claim.task, &q(2), &by_rule).await.expect("answers");
    let events = events_of(&*store, &claim.task).await;
    let logged: Vec<_> = events[4..].iter().map(|event| serde_json::to_value(event).expect("json")).collect();
    assert_eq!((&logged[0]["event"], &logged[0]["question"]), (&"answered".into(), &"q1".into()));
    assert_eq!((&logged[0]["action"], &logged[0]["by"]), (&"accept".into(), &"operator".into()));
    assert_eq!(logged[0]["status"], "input_required");
    assert!(!logged[0].to_string().contains("private"));
    assert_eq!(logged[1]["reason"], "the client cannot be asked");
    assert_eq!(logged[1]["status"], "working");
}

async fn second_answer_changes_nothing(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claim = key(&running(&*here).await);
    ask(&*here, &claim, 1, "one").await;
    let first = here.answer(&claim.task, &q(1), &accept("thai")).await.expect("answers");
    let before = get(&*here, &claim.task).await;
    let refused = there.answer(&claim.task, &q(1), &decline()).await.expect_err("it is answered");
    let StoreError::AlreadyAnswered { task, question, answer } = refused else { panic!("{refused}") };
    assert_eq!((task, question, *answer), (claim.task.clone(), q(1), first));
    assert_eq!(get(&*here, &claim.task).await, before);
    assert_eq!(words_of(&*here, &claim.task).await, ["submitted", "claimed", "asked", "answered"]);
}

async fn fifty_answerers_have_one_winner(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    let handles = [bench.store().await, bench.store().await, bench.store().await, store.clone()];
    let mut answerers = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (store, task) = (handles[number % handles.len()].clone(), claim.task.clone());
        answerers
            .spawn(async move { store.answer(&task, &q(1), &accept(&format!("cuisine {number}"))).await });
    }
    let (mut won, mut told) = (Vec::new(), Vec::new());
    for result in within("the answerers", answerers.join_all()).await {
        match result {
            Ok(answer) => won.push(answer),
            Err(StoreError::AlreadyAnswered { answer, .. }) => told.push(*answer),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((won.len(), told.len()), (1, 49));
    assert!(told.iter().all(|answer| answer == &won[0]), "everybody is told of the same answer");
    assert_eq!(get(&*store, &claim.task).await.questions[0].answer, Some(won.remove(0)));
    assert_eq!(words_of(&*store, &claim.task).await, ["submitted", "claimed", "asked", "answered"]);
}

async fn an_answer_needs_its_task_and_question(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    let nobody = TaskId::generate();
    let refused = store.answer(&nobody, &q(1), &decline()).await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == nobody));
    for question in [q(2), "q01".parse().expect("an id"), "other".parse().expect("an id")] {
        let refused = store.answer(&claim.task, &question, &decline()).await.expect_err("no such question");
        assert!(
            matches!(&refused, StoreError::NoQuestion { task, question: asked } if task == &claim.task && asked == &question),
            "{refused}"
        );
    }
    assert_eq!(get(&*store, &claim.task).await.status, TaskStatus::InputRequired);
}

async fn an_answer_after_the_end_is_refused(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    store.cancel(&claim.task, "not hungry").await.expect("cancels");
    let before = get(&*store, &claim.task).await;
    let refused = store.answer(&claim.task, &q(1), &decline()).await.expect_err("the task has ended");
    assert!(matches!(&refused, StoreError::Ended { status: TaskStatus::Cancelled, .. }), "{refused}");
    assert_eq!(get(&*store, &claim.task).await, before);
}

async fn an_answer_given_before_the_end_stands_after_it(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    let given = store.answer(&claim.task, &q(1), &accept("thai")).await.expect("answers");
    store.finish(&claim, &Outcome::text("eaten")).await.expect("finishes");
    let refused = store.answer(&claim.task, &q(1), &decline()).await.expect_err("it is answered");
    assert!(matches!(&refused, StoreError::AlreadyAnswered { answer, .. } if **answer == given), "{refused}");
}

async fn the_last_answer_queues_a_parked_task(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let first = key(&running(&*here).await);
    here.ask(&first, 1, &[form("one"), form("two")], None).await.expect("asks");
    here.requeue(&first, &crash("killed")).await.expect("requeues");
    there.answer(&first.task, &q(1), &decline()).await.expect("answers");
    nothing_queued(&*here, "dinner").await;
    let mut waits = Box::pin(claim(&*here, "dinner"));
    crate::support::still_waits("the claim", &mut waits).await;
    there.answer(&first.task, &q(2), &decline()).await.expect("answers");
    let again = waits.await;
    assert_eq!((again.id(), again.attempt, again.status), (&first.task, 2, TaskStatus::Working));
    nothing_queued(&*here, "dinner").await;
}

async fn an_answer_does_not_queue_a_task_that_is_held(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    store.answer(&claim.task, &q(1), &decline()).await.expect("answers");
    nothing_queued(&*store, "dinner").await;
    store.requeue(&claim, &drain()).await.expect("still holds the claim");
}

async fn an_answer_reaches_no_other_question(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    for position in 1..=20 {
        ask(&*store, &claim, position, &format!("number {position}")).await;
        if position > 1 {
            let late = store.answer(&claim.task, &q(position - 1), &decline()).await;
            assert!(matches!(late, Err(StoreError::AlreadyAnswered { .. })));
        }
        let answer = accept(&format!("cuisine {position}"));
        let given = store.answer(&claim.task, &q(position), &answer).await.expect("answers");
        assert_eq!((given.action, &given.content), (Action::Accept, &answer.content));
    }
    for (question, position) in get(&*store, &claim.task).await.questions.iter().zip(1..) {
        let content = question.answer.as_ref().and_then(|answer| answer.content.as_ref()).expect("content");
        assert_eq!(content["cuisine"], format!("cuisine {position}"));
    }
}

async fn an_answer_is_never_behind_its_event(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claim = key(&running(&*here).await);
    ask(&*here, &claim, 1, "one").await;
    let mut tail = here.tail(here.last().await.expect("reads"));
    there.answer(&claim.task, &q(1), &accept("thai")).await.expect("answers");
    let events = tokio::time::timeout(BOUND, tail.next()).await.expect("is woken").expect("reads").events;
    assert_eq!(events[0].kind.name(), "answered");
    let question = &get(&*here, &claim.task).await.questions[0];
    assert!(question.answer.is_some(), "an event is never ahead of its change");
}

async fn the_asker_reads_its_answers_once_all_are_there(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one"), form("two"), form("three")], None).await.expect("asks");
    store.answer(&claim.task, &q(3), &accept("thai")).await.expect("answers");
    assert_eq!(store.answers(&claim, 2, 2).await.expect("reads"), None);
    let second = store.answer(&claim.task, &q(2), &decline()).await.expect("answers");
    let both = store.answers(&claim, 2, 2).await.expect("reads").expect("both are there");
    assert_eq!((&both[0], both[1].content.as_ref()), (&second, accept("thai").content.as_ref()));
    assert_eq!(store.answers(&claim, 1, 3).await.expect("reads"), None);
    assert_eq!(store.answers(&claim, 4, 0).await.expect("reads"), Some(Vec::new()));
}

async fn who_lost_the_claim_reads_no_answers(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one")], None).await.expect("asks");
    store.cancel(&claim.task, "no more").await.expect("cancels");
    let refused = store.answers(&claim, 1, 1).await.expect_err("the claim is over");
    assert!(matches!(refused, StoreError::ClaimLost { .. }), "{refused:?}");
}
