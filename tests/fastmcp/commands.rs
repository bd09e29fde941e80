//! The commands, on a Redis that holds FastMCP's tasks and one's own.

use assert_cmd::Command;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use crate::json_shapes::is_line;
use crate::kitchen::{Kitchen, V3_4, V4};
use crate::support::{new_task, submit};

/// A command on that Redis: its exit code, its objects, and its complaint.
pub(crate) fn mcptask(kitchen: &Kitchen, words: &[&str]) -> (i32, Vec<Value>, String) {
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).args(["--json", "--no-input", "--timeout", "60s"]);
    let output = command.args(words).output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("is text");
    let objects = text.lines().map(|line| serde_json::from_str(line).expect("one object per line"));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("ends by itself"), objects.collect(), complaint)
}

/// The same command, while it runs.
pub(crate) fn started(kitchen: &Kitchen, words: &[&str]) -> std::process::Child {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("mcptask"));
    command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).args(["--json", "--no-input", "--timeout", "60s"]);
    command.args(words).stdin(std::process::Stdio::null()).spawn().expect("is built")
}

/// What a person is told by a command on that Redis.
pub(crate) fn in_words(kitchen: &Kitchen, words: &[&str]) -> String {
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).arg("--no-input").args(words);
    let output = command.output().expect("runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// What bash would offer for the word behind these.
pub(crate) fn offered(words: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    command.args(["--", "mcptask"]).args(words).arg("").envs(variables.iter().copied());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() + 1).to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
    String::from_utf8(command.output().expect("runs").stdout).expect("is text")
}

/// What it would offer for the task of that command.
fn completed(kitchen: &Kitchen, verb: &str) -> String {
    let offered = offered(&[verb], &[("MCPTASK_REDIS_URL", &kitchen.redis.url())]);
    offered.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n")
}

pub(crate) fn sources(objects: &[Value]) -> Vec<&str> {
    objects.iter().filter_map(|object| object["source"].as_str()).collect()
}

#[tokio::test]
async fn a_name_has_no_place_there_and_that_is_said() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let respond = |cuisine: &str| {
        let mut command = Command::cargo_bin("mcptask").expect("is built");
        command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).args(["respond", &id, "--set", cuisine]);
        let output = command.args(["--as", "ada", "--note", "ticket 7"]).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = respond("cuisine=martian");
    assert!(code == Some(2) && !said.contains("is stored without them"), "nothing was stored: {said}");
    let (code, said) = respond("cuisine=thai");
    assert!(code == Some(0) && said.contains("FastMCP keeps neither the name"), "{said}");
    kitchen.asks(&id, "Vegetarian?").await;
    let (code, done, complaint) = mcptask(&kitchen, &["respond", &id, "--set", "vegetarian=yes"]);
    assert!(code == 0 && done[0]["who"].is_null(), "{complaint}");
}

#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn workers_are_seen_with_what_they_run(#[case] version: &'static str) {
    let (kitchen, worker) = Kitchen::apart(version, &[]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let (code, seen, complaint) = mcptask(&kitchen, &["workers"]);
    assert_eq!((code, sources(&seen)), (0, vec!["fastmcp"]), "{complaint}");
    is_line("worker", &seen[0]);
    assert_eq!((&seen[0]["alive"], &seen[0]["process"]), (&true.into(), &worker.child.id().into()));
    let tools = seen[0]["tools"].as_array().expect("a list");
    assert!(tools.contains(&"plan_dinner".into()) && !tools.contains(&"trace".into()), "{tools:?}");
    // Version 4 takes a task that asks off its worker, 3 leaves it there.
    let runs: Vec<_> = seen[0]["runs"].as_array().expect("a list").iter().collect();
    let held: Vec<_> = runs.iter().map(|run| (run["task"].as_str(), run["waits"].as_bool())).collect();
    let expected = if version == V4 { vec![] } else { vec![(Some(id.as_str()), Some(true))] };
    assert_eq!(held, expected);
}

#[tokio::test]
async fn both_kinds_of_tasks_stand_side_by_side() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;

    let (code, listed, _) = mcptask(&kitchen, &["list"]);
    assert_eq!((code, sources(&listed)), (0, vec!["fastmcp"]));
    let (_, shown, _) = mcptask(&kitchen, &["show", &id]);
    // FastMCP keeps a question for an hour, and this task for 16 minutes: what ends first.
    let ends: Timestamp = listed[0]["ends_at"].as_str().expect("an end").parse().expect("a time");
    let left = ends.as_millisecond() - Timestamp::now().as_millisecond();
    let ttl = &shown[0]["ttl"];
    let first = ttl["task_ms"].as_i64().into_iter().chain(ttl["question_ms"].as_i64()).min().expect("a ttl");
    assert!((first - left).abs() < 60_000, "{left} ms are left, of {ttl}");
    assert_eq!(completed(&kitchen, "show"), id[..8], "FastMCP's is the only one to offer");
    let ours = kitchen.redis::<Vec<String>>(&["KEYS", "mcptask*"]).await;
    assert_eq!(ours, Vec::<String>::new(), "looking leaves no key in FastMCP's Redis");
    let mut history = Command::cargo_bin("mcptask").expect("is built");
    history.env("MCPTASK_REDIS_URL", kitchen.redis.url()).args(["list", "--history"]);
    let said = String::from_utf8(history.output().expect("runs").stderr).expect("is text");
    assert!(
        said.contains("only a store of mcptask's own has a history") && !said.contains("--keep"),
        "{said}"
    );

    let store =
        mcptask::store::redis::RedisStore::open(&kitchen.redis.url(), "default").await.expect("opens");
    let native = submit(&*store, &new_task("cook")).await;
    let offered = completed(&kitchen, "show");
    assert!(offered.lines().eq([&native.id().as_str()[..8], &id[..8]]), "{offered}");
    let (_, listed, _) = mcptask(&kitchen, &["list"]);
    assert_eq!(sources(&listed), ["mcptask", "fastmcp"], "the newest first");
    let (_, shown, _) = mcptask(&kitchen, &["show", native.id().as_str()]);
    assert_eq!(shown[0]["id"], native.id().as_str());

    let (_, causes, _) = mcptask(&kitchen, &["doctor"]);
    let told: Vec<_> = causes.iter().filter_map(|one| one["cause"].as_str()).collect();
    assert_eq!(told, ["no_worker_offers", "client_has_question"]);

    let (code, seen, complaint) = mcptask(&kitchen, &["watch", "--until", "asked"]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(sources(&seen).last(), Some(&"fastmcp"));

    let (code, _, complaint) = mcptask(&kitchen, &["respond", &id[..8], "--set", "cuisine=martian"]);
    assert_eq!(code, 2, "{complaint}");
    let (code, done, complaint) = mcptask(&kitchen, &["respond", "--next", "--set", "cuisine=thai"]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!((done[0]["task"].as_str(), sources(&done)), (Some(id.as_str()), vec!["fastmcp"]));
    kitchen.asks(&id, "Vegetarian?").await;
    let (code, _, complaint) = mcptask(&kitchen, &["cancel", &id[..8]]);
    assert_eq!(code, 0, "{complaint}");
    let (code, ..) = mcptask(&kitchen, &["cancel", &id[..8]]);
    assert_eq!(code, 10, "a second time changes nothing");
    let (_, _, complaint) = mcptask(&kitchen, &["cancel", &id[..8]]);
    assert!(complaint.contains("mcptask result"), "{complaint}");
}

#[rstest]
#[case(true)]
#[case(false)]
#[tokio::test]
async fn fastmcp_4_is_answered_through_its_server_or_on_demand_in_redis(#[case] through_server: bool) {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let task = format!("--task={id}");
    let (code, _, complaint) = mcptask(&kitchen, &["respond", "--set", "cuisine=thai", "--", &id]);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("--server URL") && complaint.contains("--direct"), "{complaint}");
    let server = kitchen.endpoint();
    let way = if through_server { vec!["--server", &server] } else { vec!["--direct"] };
    let words = [&["respond", "--set", "cuisine=thai"][..], &way, &["--", &id]].concat();
    let (code, _, complaint) = mcptask(&kitchen, &words);
    assert_eq!(code, 0, "{complaint}");
    let (code, seen, complaint) = mcptask(&kitchen, &["watch", &task, "--until", "asked"]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(seen[0]["docket"], "fastmcp");
    kitchen.asks(&id, "Vegetarian?").await;
}

/// The commands that stand in a text, from `mcptask` to the end of the line or the next backtick.
fn suggested(text: &str) -> Vec<String> {
    let commands = text.split("mcptask ").skip(1).filter_map(|rest| rest.split(['\n', '`']).next());
    commands.filter(|words| words.starts_with("respond")).map(|words| words.trim_end().to_owned()).collect()
}

#[tokio::test]
async fn suggested_commands_take_an_id_that_looks_like_an_option() {
    let kitchen = Kitchen::with(V4, &[("DASHED", "1")]);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    assert!(id.starts_with('-'), "{id}");
    kitchen.asks(&id, "What kind of dinner?").await;
    let run = |words: &str| {
        let mut command = Command::new("sh");
        let binary = assert_cmd::cargo::cargo_bin("mcptask");
        command.args(["-c", &format!("exec \"$MCPTASK\" --no-input --timeout 60s {words}")]);
        command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).env("MCPTASK", binary);
        let output = command.output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("is text");
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let places = ["watch --until asked", "doctor", "respond --next --accept", &format!("show -- {id}")]
        .map(|place| suggested(&run(place).1));
    for commands in &places {
        assert!(!commands.is_empty(), "{places:?}");
        let named = |command: &String| command.ends_with(&format!(" -- {id}"));
        assert!(commands.iter().all(named), "{places:?}");
    }
    // As it was printed, but for the answer and the server's name.
    let command = places[0][0].replace("cuisine=CHOICE", "cuisine=thai");
    let command = command.replace("URL", &kitchen.endpoint());
    let (code, told) = run(&command);
    assert_eq!(code, Some(0), "{command}: {told}");
    kitchen.asks(&id, "Vegetarian?").await;
    for command in ["doctor", "show", "cancel"] {
        let (code, told) = run(&format!("{command} -- {}", &id[..8]));
        assert_eq!(code, Some(0), "{command}: {told}");
    }
}

#[tokio::test]
async fn an_answer_that_the_server_passes_over_is_not_called_counted() {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    // FastMCP finds no question of the tool's for that answer, and says nothing of it.
    let map = format!("fastmcp:fastmcp:task:anon:{id}:input:1:map");
    let names: Vec<String> = kitchen.redis(&["HGETALL", &map]).await;
    kitchen.redis::<()>(&["DEL", &map]).await;
    let server = kitchen.endpoint();
    let words = ["respond", "--set", "cuisine=thai", "--server", &server, "--", &id];
    let (code, done, complaint) = mcptask(&kitchen, &words);
    assert_eq!((code, &done[0]["still_open"]), (0, &json!(true)), "{complaint}");
    kitchen
        .redis::<()>(&[&["HSET", &map][..], &names.iter().map(String::as_str).collect::<Vec<_>>()].concat())
        .await;
    let (code, done, complaint) = mcptask(&kitchen, &words);
    assert_eq!((code, done[0].get("still_open")), (0, None), "{complaint}");
    kitchen.asks(&id, "Vegetarian?").await;
}

#[rstest]
#[case(true)]
#[case(false)]
#[tokio::test]
async fn several_questions_are_answered_by_the_names_that_fastmcp_gave_them(#[case] through_server: bool) {
    let kitchen = Kitchen::with(V4, &[("DASHED", "1")]);
    let client = kitchen.client("ask_two", &json!({}), "silent");
    let id = client.task();
    let task = kitchen.until(&id, |task| task.questions.len() == 2).await;
    let server = kitchen.endpoint();
    let way = if through_server { vec!["--server", &server] } else { vec!["--direct"] };
    let (code, seen, complaint) = mcptask(&kitchen, &["watch", "--task", &id, "--until", "asked"]);
    assert_eq!((code, &seen[0]["task"]), (0, &json!(id)), "{complaint}");
    // The second first, by its name, which begins with the task's id and so with a dash.
    for question in task.questions.iter().rev() {
        assert!(question.id.starts_with('-'), "{}", question.id);
        let set = if question.ask.message == "Vegetarian?" { "vegetarian=yes" } else { "cuisine=thai" };
        let words = ["respond", "--wait", "--question", &question.id, "--set", set];
        let (code, done, complaint) = mcptask(&kitchen, &[&words[..], &way, &["--", &id]].concat());
        assert_eq!(code, 0, "{complaint}");
        assert_eq!(done[0]["question"], question.id.as_str());
    }
    assert_eq!(kitchen.served().await, "{'cuisine': 'thai'} {'vegetarian': True}");
}

#[tokio::test]
async fn what_is_known_of_an_end_is_told() {
    let kitchen = Kitchen::open(V3_4);
    let asking = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&asking, "What kind of dinner?").await;
    let (code, _, complaint) = mcptask(&kitchen, &["result", &asking]);
    assert_eq!(code, 10, "{complaint}");
    assert!(complaint.contains("it is input_required; Docket calls its run running"), "{complaint}");
    let working = kitchen.client("work", &json!({ "seconds": 0 }), "none").task();
    let (code, told, complaint) = mcptask(&kitchen, &["result", "--wait", &working]);
    assert_eq!((code, &told[0]["status"]), (0, &json!("completed")), "{complaint}");
    let note = told[0]["note"].as_str().expect("a note");
    assert!(note.contains("a Python pickle, which is never opened here"), "{note}");
    assert!(note.contains("for another 1"), "{note}");
    let failing = kitchen.client("fail", &json!({}), "none").task();
    let (code, told, complaint) = mcptask(&kitchen, &["result", "--wait", &failing]);
    assert_eq!((code, &told[0]["status"]), (5, &json!("failed")), "{complaint}");
    assert!(told[0]["error"]["message"].to_string().contains("the oven is broken"), "{told:?}");
}

/// Every open question is named, with its words and the command that answers it, and nobody is taken for the client.
#[tokio::test]
async fn each_open_question_of_fastmcp_4_is_named_and_no_look_is_called_the_clients() {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("ask_two", &json!({}), "silent");
    let id = client.task();
    let asked = kitchen.until(&id, |task| task.questions.len() == 2).await;
    let (code, causes, complaint) = mcptask(&kitchen, &["doctor", "--", &id]);
    assert_eq!(code, 0, "{complaint}");
    for question in &asked.questions {
        let names = |cause: &&Value| {
            let of = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
            of("help").contains(&format!("--question {}", question.id))
                && of("evidence").contains(&question.ask.message)
        };
        let cause = causes.iter().find(names).unwrap_or_else(|| panic!("{question:?}: {causes:?}"));
        let evidence = cause["evidence"].as_str().unwrap_or_default();
        assert!(evidence.contains("cannot be told") && !evidence.contains("its client last"), "{evidence}");
        let words = ["respond", "--decline", "--question", &question.id, "--", &id];
        let (code, _, complaint) = mcptask(&kitchen, &words);
        assert_eq!(code, 2, "{complaint}");
        let hint = format!("--question {}", question.id);
        assert!(complaint.contains(&hint) && complaint.contains(&question.ask.message), "{complaint}");
    }
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    let shown =
        command.args(["show", "--json", "--server", &kitchen.endpoint(), "--", &id]).output().expect("runs");
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["waiting_since_at_earliest"], true, "its time of the last change is now: {shown}");
}

/// FastMCP 4 completes a task whose tool raised, and only its pickle says so.
#[tokio::test]
async fn a_task_of_fastmcp_4_that_has_ended_is_not_called_well() {
    let kitchen = Kitchen::open(V4);
    let client = kitchen.client("raise_error", &json!({}), "silent");
    let id = client.task();
    kitchen.until(&id, |task| task.status.is_final()).await;
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    let ran = command.args(["--redis", &kitchen.redis.url(), "list"]).output().expect("runs");
    let listed = String::from_utf8_lossy(&ran.stdout).into_owned();
    let task = format!("--task={id}");
    for words in [&["show", "--", &id][..], &["watch", &task, "--timeout", "20s"]] {
        let mut command = Command::cargo_bin("mcptask").expect("is built");
        let ran = command.args(["--redis", &kitchen.redis.url()]).args(words).output().expect("runs");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(!said.contains('✓') && !said.contains("completed"), "{words:?}: {said}");
        assert!(said.contains("  ended") && said.contains("whether its tool failed"), "{words:?}: {said}");
    }
    let (_, rows, _) = mcptask(&kitchen, &["list"]);
    assert!(!listed.contains('✓') && listed.contains("ended"), "{listed}");
    assert!(rows[0]["status"] == "completed" && rows[0]["is_error"].is_null(), "{rows:?}");
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    let ran = command.args(["--redis", &kitchen.redis.url(), "result", "--", &id]).output().expect("runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("has ended") && said.contains("--server URL"), "{said}");
}

/// A worker of ours would take nothing there, and begin a store in FastMCP's Redis.
#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn no_worker_of_ours_is_suggested_where_fastmcp_has_none(#[case] version: &'static str) {
    let mut kitchen = Kitchen::open(version);
    let id = kitchen.client("plan_dinner", &json!({}), "silent").task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let task = format!("--task={id}");
    let (code, _, complaint) = mcptask(&kitchen, &["watch", "--no-follow", "nobodys-session"]);
    assert_eq!(code, 0, "nobody's session: {complaint}");
    if !id.starts_with('-') {
        for follows in ["--no-follow", "--follow"] {
            let (code, _, complaint) = mcptask(&kitchen, &["watch", &id[..8], follows]);
            assert!(code == 2 && complaint.contains("a session's id is wanted"), "{follows}: {complaint}");
        }
    }
    kitchen.stop();
    kitchen.redis::<()>(&["DEL", "fastmcp:workers"]).await;
    let said = [
        in_words(&kitchen, &["tools"]),
        in_words(&kitchen, &["result", "--wait", "--timeout", "2s", "--", &id]),
        in_words(&kitchen, &["watch", &task, "--timeout", "1s"]),
        in_words(&kitchen, &["doctor"]),
    ];
    for said in &said {
        assert!(!said.contains("mcptask worker") && !said.contains("worker --builtin"), "{said}");
    }
    assert!(said[1].contains("start a worker of the server that has this tool"), "{}", said[1]);

    // Where both are in one Redis.
    let store =
        mcptask::store::redis::RedisStore::open(&kitchen.redis.url(), "default").await.expect("opens");
    submit(&*store, &new_task("cook")).await;
    let (code, _, complaint) = mcptask(&kitchen, &["submit", "plan_dinner"]);
    assert!(code == 2 && complaint.contains("those are launched through its server"), "{complaint}");
}
