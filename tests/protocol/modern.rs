//! The modern era: tasks as an extension of 2026-07-28.

use serde_json::{Value, json};

use crate::support::http::{Events, Legacy, Modern, assert_acknowledged};
use crate::support::{Server, soon};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn accept(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_names_the_extension_and_no_legacy_tasks() {
    let server = Server::start().await;
    let found = Modern::new(&server).result("server/discover", json!({})).await;
    let capabilities = &found["capabilities"];
    assert!(capabilities["extensions"].get(EXTENSION).is_some(), "{found}");
    assert!(capabilities.get("tasks").is_none(), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_tools_says_how_long_it_may_be_kept() {
    let server = Server::start().await;
    let list = Modern::new(&server).result("tools/list", json!({})).await;
    assert_eq!(list["resultType"], "complete");
    assert!(list["ttlMs"].is_u64() && list["cacheScope"] == "private", "{list}");
    let names: Vec<_> = list["tools"].as_array().expect("a list").iter().map(|tool| &tool["name"]).collect();
    assert!(names.contains(&&json!("plan_dinner")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaring_call_becomes_a_flat_task() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let created = client.result("tools/call", json!({ "name": "work", "arguments": { "ms": 50 } })).await;
    assert_eq!((&created["resultType"], &created["status"]), (&json!("task"), &json!("working")));
    assert!(created["ttlMs"].is_u64() && created["pollIntervalMs"].as_u64().expect("a number") <= 500);
    let id = created["taskId"].as_str().expect("an id");
    let done = client.until(id, "completed").await;
    assert_eq!(done["resultType"], "complete");
    assert_eq!(done["result"]["content"][0]["text"], "worked");
    assert_eq!(done["createdAt"], created["createdAt"]);
    assert!(done.get("inputRequests").is_none() && done.get("error").is_none(), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_does_not_change_keeps_its_time() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    let first = client.until(&task, "input_required").await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(client.get(&task).await, first, "looking changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_does_not_declare_runs_in_the_foreground_or_not_at_all() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    let done = client.result("tools/call", json!({ "name": "work", "arguments": { "ms": 20 } })).await;
    assert_eq!((&done["resultType"], &done["content"][0]["text"]), (&json!("complete"), &json!("worked")));
    let refused = client.error("tools/call", json!({ "name": "fail", "arguments": {} })).await;
    assert_eq!(refused["code"], -32021, "{refused}");
    assert!(refused["data"]["requiredCapabilities"]["extensions"].get(EXTENSION).is_some(), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_never_a_task_answers_at_once() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let params = json!({ "name": "greet", "arguments": { "name": "Ada" }, "task": { "ttl": 5 } });
    let greeted = client.result("tools/call", params).await;
    assert_eq!(greeted["content"][0]["text"], "Hello, Ada!");
    assert_eq!(greeted["resultType"], "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn task_requests_need_the_declaration_even_for_unknown_ids() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let refused = client.error(method, json!({ "taskId": "nothing", "inputResponses": {} })).await;
        assert_eq!(refused["code"], -32021, "{method}: {refused}");
        assert!(refused["data"]["requiredCapabilities"]["extensions"].get(EXTENSION).is_some());
    }
    let listen = json!({ "notifications": { "taskIds": ["nothing"] } });
    assert_eq!(client.error("subscriptions/listen", listen).await["code"], -32021);
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_methods_are_not_found() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    for method in ["tasks/result", "tasks/list"] {
        let error = client.error(method, json!({ "taskId": task })).await;
        assert_eq!(error["code"], -32601, "{method}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_by_the_tools_name_for_it_and_no_key_is_used_twice() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_named", json!({})).await;
    let asked = client.until(&task, "input_required").await;
    assert!(asked["inputRequests"].get("who").is_some(), "{asked}");
    let update = |key: &str| json!({ "taskId": task, "inputResponses": { key: accept("Ada") } });
    client.result("tasks/update", update("who")).await;
    let asked = soon("the second question", async {
        loop {
            let asked = client.until(&task, "input_required").await;
            if asked["inputRequests"].get("who").is_none() {
                return asked;
            }
        }
    })
    .await;
    assert!(asked["inputRequests"].get("q2").is_some(), "{asked}");
    client.result("tasks/update", update("q2")).await;
    client.until(&task, "completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_and_bad_params_are_invalid() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    for (method, params) in [
        ("tasks/get", json!({ "taskId": "nothing" })),
        ("tasks/get", json!({})),
        ("tasks/get", json!({ "taskId": 5 })),
        ("tasks/cancel", json!({ "taskId": "nothing" })),
        ("tasks/update", json!({ "taskId": "nothing", "inputResponses": {} })),
        ("tasks/update", json!({ "taskId": task })),
        ("tasks/update", json!({ "taskId": task, "inputResponses": [] })),
        ("tools/call", json!({ "name": "nothing" })),
        ("tools/call", json!({ "name": "work", "arguments": { "ms": "soon" } })),
        ("tools/call", json!({ "name": "work", "arguments": [] })),
        ("subscriptions/listen", json!({ "notifications": { "taskIds": "all" } })),
    ] {
        let error = client.error(method, params.clone()).await;
        assert_eq!(error["code"], -32602, "{method} {params}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_open_questions_are_shown_and_partial_answers_keep_it_asking() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_both", json!({})).await;
    let asking = client.until(&task, "input_required").await;
    assert_eq!(asking["resultType"], "complete");
    assert_eq!(asking["inputRequests"]["q1"]["method"], "elicitation/create");
    assert_eq!(asking["inputRequests"]["q1"]["params"]["message"], "First?");
    assert_eq!(asking["inputRequests"]["q2"]["params"]["mode"], "form");
    let partial = json!({ "taskId": task, "inputResponses": { "q2": accept("Two"), "q9": accept("No") } });
    assert_acknowledged(&client.result("tasks/update", partial).await);
    let still = client.get(&task).await;
    assert_eq!(still["status"], "input_required");
    assert!(still["inputRequests"].get("q2").is_none(), "an answered key is gone at once: {still}");
    let rest = json!({ "taskId": task, "inputResponses": { "q1": accept("One"), "q2": accept("Other") } });
    client.result("tasks/update", rest).await;
    let done = client.until(&task, "completed").await;
    let names = json!([{ "name": "One" }, { "name": "Two" }]).to_string();
    assert_eq!(done["result"]["content"][0]["text"], names);
    let late = json!({ "taskId": task, "inputResponses": { "q1": accept("Late") } });
    assert_acknowledged(&client.result("tasks/update", late).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_the_form_names_every_violation_and_leaves_the_question_open() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    client.until(&task, "input_required").await;
    let bad = json!({ "action": "accept", "content": { "name": "A", "age": -3 } });
    let refused =
        client.error("tasks/update", json!({ "taskId": task, "inputResponses": { "q1": bad } })).await;
    assert_eq!(refused["code"], -32602);
    assert_eq!(refused["data"]["violations"].as_array().expect("a list").len(), 2, "{refused}");
    for bad in
        [json!({ "action": "maybe" }), json!({}), json!(5), json!({ "action": "accept", "content": 5 })]
    {
        let params = json!({ "taskId": task, "inputResponses": { "q1": bad } });
        assert_eq!(client.error("tasks/update", params).await["code"], -32602, "{bad}");
    }
    assert_eq!(client.get(&task).await["status"], "input_required");
    client.result("tasks/update", json!({ "taskId": task, "inputResponses": { "q1": accept("Ada") } })).await;
    assert_eq!(client.until(&task, "completed").await["result"]["content"][0]["text"], "accept \"Ada\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_is_for_protocol_errors_and_results_may_be_errors() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("break", json!({})).await;
    let failed = client.until(&task, "failed").await;
    assert_eq!(failed["error"], json!({ "code": -32011, "message": "It broke.", "data": { "part": 7 } }));
    assert_eq!(failed["statusMessage"], "It broke.");
    let task = client.launch("fail", json!({})).await;
    assert_eq!(client.until(&task, "completed").await["result"]["isError"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_is_acknowledged_again_and_again() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    for _ in 0..3 {
        let done = client.result("tasks/cancel", json!({ "taskId": task })).await;
        assert_acknowledged(&done);
    }
    let cancelled = client.get(&task).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled.get("inputRequests").is_none() && cancelled.get("result").is_none(), "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_that_asks_goes_on_with_its_state() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    let call = json!({ "name": "ask_many", "arguments": { "count": 2 } });
    let mut state = Value::Null;
    let mut responses = json!({});
    for number in 1..=2 {
        let mut params = call.clone();
        params["requestState"] = state;
        params["inputResponses"] = responses;
        let asked = client.result("tools/call", params).await;
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let key = format!("q{number}");
        assert_eq!(asked["inputRequests"][&key]["params"]["message"], format!("Name {number}?"));
        state = asked["requestState"].clone();
        responses = json!({ key: accept(&format!("n{number}")) });
    }
    let mut other = call.clone();
    other["arguments"]["count"] = json!(3);
    for (mut params, forged) in [(call.clone(), json!("forged")), (other, state.clone())] {
        params["requestState"] = forged;
        assert_eq!(client.error("tools/call", params).await["code"], -32602);
    }
    let mut params = call;
    params["requestState"] = state;
    params["inputResponses"] = responses;
    let done = client.result("tools/call", params).await;
    assert_eq!(done["resultType"], "complete");
    assert_eq!(done["content"][0]["text"], json!(["n1", "n2"]).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_without_answers_is_asked_again() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    let mut params = json!({ "name": "ask_name", "arguments": {} });
    let first = client.result("tools/call", params.clone()).await;
    params["requestState"] = first["requestState"].clone();
    let second = client.result("tools/call", params).await;
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_gets_the_whole_task_at_each_change() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    client.until(&task, "input_required").await;
    let filter = json!({ "notifications": { "taskIds": [task, "nothing"], "promptsListChanged": true } });
    let (id, request) = client.begin("subscriptions/listen", filter);
    let mut events = Events::new(request.send().await.expect("a stream"));
    let acknowledged = events.next().await.expect("a message");
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({ "taskIds": [task] }));
    assert_eq!(acknowledged["params"]["_meta"][SUBSCRIPTION], id);
    let asking = events.next().await.expect("a message");
    assert_eq!(asking["method"], "notifications/tasks");
    assert_eq!(asking["params"]["status"], "input_required");
    assert!(asking["params"]["inputRequests"].get("q1").is_some(), "{asking}");
    assert_eq!(asking["params"]["_meta"][SUBSCRIPTION], id);
    client.result("tasks/update", json!({ "taskId": task, "inputResponses": { "q1": accept("Ada") } })).await;
    let mut last = events.next().await.expect("a message");
    while last["params"]["status"] != "completed" {
        assert_eq!(last["params"]["status"], "working", "{last}");
        last = events.next().await.expect("a message");
    }
    assert_eq!(last["params"]["result"]["content"][0]["text"], "accept \"Ada\"");
    assert_eq!(last["params"]["taskId"], task);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_tells_of_progress_on_its_own_stream() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    let params = json!({ "name": "steps", "arguments": {}, "_meta": { "progressToken": "p" } });
    let (id, request) = client.begin("tools/call", params);
    let mut events = Events::new(request.send().await.expect("a stream"));
    for step in 1..=3 {
        let told = events.next().await.expect("a message");
        assert_eq!(
            (&told["method"], &told["params"]["progressToken"]),
            (&json!("notifications/progress"), &json!("p"))
        );
        assert_eq!(told["params"]["progress"], f64::from(step));
    }
    assert_eq!(events.next().await.expect("a response")["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_task_is_seen_by_both_eras() {
    let server = Server::start().await;
    let (legacy, modern) = (Legacy::open(&server).await, Modern::new(&server));
    let task = legacy.launch("ask_name", json!({})).await;
    let mut events = legacy.listen(None).await;
    let asked = events.next_of("elicitation/create").await;
    modern.until(&task, "input_required").await;
    modern.result("tasks/update", json!({ "taskId": task, "inputResponses": { "q1": accept("Ada") } })).await;
    let withdrawn = events.next_of("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], asked["id"], "the prompt at the other client is withdrawn");
    assert_eq!(legacy.text(&task).await, "accept \"Ada\"");
    let task = modern.launch("work", json!({ "ms": 10 })).await;
    assert_eq!(soon("the result", legacy.text(&task)).await, "worked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_job_is_seen_soon() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let created = client.result("tools/call", json!({ "name": "work", "arguments": { "ms": 100 } })).await;
    let pause = created["pollIntervalMs"].as_u64().expect("a number");
    assert!((1..=1000).contains(&pause), "a client that polls as told sees a 100 ms job within a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_foreground_call_cancels_its_work() {
    let server = Server::start().await;
    let client = Modern::undeclared(&server);
    let params = json!({ "name": "work", "arguments": { "ms": 60000 }, "_meta": { "progressToken": "p" } });
    let (_, request) = client.begin("tools/call", params);
    let mut log = server
        .engine
        .watch(mcptask::store::EventFilter::All, mcptask::task::Cursor::START)
        .await
        .expect("a watch");
    let dropped = tokio::time::timeout(std::time::Duration::from_millis(500), request.send()).await;
    drop(dropped);
    soon("the work is cancelled", async {
        while log.next().await.expect("an event").kind.name() != "cancelled" {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_of_a_client_that_cannot_be_asked_goes_on_without() {
    let server = Server::start().await;
    let mut client = Modern::undeclared(&server);
    client.elicits = false;
    let done = client.result("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    let text = done["content"][0]["text"].as_str().expect("text");
    assert!(text.starts_with("cancel the client did not declare the elicitation capability"), "{text}");
}
