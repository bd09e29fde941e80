//! `export`: questions and answers, for an audit.

use std::collections::HashSet;

use rstest::rstest;
use serde_json::Value;

use crate::json_shapes::is_line;
use crate::place::Place;
use crate::redis::RedisServer;
use crate::stock::{Engine, Stock, sure};

/// Asks in words that a table must not take for its own.
const TOOLS: &str = r#"[tools.rude]
description = "Asks rudely."
steps = [
  { ask = "=1+1, \"quoted\"\nand more", form = { name = "text" } },
  { ask = "And?", form = { name = "text" } },
  { return = "hello" },
]
"#;

/// Reads a CSV as a spreadsheet does.
fn read(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.push(letters.next().expect("is there")),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

fn exports(place: &Place) {
    let _worker = place.background(&["worker", "--json", "--config", &place.file("rude.toml", TOOLS)]);
    let id = place.ok(&["submit", "rude", "--session", "dinner"]);
    place.until(&id, "asked");
    place.ok(&["respond", &id, "--set", "name==Ada,\"x\"", "--as", "ada", "--note", "ticket 7"]);
    place.until_asked(&id, "q2");
    let [first, second] = place.json(&["export", "--since", "7d"]).try_into().expect("two questions");
    assert_eq!((&first["task"], &first["question"]), (&Value::from(id.as_str()), &"q1".into()));
    assert_eq!(first["answer"]["content"]["name"], "=Ada,\"x\"");
    assert_eq!(
        (&first["answer"]["who"]["name"], &first["answer"]["by"]),
        (&"ada".into(), &"operator".into())
    );
    assert!(first["waited_ms"].as_i64().is_some_and(|waited| (0..60_000).contains(&waited)), "{first}");
    assert!(first["requestedSchema"]["properties"]["name"].is_object(), "{first}");
    assert!(second["answer"].is_null() && second["status"] == "input_required", "{second}");

    let printed = place.run(&["export", "--format", "csv"]).out;
    let rows = read(&printed);
    assert!(rows.len() == 3 && rows.iter().all(|row| row.len() == rows[0].len()), "{printed}");
    let cell = |row: usize, column: &str| {
        let at = rows[0].iter().position(|name| name == column).expect("a column");
        rows[row][at].as_str()
    };
    assert_eq!(cell(1, "message"), "'=1+1, \"quoted\"\nand more", "a spreadsheet runs nothing of it");
    assert_eq!((cell(1, "who"), cell(1, "known"), cell(1, "note")), ("ada", "given", "ticket 7"));
    assert_eq!(cell(1, "content"), r#"{"name":"=Ada,\"x\""}"#);
    assert_eq!((cell(1, "session"), cell(1, "action"), cell(2, "action")), ("dinner", "accept", ""));
    assert!(!cell(1, "answered_at").is_empty() && cell(2, "answered_at").is_empty(), "{printed}");

    assert_eq!(place.json(&["export", "--tool", "greet"]).len(), 0);
    assert_eq!(place.json(&["export", "--session", "dinner"]).len(), 2);
    assert_eq!(place.json(&["export", "--since", "2999-01-01T00:00:00Z"]).len(), 0);
    let both = place.run(&["export", "--format", "csv", "--json"]);
    assert!(both.code == 2 && both.err.contains("contradict"), "{both:?}");
}

#[test]
fn questions_and_answers_of_a_sqlite_store_are_exported() {
    exports(&Place::new());
}

#[test]
fn questions_and_answers_of_a_redis_store_are_exported() {
    let redis = RedisServer::start();
    exports(&Place::on_redis(&redis.url()));
}

#[test]
fn through_a_server_it_says_where_to_export() {
    let place = Place::new();
    let server = place.serve(&[]);
    let refused = place.run(&["export", "--server", server.url()]);
    assert!(refused.code == 2 && refused.err.contains("mcptask --redis URL export"), "{refused:?}");
}

/// Tasks of which every other one is archived, more than a page of both.
#[rstest]
fn what_is_kept_beyond_its_ttl_is_exported_in_its_place(
    #[values(Engine::Sqlite, Engine::Redis)] engine: Engine,
) {
    let stock = Stock::on(engine);
    let (mut all, mut short) = (Vec::new(), Vec::new());
    for number in 0..23 {
        let ttl_ms = if number % 2 == 0 { 1 } else { 3_600_000 };
        let ids = stock.fill_for(ttl_ms, (20, "deploy", "s1"), Some(&sure()));
        if number % 2 == 0 {
            short.extend(ids.clone());
        }
        all.extend(ids);
    }
    stock.archive(&short);
    assert_eq!(stock.place.json(&["list", "--history", "--limit", "1000"]).len(), 240);
    let rows = stock.place.json(&["export"]);
    for row in &rows {
        is_line("exported question", row);
    }
    let task = |row: &Value| row["task"].as_str().expect("an id").to_owned();
    let exported: Vec<String> = rows.iter().map(task).collect();
    assert_eq!(exported.len(), 460, "each once");
    let wanted: HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(exported.iter().cloned().collect::<HashSet<_>>(), wanted);
    let times: Vec<&str> = rows.iter().filter_map(|row| row["asked_at"].as_str()).collect();
    let of_twenties = |at: usize| exported[20 * at..20 * at + 20].iter().cloned().collect::<HashSet<_>>();
    for number in 0..23 {
        let these =
            all[20 * number..20 * number + 20].iter().map(ToString::to_string).collect::<HashSet<_>>();
        assert_eq!(of_twenties(number), these, "the oldest first, whether they live or not ({number})");
    }
    let archived = rows.iter().find(|row| row["task"] == short[0].as_str()).expect("is there");
    assert_eq!((&archived["status"], &archived["source"]), (&"cancelled".into(), &"mcptask".into()));
    // By when it was asked, not by when its task was launched or answered.
    let since = times.iter().max().expect("has some");
    assert!(stock.place.json(&["export", "--since", since]).len() < 460);
    assert_eq!(stock.place.json(&["export", "--tool", "other"]).len(), 0);
    let csv = stock.place.run(&["export", "--format", "csv", "--session", "s1"]).out;
    assert_eq!(read(&csv).len(), 461);
}

#[test]
fn since_goes_by_when_it_was_asked() {
    let stock = Stock::on(Engine::Sqlite);
    let ids = stock.fill(1, "deploy", "s1", Some(&sure()));
    let asked = stock.place.json(&["export"]).remove(0)["asked_at"].as_str().expect("a time").to_owned();
    let after = asked.parse::<jiff::Timestamp>().expect("a time") + jiff::SignedDuration::from_millis(1);
    stock.place.ok(&["respond", ids[0].as_str(), "--set", "ok=yes"]);
    assert_eq!(stock.place.json(&["export", "--since", &asked]).len(), 1);
    assert_eq!(stock.place.json(&["export", "--since", &after.to_string()]).len(), 0, "it was answered then");
}
