//! Commands that go through MCP: which server, and how its questions reach the person here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::context::Context;
use super::environment::TOKEN;
use super::failure::{Failure, Kind};
use super::follow::Answering;
use super::ui::question::Asked;
use super::ui::{Ui, event};
use super::values;
use crate::client::{self, AskedQuestion, Client, ClientError, Era, Target};
use crate::desk::suggest::{Advice, Reach, Suggested};
use crate::task::Answer;

/// How long a question waits for its task's announcement: what the reply that names the task may be behind.
const ANNOUNCED: Duration = Duration::from_secs(10);

/// Options of commands that can go through MCP instead of straight to the store.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Through an MCP server")]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct RemoteArgs {
    /// Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp
    #[arg(long, value_name = "URL", conflicts_with = "stdio", value_hint = clap::ValueHint::Url)]
    pub(crate) server: Option<String>,
    /// Talk to an MCP server that this command line starts, on its stdin and stdout
    #[arg(long, value_name = "COMMAND", value_hint = clap::ValueHint::CommandString)]
    pub(crate) stdio: Option<String>,
    /// Send this header with each request; may be given several times
    #[arg(long, value_name = "NAME: VALUE", requires = "server")]
    header: Vec<String>,
    /// Send this bearer token [env: MCPTASK_TOKEN]
    ///
    /// Prefer the variable: other users of the machine can read command lines.
    #[arg(long, value_name = "TOKEN", requires = "server")]
    token: Option<String>,
    /// Speak this era of the protocol
    #[arg(long, value_enum, value_name = "ERA", default_value_t)]
    era: EraChoice,
}

/// `--era`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum EraChoice {
    /// Whatever the server speaks.
    #[default]
    Auto,
    /// Up to 2025-11-25: sessions, tasks/result.
    Legacy,
    /// 2026-07-28: stateless, tasks as an extension.
    Modern,
}

impl RemoteArgs {
    /// The server that was named, if one was.
    pub(crate) fn target(&self, context: &Context) -> Result<Option<Target>, Failure> {
        let flags = [("--server", &self.server), ("--stdio", &self.stdio)];
        let named = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]));
        let named: Vec<String> = named.flatten().collect();
        if !named.is_empty() {
            // Secrets are left out: they are in the environment, or have to be given again.
            context.goes_through(Reach::server(named));
        }
        if let Some(command) = &self.stdio {
            return Ok(Some(Target::stdio(command)?));
        }
        let Some(given) = &self.server else { return Ok(None) };
        let mut target = Target::http(given)?;
        if let Target::Http { headers, token, .. } = &mut target {
            *headers = self.header.iter().map(|header| split_header(header)).collect::<Result<_, _>>()?;
            *token = self.token.clone().or_else(|| context.environment.given(TOKEN).map(str::to_owned));
        }
        Ok(Some(target))
    }

    /// Connects to `target`.
    pub(crate) async fn connect(
        &self,
        target: &Target,
        answering: Option<Arc<dyn client::Answering>>,
    ) -> Result<Client, Failure> {
        let era = match self.era {
            EraChoice::Auto => Era::Auto,
            EraChoice::Legacy => Era::Legacy,
            EraChoice::Modern => Era::Modern,
        };
        Ok(Client::connect(target, era, answering).await?)
    }
}

fn split_header(header: &str) -> Result<(String, String), Failure> {
    let (name, value) = header.split_once(':').ok_or_else(|| {
        // The value may be a secret even where the form is wrong.
        Failure::usage("--header is not 'NAME: VALUE'").hint("for example --header 'X-Team: kitchen'")
    })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Brings a server's questions to whoever answers here, and keeps why it was left open.
pub(crate) struct RemoteAnswering {
    answering: Answering,
    /// Whether what is left open can be answered by a command.
    answered_later: AtomicBool,
    /// Whether the task's id is on the screen: its first question can be here before it.
    announced: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Vec<(Option<String>, String)>,
    failure: Option<Failure>,
}

impl RemoteAnswering {
    /// `answered_later` says whether a command can answer what is left open.
    pub(crate) fn new(answering: Answering, answered_later: bool) -> Arc<Self> {
        let answered_later = AtomicBool::new(answered_later);
        Arc::new(Self {
            answering,
            answered_later,
            announced: watch::Sender::new(false),
            state: Mutex::default(),
        })
    }

    /// The task was announced: its questions may be asked.
    pub(crate) fn announced(&self) {
        self.announced.send_replace(true);
    }

    /// A task's question waits for what is said of the task before; a call without a task is never announced.
    async fn await_announcement(&self, question: &AskedQuestion) {
        if question.task.is_some() {
            let mut announced = self.announced.subscribe();
            let _ = tokio::time::timeout(ANNOUNCED, announced.wait_for(|announced| *announced)).await;
        }
    }

    /// What was found at the other end: a legacy server shows its questions only to the client that submitted the task.
    pub(crate) fn speaks_to(&self, era: Era) {
        if era == Era::Legacy {
            self.answered_later.store(false, Ordering::Release);
        }
    }

    fn is_answered_later(&self) -> bool {
        self.answered_later.load(Ordering::Acquire)
    }

    /// Why a question was left open, if one was.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failure.take()
    }

    /// Warns of what in the file of answers has answered nothing.
    pub(crate) fn tell_surplus(&self) {
        self.answering.tell_surplus();
    }

    /// The command that answers it later; only a task's questions outlive the connection.
    fn later(&self, question: &AskedQuestion) -> Option<Suggested> {
        let task = question.task.as_deref().filter(|_| self.is_answered_later())?;
        let respond = values::accepting(Suggested::new("respond").about(task), &question.ask);
        Some(respond.question(question.key.as_str()))
    }

    /// Which question of this connection it is, from 1; the same when it is asked again.
    fn position(&self, question: &AskedQuestion) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (question.task.clone(), question.key.clone());
        if let Some(known) = state.asked.iter().position(|one| *one == name) {
            return known + 1;
        }
        state.asked.push(name);
        state.asked.len()
    }
}

#[async_trait]
impl client::Answering for RemoteAnswering {
    async fn answer(&self, question: &AskedQuestion) -> Option<Answer> {
        let task = question.task.as_deref().map(|task| format!(", task {}", event::short(task)));
        let asked = Asked {
            who: format!("{}{}", question.server, task.unwrap_or_default()),
            ask: question.ask.clone(),
            asked_at: None,
            deadline: None,
            refused: question.refused.clone(),
            later: self.later(question),
        };
        self.await_announcement(question).await;
        match self.answering.decide(&asked, self.position(question)).await {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.state.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(failure);
                None
            }
        }
    }
}

/// Follows a verb's error back to what the person here decided.
pub(crate) fn explained(error: ClientError, answering: &RemoteAnswering) -> Failure {
    match error {
        ClientError::LeftOpen { .. } => answering.failure().unwrap_or_else(|| error.into()),
        ClientError::NeedsInput { task: Some(ref task), .. } => {
            let respond = Suggested::new("respond").about(task.as_str());
            let later = answering.is_answered_later().then(|| Advice::with("answer it with", respond));
            Failure::from(error).maybe_hint(later)
        }
        other => other.into(),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match &error {
            ClientError::Target { .. } => Self::usage(message),
            ClientError::Unreachable { .. } => Self::new(Kind::Unreachable, message)
                .hint("is the server running? `mcptask serve` prints its URL"),
            ClientError::Timeout { .. } => Self::new(Kind::Unreachable, message)
                .hint("a legacy server that stays silent is reached faster with --era legacy"),
            ClientError::Answers { problem, .. } if problem.contains("HTTP 404") => {
                Self::new(Kind::Unreachable, message).hint("look at the URL: its path is often /mcp")
            }
            ClientError::Answers { .. } => Self::new(Kind::Unreachable, message),
            ClientError::Insecure { .. } => Self::new(Kind::Unreachable, message).hint(
                "the server's certificate must be valid for its name and trusted on this machine; where it speaks \
                 no TLS, the URL begins with http://",
            ),
            ClientError::Forbidden { .. } => Self::new(Kind::Unauthorised, message).hint(
                "the token lacks the right, or the server does not take requests for this host: `mcptask serve` has \
                 --allowed-host",
            ),
            ClientError::Unauthorised { .. } => {
                Self::new(Kind::Unauthorised, message).hint("set MCPTASK_TOKEN, or give --token")
            }
            ClientError::UnknownTool { .. } => Self::new(Kind::NotFound, message)
                .hint(Advice::command(Suggested::new("tools"), "shows the tools")),
            ClientError::NoTask { .. } => Self::new(Kind::NotFound, message)
                .hint("the whole id is needed through a server; another client's tasks are not shown"),
            ClientError::NeedsInput { .. } | ClientError::LeftOpen { .. } => {
                Self::new(Kind::NeedsInput, message)
            }
            ClientError::AnswerRefused { .. } => Self::usage(message).hint("the question is still open"),
            ClientError::Refused { error, .. } if error.code == -32602 => Self::usage(message),
            _ => Self::new(Kind::Unexpected, message),
        }
    }
}

/// Says which server and era were found, for those who asked for more.
pub(crate) fn introduce(ui: &Ui, client: &Client) {
    ui.detail(&format!("connected to {}, era {:?}", super::ui::text::line(&client.server()), client.era()));
}
