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
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, all[3].headers[name].parse().expect("a header"));
    }
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
    webhook.verify(all[3].text.as_bytes(), &headers).expect("is signed");
    let unset = stage.run(&watching);
    assert!(unset.code == 2 && unset.err.contains("HOOK"), "{unset:?}");
}
