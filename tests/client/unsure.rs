//! Calls of which it is not known whether anything came of them, and questions that cannot be answered.

use std::sync::atomic::{AtomicBool, Ordering};

use rstest::rstest;
use serde_json::{Value, json};

use crate::command::at;
use crate::peer::{Peer, Reply, Said, modern};

/// What a command that waits for `x` with answers did: its code and its words.
fn submit(peer: &Peer) -> (Option<i32>, String) {
    let ran = at(peer, &["submit", "x", "--wait", "--answers", "answers.json"], r#"{"a":"x"}"#);
    (ran.code, ran.out + &ran.err)
}

fn http(status: u16) -> Reply {
    Reply::Http(status, "text/plain", "no".to_owned())
}

#[rstest]
#[case::failed(|_: &Said| http(500), true)]
#[case::accepted(|_: &Said| http(202), true)]
#[case::no_content(|_: &Said| Reply::Http(204, "text/plain", String::new()), true)]
#[case::a_page(|_: &Said| Reply::Http(200, "text/html", "<html>".to_owned()), true)]
#[case::another_id(|_: &Said| Reply::Http(200, "application/json", r#"{"jsonrpc":"2.0","id":"x","result":{}}"#.to_owned()), true)]
#[case::an_unknown_result(|_: &Said| Reply::Result(json!({ "resultType": "wish" })), true)]
#[case::bad_request(|_: &Said| http(400), false)]
#[case::no_such_place(|_: &Said| http(404), false)]
#[case::sent_elsewhere(|_: &Said| http(303), false)]
fn a_task_may_have_been_submitted_unless_the_call_was_refused(
    #[case] reply: fn(&Said) -> Reply,
    #[case] may_be: bool,
) {
    let peer =
        Peer::start(move |said| if said.method() == "tools/call" { reply(said) } else { modern(said) });
    let (_, said) = submit(&peer);
    assert_eq!(said.contains("may have been submitted all the same"), may_be, "{said}");
    assert_eq!(peer.said_of("tools/call").len(), 1, "{said}");
}

#[test]
fn a_challenge_that_http_does_not_allow_hides_no_status() {
    let peer = Peer::start(|said| match said.method() {
        "tools/call" => {
            Reply::Http(401, "text/plain\r\nwww-authenticate: Bearer realm=\"x\u{1b}\"", String::new())
        }
        _ => modern(said),
    });
    let (code, said) = submit(&peer);
    assert!(code == Some(3) && !said.contains("all the same"), "{code:?} {said}");
}

fn form() -> Value {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    json!({ "method": "elicitation/create", "params": { "message": "Q?", "requestedSchema": schema } })
}

/// A server whose task asks all that, in a task or in a round, and ends when its form was answered; what is left then is
/// shown on, where `stays`.
fn asking(bad: Value, in_task: bool, stays: bool) -> Peer {
    let answered = AtomicBool::new(false);
    Peer::start(move |said| {
        let is_over = answered.load(Ordering::SeqCst);
        let mut requests = json!({ "bad": bad });
        if !is_over {
            requests["good"] = form();
        }
        let done = json!({ "resultType": "complete", "content": [{ "type": "text", "text": "baked" }] });
        let mut shown =
            json!({ "resultType": "input_required", "requestState": "s", "inputRequests": requests });
        if in_task {
            let more = json!({ "resultType": "complete", "taskId": "t1", "status": "input_required", "pollIntervalMs": 50,
                "createdAt": "2026-11-26T21:00:00Z", "lastUpdatedAt": "2026-11-26T21:00:00Z", "ttlMs": 60000 });
            shown.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        }
        match said.method() {
            "tools/call" if in_task => {
                shown["resultType"] = json!("task");
                Reply::Result(shown)
            }
            "tools/call" => {
                let responses = &said.message["params"]["inputResponses"];
                if responses["good"]["action"] == "accept" {
                    answered.store(true, Ordering::SeqCst);
                    assert!(responses.get("bad").is_none(), "{said:?}");
                    shown["inputRequests"] = json!({ "bad": requests["bad"] });
                    return Reply::Result(if stays { shown } else { done });
                }
                Reply::Result(shown)
            }
            "tasks/update" => {
                answered.store(true, Ordering::SeqCst);
                assert!(said.message["params"]["inputResponses"].get("bad").is_none(), "{said:?}");
                Reply::Result(json!({ "resultType": "complete" }))
            }
            "tasks/get" if is_over && !stays => {
                shown["status"] = json!("completed");
                shown["result"] = done;
                shown.as_object_mut().expect("an object").remove("inputRequests");
                Reply::Result(shown)
            }
            "tasks/get" => Reply::Result(shown),
            _ => modern(said),
        }
    })
}

#[rstest]
fn a_question_that_cannot_be_answered_keeps_no_other_from_it(
    #[values(json!("x"), json!({ "method": "sampling/createMessage", "params": { "messages": [] } }),
        json!({ "method": "roots/list" }), json!({ "method": "elicitation/create", "params": {} }))]
    bad: Value,
    #[values(true, false)] in_task: bool,
) {
    let kind = bad.get("method").and_then(Value::as_str).unwrap_or("no method").to_owned();
    let (code, said) = submit(&asking(bad.clone(), in_task, false));
    assert!(code == Some(0) && said.contains("baked"), "{code:?} {said}");
    assert!(said.contains("question \"bad\" is"), "{said}");
    let (code, said) = submit(&asking(bad, in_task, true));
    assert!(code == Some(6) && said.contains("question \"bad\" is"), "{code:?} {said}");
    assert!(kind == "elicitation/create" || said.contains(&kind), "{said}");
}

/// Some servers say that a task waits, and show nothing to answer.
#[rstest]
#[case::nothing(json!({}))]
#[case::none_of_them(json!({ "inputRequests": {} }))]
#[case::a_list(json!({ "inputRequests": [] }))]
fn a_task_that_waits_and_shows_no_question_is_told_once(#[case] shown: Value) {
    let begun = std::time::Instant::now();
    let peer = Peer::start(move |said| {
        let is_over = begun.elapsed() > std::time::Duration::from_secs(8);
        let status = if is_over { "completed" } else { "input_required" };
        let mut task = json!({ "resultType": "complete", "taskId": "t1", "status": status, "pollIntervalMs": 50, "ttlMs": null,
            "createdAt": "2026-11-27T18:00:00Z", "lastUpdatedAt": "2026-11-27T18:00:00Z" });
        if is_over {
            task["result"] = json!({ "content": [{ "type": "text", "text": "baked" }] });
        } else {
            task.as_object_mut().expect("an object").extend(shown.as_object().expect("one").clone());
        }
        match said.method() {
            "tools/call" => {
                task["resultType"] = json!("task");
                Reply::Result(task)
            }
            "tasks/get" => Reply::Result(task),
            _ => modern(said),
        }
    });
    let (code, said) = submit(&peer);
    assert!(code == Some(0) && said.contains("baked"), "{said}");
    assert_eq!(said.matches("shows no question of it").count(), 1, "{said}");
}
