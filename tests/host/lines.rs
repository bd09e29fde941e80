//! Lines that cannot be taken as they are: each request is answered, and nothing of it is taken.

use serde_json::{Value, json};

use crate::peer::Host;
use crate::stage::Stage;

on_both_engines!(what_does_not_arrive_as_written_is_no_answer, a_note_is_kept_whole_or_refused);

fn listing(id: i64, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"list_waiting","arguments":{arguments}}}}}"#
    )
}

#[test]
fn a_request_that_cannot_be_read_is_answered() {
    let stage = Stage::sqlite();
    let mut host = stage.host();
    let deep = format!(r#"{{"limit":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let arguments = [r#"{"limit":1e400}"#, &deep, r#"{"tool":"\ud800"}"#];
    for (id, arguments) in (901..).zip(arguments) {
        host.raw(&listing(id, arguments));
        let refused = host.response(id);
        assert_eq!(refused["error"]["code"], -32700, "{refused}");
        assert!(refused["error"]["message"].as_str().expect("words").contains("line 1 column"), "{refused}");
    }
    for (line, code) in [
        ("not json {", -32700),
        (r#"{"jsonrpc":"2.0","id":910,"method":"tools/list""#, -32700),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"tools/list"}"#, -32600),
        ("[]", -32600),
        (&listing(911, &format!("{:?}", "x".repeat(2 * 1024 * 1024))), -32600),
    ] {
        host.raw(line);
        let refused = host.refused();
        assert_eq!(refused["error"]["code"], code, "{refused}");
    }
    // A mark before the text means nothing.
    host.raw(&format!("\u{feff}{}\r", listing(920, "{}")));
    assert_eq!(host.response(920)["result"]["structuredContent"]["has_more"], false);
}

#[test]
fn params_of_a_call_that_cannot_be_read_are_named() {
    let stage = Stage::sqlite();
    for host in [Host::legacy, Host::modern] {
        let mut host = host(&stage, &[], &json!({}));
        for (params, reason) in [
            (json!({ "name": 5 }), "integer `5`, expected a string"),
            (json!({ "name": "list_waiting", "arguments": [1] }), "sequence, expected a map"),
            (json!({}), "missing field `name`"),
        ] {
            let refused = host.request("tools/call", params);
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
            let message = refused["error"]["message"].as_str().expect("words");
            assert!(message.starts_with("the params of tools/call cannot be read: "), "{message}");
            assert!(message.contains(reason), "{message}");
        }
    }
    let mut host = stage.host();
    host.raw(r#"{"jsonrpc":"2.0","id":930,"method":"tools/call"}"#);
    assert_eq!(host.response(930)["error"]["code"], -32602);
}

fn what_does_not_arrive_as_written_is_no_answer(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = stage.host();
    let contents = [
        (r#"{"sure":true,"words":"go","words":"stop"}"#, "is there twice"),
        (r#"{"sure":true,"words":9007199254740993.0}"#, "would be rounded"),
        (r#"{"sure":true,"words":123456789012345678901234567890}"#, "would be rounded"),
    ];
    for (id, (content, reason)) in (901..).zip(contents) {
        host.raw(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"answer_question","arguments":{{"task":"{task}","question":"q1","action":"accept","content":{content}}}}}}}"#
        ));
        let told = host.result(id, "answer_question");
        assert_eq!((&told["isError"], &told["structuredContent"]["code"]), (&json!(true), &json!("usage")));
        let message = told["structuredContent"]["message"].as_str().expect("words");
        assert!(message.contains(reason), "{message}");
        let printed = stage.refused(&["respond", &task, "--content", content]);
        assert!(printed["message"].as_str().expect("words").contains(reason), "{printed}");
    }
    // Nor where the host's user was asked: the wait for the reply ends.
    for content in [contents[0].0, r#"{"sure":true,"words":"\ud800"}"#] {
        let call = host.begin_call("ask_user", &json!({ "task": task, "question": "q1" }));
        let id = host.next_of("elicitation/create")["id"].clone();
        host.raw(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"action":"accept","content":{content}}}}}"#
        ));
        let told = host.result(call, "ask_user")["structuredContent"].clone();
        assert_eq!(told["code"], "needs_input", "{told}");
        assert!(told["message"].as_str().expect("words").contains("the question stays open"), "{told}");
    }
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
}

fn a_note_is_kept_whole_or_refused(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = stage.host();
    let with = |note: &str| json!({ "task": task, "question": "q1", "action": "decline", "note": note });
    for note in ["é".repeat(1500), " ".to_owned()] {
        let told = host.fails("answer_question", &with(&note));
        let printed = stage.refused(&["respond", &task, "--decline", "--note", &note]);
        assert_eq!(told["code"], "usage", "{told}");
        let words = format!("--{}", told["message"].as_str().expect("words"));
        assert_eq!(json!(words), printed["message"], "the same, but for the option's name");
    }
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    let most = "é".repeat(1024);
    let receipt: Value = host.ok("answer_question", &with(&most));
    assert_eq!(receipt["who"]["note"], json!(most));
}
