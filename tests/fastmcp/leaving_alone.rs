//! A FastMCP Redis belongs to FastMCP: looking changes nothing, and every look is cheap.

use rstest::rstest;
use serde_json::json;

use crate::commands::{mcptask, offered, sources};
use crate::kitchen::{Client, Kitchen, Role, V3_4, V4};
use crate::monitor::{Monitor, count, writes};

/// Keys of somebody else.
async fn foreign_keys(kitchen: &Kitchen, count: u32) {
    let script = "for at = 1, tonumber(ARGV[1]) do redis.call('SET', 'shop:' .. at, at) end";
    kitchen.redis::<()>(&["EVAL", script, "0", &count.to_string()]).await;
}

/// A client, and its task that has asked its first question.
async fn asking(kitchen: &Kitchen) -> (Client, String) {
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    (client, id)
}

/// The same, with FastMCP held, so that only what our own commands do is told.
async fn held(kitchen: &Kitchen) -> (Client, String) {
    let (client, id) = asking(kitchen).await;
    client.process.signal("STOP");
    kitchen.signal("STOP");
    (client, id)
}

#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn no_command_that_looks_writes(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let (client, id) = held(&kitchen).await;
    let mut monitor = Monitor::begin(&kitchen).await;
    let task = format!("--task={id}");
    for words in [
        &["list"][..],
        &["list", "--docket", "fastmcp"],
        &["show", "--", &id],
        &["tools"],
        &["tools", "plan_dinner"],
        &["doctor"],
        &["doctor", "--", &id],
        &["result", "--", &id],
        &["watch", "--until", "asked"],
        &["watch", &task, "--until", "asked"],
        &["respond", "--", &id],
        &["respond", "--next", "--accept"],
        &["submit", "plan_dinner"],
    ] {
        let (code, _, complaint) = mcptask(&kitchen, words);
        assert!(!matches!(code, 1 | 3 | 4 | 7), "{words:?}: {code} {complaint}");
    }
    let commands = monitor.commands(&kitchen).await;
    assert!(count(&commands, "SCAN") > 0, "{commands:?}");
    assert_eq!(writes(&kitchen, &commands).await, Vec::<Vec<String>>::new());
    let scripts: Vec<_> = commands.iter().filter(|command| command[0].starts_with("EVAL")).collect();
    assert!(scripts.is_empty(), "{scripts:?}");
    let ours = kitchen.redis::<Vec<String>>(&["KEYS", "*mcptask*"]).await;
    assert_eq!(ours, Vec::<String>::new());
    kitchen.signal("CONT");
    client.process.signal("CONT");

    // Nothing of ours is there, so that all keys are searched for deployments, however many they are.
    foreign_keys(&kitchen, 20_000).await;
    let (code, listed, complaint) = mcptask(&kitchen, &["list"]);
    assert_eq!((code, sources(&listed)), (0, vec!["fastmcp"]), "{complaint}");
}

#[tokio::test]
async fn an_answer_and_a_cancel_touch_the_tasks_own_keys_only() {
    let kitchen = Kitchen::open(V3_4);
    let (_client, id) = asking(&kitchen).await;
    let (code, _, complaint) = mcptask(&kitchen, &["respond", &id, "--set", "cuisine=thai"]);
    assert_eq!(code, 0, "{complaint}");
    kitchen.asks(&id, "Vegetarian?").await;
    let (code, _, complaint) = mcptask(&kitchen, &["cancel", &id]);
    assert_eq!(code, 0, "{complaint}");
    let keys = kitchen.redis::<Vec<String>>(&["KEYS", "*"]).await;
    let odd: Vec<_> = keys.iter().filter(|key| !key.starts_with("fastmcp:")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[tokio::test]
async fn one_pass_over_the_keys_finds_the_deployment_and_its_tasks() {
    let kitchen = Kitchen::open(V3_4);
    let (_client, id) = held(&kitchen).await;
    foreign_keys(&kitchen, 9_000).await;
    let mut monitor = Monitor::begin(&kitchen).await;
    // How often the cursor was at its beginning.
    let mut passes = async |words: &[&str]| -> usize {
        let (code, _, complaint) = mcptask(&kitchen, words);
        // Whoever is held for long looks dead.
        assert!(matches!(code, 0 | 5), "{words:?}: {code} {complaint}");
        let commands = monitor.commands(&kitchen).await;
        let begins = |command: &&Vec<String>| command[0] == "SCAN" && command[1] == "0";
        commands.iter().filter(begins).count()
    };
    assert_eq!(passes(&["list"]).await, 1);
    assert_eq!(passes(&["doctor"]).await, 1);
    assert_eq!(passes(&["respond", "--next", "--decline"]).await, 1);
    // Who names the docket and the task needs none.
    let docket = ["--docket", "fastmcp"];
    for words in [&["list"][..], &["doctor"], &["workers"], &["export"], &["show", &id[..8]]] {
        assert_eq!(passes(&[&docket[..], words].concat()).await, 1, "{words:?}");
    }
    for words in [&["tools"][..], &["show", &id], &["doctor", &id], &["cancel", &id]] {
        assert_eq!(passes(&[&docket[..], words].concat()).await, 0, "{words:?}");
    }
}

/// Copies of a real task under other ids.
pub(crate) async fn multiply(kitchen: &Kitchen, id: &str, count: usize) {
    let script = "
        local id, keys = string.gsub(ARGV[1], '%-', '%%-'), redis.call('KEYS', '*' .. ARGV[1] .. '*')
        for at = 1, tonumber(ARGV[2]) do
          local other = string.format('%08x-0000-4000-8000-000000000000', at)
          for _, key in ipairs(keys) do
            local copy = string.gsub(key, id, other)
            redis.call('COPY', key, copy)
            if redis.call('TYPE', copy).ok == 'string' then
              redis.call('SET', copy, (string.gsub(redis.call('GET', copy), id, other)), 'KEEPTTL')
            end
          end
        end";
    kitchen.redis::<()>(&["EVAL", script, "0", id, &count.to_string()]).await;
}

#[tokio::test]
async fn a_diagnosis_of_many_tasks_costs_each_of_them_once() {
    const COPIES: usize = 400;
    let mut kitchen = Kitchen::empty(V3_4, &[]);
    kitchen.start(Role::Front);
    kitchen.serves();
    let id = kitchen.client("work", &json!({ "seconds": 0 }), "none").task();
    kitchen.until(&id, |task| task.age_ms.is_some_and(|age| age > 2000)).await;
    kitchen.signal("STOP");
    multiply(&kitchen, &id, COPIES).await;
    // A worker that knows the tool and takes nothing: why the tasks wait is told by what all the others do.
    let now = kitchen.redis::<Vec<String>>(&["TIME"]).await.swap_remove(0);
    for key in ["fastmcp:workers", "fastmcp:task-workers:tool:work@"] {
        kitchen.redis::<()>(&["ZADD", key, &now, "busy#1"]).await;
    }
    let mut monitor = Monitor::begin(&kitchen).await;
    let found = kitchen.deployment().await.diagnose(None).await.expect("diagnoses");
    let commands = monitor.commands(&kitchen).await;
    let saturated: Vec<_> = found.iter().filter(|one| one.cause.as_str() == "workers_saturated").collect();
    let [all] = saturated.as_slice() else { panic!("one entry for all of them: {saturated:?}") };
    let count = format!("{} tasks (", COPIES + 1);
    assert!(all.task.is_none() && all.evidence.starts_with(&count), "{all:?}");
    assert!(commands.len() < COPIES * 15, "{} commands for {COPIES} tasks", commands.len());
}

/// Ids complete as in our own store, and completing writes nothing either.
#[rstest]
#[case(V3_4)]
#[case(V4)]
#[tokio::test]
async fn ids_complete_and_nothing_is_written(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let (client, id) = held(&kitchen).await;
    let mut monitor = Monitor::begin(&kitchen).await;
    let url = kitchen.redis.url();
    let offered = |verb: &str| offered(&["--redis", &url, verb], &[]);
    // What looks like an option is not offered by every shell's rules.
    if !id.starts_with('-') {
        assert!(["show", "respond", "cancel"].map(offered).iter().all(|ids| ids.contains(&id[..8])));
        assert!(!offered("retry").contains(&id[..8]), "it has not ended");
    }
    let commands = monitor.commands(&kitchen).await;
    assert_eq!(writes(&kitchen, &commands).await, Vec::<Vec<String>>::new());
    kitchen.signal("CONT");
    client.process.signal("CONT");
}
