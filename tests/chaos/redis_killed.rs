//! Redis is killed and started again under everybody who uses it. It keeps what it acknowledged.

use std::collections::BTreeSet;

use serde_json::json;

use crate::protocol::http::Legacy;
use crate::protocol::redis::{RedisServer, free_port};
use crate::protocol::soon;
use crate::stage::{CUISINE, Stage, VEGETARIAN, Views as _, saw_everything};

#[test]
fn all_processes_go_on_when_redis_is_back() {
    let mut redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    let _worker = stage.worker();
    let _server = stage.serve_on(free_port(), &[]);
    let task = stage.asking("plan_dinner");
    let watch = stage.background(&["watch", "--json"]);
    redis.kill();
    redis.restart();
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    redis.kill();
    let refused = stage.run(&["list"]);
    assert!(refused.code == 4 && refused.err.contains("cannot reach"), "{refused:?}");
    // Long enough that leases end and every process has tried again several times.
    std::thread::sleep(std::time::Duration::from_secs(6));
    redis.restart();
    stage.answer_vegetarian(&task);
    stage.menu(&task);
    saw_everything(&stage, watch, &task);
}

#[test]
fn a_waiting_command_goes_on_when_redis_is_back() {
    let mut redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    let _worker = stage.worker();
    let mut submit = stage.background(&["submit", "wait", "--arg", "seconds=5", "--wait", "--json"]);
    redis.kill();
    redis.restart();
    let result = submit.next_or_end().expect("a result");
    assert_eq!(result["status"], "completed", "{result}");
    assert_eq!(submit.code(), 0);
}

#[test]
fn a_flushed_script_cache_is_filled_again() {
    let redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    let _worker = stage.worker();
    let task = stage.asking("plan_dinner");
    let flush = || redis.ask::<()>(&["SCRIPT", "FLUSH"]).expect("flushes");
    flush();
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    flush();
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

#[test]
fn an_answer_given_while_redis_is_away_is_not_lost() {
    let mut redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    let port = free_port();
    let _worker = stage.worker();
    let _server = stage.serve_on(port, &["--workers", "0"]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let url = format!("http://127.0.0.1:{port}/mcp");
        let client = soon("a session", Legacy::at(&url, json!({ "elicitation": {} }), None)).await;
        let mut events = client.listen(None).await;
        let task = client.launch("plan_dinner", json!({})).await;
        let first = events.next_of("elicitation/create").await;
        assert_eq!(first["params"]["message"], CUISINE);
        redis.kill();
        let content = json!({ "action": "accept", "content": { "cuisine": "Thai" } });
        client.answer(&first, content.clone()).await;
        redis.restart();
        let mut asked = events.next_of("elicitation/create").await;
        // A server that could not store the answer may ask again; it may not forget.
        if asked["params"]["message"] == CUISINE {
            client.answer(&asked, content).await;
            asked = events.next_of("elicitation/create").await;
        }
        assert_eq!(asked["params"]["message"], VEGETARIAN);
        client.answer(&asked, json!({ "action": "accept", "content": { "vegetarian": true } })).await;
        client.text(&task).await;
        stage.menu(&task);
    });
}

#[test]
fn nothing_acknowledged_is_lost() {
    let mut redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    let worker = stage.worker();
    let mut acknowledged = BTreeSet::new();
    for _ in 0..3 {
        for _ in 0..5 {
            acknowledged.insert(stage.ok(&["submit", "plan_dinner"]));
        }
        redis.kill();
        redis.restart();
    }
    for task in &acknowledged {
        stage.until(task, "asked");
    }
    let listed = stage.json(&["list", "--status", "input_required"]);
    let listed: BTreeSet<_> =
        listed.iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(listed, acknowledged);
    drop(worker);
}
