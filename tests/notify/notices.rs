//! What is told, and how it looks.

use std::time::Duration;

use mcptask::task::{Ask, Outcome, RpcError};

use crate::receiver::Receiver;
use crate::shapes::is_notice;
use crate::stage::{Stage, form, notifier, posting};

on_both_engines! {
    a_question_is_told_with_all_that_answers_it,
    only_what_is_wanted_is_told,
    a_question_that_waits_too_long_is_told_once_and_one_that_was_answered_is_not,
    a_program_is_told_as_well,
    that_a_question_was_extended_is_told_and_later_its_new_end,
    people_are_reminded_once_of_a_question_that_waits,
    that_nobody_at_a_client_can_answer_is_told,
}

const SECRET: &str = "whsec_c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=";

fn a_question_is_told_with_all_that_answers_it(stage: &Stage) {
    let receiver = Receiver::ready();
    stage.file("hook.secret", SECRET);
    let rest = format!("webhook = \"{}\"\nsecret = {{ file = \"hook.secret\" }}", receiver.url());
    let _server = stage.telling(&notifier("hook", &["asked"], &rest));
    let tasks = stage.tasks();
    let task = tasks.asking("deploy", &form("Really?"), Some(Duration::from_secs(600)));
    let got = receiver.count(1).remove(0);
    assert_eq!(
        (got.path.as_str(), got.headers["content-type"].as_str()),
        ("/s3cret-path", "application/json")
    );
    let body = got.body();
    assert_eq!((&body["type"], &body["data"]["message"]), (&"task.asked".into(), &"Really?".into()));
    assert_eq!(
        (got.data("task"), got.data("tool"), got.data("question")),
        (task.id().to_string(), "deploy".into(), "q1".into())
    );
    is_notice(&body);
    assert_eq!(body["data"]["form"]["properties"]["ok"]["type"], "boolean");
    assert!(body["data"]["deadline"].is_string(), "{body}");
    // Whoever has the secret can tell that it is ours.
    got.is_signed_with(SECRET);
    // The command does what it says.
    let command = got.data("command");
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--accept", "--set", "ok=true"]).collect();
    stage.ok(&words);
    assert_eq!(stage.json(&["notify"])[0]["problem"], serde_json::Value::Null);
    let said = stage.heard("");
    assert!(!said.contains("s3cret") && !said.contains("whsec"), "{said}");
}

fn only_what_is_wanted_is_told(stage: &Stage) {
    let (deploys, all) = (Receiver::ready(), Receiver::ready());
    let of_deploys =
        notifier("deploys", &["failed"], &format!("tool = \"deploy*\"\nwebhook = \"{}\"", deploys.url()));
    let of_session = notifier(
        "session",
        &["failed", "cancelled"],
        &format!(
            "session = [\"s1\"]\nformat = \"{{{{ event }}}} {{{{ tool }}}}: {{{{ text }}}}\"\nwebhook = \"{}\"",
            all.url()
        ),
    );
    let _server = stage.telling(&format!("{of_deploys}{of_session}"));
    let tasks = stage.tasks();
    let failing = |tool: &str| {
        tasks.submit(tool, None);
        let task = tasks.claim(tool);
        tasks.finish(&task, &Outcome::Error(RpcError::internal(format!("{tool} broke"))));
    };
    failing("other");
    failing("deploy_all");
    tasks.cancel(&tasks.submit("other", Some("s1")));
    tasks.cancel(&tasks.submit("deploy", Some("s2")));
    assert_eq!(all.count(1)[0].text, "cancelled other: enough");
    assert_eq!(deploys.count(1)[0].data("text"), "deploy_all broke");
    failing("deploy_last");
    assert_eq!(deploys.count(2)[1].data("text"), "deploy_last broke", "nothing came between");
    assert_eq!(all.all().len(), 1);
}

fn a_question_that_waits_too_long_is_told_once_and_one_that_was_answered_is_not(stage: &Stage) {
    let receiver = Receiver::ready();
    let rest = format!("after = \"2s\"\nwebhook = \"{}\"", receiver.url());
    let _server = stage.telling(&notifier("hook", &["unanswered"], &rest));
    let tasks = stage.tasks();
    let answered = tasks.asking("deploy", &form("Answered?"), None);
    stage.ok(&["respond", answered.id().as_str(), "--decline"]);
    let page = Ask::url("Sign.", "https://bank.example/sign?x=1");
    let waiting = tasks.asking("deploy", &page, None);
    let got = receiver.count(1).remove(0);
    assert_eq!((got.data("event"), got.data("task")), ("unanswered".into(), waiting.id().to_string()));
    assert_eq!((got.data("host"), got.data("mode")), ("bank.example".into(), "url".into()));
    let next = tasks.asking("deploy", &form("Next?"), None);
    let all = receiver.count(2);
    assert_eq!(all[1].data("task"), next.id().to_string(), "the first one is not told again");
}

fn a_program_is_told_as_well(stage: &Stage) {
    let script = r#"test "$MCPTASK_EVENT_TOOL" = deploy && cat > told.new && mv told.new told"#;
    let _server =
        stage.telling(&notifier("program", &["asked"], &format!("exec = [\"sh\", \"-c\", '{script}']")));
    let task = stage.tasks().asking("deploy", &form("Really?"), None);
    stage.until_notifiers("it is taken", |found| found[0]["delivered_at"].is_string());
    let told = std::fs::read_to_string(stage.path().join("told")).expect("was written");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["data"]["task"], task.id().as_str());
}

#[test]
fn a_changed_file_is_taken_up() {
    let stage = Stage::sqlite();
    let (before, after) = (Receiver::ready(), Receiver::ready());
    let server = stage.telling(&posting("hook", &["submitted"], &before.url()));
    let tasks = stage.tasks();
    tasks.submit("one", None);
    before.count(1);
    stage.file("mcptask.toml", "[[notify]]\non = 5\n");
    server.signal("HUP");
    stage.heard("has 2 mistakes");
    tasks.submit("two", None);
    before.count(2);
    stage.file("mcptask.toml", &posting("anew", &["submitted"], &after.url()));
    server.signal("HUP");
    let is_anew = |one: &serde_json::Value| one["running"] == (one["notifier"] == "anew");
    stage.until_notifiers("the other one is run", |found| found.len() == 2 && found.iter().all(is_anew));
    tasks.submit("three", None);
    assert_eq!(after.count(1)[0].data("tool"), "three");
    assert_eq!(before.all().len(), 2);
}

fn that_a_question_was_extended_is_told_and_later_its_new_end(stage: &Stage) {
    let receiver = Receiver::ready();
    let rest = format!("after = \"3s\"\nwebhook = \"{}\"", receiver.url());
    let _server = stage.telling(&notifier("hook", &["extended", "unanswered"], &rest));
    let task = stage.tasks().asking("deploy", &form("Really?"), Some(Duration::from_secs(600)));
    let id = task.id().as_str();
    let done = &stage.json(&["extend", id, "2h", "--as", "Ada", "--note", "asleep"])[0];
    let got = receiver.count(2);
    is_notice(&got[0].body());
    assert_eq!(got.iter().map(|one| one.data("event")).collect::<Vec<_>>(), ["extended", "unanswered"]);
    for one in &got {
        assert_eq!(one.body()["data"]["deadline"], done["deadline"]);
        assert_eq!(one.data("question"), "q1");
    }
    assert_eq!((got[0].data("who"), got[0].data("text")), ("Ada".into(), "asleep".into()));
    assert_eq!(got[0].data("summary"), "Ada gave a question of deploy more time");
}

fn people_are_reminded_once_of_a_question_that_waits(stage: &Stage) {
    let receiver = Receiver::ready();
    let _server = stage.telling(&posting("hook", &["reminded", "cancelled"], &receiver.url()));
    let tasks = stage.tasks();
    let ask = |message: &str| form(message).remind_after(Some(Duration::from_secs(3)));
    let (answered, waits) =
        (tasks.asking("deploy", &ask("Answered?"), None), tasks.asking("deploy", &ask("Waits?"), None));
    stage.ok(&["respond", answered.id().as_str(), "--decline"]);
    let got = receiver.count(1).remove(0);
    is_notice(&got.body());
    assert_eq!((got.data("event"), got.data("message")), ("reminded".into(), "Waits?".into()));
    assert_eq!(got.data("task"), waits.id().to_string());
    assert!(got.data("command").contains(" respond "), "{}", got.text);
    assert_eq!(got.data("summary"), "deploy still waits for an answer");
    let events = stage.json(&["watch", "--no-follow", "--event", "reminded"]);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["question"]["message"], "Waits?");
    let words = stage.ok(&["watch", "--no-follow", "--event", "reminded"]);
    assert!(words.contains("reminded of q1: Waits?"), "{words}");
    assert!(words.contains("answer with: mcptask respond "), "{words}");
    tasks.cancel(waits.id());
    assert_eq!(receiver.count(2)[1].data("event"), "cancelled", "nothing came between");
}

/// Also of the question of a call that is waited for, of which nothing else is told.
fn that_nobody_at_a_client_can_answer_is_told(stage: &Stage) {
    let receiver = Receiver::ready();
    let hook = posting("hook", &["asked", "unanswerable"], &receiver.url());
    let tool = "[tools.ask]\ndescription = \"Asks.\"\nunanswerable = \"notify\"\n\
        steps = [{ ask = \"Really?\", form = { ok = \"boolean\" } }, { return = \"done\" }]\n";
    stage.file("mcptask.toml", &format!("{hook}{tool}"));
    let server = stage.serve(&["--lease", "2s"]);
    stage.until_run(1);
    let url = server.url().to_owned();
    let call = std::thread::spawn(move || mute_call(&url, "ask"));
    let got = receiver.count(1).remove(0);
    is_notice(&got.body());
    assert_eq!((got.data("event"), got.data("message")), ("unanswerable".into(), "Really?".into()));
    assert!(got.data("text").contains("did not declare the elicitation capability"), "{}", got.text);
    assert_eq!(got.data("summary"), "ask asks, and nobody at its client can answer");
    let command = got.data("command");
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--decline"]).collect();
    stage.ok(&words);
    let response = call.join().expect("no panic");
    assert!(response.contains("done"), "{response}");
}

/// What is replied to a call of a modern client that cannot be asked.
fn mute_call(url: &str, tool: &str) -> String {
    let meta = serde_json::json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "mute", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = serde_json::json!({ "name": tool, "arguments": {}, "_meta": meta });
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    // A second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .body(body.to_string());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { request.send().await.expect("a response").text().await.expect("a body") })
}
