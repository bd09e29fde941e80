//! What one namespace's log carries: one event to many readers, as many processes of a namespace are.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::figures::{Figures, rounded};
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::stage::Redis;

/// Bytes of one event.
const PAYLOAD: usize = 300;

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let mut rows = Vec::new();
    for readers in options.size(vec![1, 10, 100], vec![1, 10, 100, 1000]) {
        rows.push(row(readers, options.size(50, 3000)).await);
    }
    vec![Section { name: "readers", title: "One event to all readers of a log", rows }]
}

/// Writes the next event when all readers have the last one.
async fn row(readers: usize, most: usize) -> Value {
    let redis = Redis::start();
    let events = (most * 10 / readers.max(10)).max(20);
    let seen: Vec<_> = (0..readers).map(|_| Arc::new(watch::Sender::new(0))).collect();
    let mut reading = tokio::task::JoinSet::new();
    for sender in &seen {
        reading.spawn(read(redis.connect().await, sender.clone()));
    }
    let mut writer = redis.connect().await;
    let payload = "x".repeat(PAYLOAD);
    let mut nanos = Vec::new();
    let (cpu, clock) = (Cpu::begin(vec![("Redis", vec![redis.process.id()])]), Instant::now());
    for count in 1..=events {
        let began = Instant::now();
        let mut append = redis::cmd("XADD");
        append.arg("log").arg("MAXLEN").arg("~").arg(1000).arg("*").arg("detail").arg(&payload);
        let _: String = append.query_async(&mut writer).await.expect("appends");
        for sender in &seen {
            // The sender is held here, so this cannot fail.
            let _ = sender.subscribe().wait_for(|seen| *seen >= count).await;
        }
        nanos.push(u64::try_from(began.elapsed().as_nanos()).expect("short"));
    }
    let seconds = clock.elapsed().as_secs_f64();
    let used = cpu.percent(seconds)[0].1 / 100.0 * seconds;
    let figures = Figures::of(nanos).expect("there were events");
    json!({ "readers": readers, "p50 µs to all": figures.p50, "p95 µs to all": figures.p95,
        "deliveries per second": rounded((events * readers) as f64 / seconds),
        "Redis CPU µs per delivery": rounded(used * 1e6 / (events * readers) as f64) })
}

/// Reads as a process's tail does.
async fn read(mut connection: redis::aio::MultiplexedConnection, seen: Arc<watch::Sender<usize>>) {
    type Read = Option<Vec<(String, Vec<(String, Vec<String>)>)>>;
    let mut last = "0-0".to_owned();
    loop {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(1000).arg("BLOCK").arg(400).arg("STREAMS").arg("log").arg(&last);
        // Its redis-server ends before it does.
        let Ok(read) = command.query_async::<Read>(&mut connection).await else { return };
        let entries: Vec<_> = read.into_iter().flatten().flat_map(|(_, entries)| entries).collect();
        if let Some((id, _)) = entries.last() {
            last.clone_from(id);
            seen.send_modify(|count| *count += entries.len());
        }
    }
}
