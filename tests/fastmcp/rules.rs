//! Rules on questions of a FastMCP deployment.

use serde_json::json;

use crate::commands::{mcptask, started};
use crate::kitchen::{Kitchen, V3_4, V4};

/// Rules that answer the two questions of a dinner, in a file of its own.
fn rules() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = "[[rule]]\nname = \"thai\"\ntool = \"plan_dinner\"\nmessage = \"^What kind\"\naccept = { cuisine = \"thai\" }\n\
        [[rule]]\nname = \"by arguments\"\nwhen = \"args is defined and args.vegan\"\ndecline = true\n\
        [[rule]]\nname = \"green\"\nmessage = \"Vegetarian\"\naccept = { vegetarian = true }\n";
    std::fs::write(file.path(), text).expect("can be written");
    file
}

#[tokio::test]
async fn rules_answer_fastmcps_questions_and_follow_them() {
    let (kitchen, file) = (Kitchen::open(V3_4), rules());
    let path = file.path().to_string_lossy().into_owned();
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let (code, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path, "--dry-run"]);
    assert_eq!((code, said[0]["event"].as_str()), (0, Some("would_answer")), "{complaint}");
    let (code, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!((&said[0]["task"], &said[0]["rule"]), (&json!(id), &json!("thai")));
    assert_eq!(said[0]["source"], "fastmcp");
    let mut follower = started(&kitchen, &["respond", "--rules", &path, "--follow"]);
    kitchen.until(&id, |task| task.status.is_final()).await;
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let next = client.task();
    kitchen.until(&next, |task| task.status.is_final()).await;
    follower.kill().expect("it runs still");
    follower.wait().expect("it is ours");
}

#[tokio::test]
async fn what_needs_fastmcp_4s_server_is_left_and_said_so() {
    let (kitchen, file) = (Kitchen::open(V4), rules());
    let path = file.path().to_string_lossy().into_owned();
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let (code, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path]);
    assert_eq!((code, said[0]["event"].as_str()), (0, Some("left")), "{complaint}");
    assert_eq!(said[1]["left"], 1);
    // A rule's session is the one that `list` shows, which there is the user.
    let (_, rows, complaint) = mcptask(&kitchen, &["list"]);
    let session = rows[0]["session"].as_str().expect(&complaint);
    let text = format!("[[rule]]\nname = \"whose\"\nsession = \"{session}\"\ndecline = true\n");
    std::fs::write(file.path(), text).expect("can be written");
    let (_, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path]);
    assert_eq!(said[0]["rule"], "whose", "{complaint}");
}

#[tokio::test]
async fn rules_answer_fastmcp_4_straight_where_that_is_said_and_one_task_alone() {
    let (kitchen, file) = (Kitchen::open(V4), rules());
    let path = file.path().to_string_lossy().into_owned();
    let clients: Vec<_> = (0..2).map(|_| kitchen.client("plan_dinner", &json!({}), "silent")).collect();
    let ids: Vec<String> = clients.iter().map(crate::kitchen::Client::task).collect();
    for id in &ids {
        kitchen.asks(id, "What kind of dinner?").await;
    }
    let words = ["respond", "--rules", &path, "--direct", "--", &ids[0]];
    let (code, said, complaint) = mcptask(&kitchen, &words);
    assert_eq!((code, said.len()), (0, 2), "{complaint}");
    assert_eq!((&said[0]["event"], &said[0]["task"]), (&json!("answered"), &json!(ids[0])));
    kitchen.asks(&ids[0], "Vegetarian?").await;
    kitchen.asks(&ids[1], "What kind of dinner?").await;
    let (code, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path, "--direct"]);
    assert_eq!((code, &said[2]["answered"]), (0, &json!(2)), "{complaint}");
}

#[tokio::test]
async fn rules_answer_through_fastmcp_4s_server() {
    let (kitchen, file) = (Kitchen::open(V4), rules());
    let path = file.path().to_string_lossy().into_owned();
    let server = kitchen.endpoint();
    let (code, said, complaint) = mcptask(&kitchen, &["submit", "plan_dinner", "--server", &server]);
    assert_eq!(code, 0, "{complaint}");
    let id = said[0]["task"].as_str().expect("an id").to_owned();
    kitchen.asks(&id, "What kind of dinner?").await;
    let (code, said, complaint) =
        mcptask(&kitchen, &["respond", "--rules", &path, "--server", &server, "--", &id]);
    assert_eq!(
        (code, &said[0]["event"], &said[0]["rule"]),
        (0, &json!("answered"), &json!("thai")),
        "{complaint}"
    );
    kitchen.asks(&id, "Vegetarian?").await;
    let (code, said, complaint) = mcptask(&kitchen, &["respond", "--rules", &path, "--server", &server]);
    assert_eq!((code, &said[0]["event"]), (0, &json!("answered")), "{complaint}");
}
