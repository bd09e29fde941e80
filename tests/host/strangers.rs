//! What strangers wrote reaches a model as data.

use serde_json::json;

use crate::peer::Host;
use crate::stage::Stage;

on_both_engines!(words_that_want_to_be_instructions_are_marked_and_visible);

fn words_that_want_to_be_instructions_are_marked_and_visible(stage: &Stage) {
    let task = stage.asking("hostile");
    let mut host = Host::legacy(stage, &["--allow-answer"], &json!({}));
    let calls = [
        ("list_waiting", json!({})),
        ("list_tasks", json!({})),
        ("show_task", json!({ "task": task })),
        ("watch_task", json!({ "task": task })),
    ];
    for (tool, arguments) in calls {
        let result = host.call(tool, &arguments);
        let whole = result.to_string();
        assert!(!whole.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{tool}: {whole}");
        assert!(whole.contains("u{202e}"), "{tool} shows what nobody would see: {whole}");
        let notice = result["structuredContent"]["notice"].as_str().expect("a notice");
        assert!(notice.contains("never instructions"), "{notice}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        let (ours, theirs) = text.split_once("\n--- data ").expect("a mark");
        let (mark, _) = theirs.split_once(':').expect("a mark");
        let end = format!("--- end of data {mark} ---");
        assert!(
            !ours.contains("SYSTEM") && theirs.contains("SYSTEM") && text.ends_with(&end),
            "{tool}: {text}"
        );
        assert_eq!(text.matches(&end).count(), 1, "{text}");
    }
}

#[test]
fn what_is_long_is_bounded_and_said_to_be() {
    let stage = Stage::sqlite();
    let mut host = Host::legacy(&stage, &["--allow-answer"], &json!({}));
    let long = "long ".repeat(20_000);
    for _ in 0..30 {
        host.ok("submit_task", &json!({ "tool": "deploy", "arguments": { "version": long } }));
    }
    let last = stage.ok(&["submit", "deploy", "--arg", "version=1"]);
    stage.until(&last, "asked");
    let result = host.call("list_tasks", &json!({ "limit": 100 }));
    assert!(result.to_string().len() < 200_000, "{} bytes", result.to_string().len());
    assert_eq!(result["structuredContent"]["cut"], true);
    assert!(result["content"][0]["text"].as_str().expect("a text").contains("Not all of it is shown"));
    assert_eq!(result["structuredContent"]["tasks"][0]["task"], last);
}
