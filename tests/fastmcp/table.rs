//! Each verb in each situation, on FastMCP's tasks: what the other places say, too.

use assert_cmd::Command;
use serde_json::json;

use crate::commands::mcptask;
use crate::kitchen::{Kitchen, V3_4};
use crate::situations::{ABOUT_TASKS, Done, Ids, Row, faults};
use mcptask::task::TaskStatus;

fn ran(kitchen: &Kitchen, words: &[&str]) -> Done {
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).arg("--no-input").args(words);
    let output = command.output().expect("runs");
    let err = String::from_utf8(output.stderr).expect("is text");
    Done { code: output.status.code().expect("ends by itself"), err }
}

#[tokio::test]
async fn each_verb_says_of_fastmcps_tasks_what_it_says_of_others() {
    let kitchen = Kitchen::open(V3_4);
    let launched = |tool: &str, arguments| kitchen.client(tool, &arguments, "silent").task();
    let working = kitchen.client("work", &json!({ "seconds": 600 }), "silent");
    let asking = kitchen.client("plan_dinner", &json!({}), "silent");
    let (ended, failed) = (launched("work", json!({ "seconds": 0 })), launched("fail", json!({})));
    let cancelled = launched("work", json!({ "seconds": 600 }));
    let (working, asking) = (working.task(), asking.task());
    kitchen.asks(&asking, "What kind of dinner?").await;
    kitchen.until(&working, |task| task.progress.is_some()).await;
    kitchen.until(&ended, |task| task.status == TaskStatus::Completed).await;
    kitchen.until(&failed, |task| task.status == TaskStatus::Failed).await;
    let (code, _, complaint) = mcptask(&kitchen, &["cancel", &cancelled]);
    assert_eq!(code, 0, "{complaint}");
    kitchen.until(&cancelled, |task| task.status == TaskStatus::Cancelled).await;
    let ids = Ids(vec![
        ("UNKNOWN", "nobodys0".to_owned()),
        ("WORKING", working),
        ("ENDED", ended),
        ("FAILED", failed),
        ("CANCELLED", cancelled),
        ("ASKING", asking),
    ]);
    // Submitting is a matter of its server: see below.
    let rows: Vec<Row> = ABOUT_TASKS.iter().filter(|row| row.command[0] != "submit").copied().collect();
    let more = [
        Row {
            command: &["respond", "ASKING", "--question", "q99", "--decline"],
            code: 10,
            words: "is not open",
        },
        Row { command: &["show", "ab"], code: 2, words: "is too short" },
    ];
    let found = faults("fastmcp", &ids, &[rows, more.to_vec()].concat(), &mut |words| ran(&kitchen, words));
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

#[tokio::test]
async fn submit_says_that_fastmcps_tasks_are_launched_through_its_server() {
    let kitchen = Kitchen::open(V3_4);
    kitchen.deployment().await;
    let launches = "mcptask submit plan_dinner --server URL";
    for words in [&["submit", "plan_dinner"][..], &["submit", "plan_dinner", "--docket", "fastmcp"]] {
        let done = ran(&kitchen, words);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("through its server") && done.err.contains(launches), "{}", done.err);
    }
    let ours = kitchen.redis::<Vec<String>>(&["KEYS", "mcptask*"]).await;
    assert_eq!(ours, Vec::<String>::new(), "nothing of ours is begun");

    mcptask::store::redis::RedisStore::open(&kitchen.redis.url(), "default").await.expect("opens");
    let done = ran(&kitchen, &["submit", "plan_dinner"]);
    assert_eq!(done.code, 9, "{}", done.err);
    assert!(done.err.contains("FastMCP's workers in docket fastmcp run it"), "{}", done.err);
    assert!(done.err.contains(launches), "{}", done.err);
}
