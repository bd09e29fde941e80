//! Notifiers: one process holds each, whoever lost it writes nothing, and what is to be delivered stays until it is not.

use std::time::Duration;

use jiff::Timestamp;
use mcptask::store::Store;
use mcptask::store::notifiers::{
    Delivery, DeliveryState, Hold, NotifierCursors, NotifierInfo, NotifierLease, NotifierStatus, NotifierStep,
};
use mcptask::task::{Cursor, TaskId};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::within;

contract! {
    a_store_without_notifiers_has_nothing_of_them,
    one_process_holds_a_notifier_and_the_next_goes_on_at_its_place,
    whoever_lost_a_notifier_writes_nothing,
    deliveries_wait_in_their_order_or_are_set_aside,
    what_was_set_aside_waits_again_and_its_holder_sees_that,
    a_notifier_is_forgotten_when_nobody_holds_it,
    many_deliveries_are_written_at_once,
}

/// A lease of that holder that outlives the test.
fn lease(holder: &str) -> NotifierLease {
    NotifierLease {
        holder: holder.to_owned(),
        about: format!("host of {holder}"),
        time: Duration::from_secs(600),
    }
}

fn at(events: u64, unanswered: u64) -> NotifierCursors {
    let cursor = |sequence| Cursor { millis: 0, sequence };
    NotifierCursors { events: cursor(events), unanswered: cursor(unanswered) }
}

fn delivery(number: u64) -> Delivery {
    Delivery {
        id: format!("msg_{number}"),
        number,
        task: TaskId::generate(),
        queued_at: Timestamp::from_second(1_700_000_000).expect("a time"),
        tries: 0,
        next_try: None,
        problem: None,
        notice: json!({ "empty": [], "text": "Zoë \u{1b}", "none": null }),
    }
}

async fn hold(store: &dyn Store, holder: &str, begin: NotifierCursors) -> Hold {
    store.notifiers().hold("hook", &lease(holder), begin).await.expect("answers")
}

async fn infos(store: &dyn Store) -> Vec<NotifierInfo> {
    let rows = store.notifiers().notifiers().await.expect("reads");
    assert_eq!(rows.unreadable, []);
    rows.rows
}

async fn deliveries(store: &dyn Store, state: DeliveryState) -> Vec<Delivery> {
    let rows = store.notifiers().deliveries("hook", state, 5000).await.expect("reads");
    assert_eq!(rows.unreadable, []);
    rows.rows
}

async fn settle(store: &dyn Store, holder: &str, step: &NotifierStep) -> bool {
    store.notifiers().settle("hook", holder, step).await.expect("answers")
}

async fn a_store_without_notifiers_has_nothing_of_them(bench: Bench) {
    let store = bench.store().await;
    assert_eq!(infos(&*store).await, []);
    assert_eq!(deliveries(&*store, DeliveryState::Waiting).await, []);
    assert!(!settle(&*store, "one", &NotifierStep::default()).await, "nobody holds it");
    assert_eq!(store.notifiers().wait_again("hook", &[delivery(1)]).await.expect("answers"), 0);
    assert!(!store.notifiers().forget("hook").await.expect("answers"));
    store.notifiers().release("hook", "one").await.expect("answers");
    assert_eq!(infos(&*store).await, []);
}

async fn one_process_holds_a_notifier_and_the_next_goes_on_at_its_place(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let first = Hold::Here { cursors: at(5, 5), revision: 0, is_new: true };
    assert_eq!(hold(&*here, "one", at(5, 5)).await, first);
    let again = Hold::Here { cursors: at(5, 5), revision: 0, is_new: false };
    assert_eq!(hold(&*here, "one", at(9, 9)).await, again, "renewing begins nothing anew");
    assert_eq!(hold(&*there, "two", at(9, 9)).await, Hold::Elsewhere { by: "host of one".into() });
    let status = NotifierStatus { problem: Some("it answered 500".into()), ..NotifierStatus::default() };
    let step = NotifierStep { cursors: at(7, 6), status: status.clone(), ..NotifierStep::default() };
    assert!(settle(&*here, "one", &step).await);
    let [info] = &infos(&*there).await[..] else { panic!("one notifier") };
    assert_eq!((info.cursors, &info.status, info.about.as_str()), (at(7, 6), &status, "host of one"));
    assert!(info.is_run());
    // One that is killed says nothing any more, and its lease ends.
    let short = NotifierLease { time: Duration::from_millis(50), ..lease("one") };
    here.notifiers().hold("hook", &short, at(0, 0)).await.expect("renews");
    let taken = async {
        loop {
            let held = hold(&*there, "two", at(9, 9)).await;
            if matches!(held, Hold::Here { .. }) {
                return held;
            }
        }
    };
    let on = Hold::Here { cursors: at(7, 6), revision: 0, is_new: false };
    assert_eq!(within("the end of the lease", taken).await, on);
    // One that ends in good order waits for nobody.
    there.notifiers().release("hook", "two").await.expect("releases");
    assert!(!infos(&*there).await[0].is_run());
    assert_eq!(hold(&*here, "three", at(0, 0)).await, on);
}

async fn whoever_lost_a_notifier_writes_nothing(bench: Bench) {
    let store = bench.store().await;
    hold(&*store, "one", at(1, 1)).await;
    store.notifiers().release("hook", "one").await.expect("releases");
    hold(&*store, "two", at(1, 1)).await;
    let step = NotifierStep { cursors: at(9, 9), waiting: vec![delivery(1)], ..NotifierStep::default() };
    assert!(!settle(&*store, "one", &step).await);
    store.notifiers().release("hook", "one").await.expect("is another one's");
    assert_eq!(infos(&*store).await[0].cursors, at(1, 1));
    assert!(infos(&*store).await[0].is_run());
    assert_eq!(deliveries(&*store, DeliveryState::Waiting).await, []);
}

async fn deliveries_wait_in_their_order_or_are_set_aside(bench: Bench) {
    let store = bench.store().await;
    hold(&*store, "one", at(1, 1)).await;
    let all = [delivery(3), delivery(20), delivery(1)];
    let step = NotifierStep { waiting: all.to_vec(), ..NotifierStep::default() };
    assert!(settle(&*store, "one", &step).await);
    let waiting = deliveries(&*store, DeliveryState::Waiting).await;
    assert_eq!(waiting, [all[2].clone(), all[0].clone(), all[1].clone()], "as it was, in order");
    let refused = Delivery { tries: 1, problem: Some("410".into()), ..all[0].clone() };
    let later = Delivery { tries: 2, next_try: Some(Timestamp::now()), ..all[1].clone() };
    let step = NotifierStep {
        waiting: vec![later.clone()],
        set_aside: vec![refused.clone()],
        gone: vec![all[2].id.clone(), "msg_other".into()],
        ..NotifierStep::default()
    };
    assert!(settle(&*store, "one", &step).await);
    assert_eq!(deliveries(&*store, DeliveryState::Waiting).await, [later]);
    assert_eq!(deliveries(&*store, DeliveryState::SetAside).await, [refused]);
    assert_eq!((infos(&*store).await[0].waiting, infos(&*store).await[0].set_aside), (1, 1));
}

async fn what_was_set_aside_waits_again_and_its_holder_sees_that(bench: Bench) {
    let (holder, operator) = (bench.store().await, bench.store().await);
    hold(&*holder, "one", at(1, 1)).await;
    let step = NotifierStep { set_aside: vec![delivery(1), delivery(2)], ..NotifierStep::default() };
    assert!(settle(&*holder, "one", &step).await);
    let [first, _] = &deliveries(&*operator, DeliveryState::SetAside).await[..] else { panic!("two") };
    let again =
        operator.notifiers().wait_again("hook", &[first.clone(), delivery(7)]).await.expect("answers");
    assert_eq!(again, 1, "nothing is kept of the other one");
    assert_eq!(deliveries(&*holder, DeliveryState::Waiting).await, std::slice::from_ref(first));
    assert_eq!(deliveries(&*holder, DeliveryState::SetAside).await.len(), 1);
    let Hold::Here { revision, .. } = hold(&*holder, "one", at(0, 0)).await else { panic!("still holds it") };
    assert_eq!(revision, 1);
    operator.notifiers().wait_again("hook", std::slice::from_ref(first)).await.expect("answers");
    let Hold::Here { revision, .. } = hold(&*holder, "one", at(0, 0)).await else { panic!("still holds it") };
    assert_eq!(revision, 2, "one that waits can be changed too");
}

async fn a_notifier_is_forgotten_when_nobody_holds_it(bench: Bench) {
    let store = bench.store().await;
    hold(&*store, "one", at(3, 3)).await;
    let step =
        NotifierStep { waiting: vec![delivery(1)], set_aside: vec![delivery(2)], ..NotifierStep::default() };
    assert!(settle(&*store, "one", &step).await);
    assert!(!store.notifiers().forget("hook").await.expect("answers"), "somebody holds it");
    store.notifiers().release("hook", "one").await.expect("releases");
    assert!(store.notifiers().forget("hook").await.expect("answers"));
    assert_eq!(infos(&*store).await, []);
    assert_eq!(deliveries(&*store, DeliveryState::SetAside).await, []);
    let anew = Hold::Here { cursors: at(8, 8), revision: 0, is_new: true };
    assert_eq!(hold(&*store, "one", at(8, 8)).await, anew);
    assert_eq!(deliveries(&*store, DeliveryState::Waiting).await, []);
}

async fn many_deliveries_are_written_at_once(bench: Bench) {
    let store = bench.store().await;
    hold(&*store, "one", at(1, 1)).await;
    let all: Vec<Delivery> = (0..1200).map(delivery).collect();
    let step = NotifierStep { waiting: all.clone(), ..NotifierStep::default() };
    assert!(settle(&*store, "one", &step).await);
    assert_eq!(deliveries(&*store, DeliveryState::Waiting).await.len(), 1200);
    let gone = all.iter().skip(600).map(|one| one.id.clone()).collect();
    let step = NotifierStep { set_aside: all[..600].to_vec(), gone, ..NotifierStep::default() };
    assert!(settle(&*store, "one", &step).await);
    assert_eq!((infos(&*store).await[0].waiting, infos(&*store).await[0].set_aside), (0, 600));
    assert_eq!(store.notifiers().wait_again("hook", &all).await.expect("answers"), 600);
}
