//! Answers that a host's model gives, where it may.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::peer::Host;
use crate::stage::Stage;

on_both_engines!(
    nobody_answers_where_that_is_not_allowed,
    an_answer_counts_and_says_who_gave_it,
    what_does_not_fit_leaves_the_question_open,
    a_page_is_never_accepted,
    of_ten_answers_one_counts,
);

fn yes(task: &str) -> Value {
    json!({ "task": task, "question": "q1", "action": "accept", "content": { "sure": true, "words": "go" } })
}

fn nobody_answers_where_that_is_not_allowed(stage: &Stage) {
    let task = stage.asking_deploy();
    for host in [Host::legacy, Host::modern] {
        let mut host = host(stage, &[], &json!({ "elicitation": {} }));
        assert_eq!(host.tools(), ["list_waiting", "list_tasks", "show_task", "watch_task", "submit_task"]);
        for tool in ["answer_question", "ask_user"] {
            let refused = host.request("tools/call", json!({ "name": tool, "arguments": yes(&task) }));
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
            assert!(
                refused["error"]["message"].as_str().expect("words").contains("--allow-answer"),
                "{refused}"
            );
        }
    }
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
}

fn an_answer_counts_and_says_who_gave_it(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = Host::modern(stage, &["--allow-answer"], &json!({}));
    let mut given = yes(&task);
    given["note"] = json!("Ada said so");
    let receipt = host.ok("answer_question", &given);
    assert_eq!(
        [&receipt["task"], &receipt["question"], &receipt["action"], &receipt["by"]],
        [&json!(task), &json!("q1"), &json!("accept"), &json!("operator")]
    );
    stage.until(&task, "completed");
    assert_eq!(stage.ok(&["result", &task]), "accept: go");
    let who = stage.printed(&["show", &task])[0]["questions"][0]["answer"]["who"].clone();
    let name = "mcp client testhost 7";
    assert_eq!(who, json!({ "name": name, "known": "client_info", "client": name, "note": "Ada said so" }));
    let task = stage.asking_deploy();
    let mut host = Host::legacy(stage, &["--allow-answer", "--as", "ann"], &json!({}));
    let declined =
        host.ok("answer_question", &json!({ "task": task, "question": "q1", "action": "decline" }));
    assert_eq!(declined["who"], json!({ "name": "ann", "known": "given", "client": name }));
    // Whoever comes later is told, as at the command line.
    let late = host.fails("answer_question", &yes(&task));
    let printed = stage.refused(&["respond", &task, "--question", "q1", "--decline"]);
    assert_eq!((&late["code"], &late["message"]), (&json!("nothing_changed"), &printed["message"]));
    assert_eq!((&late["task"], &late["question"]), (&json!(task), &json!("q1")));
}

fn what_does_not_fit_leaves_the_question_open(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut host = Host::legacy(stage, &["--allow-answer"], &json!({}));
    let with = |members: Value| {
        let mut given = json!({ "task": task, "question": "q1", "action": "accept" });
        given.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        given
    };
    for (members, code) in [
        (json!({ "content": { "sure": "perhaps", "words": "go" } }), "usage"),
        (json!({ "content": { "colour": "red" } }), "usage"),
        (json!({ "content": 7 }), "usage"),
        (json!({}), "usage"),
        (json!({ "action": "decline", "content": {} }), "usage"),
        (json!({ "content": { "sure": true, "words": 1e22 } }), "usage"),
        (json!({ "action": "perhaps" }), "usage"),
        (json!({ "question": "", "content": {} }), "usage"),
        (json!({ "question": "q7", "content": {} }), "not_found"),
        (json!({ "task": "nobodys0", "content": {} }), "not_found"),
    ] {
        let told = host.fails("answer_question", &with(members.clone()));
        assert_eq!(told["code"], code, "{members}: {told}");
    }
    let missing = json!({ "task": task, "action": "decline" });
    assert!(host.fails("answer_question", &missing)["message"].as_str().expect("words").contains("question"));
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    host.ok("answer_question", &yes(&task));
}

fn a_page_is_never_accepted(stage: &Stage) {
    let task = stage.asking("pay");
    let mut host = Host::legacy(stage, &["--allow-answer"], &json!({}));
    for content in [Value::Null, json!({})] {
        let accept = json!({ "task": task, "question": "q1", "action": "accept", "content": content });
        let told = host.fails("answer_question", &accept);
        assert_eq!(told["code"], "usage");
        assert!(told["message"].as_str().expect("words").contains("host pay.example"), "{told}");
    }
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    host.ok("answer_question", &json!({ "task": task, "question": "q1", "action": "decline" }));
    stage.until(&task, "completed");
    assert_eq!(stage.ok(&["result", &task]), "decline");
}

fn of_ten_answers_one_counts(stage: &Stage) {
    let task = stage.asking_deploy();
    let mut hosts = [Host::legacy, Host::modern].map(|host| host(stage, &["--allow-answer"], &json!({})));
    let begun: Vec<_> = (0..10)
        .map(|at| {
            let mut given = yes(&task);
            given["content"]["words"] = json!(format!("answer {at}"));
            (at % 2, hosts[at % 2].begin_call("answer_question", &given))
        })
        .collect();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for (host, id) in begun {
        let told = hosts[host].result(id, "answer_question")["structuredContent"].clone();
        *codes.entry(told["code"].as_str().unwrap_or("taken").to_owned()).or_default() += 1;
    }
    assert_eq!(codes, BTreeMap::from([("nothing_changed".to_owned(), 9), ("taken".to_owned(), 1)]));
}

#[test]
fn a_profile_that_wants_to_be_asked_is_not_passed_over() {
    let stage = Stage::sqlite();
    let task = stage.asking_deploy();
    let folder = stage.path().join(".config/mcptask");
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = stage.database();
    let profile = format!("[profile.prod]\ndb = {:?}\nconfirm = true\n", database.to_str().expect("UTF-8"));
    std::fs::write(folder.join("config.toml"), profile).expect("written");
    let way = ["--allow-answer", "--profile", "prod"];
    let mut host = Host::legacy(&stage, &way, &json!({}));
    assert_eq!(host.fails("answer_question", &yes(&task))["code"], "needs_input");
    assert_eq!(host.fails("submit_task", &json!({ "tool": "wait" }))["code"], "needs_input");
    let mut host = Host::legacy(&stage, &[&way[..], &["--yes"]].concat(), &json!({}));
    host.ok("answer_question", &yes(&task));
}
