//! Part 5: the same commands and questions beside more and more that is over: tasks, events, namespaces.

use serde_json::{Value, json};

use crate::clone;
use crate::drive::{Driver, Load};
use crate::figures::Figures;
use crate::lean::Lean;
use crate::operator;
use crate::options::Options;
use crate::report::Section;
use crate::run::Run;
use crate::stage::{Ours, Place, Redis};

pub(crate) async fn tasks(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let (mut rows, mut there) = (Vec::new(), 0);
    for size in sizes(options) {
        clone::tasks(&redis.store().await, size - there).await;
        there = size;
        rows.push(row(options, "finished tasks", size, &redis).await);
    }
    vec![Section { name: "growth", title: "Beside finished tasks of the same namespace, milliseconds", rows }]
}

pub(crate) async fn namespaces(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let seed = clone::Seed::sow(&redis).await;
    let (mut rows, mut there) = (Vec::new(), 0);
    for size in sizes(options) {
        seed.copy(there, size).await;
        there = size;
        rows.push(row(options, "namespaces", size, &redis).await);
    }
    vec![Section { name: "namespaces", title: "Beside other namespaces, milliseconds", rows }]
}

fn sizes(options: &Options) -> Vec<usize> {
    options.size(vec![100, 1000], vec![1000, 10_000, 100_000, 1_000_000])
}

/// A small namespace's usual work: medians of whole processes, and of a question's round.
async fn row(options: &Options, what: &str, size: usize, redis: &Redis) -> Value {
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let runs = options.size(5, 31);
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    let mut task = String::new();
    for _ in 0..runs {
        task = silent.submit(1).await.expect("submits");
    }
    silent.asked(runs).await;
    let mut row = json!({ what: size });
    let commands: [(&str, &[&str]); 4] = [
        ("list", &["list"]),
        ("show", &["show", &task]),
        ("watch --task", &["watch", "--no-follow", "--task", &task]),
        ("respond", &["respond", "--next", "--accept", "--set", "value=yes"]),
    ];
    for (name, arguments) in commands {
        row[name] = operator::timed(&ours, name, arguments, runs)["p50"].take();
    }
    let millis =
        |nanos: Vec<u64>| Figures::of(nanos).map(|figures| crate::figures::rounded(figures.p50 / 1000.0));
    row["event → watch"] = json!(crate::figures::rounded(
        operator::behind(redis, &ours, 100, options.size(0.5, 3.0)).await.figures.p50 / 1000.0
    ));
    let drove = Driver::Lean.drive(&ours.url, Load::new(1, 4, options.size(0.5, 5.0))).await;
    row["question round"] = json!(millis(drove.all(Run::rounds)));
    row["Redis MB"] = json!((redis.process.resident() / 1e6).round());
    row
}
