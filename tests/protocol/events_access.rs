//! Of whose tasks the Events extension tells whom, and what may be asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::events::{ASKED, now, of, offering, open, polled, without_streams};
use crate::support::http::{Legacy, Modern};
use crate::support::{Server, soon};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_scopes_own_tasks_are_told_and_no_foreground_call() {
    let server = offering().await;
    let (anna, ben) = (Modern::with_token(&server, "one"), Modern::with_token(&server, "two"));
    let begin = now(&anna).await;
    let (_, mut stream) = open(&ben, ASKED, json!({})).await;
    stream.next_of("notifications/events/active").await;
    let mut foreground = ben.clone();
    foreground.declares = false;
    let asked = foreground.result("tools/call", json!({ "name": "ask_name", "arguments": {} })).await;
    assert!(asked["requestState"].is_string(), "a call that asks, and no task: {asked}");
    let hers = anna.launch("ask_name", json!({})).await;
    anna.until(&hers, "input_required").await;
    let his = ben.launch("ask_name", json!({})).await;
    let told = stream.next_of("notifications/events/event").await;
    assert_eq!(told["params"]["data"]["taskId"], his);
    for (client, task) in [(&anna, hers), (&ben, his)] {
        let found = polled(client, ASKED, &begin, 1).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["data"]["taskId"], task, "of whoever the cursor is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_and_a_session_may_be_chosen() {
    let server = offering().await;
    let client = Modern::with_token(&server, "one");
    let begin = now(&client).await;
    let legacy = Legacy::with(&server, json!({ "elicitation": {} }), Some("one")).await;
    let of_session = legacy.launch("ask_name", json!({})).await;
    let page = client.launch("ask_page", json!({})).await;
    assert_eq!(polled(&client, ASKED, &begin, 2).await.len(), 2);
    let found = async |arguments: Value| -> BTreeSet<String> {
        let params = of(ASKED, json!({ "cursor": begin, "arguments": arguments }));
        let mut found = client.result("events/poll", params).await;
        let Value::Array(events) = found["events"].take() else { panic!("{found}") };
        events.iter().map(|event| event["data"]["taskId"].as_str().expect("an id").to_owned()).collect()
    };
    let set = |tasks: &[&String]| tasks.iter().map(|task| (*task).clone()).collect::<BTreeSet<String>>();
    assert_eq!(found(json!({ "tool": "ask_*" })).await, set(&[&of_session, &page]));
    assert_eq!(found(json!({ "tool": "*page" })).await, set(&[&page]));
    assert_eq!(found(json!({ "tool": "ask" })).await, set(&[]));
    assert_eq!(found(json!({ "session": legacy.session })).await, set(&[&of_session]));
    assert_eq!(found(json!({ "session": legacy.session, "tool": "*page" })).await, set(&[]));
    assert_eq!(found(json!({ "session": null, "tool": null })).await, set(&[&of_session, &page]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_token_is_told_of_a_session_that_it_names_alone() {
    let server = Server::with(|config| config.experimental_events = true).await;
    let client = Modern::new(&server);
    for method in ["events/poll", "events/stream"] {
        let error = client.error(method, of(ASKED, json!({}))).await;
        assert_eq!(error["code"], -32024, "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("token")), "{error}");
    }
    let legacy = Legacy::open(&server).await;
    let arguments = json!({ "session": legacy.session });
    let begun = client.result("events/poll", of(ASKED, json!({ "arguments": arguments }))).await;
    client.launch("ask_name", json!({})).await;
    let task = legacy.launch("ask_name", json!({})).await;
    let found = soon("its question", async {
        loop {
            let params = of(ASKED, json!({ "arguments": arguments, "cursor": begun["cursor"] }));
            let found = client.result("events/poll", params).await;
            if found["events"] != json!([]) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let tasks: Vec<_> =
        found["events"].as_array().expect("a list").iter().map(|one| &one["data"]["taskId"]).collect();
    assert_eq!(tasks, [&json!(task)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_subscribed_to_is_named_and_opens_no_stream() {
    let server = offering().await;
    let client = Modern::with_token(&server, "one");
    for method in ["events/poll", "events/stream"] {
        let unknown = client.error(method, of("task.paused", json!({}))).await;
        assert_eq!(
            (&unknown["code"], &unknown["data"]),
            (&json!(-32023), &json!({ "kind": "event" })),
            "{unknown}"
        );
        for (params, named) in [
            (json!({ "arguments": {} }), "params.name is missing"),
            (of(ASKED, json!({ "arguments": { "status": "x" } })), "params.arguments.status"),
            (of(ASKED, json!({ "arguments": { "tool": 5 } })), "params.arguments.tool must be a string"),
            (of(ASKED, json!({ "arguments": { "session": "a b" } })), "has a space"),
            (of(ASKED, json!({ "arguments": [] })), "params.arguments must be an object"),
            (of(ASKED, json!({ "cursor": "yesterday" })), "not one that this server gave"),
            (of(ASKED, json!({ "cursor": 5 })), "not one that this server gave"),
            (of(ASKED, json!({ "maxAgeMs": -1 })), "params.maxAgeMs"),
        ] {
            let error = client.error(method, params.clone()).await;
            assert_eq!(error["code"], -32602, "{params}: {error}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains(named)), "{params}: {error}");
        }
    }
    let error = client.error("events/poll", of(ASKED, json!({ "maxEvents": 0 }))).await;
    assert!(error.to_string().contains("params.maxEvents must be a whole number from 1 on"), "{error}");
    let (status, text) = without_streams(&client).await;
    assert_eq!(status, 406);
    assert!(text.contains("the response to events/stream is a stream"), "{text}");
    assert_eq!(client.error("events/subscribe", of(ASKED, json!({}))).await["code"], -32601, "no webhooks");
}
