//! What ends a server that does not end by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcptask::client::{Client, ClientError, Era};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::answers::{Answers, accept};
use crate::command::run;
use crate::peer::{Peer, Reply, legacy, modern};
use crate::{bounded, call, connect, none, outcome_text};

#[rstest]
#[tokio::test]
async fn a_request_that_is_only_accepted_fails_at_once(
    #[values(202, 204)] status: u16,
    #[values(Era::Legacy, Era::Modern)] era: Era,
) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Http(status, "text/plain", String::new()),
        _ if era == Era::Legacy => legacy(said),
        _ => modern(said),
    });
    let client = Client::connect(&peer.target(), Era::Auto, None).await.expect("connects");
    let call = client.submit(call("x", none()));
    let error =
        tokio::time::timeout(Duration::from_secs(10), call).await.expect("no waiting").expect_err("no reply");
    assert!(matches!(&error, ClientError::Answers { .. }), "{error:?}");
    assert!(error.to_string().contains(&status.to_string()), "{error}");
}

#[rstest]
#[case::ever_new_cursors(|page| format!("page {page}"))]
#[case::the_same_cursor(|_| "again".to_owned())]
#[tokio::test]
async fn a_list_without_an_end_ends(#[case] cursor: fn(usize) -> String) {
    let page = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tools/list" => {
            let cursor = cursor(page.fetch_add(1, Ordering::SeqCst));
            Reply::Result(json!({ "tools": [], "nextCursor": cursor }))
        }
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let error = bounded("tools", client.tools()).await.expect_err("it has no end");
    assert!(matches!(&error, ClientError::Protocol { .. }), "{error:?}");
    assert!(peer.said_of("tools/list").len() <= 1000);
}

#[tokio::test]
async fn a_list_of_endless_pages_is_bounded_in_bytes() {
    let page = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tasks/list" => {
            let number = page.fetch_add(1, Ordering::SeqCst);
            let task = json!({ "taskId": "x".repeat(8 * 1024 * 1024), "status": "working" });
            Reply::Result(json!({ "tasks": [task], "nextCursor": number.to_string() }))
        }
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let error = bounded("list", client.list()).await.expect_err("it is too much");
    assert!(
        matches!(&error, ClientError::Protocol { problem, .. } if problem.contains("bytes")),
        "{error:?}"
    );
    assert!(peer.said_of("tasks/list").len() < 12);
}

/// A legacy server whose list of tasks has no end; each page has the tasks that `tasks` makes of its number.
fn endless(tasks: fn(usize) -> Value) -> Peer {
    let page = AtomicUsize::new(0);
    Peer::start(move |said| match said.method() {
        "tasks/list" => {
            let number = page.fetch_add(1, Ordering::SeqCst);
            Reply::Result(json!({ "tasks": tasks(number), "nextCursor": number.to_string() }))
        }
        _ => legacy(said),
    })
}

#[test]
fn no_more_of_an_endless_list_is_read_than_is_shown() {
    let peer = endless(|page| json!([{ "taskId": format!("t{page}"), "status": "working" }]));
    let words = ["list", "--limit", "3", "--era", "legacy", "--server", &peer.url()];
    let ran = run(&words, "{}");
    assert!(ran.code == Some(0) && ran.err.contains("only the first 3 are shown"), "{ran:?}");
    assert!(ran.out.contains("t2") && !ran.out.contains("t3"), "{ran:?}");
    // One more than is shown tells that there are more.
    assert_eq!(peer.said_of("tasks/list").len(), 4);
}

#[rstest]
#[case::the_same(|_| json!([{ "taskId": "t0", "status": "working" }]))]
#[case::none(|page| if page == 0 { json!([{ "taskId": "t0", "status": "working" }]) } else { json!([]) })]
fn a_list_that_goes_on_with_nothing_new_is_left(#[case] tasks: fn(usize) -> Value) {
    let peer = endless(tasks);
    let words = ["list", "--era", "legacy", "--server", &peer.url()];
    let ran = run(&words, "{}");
    assert!(ran.code == Some(0) && ran.out.matches("t0").count() == 1, "{ran:?}");
    assert!(ran.err.contains("20 pages of the server's list of tasks had no new one"), "{ran:?}");
    assert_eq!(peer.said_of("tasks/list").len(), 21);
}

#[tokio::test]
async fn a_listed_task_that_cannot_be_read_hides_no_other() {
    let peer = Peer::start(|said| match said.method() {
        "tasks/list" => {
            let task = |id: &str, status: &str| json!({ "taskId": id, "status": status });
            Reply::Result(
                json!({ "tasks": [task("", "working"), task("t1", "dreaming"), task("t2", "working"), 5] }),
            )
        }
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let listed = bounded("list", client.list()).await.expect("lists");
    assert_eq!(listed.iter().map(|view| view.id.as_str()).collect::<Vec<_>>(), ["t2"]);
}

#[rstest]
#[case::no_line_end(b"x")]
#[case::line_feeds(b"data: x\n")]
#[case::returns(b"data: x\r")]
#[case::both(b"data: x\r\n")]
#[case::comments(b":\r\n")]
#[tokio::test]
async fn an_event_without_an_end_is_given_up(#[case] piece: &'static [u8]) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Endless(piece),
        _ => modern(said),
    });
    let client = Client::connect(&peer.target(), Era::Modern, None).await.expect("connects");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it has no end");
    assert!(!matches!(error, ClientError::Refused { .. }), "{error:?}");
}

/// The same question again and again is one; what it costs to hold it is bounded all the same.
#[tokio::test]
async fn a_server_that_asks_without_end_is_given_up() {
    let question: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"elicitation/create\",\"params\":{\"message\":\"q\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}\n\n";
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Endless(question),
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it is given up");
    assert!(error.to_string().contains("floods its client with questions"), "{error}");
}

/// Nobody takes the replies: each of them waits in this process.
#[tokio::test]
async fn a_server_that_pings_without_end_and_takes_no_reply_is_given_up() {
    let ping: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n";
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Endless(ping),
        // A reply to a ping.
        "" if said.head.starts_with("post") => {
            std::thread::sleep(Duration::from_secs(120));
            Reply::HangUp
        }
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it is given up");
    assert!(error.to_string().contains("does not read what it is sent"), "{error}");
    bounded("close", client.close()).await;
}

/// A task that has another question for each answer.
#[tokio::test]
async fn a_task_that_asks_without_end_is_left() {
    let questions: Map<String, Value> = (0..1100)
        .map(|number| {
            let form = json!({ "type": "object", "properties": {} });
            let params = json!({ "message": "q", "requestedSchema": form });
            (format!("q{number}"), json!({ "method": "elicitation/create", "params": params }))
        })
        .collect();
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Result(json!({ "resultType": "task", "taskId": "t1", "status": "working" })),
        "tasks/get" => {
            Reply::Kept(json!({ "resultType": "complete", "taskId": "t1", "status": "input_required",
            "inputRequests": questions, "pollIntervalMs": 300_000 }))
        }
        "tasks/update" => Reply::Kept(json!({ "resultType": "complete" })),
        _ => modern(said),
    });
    let accepting = Answers::new((0..1100).map(|_| accept(json!({}))));
    let client = connect(&peer.url(), &accepting).await;
    let error = crate::run(&client, call("x", none())).await.expect_err("it is left");
    assert!(matches!(&error, ClientError::TooManyQuestions { answered: 1000, .. }), "{error:?}");
    assert_eq!(peer.said_of("tasks/update").len(), 1000);
    assert!(peer.said_of("tasks/cancel").is_empty(), "it goes on");
}

#[rstest]
#[tokio::test]
async fn a_task_is_looked_at_again_however_long_its_poll_interval(
    #[values(json!(40_000_000_000_000_u64), json!(u64::MAX), json!(1e300), json!(-5), json!("years"))]
    interval: serde_json::Value,
) {
    let view = json!({ "taskId": "t1", "status": "working", "pollInterval": interval });
    let peer = Peer::start(move |said| match said.method() {
        "tasks/list" => Reply::Result(json!({ "tasks": [view] })),
        _ => legacy(said),
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let listed = bounded("list", client.list()).await.expect("lists");
    assert!(listed[0].poll_interval <= Duration::from_secs(300), "{:?}", listed[0].poll_interval);
    assert!(listed[0].poll_interval >= Duration::from_millis(50));
}

#[tokio::test]
async fn the_end_of_a_task_is_not_slept_through() {
    let begun = Instant::now();
    let looks = AtomicUsize::new(0);
    let peer = Peer::start(move |said| {
        let task =
            |status: &str| json!({ "taskId": "t1", "status": status, "pollInterval": 31_536_000_000_u64 });
        match said.method() {
            "tools/call" => Reply::Result(json!({ "task": task("working") })),
            "tasks/get" if looks.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Result(task("working")),
            "tasks/get" => Reply::Result(task("completed")),
            "tasks/result" => Reply::Result(json!({ "content": [{ "type": "text", "text": "done" }] })),
            _ => legacy(said),
        }
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let ended = crate::run(&client, call("x", none())).await.expect("ends");
    let mcptask::client::Ended::Finished(outcome) = ended else { panic!("{ended:?}") };
    assert_eq!(outcome_text(&outcome), ("done".to_owned(), false));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
