//! Another node takes over, by sentinels and in a cluster, while everybody is connected.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::Background;
use crate::protocol::cluster::RedisCluster;
use crate::protocol::redis::free_port;
use crate::sentinel::Guarded;
use crate::stage::{Stage, Views as _, saw_everything};

/// Who is connected when the primary is killed: a worker, a server, a watcher, a command that waits.
struct Connected {
    task: String,
    watch: Background,
    submit: Background,
    others: BTreeSet<String>,
    _worker: Background,
    _server: Background,
}

impl Connected {
    fn to(stage: &Stage) -> Self {
        let (worker, server) = (stage.worker(), stage.serve_on(free_port(), &[]));
        let task = stage.asking("plan_dinner");
        let watch = stage.background(&["watch", "--json"]);
        let submit = stage.background(&["submit", "wait", "--arg", "seconds=5", "--wait", "--json"]);
        let others: BTreeSet<_> = (0..5).map(|_| stage.asking("plan_dinner")).collect();
        Self { task, watch, submit, others, _worker: worker, _server: server }
    }

    /// What was acknowledged is there, and what waits goes on.
    fn goes_on(self, stage: &Stage) {
        stage.menu(&self.task);
        saw_everything(stage, self.watch, &self.task);
        let mut submit = self.submit;
        let result = submit.next_or_end().expect("a result");
        assert_eq!((result["status"].as_str(), submit.code()), (Some("completed"), 0), "{result}");
        let listed = stage.json(&["list", "--status", "input_required"]);
        let listed: BTreeSet<_> =
            listed.iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(listed, self.others);
        for task in &self.others {
            stage.answer_cuisine(task);
            stage.until_asked(task, "q2");
            stage.answer_vegetarian(task);
            stage.menu(task);
        }
    }
}

/// Answers while another node takes over: who answers is told so, and tries again.
fn answer_meanwhile(stage: &Stage, task: &str, value: &str) {
    let began = Instant::now();
    loop {
        let ran = stage.run(&["respond", task, "--accept", "--set", value]);
        if ran.code == 0 {
            return;
        }
        assert!(ran.code == 4 && ran.err.contains("cannot reach"), "{ran:?}");
        assert!(began.elapsed() < Duration::from_secs(60), "no node takes over: {ran:?}");
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn everybody_follows_the_sentinels_to_the_new_primary_and_back() {
    let mut redis = Guarded::start();
    let stage = Stage::at(&redis.url());
    let connected = Connected::to(&stage);
    redis.replicated();
    let first = redis.kill_primary();
    answer_meanwhile(&stage, &connected.task, "cuisine=Thai");
    stage.until_asked(&connected.task, "q2");
    redis.return_as_replica(first);
    redis.replicated();
    redis.kill_primary();
    answer_meanwhile(&stage, &connected.task, "vegetarian=true");
    connected.goes_on(&stage);
}

#[test]
fn everybody_follows_a_cluster_to_the_replica_of_their_shard() {
    let mut redis = RedisCluster::start(3, 3);
    let stage = Stage::at(&redis.url());
    let connected = Connected::to(&stage);
    let shard = redis.owner("mcptask:{default}:meta");
    shard.until(&["WAIT", "1", "5000"], |replicas: &u64| *replicas == 1);
    shard.kill();
    answer_meanwhile(&stage, &connected.task, "cuisine=Thai");
    stage.until_asked(&connected.task, "q2");
    stage.answer_vegetarian(&connected.task);
    connected.goes_on(&stage);
}
