//! Part 6: the operator's side: `watch` behind its writers, and commands as whole processes.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mcptask::store::{ClaimKey, Store};
use mcptask::task::{Progress, WorkerId};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::clone::new_task;
use crate::figures::{Figures, now, rounded};
use crate::lean::Lean;
use crate::options::Options;
use crate::report::Section;
use crate::stage::{Ours, Place, Redis};

/// How long `watch` may take to print what was written.
const CATCH_UP: Duration = Duration::from_secs(60);
/// The writers' beat.
const BEAT: Duration = Duration::from_millis(5);

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let mut rows = Vec::new();
    for rate in options.size(vec![100, 1000], vec![100, 1000, 5000, 10_000]) {
        let behind = behind(&redis, &ours, rate, options.size(1.0, 10.0)).await;
        rows.push(json!({ "events per second": rate, "written per second": rounded(behind.written),
            "p50": behind.figures.p50, "p95": behind.figures.p95, "p99": behind.figures.p99,
            "lines": behind.figures.count }));
    }
    let watch =
        Section { name: "watch", title: "watch --json: event written → line read, microseconds", rows };
    let rows = commands(&ours, options.size(5, 50)).await;
    vec![watch, Section { name: "commands", title: "Commands as whole processes, milliseconds", rows }]
}

/// How far a watcher was behind.
pub(crate) struct Behind {
    pub(crate) figures: Figures,
    written: f64,
}

/// Writes events at a rate while a `watch` runs.
pub(crate) async fn behind(redis: &Redis, ours: &Ours, rate: u32, seconds: f64) -> Behind {
    let store = redis.store().await;
    let claim = running(&*store).await;
    let mut command = ours.command(&["watch", "--json", "--since", "now", "--task", claim.task.as_str()]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("watch starts");
    let (sender, lines) = mpsc::channel();
    let stdout = child.stdout.take().expect("piped");
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody reads on once the measurement is over.
            let _ = sender.send((now(), line));
        }
    });
    // It says nothing until there is an event: the first ones only find out that it reads.
    while lines.try_recv().is_err() {
        report(&*store, &claim).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    while lines.try_recv().is_ok() {}
    let (count, took) = write(&store, &claim, rate, seconds).await;
    let figures = tokio::task::spawn_blocking(move || read(&lines, count)).await.expect("reads in order");
    let _ = child.kill();
    let _ = child.wait();
    store.cancel(&claim.task, "the measurement is over").await.expect("cancels");
    Behind { figures, written: count as f64 / took }
}

/// A task that this process holds.
async fn running(store: &dyn Store) -> ClaimKey {
    let (worker, tool): (WorkerId, _) = ("writer".parse().expect("an id"), "written".to_owned());
    store.enlist(&worker, None, &[], Duration::from_secs(24 * 3600)).await.expect("enlists");
    store.submit(&new_task(&tool), u32::MAX).await.expect("submits");
    let claimed = store.claim(&worker, &[tool], 1, &CancellationToken::new()).await.expect("claims");
    ClaimKey { task: claimed[0].id().clone(), attempt: claimed[0].attempt }
}

async fn report(store: &dyn Store, claim: &ClaimKey) {
    let message = Some(format!("t={} ", now()));
    store.report(claim, &Progress { current: 1.0, total: None, message }).await.expect("reports");
}

/// Writes at a steady rate; how many, and in how many seconds.
async fn write(store: &std::sync::Arc<dyn Store>, claim: &ClaimKey, rate: u32, seconds: f64) -> (usize, f64) {
    let began = Instant::now();
    let mut beat = tokio::time::interval(BEAT);
    let mut writing = tokio::task::JoinSet::new();
    let (mut count, all) = (0, (f64::from(rate) * seconds) as usize);
    while count < all {
        beat.tick().await;
        let due = ((f64::from(rate) * began.elapsed().as_secs_f64()) as usize).min(all);
        for _ in count..due {
            let (store, claim) = (store.clone(), claim.clone());
            writing.spawn(async move { report(&*store, &claim).await });
        }
        count = due.max(count);
    }
    writing.join_all().await;
    (count, began.elapsed().as_secs_f64())
}

fn read(lines: &mpsc::Receiver<(u64, String)>, count: usize) -> Figures {
    let mut nanos = Vec::new();
    while nanos.len() < count {
        let Ok((read, line)) = lines.recv_timeout(CATCH_UP) else { break };
        let written = line.split_once("t=").and_then(|(_, rest)| rest.split(' ').next()?.parse::<u64>().ok());
        nanos.push(read.saturating_sub(written.unwrap_or(read)));
    }
    Figures::of(nanos).expect("watch prints")
}

/// Commands that an operator types, from start to exit.
async fn commands(ours: &Ours, runs: usize) -> Vec<Value> {
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    let mut task = String::new();
    for _ in 0..2 * runs {
        task = silent.submit(1).await.expect("submits");
    }
    silent.asked(2 * runs).await;
    let respond = ["respond", "--next", "--accept", "--set", "value=yes"];
    vec![
        timed(ours, "--version", &["--version"], runs),
        timed(ours, "list", &["list"], runs),
        timed(ours, "show TASK", &["show", &task], runs),
        timed(ours, "watch --task TASK --no-follow", &["watch", "--no-follow", "--task", &task], runs),
        timed(ours, "respond --accept", &respond, runs),
    ]
}

/// The times of a command that must succeed.
pub(crate) fn timed(ours: &Ours, name: &str, arguments: &[&str], runs: usize) -> Value {
    let nanos = (0..runs).map(|_| once(&mut ours.command(arguments)));
    let figures = Figures::of(nanos.collect()).expect("at least one run");
    let millis = |micros: f64| rounded(micros / 1000.0);
    json!({ "command": name, "p50": millis(figures.p50), "p95": millis(figures.p95), "runs": runs })
}

fn once(command: &mut Command) -> u64 {
    let began = Instant::now();
    let status = command.status().expect("the program runs");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    u64::try_from(took.as_nanos()).expect("short")
}
