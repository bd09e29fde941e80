//! Part 3: from a task's submission to its first line, its first question, and its result.

use serde_json::json;

use crate::drive::{Driver, Drove, Load};
use crate::figures::{Figures, rounded};
use crate::options::Options;
use crate::report::Section;
use crate::run::Run;
use crate::stage::{FastMcp, Ours, Place, Redis};

type Leg = (&'static str, fn(&Run) -> Vec<u64>);
const LEGS: [Leg; 3] = [
    ("submit → first line", |run| vec![run.started.saturating_sub(run.submitted)]),
    ("submit → first answer", |run| {
        let answered = run.answers.first().and_then(|answer| answer.parse::<u64>().ok());
        answered.map(|at| at.saturating_sub(run.submitted)).into_iter().collect()
    }),
    ("submit → result", |run| vec![run.ended.saturating_sub(run.submitted)]),
];

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let load = Load::new(1, 1, options.size(1.0, 10.0));
    let (mut own, mut theirs) = (Drove::default(), Drove::default());
    for _ in 0..2 {
        own.add(Driver::Lean.drive(&ours.url, load).await);
        if let Some(python) = &options.python {
            theirs.add(Driver::Lean.drive(&FastMcp::start(python, &redis).url, load).await);
        }
    }
    let rows = LEGS.map(|(leg, figure)| {
        let mut row = json!({ "leg": leg });
        if let Some(figures) = Figures::of(own.all(figure)) {
            row["p50"] = json!(figures.p50);
            row["p95"] = json!(figures.p95);
            row["p99"] = json!(figures.p99);
            if let Some(theirs) = Figures::of(theirs.all(figure)) {
                row["FastMCP p50"] = json!(theirs.p50);
                row["FastMCP p95"] = json!(theirs.p95);
                row["FastMCP p99"] = json!(theirs.p99);
                row["ratio"] = json!(rounded(theirs.p50 / figures.p50));
            }
        }
        row
    });
    vec![Section {
        name: "start",
        title: "One task at a time, lean client, microseconds",
        rows: rows.to_vec(),
    }]
}
