//! A deployment on a Redis Cluster, whose keys and channels have the docket's name in braces.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::commands::{mcptask, sources};
use crate::kitchen::{Kitchen, Process, Role, V3_4, until};
use crate::support::redis::RedisServer;

/// A Redis in cluster mode. Its second port would else be its first plus 10,000, which may be none.
fn node() -> RedisServer {
    let bus = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = bus.local_addr().expect("a bound address").port().to_string();
    drop(bus);
    RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", &port])
}

/// A deployment on a cluster of one node, its worker a process of its own.
async fn clustered() -> Kitchen {
    let node = node();
    let url = node.url().replace("redis://", "redis+cluster://");
    let mut kitchen = Kitchen::at(node, V3_4, &[("FASTMCP_DOCKET_URL", url.trim_end_matches("/0"))]);
    kitchen.redis::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    until("the cluster", async || {
        let state = kitchen.redis::<String>(&["CLUSTER", "INFO"]).await;
        state.contains("cluster_state:ok").then_some(())
    })
    .await;
    kitchen.start(Role::Front);
    kitchen.start(Role::Worker);
    kitchen.serves();
    kitchen
}

/// A running `watch`, and the objects that it prints until it ends.
fn watch(kitchen: &Kitchen, until: &str) -> (Process, impl Iterator<Item = Value>) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("mcptask"));
    command.args(["--redis", &kitchen.redis.url(), "--json", "--timeout", "120s", "watch", "--until", until]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("is built");
    let lines = BufReader::new(child.stdout.take().expect("a piped output")).lines();
    let objects =
        lines.map(|line| serde_json::from_str(&line.expect("is text")).expect("one object per line"));
    (Process { child }, objects)
}

#[tokio::test]
async fn a_deployment_on_a_cluster_is_watched_explained_and_answered() {
    let kitchen = clustered().await;
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let own: String = kitchen.redis(&["GET", &format!("{{fastmcp}}:fastmcp:task:anon:{id}")]).await;
    assert!(own.contains(&id), "the keys are in braces: {own}");
    let url = kitchen.redis.url();
    let run = |words: &[&str]| mcptask(&kitchen, &[&["--redis", &url], words].concat());

    let (code, listed, complaint) = run(&["list"]);
    assert_eq!((code, sources(&listed)), (0, vec!["fastmcp"]), "{complaint}");
    assert_eq!((&listed[0]["docket"], &listed[0]["status"]), (&json!("fastmcp"), &json!("input_required")));
    let (code, causes, complaint) = run(&["doctor"]);
    assert_eq!((code, causes[0]["cause"].as_str()), (0, Some("client_has_question")), "{complaint}");

    let (_watch, mut watched) = watch(&kitchen, "completed");
    let open = watched.next().expect("the question that is open");
    assert_eq!((open["event"].as_str(), open["task"].as_str()), (Some("asked"), Some(id.as_str())));
    let (code, done, complaint) = run(&["respond", &id, "--set", "cuisine=thai"]);
    assert_eq!((code, done[0]["task"].as_str()), (0, Some(id.as_str())), "{complaint}");
    kitchen.asks(&id, "Vegetarian?").await;
    let (code, _, complaint) = run(&["respond", &id, "--set", "vegetarian=yes"]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(kitchen.served().await, "thai accept {'vegetarian': True}");
    let told: Vec<_> = watched.filter_map(|event| event["event"].as_str().map(str::to_owned)).collect();
    assert_eq!(told, ["answered", "asked", "answered", "completed"]);
    assert_eq!(kitchen.redis::<Vec<String>>(&["KEYS", "*mcptask*"]).await, Vec::<String>::new());

    // The URL that the deployment itself is configured with leads to the same place.
    let clustered = url.replace("redis://", "redis+cluster://");
    let (code, shown, complaint) = mcptask(&kitchen, &["--redis", &clustered, "show", &id]);
    assert_eq!((code, shown[0]["status"].as_str()), (0, Some("completed")), "{complaint}");
}
