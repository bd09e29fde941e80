//! Where one test plays: a store, servers on it that tell, and tasks that are moved from here.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{ClaimKey, Store};
use mcptask::task::{Ask, NewTask, Outcome, Scope, SessionId, Task, TaskId, WorkerId};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::place::{BOUND, Background, Place};
use crate::redis::RedisServer;

/// The store and its place.
pub(crate) struct Stage {
    place: Place,
    redis: Option<RedisServer>,
}

impl Deref for Stage {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Stage {
    pub(crate) fn sqlite() -> Self {
        Self { place: Place::new(), redis: None }
    }

    pub(crate) fn redis() -> Self {
        let redis = RedisServer::start();
        Self { place: Place::on_redis(&redis.url()), redis: Some(redis) }
    }

    /// On a Redis that keeps what it has.
    pub(crate) fn persistent() -> Self {
        let redis = RedisServer::persistent();
        Self { place: Place::on_redis(&redis.url()), redis: Some(redis) }
    }

    /// The Redis, to be killed and started again.
    pub(crate) fn server_mut(&mut self) -> &mut RedisServer {
        self.redis.as_mut().expect("a Redis")
    }

    pub(crate) fn server(&self) -> Option<&RedisServer> {
        self.redis.as_ref()
    }

    /// Starts a server with these notifiers, and waits until it runs all of them.
    pub(crate) fn telling(&self, notifiers: &str) -> Background {
        let server = self.server_with(notifiers);
        self.until_run(notifiers.matches("[[notify]]").count());
        server
    }

    /// Starts a server with these notifiers.
    pub(crate) fn server_with(&self, notifiers: &str) -> Background {
        self.file("mcptask.toml", notifiers);
        self.serve(&["--workers", "0", "--lease", "2s"])
    }

    /// Waits until so many notifiers are run.
    pub(crate) fn until_run(&self, count: usize) {
        let run = |found: &[Value]| found.iter().filter(|one| one["running"] == true).count();
        self.until_notifiers("they are run", |found| run(found) == count);
    }

    /// What `notify` shows, as soon as it is as wanted.
    pub(crate) fn until_notifiers(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let found = self.json(&["notify"]);
            if wanted(&found) {
                return found;
            }
            assert!(began.elapsed() < BOUND, "{what}? {found:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Tasks that are moved from this process.
    pub(crate) fn tasks(&self) -> Tasks {
        let runtime = Runtime::new().expect("a runtime");
        let store: Arc<dyn Store> = match &self.redis {
            Some(redis) => {
                runtime.block_on(RedisStore::open(&redis.url(), "default")).expect("opens the server")
            }
            None => runtime.block_on(SqliteStore::open(&self.database(), "default")).expect("opens the file"),
        };
        let worker: WorkerId = "w-test".parse().expect("an id");
        let lease = Duration::from_secs(24 * 3600);
        runtime.block_on(store.enlist(&worker, None, &[], lease)).expect("enlists");
        Tasks { runtime, store, worker }
    }
}

/// Tasks that do what they are told.
pub(crate) struct Tasks {
    runtime: Runtime,
    store: Arc<dyn Store>,
    worker: WorkerId,
}

impl Tasks {
    pub(crate) fn submit(&self, tool: &str, session: Option<&str>) -> TaskId {
        self.submit_in(Scope::anonymous(), tool, session)
    }

    /// A task of a scope.
    fn submit_in(&self, scope: Scope, tool: &str, session: Option<&str>) -> TaskId {
        let new = NewTask {
            id: TaskId::generate(),
            tool: tool.to_owned(),
            arguments: Map::new(),
            scope,
            session: session.map(|name| name.parse::<SessionId>().expect("a session")),
            hidden: false,
            ttl_ms: Some(3_600_000),
            max_attempts: 3,
        };
        self.runtime.block_on(self.store.submit(&new, 100_000)).expect("submits");
        new.id
    }

    pub(crate) fn claim(&self, tool: &str) -> Task {
        let (tools, stop) = ([tool.to_owned()], CancellationToken::new());
        let claimed =
            self.runtime.block_on(self.store.claim(&self.worker, &tools, 1, &stop)).expect("claims");
        claimed.into_iter().next().expect("one")
    }

    /// A task that asks.
    pub(crate) fn asking(&self, tool: &str, ask: &Ask, deadline: Option<Duration>) -> Task {
        self.asking_in(Scope::anonymous(), tool, ask, deadline)
    }

    /// A task of a scope that asks.
    pub(crate) fn asking_in(&self, scope: Scope, tool: &str, ask: &Ask, deadline: Option<Duration>) -> Task {
        self.submit_in(scope, tool, None);
        let task = self.claim(tool);
        let claim = key(&task);
        let asked = self.store.ask(&claim, 1, std::slice::from_ref(ask), deadline);
        self.runtime.block_on(asked).expect("asks");
        task
    }

    pub(crate) fn finish(&self, task: &Task, outcome: &Outcome) {
        self.runtime.block_on(self.store.finish(&key(task), outcome)).expect("finishes");
    }

    pub(crate) fn cancel(&self, task: &TaskId) {
        self.runtime.block_on(self.store.cancel(task, "enough")).expect("cancels");
    }

    /// A task that was submitted, claimed, given back, claimed again and has completed: five events.
    pub(crate) fn five_events(&self, tool: &str) -> TaskId {
        let id = self.submit(tool, None);
        let task = self.claim(tool);
        let back = mcptask::store::Requeue::returned("once more".to_owned());
        self.runtime.block_on(self.store.requeue(&key(&task), &back)).expect("requeues");
        let task = self.claim(tool);
        self.finish(&task, &Outcome::text("done"));
        id
    }
}

fn key(task: &Task) -> ClaimKey {
    ClaimKey { task: task.id().clone(), attempt: task.attempt }
}

/// A form with one field.
pub(crate) fn form(message: &str) -> Ask {
    Ask::form(message, json!({ "type": "object", "properties": { "ok": { "type": "boolean" } } }))
}

/// One notifier of a file.
pub(crate) fn notifier(name: &str, on: &[&str], rest: &str) -> String {
    format!("[[notify]]\nname = \"{name}\"\non = {on:?}\n{rest}\n")
}

/// A notifier that posts.
pub(crate) fn posting(name: &str, on: &[&str], url: &str) -> String {
    notifier(name, on, &format!("webhook = \"{url}\""))
}
