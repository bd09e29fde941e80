//! The TypeScript SDKs: 1.32 with its experimental tasks, and the client 2.4 with ext-tasks, in both eras.

use serde_json::{Value, json};

use crate::clients::{over_http, over_stdio};

/// Both SDKs forget who waits for a call's progress as soon as they read its result, before they have looked at the
/// progress that came in the same piece of a pipe: the last steps may be missing there.
fn check_steps(steps: &[Value]) {
    assert!(["step 1", "step 2", "step 3"].map(Value::from).starts_with(steps), "{steps:?}");
}

/// What every client sees of a task, whichever way it goes about it.
fn check_tasks(seen: &Value) {
    let text =
        |scenario: &str| seen[scenario]["text"].as_str().unwrap_or_else(|| panic!("{scenario}: {seen:#}"));
    assert_eq!(text("accept"), "accept \"n1\"");
    assert_eq!((text("decline"), text("cancel")), ("decline ", "cancel "));
    assert_eq!(text("row"), json!(["n1", "n2", "n3", "n4", "n5"]).to_string());
    assert_eq!(seen["row"]["asked"], json!(["Name 1?", "Name 2?", "Name 3?", "Name 4?", "Name 5?"]));
    assert_eq!(text("both"), json!([{ "name": "n1" }, { "name": "n2" }]).to_string());
    assert_eq!(text("unasked"), "cancel the client did not declare the elicitation capability");
    assert!(text("unpaged").starts_with("cancel the client did not declare"), "{seen:#}");
    assert_eq!((text("page"), &seen["page"]["asked"]), ("accept ", &json!(["Please sign."])));
    check_steps(seen["steps"].as_array().expect("a list"));
    assert_eq!((&seen["foreground"], &seen["greets"]), (&json!("accept \"n1\""), &json!("Hello, Ada!")));
    assert_eq!(seen["cancelled"], "cancelled", "{seen:#}");
}

fn check_1(seen: &Value) {
    check_tasks(seen);
    assert_eq!(seen["support"], json!({ "greet": "forbidden", "ask_name": "optional", "fail": "required" }));
    // This client gives its own words to a task that failed.
    assert_eq!(seen["fails"]["statuses"], json!(["working", "failed"]), "{seen:#}");
    assert_eq!(seen["listed"], true, "{seen:#}");
    assert_eq!(seen["again"], json!(["accept \"n1\"", true]), "the result can be had again, with its task");
}

fn check_2(seen: &Value) {
    for era in ["legacy", "modern"] {
        let seen = &seen[era];
        check_tasks(seen);
        assert_eq!((&seen["era"], &seen["called_page"]), (&json!(era), &json!("accept ")), "{seen:#}");
        assert_eq!(seen["accept"]["kind"], "task", "{seen:#}");
        assert_eq!(seen["accept"]["statuses"][0], "working", "{seen:#}");
        assert_eq!(
            (&seen["breaks"]["status"], &seen["breaks"]["error"]),
            (&json!("failed"), &json!("It broke."))
        );
    }
    let (legacy, modern) = (&seen["legacy"]["fails"], &seen["modern"]["fails"]);
    assert_eq!((&legacy["status"], &legacy["error"]), (&json!("failed"), &json!("It did not work.")));
    assert_eq!((&modern["status"], &modern["is_error"]), (&json!("completed"), &json!(true)), "{modern:#}");
    assert_eq!(modern["text"], "It did not work.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_1_32_is_asked_over_http() {
    let seen = over_http("typescript", "typescript1.mjs").await;
    check_1(&seen);
    assert_eq!(seen["steps"].as_array().map(Vec::len), Some(3), "{seen:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_1_32_is_asked_over_stdio() {
    check_1(&over_stdio("typescript", "typescript1.mjs").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_2_4_with_ext_tasks_is_asked_over_http() {
    check_2(&over_http("typescript", "typescript2.mjs").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_2_4_with_ext_tasks_is_asked_over_stdio() {
    check_2(&over_stdio("typescript", "typescript2.mjs").await);
}
