//! Clients that mean harm, on real sockets: nobody else notices them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{Background, Place, SERVE};
use crate::support::http::{Events, Legacy, Modern};
use crate::support::{PATIENCE, Server, soon};

const HEAD: &str = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
    accept: application/json, text/event-stream\r\n";

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

fn address(server: &Background) -> SocketAddr {
    let url: reqwest::Url = server.url().parse().expect("a url");
    url.socket_addrs(|| None).expect("an address")[0]
}

/// Sends a few bytes at a time until the server has had enough; what it answered.
fn trickle(mut stream: TcpStream, part: &[u8]) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    let begun = Instant::now();
    let mut answer = Vec::new();
    while begun.elapsed() < PATIENCE {
        let _ = stream.write_all(part);
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer) {
            Ok(0) => return String::from_utf8_lossy(&answer).into_owned(),
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return String::from_utf8_lossy(&answer).into_owned(),
        }
    }
    panic!("the server still listens");
}

/// The status of the answer to that.
fn status(address: SocketAddr, request: &[u8]) -> u16 {
    let mut stream = connect(address);
    // The server may have answered and closed before all of it was sent.
    let _ = stream.write_all(request);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    std::str::from_utf8(&answer[9..]).expect("digits").parse().expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_that_never_end_are_given_up_and_others_are_served_meanwhile() {
    let server = Server::with(|config| config.read_time = Duration::from_secs(2)).await;
    let session = Legacy::open(&server).await;
    let starts = [
        (String::new(), &b""[..]),
        ("POST /mcp HTTP/1.1\r\nhost: localhost\r\n".to_owned(), b"x-a: b\r\n"),
        ("POST /mcp".to_owned(), b"p"),
        (format!("{HEAD}content-length: 4000\r\n\r\n{{"), b" "),
        (format!("{HEAD}transfer-encoding: chunked\r\n\r\n"), b"1\r\n \r\n"),
    ];
    let slow = starts.map(|(start, part)| {
        let mut stream = connect(server.address);
        stream.write_all(start.as_bytes()).expect("taken");
        tokio::task::spawn_blocking(move || trickle(stream, part))
    });
    while !slow.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(session.request("ping", json!({})).await["result"], json!({}));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut answers = Vec::new();
    for answer in slow {
        answers.push(answer.await.expect("the server ends it"));
    }
    assert!(answers[3].starts_with("HTTP/1.1 408"), "{answers:?}");
    assert!(answers[4].starts_with("HTTP/1.1 408"), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_who_connect_and_say_nothing_shut_nobody_out() {
    let place = Place::new();
    let server = place.serve(&[]);
    let address = address(&server);
    let known = Legacy::at(server.url(), json!({}), None).await;
    let mut listening = known.listen(None).await;
    let mut silent: Vec<TcpStream> = Vec::new();
    for _ in 0..3000 {
        silent.push(connect(address));
        // Who waits longest gives way, so a test with few open files gets there too.
        silent[0].set_nonblocking(true).expect("a mode");
        if matches!(silent[0].read(&mut [0]), Ok(0)) {
            break;
        }
        silent[0].set_nonblocking(false).expect("a mode");
    }
    assert!(silent.len() < 3000, "the first of them was never shut out");
    assert_eq!(known.request("ping", json!({})).await["result"], json!({}), "who is known");
    Legacy::at(server.url(), json!({}), None).await.request("ping", json!({})).await;
    known.launch("wait", json!({ "seconds": 0 })).await;
    listening.next_of("notifications/tasks/status").await;
}

/// Where the shell allows 64 open files and the system more, 64 streams are no matter.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_the_open_files_that_the_system_allows() {
    let place = Place::new();
    let server = place.background_in(&["prlimit", "--nofile=64:4096"], &SERVE);
    soon("64 streams are open and all are served", async {
        let mut streams = Vec::new();
        for _ in 0..64 {
            let session = Legacy::at(server.url(), json!({}), None).await;
            let stream = session.listen(None).await;
            streams.push((session, stream));
        }
        for (session, _) in &streams {
            assert_eq!(session.request("ping", json!({})).await["result"], json!({}));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_requests_are_refused_before_they_are_read() {
    let server = Server::with(|config| config.max_body_bytes = 100_000).await;
    let address = server.address;
    let many = "x-a: y\r\n".repeat(200);
    let long = "y".repeat(1_000_000);
    let chunks = format!("8000\r\n{}\r\n", " ".repeat(0x8000)).repeat(10);
    for (request, expected) in [
        (format!("{HEAD}{many}\r\n"), 431),
        (format!("{HEAD}x-long: {long}\r\n\r\n"), 431),
        (format!("POST /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 414),
        (format!("{HEAD}content-length: 100000000000\r\n\r\n"), 413),
        (format!("{HEAD}content-length: 99999999999999999999999\r\n\r\n"), 400),
        (format!("{HEAD}transfer-encoding: chunked\r\n\r\n{chunks}"), 413),
    ] {
        let found = tokio::task::spawn_blocking({
            let request = request.clone();
            move || status(address, request.as_bytes())
        });
        let start: String = request.chars().skip(HEAD.len()).take(40).collect();
        let found = found.await.expect("an answer");
        assert!(found == expected || (expected == 414 && found == 431), "{found}: {start}");
    }
    assert_eq!(Legacy::open(&server).await.request("ping", json!({})).await["result"], json!({}));
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_levels_of_json_are_an_error_and_nothing_more() {
    let server = Server::start().await;
    let session = Legacy::open(&server).await;
    let modern = Modern::new(&server);
    let call = |deep: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"greet","arguments":{{"name":{deep}}}}}}}"#
        )
    };
    let objects = r#"{"a":"#.repeat(10_000) + "1" + &"}".repeat(10_000);
    for body in [nested(10_000), call(&nested(10_000)), call(&objects)] {
        for request in [session.send(reqwest::Method::POST), modern.begin("tools/call", json!({})).1] {
            let response = request.body(body.clone()).send().await.expect("a response");
            let error: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
            assert_eq!(error["error"]["code"], -32700, "{error}");
        }
    }
    // As deep as the parser goes: every walk over the value has to come back.
    let deep: Value = serde_json::from_str(&nested(120)).expect("JSON");
    let error = session.error("tools/call", json!({ "name": "greet", "arguments": { "name": deep } })).await;
    assert_eq!(error["code"], -32602, "{error}");
    let task = modern.launch("ask_name", json!({})).await;
    modern.until(&task, "input_required").await;
    let answer = json!({ "q1": { "action": "accept", "content": { "name": deep } } });
    let error = modern.error("tasks/update", json!({ "taskId": task, "inputResponses": answer })).await;
    assert_eq!(error["code"], -32602, "{error}");
}

/// A process's memory, in MiB.
fn resident(process: &Background) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_questions_and_subscriptions_by_the_thousand_are_bounded_and_others_are_served() {
    let place = Place::new();
    let tokens = place.file("tokens", "mallory mallorys-token\nanna annas-token\n");
    let limits = ["--max-sessions", "1000", "--max-requests", "100", "--max-tasks", "200"];
    let server = place.serve(&[&["--token-file", &tokens][..], &limits].concat());
    let anna = Legacy::at(server.url(), json!({ "elicitation": {} }), Some("annas-token")).await;
    let before = resident(&server);
    let first = Legacy::at(server.url(), json!({ "elicitation": {} }), Some("mallorys-token")).await;
    for _ in 1..1000 {
        Legacy::at(server.url(), json!({}), Some("mallorys-token")).await;
    }
    let mut tasks = Vec::new();
    for _ in 0..200 {
        tasks.push(first.launch("plan_dinner", json!({})).await);
    }
    let full = first.error("tools/call", json!({ "name": "plan_dinner", "task": {} })).await;
    assert!(full["message"].as_str().is_some_and(|text| text.contains("200")), "{full}");
    let mallory = Modern::at(server.url()).bearing("mallorys-token");
    let mut subscriptions = Vec::new();
    loop {
        let params = json!({ "notifications": { "taskIds": tasks } });
        let (_, request) = mallory.begin("subscriptions/listen", params);
        let response = request.send().await.expect("a response");
        if response.status() == 429 {
            break;
        }
        subscriptions.push(Events::new(response));
        if subscriptions.len().is_multiple_of(20) {
            assert_eq!(anna.request("ping", json!({})).await["result"], json!({}));
        }
        assert!(subscriptions.len() <= 100, "there is no limit");
    }
    let task = anna.launch("plan_dinner", json!({})).await;
    Modern::at(server.url()).bearing("annas-token").until(&task, "input_required").await;
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 200, "the server grew by {grown} MiB");
}
