//! Part 4: what waiting costs: memory, CPU and connections, by waiting questions and by idle sessions.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::figures::rounded;
use crate::lean::Lean;
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::stage::{Ours, Place, Redis};

/// How long each further thousand of tasks may take until all have asked.
const PER_THOUSAND: Duration = Duration::from_secs(30);
/// Requests in flight while a state is built up.
const AT_ONCE: usize = 32;

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    vec![waiting(options).await, idle(options).await]
}

async fn waiting(options: &Options) -> Section {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    let base = look(&redis, &ours);
    let sizes = options.size(vec![100, 1000], vec![100, 1000, 10_000, 100_000]);
    let mut rows = Vec::new();
    let mut there = 0;
    for size in sizes {
        submit(&silent, size - there).await;
        let bound = PER_THOUSAND * u32::try_from(size / 1000 + 1).expect("not that many");
        tokio::time::timeout(bound, silent.asked(size)).await.expect("all tasks ask");
        there = size;
        rows.push(row(options, "waiting questions", size, &redis, &ours, &base).await);
    }
    Section { name: "rest", title: "Waiting questions of one session: server and one worker process", rows }
}

/// Submits so many tasks of one question.
pub(crate) async fn submit(client: &Lean, count: usize) {
    let submitting = stream::iter(0..count).map(|_| client.submit(1)).buffer_unordered(AT_ONCE);
    submitting.for_each(async |task| drop(task.expect("submits"))).await;
}

async fn idle(options: &Options) -> Section {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let base = look(&redis, &ours);
    let mut sessions = Vec::new();
    let mut rows = Vec::new();
    for size in options.size(vec![100, 300], vec![100, 1000, 5000]) {
        let opening = (sessions.len()..size).map(|_| Lean::connect(&ours.url, |_| None));
        sessions.extend(stream::iter(opening).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
        rows.push(row(options, "idle sessions", size, &redis, &ours, &base).await);
    }
    let failed = sessions.iter().filter(|session| session.is_err()).count();
    assert_eq!(failed, 0, "sessions that did not open");
    Section {
        name: "idle",
        title: "Idle sessions, each with its stream: server and one worker process",
        rows,
    }
}

/// Resident bytes of server, worker and Redis.
fn look(redis: &Redis, ours: &Ours) -> [f64; 3] {
    [ours.server.resident(), ours.workers[0].resident(), redis.process.resident()]
}

async fn row(
    options: &Options,
    what: &str,
    size: usize,
    redis: &Redis,
    ours: &Ours,
    base: &[f64; 3],
) -> Value {
    let period = Duration::from_secs(options.size(2, 20));
    // What was just done may still be tidied up; that is not rest.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let groups = vec![
        ("server CPU", vec![ours.server.id()]),
        ("worker CPU", ours.worker_ids()),
        ("Redis CPU", vec![redis.process.id()]),
    ];
    let (cpu, began) = (Cpu::begin(groups), Instant::now());
    tokio::time::sleep(period).await;
    let used = cpu.percent(began.elapsed().as_secs_f64());
    let mut row = json!({ what: size });
    let names = ["server bytes each", "worker bytes each", "Redis bytes each"];
    for ((name, now), before) in names.iter().zip(look(redis, ours)).zip(base) {
        row[*name] = json!(((now - before).max(0.0) / size as f64).round());
    }
    for (group, percent) in used {
        row[group] = json!(rounded(percent));
    }
    row["Redis connections"] = json!(redis.connections().await);
    row
}
