//! Every example is right, and does what it says.

use std::path::{Path, PathBuf};

use mcptask::config;
use serde_json::json;

use crate::setup::{Running, result, run, text};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

async fn running(name: &str) -> Running {
    run(&std::fs::read_to_string(example(name)).expect("the example is there")).await
}

#[test]
fn every_example_file_is_right() {
    let files = std::fs::read_dir(example("")).expect("the folder is there").flatten();
    let files: Vec<_> =
        files.map(|file| file.path()).filter(|path| path.extension() == Some("toml".as_ref())).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let loaded = config::load(&file).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        assert!(!loaded.tools().is_empty(), "{} offers nothing", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_every_field_kind_is_asked_and_returned() {
    let running = running("form.toml").await;
    let task = running.submit("book_a_seat", json!({})).await;
    let booking = json!({ "name": "Ada", "day": "2026-12-24", "seats": 1, "window": false, "class": "first",
        "email": "ada@home.example", "meal": "veg", "extras": ["quiet"] });
    running.accept(&task, 1, booking.clone()).await;
    let ended = running.ended(&task).await;
    assert_eq!(text(&ended), "Booked for Ada on 2026-12-24.");
    assert_eq!(result(&ended)["structuredContent"], booking);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_takes_two_different_people() {
    let running = running("sign_off.toml").await;
    let task = running.submit("release", json!({ "version": "1.4.0" })).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    running.accept(&task, 2, json!({ "name": "Ada" })).await;
    running.accept(&task, 3, json!({ "name": "Grace" })).await;
    let ended = running.ended(&task).await;
    assert_eq!(result(&ended)["structuredContent"]["signed"], json!(["Ada", "Grace"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_given_on_a_page() {
    let running = running("consent.toml").await;
    let task = running.submit("pay", json!({ "amount": 12.5 })).await;
    let asked = running.asked(&task, 1).await;
    let url = asked.questions[0].ask.to_params()["url"].clone();
    assert_eq!(url, format!("https://pay.example/checkout?task={task}"));
    running.accept(&task, 1, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "Thank you for 12.5.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_tour_asks_twice() {
    let running = running("faults.toml").await;
    let task = running.submit("fault_same_question_twice", json!({})).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    running.accept(&task, 2, json!({ "name": "Ada" })).await;
    assert_eq!(text(&running.ended(&task).await), "accept");
}
