//! Fills a Redis: finished tasks by the store's own verbs, namespaces as copies of one that the verbs made.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use mcptask::store::redis::RedisStore;
use mcptask::store::{ClaimKey, Store};
use mcptask::task::{Answer, Answerer, Ask, NewTask, Outcome, QuestionId, Scope, TaskId, WorkerId};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use crate::stage::Redis;

/// The tool of tasks that fill; nobody offers it.
const TOOL: &str = "filler";
/// Tasks under way at once while filling.
const AT_ONCE: usize = 128;
/// Namespaces that one script makes.
const PER_SCRIPT: usize = 500;

/// Copies every key of the namespace `seed` to the namespaces `seed<from>` to `seed<to>`.
const COPY: &str = "
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  for _, key in ipairs(KEYS) do
    redis.call('COPY', key, 'mcptask:{seed' .. n .. '}' .. string.sub(key, #'mcptask:{seed}' + 1))
  end
end";

/// Runs so many tasks, each with one question, from their submission to their end.
pub(crate) async fn tasks(store: &Arc<dyn Store>, count: usize) {
    let worker: WorkerId = "filler".parse().expect("a worker's id");
    // Longer than any filling takes: nobody shall take these tasks over.
    store.enlist(&worker, None, &[], Duration::from_secs(24 * 3600)).await.expect("enlists");
    stream::iter(0..count).for_each_concurrent(AT_ONCE, |_| one(store, &worker)).await;
}

async fn one(store: &Arc<dyn Store>, worker: &WorkerId) {
    store.submit(&new_task(TOOL), u32::MAX).await.expect("submits");
    let tools = [TOOL.to_owned()];
    // Any task that fills, for each lane has submitted one.
    let claimed = store.claim(worker, &tools, 1, &CancellationToken::new()).await.expect("claims");
    for task in claimed {
        let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
        let schema = json!({ "type": "object", "properties": { "value": { "type": "string" } } });
        store.ask(&claim, 1, &[Ask::form("Which value?", schema)], None).await.expect("asks");
        let content = Map::from_iter([("value".to_owned(), json!("this one"))]);
        let answer = Answer::accept(content, Answerer::Client);
        store.answer(&claim.task, &QuestionId::at(1), &answer).await.expect("answers");
        store.finish(&claim, &Outcome::text("done")).await.expect("finishes");
    }
}

/// A task of nobody in particular that is kept for ever.
pub(crate) fn new_task(tool: &str) -> NewTask {
    NewTask {
        id: TaskId::generate(),
        tool: tool.to_owned(),
        arguments: Map::new(),
        scope: Scope::anonymous(),
        session: None,
        hidden: false,
        ttl_ms: None,
        max_attempts: 1,
    }
}

/// A namespace with one finished task, to be copied.
pub(crate) struct Seed {
    keys: Vec<String>,
    connection: redis::aio::MultiplexedConnection,
}

impl Seed {
    /// Into a Redis that is empty, for it looks for keys.
    pub(crate) async fn sow(redis: &Redis) -> Self {
        let store: Arc<dyn Store> = RedisStore::open(&redis.url, "seed").await.expect("the store opens");
        tasks(&store, 1).await;
        let mut connection = redis.connect().await;
        let mut list = redis::cmd("KEYS");
        let keys = list.arg("mcptask:{seed}:*").query_async(&mut connection).await.expect("lists keys");
        Self { keys, connection }
    }

    /// Makes namespaces of that one until there are so many.
    pub(crate) async fn copy(&self, from: usize, to: usize) {
        let copy = redis::Script::new(COPY);
        for first in (from..to).step_by(PER_SCRIPT) {
            let mut script = copy.prepare_invoke();
            script.key(&self.keys).arg(first).arg((first + PER_SCRIPT).min(to) - 1);
            script.invoke_async::<()>(&mut self.connection.clone()).await.expect("copies");
        }
    }
}
