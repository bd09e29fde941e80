//! Rules that answer, on both engines and through a server.

use mcptask::engine::{Engine, Limits, Submission};
use mcptask::store::sqlite::SqliteStore;
use mcptask::task::Scope;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::json_shapes;
use crate::kitchen::Kitchen;
use crate::place::{Background, Place};
use crate::redis::RedisServer;

/// A tool that asks for an approval of an amount, and one that asks to visit a page.
pub(crate) const TOOLS: &str = r#"[tools.order]
description = "Orders."
input = { amount = "integer" }
steps = [
  { ask = "Approve the amount?", form = { ok = "boolean" } },
  { return = "went on" },
]

[tools.sign]
description = "Signs."
steps = [{ ask = "Please sign.", url = "https://example.com/sign" }, { return = "went on" }]
"#;

const RULES: &str = r#"[[rule]]
name = "small"
tool = "order"
message = "(?i)^approve"
when = "args.amount < 100"
accept = { ok = "{{ args.amount > 0 }}" }

[[rule]]
name = "large"
tool = "order"
when = "args.amount >= 1000"
decline = true

[[rule]]
name = "pages"
tool = "sign"
accept = {}
"#;

/// A place with a worker of the tools.
pub(crate) fn begun(place: &Place) -> Background {
    let tools = place.file("tools.toml", TOOLS);
    place.background(&["worker", "--json", "--config", &tools])
}

/// Submits an order and waits until it has asked.
pub(crate) fn order(place: &Place, amount: u32) -> String {
    let id = place.ok(&["submit", "order", "--arg", &format!("amount={amount}"), "--session", "shop"]);
    place.until(&id, "asked");
    id
}

/// What a run of rules printed of each question: what became of it, by its task.
fn became<'a>(lines: &'a [Value], task: &str) -> &'a Value {
    lines.iter().find(|line| line["task"] == task).unwrap_or_else(|| panic!("{task} is not in {lines:?}"))
}

fn answers(place: &Place) {
    let _worker = begun(place);
    let rules = place.file("rules.toml", RULES);
    let (small, middle, large) = (order(place, 5), order(place, 500), order(place, 5000));
    let page = place.asking("sign");

    let dry = place.json(&["respond", "--rules", &rules, "--dry-run"]);
    assert_eq!(became(&dry, &small)["event"], "would_answer");
    let (done, each) = dry.split_last().expect("lines");
    for line in each {
        json_shapes::is_line("ruling", line);
    }
    json_shapes::is_line("rulings", done);
    assert_eq!(dry.last().map(|done| (&done["answered"], &done["left"])), Some((&json!(2), &json!(2))));
    assert_eq!(place.json(&["list", "--waiting"]).len(), 4, "nothing was changed");

    let said = place.ok(&["respond", "--rules", &rules]);
    assert!(said.ends_with("2 answered, 2 left"), "{said}");
    assert!(said.contains("order: answered by rule small: accept ok=yes"), "{said}");
    assert!(said.contains("order: answered by rule large: decline"), "{said}");
    assert!(said.contains("order: left to people: no rule is about it"), "{said}");
    assert!(said.contains("left to people by rule pages: it asks to visit a page"), "{said}");
    let answer = |id: &str| place.json(&["show", id])[0]["questions"][0]["answer"].clone();
    let given = answer(&small);
    assert_eq!(given["who"], json!({ "name": "small", "known": "rule" }));
    assert_eq!((&given["by"], &given["content"]), (&json!("policy"), &json!({ "ok": true })));
    assert_eq!(answer(&large)["action"], "decline");
    assert!(answer(&middle).is_null() && answer(&page).is_null(), "these are for people");
    let sheet = place.ok(&["show", &small]);
    assert!(sheet.contains("accept by rule small"), "{sheet}");
    let log = place.ok(&["watch", "--no-follow", "--task", &small]);
    assert!(log.contains("answered q1: accept by rule small"), "{log}");

    let taking =
        place.file("taking.toml", "[[rule]]\nname = \"pages\"\nurl = true\naccept = {}\ntool = \"sign\"\n");
    let done = place.json(&["respond", "--rules", &taking]);
    assert_eq!(became(&done, &page)["event"], "answered");
    assert_eq!(answer(&page)["action"], "accept");
    assert_eq!(became(&done, &middle)["rule"], Value::Null);
}

#[test]
fn rules_answer_what_they_are_about_in_a_file() {
    answers(&Place::new());
}

#[test]
fn rules_answer_what_they_are_about_in_redis() {
    let redis = RedisServer::start();
    answers(&Place::on_redis(&redis.url()));
}

/// Two followers of the same rules, and what each says of ten questions.
fn follows(place: &Place) {
    let _worker = begun(place);
    let rules = place.file("rules.toml", RULES);
    let first = order(place, 7);
    let follow = ["respond", "--rules", &rules, "--follow", "--json"];
    let mut one = place.background(&follow);
    assert_eq!((&one.first["task"], &one.first["event"]), (&json!(first), &json!("answered")));
    let left = order(place, 500);
    assert_eq!(one.next()["event"], "left");
    let mut other = place.background(&follow);
    assert_eq!((&other.first["task"], &other.first["event"]), (&json!(left), &json!("left")));
    let ids: Vec<String> = (1..=10).map(|amount| order(place, amount)).collect();
    for id in &ids {
        place.until(id, "end");
    }
    // Whoever was too late says so or has found nothing to do; both go on.
    let last = order(place, 501);
    let mut answered = Vec::new();
    for follower in [&mut one, &mut other] {
        loop {
            let line = follower.next();
            if line["task"] == last.as_str() {
                assert_eq!(line["event"], "left", "{line}");
                break;
            }
            assert!(["answered", "late"].iter().any(|word| line["event"] == *word), "{line}");
            if line["event"] == "answered" {
                answered.push(line["task"].as_str().expect("an id").to_owned());
            }
        }
    }
    answered.sort();
    let mut wanted = ids;
    wanted.sort();
    assert_eq!(answered, wanted, "each has one answer");
}

#[test]
fn two_followers_of_the_same_rules_answer_each_question_once_in_a_file() {
    follows(&Place::new());
}

#[test]
fn two_followers_of_the_same_rules_answer_each_question_once_in_redis() {
    let redis = RedisServer::start();
    follows(&Place::on_redis(&redis.url()));
}

#[test]
fn hostile_questions_and_rules_are_left_to_people_and_said_once() {
    let place = Place::new();
    let long = "a".repeat(16 * 1024 - 1);
    let huge = format!(
        "[tools.huge]\ndescription = \"A.\"\nsteps = [{{ ask = \"{long}\" }}, {{ return = \"x\" }}]\n"
    );
    let tools = place.file("tools.toml", &format!("{TOOLS}\n{huge}"));
    let _worker = place.background(&["worker", "--json", "--config", &tools]);
    let broken = "[[rule]]\nname = \"slow elsewhere\"\nmessage = \"(a+)+$b\"\ndecline = true\n\
        [[rule]]\nname = \"broken\"\nwhen = \"args.no_such.part\"\ndecline = true\n\
        [[rule]]\nname = \"last\"\ncancel = true\n";
    let rules = place.file("rules.toml", broken);
    let (huge, small) = (place.asking("huge"), order(&place, 5));
    let mut follower = place.background(&["respond", "--rules", &rules, "--follow", "--json"]);
    let second = follower.next();
    for (line, id) in [(&follower.first, &huge), (&second, &small)] {
        assert_eq!((&line["task"], &line["rule"]), (&json!(id), &json!("broken")), "{line}");
        assert!(line["event"] == "left" && line["why"].as_str().is_some_and(|why| why.contains("not there")));
    }
    let next = order(&place, 6);
    assert_eq!(follower.next()["task"], next.as_str(), "nothing is said twice");
    assert_eq!(place.json(&["list", "--waiting"]).len(), 3);
}

#[test]
fn mistakes_are_said_with_their_place_by_every_command_that_reads_rules() {
    let place = Place::new();
    let rules =
        place.file("rules.toml", "[[rule]]\nname = \"a\"\ntol = \"x\"\nmessage = \"(\"\nleave = true\n");
    for words in [&["respond", "--rules", &rules][..], &["check", &rules], &["serve", "--rules", &rules]] {
        let ran = place.run(words);
        assert_eq!(ran.code, 2, "{ran:?}");
        for part in
            [":3:1: unknown key \"tol\"", "did you mean \"tool\"?", ":4:11: ", "no regular expression"]
        {
            assert!(ran.err.contains(part), "{part:?} is not in {ran:?}");
        }
    }
    let right = place.file("right.toml", RULES);
    let said = place.ok(&["check", &right]);
    assert!(said.contains("it has the rules small, large, pages"), "{said}");
    let names: Vec<_> = place.json(&["check", &right]).iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["small", "large", "pages"]);
    let both = place.run(&["respond", "--rules", &right, "--decline"]);
    assert_eq!(both.code, 2, "{both:?}");
    let nothing = place.ok(&["respond", "--rules", &right]);
    assert_eq!(nothing, "0 answered, 0 left");
}

#[test]
fn a_servers_questions_are_answered_where_it_shows_them() {
    let place = Place::new();
    let tools = place.file("tools.toml", TOOLS);
    let server = place.serve(&["--config", &tools]);
    let rules =
        place.file("rules.toml", "[[rule]]\nname = \"orders\"\ntool = \"order\"\naccept = { ok = true }\n");
    let url = ["--server", server.url()];
    let id = place.ok(&[&["submit", "order", "--arg", "amount=3"][..], &url].concat());
    place.until(&id, "asked");
    let words = [&["respond", "--rules", &rules][..], &url].concat();
    let legacy = place.run(&[&words[..], &["--era", "legacy"]].concat());
    assert!(legacy.code != 0 && legacy.err.contains("only to the client that submitted"), "{legacy:?}");
    let said = place.ok(&words);
    assert!(
        said.contains("order: answered by rule orders") && said.ends_with("1 answered, 0 left"),
        "{said}"
    );
    let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"];
    assert_eq!((&answer["content"], &answer["who"]["name"]), (&json!({ "ok": true }), &json!("rule orders")));
}

#[test]
fn a_follower_of_rules_answers_a_servers_questions_as_they_come() {
    let place = Place::new();
    let tools = place.file("tools.toml", TOOLS);
    let server = place.serve(&["--config", &tools]);
    let rules =
        place.file("rules.toml", "[[rule]]\nname = \"orders\"\ntool = \"order\"\naccept = { ok = true }\n");
    let submit = ["submit", "order", "--arg", "amount=3", "--server", server.url()];
    let first = place.ok(&submit);
    place.until(&first, "asked");
    let words = ["respond", "--rules", &rules, "--follow", "--json", "--server", server.url()];
    let mut follower = place.background(&words);
    assert_eq!((&follower.first["task"], &follower.first["event"]), (&json!(first), &json!("answered")));
    let second = place.ok(&submit);
    let told = follower.next();
    assert_eq!(
        (&told["task"], &told["event"], &told["source"]),
        (&json!(second), &json!("answered"), &json!("server"))
    );
    place.until(&second, "end");
}

#[test]
fn a_follower_of_rules_rides_out_an_outage() {
    let mut redis = RedisServer::persistent();
    let place = Place::on_redis(&redis.url());
    let worker = begun(&place);
    let rules = place.file("rules.toml", RULES);
    let first = order(&place, 1);
    let mut follower = place.background(&["respond", "--rules", &rules, "--follow", "--json"]);
    assert_eq!(follower.first["task"], first.as_str());
    redis.kill();
    redis.restart();
    let second = order(&place, 2);
    let told = follower.next();
    assert_eq!((&told["task"], &told["event"]), (&json!(second), &json!("answered")));
    place.until(&second, "end");
    drop(worker);
}

/// More questions than are read at once, each of which leaves the list as it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_questions_are_answered_in_one_go() {
    const MANY: usize = 450;
    let place = Place::new();
    std::fs::create_dir_all(place.database().parent().expect("a folder")).expect("can be made");
    let kitchen = Kitchen::open(&place.database());
    let store = SqliteStore::open(&place.database(), "default").await.expect("opens");
    let stop = CancellationToken::new();
    let engine = Engine::new(store, Limits::default(), stop.clone());
    for _ in 0..MANY {
        let submission = Submission {
            tool: "visit".to_owned(),
            arguments: serde_json::Map::new(),
            scope: Scope::anonymous(),
            session: None,
            hidden: false,
            ttl_ms: None,
        };
        engine.submit(submission).await.expect("is submitted");
    }
    let waiting = || place.json(&["list", "--waiting", "--limit", "1000"]).len();
    crate::outage::until(|| waiting() == MANY);
    let rules = place.file("rules.toml", "[[rule]]\nname = \"pages\"\nurl = true\naccept = true\n");
    let done = place.json(&["respond", "--rules", &rules]);
    assert_eq!(done.last().map(|done| &done["answered"]), Some(&json!(MANY)));
    assert_eq!(waiting(), 0);
    stop.cancel();
    drop(kitchen);
}
