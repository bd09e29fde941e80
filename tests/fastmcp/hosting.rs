//! FastMCP's questions in an MCP host.

use serde_json::json;

use crate::kitchen::{Kitchen, V3_4};
use crate::peer::Host;
use crate::place::Place;

#[tokio::test]
async fn a_hosts_model_sees_fastmcps_questions_and_its_user_answers() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let place = Place::on_redis(&kitchen.redis.url());
    let mut host = Host::legacy(&place, &["--allow-answer"], &json!({ "elicitation": {} }));
    let waiting = host.ok("list_waiting", &json!({ "place": "fastmcp" }));
    assert_eq!(
        (&waiting["tasks"][0]["task"], &waiting["tasks"][0]["source"]),
        (&json!(id), &json!("fastmcp"))
    );
    let question = waiting["tasks"][0]["questions"][0]["id"].clone();
    let call = host.begin_call("ask_user", &json!({ "task": id, "question": question }));
    let asked = host.next_of("elicitation/create");
    assert!(
        asked["params"]["message"].as_str().expect("words").ends_with("asks: What kind of dinner?"),
        "{asked}"
    );
    host.reply(&asked, &json!({ "action": "accept", "content": { "cuisine": "thai" } }));
    let receipt = host.result(call, "ask_user")["structuredContent"].clone();
    assert_eq!(
        (&receipt["task"], &receipt["action"], &receipt["counts"]),
        (&json!(id), &json!("accept"), &json!(true))
    );
    kitchen.asks(&id, "Vegetarian?").await;
    let again = host.ok("watch_task", &json!({ "task": id }));
    assert_eq!(again["reason"], "asked");
    let question = again["task"]["questions"][0]["id"].clone();
    let declined = json!({ "task": id, "question": question, "action": "decline" });
    host.ok("answer_question", &declined);
    assert_eq!(host.ok("watch_task", &json!({ "task": id }))["reason"], "ended");
    let refused = host.fails("submit_task", &json!({ "tool": "plan_dinner" }));
    assert_eq!(refused["code"], "usage");
    assert!(refused["message"].as_str().expect("words").contains("launched through its server"), "{refused}");
}
