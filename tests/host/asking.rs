//! Questions that the person at the host is asked: no model comes between.

use serde_json::{Value, json};

use crate::peer::Host;
use crate::stage::Stage;

on_both_engines!(
    the_hosts_user_is_asked_and_what_they_say_is_the_answer,
    a_host_of_the_stateless_era_asks_by_a_result,
    a_question_that_was_answered_elsewhere_is_withdrawn,
    a_form_that_is_dismissed_leaves_the_question_open,
);

fn wanted(task: &str) -> Value {
    json!({ "task": task, "question": "q1" })
}

fn the_hosts_user_is_asked_and_what_they_say_is_the_answer(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = stage.host();
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    let message = asked["params"]["message"].as_str().expect("a message");
    assert!(message.contains("deploy (task ") && message.ends_with("asks: Deploy 1.2?"), "{message}");
    assert_eq!(asked["params"]["mode"], "form");
    assert_eq!(asked["params"]["requestedSchema"]["properties"]["sure"]["type"], "boolean");
    // What does not fit is asked again, with the reason.
    host.reply(&asked, &json!({ "action": "accept", "content": { "sure": "perhaps" } }));
    let again = host.next_of("elicitation/create");
    assert!(again["params"]["message"].as_str().expect("a message").contains("was not taken"), "{again}");
    host.reply(&again, &json!({ "action": "accept", "content": { "sure": true, "words": "by Ada" } }));
    let receipt = host.result(call, "ask_user")["structuredContent"].clone();
    assert_eq!((&receipt["action"], &receipt["question"]), (&json!("accept"), &json!("q1")));
    stage.until(&task, "completed");
    assert_eq!(stage.ok(&["result", &task]), "accept: by Ada");
    let who = stage.printed(&["show", &task])[0]["questions"][0]["answer"]["who"].clone();
    assert_eq!(
        (&who["name"], &who["note"]),
        (&json!("mcp client testhost 7"), &json!("the host asked its user"))
    );
    let task = stage.asking_deploy();
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    host.reply(&asked, &json!({ "action": "decline" }));
    assert_eq!(host.result(call, "ask_user")["structuredContent"]["action"], "decline");
}

fn a_host_of_the_stateless_era_asks_by_a_result(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = Host::modern(stage, &["--allow-answer"], &json!({ "elicitation": {} }));
    let again = |host: &mut Host, state: &Value, reply: Value| {
        let params = json!({ "name": "ask_user", "arguments": wanted(&task), "requestState": state,
            "inputResponses": { "answer": reply } });
        let id = host.begin("tools/call", params);
        host.result(id, "ask_user")
    };
    // An answer to what was not asked is none.
    let good = json!({ "action": "accept", "content": { "sure": true, "words": "by Ada" } });
    let asked = again(&mut host, &json!("made up"), good.clone());
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let request = &asked["inputRequests"]["answer"];
    assert_eq!(request["method"], "elicitation/create");
    assert!(
        request["params"]["message"].as_str().expect("a message").ends_with("asks: Deploy 1.2?"),
        "{request}"
    );
    let bad = json!({ "action": "accept", "content": { "sure": "perhaps" } });
    let refused = again(&mut host, &asked["requestState"], bad);
    assert!(
        refused["inputRequests"]["answer"]["params"]["message"]
            .as_str()
            .expect("words")
            .contains("was not taken")
    );
    let old = again(&mut host, &asked["requestState"], good.clone());
    assert_eq!(old["resultType"], "input_required", "a state is good once: {old}");
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    let taken = again(&mut host, &refused["requestState"], good.clone());
    assert_eq!(taken["structuredContent"]["action"], "accept", "{taken}");
    stage.until(&task, "completed");
    assert_eq!(stage.ok(&["result", &task]), "accept: by Ada");
    let late = again(&mut host, &old["requestState"], good);
    assert_eq!(late["structuredContent"]["code"], "nothing_changed", "{late}");
}

fn a_form_that_is_dismissed_leaves_the_question_open(stage: &Stage) {
    let task = stage.asking_deploy();
    let dismissed = json!({ "action": "cancel" });
    let mut host = stage.host();
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    host.reply(&asked, &dismissed);
    let legacy = host.result(call, "ask_user");
    let mut host = Host::modern(stage, &["--allow-answer"], &json!({ "elicitation": {} }));
    let asked = host.call("ask_user", &wanted(&task));
    let params = json!({ "name": "ask_user", "arguments": wanted(&task), "requestState": asked["requestState"],
        "inputResponses": { "answer": dismissed } });
    let id = host.begin("tools/call", params);
    let modern = host.result(id, "ask_user");
    for told in [legacy, modern] {
        assert_eq!(told["isError"], true, "{told}");
        let told = &told["structuredContent"];
        assert_eq!(told["code"], "needs_input", "{told}");
        assert!(told["message"].as_str().expect("words").ends_with("it stays open"), "{told}");
        assert!(told["hint"].as_str().expect("words").contains("mcptask respond"), "{told}");
    }
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    stage.ok(&["respond", &task, "--decline"]);
}

fn a_question_that_was_answered_elsewhere_is_withdrawn(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = stage.host();
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    stage.ok(&["respond", &task, "--decline", "--as", "bea"]);
    let told = host.result(call, "ask_user")["structuredContent"].clone();
    assert_eq!(told["code"], "nothing_changed", "{told}");
    assert!(told["message"].as_str().expect("words").contains("bea"), "{told}");
    let withdrawn = host.next_of("notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
}

#[test]
fn a_host_that_cannot_ask_is_told_so_and_nothing_changes() {
    let stage = Stage::sqlite();
    let (task, page) = (stage.asking_deploy(), stage.asking("pay"));
    for host in [Host::legacy, Host::modern] {
        let mut deaf = host(&stage, &["--allow-answer"], &json!({}));
        let told = deaf.fails("ask_user", &wanted(&task));
        assert_eq!(told["code"], "needs_input");
        assert!(
            told["message"].as_str().expect("words").contains("did not declare the elicitation"),
            "{told}"
        );
        assert!(told["hint"].as_str().expect("words").contains("mcptask respond"), "{told}");
        let mut forms = host(&stage, &["--allow-answer"], &json!({ "elicitation": { "form": {} } }));
        assert!(
            forms.fails("ask_user", &wanted(&page))["message"].as_str().expect("words").contains("by URL")
        );
        assert_eq!(forms.count_of("elicitation/create"), 0);
    }
    assert_eq!(stage.printed(&["list", "--waiting"]).len(), 2);
}

#[test]
fn a_page_is_accepted_by_a_person_only() {
    let stage = Stage::sqlite();
    let page = stage.asking("pay");
    let mut host = Host::legacy(&stage, &["--allow-answer"], &json!({ "elicitation": { "url": {} } }));
    let call = host.begin_call("ask_user", &wanted(&page));
    let asked = host.next_of("elicitation/create");
    assert_eq!(
        (&asked["params"]["mode"], &asked["params"]["url"]),
        (&json!("url"), &json!("https://pay.example/checkout?x=1"))
    );
    assert!(asked["params"]["elicitationId"].is_string());
    host.reply(&asked, &json!({ "action": "accept" }));
    assert_eq!(host.result(call, "ask_user")["structuredContent"]["action"], "accept");
}

#[test]
fn a_reply_that_is_none_and_a_call_that_is_cancelled_leave_the_question_open() {
    let stage = Stage::sqlite();
    let task = stage.asking_deploy();
    let mut host = stage.host();
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    host.send(
        &json!({ "jsonrpc": "2.0", "id": asked["id"], "error": { "code": -32603, "message": "no window" } }),
    );
    let told = host.result(call, "ask_user")["structuredContent"].clone();
    assert_eq!(told["code"], "needs_input");
    assert!(told["message"].as_str().expect("words").contains("no window"), "{told}");
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    host.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": call } }),
    );
    assert_eq!(host.next_of("notifications/cancelled")["params"]["requestId"], asked["id"]);
    let call = host.begin_call("ask_user", &wanted(&task));
    let asked = host.next_of("elicitation/create");
    for attempt in 0..3 {
        let asked = if attempt == 0 { asked.clone() } else { host.next_of("elicitation/create") };
        host.reply(&asked, &json!({ "action": "accept", "content": {} }));
    }
    assert_eq!(host.result(call, "ask_user")["structuredContent"]["code"], "usage");
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
}
