//! The legacy era: tasks of 2025-11-25.

use serde_json::{Value, json};

use crate::support::http::{Events, Legacy, Modern};
use crate::support::{Server, soon};

const RELATED: &str = "io.modelcontextprotocol/related-task";

#[tokio::test(flavor = "multi_thread")]
async fn initialize_tells_which_task_requests_there_are() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let capabilities = &client.initialized["capabilities"];
    assert_eq!(
        capabilities["tasks"],
        json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } })
    );
    assert!(capabilities.get("extensions").is_none(), "{capabilities}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_says_whether_it_runs_as_a_task() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let tools = client.result("tools/list", json!({})).await;
    let support = |name: &str| {
        let tools = tools["tools"].as_array().expect("a list");
        let tool = tools.iter().find(|tool| tool["name"] == name).expect("the tool");
        tool["execution"]["taskSupport"].clone()
    };
    assert_eq!(support("greet"), "forbidden");
    assert_eq!(support("plan_dinner"), "optional");
    assert_eq!(support("fail"), "required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_called_against_its_task_support_is_method_not_found() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let plain = client.error("tools/call", json!({ "name": "fail", "arguments": {} })).await;
    assert_eq!(plain["code"], -32601, "{plain}");
    let task = client.error("tools/call", json!({ "name": "greet", "arguments": {}, "task": {} })).await;
    assert_eq!(task["code"], -32601, "{task}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_begins_working_with_its_times_and_ttl() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let params = json!({ "name": "work", "arguments": { "ms": 200 }, "task": { "ttl": 60000 } });
    let created = client.result("tools/call", params).await;
    let task = &created["task"];
    assert_eq!(task["status"], "working");
    assert_eq!(task["ttl"], 60000);
    assert!(
        task["createdAt"].is_string() && task["lastUpdatedAt"].is_string() && task["pollInterval"].is_u64()
    );
    let id = task["taskId"].as_str().expect("an id");
    assert_eq!(created["_meta"][RELATED]["taskId"], id);
    let found = client.result("tasks/get", json!({ "taskId": id })).await;
    for key in ["taskId", "createdAt", "ttl"] {
        assert_eq!(found[key], task[key], "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_reaches_the_client_and_its_answer_the_tool() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let told = events.next_of("notifications/tasks/status").await;
    assert_eq!(told["params"]["status"], "input_required");
    assert_eq!(told["params"]["taskId"], task);
    let related = &told["params"]["_meta"][RELATED];
    assert_eq!(related["elicitation"]["requestId"], "q1");
    assert_eq!(related["elicitation"]["message"], "What is your name?");
    assert!(related["elicitation"]["requestedSchema"].is_object());
    let asked = events.next_of("elicitation/create").await;
    assert_eq!(asked["params"]["mode"], "form");
    assert_eq!(asked["params"]["message"], "What is your name?");
    assert_eq!(asked["params"]["_meta"][RELATED]["taskId"], task);
    let found = client.result("tasks/get", json!({ "taskId": task })).await;
    assert_eq!(found["status"], "input_required");
    client.answer(&asked, json!({ "action": "accept", "content": { "name": "Ada" } })).await;
    assert_eq!(client.text(&task).await, "accept \"Ada\"");
    let back = events.next_of("notifications/tasks/status").await;
    assert_eq!(back["params"]["status"], "working");
    let done = events.next_of("notifications/tasks/status").await;
    assert_eq!(done["params"]["status"], "completed");
}

/// Ten times each, since a wrong order comes about by chance.
#[tokio::test(flavor = "multi_thread")]
async fn questions_that_are_asked_at_once_are_put_in_their_order() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    for _ in 0..10 {
        client.launch("ask_both", json!({})).await;
        put_in_order(&client, &mut events).await;
        let (id, mut called) =
            client.begin("tools/call", json!({ "name": "ask_both", "arguments": {} })).await;
        put_in_order(&client, &mut called).await;
        // A client that goes before its call has ended is asked elsewhere.
        while called.next().await.expect("the call ends")["id"] != id {}
    }
}

async fn put_in_order(client: &Legacy, events: &mut Events) {
    for message in ["First?", "Second?"] {
        let asked = events.next_of("elicitation/create").await;
        assert_eq!(asked["params"]["message"], message);
        client.answer(&asked, json!({ "action": "decline" })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decline_and_cancel_reach_the_tool_as_such() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    for action in ["decline", "cancel"] {
        let task = client.launch("ask_name", json!({})).await;
        let asked = events.next_of("elicitation/create").await;
        client.answer(&asked, json!({ "action": action })).await;
        assert_eq!(client.text(&task).await, format!("{action} "));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_in_a_row_each_get_their_own_answer() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_many", json!({ "count": 100 })).await;
    for number in 1..=100 {
        let asked = events.next_of("elicitation/create").await;
        assert_eq!(asked["params"]["message"], format!("Name {number}?"));
        client
            .answer(&asked, json!({ "action": "accept", "content": { "name": format!("n{number}") } }))
            .await;
    }
    let names: Vec<String> = serde_json::from_str(&client.text(&task).await).expect("a list");
    assert_eq!(names, (1..=100).map(|number| format!("n{number}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_is_exactly_the_calls_with_the_related_task() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let task = client.launch("steps", json!({})).await;
    let result = client.result("tasks/result", json!({ "taskId": task })).await;
    assert_eq!(
        result,
        json!({ "content": [{ "type": "text", "text": "done" }], "isError": false,
        "_meta": { RELATED: { "taskId": task } } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protocol_error_is_the_result_of_its_task() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let task = client.launch("break", json!({})).await;
    let error = client.error("tasks/result", json!({ "taskId": task })).await;
    assert_eq!(error, json!({ "code": -32011, "message": "It broke.", "data": { "part": 7 } }));
    let found = client.result("tasks/get", json!({ "taskId": task })).await;
    assert_eq!((&found["status"], &found["statusMessage"]), (&json!("failed"), &json!("It broke.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_error_is_shown_as_failed() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let task = client.launch("fail", json!({})).await;
    let result = client.result("tasks/result", json!({ "taskId": task })).await;
    assert_eq!(result["isError"], true);
    let found = client.result("tasks/get", json!({ "taskId": task })).await;
    assert_eq!(found["status"], "failed");
    assert_eq!(
        Modern::new(&server).get(&task).await["status"],
        "completed",
        "the modern era shows the result"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_pages_and_shows_what_get_shows() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut launched = Vec::new();
    for _ in 0..60 {
        launched.push(client.launch("ask_name", json!({})).await);
    }
    let (mut seen, mut cursor): (Vec<Value>, Option<Value>) = (Vec::new(), None);
    loop {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        let mut page = client.result("tasks/list", params).await;
        seen.append(page["tasks"].as_array_mut().expect("a list"));
        cursor = page.get("nextCursor").cloned();
        if cursor.is_none() {
            break;
        }
    }
    let mut ids: Vec<_> = seen.iter().map(|task| task["taskId"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    launched.sort_unstable();
    assert_eq!(ids, launched);
    let other = Legacy::open(&server).await;
    let theirs = other.result("tasks/list", json!({})).await;
    assert_eq!(theirs["tasks"], json!([]), "anonymous sessions do not see each other's tasks");
    assert_eq!(client.error("tasks/list", json!({ "cursor": "nonsense" })).await["code"], -32602);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_withdraws_the_question_and_ends_the_task() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = events.next_of("elicitation/create").await;
    let cancelled = client.result("tasks/cancel", json!({ "taskId": task })).await;
    assert_eq!(cancelled["status"], "cancelled");
    let withdrawn = events.next_of("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    let again = client.error("tasks/cancel", json!({ "taskId": task })).await;
    assert_eq!(again["code"], -32602, "{again}");
    let result = client.error("tasks/result", json!({ "taskId": task })).await;
    assert!(result["message"].as_str().expect("text").contains("cancelled"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_asks_on_its_own_stream() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let params = json!({ "name": "ask_name", "arguments": {}, "_meta": { "progressToken": "p" } });
    let (id, mut events) = client.begin("tools/call", params).await;
    let asked = events.next_of("elicitation/create").await;
    client.answer(&asked, json!({ "action": "accept", "content": { "name": "Bob" } })).await;
    let response = events.next().await.expect("a response");
    assert_eq!(
        (&response["id"], &response["result"]["content"][0]["text"]),
        (&json!(id), &json!("accept \"Bob\""))
    );
    let listed = client.result("tasks/list", json!({})).await;
    assert_eq!(listed["tasks"], json!([]), "a foreground call is not shown as a task");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_tells_of_progress() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let params = json!({ "name": "steps", "arguments": {}, "_meta": { "progressToken": "p" } });
    let (id, mut events) = client.begin("tools/call", params).await;
    for step in 1..=3 {
        let told = events.next_of("notifications/progress").await;
        assert_eq!(told["params"]["progressToken"], "p");
        assert_eq!(told["params"]["progress"], f64::from(step));
    }
    assert_eq!(events.next().await.expect("a response")["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_foreground_call_cancels_its_work() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let (id, mut events) = client.begin("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    events.next_of("elicitation/create").await;
    let task = server.first_task().await;
    client.notify("notifications/cancelled", json!({ "requestId": id })).await;
    soon("the task is cancelled", async {
        while server.task(&task).await.status.as_str() != "cancelled" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    while let Some(message) = events.next().await {
        assert_ne!(message["id"], id, "a cancelled request gets no response");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_tools_tasks_and_bad_params_are_invalid() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    for (method, params) in [
        ("tools/call", json!({ "name": "nothing" })),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "name": "work", "arguments": 5 })),
        ("tools/call", json!({ "name": "work", "arguments": { "ms": "soon" } })),
        ("tools/call", json!({ "name": "work", "task": { "ttl": "long" } })),
        ("tools/call", json!({ "name": "work", "task": 5 })),
        ("tasks/get", json!({ "taskId": "nothing" })),
        ("tasks/get", json!({})),
        ("tasks/result", json!({ "taskId": "nothing" })),
        ("tasks/cancel", json!({ "taskId": "nothing" })),
    ] {
        let error = client.error(method, params.clone()).await;
        assert_eq!(error["code"], -32602, "{method} {params}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_progress_token_stays_valid_for_the_tasks_life() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let params = json!({ "name": "steps", "arguments": {}, "task": {}, "_meta": { "progressToken": 7 } });
    let created = client.result("tools/call", params).await;
    for step in 1..=3 {
        let told = events.next_of("notifications/progress").await;
        assert_eq!(told["params"]["progressToken"], 7);
        assert_eq!(told["params"]["progress"], f64::from(step));
        assert_eq!(told["params"]["_meta"][RELATED]["taskId"], created["task"]["taskId"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_says_why_wherever_it_is_shown() {
    let server = Server::start().await;
    let (client, modern) = (Legacy::open(&server).await, Modern::new(&server));
    let mut events = client.listen(None).await;
    for (tool, why, status) in [("break", "It broke.", "failed"), ("fail", "It did not work.", "completed")] {
        let task = client.launch(tool, json!({})).await;
        let told = soon("the end is told", async {
            loop {
                let told = events.next_of("notifications/tasks/status").await["params"].take();
                if told["status"] == "failed" {
                    return told;
                }
            }
        })
        .await;
        let got = client.result("tasks/get", json!({ "taskId": task })).await;
        let listed = client.result("tasks/list", json!({})).await["tasks"][0].take();
        for shown in [told, got, listed] {
            assert_eq!(
                (&shown["status"], &shown["statusMessage"]),
                (&json!("failed"), &json!(why)),
                "{tool}"
            );
        }
        assert_eq!(modern.until(&task, status).await["statusMessage"], why, "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_prompt_names_its_task_and_no_message_of_a_plain_call_does() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    events.next_of("elicitation/create").await;
    client.result("tasks/cancel", json!({ "taskId": task })).await;
    let withdrawn = events.next_of("notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["_meta"][RELATED]["taskId"], task, "{withdrawn}");
    let params = json!({ "name": "ask_name", "arguments": {}, "_meta": { "progressToken": "p" } });
    let (id, mut stream) = client.begin("tools/call", params).await;
    let asked = stream.next_of("elicitation/create").await;
    assert!(asked["params"]["_meta"].get(RELATED).is_none(), "{asked}");
    let hidden = server.engine.list(
        &mcptask::engine::Viewer::Operator,
        mcptask::store::TaskFilter { hidden: true, ..mcptask::store::TaskFilter::default() },
        None,
        10,
    );
    let hidden = hidden.await.expect("lists").tasks;
    let hidden = hidden.iter().find(|task| task.new.hidden).expect("the call's task");
    let question = &hidden.questions[0].id;
    let answer = mcptask::task::Answer::cancel(mcptask::task::Answerer::Operator, "for the test");
    server.engine.store().answer(hidden.id(), question, &answer).await.expect("answers");
    while let Some(message) = soon("the call ends", stream.next()).await {
        assert!(!message.to_string().contains("related-task"), "{message}");
        if message["id"] == id {
            return;
        }
    }
    panic!("the call has no response");
}
