//! What a client holds: its streams, its sessions, and the requests in which it waits.

use std::time::{Duration, Instant};

use futures::future::join_all;
use mcptask::task::{ToolSpec, WorkerId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::http::{Events, LEGACY, Legacy, Modern, client};
use crate::support::{Server, soon};

/// More than enough for what happens at once, and less than any time that something was waited out for.
const AT_ONCE: Duration = Duration::from_secs(5);

fn accept(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

/// The next question on a stream, which has to come before any time is waited out.
async fn asked_at_once(events: &mut Events) -> Value {
    let asked = tokio::time::timeout(AT_ONCE, events.next_of("elicitation/create")).await;
    asked.expect("the question comes at once")
}

async fn cancel(client: &Legacy, request: i64) {
    client.notify("notifications/cancelled", json!({ "requestId": request })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_wait_for_a_result_keeps_its_question_when_the_first_is_cancelled() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let task = client.launch("ask_name", json!({})).await;
    let (first, mut there) = client.begin("tasks/result", json!({ "taskId": task })).await;
    asked_at_once(&mut there).await;
    let (second, mut here) = client.begin("tasks/result", json!({ "taskId": task })).await;
    // The ping comes back when both requests have been looked at.
    client.request("ping", json!({})).await;
    cancel(&client, first).await;
    let asked = asked_at_once(&mut here).await;
    client.answer(&asked, accept("Ada")).await;
    let response = here.next().await.expect("the result");
    assert_eq!(response["id"], second);
    assert_eq!(response["result"]["content"][0]["text"], "accept \"Ada\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_waits_of_a_client_for_a_strangers_task_are_one_question() {
    let first = Server::start().await;
    let mut second = first.beside(|_| {}).await;
    let owner = Legacy::open(&second).await;
    let task = owner.launch("ask_name", json!({})).await;
    second.stop.cancel();
    soon("the server stops", &mut second.served).await.expect("no panic").expect("a clean end");
    let client = Legacy::open(&first).await;
    let (one, mut there) = client.begin("tasks/result", json!({ "taskId": task })).await;
    asked_at_once(&mut there).await;
    let (_, mut here) = client.begin("tasks/result", json!({ "taskId": task })).await;
    let twice = tokio::time::timeout(Duration::from_millis(300), here.next()).await;
    assert!(twice.is_err(), "it is in front of the client already: {twice:?}");
    cancel(&client, one).await;
    let asked = loop {
        let message = soon("the question", here.next()).await.expect("the stream is open");
        if message["method"] == "elicitation/create" {
            break message;
        }
        assert_eq!(message["method"], "notifications/cancelled", "the other prompt is withdrawn: {message}");
    };
    client.answer(&asked, accept("Ada")).await;
    let response = here.next().await.expect("the result");
    assert_eq!(response["result"]["content"][0]["text"], "accept \"Ada\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_moves_to_another_open_stream_when_its_own_closes() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    let mut events = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let first = asked_at_once(&mut events).await;
    let (_, mut here) = client.begin("tasks/result", json!({ "taskId": task })).await;
    client.request("ping", json!({})).await;
    drop(events);
    let withdrawn = tokio::time::timeout(AT_ONCE, here.next_of("notifications/cancelled")).await;
    let withdrawn = withdrawn.expect("never two prompts at once");
    assert_eq!(withdrawn["params"]["requestId"], first["id"]);
    let second = asked_at_once(&mut here).await;
    client.answer(&second, accept("Ada")).await;
    let response = here.next().await.expect("the result");
    assert_eq!(response["result"]["content"][0]["text"], "accept \"Ada\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_with_progress_ends_when_its_task_does() {
    let server = Server::start().await;
    let (modern, legacy) = (Modern::undeclared(&server), Legacy::open(&server).await);
    let mut late = Vec::new();
    for round in 0..20 {
        let params = json!({ "name": "work", "arguments": { "ms": 20 },
            "_meta": { "progressToken": format!("p{round}") } });
        let begun = Instant::now();
        modern.result("tools/call", params.clone()).await;
        legacy.result("tools/call", params).await;
        if begun.elapsed() > Duration::from_millis(900) {
            late.push(begun.elapsed());
        }
    }
    assert!(late.len() < 3, "a busy machine may be late now and then, not so often: {late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_call_tells_each_step_before_its_result() {
    let server = Server::start().await;
    let client = Legacy::open(&server).await;
    for round in 0..5 {
        let params =
            json!({ "name": "steps", "arguments": {}, "_meta": { "progressToken": format!("p{round}") } });
        let (id, mut events) = client.begin("tools/call", params).await;
        for step in 1..=3 {
            let told = events.next().await.expect("a step");
            assert_eq!(told["params"]["progress"].as_f64(), Some(f64::from(step)), "{told}");
        }
        assert_eq!(events.next().await.expect("the response")["id"], id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_in_use_is_refused_and_the_first_request_keeps_its_stream() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let (id, mut first) =
        session.begin("tools/call", json!({ "name": "work", "arguments": { "ms": 400 } })).await;
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string();
    let send = async || session.send(Method::POST).body(body.clone()).send().await.expect("a response");
    let refused = Events::new(send().await).next().await.expect("a response");
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(id), &json!(-32600)), "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("its own id")));
    let response = soon("the first response", first.next()).await.expect("the stream is still its own");
    assert_eq!(response["result"]["content"][0]["text"], "worked");
    let again = Events::new(send().await).next().await.expect("a response");
    assert_eq!(again["result"], json!({}), "the id is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_no_event_had_is_refused_so_that_no_client_comes_back_to_it_for_ever() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    for id in ["0-18446744073709551615", "0-7", "7-0", "18446744073709551615-18446744073709551615", "x"] {
        // With an empty stream clients come back at once, and after each of them again.
        let response =
            session.send(Method::GET).header("last-event-id", id).send().await.expect("a response");
        assert_eq!(response.status(), 400, "{id}");
        let error: Value = response.json().await.expect("JSON");
        let message = error["error"]["message"].as_str().expect("text");
        assert!(message.contains("without Last-Event-ID"), "{message}");
    }
    let mut events = session.listen(None).await;
    session.launch("ask_name", json!({})).await;
    asked_at_once(&mut events).await;
    assert_eq!(session.request("ping", json!({})).await["result"], json!({}), "the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_begin_at_once_do_not_pass_the_limit() {
    let server = Server::with(|config| config.max_sessions = 20).await;
    let (http, url) = (client(), server.url());
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } });
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string();
    let begin = || async {
        let request = http.post(&url).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        request.body(body.clone()).send().await.expect("a response").status().as_u16()
    };
    let statuses = join_all((0..200).map(|_| begin())).await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (20, 180), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_makes_place_for_another() {
    let server = Server::with(|config| config.max_sessions = 1).await;
    for _ in 0..3 {
        let session = Legacy::open(&server).await;
        let closed = session.send(Method::DELETE).send().await.expect("a response");
        assert_eq!(closed.status(), 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_ends_a_subscription_with_its_response() {
    let mut server = Server::start().await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    let (id, request) =
        client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [task] } }));
    let mut events = Events::new(request.send().await.expect("a stream"));
    events.next_of("notifications/subscriptions/acknowledged").await;
    server.stop.cancel();
    let last = loop {
        let message = soon("the response", events.next()).await.expect("the stream ends with a response");
        if message.get("method").is_none() {
            break message;
        }
    };
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!(id), &json!("complete")), "{last}");
    assert!(events.next().await.is_none());
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_does_not_wait_for_streams_that_only_listen() {
    let mut server = Server::start().await;
    let session = Legacy::open(&server).await;
    let mut events = session.listen(None).await;
    let task = session.launch("ask_name", json!({})).await;
    asked_at_once(&mut events).await;
    let (id, mut waiting) = session.begin("tasks/result", json!({ "taskId": task })).await;
    session.request("ping", json!({})).await;
    let begun = Instant::now();
    server.stop.cancel();
    let response = waiting.next().await.expect("a response");
    assert!(response["id"] == id && response["error"].is_object(), "{response}");
    while events.next().await.is_some() {}
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_tools_comes_in_pages() {
    let server = Server::start().await;
    let specs: Vec<_> = (0..6)
        .map(|number| {
            ToolSpec::new(&format!("large{number}"), &"x".repeat(300 * 1024), json!({ "type": "object" }))
        })
        .collect();
    let worker = WorkerId::generate("large");
    server.engine.store().enlist(&worker, None, &specs, Duration::from_secs(60)).await.expect("enlists");
    let (modern, legacy) = (Modern::new(&server), Legacy::open(&server).await);
    let expected: Vec<_> =
        server.engine.tools().await.expect("tools").into_iter().map(|spec| json!(spec.name)).collect();
    let (mut names, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let page = legacy.result("tools/list", json!({ "cursor": cursor })).await;
        let same = modern.result("tools/list", json!({ "cursor": cursor })).await;
        assert_eq!(same["nextCursor"], page["nextCursor"]);
        assert!(page.to_string().len() < 1200 * 1024);
        names.extend(page["tools"].as_array().expect("a list").iter().map(|tool| tool["name"].clone()));
        (cursor, pages) = (page["nextCursor"].clone(), pages + 1);
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((names, pages), (expected, 2));
    assert_eq!(legacy.error("tools/list", json!({ "cursor": "nothing" })).await["code"], -32602);
}

/// How many commands the server has done.
async fn commands(bench: &Bench) -> u64 {
    let Bench::Redis(server) = bench else { panic!("this is about Redis") };
    let client = redis::Client::open(server.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let info: String = redis::cmd("INFO").arg("stats").query_async(&mut connection).await.expect("tells");
    let line = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    line.expect("counted").trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_away_is_not_searched_for_sessions_without_tasks() {
    const SESSIONS: u64 = 300;
    let server = Server::on(Bench::redis(), |_| {}).await;
    let mut idle = Vec::new();
    for _ in 0..SESSIONS {
        idle.push(Legacy::open(&server).await);
    }
    let busy = Legacy::open(&server).await;
    let mut events = busy.listen(None).await;
    let task = busy.launch("ask_name", json!({})).await;
    let asked = asked_at_once(&mut events).await;
    let before = commands(server.bench()).await;
    let Bench::Redis(redis) = server.bench() else { panic!("this is about Redis") };
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let killed: u64 = redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("normal")
        .arg("SKIPME")
        .arg("yes")
        .query_async(&mut connection)
        .await
        .expect("kills");
    assert!(killed >= 2, "{killed}");
    busy.answer(&asked, accept("Ada")).await;
    assert_eq!(busy.text(&task).await, "accept \"Ada\"");
    let done = commands(server.bench()).await - before;
    // To look through one costs three commands at least.
    assert!(done < 2 * SESSIONS, "{done} commands for one answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_ends_every_subscription_with_its_result_and_every_stream_with_its_end() {
    let mut server = Server::start().await;
    let client = Modern::new(&server);
    let (asking, working) =
        (client.launch("ask_name", json!({})).await, client.launch("work", json!({ "ms": 60000 })).await);
    let mut listening = Vec::new();
    for number in 0..24 {
        let notifications = match number % 3 {
            0 => json!({ "taskIds": [asking] }),
            1 => json!({ "toolsListChanged": true }),
            _ => json!({ "taskIds": [asking, working], "toolsListChanged": true }),
        };
        let (id, request) = client.begin("subscriptions/listen", json!({ "notifications": notifications }));
        listening.push((id, request.send().await.expect("a stream")));
    }
    let session = Legacy::open(&server).await;
    let standalone = session.send(Method::GET).send().await.expect("a stream");
    server.stop.cancel();
    for (id, stream) in listening {
        let said = to_its_end(stream).await;
        let ended: Vec<Value> = messages(&said).filter(|message| message["id"] == id).collect();
        assert_eq!(ended.len(), 1, "{said}");
        assert_eq!(ended[0]["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{said}");
        assert_eq!(messages(&said).last(), ended.last().cloned(), "it is the last message");
    }
    to_its_end(standalone).await;
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_waits_for_its_store_ends_with_its_result_too() {
    let mut server = Server::on(Bench::redis(), |_| {}).await;
    let client = Modern::new(&server);
    let task = client.launch("ask_name", json!({})).await;
    client.until(&task, "input_required").await;
    let Bench::Redis(redis) = server.bench() else { panic!("this is about Redis") };
    redis.signal("STOP");
    let (id, request) =
        client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": [task] } }));
    let response = tokio::spawn(request.send());
    // Nothing tells when it has begun to wait; where it has not, it finds a server that stops.
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop.cancel();
    let begun = Instant::now();
    let response = soon("a response", response).await.expect("no panic").expect("a response");
    let ended: Value = response.json().await.expect("JSON");
    assert_eq!(ended["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{ended}");
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let Bench::Redis(redis) = server.bench() else { panic!("this is about Redis") };
    redis.signal("CONT");
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

/// All that a stream said, to its own end: one that breaks off is an error.
async fn to_its_end(mut stream: reqwest::Response) -> String {
    let mut said = String::new();
    while let Some(part) = soon("the stream ends", stream.chunk()).await.expect("it does not break off") {
        said.push_str(std::str::from_utf8(&part).expect("text"));
    }
    said
}

fn messages(said: &str) -> impl Iterator<Item = Value> {
    said.lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str(data).ok())
}
