//! Links: known by their digest, bounded, and gone with their task.

use jiff::Timestamp;
use mcptask::store::links::{Link, LinkDigest, MAX_QUESTION_LINKS, MAX_TASK_LINKS};
use mcptask::store::{Store, StoreError};
use mcptask::task::{NewTask, Outcome, Task, TaskId, TaskStatus};

use crate::redis_keys::server;
use crate::support::bench::Bench;
use crate::support::{accept, ask, claim, key, new_task, q, submit, within};

contract! {
    a_link_is_found_by_its_digest_in_every_process,
    only_an_open_question_gets_a_link,
    a_withdrawn_link_is_none,
    with_one_link_too_many_the_questions_oldest_goes,
    with_one_link_too_many_the_tasks_oldest_goes,
    links_go_with_their_task,
    a_link_of_a_task_without_ttl_is_kept,
    what_may_not_be_stored_is_refused,
}

/// A digest that no token has.
fn digest(number: usize) -> LinkDigest {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    LinkDigest::new(&bytes)
}

fn link(task: &TaskId, position: u32) -> Link {
    Link {
        task: task.clone(),
        question: q(position),
        holder: Some("Zoë \"Z\"".to_owned()),
        made_by: "ada@desk".to_owned(),
        made_at: Timestamp::from_second(1_700_000_000).expect("a time"),
    }
}

/// A task with two open questions.
async fn asking(store: &dyn Store, ttl_ms: Option<u64>) -> Task {
    submit(store, &NewTask { ttl_ms, ..new_task("dinner") }).await;
    let task = claim(store, "dinner").await;
    ask(store, &key(&task), 1, "one").await;
    ask(store, &key(&task), 2, "two").await;
    task
}

async fn keep(store: &dyn Store, number: usize, link: &Link) {
    store.links().keep_link(&digest(number), link).await.expect("keeps it");
}

async fn found(store: &dyn Store, number: usize) -> Option<Link> {
    store.links().find_link(&digest(number)).await.expect("looks")
}

async fn a_link_is_found_by_its_digest_in_every_process(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    assert_eq!(found(&*here, 1).await, None, "before there is any");
    let task = asking(&*here, Some(3_600_000)).await;
    assert_eq!(here.links().withdraw_links(task.id(), None).await.expect("withdraws"), 0);
    let one = link(task.id(), 1);
    let other = Link { holder: None, ..link(task.id(), 2) };
    keep(&*here, 1, &one).await;
    keep(&*there, 2, &other).await;
    assert_eq!(found(&*there, 1).await, Some(one.clone()));
    assert_eq!(found(&*here, 2).await, Some(other));
    assert_eq!(found(&*here, 3).await, None);
    let elsewhere = bench.namespace("other").await;
    assert_eq!(found(&*elsewhere, 1).await, None, "of another namespace");
    // Who comes late is told who was first, so a link outlives its question.
    here.answer(task.id(), &q(1), &accept("Thai")).await.expect("answers");
    here.cancel(task.id(), "enough").await.expect("cancels");
    assert_eq!(found(&*there, 1).await, Some(one));
    assert_eq!(here.get(task.id()).await.expect("reads").expect("is there").questions.len(), 2);
}

async fn only_an_open_question_gets_a_link(bench: Bench) {
    let store = bench.store().await;
    let nobody = TaskId::generate();
    let refused = async |number, link: Link| {
        store.links().keep_link(&digest(number), &link).await.expect_err("is refused")
    };
    assert!(matches!(refused(1, link(&nobody, 1)).await, StoreError::NoTask(id) if id == nobody));
    let task = asking(&*store, Some(3_600_000)).await;
    assert!(
        matches!(refused(2, link(task.id(), 3)).await, StoreError::NoQuestion { question, .. } if question == q(3))
    );
    let first = store.answer(task.id(), &q(1), &accept("Thai")).await.expect("answers");
    let error = refused(3, link(task.id(), 1)).await;
    assert!(matches!(&error, StoreError::AlreadyAnswered { answer, .. } if **answer == first), "{error}");
    store.cancel(task.id(), "enough").await.expect("cancels");
    let error = refused(4, link(task.id(), 2)).await;
    assert!(matches!(error, StoreError::Ended { status: TaskStatus::Cancelled, .. }), "{error}");
    for number in 1..=4 {
        assert_eq!(found(&*store, number).await, None, "{number}");
    }
}

async fn a_withdrawn_link_is_none(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let task = asking(&*here, Some(3_600_000)).await;
    for (number, position) in [(1, 1), (2, 1), (3, 2)] {
        keep(&*here, number, &link(task.id(), position)).await;
    }
    assert_eq!(there.links().withdraw_links(task.id(), Some(&q(1))).await.expect("withdraws"), 2);
    assert_eq!((found(&*here, 1).await, found(&*here, 2).await), (None, None));
    assert!(found(&*here, 3).await.is_some());
    assert_eq!(here.links().withdraw_links(task.id(), Some(&q(1))).await.expect("withdraws"), 0);
    keep(&*here, 4, &link(task.id(), 1)).await;
    assert_eq!(here.links().withdraw_links(task.id(), None).await.expect("withdraws"), 2);
    assert_eq!(here.links().withdraw_links(&TaskId::generate(), None).await.expect("withdraws"), 0);
    assert_eq!((found(&*here, 3).await, found(&*here, 4).await), (None, None));
}

async fn with_one_link_too_many_the_questions_oldest_goes(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, Some(3_600_000)).await;
    keep(&*store, 1000, &link(task.id(), 2)).await;
    for number in 0..MAX_QUESTION_LINKS + 2 {
        keep(&*store, number, &link(task.id(), 1)).await;
    }
    assert_eq!((found(&*store, 0).await, found(&*store, 1).await), (None, None));
    for number in [2, MAX_QUESTION_LINKS + 1, 1000] {
        assert!(found(&*store, number).await.is_some(), "{number}");
    }
    let withdrawn = store.links().withdraw_links(task.id(), None).await.expect("withdraws");
    assert_eq!(withdrawn, MAX_QUESTION_LINKS as u64 + 1);
}

async fn with_one_link_too_many_the_tasks_oldest_goes(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &new_task("dinner")).await;
    let task = claim(&*store, "dinner").await;
    for position in 1..=11 {
        ask(&*store, &key(&task), position, &format!("question {position}")).await;
    }
    for number in 0..MAX_TASK_LINKS + 2 {
        let position = u32::try_from(number % 11).expect("is small") + 1;
        keep(&*store, number, &link(task.id(), position)).await;
    }
    assert_eq!((found(&*store, 0).await, found(&*store, 1).await), (None, None));
    for number in [2, 3, MAX_TASK_LINKS + 1] {
        assert!(found(&*store, number).await.is_some(), "{number}");
    }
    let withdrawn = store.links().withdraw_links(task.id(), None).await.expect("withdraws");
    assert_eq!(withdrawn, MAX_TASK_LINKS as u64);
}

async fn links_go_with_their_task(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let expires = asking(&*here, Some(1500)).await;
    let pruned = asking(&*here, Some(3_600_000)).await;
    keep(&*here, 1, &link(expires.id(), 1)).await;
    keep(&*here, 2, &link(pruned.id(), 1)).await;
    keep(&*here, 3, &link(pruned.id(), 2)).await;
    let gone = async {
        while there.get(expires.id()).await.expect("reads").is_some() {
            there.expire(expires.id()).await.expect("expires");
        }
    };
    within("the end of the ttl", gone).await;
    assert_eq!(found(&*here, 1).await, None);
    here.finish(&key(&pruned), &Outcome::text("eaten")).await.expect("finishes");
    assert!(there.prune(pruned.id()).await.expect("prunes"));
    assert_eq!((found(&*here, 2).await, found(&*here, 3).await), (None, None));
    if let Bench::Redis(_) = bench {
        let left: Vec<String> = server(&bench).ask(&["KEYS", "*:link*"]).expect("lists");
        assert_eq!(left, Vec::<String>::new());
    }
}

async fn a_link_of_a_task_without_ttl_is_kept(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, None).await;
    keep(&*store, 1, &link(task.id(), 1)).await;
    assert_eq!(found(&*store, 1).await, Some(link(task.id(), 1)));
}

async fn what_may_not_be_stored_is_refused(bench: Bench) {
    let store = bench.store().await;
    let task = asking(&*store, Some(3_600_000)).await;
    for holder in ["", "two\nlines", &"x".repeat(201)] {
        let link = Link { holder: Some(holder.to_owned()), ..link(task.id(), 1) };
        let error = store.links().keep_link(&digest(1), &link).await.expect_err("is refused");
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
    assert_eq!(found(&*store, 1).await, None);
}
