//! Where one test plays: a store, and processes of the program on it.

use std::ops::Deref;

use mcptask::engine::{Engine, Limits};
use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::place::{Background, Place};
use crate::protocol::redis::RedisServer;

/// How long a killed worker is believed to live. Longer than a busy machine keeps a living one from saying
/// that it lives.
const LEASE: &str = "4s";

/// The store and its place.
pub(crate) struct Stage {
    place: Place,
    url: Option<String>,
    // Kept for as long as the processes use it, where the test does not keep it itself.
    redis: Option<RedisServer>,
}

impl Deref for Stage {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Stage {
    /// On a SQLite file of its own.
    pub(crate) fn sqlite() -> Self {
        Self { place: Place::new(), url: None, redis: None }
    }

    /// On a redis-server of its own.
    pub(crate) fn redis() -> Self {
        let redis = RedisServer::start();
        let url = redis.url();
        Self { redis: Some(redis), ..Self::at(&url) }
    }

    /// On a redis-server of the test's.
    pub(crate) fn on(redis: &RedisServer) -> Self {
        Self::at(&redis.url())
    }

    /// On whatever Redis that URL means.
    pub(crate) fn at(url: &str) -> Self {
        Self { place: Place::on_redis(url), url: Some(url.to_owned()), redis: None }
    }

    /// The redis-server that is the stage's own.
    pub(crate) fn server(&self) -> Option<&RedisServer> {
        self.redis.as_ref()
    }

    /// The rules in this process, over what its processes share.
    pub(crate) async fn engine(&self) -> Engine {
        let store: std::sync::Arc<dyn Store> = match &self.url {
            Some(url) => RedisStore::open(url, "default").await.expect("opens the server"),
            None => SqliteStore::open(&self.database(), "default").await.expect("opens the file"),
        };
        Engine::new(store, Limits::default(), CancellationToken::new())
    }

    /// A worker whose tasks go on elsewhere soon after it was killed.
    pub(crate) fn worker(&self) -> Background {
        self.background(&["worker", "--json", "--lease", LEASE])
    }

    /// A server on that port, with workers whose tasks go on soon after it was killed.
    pub(crate) fn serve_on(&self, port: u16, arguments: &[&str]) -> Background {
        let listen = format!("127.0.0.1:{port}");
        let first = ["serve", "--json", "--lease", LEASE, "--listen", &listen];
        self.background(&first.iter().chain(arguments).copied().collect::<Vec<_>>())
    }
}

/// What people see of the tasks.
pub(crate) trait Views {
    /// The log of a task.
    fn events(&self, task: &str) -> Vec<Value>;

    /// The messages of the questions that were ever asked, in order.
    fn asked(&self, task: &str) -> Vec<String>;

    /// Answers the first question of `plan_dinner`.
    fn answer_cuisine(&self, task: &str);

    /// Answers the second question of `plan_dinner`.
    fn answer_vegetarian(&self, task: &str);

    /// Waits for the task's end and returns its result.
    fn menu(&self, task: &str) -> Value;
}

impl Views for Place {
    fn events(&self, task: &str) -> Vec<Value> {
        self.json(&["watch", "--task", task, "--no-follow"])
    }

    fn asked(&self, task: &str) -> Vec<String> {
        let asked = self.events(task).into_iter().filter(|event| event["event"] == "asked");
        asked.map(|event| event["question"]["message"].as_str().expect("a message").to_owned()).collect()
    }

    fn answer_cuisine(&self, task: &str) {
        self.ok(&["respond", task, "--accept", "--set", "cuisine=Thai"]);
    }

    fn answer_vegetarian(&self, task: &str) {
        self.ok(&["respond", task, "--accept", "--set", "vegetarian=true"]);
    }

    fn menu(&self, task: &str) -> Value {
        self.until(task, "completed");
        let result = self.json(&["result", task]);
        assert_eq!(self.asked(task), [CUISINE, VEGETARIAN], "each question was asked once");
        result.into_iter().next().expect("a result")
    }
}

/// Reads on until a task has ended, and checks that the watcher saw each of its events once, in the log's order.
pub(crate) fn saw_everything(stage: &Stage, mut watch: Background, task: &str) {
    let (mut seen, mut event) = (Vec::new(), watch.first.clone());
    loop {
        if event["task"] == task {
            seen.push(event["cursor"].clone());
            if event["event"] == "completed" {
                break;
            }
        }
        event = watch.next();
    }
    let logged: Vec<_> = stage.events(task).iter().map(|event| event["cursor"].clone()).collect();
    assert_eq!(seen, logged);
}

/// The questions of `plan_dinner`.
pub(crate) const CUISINE: &str = "What cuisine would you like?";
pub(crate) const VEGETARIAN: &str = "Shall it be vegetarian?";
