//! The SQLite engine: questions between two processes on one file, and what they cost when nothing happens.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::drive::{Driver, Load};
use crate::figures::{Figures, rounded};
use crate::lean::Lean;
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::run::Run;
use crate::stage::{Ours, Place};

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let ours = Ours::start(Place::Sqlite(folder.path().join("tasks.db")), 1);
    let mut rows = Vec::new();
    for open in [1, 10] {
        let drove = Driver::Lean.drive(&ours.url, Load::new(open, 4, options.size(1.0, 10.0))).await;
        let rounds = Figures::of(drove.all(Run::rounds)).expect("tasks end");
        rows.push(json!({ "what": format!("question round, {open} asking at once, microseconds"),
            "p50": rounds.p50, "p95": rounds.p95, "p99": rounds.p99, "count": rounds.count }));
    }
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    for _ in 0..10 {
        silent.submit(1).await.expect("submits");
    }
    silent.asked(10).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let groups = vec![("server", vec![ours.server.id()]), ("worker process", ours.worker_ids())];
    let (cpu, began) = (Cpu::begin(groups), Instant::now());
    tokio::time::sleep(Duration::from_secs(options.size(3, 30))).await;
    for (group, percent) in cpu.percent(began.elapsed().as_secs_f64()) {
        let what = format!("{group}, CPU with 10 waiting questions, % of a core");
        rows.push(json!({ "what": what, "p50": rounded(percent) }));
    }
    vec![Section {
        name: "sqlite",
        title: "SQLite: server and worker process on one file, lean client",
        rows,
    }]
}
