//! Each verb in each situation, on FastMCP's tasks in their Redis and through its servers: what the other places say, too.

use assert_cmd::Command;
use rstest::rstest;
use serde_json::{Value, json};

use crate::commands::mcptask;
use crate::kitchen::{Client, Kitchen, V3_0, V3_4, V4};
use crate::situations::{
    ABOUT_TASKS, ASKING_HINT, Done, Ids, NEVER_ASKED, NEVER_ASKED_OR_ANSWERED, Row, about_legacy_tasks,
    faults,
};
use mcptask::task::TaskStatus;

/// A command on that Redis, or through a server where its way leads there.
fn ran(kitchen: &Kitchen, words: &[&str], way: &[&str]) -> Done {
    let mut command = Command::cargo_bin("mcptask").expect("is built");
    command.env("MCPTASK_REDIS_URL", kitchen.redis.url()).args(["--no-input", "--timeout", "60s"]);
    command.args(words).args(way);
    let output = command.output().expect("runs");
    let err = String::from_utf8(output.stderr).expect("is text");
    Done { code: output.status.code().expect("ends by itself"), err }
}

/// A deployment with a task in each state.
struct Stage {
    kitchen: Kitchen,
    ids: Ids,
    /// Those whose tasks go on.
    _clients: Vec<Client>,
}

impl Stage {
    async fn of(version: &'static str) -> Self {
        let kitchen = Kitchen::open(version);
        let tools = [
            ("work", json!({ "seconds": 600 })),
            ("plan_dinner", json!({})),
            ("work", json!({ "seconds": 0 })),
            ("fail", json!({})),
            ("work", json!({ "seconds": 600 })),
        ];
        let launch = |(tool, arguments): &(&str, Value)| kitchen.client(tool, arguments, "silent");
        // All of them, before the first is waited for.
        let launched: Vec<Client> = tools.iter().map(launch).collect();
        let (clients, ids): (Vec<Client>, Vec<String>) =
            launched.into_iter().zip(&tools).map(|(client, tool)| plain(client, || launch(tool))).unzip();
        let [working, asking, ended, failed, cancelled] = ids.as_slice() else { unreachable!("five") };
        kitchen.asks(asking, "What kind of dinner?").await;
        kitchen.until(working, |task| task.progress.is_some()).await;
        kitchen.until(ended, |task| task.status == TaskStatus::Completed).await;
        kitchen.until(failed, |task| task.status == TaskStatus::Failed).await;
        let (code, _, complaint) = mcptask(&kitchen, &["cancel", cancelled]);
        assert_eq!(code, 0, "{complaint}");
        kitchen.until(cancelled, |task| task.status == TaskStatus::Cancelled).await;
        let words = ["WORKING", "ASKING", "ENDED", "FAILED", "CANCELLED"];
        let known = words.into_iter().zip(ids);
        let ids = Ids(known.chain([("UNKNOWN", "nobodys0".to_owned())]).collect());
        Self { kitchen, ids, _clients: clients }
    }

    fn faults(&self, name: &str, rows: &[Row], way: &[&str]) -> Vec<String> {
        faults(name, &self.ids, rows, &mut |words| ran(&self.kitchen, words, way))
    }
}

/// A client and the id of its task, launched again as long as that looks like an option, as one in 64 of FastMCP 4
/// does: commands.rs has those.
fn plain(mut client: Client, again: impl Fn() -> Client) -> (Client, String) {
    let mut id = client.task();
    while id.starts_with('-') {
        client = again();
        id = client.task();
    }
    (client, id)
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Submitting is a matter of a deployment's server: see below.
fn in_redis() -> Vec<Row> {
    let rows = ABOUT_TASKS.iter().filter(|row| row.command[0] != "submit").copied();
    rows.chain([NEVER_ASKED, ASKING_HINT]).collect()
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn each_verb_says_of_fastmcps_tasks_what_it_says_of_others(#[case] version: &'static str) {
    let stage = Stage::of(version).await;
    assert_none(&stage.faults(version, &in_redis(), &[]));
}

/// FastMCP 4 checks answers in its server: in its Redis they are given on demand only.
#[tokio::test]
async fn each_verb_says_of_fastmcp_4_what_it_says_of_others() {
    let stage = Stage::of(V4).await;
    let is_answer = |row: &Row| row.command[0] == "respond" && row.command.contains(&"ASKING");
    let (answers, others): (Vec<Row>, Vec<Row>) = in_redis().into_iter().partition(is_answer);
    assert_none(&stage.faults(V4, &others, &[]));
    assert_none(&stage.faults("4 on demand", &answers, &["--direct"]));
    let has_question = |row: &Row| row.command != NEVER_ASKED.command;
    let refused = |row: Row| Row { code: 2, words: "--direct", ..row };
    let refused: Vec<Row> = answers.into_iter().filter(has_question).map(refused).collect();
    assert_none(&stage.faults("4 not on demand", &refused, &[]));
}

#[tokio::test]
async fn each_verb_says_the_same_through_a_server_of_fastmcp_4() {
    let stage = Stage::of(V4).await;
    let way = ["--server", &stage.kitchen.endpoint()];
    assert_none(&stage.faults("4", &[ABOUT_TASKS, &[NEVER_ASKED_OR_ANSWERED, ASKING_HINT]].concat(), &way));
}

/// FastMCP 3 does not tell its clients that a task asks.
#[tokio::test]
async fn each_verb_says_the_same_through_a_server_of_fastmcp_3() {
    let stage = Stage::of(V3_4).await;
    let as_told = |row: Row| match row.words {
        "has not ended: it is input_required" => Row { words: "has not ended: it is working", ..row },
        _ => row,
    };
    let rows: Vec<Row> = about_legacy_tasks().into_iter().map(as_told).collect();
    assert_none(&stage.faults(V3_4, &rows, &["--server", &stage.kitchen.endpoint()]));
}

/// FastMCP 3.0 shows a task to the session that launched it: to a command it is like one that never was.
#[tokio::test]
async fn through_a_server_of_fastmcp_3_0_tasks_of_others_are_unknown() {
    let stage = Stage::of(V3_0).await;
    let is_hidden = |row: &Row| row.command.iter().any(|word| *word != "UNKNOWN" && stage.ids.has(word));
    let as_shown = |row: Row| {
        if is_hidden(&row) { Row { code: 9, words: "the server knows no task", ..row } } else { row }
    };
    let rows: Vec<Row> = about_legacy_tasks().into_iter().map(as_shown).collect();
    assert_none(&stage.faults(V3_0, &rows, &["--server", &stage.kitchen.endpoint()]));
}

#[tokio::test]
async fn submit_says_that_fastmcps_tasks_are_launched_through_its_server() {
    let kitchen = Kitchen::open(V3_4);
    kitchen.deployment().await;
    let launches = "mcptask submit plan_dinner --arg guests=3 --ttl 60s --wait --server URL";
    for place in [&[][..], &["--docket", "fastmcp"]] {
        let given = ["submit", "plan_dinner", "--arg", "guests=3", "--ttl", "60s", "--wait"];
        let words = &[&given[..], place].concat();
        let done = ran(&kitchen, words, &[]);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("through its server") && done.err.contains(launches), "{}", done.err);
    }
    let ours = kitchen.redis::<Vec<String>>(&["KEYS", "mcptask*"]).await;
    assert_eq!(ours, Vec::<String>::new(), "nothing of ours is begun");

    mcptask::store::redis::RedisStore::open(&kitchen.redis.url(), "default").await.expect("opens");
    let done = ran(&kitchen, &["submit", "plan_dinner"], &[]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("is a tool of FastMCP's, in docket fastmcp"), "{}", done.err);
    assert!(done.err.contains("`mcptask submit plan_dinner --server URL`"), "{}", done.err);
}
