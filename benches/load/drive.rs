//! Drives a server with one of three clients, in lanes: each runs one task after another.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mcptask::client::{Answering, AskedQuestion, Call, Client, Ended, Era, Submitted, Target};
use mcptask::task;
use serde_json::{Map, Value};

use crate::figures::now;
use crate::lean::{Answer, Lean};
use crate::run::Run;
use crate::stage::script;

/// How long one task may take; what takes longer counts as lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// How long a session may take to open.
const CONNECT: Duration = Duration::from_secs(30);

/// Which client.
#[derive(Debug, Clone)]
pub(crate) enum Driver {
    /// The wire by hand.
    Lean,
    /// mcptask's own client.
    Own,
    /// `FastMCP` 3's client.
    Python(PathBuf),
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) sessions: usize,
    /// Tasks in flight of each session.
    pub(crate) lanes: usize,
    /// Questions of each task.
    pub(crate) questions: usize,
    pub(crate) seconds: f64,
    /// Ends sooner after so many tasks.
    pub(crate) tasks: usize,
    pub(crate) answer: Answer,
}

impl Load {
    /// One session that answers each question with the time.
    pub(crate) fn new(lanes: usize, questions: usize, seconds: f64) -> Self {
        Self {
            sessions: 1,
            lanes,
            questions,
            seconds,
            tasks: usize::MAX,
            answer: |_| Some(now().to_string()),
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Drove {
    pub(crate) runs: Vec<Run>,
    /// Tasks that failed or hung, and sessions that did not open.
    pub(crate) lost: usize,
    pub(crate) seconds: f64,
    within: usize,
}

impl Drove {
    /// Takes another drive's runs in.
    pub(crate) fn add(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.lost += other.lost;
        self.seconds += other.seconds;
        self.within += other.within;
    }

    /// Tasks that ended in time, per second.
    pub(crate) fn rate(&self) -> f64 {
        self.within as f64 / self.seconds
    }

    /// One figure of every run.
    pub(crate) fn all(&self, figure: fn(&Run) -> Vec<u64>) -> Vec<u64> {
        self.runs.iter().flat_map(figure).collect()
    }

    fn count(&mut self, runs: Vec<Result<Run, String>>, began: u64, seconds: f64) {
        let until = began + (seconds * 1e9) as u64;
        for run in runs {
            match run {
                Ok(run) => {
                    self.within += usize::from(run.ended <= until);
                    self.runs.push(run);
                }
                Err(problem) => {
                    if self.lost == 0 {
                        eprintln!("  lost a task: {problem}");
                    }
                    self.lost += 1;
                }
            }
        }
        self.seconds += seconds;
    }
}

impl Driver {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::Own => "mcptask",
            Self::Python(_) => "FastMCP",
        }
    }

    /// Drives the server at `url`.
    pub(crate) async fn drive(&self, url: &str, load: Load) -> Drove {
        if let Self::Python(python) = self {
            return drive_python(python, url, load).await;
        }
        let mut drove = Drove::default();
        let opening = (0..load.sessions).map(|_| self.open(url, load.answer));
        let mut sessions = Vec::new();
        for opened in futures::future::join_all(opening).await {
            match opened {
                Ok(session) => sessions.push(Arc::new(session)),
                Err(problem) => drove.count(vec![Err(problem)], now(), 0.0),
            }
        }
        if let Some(first) = sessions.first() {
            // What is done once in a server's life is not measured.
            let _ = first.bounded(load.questions).await;
        }
        let (began, clock) = (now(), Instant::now());
        let runs = lanes(&sessions, load).await;
        let seconds = clock.elapsed().as_secs_f64().min(load.seconds);
        drove.count(runs, began, seconds);
        drove
    }

    async fn open(&self, url: &str, answer: Answer) -> Result<Session, String> {
        let opening = async {
            if matches!(self, Self::Lean) {
                return Ok(Session::Lean(Lean::connect(url, answer).await?));
            }
            let target = Target::http(url).map_err(|error| error.to_string())?;
            let client = Client::connect(&target, Era::Legacy, Some(Arc::new(Answers(answer)))).await;
            Ok(Session::Own(Box::new(client.map_err(|error| error.to_string())?)))
        };
        tokio::time::timeout(CONNECT, opening)
            .await
            .unwrap_or_else(|_| Err("a session does not open".to_owned()))
    }
}

async fn lanes(sessions: &[Arc<Session>], load: Load) -> Vec<Result<Run, String>> {
    let until = Instant::now() + Duration::from_secs_f64(load.seconds);
    let taken = Arc::new(AtomicUsize::new(0));
    let mut running = Vec::new();
    for session in sessions.iter().flat_map(|session| std::iter::repeat_n(session, load.lanes)) {
        let (session, taken) = (session.clone(), taken.clone());
        running.push(tokio::spawn(async move {
            let mut runs = Vec::new();
            while Instant::now() < until && taken.fetch_add(1, Ordering::Relaxed) < load.tasks {
                runs.push(session.bounded(load.questions).await);
            }
            runs
        }));
    }
    let mut runs = Vec::new();
    for lane in running {
        runs.extend(lane.await.expect("a lane ends in order"));
    }
    runs
}

enum Session {
    Lean(Lean),
    Own(Box<Client>),
}

impl Session {
    async fn bounded(&self, questions: usize) -> Result<Run, String> {
        let run = async {
            match self {
                Self::Lean(lean) => lean.run(questions).await,
                Self::Own(client) => run(client, questions).await,
            }
        };
        tokio::time::timeout(PATIENCE, run).await.unwrap_or_else(|_| Err("it hangs".to_owned()))
    }
}

/// The answerer of mcptask's client.
struct Answers(Answer);

#[async_trait]
impl Answering for Answers {
    async fn answer(&self, question: &AskedQuestion) -> Option<task::Answer> {
        let value = (self.0)(&question.ask.message)?;
        let content = Map::from_iter([("value".to_owned(), Value::from(value))]);
        Some(task::Answer::accept(content, task::Answerer::Client))
    }
}

async fn run(client: &Client, questions: usize) -> Result<Run, String> {
    let arguments = Map::from_iter([("n".to_owned(), Value::from(questions))]);
    let submitted = now();
    let call = Call { tool: "ask".to_owned(), arguments, ..Call::default() };
    let task = match client.submit(call).await.map_err(|error| error.to_string())? {
        Submitted::Task(task) => task,
        Submitted::Done(outcome) => return Err(format!("not a task: {outcome:?}")),
    };
    match client.follow(&task.id, &|_| {}).await.map_err(|error| error.to_string())? {
        Ended::Finished(task::Outcome::Result(result)) => {
            let run = result.get("structuredContent").and_then(|result| Run::read(submitted, now(), result));
            run.ok_or_else(|| format!("the task ended with {result}"))
        }
        other => Err(format!("the task ended with {other:?}")),
    }
}

async fn drive_python(python: &PathBuf, url: &str, load: Load) -> Drove {
    let seconds = load.seconds.ceil();
    let mut command = tokio::process::Command::new(python);
    command.arg(script("client.py")).arg(url).arg(load.lanes.to_string()).arg(seconds.to_string());
    command.arg(load.questions.to_string()).arg(PATIENCE.as_secs().to_string());
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let bound = Duration::from_secs_f64(seconds) + 4 * PATIENCE;
    let ended = tokio::time::timeout(bound, command.output()).await;
    let text = ended.ok().and_then(Result::ok).map(|output| output.stdout).unwrap_or_default();
    let mut runs = Vec::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let Ok(said) = serde_json::from_str::<Value>(line) else { continue };
        let time = |key: &str| said[key].as_u64().unwrap_or(0);
        let run = Run::read(time("submitted"), time("ended"), &said["result"]);
        runs.push(run.ok_or_else(|| "it hangs".to_owned()));
    }
    let began = runs.iter().flatten().map(|run| run.submitted).min().unwrap_or_else(now);
    let mut drove = Drove::default();
    if runs.is_empty() {
        runs.push(Err("the Python client brought nothing".to_owned()));
    }
    drove.count(runs, began, seconds);
    drove
}
