//! The client's side: launches tasks and answers their questions at once.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use mcptask::client::{Answering, AskedQuestion, Call, Client, Ended, Era, Submitted, Target};
use mcptask::task::{Answer, Answerer, Outcome};
use serde_json::{Map, Value, json};

use crate::tool::now;

/// What one measurement of latency brought, in nanoseconds.
pub(crate) struct Latencies {
    /// From the worker's ask to the client's handler.
    pub(crate) ask: Vec<u64>,
    /// From the handler's answer to the worker going on.
    pub(crate) answer: Vec<u64>,
}

/// Answers each question with the time of its answer.
#[derive(Default)]
struct Handler {
    asks: Mutex<Vec<u64>>,
}

#[async_trait]
impl Answering for Handler {
    async fn answer(&self, question: &AskedQuestion) -> Option<Answer> {
        let called = now();
        let asked: u64 = question.ask.message.split_once("t=")?.1.parse().ok()?;
        self.asks.lock().expect("nobody panicked").push(called.saturating_sub(asked));
        let mut content = Map::new();
        content.insert("value".to_owned(), Value::from(now().to_string()));
        Some(Answer::accept(content, Answerer::Client))
    }
}

async fn connect(url: &str) -> (Arc<Client>, Arc<Handler>) {
    let handler = Arc::new(Handler::default());
    let target = Target::http(url).expect("an address");
    let client = Client::connect(&target, Era::Legacy, Some(handler.clone())).await.expect("connects");
    (Arc::new(client), handler)
}

/// Runs one task to its end and returns its structured result, with the time of its submission.
async fn run(client: &Client, questions: usize) -> (u64, Value) {
    let arguments = json!({ "n": questions }).as_object().expect("an object").clone();
    let submitted = now();
    let call = Call { tool: "ask".to_owned(), arguments, ttl_ms: None, session: None };
    let Submitted::Task(task) = client.submit(call).await.expect("submits") else { panic!("no task") };
    match client.follow(&task.id, &|_| {}).await.expect("follows") {
        Ended::Finished(Outcome::Result(mut result)) => (submitted, result["structuredContent"].take()),
        other => panic!("the task ended badly: {other:?}"),
    }
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|number| number.as_u64().expect("a number")).collect()
}

/// Questions of one task, in a row.
const IN_A_ROW: usize = 20;

/// Latencies with `open` tasks asking at once; each of these lanes asks about `rounds` questions.
pub(crate) async fn latencies(url: &str, open: usize, rounds: usize) -> Latencies {
    let (client, handler) = connect(url).await;
    run(&client, 10).await;
    handler.asks.lock().expect("nobody panicked").clear();
    let mut running = Vec::new();
    for _ in 0..open {
        let client = client.clone();
        running.push(tokio::spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..rounds.div_ceil(IN_A_ROW) {
                answers.extend(numbers(&run(&client, IN_A_ROW).await.1["answers"]));
            }
            answers
        }));
    }
    let mut answer = Vec::new();
    for lane in running {
        answer.extend(lane.await.expect("ends"));
    }
    let ask = std::mem::take(&mut *handler.asks.lock().expect("nobody panicked"));
    Latencies { ask, answer }
}

/// Seconds for `count` tasks with one question each, `flight` at a time, and how long each took to start.
pub(crate) async fn throughput(url: &str, flight: usize, count: usize) -> (f64, Vec<u64>) {
    let (client, _) = connect(url).await;
    run(&client, 1).await;
    let began = Instant::now();
    let mut lanes = Vec::new();
    for lane in 0..flight {
        let client = client.clone();
        let share = count / flight + usize::from(lane < count % flight);
        lanes.push(tokio::spawn(async move {
            let mut starts = Vec::new();
            for _ in 0..share {
                let (submitted, result) = run(&client, 1).await;
                starts.push(result["started"].as_u64().expect("a time").saturating_sub(submitted));
            }
            starts
        }));
    }
    let mut starts = Vec::new();
    for lane in lanes {
        starts.extend(lane.await.expect("ends"));
    }
    (began.elapsed().as_secs_f64(), starts)
}
