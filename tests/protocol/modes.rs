//! What a modern client is asked, and what is decided for it: only what it declared that it can be asked is shown to it.

use std::time::Duration;

use mcptask::engine::Viewer;
use mcptask::server::Unanswerable;
use mcptask::store::EventFilter;
use mcptask::task::{Action, Answer, Answerer, Cursor, EventKind};
use serde_json::{Map, Value, json};

use crate::support::bench::Bench;
use crate::support::http::{Events, Legacy, Modern};
use crate::support::{Server, soon, tools};

/// More than enough for what happens at once, and less than any time that something is waited out for.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A client that looks until its task has ended; asserts that it is shown no question meanwhile.
async fn unasked(client: &Modern, task: &str) -> Value {
    let done = tokio::time::timeout(AT_ONCE, async {
        loop {
            let found = client.get(task).await;
            assert_unasked(&found);
            if found["status"] == "completed" {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    done.await.expect("it is decided at once")
}

fn assert_unasked(shown: &Value) {
    assert!(shown.get("inputRequests").is_none() && shown["status"] != "input_required", "{shown}");
    let message = shown["statusMessage"].as_str().unwrap_or_default();
    assert!(!["Name 1?", "What is your name?", "Please sign."].contains(&message), "{shown}");
}

fn text(shown: &Value) -> &str {
    shown["result"]["content"][0]["text"].as_str().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_declared_nothing_is_shown_no_question_and_its_task_goes_on_at_once() {
    let server = Server::start().await;
    let client = Modern::with_modes(&server, Value::Null);
    let task = client.launch("ask_many", json!({ "count": 3 })).await;
    assert_eq!(text(&unasked(&client, &task).await), json!(["cancel", "cancel", "cancel"]).to_string());
    for question in server.task(&task).await.questions {
        let answer = question.answer.expect("an answer");
        assert_eq!(answer.by, Answerer::Policy);
        assert_eq!(answer.reason.as_deref(), Some("the client did not declare the elicitation capability"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_stands_for_itself() {
    let server = Server::start().await;
    for (modes, form, url) in [
        (json!({}), true, false),
        (json!({ "form": {} }), true, false),
        (json!({ "url": {} }), false, true),
        (json!({ "form": {}, "url": {} }), true, true),
    ] {
        let client = Modern::with_modes(&server, modes.clone());
        for (tool, asked, mode) in [("ask_name", form, "form"), ("ask_page", url, "URL")] {
            let task = client.launch(tool, json!({})).await;
            if asked {
                let asking = client.until(&task, "input_required").await;
                assert!(asking["inputRequests"].get("q1").is_some(), "{modes} {tool}: {asking}");
                client.result("tasks/cancel", json!({ "taskId": task })).await;
            } else {
                let done = unasked(&client, &task).await;
                assert!(
                    text(&done).contains(&format!("did not declare elicitation by {mode}")),
                    "{modes}: {done}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_questions_a_client_is_shown_those_that_it_can_be_asked() {
    let server = Server::start().await;
    let client = Modern::with_modes(&server, json!({}));
    let task = client.launch("ask_form_and_page", json!({})).await;
    let asking = client.until(&task, "input_required").await;
    let keys: Vec<_> =
        asking["inputRequests"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((keys, &asking["statusMessage"]), (vec!["q1"], &json!("Your name?")), "{asking}");
    let answers = json!({ "q1": { "action": "decline" } });
    client.result("tasks/update", json!({ "taskId": task, "inputResponses": answers })).await;
    assert_eq!(text(&client.until(&task, "completed").await), "decline cancel");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_to_others_is_shown_to_them_only() {
    let server = Server::with(|config| config.unanswerable = Unanswerable::Wait).await;
    let (mute, other) = (Modern::with_modes(&server, Value::Null), Modern::new(&server));
    let task = mute.launch("ask_name", json!({})).await;
    let mut log = server.engine.watch(EventFilter::All, Cursor::START).await.expect("a watch");
    let noted = tokio::time::timeout(AT_ONCE, async {
        loop {
            if let EventKind::Noted { note } = log.next().await.expect("an event").kind {
                return note;
            }
        }
    });
    let noted = noted.await.expect("it is noted at once");
    assert!(noted.contains("q1 waits for an operator") && noted.contains("did not declare"), "{noted}");
    let shown = mute.get(&task).await;
    assert_unasked(&shown);
    assert_eq!(shown["status"], "working");
    assert!(other.until(&task, "input_required").await["inputRequests"].get("q1").is_some());
    let answers = json!({ "q1": { "action": "accept", "content": { "name": "Ada" } } });
    other.result("tasks/update", json!({ "taskId": task, "inputResponses": answers })).await;
    assert_eq!(text(&unasked(&mute, &task).await), "accept \"Ada\"");
}

/// The operator answers the question that the only task here waits with.
async fn operator_answers(server: &Server, question: &str, answer: Answer) {
    let (task, id) = (server.first_task().await, question.parse().expect("an id"));
    let mut log = server.engine.watch(EventFilter::All, Cursor::START).await.expect("a watch");
    let wanted = format!("{question} waits for an operator");
    let noted = async {
        while !matches!(log.next().await.expect("an event").kind, EventKind::Noted { note } if note.contains(&wanted))
        {
        }
    };
    soon("a note", noted).await;
    let task = task.parse().expect("an id");
    server.engine.answer(&Viewer::Operator, &task, &id, answer).await.expect("it is open");
}

/// An operator is shown what calls ask, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_asks_of_nobody_is_left_to_others_too() {
    let call = json!({ "name": "ask_name", "arguments": {} });
    let accepted =
        || Answer::accept(Map::from_iter([("name".to_owned(), json!("Olga"))]), Answerer::Operator);
    let serve = || Server::with(|config| config.unanswerable = Unanswerable::Wait);

    let server = serve().await;
    let client = Legacy::with(&server, json!({}), None).await;
    let (_, mut events) = client.begin("tools/call", call.clone()).await;
    operator_answers(&server, "q1", accepted()).await;
    let response = soon("a response", events.next()).await.expect("a response");
    assert_eq!(text(&response), "accept \"Olga\"", "{response}");

    let server = serve().await;
    let mut client = Modern::with_modes(&server, Value::Null);
    client.declares = false;
    let (response, ()) =
        tokio::join!(client.request("tools/call", call), operator_answers(&server, "q1", accepted()));
    assert_eq!(text(&response), "accept \"Olga\"", "{response}");

    // What it can be asked is asked meanwhile.
    let server = serve().await;
    let mut client = Modern::with_modes(&server, json!({}));
    client.declares = false;
    let call = json!({ "name": "ask_form_and_page", "arguments": {} });
    let asked = client.result("tools/call", call.clone()).await;
    let keys: Vec<_> =
        asked["inputRequests"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((&asked["resultType"], keys), (&json!("input_required"), vec!["q1"]), "{asked}");
    let mut again = call;
    again["inputResponses"] = json!({ "q1": { "action": "decline" } });
    again["requestState"] = asked["requestState"].clone();
    let accepted = Answer::new(Action::Accept, Answerer::Operator);
    let (response, ()) =
        tokio::join!(client.request("tools/call", again), operator_answers(&server, "q2", accepted));
    assert_eq!(text(&response), "decline accept", "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_is_shown_no_question_and_decides_none() {
    let server = Server::start().await;
    let (owner, mute) = (Modern::new(&server), Modern::with_modes(&server, Value::Null));
    let task = owner.launch("ask_name", json!({})).await;
    owner.until(&task, "input_required").await;
    assert_unasked(&mute.get(&task).await);
    assert!(owner.get(&task).await["inputRequests"].get("q1").is_some(), "it is the owner's still");
    let answers = json!({ "q1": { "action": "accept", "content": { "name": "Ada" } } });
    owner.result("tasks/update", json!({ "taskId": task, "inputResponses": answers })).await;
    assert_eq!(text(&unasked(&mute, &task).await), "accept \"Ada\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_is_shown_only_what_it_can_be_asked() {
    let server = Server::start().await;
    let (owner, mute) = (Modern::new(&server), Modern::with_modes(&server, json!({ "url": {} })));
    let task = owner.launch("ask_name", json!({})).await;
    owner.until(&task, "input_required").await;
    let (_, request) = mute.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [task] } }));
    let mut events = Events::new(request.send().await.expect("a stream"));
    events.next_of("notifications/subscriptions/acknowledged").await;
    let first = events.next_of("notifications/tasks").await;
    assert_unasked(&first["params"]);
    let answers = json!({ "q1": { "action": "decline" } });
    owner.result("tasks/update", json!({ "taskId": task, "inputResponses": answers })).await;
    loop {
        let told = soon("a change", events.next_of("notifications/tasks")).await;
        assert_unasked(&told["params"]);
        if told["params"]["status"] == "completed" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_asks_before_it_is_a_task_asks_only_who_can_be_asked_so() {
    let server = Server::start().await;
    let call = json!({ "name": "ask_first", "arguments": {} });
    let asked = Modern::new(&server).result("tools/call", call.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    for modes in [Value::Null, json!({ "url": {} })] {
        let client = Modern::with_modes(&server, modes.clone());
        let task = client.launch("ask_first", json!({})).await;
        let done = unasked(&client, &task).await;
        assert!(text(&done).starts_with("cancel the client did not declare"), "{modes}: {done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_while_the_log_could_not_be_read_is_decided_too() {
    let server = Server::on(Bench::redis(), |_| {}).await;
    let client = Modern::with_modes(&server, Value::Null);
    let mut tasks = Vec::new();
    for _ in 0..20 {
        tasks.push(client.launch("ask_many", json!({ "count": 10 })).await);
    }
    let Bench::Redis(redis) = server.bench() else { panic!("this is about Redis") };
    let killed: i64 = redis.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).expect("kills");
    assert!(killed >= 2, "{killed}");
    for task in tasks {
        let done = soon("it ends", client.until(&task, "completed")).await;
        assert_eq!(text(&done), json!(vec!["cancel"; 10]).to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_in_a_part_of_the_log_that_is_gone_is_decided_too() {
    let server = Server::on(Bench::redis(), |_| {}).await;
    let Bench::Redis(redis) = server.bench() else { panic!("this is about Redis") };
    let client = Modern::with_modes(&server, Value::Null);
    let task = client.launch("ask_when_told", json!({})).await;
    soon("the tool runs", async {
        while server.task(&task).await.status_message.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // Whoever reads the log is cut off whenever it comes back, until the question is in the log and the log is cut.
    let cut_off = || {
        let clients: String = redis.ask(&["CLIENT", "LIST"]).expect("lists");
        for client in clients.lines().filter(|client| client.contains(" cmd=xread ")) {
            let id = client.split_once("id=").and_then(|(_, rest)| rest.split(' ').next()).expect("an id");
            let _: redis::RedisResult<i64> = redis.ask(&["CLIENT", "KILL", "ID", id]);
        }
    };
    tools::tell();
    soon("the question is in the store", async {
        loop {
            cut_off();
            if !server.task(&task).await.questions.is_empty() {
                return;
            }
        }
    })
    .await;
    let keys: Vec<String> = redis.ask(&["KEYS", "*:events"]).expect("lists");
    let _: i64 = redis.ask(&["XTRIM", &keys[0], "MAXLEN", "0"]).expect("cuts");
    let done = soon("it ends", client.until(&task, "completed")).await;
    assert!(text(&done).starts_with("cancel the client did not declare"), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_that_names_only_unknown_modes_is_none_in_both_eras() {
    let server = Server::start().await;
    let unknown = json!({ "holo": {} });
    let client = Modern::with_modes(&server, unknown.clone());
    for tool in ["ask_name", "ask_page"] {
        let task = client.launch(tool, json!({})).await;
        let done = unasked(&client, &task).await;
        assert!(text(&done).contains("did not declare the elicitation capability"), "{tool}: {done}");
    }
    let legacy = Legacy::with(&server, json!({ "elicitation": unknown }), None).await;
    let task = legacy.launch("ask_page", json!({})).await;
    let told = soon("it is decided", legacy.text(&task)).await;
    assert!(told.contains("did not declare the elicitation capability"), "{told}");
}
