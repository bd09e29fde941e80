//! What the client says to a server that says what no library says: `bare.py`, which logs every message.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use mcptask::client::{Answering, Client, ClientError, Era, Submitted, Target};
use mcptask::task::{Action, AskKind};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::answers::{Answers, accept, plain};
use crate::python::{python, script};
use crate::{bounded, call, none, outcome_text, run, task, text};

/// Any Python does: the server needs no library.
fn interpreter() -> std::path::PathBuf {
    python("mcp-1.30")
}

pub(crate) struct Bare {
    log: NamedTempFile,
    target: Target,
    http: Option<Child>,
}

impl Drop for Bare {
    fn drop(&mut self) {
        if let Some(http) = &mut self.http {
            let _ = http.kill();
            let _ = http.wait();
        }
    }
}

impl Bare {
    pub(crate) fn legacy() -> Self {
        let log = NamedTempFile::new().expect("a file");
        let (python, script) = (interpreter(), script("bare.py"));
        let line = format!("{} {} legacy {}", python.display(), script.display(), log.path().display());
        Self { log, target: Target::stdio(&line).expect("a command"), http: None }
    }

    fn modern() -> Self {
        let log = NamedTempFile::new().expect("a file");
        let mut command = Command::new(interpreter());
        command.arg(script("bare.py")).arg("modern").arg(log.path()).stdout(Stdio::piped());
        let mut http = command.spawn().expect("it starts");
        let mut port = String::new();
        BufReader::new(http.stdout.take().expect("piped")).read_line(&mut port).expect("its port");
        let target = Target::http(&format!("http://127.0.0.1:{}/mcp", port.trim())).expect("a URL");
        Self { log, target, http: Some(http) }
    }

    pub(crate) async fn connect(&self, answers: Option<&Arc<Answers>>) -> Client {
        let answering = answers.map(|answers| answers.clone() as Arc<dyn Answering>);
        let era = if self.http.is_some() { Era::Modern } else { Era::Legacy };
        bounded("connect", Client::connect(&self.target, era, answering)).await.expect("connects")
    }

    /// Every message of the client so far.
    fn said(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log.path()).expect("the log");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Those of that method.
    fn said_of(&self, method: &str) -> Vec<Value> {
        self.said().into_iter().filter(|one| one["message"]["method"] == method).collect()
    }

    /// The reply to the server's request of that id.
    pub(crate) fn reply(&self, id: u32) -> Value {
        let reply = |one: &Value| one["message"]["id"] == id && one["message"].get("method").is_none();
        self.said().into_iter().find(reply).expect("a reply")["message"].take()
    }
}

fn ada() -> mcptask::task::Answer {
    accept(json!({ "name": "Ada" }))
}

#[tokio::test]
async fn a_legacy_task_is_followed_without_notifications_by_waiting_for_its_result() {
    let bare = Bare::legacy();
    let answers = Answers::new([ada(), plain(Action::Accept)]);
    let client = bare.connect(Some(&answers)).await;
    assert_eq!(text(run(&client, call("ask", none())).await), ("done".to_owned(), false));
    assert_eq!(bare.said_of("tasks/result").len(), 1, "it waits there while the task is input_required");
    let asked = answers.asked();
    assert!(asked[0].server.starts_with("bare ("), "{}", asked[0].server);
    assert!(matches!(asked[0].ask.kind, AskKind::Form { .. }), "a missing mode means form");
    let reply = bare.reply(901);
    assert_eq!(reply["result"]["action"], "accept");
    assert_eq!(reply["result"]["content"], json!({ "name": "Ada" }));
    client.close().await;
}

#[tokio::test]
async fn a_mode_that_was_not_declared_is_refused_as_invalid_and_nobody_is_asked() {
    let bare = Bare::legacy();
    let answers = Answers::new([ada(), plain(Action::Accept)]);
    let client = bare.connect(Some(&answers)).await;
    run(&client, call("ask", none())).await.expect("ends");
    let refused = bare.reply(902);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(answers.asked().len(), 2, "the form and the page");
}

#[tokio::test]
async fn a_page_is_accepted_without_content_and_its_completion_changes_nothing() {
    let bare = Bare::legacy();
    let answers = Answers::new([ada(), accept(json!({ "stray": "content" }))]);
    let client = bare.connect(Some(&answers)).await;
    assert_eq!(text(run(&client, call("ask", none())).await), ("done".to_owned(), false));
    assert_eq!(bare.reply(903)["result"], json!({ "action": "accept" }));
    assert_eq!(answers.asked()[1].ask.kind, AskKind::Url { url: "https://sign.example/one".into() });
}

#[tokio::test]
async fn a_call_that_needs_a_page_first_is_tried_again_when_the_page_was_accepted() {
    let bare = Bare::legacy();
    let answers = Answers::new([plain(Action::Accept), plain(Action::Accept)]);
    let client = bare.connect(Some(&answers)).await;
    let Submitted::Done(outcome) =
        bounded("submit", client.submit(call("sign", none()))).await.expect("ends")
    else {
        panic!("no task")
    };
    assert_eq!(outcome_text(&outcome), ("signed".to_owned(), false));
    let asked = answers.asked();
    assert_eq!(asked[0].ask.kind, AskKind::Url { url: "https://sign.example/one".into() });
    assert_eq!(asked.len(), 2, "the server said so twice");
}

#[tokio::test]
async fn a_call_that_needs_a_page_first_ends_when_the_page_is_declined() {
    let bare = Bare::legacy();
    let client = bare.connect(Some(&Answers::new([plain(Action::Decline)]))).await;
    let error = bounded("submit", client.submit(call("sign", none()))).await.expect_err("ends");
    assert!(matches!(&error, ClientError::Refused { error, .. } if error.code == -32042), "{error}");
    assert_eq!(bare.said_of("tools/call").len(), 1);
    let silent = bare.connect(None).await;
    let error = bounded("submit", silent.submit(call("sign", none()))).await.expect_err("ends");
    assert!(
        matches!(&error, ClientError::NeedsInput { message, .. } if message == "Please sign."),
        "{error}"
    );
}

#[tokio::test]
async fn elicitation_is_declared_only_where_somebody_can_be_asked() {
    for (answers, declared) in
        [(None, Value::Null), (Some(Answers::new([])), json!({ "form": {}, "url": {} }))]
    {
        let bare = Bare::legacy();
        bare.connect(answers.as_ref()).await.close().await;
        assert_eq!(
            bare.said_of("initialize")[0]["message"]["params"]["capabilities"]["elicitation"],
            declared
        );
        let bare = Bare::modern();
        bare.connect(answers.as_ref()).await.tools().await.expect("lists");
        let request = &bare.said_of("tools/list")[0]["message"]["params"];
        let capabilities = &request["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(capabilities["elicitation"], declared, "{request}");
        assert!(capabilities["extensions"]["io.modelcontextprotocol/tasks"].is_object(), "{request}");
    }
}

#[tokio::test]
async fn who_asks_nobody_is_shown_what_others_may_answer_and_leaves_it_to_them() {
    let bare = Bare::modern();
    let client = bare.connect(None).await;
    let submitted = bounded("submit", client.submit(call("ask", none()))).await.expect("submits");
    let Submitted::Task(task) = submitted else { panic!("no task: {submitted:?}") };
    client.get(&task.id).await.expect("is there");
    let meta = |method: &str| bare.said_of(method)[0]["message"]["params"]["_meta"].clone();
    let declared =
        |method: &str| meta(method)["io.modelcontextprotocol/clientCapabilities"]["elicitation"].clone();
    assert_eq!(declared("tasks/get"), json!({ "form": {}, "url": {} }));
    assert_eq!(declared("tools/call"), Value::Null, "a call that is waited for goes on without");
    assert_eq!(meta("tools/call")["mcptask/answeredByOthers"], true);
}

#[tokio::test]
async fn a_key_that_is_shown_again_is_asked_once() {
    let bare = Bare::modern();
    let answers = Answers::new([ada(), ada()]);
    let client = bare.connect(Some(&answers)).await;
    assert_eq!(text(run(&client, call("ask", none())).await), ("done".to_owned(), false));
    assert_eq!((answers.asked().len(), bare.said_of("tasks/update").len()), (1, 1));
    assert!(bare.said_of("tasks/get").len() >= 4, "it was shown before and twice after the answer");
    assert!(matches!(answers.asked()[0].ask.kind, AskKind::Form { .. }), "a missing mode means form");
}

#[tokio::test]
async fn the_servers_poll_interval_is_kept() {
    let bare = Bare::modern();
    let client = bare.connect(Some(&Answers::new([ada()]))).await;
    run(&client, call("ask", none())).await.expect("ends");
    let times: Vec<f64> =
        bare.said_of("tasks/get").iter().map(|one| one["at"].as_f64().expect("a time")).collect();
    for pair in times.windows(2) {
        // The reply's way back is part of the pause, so none is shorter; the clock's grain is allowed for.
        assert!(pair[1] - pair[0] > 0.295, "looked again after {} s", pair[1] - pair[0]);
    }
}

#[tokio::test]
async fn requests_about_a_task_have_its_id_in_their_name_header() {
    let bare = Bare::modern();
    let client = bare.connect(Some(&Answers::new([ada()]))).await;
    let id = task(&client, call("ask", none())).await;
    bounded("follow", client.follow(&id, &|_| ())).await.expect("ends");
    // The server has no such method; what counts is what was sent.
    let _ = client.cancel(&id).await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for one in bare.said_of(method) {
            let headers = &one["headers"];
            assert_eq!((&headers["mcp-name"], &headers["mcp-method"]), (&json!("t1"), &json!(method)));
        }
        assert!(!bare.said_of(method).is_empty(), "{method}");
    }
}

#[tokio::test]
async fn the_state_of_a_round_goes_back_exactly_under_a_new_id() {
    let bare = Bare::modern();
    let client = bare.connect(Some(&Answers::new([ada()]))).await;
    let Submitted::Done(outcome) =
        bounded("submit", client.submit(call("round", none()))).await.expect("ends")
    else {
        panic!("no task")
    };
    assert_eq!(outcome_text(&outcome), ("went round".to_owned(), false));
    let calls = bare.said_of("tools/call");
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["message"]["id"], calls[1]["message"]["id"]);
    let params = &calls[1]["message"]["params"];
    assert_eq!(params["requestState"], "opaque \"ü\" state\n");
    assert_eq!(
        params["inputResponses"],
        json!({ "k": { "action": "accept", "content": { "name": "Ada" } } })
    );
}
