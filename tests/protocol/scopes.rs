//! Another scope's task is like one that never was: in words, and in what the store does for it.

use std::collections::BTreeMap;

use mcptask::server::{ServeConfig, Tokens};
use serde_json::{Value, json};

use crate::support::Server;
use crate::support::bench::Bench;
use crate::support::http::{Events, Legacy, Modern};

const NEVER: &str = "0123456789abcdefghjkmnpqrs";

fn tokens(config: &mut ServeConfig) {
    config.tokens = Tokens::new(&[("one".into(), "anna".into()), ("two".into(), "ben".into())]);
}

/// Every request that names a task, for a task of that id.
fn requests(modern: bool, task: &str) -> Vec<(&'static str, Value)> {
    let answer = json!({ "q1": { "action": "accept", "content": { "name": "Mallory" } } });
    let again = json!({ "name": "ask_name", "arguments": {}, "requestState": format!("{task}.1"),
        "inputResponses": answer });
    if modern {
        vec![
            ("tasks/get", json!({ "taskId": task })),
            ("tasks/cancel", json!({ "taskId": task })),
            ("tasks/update", json!({ "taskId": task, "inputResponses": answer })),
            ("tools/call", again),
        ]
    } else {
        ["tasks/get", "tasks/result", "tasks/cancel"].map(|method| (method, json!({ "taskId": task }))).into()
    }
}

fn without(error: &Value, task: &str) -> String {
    error.to_string().replace(task, NEVER)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_about_anothers_task_is_answered_as_if_it_never_was() {
    let server = Server::with(tokens).await;
    let anna = Modern::with_token(&server, "one");
    let mut foreground = anna.clone();
    foreground.declares = false;
    let asked = foreground.result("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    let hidden = asked["requestState"].as_str().and_then(|state| state.split('.').next()).expect("a state");
    let task = anna.launch("ask_name", json!({})).await;
    anna.until(&task, "input_required").await;
    let ben = Modern::with_token(&server, "two");
    let mut undeclared = ben.clone();
    undeclared.declares = false;
    let legacy = Legacy::with(&server, json!({}), Some("two")).await;
    for target in [task.as_str(), hidden] {
        for ((method, found), (_, never)) in requests(true, target).into_iter().zip(requests(true, NEVER)) {
            let client = if method == "tools/call" { &undeclared } else { &ben };
            let (found, never) = (client.error(method, found).await, client.error(method, never).await);
            assert_eq!(without(&found, target), never.to_string(), "{method} (modern)");
        }
        for ((method, found), (_, never)) in requests(false, target).into_iter().zip(requests(false, NEVER)) {
            let (found, never) = (legacy.error(method, found).await, legacy.error(method, never).await);
            assert_eq!(without(&found, target), never.to_string(), "{method} (legacy)");
        }
        let params = json!({ "notifications": { "taskIds": [target, NEVER] } });
        let (_, request) = ben.begin("subscriptions/listen", params);
        let mut events = Events::new(request.send().await.expect("a stream"));
        let told = events.next_of("notifications/subscriptions/acknowledged").await;
        assert_eq!(told["params"]["notifications"], json!({}), "neither is listened to");
    }
    for cursor in [json!(null), json!(format!("9999999999999.{task}"))] {
        let listed = legacy.result("tasks/list", json!({ "cursor": cursor })).await;
        assert_eq!(listed["tasks"], json!([]), "{cursor}");
    }
    assert_eq!(anna.get(&task).await["status"], "input_required", "nothing was changed");
}

/// How often each command has run on that Redis.
async fn counts(connection: &mut redis::aio::MultiplexedConnection) -> BTreeMap<String, u64> {
    let text: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.expect("tells");
    let count = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(count).filter(|(name, _)| name != "info").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_does_the_same_for_anothers_task_as_for_none() {
    let bench = Bench::redis();
    let Bench::Redis(redis) = &bench else { unreachable!("it was asked for") };
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let server = Server::on(bench, tokens).await;
    let anna = Modern::with_token(&server, "one");
    let task = anna.launch("ask_name", json!({})).await;
    anna.until(&task, "input_required").await;
    let ben = Modern::with_token(&server, "two");
    for method in 0..3 {
        let mut least = [const { BTreeMap::new() }; 2];
        for _ in 0..15 {
            for (id, least) in [task.as_str(), NEVER].into_iter().zip(&mut least) {
                let (name, params) = requests(true, id).swap_remove(method);
                let before = counts(&mut connection).await;
                ben.error(name, params).await;
                // Leases and clocks only ever add to it.
                for (command, after) in counts(&mut connection).await {
                    let ran = after - before.get(&command).copied().unwrap_or_default();
                    least
                        .entry(command)
                        .and_modify(|least: &mut u64| *least = ran.min(*least))
                        .or_insert(ran);
                }
            }
        }
        for counts in &mut least {
            counts.retain(|_, count| *count > 0);
        }
        assert_eq!(least[0], least[1], "{}", requests(true, NEVER)[method].0);
    }
}
