//! What `--json` prints of a FastMCP deployment is what docs/JSON.md says.

use rstest::rstest;
use serde_json::json;

use crate::commands::mcptask;
use crate::json_shapes::is_line;
use crate::kitchen::{Kitchen, V3_4, V4};

#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn every_line_of_a_deployment_is_as_documented(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let commands: [(&[&str], &str); 7] = [
        (&["list"], "task"),
        (&["show", &id], "task"),
        (&["tools"], "tool"),
        (&["doctor"], "finding"),
        (&["export"], "exported question"),
        (&["watch", "--task", &id, "--until", "asked"], "event"),
        (&["cancel", &id], "cancellation"),
    ];
    for (command, kind) in commands {
        let (_, lines, complaint) = mcptask(&kitchen, command);
        if lines.is_empty() {
            // FastMCP 4 is cancelled through its server.
            assert_eq!((kind, version), ("cancellation", V4), "{complaint}");
            is_line("error", &serde_json::from_str(&complaint).expect("JSON"));
        }
        for line in &lines {
            is_line(kind, line);
        }
    }
    let (code, _, complaint) = mcptask(&kitchen, &["show", "zzzzzzzz"]);
    assert_eq!(code, 9, "{complaint}");
    is_line("error", &serde_json::from_str(&complaint).expect("JSON"));
}
