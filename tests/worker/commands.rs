//! How many Redis commands one question costs: an exact number, which shows a regression without a clock.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mcptask::client::{Answering, AskedQuestion, Call, Client, Era, Submitted, Target};
use mcptask::engine::{Engine, Limits};
use mcptask::server::{self, ServeConfig};
use mcptask::store::{IdleWorker, Store};
use mcptask::task::{Answer, Answerer, Outcome, Task};
use mcptask::worker::{Tool, Worker, WorkerConfig};
use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::setup::{Setup, asks, question, run_worker, tool};
use crate::support::bench::Bench;
use crate::support::{LEASE, accept, claim, form, key, new_task, q, submit, within, worker};

/// What one question costs, from the ask to the worker that goes on: asked by a worker process, put to the client
/// by a server process: the two scripts and the four readings of the log, one `hmget` of the asker that reads its
/// answer, and what the scripts run inside.
const OF_A_QUESTION: [(&str, u64); 7] =
    [("evalsha", 2), ("xread", 4), ("hmget", 3), ("hset", 2), ("xadd", 4), ("zadd", 1), ("zrem", 1)];

/// What a task with one question costs in the store, without a session: a script for each of its five steps, the
/// asker's reading of the answer (`hmget`), the worker's wait for the task (`xreadgroup`), and what the scripts run inside.
const OF_A_TASK: [(&str, u64); 14] = [
    ("evalsha", 5),
    ("exists", 1),
    ("hmget", 5),
    ("hset", 5),
    ("sadd", 1),
    ("srem", 1),
    ("xadd", 6),
    ("xdel", 1),
    ("xread", 1),
    ("xreadgroup", 1),
    ("zadd", 3),
    ("zlexcount", 1),
    ("zrem", 2),
    ("zscore", 1),
];

/// The same where an idle worker begins it in the step that stores it: four scripts, and neither queue nor wait.
const OF_A_BEGUN_TASK: [(&str, u64); 12] = [
    ("evalsha", 4),
    ("exists", 1),
    ("hmget", 4),
    ("hset", 4),
    ("sadd", 1),
    ("srem", 1),
    ("xadd", 5),
    ("xread", 1),
    ("zadd", 3),
    ("zlexcount", 1),
    ("zrem", 2),
    ("zscore", 1),
];

/// Questions that are counted.
const QUESTIONS: usize = 20;

/// The connections that block when nothing happens: the worker's claim and the tails of both processes.
const BLOCKED: u64 = 3;

type Counts = BTreeMap<String, u64>;

/// A connection that counts what the others do.
#[derive(Clone)]
struct Counter(MultiplexedConnection);

impl Counter {
    async fn connect(bench: &Bench) -> Self {
        let Bench::Redis(server) = bench else { panic!("this is about Redis") };
        let client = redis::Client::open(server.url()).expect("an address");
        Self(client.get_multiplexed_async_connection().await.expect("connects"))
    }

    async fn info(&mut self, section: &str) -> Vec<(String, String)> {
        let text: String = redis::cmd("INFO").arg(section).query_async(&mut self.0).await.expect("tells");
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// How often each command ran so far, this connection's own not counted.
    async fn counts(&mut self) -> Counts {
        let mut counts = Counts::new();
        for (key, value) in self.info("commandstats").await {
            let calls = value.split([',', '=']).nth(1).and_then(|calls| calls.parse().ok());
            counts.insert(key.trim_start_matches("cmdstat_").to_owned(), calls.expect("a number of calls"));
        }
        counts.remove("info");
        counts
    }

    /// The counts once every process waits for the next event and nobody does anything any more.
    async fn quiet(&mut self) -> Counts {
        let mut last = Counts::new();
        loop {
            let clients = self.info("clients").await;
            let blocked = clients.iter().find(|(key, _)| key == "blocked_clients").map(|(_, count)| count);
            let counts = self.counts().await;
            if blocked.is_some_and(|count| *count == BLOCKED.to_string()) && counts == last {
                return counts;
            }
            last = counts;
            // Redis has no way to tell that nothing happens.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Answers when everything else is quiet, so that no reader of the log finds two events at once.
struct Quietly(Counter);

#[async_trait]
impl Answering for Quietly {
    async fn answer(&self, _: &AskedQuestion) -> Option<Answer> {
        self.0.clone().quiet().await;
        let content = Map::from_iter([("value".to_owned(), Value::from("yes"))]);
        Some(Answer::accept(content, Answerer::Client))
    }
}

async fn serve(bench: &Bench, stop: &CancellationToken) -> Target {
    let engine = Engine::new(bench.store().await, Limits::default(), stop.clone());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let listen = listener.local_addr().expect("an address");
    let config = ServeConfig::default();
    tokio::spawn(server::http(engine, config, listener, stop.clone()));
    Target::http(&format!("http://{listen}/mcp")).expect("an address")
}

/// A worker that does nothing by the clock while the test counts.
async fn work(bench: &Bench, tool: impl Tool + 'static, slots: usize, stop: &CancellationToken) {
    let engine = Engine::new(bench.store().await, Limits::default(), stop.clone());
    let tools = [(tool.spec().name.clone(), Arc::new(tool) as Arc<dyn Tool>)].into();
    let mut config = WorkerConfig::new(worker("w1"), tools, slots);
    config.lease = Duration::from_secs(3600);
    let worker = Worker::enlist(engine, config).await.expect("enlists");
    tokio::spawn(worker.run(stop.clone()));
}

/// What each question of a task cost.
async fn costs() -> Vec<Counts> {
    let (bench, stop) = (Bench::redis(), CancellationToken::new());
    let counter = Counter::connect(&bench).await;
    let (sender, mut seen) = mpsc::unbounded_channel();
    let shared = Mutex::new(counter.clone());
    let asks = tool("ask", move |task| {
        let (mut counter, sender) = (shared.lock().expect("nobody panicked").clone(), sender.clone());
        async move {
            let mut before = counter.quiet().await;
            for at in 0..=QUESTIONS {
                task.ask(question(&format!("question {at}"))).await?;
                let after = counter.quiet().await;
                // Nobody listens any more once the test has failed.
                let _ = sender.send(difference(&before, &after));
                before = after;
            }
            Ok(Outcome::text("done"))
        }
    });
    work(&bench, asks, 4, &stop).await;
    let target = serve(&bench, &stop).await;
    let answering = Arc::new(Quietly(counter));
    let client = Client::connect(&target, Era::Legacy, Some(answering)).await.expect("connects");
    let call = Call { tool: "ask".to_owned(), ..Call::default() };
    let submitted = within("the submission", client.submit(call)).await.expect("submits");
    assert!(matches!(submitted, Submitted::Task(_)), "{submitted:?}");
    let mut costs = Vec::new();
    while costs.len() <= QUESTIONS {
        costs.push(within("a question", seen.recv()).await.expect("the tool runs"));
    }
    stop.cancel();
    // The first one brings the scripts to the server.
    costs.split_off(1)
}

fn difference(before: &Counts, after: &Counts) -> Counts {
    let grown = after.iter().map(|(command, count)| (command, count - before.get(command).unwrap_or(&0)));
    grown.filter(|(_, grown)| *grown > 0).map(|(command, grown)| (command.clone(), grown)).collect()
}

/// What most questions cost: now and then a blocking read runs out and is sent again.
fn usual(costs: &[Counts]) -> Counts {
    let most = costs.iter().max_by_key(|one| costs.iter().filter(|other| other == one).count());
    most.expect("there are questions").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_costs_an_exact_number_of_redis_commands() {
    let usual = usual(&costs().await);
    assert_eq!(usual, counts(&OF_A_QUESTION), "the commands of one question changed");
}

fn counts(expected: &[(&str, u64)]) -> Counts {
    expected.iter().map(|(command, count)| ((*command).to_owned(), *count)).collect()
}

/// A second event of the same millisecond costs one `TIME` more, by which the log is known not to be ahead of the clock.
async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// The life of one task.
async fn live(store: &dyn Store) {
    next_millisecond().await;
    submit(store, &new_task("dinner")).await;
    next_millisecond().await;
    live_on(store, &claim(store, "dinner").await).await;
}

/// The same of one that an idle worker begins.
async fn live_at_once(store: &dyn Store) {
    next_millisecond().await;
    let idle = IdleWorker { worker: worker("w1"), tools: vec!["dinner".to_owned()] };
    let task = store.submit_to(&new_task("dinner"), 100_000, Some(&idle)).await.expect("submits");
    assert_eq!(task.worker, Some(worker("w1")));
    live_on(store, &task).await;
}

async fn live_on(store: &dyn Store, task: &Task) {
    let claim = key(task);
    let hour = Some(Duration::from_secs(3600));
    next_millisecond().await;
    store.ask(&claim, 1, &[form("Really?")], hour).await.expect("asks");
    next_millisecond().await;
    store.answer(&claim.task, &q(1), &accept("Thai")).await.expect("answers");
    store.answers(&claim, 1, 1).await.expect("reads").expect("is answered");
    next_millisecond().await;
    store.finish(&claim, &Outcome::text("eaten")).await.expect("finishes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_with_one_question_costs_an_exact_number_of_redis_commands() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let mut counter = Counter::connect(&bench).await;
    let spec = tool("dinner", async |_| Ok(Outcome::text("eaten"))).spec().clone();
    store.enlist(&worker("w1"), None, &[spec], LEASE).await.expect("enlists");
    // The first one brings the scripts to the server.
    live(&*store).await;
    let before = counter.counts().await;
    live(&*store).await;
    let spent = difference(&before, &counter.counts().await);
    assert_eq!(spent, counts(&OF_A_TASK), "the commands of one task changed");
    live_at_once(&*store).await;
    let before = counter.counts().await;
    live_at_once(&*store).await;
    let spent = difference(&before, &counter.counts().await);
    assert_eq!(spent, counts(&OF_A_BEGUN_TASK), "the commands of a task that is begun at once changed");
}

/// A worker claims when it is woken only: not after a question freed its slot, and not after it was called off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_one_slot_runs_one_script_for_each_step() {
    let setup = Setup::on(Bench::redis()).await;
    setup.clock.cancel();
    let mut counter = Counter::connect(&setup.bench).await;
    work(&setup.bench, asks("ask", 1), 1, &setup.stop).await;
    let mut costs = Vec::new();
    for _ in 0..QUESTIONS {
        let before = counter.counts().await;
        let task = setup.submit("ask").await;
        setup.asked(&task, 1).await;
        setup.answer(&task, 1, "yes").await;
        setup.ended(&task).await;
        let mut spent = difference(&before, &counter.counts().await);
        // In the scripts alone four; the fifth is the asker's, who reads its answer and nothing before.
        spent.retain(|command, _| command == "evalsha" || command == "hmget");
        costs.push(spent);
    }
    let wanted = counts(&[("evalsha", 5), ("hmget", 5)]);
    assert_eq!(usual(&costs), wanted, "submit, claim, ask, answer, finish: {costs:?}");
    setup.stop.cancel();
}

/// One that its own process submits is begun without a claim, whether its worker has one slot or more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_an_idle_worker_runs_one_script_for_submission_and_claim() {
    for slots in [1, 4] {
        let setup = Setup::on(Bench::redis()).await;
        setup.clock.cancel();
        let mut counter = Counter::connect(&setup.bench).await;
        run_worker(setup.engine.clone(), "w1", slots, vec![asks("ask", 1)]).await;
        let mut costs = Vec::new();
        for _ in 0..QUESTIONS {
            let before = counter.counts().await;
            let task = setup.submit("ask").await;
            setup.asked(&task, 1).await;
            setup.answer(&task, 1, "yes").await;
            setup.ended(&task).await;
            let mut spent = difference(&before, &counter.counts().await);
            spent.retain(|command, _| command == "evalsha" || command == "xreadgroup");
            costs.push(spent);
        }
        assert_eq!(usual(&costs), counts(&[("evalsha", 4)]), "submit, ask, answer, finish: {costs:?}");
        setup.stop.cancel();
    }
}
