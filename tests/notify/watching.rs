//! `watch --webhook`.

use crate::receiver::{Receiver, Reply};
use crate::shapes::is_notice;
use crate::stage::{Stage, form};

on_both_engines! {
    what_is_watched_is_posted_in_order_and_signed,
}

fn what_is_watched_is_posted_in_order_and_signed(stage: &Stage) {
    let receiver = Receiver::start(|got, before| match (got.data("event").as_str(), before) {
        ("claimed", 0) => Reply::Status(500),
        ("asked", _) => Reply::Status(403),
        _ => Reply::Status(200),
    });
    let tasks = stage.tasks();
    let task = tasks.asking("deploy", &form("Really?"), None);
    let secret = "whsec_c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=";
    let url = receiver.url();
    let watching =
        ["watch", "--no-follow", "--task", task.id().as_str(), "--webhook", &url, "--secret-env", "HOOK"];
    let ran = stage.run_among(&[("HOOK", secret)], &watching);
    assert_eq!(ran.code, 0, "{ran:?}");
    let all = receiver.all();
    for got in &all {
        is_notice(&got.body());
    }
    let words: Vec<String> = all.iter().map(|got| got.data("event")).collect();
    assert_eq!(words, ["submitted", "claimed", "claimed", "asked"]);
    assert!(
        ran.err.contains("asked of task") && ran.err.contains("403") && !ran.err.contains("s3cret"),
        "{ran:?}"
    );
    assert!(all[3].data("command").contains("--question q1"), "{}", all[3].text);
    all[3].is_signed_with(secret);
    let unset = stage.run(&watching);
    assert!(unset.code == 2 && unset.err.contains("HOOK"), "{unset:?}");
}

#[test]
fn what_a_receiver_that_hangs_does_not_take_before_the_end_is_told_of() {
    let stage = Stage::sqlite();
    let receiver = Receiver::start(|_, _| Reply::Hang);
    let task = stage.tasks().submit("deploy", None);
    let url = receiver.url();
    let ran = stage.run(&["watch", "--no-follow", "--task", task.as_str(), "--webhook", &url]);
    assert!(
        ran.code == 0 && ran.err.contains("the last events were not taken by http://127.0.0.1"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("s3cret"), "{ran:?}");
}
