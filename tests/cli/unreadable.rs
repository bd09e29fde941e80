//! A task that cannot be read is shown with the reason, and hides no other one.

use serde_json::{Value, json};

use crate::place::Place;
use crate::redis::RedisServer;

/// Damages what is stored of a task, as another program or a broken disk would.
pub(crate) fn damage(place: &Place, server: Option<&RedisServer>, id: &str) {
    if let Some(server) = server {
        let key = format!("mcptask:{{default}}:2:task:{id}");
        server.ask::<()>(&["HSET", &key, "new", "{"]).expect("is damaged");
        return;
    }
    let file = rusqlite::Connection::open(place.database()).expect("opens");
    let sql = "UPDATE arguments SET record = '{' WHERE task = (SELECT number FROM task WHERE id = ?1)";
    assert_eq!(file.execute(sql, [id]).expect("is damaged"), 1);
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn is_shown(place: &Place, server: Option<&RedisServer>) {
    let worker = place.worker();
    let (good, bad) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    damage(place, server, &bad);

    let listed = place.run(&["list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let row = listed.out.lines().find(|line| line.starts_with(&bad[..8])).expect("a row");
    assert!(row.contains("! unreadable") && listed.out.contains(&good[..8]), "{listed:?}");
    let objects = place.json(&["list"]);
    let object = objects.iter().find(|one| one["id"] == bad.as_str()).expect("an object");
    assert_eq!(object["status"], "unreadable");
    assert!(object["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{object}");

    let shown = place.ok(&["show", &bad]);
    assert!(shown.contains("! unreadable") && shown.contains("problem"), "{shown}");
    assert_eq!(place.json(&["show", &bad])[0]["status"], "unreadable");
    assert!(place.ok(&["show", &good]).contains("question q1"));

    for command in [&["doctor", "--json"][..], &["doctor", &bad, "--json"]] {
        let ran = place.run(command);
        assert_eq!(ran.code, 5, "{ran:?}");
        let found = lines(&ran.out);
        let about: Vec<_> = found.iter().filter(|one| one["task"] == bad.as_str()).collect();
        assert_eq!(about.len(), 1, "{found:?}");
        assert_eq!((&about[0]["cause"], &about[0]["trouble"]), (&json!("unreadable"), &json!(true)));
    }
    assert_eq!(place.run(&["doctor", &good]).code, 0);
    let result = place.run(&["result", &bad]);
    assert_eq!(result.code, 1, "{result:?}");
    assert!(result.err.contains("cannot be read") && result.err.contains("cancel"), "{result:?}");
    place.ok(&["respond", "--next", "--set", "cuisine=Thai"]);
    assert!(!place.json(&["show", &good])[0]["questions"][0]["answer"].is_null());
    place.ok(&["cancel", &bad]);
}

#[test]
fn an_unreadable_task_is_shown_with_the_reason_and_hides_no_other() {
    is_shown(&Place::new(), None);
    let server = RedisServer::start();
    is_shown(&Place::on_redis(&server.url()), Some(&server));
}

#[test]
fn events_of_a_newer_version_are_passed_over_with_one_warning() {
    let place = Place::new();
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    let file = rusqlite::Connection::open(place.database()).expect("opens");
    let sql = "UPDATE event SET record = replace(record, '\"claimed\"', '\"levitated\"')";
    assert!(file.execute(sql, []).expect("is changed") > 0);
    drop(file);
    let past = place.run(&["watch", "--no-follow"]);
    assert_eq!(past.code, 0, "{past:?}");
    assert!(past.out.contains("submitted") && past.out.contains("asked q1"), "{past:?}");
    assert_eq!(past.err.matches("passed over").count(), 1, "{past:?}");
    let followed = place.run(&["watch", "--task", &id, "--until", "asked"]);
    assert_eq!((followed.code, followed.err.matches("passed over").count()), (0, 1), "{followed:?}");
    drop(worker);
}
