//! Every answer reaches the question that it was given to: compared, not sampled.

use serde_json::json;

use crate::drive::{Driver, Load};
use crate::figures::rounded;
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::stage::{Ours, Place, Redis};

/// Questions of one task.
const IN_A_ROW: usize = 10;

/// What the client answers: no two questions have the same answer.
fn echo(message: &str) -> String {
    format!("you asked {message}")
}

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let mut rows = Vec::new();
    for processes in [0, 2] {
        let redis = Redis::start();
        let ours = Ours::start(Place::Redis(redis.url.clone()), processes);
        let tasks = options.size(2_000, 100_000) / 2 / IN_A_ROW;
        let load = Load {
            sessions: 8,
            tasks,
            answer: |message| Some(echo(message)),
            ..Load::new(8, IN_A_ROW, 600.0)
        };
        let cpu = Cpu::begin(vec![("Redis", vec![redis.process.id()])]);
        let drove = Driver::Lean.drive(&ours.url, load).await;
        let questions = (drove.runs.len() * IN_A_ROW) as f64;
        let used = cpu.percent(1.0).iter().map(|(_, percent)| percent / 100.0).sum::<f64>();
        let wrong = drove.runs.iter().filter(|run| !run.matches(echo)).count();
        rows.push(json!({ "workers": if processes == 0 { "in the server" } else { "2 processes" },
            "questions": questions, "tasks lost": drove.lost, "tasks with a wrong answer": wrong,
            "questions per second": rounded(questions / drove.seconds),
            "Redis CPU µs per question": rounded(used * 1e6 / questions) }));
    }
    vec![Section { name: "correctness", title: "8 sessions of 8 tasks at once, each answer compared", rows }]
}
