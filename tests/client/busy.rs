//! Servers, and what stands before them, that take no request at the moment: it is waited for, in whatever form they say so.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use crate::command::{Ran, at};
use crate::peer::{Peer, Reply, Said, legacy, modern};

const SUBMIT: [&str; 5] = ["submit", "x", "--wait", "--answers", "answers.json"];

fn submit(peer: &Peer, more: &[&str]) -> Ran {
    at(peer, &[&SUBMIT[..], more].concat(), r#"{"a":"soup"}"#)
}

/// A refusal as JSON-RPC, to the request or to none, or in plain text.
#[derive(Debug, Clone, Copy)]
enum Form {
    OfRequest,
    OfNone,
    Text,
}

fn refusal(said: &Said, status: u16, form: Form) -> Reply {
    let id = match form {
        Form::Text => return Reply::Http(status, "text/plain", "busy".to_owned()),
        Form::OfRequest => said.message["id"].clone(),
        Form::OfNone => Value::Null,
    };
    let error = json!({ "code": -32000, "message": "overloaded" });
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    Reply::Http(status, "application/json", body.to_string())
}

/// A question for `a`, by that id where it is a request of its own.
fn question() -> Value {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    json!({ "jsonrpc": "2.0", "id": "e1", "method": "elicitation/create",
        "params": { "message": "What?", "requestedSchema": schema } })
}

/// A modern server whose task asks one question at its third look and ends with the answer; `first` may refuse.
fn asking(first: impl Fn(&Said) -> Option<Reply> + Send + Sync + 'static) -> Peer {
    let (looks, answer) = (AtomicUsize::new(0), Mutex::new(None::<Value>));
    Peer::start(move |said| {
        if let Some(refused) = first(said) {
            return refused;
        }
        let task = |status: &str, more: Value| {
            let mut task = json!({ "resultType": "complete", "taskId": "t1", "status": status, "pollIntervalMs": 50,
                "createdAt": "2026-11-27T18:00:00Z", "lastUpdatedAt": "2026-11-27T18:00:00Z", "ttlMs": 60000 });
            task.as_object_mut().expect("one").extend(more.as_object().expect("one").clone());
            Reply::Result(task)
        };
        let mut answer = answer.lock().expect("no test panics in here");
        match said.method() {
            "tools/call" => task("working", json!({ "resultType": "task" })),
            "tasks/get" => match &*answer {
                Some(given) => {
                    let content = json!([{ "type": "text", "text": format!("got {given}") }]);
                    task("completed", json!({ "result": { "content": content } }))
                }
                None if looks.fetch_add(1, Ordering::SeqCst) < 2 => task("working", json!({})),
                None => task("input_required", json!({ "inputRequests": { "q": question() } })),
            },
            "tasks/update" => {
                *answer = Some(said.message["params"]["inputResponses"]["q"]["content"]["a"].clone());
                Reply::Result(json!({ "resultType": "complete" }))
            }
            _ => modern(said),
        }
    })
}

#[rstest]
#[case(408, &[Form::OfNone, Form::Text])]
#[case(429, &[Form::OfRequest, Form::OfNone, Form::Text])]
#[case(502, &[Form::OfRequest, Form::Text])]
#[case(503, &[Form::OfRequest, Form::OfNone])]
#[case(504, &[Form::OfRequest])]
#[case(500, &[Form::Text])]
fn a_refusal_that_passes_is_waited_for_in_every_form(
    #[case] status: u16,
    #[case] forms: &'static [Form],
    #[values("tasks/get", "tasks/update")] method: &'static str,
) {
    for &form in forms {
        let met = AtomicUsize::new(0);
        let peer = asking(move |said| {
            // The second and the third of the looks, the first two answers.
            let first = usize::from(method == "tasks/get");
            let is_bad = said.method() == method && {
                let met = met.fetch_add(1, Ordering::SeqCst);
                (first..first + 2).contains(&met)
            };
            is_bad.then(|| refusal(said, status, form))
        });
        let ran = submit(&peer, &[]);
        assert!(ran.code == Some(0) && ran.out.contains("got \"soup\""), "{form:?}: {ran:?}");
        assert_eq!(peer.said_of("tools/call").len(), 1, "{form:?}: {ran:?}");
    }
}

#[rstest]
fn a_handshake_that_comes_too_often_is_waited_for_and_tells_no_era(
    #[values(Form::OfRequest, Form::OfNone, Form::Text)] form: Form,
) {
    let met = AtomicUsize::new(0);
    let peer = asking(move |said| {
        let is_bad = said.method() == "server/discover" && met.fetch_add(1, Ordering::SeqCst) < 2;
        is_bad.then(|| refusal(said, 429, form))
    });
    let ran = submit(&peer, &[]);
    assert!(ran.code == Some(0) && ran.out.contains("got \"soup\""), "{ran:?}");
    assert!(peer.said_of("initialize").is_empty(), "429 is no sign of the older era");
}

/// Each message of a session meets the limit once: the handshake, its notice, the stream, the call, and the answer.
#[rstest]
fn nothing_of_a_session_is_lost_that_comes_too_often(
    #[values(Form::OfNone, Form::Text)] form: Form,
    #[values(429, 503)] status: u16,
) {
    let (met, answer) = (Mutex::new(Vec::new()), Arc::new(Mutex::new(None::<Value>)));
    let asked = AtomicBool::new(false);
    let peer = Peer::start(move |said| {
        let what = match said.method() {
            "" if said.head.starts_with("get") => "get",
            "" if said.head.starts_with("post") => "answer",
            "" => return legacy(said),
            method => method,
        };
        let is_new = {
            let mut met = met.lock().expect("no test panics in here");
            let is_new = !met.contains(&what.to_owned());
            met.push(what.to_owned());
            is_new
        };
        // Whether a call that is refused with 503 was done, nobody knows.
        let is_safe = what != "tools/call" || status == 429;
        if is_new && is_safe {
            return refusal(said, status, form);
        }
        match (what, legacy(said)) {
            ("initialize", Reply::Result(result)) => Reply::Session(result),
            ("get", _) => {
                asked.store(true, Ordering::SeqCst);
                Reply::Stream(format!("data: {}\n\n", question()))
            }
            ("answer", reply) => {
                *answer.lock().expect("no test panics in here") = Some(said.message["result"].clone());
                reply
            }
            ("tools/call", _) => {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(20) {
                    let answer = answer.lock().expect("no test panics in here").clone();
                    if let Some(answer) = answer {
                        let text = format!("got {}", answer["content"]["a"]);
                        return Reply::Result(json!({ "content": [{ "type": "text", "text": text }] }));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Reply::Result(json!({ "content": [{ "type": "text", "text": "no answer came" }] }))
            }
            (_, reply) => reply,
        }
    });
    let ran = submit(&peer, &["--era", "legacy"]);
    assert!(ran.code == Some(0) && ran.out.contains("got \"soup\""), "{ran:?}");
}

#[rstest]
fn a_time_to_wait_is_kept_by_every_request(
    #[values("server/discover", "tools/list", "tools/call", "tasks/get")] method: &'static str,
) {
    let (refused, early) = (Arc::new(Mutex::new(None::<Instant>)), Arc::new(Mutex::new(Vec::new())));
    let noted = (refused.clone(), early.clone());
    let peer = asking(move |said| {
        let mut refused = refused.lock().expect("no test panics in here");
        match *refused {
            Some(at) if at.elapsed() < Duration::from_millis(1900) => {
                early.lock().expect("no test panics in here").push(said.method().to_owned());
                None
            }
            None if said.method() == method => {
                *refused = Some(Instant::now());
                Some(Reply::Http(429, "text/plain\r\nretry-after: 2", "busy".to_owned()))
            }
            _ => None,
        }
    });
    let ran = submit(&peer, &[]);
    assert!(ran.code == Some(0) && ran.out.contains("got \"soup\""), "{ran:?}");
    assert!(noted.0.lock().expect("it is over").is_some(), "it was refused");
    assert_eq!(*noted.1.lock().expect("it is over"), Vec::<String>::new(), "came too early");
    let words = "it is asked too often, and takes requests again after 2 s (Retry-After); it says: busy";
    assert!(ran.err.contains(words), "{ran:?}");
}

/// Who does not wait is told at once, and reads the server's words as what they are.
#[rstest]
#[case("text/plain", "it is asked too often; it says: busy")]
#[case("text/plain\r\nretry-after: soon", "it is asked too often; it says: busy")]
#[case("text/plain\r\nretry-after: 3600", "takes requests again after 3600 s (Retry-After); it says: busy")]
fn who_does_not_wait_is_told_when_to_come_again(#[case] head: &'static str, #[case] words: &str) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/list" => Reply::Http(429, head, "busy".to_owned()),
        _ => modern(said),
    });
    let ran = at(&peer, &["tools"], "");
    assert!(ran.code == Some(4) && ran.err.contains(words), "{ran:?}");
    assert!(ran.took < Duration::from_secs(20), "{ran:?}");
}
