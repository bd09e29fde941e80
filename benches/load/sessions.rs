//! Part 2, wider: many sessions at once, and many other tasks that wait for people.

use std::time::Duration;

use serde_json::{Value, json};

use crate::drive::{Driver, Drove, Load};
use crate::figures::rounded;
use crate::lean::Lean;
use crate::options::Options;
use crate::report::Section;
use crate::stage::{FastMcp, Ours, Place, Redis};

/// How long all tasks that shall wait may take to ask.
const ASKING: Duration = Duration::from_secs(120);

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 0);
    let seconds = options.size(2.0, 15.0);
    let mut rows = Vec::new();
    for sessions in [50, 500] {
        let load = Load { sessions, ..Load::new(1, 1, seconds) };
        let own = Driver::Lean.drive(&ours.url, load).await;
        let theirs = match &options.python {
            Some(python) => Some(Driver::Lean.drive(&FastMcp::start(python, &redis).url, load).await),
            None => None,
        };
        rows.push(row(&format!("{sessions} sessions, one task each at a time"), &own, theirs.as_ref()));
    }
    let load = Load::new(50, 1, seconds);
    let alone = Driver::Lean.drive(&ours.url, load).await;
    rows.push(row("one session, 50 in flight", &alone, None));
    let waiting = options.size(200, 1000);
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    for _ in 0..waiting {
        silent.submit(1).await.expect("submits");
    }
    tokio::time::timeout(ASKING, silent.asked(waiting)).await.expect("all tasks ask");
    let beside = Driver::Lean.drive(&ours.url, load).await;
    rows.push(row(&format!("the same, {waiting} other tasks wait for people"), &beside, None));
    vec![Section { name: "sessions", title: "Tasks with one question each, workers in the server", rows }]
}

fn row(what: &str, own: &Drove, theirs: Option<&Drove>) -> Value {
    let mut row = json!({ "what": what, "per second": rounded(own.rate()), "lost": own.lost });
    if let Some(theirs) = theirs {
        row["FastMCP per second"] = json!(rounded(theirs.rate()));
        row["FastMCP lost"] = json!(theirs.lost);
    }
    row
}
