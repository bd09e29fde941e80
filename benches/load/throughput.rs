//! Part 2: tasks with one question each per second, by tasks in flight and by where the workers are.

use serde_json::{Value, json};

use crate::drive::{Driver, Drove, Load};
use crate::figures::rounded;
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::stage::{FastMcp, Ours, Place, Redis};

const IN_FLIGHT: [usize; 4] = [1, 10, 50, 200];

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let mut rows = Vec::new();
    for processes in [0, 1, 2, 4] {
        let redis = Redis::start();
        let ours = Ours::start(Place::Redis(redis.url.clone()), processes);
        for flight in IN_FLIGHT {
            let load = Load::new(flight, 1, options.size(2.0, 10.0));
            rows.push(ours_row(&redis, &ours, processes, load, &Driver::Lean).await);
            // FastMCP's workers are in its server; it is measured beside ours of the same kind.
            if let Some(python) = options.python.as_ref().filter(|_| processes == 0) {
                let theirs = fastmcp(python, &redis, load).await;
                let last = rows.last_mut().expect("just pushed");
                last["FastMCP per second"] = json!(rounded(theirs.rate()));
                last["FastMCP lost"] = json!(theirs.lost);
                let own = last["per second"].as_f64().unwrap_or(0.0);
                last["ratio"] = json!(rounded(own / theirs.rate()));
            }
        }
    }
    vec![Section {
        name: "throughput",
        title: "Tasks with one question each, lean client; CPU in % of a core",
        rows,
    }]
}

async fn fastmcp(python: &std::path::Path, redis: &Redis, load: Load) -> Drove {
    let fastmcp = FastMcp::start(python, redis);
    Driver::Lean.drive(&fastmcp.url, load).await
}

/// Drives mcptask, and says what it took of each process.
async fn ours_row(redis: &Redis, ours: &Ours, processes: usize, load: Load, driver: &Driver) -> Value {
    let groups = vec![
        ("client CPU", vec![std::process::id()]),
        ("server CPU", vec![ours.server.id()]),
        ("workers CPU", ours.worker_ids()),
        ("Redis CPU", vec![redis.process.id()]),
    ];
    let cpu = Cpu::begin(groups);
    let began = std::time::Instant::now();
    let drove = driver.drive(&ours.url, load).await;
    let workers = match processes {
        0 => "in the server".to_owned(),
        1 => "1 process".to_owned(),
        several => format!("{several} processes"),
    };
    let mut row = json!({ "workers": workers, "in flight": load.lanes * load.sessions,
        "per second": rounded(drove.rate()), "lost": drove.lost });
    for (group, percent) in cpu.percent(began.elapsed().as_secs_f64()) {
        row[group] = json!(percent.round());
    }
    row
}
