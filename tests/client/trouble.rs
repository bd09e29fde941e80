//! Servers that are not there, do not let us in, or die.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcptask::client::{Client, ClientError, Era, Target};
use rstest::rstest;
use serde_json::json;

use crate::answers::{Answers, Never};
use crate::python::{PythonServer, python, script};
use crate::{bounded, call, connect, none, run, task};

async fn refused(target: &Target, era: Era) -> ClientError {
    match bounded("connect", Client::connect(target, era, None)).await {
        Ok(_) => panic!("connects to {target}"),
        Err(error) => error,
    }
}

#[rstest]
#[tokio::test]
async fn an_unreachable_server_is_named(#[values(Era::Auto, Era::Legacy, Era::Modern)] era: Era) {
    // Port 1 is reserved, and nobody serves it any more.
    let url = "http://ann:hunter2@127.0.0.1:1/mcp?key=s3cret";
    let error = refused(&Target::http(url).expect("a URL"), era).await;
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("127.0.0.1") && shown.contains("refused"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_command_that_fails_is_quoted() {
    let target = Target::stdio("no-such-program --flag").expect("a command");
    let error = refused(&target, Era::Legacy).await;
    assert!(matches!(&error, ClientError::Unreachable { reason, .. } if reason.contains("start")), "{error}");
    let target = Target::stdio("sh -c 'echo the cellar is flooded >&2; exit 3'").expect("a command");
    let error = refused(&target, Era::Legacy).await;
    assert!(error.to_string().contains("the cellar is flooded"), "{error}");
}

#[rstest]
#[case("fastmcp-3.4.11", "legacy.py")]
#[case("fastmcp-4.1.4", "modern.py")]
#[tokio::test]
async fn a_wrong_token_is_told_from_an_absent_server(#[case] version: &str, #[case] script: &str) {
    let server = PythonServer::start(version, script, &[("MCPTASK_TEST_TOKEN", "right")]);
    let mut target = Target::http(&server.url()).expect("a URL");
    let give = |target: &mut Target, given: &str| {
        let Target::Http { token, .. } = target else { unreachable!("it is HTTP") };
        *token = Some(given.to_owned());
    };
    for era in [Era::Auto, Era::Legacy] {
        give(&mut target, "wrong-secret");
        let error = refused(&target, era).await;
        assert!(matches!(error, ClientError::Unauthorised { .. }), "{error:?}");
        assert!(!format!("{error:?} {target:?}").contains("wrong-secret"));
    }
    give(&mut target, "right");
    assert!(Client::connect(&target, Era::Auto, None).await.is_ok());
}

#[rstest]
#[case("fastmcp-3.0.2", "legacy.py")]
#[case("fastmcp-3.4.11", "legacy.py")]
#[case("fastmcp-4.1.4", "modern.py")]
#[tokio::test]
async fn unknown_tools_and_tasks_are_named(#[case] version: &str, #[case] script: &str) {
    let server = PythonServer::start(version, script, &[]);
    let client = connect(&server.url(), &Answers::new([])).await;
    let error = client.submit(call("plan_diner", none())).await.expect_err("no such tool");
    assert!(matches!(&error, ClientError::UnknownTool { .. }), "{error:?}");
    assert!(error.to_string().contains("plan_dinner"), "{error}");
    let error = bounded("follow", client.follow("no-such-task", &|_| ())).await.expect_err("no such task");
    assert!(matches!(&error, ClientError::NoTask { .. }), "{error:?}");
}

#[rstest]
#[case("fastmcp-3.4.11", "legacy.py", "linger")]
#[case("fastmcp-3.4.11", "legacy.py", "plan_dinner")]
#[case("fastmcp-4.1.4", "modern.py", "linger")]
#[case("fastmcp-4.1.4", "modern.py", "plan_dinner")]
#[tokio::test]
async fn a_server_that_dies_ends_the_wait(#[case] version: &str, #[case] script: &str, #[case] tool: &str) {
    let server = PythonServer::start(version, script, &[]);
    let target = Target::http(&server.url()).expect("a URL");
    let server = Mutex::new(server);
    let never = Arc::new(Never::default());
    let client = Client::connect(&target, Era::Auto, Some(never)).await.expect("connects");
    let id = task(&client, call(tool, none())).await;
    let looks = AtomicUsize::new(0);
    let on_change = |_: &mcptask::client::TaskView| {
        if looks.fetch_add(1, Ordering::SeqCst) == 1 {
            server.lock().expect("nothing panics with it").kill();
        }
    };
    let error = bounded("follow", client.follow(&id, &on_change)).await.expect_err("the server is gone");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
}

#[rstest]
#[case("fastmcp-3.4.11", "legacy.py")]
#[case("fastmcp-4.1.4", "modern.py")]
#[tokio::test]
async fn a_server_that_dies_ends_a_foreground_call(#[case] version: &str, #[case] script: &str) {
    let mut server = PythonServer::start(version, script, &[]);
    let client = connect(&server.url(), &Answers::new([])).await;
    bounded("tools", client.tools()).await.expect("lists");
    let killing = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.kill();
    };
    let (submitted, ()) =
        tokio::join!(bounded("submit", client.submit(call("wait_here", json!({})))), killing);
    let error = submitted.expect_err("the server is gone");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answerer_that_leaves_a_legacy_question_open_ends_the_wait() {
    let server = PythonServer::start("fastmcp-3.4.11", "legacy.py", &[]);
    let client = connect(&server.url(), &Answers::new([])).await;
    let error = run(&client, call("plan_dinner", none())).await.expect_err("left open");
    assert!(matches!(error, ClientError::LeftOpen { .. }), "{error:?}");
}

/// Nobody can be asked: a question of `FastMCP` 3 gets no answer, and the waiting ends with what it asks.
#[rstest]
#[case("fastmcp-3.0.2")]
#[case("fastmcp-3.4.11")]
#[tokio::test]
async fn without_an_answerer_the_wait_for_a_legacy_task_ends_with_its_question(#[case] version: &str) {
    let server = PythonServer::start(version, "legacy.py", &[]);
    let target = Target::http(&server.url()).expect("a URL");
    let client = bounded("connect", Client::connect(&target, Era::Auto, None)).await.expect("connects");
    let error = run(&client, call("plan_dinner", none())).await.expect_err("nobody answers");
    let ClientError::NeedsInput { message, question, .. } = &error else { panic!("{error:?}") };
    assert_eq!(message, "What shall we cook?");
    assert!(question.is_some(), "{error:?}");
}

/// Longer than the ten seconds after which rmcp takes a silent server for a legacy one.
#[rstest]
#[case("fastmcp-3.4.11", "legacy.py", Era::Legacy)]
#[case("fastmcp-4.1.4", "modern.py", Era::Modern)]
#[tokio::test]
async fn a_slow_start_does_not_hide_the_era(
    #[case] version: &str,
    #[case] source: &str,
    #[case] expected: Era,
) {
    let (python, source) = (python(version), script(source));
    let line = format!("sh -c 'sleep 11; exec {} {} stdio'", python.display(), source.display());
    let target = Target::stdio(&line).expect("a command");
    let client = bounded("connect", Client::connect(&target, Era::Auto, None)).await.expect("connects");
    assert_eq!(client.era(), expected);
}
