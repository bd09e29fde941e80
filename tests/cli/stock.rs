//! A store with as many tasks as a test wants, on either engine.
#![allow(unreachable_pub, reason = "as the other parts of tests")]

use std::sync::Arc;
use std::time::Duration;

use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{ClaimKey, Retention, Store};
use mcptask::task::{Ask, NewTask, Outcome, Scope, TaskId, ToolSpec, WorkerId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::place::Place;
use crate::redis::RedisServer;

/// A store that tests fill without a worker's pace.
pub struct Stock {
    pub place: Place,
    pub store: Arc<dyn Store>,
    worker: WorkerId,
    pub runtime: tokio::runtime::Runtime,
    /// The Redis, where it is on one.
    pub redis: Option<RedisServer>,
}

/// Where the tasks are.
#[derive(Clone, Copy, PartialEq)]
pub enum Engine {
    Sqlite,
    Redis,
}

impl Stock {
    pub fn on(engine: Engine) -> Self {
        Self::at((engine == Engine::Redis).then(RedisServer::start))
    }

    /// On that Redis, or else on SQLite.
    pub fn at(redis: Option<RedisServer>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runs");
        let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
        let store: Arc<dyn Store> = runtime.block_on(async {
            match &redis {
                Some(redis) => RedisStore::open(&redis.url(), "default").await.expect("opens") as _,
                None => SqliteStore::open(&place.database(), "default").await.expect("opens") as _,
            }
        });
        Self { place, store, worker: WorkerId::generate("stock"), runtime, redis }
    }

    /// So many tasks of that tool and session; with `ask` they have asked that.
    pub fn fill(&self, count: usize, tool: &str, session: &str, ask: Option<&Ask>) -> Vec<TaskId> {
        self.fill_for(3_600_000, (count, tool, session), ask)
    }

    /// The same with tasks of that ttl.
    pub fn fill_for(
        &self,
        ttl_ms: u64,
        (count, tool, session): (usize, &str, &str),
        ask: Option<&Ask>,
    ) -> Vec<TaskId> {
        self.runtime.block_on(async {
            let spec = ToolSpec::new(tool, "Asks.", json!({ "type": "object" }));
            self.store.enlist(&self.worker, None, &[spec], Duration::from_secs(600)).await.expect("enlists");
            let mut ids = Vec::new();
            for _ in 0..count {
                let new = NewTask {
                    id: TaskId::generate(),
                    tool: tool.to_owned(),
                    arguments: serde_json::Map::new(),
                    scope: Scope::anonymous(),
                    session: Some(session.parse().expect("a session")),
                    hidden: false,
                    ttl_ms: Some(ttl_ms),
                    max_attempts: 1,
                };
                ids.push(self.store.submit(&new, u32::MAX).await.expect("submits").id().clone());
            }
            if let Some(ask) = ask {
                self.have_asked(count, tool, ask).await;
            }
            ids
        })
    }

    async fn have_asked(&self, count: usize, tool: &str, ask: &Ask) {
        let (mut asked, stop, tools) = (0, CancellationToken::new(), [tool.to_owned()]);
        while asked < count {
            let claimed = self.store.claim(&self.worker, &tools, 100, &stop).await.expect("claims");
            for task in claimed {
                let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
                self.store.ask(&claim, 1, std::slice::from_ref(ask), None).await.expect("asks");
                asked += 1;
            }
        }
    }

    /// Ends a task that nobody has taken, as a worker does.
    pub fn finish(&self, tool: &str, outcome: &Outcome) -> TaskId {
        self.runtime.block_on(async {
            let (stop, tools) = (CancellationToken::new(), [tool.to_owned()]);
            let task = self.store.claim(&self.worker, &tools, 1, &stop).await.expect("claims").remove(0);
            let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
            self.store.finish(&claim, outcome).await.expect("finishes");
            claim.task
        })
    }

    /// Moves tasks whose ttl has ended to the archive.
    pub fn archive(&self, tasks: &[TaskId]) {
        self.store.retain(Retention { time: Duration::from_secs(86_400), bytes: 1 << 30 });
        self.runtime.block_on(async {
            for task in tasks {
                while self.store.get(task).await.expect("reads").is_some() {
                    self.store.expire(task).await.expect("expires");
                }
            }
        });
    }

    /// How many tasks of that session have that status.
    pub fn count(&self, session: &str, status: &str) -> usize {
        self.place.json(&["list", "--session", session, "--status", status, "--limit", "5000"]).len()
    }
}

/// A question for a yes or a no.
pub fn sure() -> Ask {
    let schema =
        json!({ "type": "object", "required": ["ok"], "properties": { "ok": { "type": "boolean" } } });
    Ask::form("Go on?", schema)
}
