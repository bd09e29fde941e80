//! The floor: what Redis and HTTP take on this machine with nothing of ours in between.

use std::time::Instant;

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

use crate::drive::{Driver, Load};
use crate::figures::Figures;
use crate::lean::{self, Lean};
use crate::options::Options;
use crate::report::Section;
use crate::stage::{Ours, Place, Redis};

/// What a question's script gets, in bytes: the question with its schema.
const PAYLOAD: usize = 300;
/// A script that does next to nothing with its payload.
const SCRIPT: &str = "redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]";
/// A script that appends to a log: what `ask` and `answer` are without their checks.
const APPEND: &str = "return redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, '*', 'detail', ARGV[1])";

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let count = options.size(500, 10_000);
    let mut rows = Vec::new();
    let mut connection = redis.connect().await;
    rows.push(row("Redis: PING", timed(count, || redis::cmd("PING"), &mut connection).await));
    let payload = "x".repeat(PAYLOAD);
    let script = load(SCRIPT, &mut connection).await;
    let set = || redis::cmd("EVALSHA").arg(&script).arg(1).arg("k").arg(&payload).to_owned();
    rows.push(row("Redis: a script with a question's payload", timed(count, set, &mut connection).await));
    rows.push(row(
        "Redis: a script appends, another connection's blocked XREAD returns",
        hops(&redis, count).await,
    ));
    rows.extend(http(&redis, count).await);
    vec![Section { name: "floor", title: "The floor: round trips, microseconds", rows }]
}

fn row(what: &str, nanos: Vec<u64>) -> Value {
    let figures = Figures::of(nanos).expect("something was measured");
    json!({ "what": what, "p50": figures.p50, "p95": figures.p95, "p99": figures.p99, "count": figures.count })
}

async fn load(script: &str, connection: &mut MultiplexedConnection) -> String {
    redis::cmd("SCRIPT").arg("LOAD").arg(script).query_async(connection).await.expect("loads")
}

async fn timed(
    count: usize,
    command: impl Fn() -> redis::Cmd,
    connection: &mut MultiplexedConnection,
) -> Vec<u64> {
    let mut nanos = Vec::new();
    for _ in 0..count {
        let (command, began) = (command(), Instant::now());
        let _: redis::Value = command.query_async(connection).await.expect("answers");
        nanos.push(nanoseconds(began));
    }
    nanos
}

fn nanoseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).expect("short")
}

/// From a script's call to the event at a reader that waits for it: half of a question's way.
async fn hops(redis: &Redis, count: usize) -> Vec<u64> {
    let (mut writer, mut reader) = (redis.connect().await, redis.connect().await);
    let (script, payload) = (load(APPEND, &mut writer).await, "x".repeat(PAYLOAD));
    let mut append = redis::cmd("EVALSHA");
    append.arg(&script).arg(1).arg("log").arg(&payload);
    let mut last = "0-0".to_owned();
    let mut nanos = Vec::new();
    for _ in 0..count {
        let mut read = redis::cmd("XREAD");
        read.arg("BLOCK").arg(5000).arg("STREAMS").arg("log").arg(&last);
        let waits = async { (read.query_async::<redis::Value>(&mut reader).await, Instant::now()) };
        let append_later = async {
            // The reader shall be blocked when the writer begins.
            tokio::time::sleep(std::time::Duration::from_micros(300)).await;
            let began = Instant::now();
            let id: String = append.query_async(&mut writer).await.expect("appends");
            (began, id)
        };
        let ((read, arrived), (began, id)) = tokio::join!(waits, append_later);
        read.expect("reads");
        nanos.push(u64::try_from((arrived - began).as_nanos()).expect("short"));
        last = id;
    }
    nanos
}

/// Empty round trips of our server, and a question that waits for nothing: what the client's side costs.
async fn http(redis: &Redis, count: usize) -> Vec<Value> {
    let ours = Ours::start(Place::Redis(redis.url.clone()), 0);
    let health = ours.url.replace("/mcp", "/health");
    let client = lean::http();
    let mut nanos = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        client.get(&health).send().await.expect("answers").text().await.expect("a body");
        nanos.push(nanoseconds(began));
    }
    let mut rows = vec![row("HTTP: GET /health", nanos)];
    let lean = Lean::connect(&ours.url, |_| None).await.expect("connects");
    let mut nanos = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        lean.ping().await.expect("answers");
        nanos.push(nanoseconds(began));
    }
    rows.push(row("HTTP: an MCP ping", nanos));
    let drove = Driver::Lean.drive(&ours.url, Load::new(1, 4, 1.0)).await;
    rows.push(row(
        "for comparison: a whole round of a question, one at a time",
        drove.all(crate::run::Run::rounds),
    ));
    rows
}
