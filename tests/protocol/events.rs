//! The Events extension (SEP-3415), which is offered only where somebody asked for it.

use std::collections::BTreeSet;
use std::time::Duration;

use mcptask::server::{ServeConfig, Tokens};
use mcptask::store::ClaimKey;
use mcptask::task::{Ask, NewTask, Scope, TaskId, ToolSpec, WorkerId};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::http::{Events, Legacy, Modern};
use crate::support::{Server, soon};

const EXTENSION: &str = "io.modelcontextprotocol/events";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const METHODS: [&str; 3] = ["events/list", "events/poll", "events/stream"];
pub(crate) const ASKED: &str = "task.input_required";
const ENDED: &str = "task.ended";

/// Runs each of the named functions of this module on both engines.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::support::bench::Bench::sqlite()).await;
            })+
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::support::bench::Bench::redis()).await;
            })+
        }
    };
}

on_both_engines!(
    a_poll_begins_now_and_goes_on_from_its_cursor,
    a_poll_is_bounded_and_says_that_there_is_more,
    who_was_away_is_told_by_another_process_what_it_missed,
    what_the_log_does_not_have_any_more_is_truncated,
    a_stream_tells_what_happens_as_it_happens,
    a_client_that_does_not_read_is_told_all_once_it_does,
);

pub(crate) fn offers(config: &mut ServeConfig) {
    config.experimental_events = true;
    config.tokens = Tokens::new(&[("one".into(), "anna".into()), ("two".into(), "ben".into())]);
}

pub(crate) async fn offering() -> Server {
    Server::with(offers).await
}

pub(crate) fn of(name: &str, more: Value) -> Value {
    let mut params = json!({ "name": name, "arguments": {} });
    let (Value::Object(all), Value::Object(more)) = (&mut params, more) else { panic!("objects") };
    all.extend(more);
    params
}

/// Where the log ends.
pub(crate) async fn now(client: &Modern) -> Value {
    client.result("events/poll", of(ASKED, json!({ "cursor": null }))).await["cursor"].take()
}

/// What has come after that cursor, once there is so much of it.
pub(crate) async fn polled(client: &Modern, name: &str, cursor: &Value, count: usize) -> Vec<Value> {
    soon(&format!("{count} events {name}"), async {
        loop {
            let mut found = client.result("events/poll", of(name, json!({ "cursor": cursor }))).await;
            let Value::Array(events) = found["events"].take() else { panic!("{found}") };
            if events.len() >= count {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

pub(crate) async fn open(client: &Modern, name: &str, more: Value) -> (i64, Events) {
    let (id, request) = client.begin("events/stream", of(name, more));
    (id, Events::new(request.send().await.expect("a stream")))
}

/// Asks so many questions, each in a task of its own, with a form of so many bytes.
async fn ask(server: &Server, count: usize, bytes: usize) {
    let (store, worker) = (server.engine.store(), WorkerId::generate("asks"));
    let spec = ToolSpec::new("large", "large", json!({ "type": "object" }));
    store.enlist(&worker, None, &[spec], Duration::from_secs(600)).await.expect("enlists");
    let stop = tokio_util::sync::CancellationToken::new();
    for _ in 0..count {
        let new = NewTask {
            id: TaskId::generate(),
            tool: "large".to_owned(),
            arguments: serde_json::Map::new(),
            scope: Scope::named("anna"),
            session: None,
            hidden: false,
            ttl_ms: Some(600_000),
            max_attempts: 1,
        };
        store.submit(&new, 100_000).await.expect("is stored");
    }
    let mut claimed = Vec::new();
    while claimed.len() < count {
        let more = store.claim(&worker, &["large".to_owned()], count, &stop).await.expect("claims");
        claimed.extend(more.into_iter().map(|task| ClaimKey { task: task.new.id, attempt: task.attempt }));
    }
    for (number, claim) in claimed.iter().enumerate() {
        let form = json!({ "type": "object", "description": "x".repeat(bytes),
            "properties": { "name": { "type": "string" } } });
        let asks = [Ask::form(format!("Number {number}?"), form)];
        store.ask(claim, 1, &asks, Some(Duration::from_secs(600))).await.expect("asks");
    }
}

/// The status of the refusal of a stream to who takes JSON alone, and the refusal.
pub(crate) async fn without_streams(client: &Modern) -> (u16, String) {
    let (_, request) = client.begin("events/stream", of(ASKED, json!({})));
    let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let refused = request.headers(accept).send().await.expect("a response");
    (refused.status().as_u16(), refused.text().await.expect("text"))
}

fn message(event: &Value) -> String {
    let requests = event["data"]["inputRequests"].as_object().expect("an object");
    requests.values().next().expect("a question")["params"]["message"].as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_is_on_the_wire_unless_it_is_asked_for() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let found = client.result("server/discover", json!({})).await;
    assert!(found["capabilities"]["extensions"].get(EXTENSION).is_none(), "{found}");
    assert!(found["capabilities"].get("events").is_none(), "{found}");
    for method in METHODS {
        assert_eq!(client.error(method, of(ASKED, json!({}))).await["code"], -32601, "{method}");
    }
    assert_eq!(without_streams(&client).await.0, 404, "also to who takes no stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_advertised_under_both_names_to_the_modern_era_alone() {
    let server = offering().await;
    let found = Modern::with_token(&server, "one").result("server/discover", json!({})).await;
    assert_eq!(found["capabilities"]["extensions"][EXTENSION], json!({}), "{found}");
    assert_eq!(found["capabilities"]["events"], json!({}), "{found}");
    assert!(found["capabilities"]["extensions"].get("io.modelcontextprotocol/tasks").is_some(), "{found}");
    let legacy = Legacy::with(&server, json!({ "elicitation": {} }), Some("one")).await;
    assert!(!legacy.initialized.to_string().contains("events"), "{}", legacy.initialized);
    for method in METHODS {
        assert_eq!(legacy.error(method, of(ASKED, json!({}))).await["code"], -32601, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_says_how_each_event_comes_and_what_it_has() {
    let server = offering().await;
    let client = Modern::with_token(&server, "one");
    let list = client.result("events/list", json!({})).await;
    assert_eq!((&list["resultType"], list.get("nextCursor")), (&json!("complete"), None));
    let events = list["events"].as_array().expect("a list");
    let names: Vec<_> = events.iter().map(|event| event["name"].as_str().expect("a name")).collect();
    assert_eq!(names, [ASKED, ENDED]);
    for event in events {
        assert_eq!(event["delivery"], json!(["poll", "push"]), "{event}");
        assert!(event["description"].is_string() && event["payloadSchema"]["type"] == "object", "{event}");
        let filters: Vec<_> =
            event["inputSchema"]["properties"].as_object().expect("an object").keys().collect();
        assert_eq!(filters, ["tool", "session"], "{event}");
    }
    let error = client.error("events/list", json!({ "cursor": "x" })).await;
    assert_eq!(error["code"], -32602, "{error}");
}

async fn a_poll_begins_now_and_goes_on_from_its_cursor(bench: Bench) {
    let server = Server::on(bench, offers).await;
    let client = Modern::with_token(&server, "one");
    client.until(&client.launch("work", json!({ "ms": 1 })).await, "completed").await;
    let begun = client.result("events/poll", of(ENDED, json!({}))).await;
    assert_eq!(begun["events"], json!([]), "what was before is not told: {begun}");
    assert_eq!((&begun["truncated"], &begun["hasMore"]), (&json!(false), &json!(false)), "{begun}");
    assert_eq!(begun["resultType"], "complete");
    assert!(begun["nextPollMs"].as_u64().is_some_and(|pause| pause >= 1000), "{begun}");
    let cursor = &begun["cursor"];

    let task = client.launch("ask_named", json!({})).await;
    let first = polled(&client, ASKED, cursor, 1).await.remove(0);
    let shown = client.until(&task, "input_required").await;
    let data = &first["data"];
    assert_eq!(
        (&first["name"], &data["taskId"], &data["tool"]),
        (&json!(ASKED), &json!(task), &json!("ask_named"))
    );
    assert_eq!(data["inputRequests"], shown["inputRequests"], "as tasks/get has it, under its key");
    assert!(data["inputRequests"].get("who").is_some(), "{data}");
    for time in [&first["timestamp"], &data["deadline"]] {
        assert!(time.as_str().is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()), "{first}");
    }
    let answer = |key: &str| {
        let content = json!({ "name": "Zebedee" });
        json!({ "taskId": task, "inputResponses": { key: { "action": "accept", "content": content } } })
    };
    client.result("tasks/update", answer("who")).await;
    let asked = polled(&client, ASKED, cursor, 2).await;
    assert_eq!(asked[0], first, "told again, it is the same, with its id");
    assert!(asked[1]["data"]["inputRequests"].get("q2").is_some(), "the name is taken: {}", asked[1]);
    client.result("tasks/update", answer("q2")).await;
    let ended = polled(&client, ENDED, cursor, 1).await.remove(0);
    assert_eq!(ended["data"]["status"], "completed");
    assert_eq!((&ended["data"]["taskId"], &ended["data"]["isError"]), (&json!(task), &json!(false)));
    let ids: BTreeSet<_> = [&asked[0], &asked[1], &ended].map(|event| event["eventId"].to_string()).into();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!json!([asked, ended]).to_string().contains("Zebedee"), "no answer is told");

    let schemas = client.result("events/list", json!({})).await;
    for event in asked.iter().chain([&ended]) {
        let listed = schemas["events"].as_array().expect("a list");
        let kind = listed.iter().find(|kind| kind["name"] == event["name"]).expect("is listed");
        let validator = jsonschema::validator_for(&kind["payloadSchema"]).expect("a schema");
        assert!(validator.is_valid(&event["data"]), "{event}");
    }
}

async fn a_poll_is_bounded_and_says_that_there_is_more(bench: Bench) {
    let server = Server::on(bench, offers).await;
    let client = Modern::with_token(&server, "one");
    let mut cursor = now(&client).await;
    ask(&server, 30, 60_000).await;
    let (mut told, mut polls) = (Vec::new(), 0);
    loop {
        let most = if polls == 0 { json!(2) } else { Value::Null };
        let found =
            client.result("events/poll", of(ASKED, json!({ "cursor": cursor, "maxEvents": most }))).await;
        let events = found["events"].as_array().expect("a list");
        assert!(found.to_string().len() < 1_200_000 && (polls > 0 || events.len() == 2), "{}", events.len());
        told.extend(events.iter().map(message));
        (cursor, polls) = (found["cursor"].clone(), polls + 1);
        if found["hasMore"] == false {
            break;
        }
    }
    let all: Vec<_> = (0..30).map(|number| format!("Number {number}?")).collect();
    assert_eq!((told, polls), (all, 3), "each once, in order: 2, then a megabyte, then the rest");
    let rest = client.result("events/poll", of(ASKED, json!({ "cursor": cursor }))).await;
    assert_eq!((&rest["events"], &rest["hasMore"]), (&json!([]), &json!(false)));
}

async fn who_was_away_is_told_by_another_process_what_it_missed(bench: Bench) {
    let mut first = Server::on(bench, offers).await;
    let second = first.beside(offers).await;
    let client = Modern::with_token(&first, "one");
    let (_, mut stream) = open(&client, ASKED, json!({})).await;
    let active = stream.next_of("notifications/events/active").await;
    let task = client.launch("ask_name", json!({})).await;
    let told = stream.next_of("notifications/events/event").await;
    assert_eq!(told["params"]["data"]["taskId"], task);
    first.stop.cancel();
    soon("the server stops", &mut first.served).await.expect("no panic").expect("a clean end");

    let client = Modern::with_token(&second, "one");
    let missed = client.launch("ask_name", json!({})).await;
    client.until(&missed, "input_required").await;
    let (_, mut stream) = open(&client, ASKED, json!({ "cursor": told["params"]["cursor"] })).await;
    let again = stream.next_of("notifications/events/active").await;
    assert_eq!(again["params"]["truncated"], false, "{again}");
    let next = stream.next_of("notifications/events/event").await;
    assert_eq!(next["params"]["data"]["taskId"], missed, "what was told is not told again");
    let both = polled(&client, ASKED, &active["params"]["cursor"], 2).await;
    assert_eq!(both[0]["eventId"], told["params"]["eventId"], "an id outlives its server");
}

async fn what_the_log_does_not_have_any_more_is_truncated(bench: Bench) {
    let server = Server::on(bench, offers).await;
    let client = Modern::with_token(&server, "one");
    let early = now(&client).await;
    client.until(&client.launch("work", json!({ "ms": 1 })).await, "completed").await;
    let place = now(&client).await;
    client.until(&client.launch("work", json!({ "ms": 1 })).await, "completed").await;
    let poll = async |more: Value| {
        let found = client.result("events/poll", of(ENDED, more)).await;
        (found["events"].as_array().expect("a list").len(), found["truncated"] == true)
    };
    assert_eq!(poll(json!({ "cursor": place })).await, (1, false));
    assert_eq!(poll(json!({ "cursor": place, "maxAgeMs": 600_000 })).await, (1, false));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(poll(json!({ "cursor": place, "maxAgeMs": 1 })).await, (0, true), "it is too old");
    assert_eq!(poll(json!({ "maxAgeMs": 1 })).await, (0, false), "no age counts without a cursor");
    let later = "99999999999999-7";
    assert_eq!(poll(json!({ "cursor": later })).await, (0, true), "another log's");
    match server.bench() {
        Bench::Redis(redis) => {
            let _: i64 = redis.ask(&["XTRIM", "mcptask:{test}:2:events", "MAXLEN", "=", "2"]).expect("cuts");
        }
        Bench::Sqlite(directory) => {
            let file = rusqlite::Connection::open(directory.path().join("tasks.db")).expect("opens");
            let sql = "DELETE FROM event WHERE sequence <= (SELECT MAX(sequence) - 2 FROM event)";
            file.execute(sql, []).expect("cuts");
        }
        Bench::Cluster(..) => unreachable!("no test runs on one"),
    }
    assert_eq!(poll(json!({ "cursor": place })).await, (1, true), "what is left is told");
    let (_, mut stream) = open(&client, ENDED, json!({ "cursor": place })).await;
    let active = stream.next().await.expect("a first message");
    assert_eq!(
        (&active["method"], &active["params"]["truncated"]),
        (&json!("notifications/events/active"), &json!(true))
    );
    assert_eq!(poll(json!({ "cursor": now(&client).await })).await, (0, false), "the end is where it was");
    drop(early);
}

async fn a_stream_tells_what_happens_as_it_happens(bench: Bench) {
    let mut server = Server::on(bench, offers).await;
    // What is told is data: who has declared nothing is told all the same, and is asked nothing.
    let mut client = Modern::with_token(&server, "one");
    let launching = client.clone();
    (client.elicits, client.declares) = (false, false);
    let (id, mut stream) = open(&client, ASKED, json!({})).await;
    let active = stream.next().await.expect("a first message");
    assert_eq!(active["method"], "notifications/events/active");
    assert_eq!(
        (&active["params"]["truncated"], &active["params"]["cursor"]),
        (&json!(false), &now(&client).await)
    );
    let (_, mut ends) = open(&client, ENDED, json!({})).await;
    ends.next_of("notifications/events/active").await;

    let task = launching.launch("ask_name", json!({})).await;
    let asked = stream.next().await.expect("an event");
    assert_eq!(
        (&asked["method"], &asked["params"]["name"]),
        (&json!("notifications/events/event"), &json!(ASKED))
    );
    let data = &asked["params"]["data"];
    assert_eq!(data["inputRequests"]["q1"]["params"]["message"], "What is your name?", "{asked}");
    assert_eq!(
        data["inputRequests"]["q1"]["params"]["requestedSchema"]["required"],
        json!(["name"]),
        "{asked}"
    );
    launching.result("tasks/cancel", json!({ "taskId": task })).await;
    let ended = ends.next_of("notifications/events/event").await;
    assert_eq!(
        (&ended["params"]["data"]["taskId"], &ended["params"]["data"]["status"]),
        (&json!(task), &json!("cancelled"))
    );

    let heartbeat = stream.next().await.expect("a sign of life");
    assert_eq!(heartbeat["method"], "notifications/events/heartbeat", "{heartbeat}");
    assert_eq!(
        heartbeat["params"]["cursor"], ended["params"]["cursor"],
        "the place goes on, whatever is told"
    );
    for message in [&active, &asked, &heartbeat] {
        assert_eq!(message["params"]["_meta"][SUBSCRIPTION], json!(id), "{message}");
    }
    server.stop.cancel();
    let last = stream.next().await.expect("a result");
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!(id), &json!("complete")), "{last}");
    assert!(stream.next().await.is_none());
    soon("the server stops", &mut server.served).await.expect("no panic").expect("a clean end");
}

async fn a_client_that_does_not_read_is_told_all_once_it_does(bench: Bench) {
    let server = Server::on(bench, offers).await;
    let client = Modern::with_token(&server, "one");
    let (_, mut slow) = open(&client, ASKED, json!({})).await;
    let (_, mut fast) = open(&client, ASKED, json!({})).await;
    fast.next_of("notifications/events/active").await;
    // More than any buffer between the two has room for.
    ask(&server, 200, 60_000).await;
    for stream in [&mut fast, &mut slow] {
        for number in 0..200 {
            let told = stream.next_of("notifications/events/event").await;
            assert_eq!(message(&told["params"]), format!("Number {number}?"));
        }
    }
}
