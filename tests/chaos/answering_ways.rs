//! Many answerers of one question at once, in every way: clients that the relay asks, clients that send
//! `tasks/update`, operators.
//!
//! `MCPTASK_CHAOS_RACES` says how many questions are raced for (default 3, on each engine).

use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, EngineError, Viewer};
use mcptask::store::{EventFilter, StoreError};
use mcptask::task::{Answer, Answerer, QuestionId, Task, TaskId, TaskStatus};
use serde_json::{Map, Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::invariants::log;
use crate::load::{ASKER, number, runtime, submission};
use crate::place::BOUND;
use crate::protocol::http::{Events, Legacy, Modern};
use crate::protocol::soon;
use crate::stage::Stage;

on_both_engines!(one_of_a_hundred_by_three_ways_wins);

/// Answerers of each way. Their numbers say which one they take.
const RELAYED: u64 = 33;
const UPDATING: u64 = 33;
const OPERATORS: u64 = 34;

fn one_of_a_hundred_by_three_ways_wins(stage: &Stage) {
    let tools = stage.file("asker.toml", ASKER);
    let races = number("MCPTASK_CHAOS_RACES", 3);
    let life = BOUND + Duration::from_secs(3 * races);
    let server = stage.serve_for(life, &["--workers", "0", "--config", &tools]);
    let _worker = stage.background_for(life, &["worker", "--json", "--config", &tools]);
    runtime().block_on(async {
        let race = Race::begin(stage, server.url()).await;
        for n in 0..races {
            race.round(n).await;
        }
    });
}

struct Race {
    sessions: Vec<Arc<Legacy>>,
    modern: Modern,
    /// As four processes would have them.
    engines: Vec<Engine>,
}

/// What an answerer was told: whose answer counts.
type Told = JoinSet<u64>;

impl Race {
    async fn begin(stage: &Stage, url: &str) -> Self {
        let mut sessions = Vec::new();
        for _ in 0..RELAYED {
            sessions.push(Arc::new(Legacy::at(url, json!({ "elicitation": {} }), None).await));
        }
        let mut engines = Vec::new();
        for _ in 0..4 {
            engines.push(stage.engine().await);
        }
        Self { sessions, modern: Modern::at(url), engines }
    }

    async fn round(&self, n: u64) {
        let id = self.engines[0].submit(submission(n, None)).await.expect("submits").id().clone();
        let asks = |task: &Task| task.status == TaskStatus::InputRequired;
        soon("it asks", self.engines[0].wait(&Viewer::Operator, &id, asks)).await.expect("waits");
        let start = Arc::new(Barrier::new((RELAYED + UPDATING + OPERATORS) as usize));
        let mut told = Told::new();
        for (session, number) in self.sessions.iter().zip(0..) {
            let (request, mut events) = session.begin("tasks/result", json!({ "taskId": id })).await;
            let question = events.next_of("elicitation/create").await;
            let (session, start) = (session.clone(), start.clone());
            told.spawn(async move {
                start.wait().await;
                session.answer(&question, accept(number)).await;
                winner(&result_of(request, &mut events).await)
            });
        }
        for number in RELAYED..RELAYED + UPDATING {
            told.spawn(update(self.modern.clone(), id.clone(), number, start.clone()));
        }
        for number in RELAYED + UPDATING..RELAYED + UPDATING + OPERATORS {
            let engine = self.engines[number as usize % self.engines.len()].clone();
            told.spawn(operate(engine, id.clone(), number, start.clone()));
        }
        let told = soon("all are told", told.join_all()).await;
        self.check(&id, &told).await;
    }

    /// One answer counts, everybody was told which, and the log has it once.
    async fn check(&self, id: &TaskId, told: &[u64]) {
        let task = self.engines[0].get(&Viewer::Operator, id).await.expect("is there");
        let answer = task.questions[0].answer.as_ref().expect("an answer");
        let won = value(answer);
        assert!(told.iter().all(|told| *told == won), "{won} won, but told were {told:?}");
        let by = if won < RELAYED + UPDATING { Answerer::Client } else { Answerer::Operator };
        assert_eq!(answer.by, by, "{task:?}");
        let log = log(&self.engines[1], &EventFilter::Task(id.clone())).await;
        assert_eq!(log.iter().filter(|event| event.kind.name() == "answered").count(), 1, "{log:?}");
    }
}

fn accept(number: u64) -> Value {
    json!({ "action": "accept", "content": { "value": number } })
}

fn value(answer: &Answer) -> u64 {
    answer.content.as_ref().and_then(|content| content.get("value")?.as_u64()).expect("a number")
}

/// Whose answer the tool was given, by its result.
fn winner(result: &Value) -> u64 {
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"));
    text.split(':').nth(1).expect("an answer").parse().expect("a number")
}

async fn result_of(request: i64, events: &mut Events) -> Value {
    loop {
        let mut message = events.next().await.expect("a response");
        if message["id"] == request && message.get("method").is_none() {
            return message["result"].take();
        }
    }
}

async fn update(client: Modern, id: TaskId, number: u64, start: Arc<Barrier>) -> u64 {
    let asked = client.get(id.as_str()).await;
    let key = asked["inputRequests"].as_object().and_then(|all| all.keys().next()).expect("a question");
    let params = json!({ "taskId": id, "inputResponses": { key: accept(number) } });
    start.wait().await;
    // Whoever comes too late is acknowledged all the same, and sees in the task whose answer counts.
    client.result("tasks/update", params).await;
    winner(&client.until(id.as_str(), "completed").await["result"])
}

async fn operate(engine: Engine, id: TaskId, number: u64, start: Arc<Barrier>) -> u64 {
    let mut content = Map::new();
    content.insert("value".to_owned(), number.into());
    let answer = Answer::accept(content, Answerer::Operator);
    start.wait().await;
    match engine.answer(&Viewer::Operator, &id, &QuestionId::at(1), answer).await {
        Ok(answer) => value(&answer),
        Err(EngineError::Store(StoreError::AlreadyAnswered { answer, .. })) => value(&answer),
        Err(error) => panic!("{error}"),
    }
}
