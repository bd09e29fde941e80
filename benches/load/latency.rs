//! Part 1: how long a question takes, from the worker's ask to its next line.

use serde_json::{Value, json};

use crate::drive::{Driver, Drove, Load};
use crate::figures::{Figures, rounded};
use crate::options::Options;
use crate::report::Section;
use crate::run::Run;
use crate::stage::{FastMcp, Ours, Place, Redis};

/// Questions of one task, in a row. Few, since `FastMCP` loses some of those that follow each other closely.
const IN_A_ROW: usize = 4;

/// How often the two servers take turns.
const TURNS: usize = 2;

/// The parts of a question's way.
type Leg = (&'static str, fn(&Run) -> Vec<u64>);
const LEGS: [Leg; 3] =
    [("ask → handler", Run::asks), ("answer → worker", Run::answers), ("whole round", Run::rounds)];

/// Where mcptask's workers are: in the server, as FastMCP's are, or in a process of their own. The question crosses
/// Redis either way.
const WORKERS: [(&str, usize); 2] = [("in the server", 0), ("1 process", 1)];

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let seconds = options.size(1.0, 10.0);
    let mut drivers = vec![Driver::Lean, Driver::Own];
    drivers.extend(options.python.clone().map(Driver::Python));
    let mut rows = Vec::new();
    for driver in &drivers {
        for open in [1, 10, 100] {
            let load = Load::new(open, IN_A_ROW, seconds);
            let (mut own, mut theirs) = ([Drove::default(), Drove::default()], Drove::default());
            for _ in 0..TURNS {
                for ((_, processes), own) in WORKERS.iter().zip(&mut own) {
                    let ours = Ours::start(Place::Redis(redis.url.clone()), *processes);
                    own.add(driver.drive(&ours.url, load).await);
                }
                if let Some(python) = &options.python {
                    // A new one each time: a task that it lost would hold its worker's slot for an hour.
                    let fastmcp = FastMcp::with_slots(python, &redis, open.max(10));
                    theirs.add(driver.drive(&fastmcp.url, load).await);
                }
            }
            for ((workers, _), own) in WORKERS.iter().zip(&own) {
                rows.extend(LEGS.map(|leg| row(driver, (open, workers), leg, own, &theirs)));
            }
        }
    }
    vec![Section { name: "latency", title: "Question latency, microseconds", rows }]
}

fn row(
    driver: &Driver,
    (open, workers): (usize, &str),
    (leg, figure): Leg,
    own: &Drove,
    theirs: &Drove,
) -> Value {
    let mut row = json!({ "client": driver.name(), "open": open, "workers": workers, "leg": leg });
    let sides =
        [("", own), ("FastMCP ", theirs)].map(|(side, drove)| (side, drove, Figures::of(drove.all(figure))));
    for (side, drove, figures) in &sides {
        // Where all were lost, this says so.
        row[format!("{side}lost")] = json!(drove.lost);
        let Some(figures) = figures else { continue };
        row[format!("{side}p50")] = json!(figures.p50);
        row[format!("{side}p95")] = json!(figures.p95);
        row[format!("{side}p99")] = json!(figures.p99);
        row[format!("{side}count")] = json!(figures.count);
        row[format!("{side}per second")] = json!(rounded(figures.count as f64 / drove.seconds));
    }
    if let (Some(own), Some(theirs)) = (sides[0].2, sides[1].2) {
        row["ratio"] = json!(rounded(theirs.p50 / own.p50));
    }
    row
}
