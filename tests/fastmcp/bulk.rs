//! The verbs of a day's work on FastMCP's tasks: many at once, attached to, launched again, deleted.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::commands::{in_words, mcptask, started};
use crate::kitchen::{Client, Kitchen, V3_0, V3_4, V4};
use crate::leaving_alone::multiply;
use crate::monitor::{Monitor, count};

/// Tasks that ask what is for dinner, launched one after another: of tasks that begin in one moment, a worker of
/// FastMCP 3.0.2 may ask two under the id of one.
async fn asking(kitchen: &Kitchen, count: usize) -> (Vec<Client>, Vec<String>) {
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let client = kitchen.client("plan_dinner", &json!({}), "silent");
        let id = client.task();
        kitchen.asks(&id, "What kind of dinner?").await;
        clients.push(client);
        ids.push(id);
    }
    (clients, ids)
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn many_are_answered_and_cancelled(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let (_clients, ids) = asking(&kitchen, 3).await;
    let all = ["respond", "--all", "--tool", "plan_dinner", "--set", "cuisine=thai"];
    let (code, dry, complaint) = mcptask(&kitchen, &[&all[..], &["--dry-run"]].concat());
    assert_eq!((code, dry.len()), (0, 4), "{complaint}");
    assert_eq!(dry[0]["content"]["cuisine"], "thai");
    let (code, done, complaint) = mcptask(&kitchen, &all);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!((&done[3]["done"], &done[3]["failed"]), (&json!(3), &json!(0)));
    for id in &ids {
        kitchen.asks(id, "Vegetarian?").await;
    }
    let (code, _, complaint) = mcptask(&kitchen, &["cancel", "--tool", "plan_dinner"]);
    assert!(code == 6 && complaint.contains("3 tasks: 3 of plan_dinner"), "{complaint}");
    let (code, done, complaint) = mcptask(&kitchen, &["cancel", "--tool", "plan_dinner", "--yes"]);
    assert_eq!((code, &done[3]["done"]), (0, &json!(3)), "{complaint}");
    let (code, done, complaint) = mcptask(&kitchen, &["cancel", &ids[0], &ids[1]]);
    assert_eq!((code, &done[0]["done"], &done[0]["past"]), (0, &json!(0), &json!(2)), "{complaint}");
}

#[tokio::test]
async fn a_worker_that_takes_no_answer_is_waited_for_once() {
    let (kitchen, mut worker) = Kitchen::apart(V3_4, &[]);
    let (_clients, ids) = asking(&kitchen, 6).await;
    worker.kill();
    let began = Instant::now();
    let all = ["respond", "--all", "--tool", "plan_dinner", "--set", "cuisine=thai"];
    let (code, _, complaint) = mcptask(&kitchen, &all);
    // Two seconds for each would be twelve.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // Nobody else has answered them: they are open, and no worker takes an answer.
    let said = "0 answered, 6 refused: no worker waits for the answer to task";
    assert!(code == 10 && complaint.contains(said), "{code}: {complaint}");
    assert!(complaint.contains("doctor"), "{complaint}");
    for id in &ids {
        kitchen.asks(id, "What kind of dinner?").await;
    }
}

#[tokio::test]
async fn what_fastmcp_4_asks_is_answered_through_its_server_only() {
    let kitchen = Kitchen::open(V4);
    let (_clients, _) = asking(&kitchen, 1).await;
    let all = ["respond", "--all", "--tool", "plan_dinner", "--set", "cuisine=thai"];
    for command in [&all[..], &[&all[..], &["--dry-run"]].concat()] {
        let (code, told, complaint) = mcptask(&kitchen, command);
        assert_eq!((code, &told.last().expect("a tally")["failed"]), (2, &json!(1)), "{complaint}");
        assert!(complaint.contains("through its server"), "{complaint}");
    }
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test]
async fn a_task_is_attached_to(#[case] version: &'static str) {
    let kitchen = Kitchen::open(version);
    let (_clients, ids) = asking(&kitchen, 1).await;
    let folder = tempfile::tempdir().expect("a folder");
    let answers = folder.path().join("answers.json");
    std::fs::write(&answers, r#"{"cuisine":"thai","vegetarian":true}"#).expect("is written");
    let answers = answers.to_string_lossy().into_owned();
    let (code, told, complaint) = mcptask(&kitchen, &["attach", &ids[0], "--answers", &answers]);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!((told.len(), &told[0]["status"]), (1, &json!("completed")), "{told:?}");
    let done = format!("--task={}", ids[0]);
    let (code, _, complaint) = mcptask(&kitchen, &["watch", &done, "--exit-status"]);
    assert_eq!(code, 0, "{complaint}");
    // One that is left goes on, or goes with who leaves.
    let (_clients, ids) = asking(&kitchen, 1).await;
    let (code, _, complaint) = mcptask(&kitchen, &["attach", &ids[0]]);
    assert!(code == 6 && complaint.contains("mcptask respond"), "{complaint}");
    let (code, _, complaint) = mcptask(&kitchen, &["attach", &ids[0], "--cancel-on-exit"]);
    assert!(code == 6 && complaint.contains("is cancelled, as --cancel-on-exit says"), "{complaint}");
    tokio::time::timeout(Duration::from_secs(20), kitchen.until(&ids[0], |task| task.status.is_final()))
        .await
        .expect("it ends");
    let gone = format!("--task={}", ids[0]);
    let (code, _, complaint) = mcptask(&kitchen, &["watch", &gone, "--exit-status"]);
    assert_eq!(code, 8, "{complaint}");
}

#[tokio::test]
async fn whoever_attaches_through_a_server_that_asks_only_its_own_client_is_told_what_works() {
    let kitchen = Kitchen::open(V3_4);
    let (_clients, ids) = asking(&kitchen, 1).await;
    let endpoint = kitchen.endpoint();
    let told = in_words(&kitchen, &["attach", &ids[0], "--server", &endpoint, "--timeout", "2s"]);
    assert!(told.contains("some legacy servers ask only the client that submitted a task"), "{told}");
    assert!(told.contains(&format!("respond {}", ids[0])) && told.contains("gave up after 2s"), "{told}");
    // What it names works.
    let (code, _, complaint) = mcptask(&kitchen, &["respond", &ids[0], "--set", "cuisine=thai"]);
    assert_eq!(code, 0, "{complaint}");
}

#[tokio::test]
async fn of_several_that_stay_with_a_task_those_go_on_that_another_one_overtook() {
    let kitchen = Kitchen::open(V3_4);
    let (_clients, ids) = asking(&kitchen, 1).await;
    let folder = tempfile::tempdir().expect("a folder");
    let answers = folder.path().join("answers.json");
    std::fs::write(&answers, r#"{"cuisine":"thai","vegetarian":true}"#).expect("is written");
    let answers = answers.to_string_lossy().into_owned();
    let attached: Vec<_> =
        (0..6).map(|_| started(&kitchen, &["attach", &ids[0], "--answers", &answers])).collect();
    for mut one in attached {
        assert_eq!(one.wait().expect("it is ours").code(), Some(0));
    }
}

#[tokio::test]
async fn what_cannot_be_done_there_says_what_can() {
    let kitchen = Kitchen::open(V3_4);
    let (_clients, ids) = asking(&kitchen, 1).await;
    let (code, _, complaint) = mcptask(&kitchen, &["retry", &ids[0]]);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("submit plan_dinner --server URL"), "{complaint}");
    let (code, _, complaint) = mcptask(&kitchen, &["prune", "--ended", "--yes"]);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("these go by themselves when their ttl ends"), "{complaint}");
}

/// Takes every answer at once and deletes its question, as living workers do.
async fn take_answers(url: String) {
    let client = redis::Client::open(url).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let script = "for _, key in ipairs(redis.call('KEYS', '*:elicit:response')) do
        local own = string.sub(key, 1, -9)
        redis.call('UNLINK', key, own .. 'request', own .. 'status')
    end";
    loop {
        let taken: redis::RedisResult<()> =
            redis::cmd("EVAL").arg(script).arg(0).query_async(&mut connection).await;
        if taken.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The commands that one command of ours runs for so many tasks: all, and those that look through the keys.
async fn costs(kitchen: &Kitchen, words: &[&str]) -> (usize, usize) {
    let mut monitor = Monitor::begin(kitchen).await;
    let (code, told, complaint) = mcptask(kitchen, words);
    assert_eq!(code, 0, "{words:?}: {complaint}");
    assert!(told.last().is_some_and(|last| last["failed"] == 0), "{told:?}");
    let commands = monitor.commands(kitchen).await;
    let of_workers = |command: &&Vec<String>| {
        matches!(command[0].as_str(), "UNLINK" | "KEYS") || command.iter().any(|word| word.contains("KEYS"))
    };
    (commands.iter().filter(|command| !of_workers(command)).count(), count(&commands, "SCAN"))
}

#[rstest]
#[case(V3_0)]
#[case(V3_4)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_cost_each_of_them_once(#[case] version: &'static str) {
    let mut looks = Vec::new();
    for copies in [50, 100] {
        let kitchen = Kitchen::open(version);
        let (clients, ids) = asking(&kitchen, 1).await;
        for client in &clients {
            client.process.signal("STOP");
        }
        kitchen.signal("STOP");
        multiply(&kitchen, &ids[0], copies - 1).await;
        let taking = tokio::spawn(take_answers(kitchen.redis.url()));
        let named: Vec<String> =
            (1..copies / 2).map(|at| format!("{at:08x}-0000-4000-8000-000000000000")).collect();
        let all = ["respond", "--all", "--tool", "plan_dinner"];
        let answered = costs(&kitchen, &[&all[..], &["--set", "cuisine=thai"]].concat()).await;
        taking.abort();
        let words: Vec<&str> = ["cancel"].into_iter().chain(named.iter().map(|id| &id[..11])).collect();
        let cancelled = costs(&kitchen, &words).await;
        let rest = costs(&kitchen, &["cancel", "--tool", "plan_dinner", "--yes"]).await;
        looks.push([answered.1, cancelled.1, rest.1]);
        for (what, cost) in [("respond", answered), ("cancel", cancelled), ("cancel --tool", rest)] {
            assert!(cost.0 < 60 * copies, "{what} of {copies}: {} commands", cost.0);
        }
    }
    assert_eq!(looks[0], looks[1], "the keys are looked through as often for twice as many");
}
