//! What becomes of questions that nobody at a client can answer, by tool: whichever server asks, in both eras, and of calls that
//! are waited for.

use std::sync::Arc;

use mcptask::engine::Viewer;
use mcptask::server::Unanswerable;
use mcptask::store::EventFilter;
use mcptask::task::{Action, Answer, Answerer, Ask, Cursor, Event, EventKind, Outcome, ToolSpec, WorkerId};
use mcptask::worker::{TaskContext, Tool, ToolOutcome, Worker, WorkerConfig};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::http::{Legacy, Modern};
use crate::support::{Server, soon, tools};

/// Asks for a name.
struct Asking(ToolSpec);

#[async_trait::async_trait]
impl Tool for Asking {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let answer = task.ask(Ask::form("Your name?", tools::name_form())).await?;
        Ok(Outcome::text(format!("{} by {}", answer.action, answer.by)))
    }
}

/// A server whose word is `usual`, and beside it a worker of the tools `asks_cancel`, `asks_wait`, `asks_notify`, which say so,
/// and `asks_usual`, which says nothing.
async fn serving(bench: Bench, usual: Unanswerable) -> (Server, CancellationToken) {
    let server = Server::on(bench, |config| config.unanswerable = usual).await;
    let ways = Unanswerable::ALL.map(|(name, way)| (name, Some(way)));
    let all = ways.into_iter().chain([("usual", None)]).map(|(name, unanswerable)| {
        let name = format!("asks_{name}");
        let spec = ToolSpec { unanswerable, ..ToolSpec::new(&name, &name, json!({ "type": "object" })) };
        (name, Arc::new(Asking(spec)) as Arc<dyn Tool>)
    });
    let config = WorkerConfig::new(WorkerId::generate("asking"), all.collect(), 8);
    let worker = Worker::enlist(server.engine.clone(), config).await.expect("enlists");
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move { worker.run(stopped).await });
    (server, stop)
}

/// The first event of a task that says what became of its question.
async fn became(server: &Server, task: &str) -> Event {
    let filter = EventFilter::Task(task.parse().expect("an id"));
    let mut log = server.engine.watch(filter, Cursor::START).await.expect("a watch");
    soon("the question is settled", async {
        loop {
            let event = log.next().await.expect("an event");
            if matches!(event.kind.name(), "answered" | "noted" | "unanswerable") {
                return event;
            }
        }
    })
    .await
}

async fn settled_as_the_tool_says(bench: Bench) {
    let (first, stop) = serving(bench, Unanswerable::Cancel).await;
    // One that runs no tools itself, and would leave all to operators.
    let other = first.beside(|config| config.unanswerable = Unanswerable::Wait).await;
    for (server, usual) in [(&first, "answered"), (&other, "noted")] {
        for (tool, word) in
            [("cancel", "answered"), ("wait", "noted"), ("notify", "unanswerable"), ("usual", usual)]
        {
            let legacy = Legacy::with(server, json!({}), None).await;
            let modern = Modern::with_modes(server, Value::Null);
            let tool = &format!("asks_{tool}");
            for task in [legacy.launch(tool, json!({})).await, modern.launch(tool, json!({})).await] {
                let event = became(server, &task).await;
                assert_eq!(event.kind.name(), word, "{tool}: {event:?}");
                let now = server.task(&task).await;
                assert_eq!(now.questions[0].is_open(), word != "answered", "{tool}");
                if let EventKind::Unanswerable { question, reason } = event.kind {
                    assert_eq!(question, now.questions[0]);
                    assert!(reason.contains("did not declare the elicitation capability"), "{reason}");
                }
            }
        }
    }
    stop.cancel();
}

async fn calls_that_are_waited_for_too(bench: Bench) {
    let (server, stop) = serving(bench, Unanswerable::Cancel).await;
    let call = json!({ "name": "asks_notify", "arguments": {} });
    let mut client = Modern::with_modes(&server, Value::Null);
    client.declares = false;
    let answers = async {
        let task = server.first_task().await;
        let event = became(&server, &task).await;
        assert!(event.hidden && event.kind.name() == "unanswerable", "{event:?}");
        let no = Answer::new(Action::Decline, Answerer::Operator);
        let (task, question) = (task.parse().expect("an id"), "q1".parse().expect("an id"));
        server.engine.answer(&Viewer::Operator, &task, &question, no).await.expect("it is open");
    };
    let (response, ()) = tokio::join!(client.request("tools/call", call), answers);
    assert_eq!(response["result"]["content"][0]["text"], "decline by operator", "{response}");
    stop.cancel();
}

macro_rules! on_each_store {
    ($($store:ident),+) => {
        $(mod $store {
            use crate::support::bench::Bench;

            #[tokio::test(flavor = "multi_thread")]
            async fn settled_as_the_tool_says() {
                super::settled_as_the_tool_says(Bench::$store()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn calls_that_are_waited_for_too() {
                super::calls_that_are_waited_for_too(Bench::$store()).await;
            }
        })+
    };
}

on_each_store!(sqlite, redis);
