//! Commands that go through MCP: which server, and what its failures mean here.

use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::environment::TOKEN;
use super::failure::{Failure, Kind};
use super::remote_answering::RemoteAnswering;
use super::ui::Ui;
use crate::client::{self, Client, ClientError, Era, Target};
use crate::desk::suggest::{Advice, Reach, Suggested};

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
        Ok(Client::connect(target, self.era(), answering).await?)
    }

    /// The era that was chosen.
    pub(crate) fn era(&self) -> Era {
        match self.era {
            EraChoice::Auto => Era::Auto,
            EraChoice::Legacy => Era::Legacy,
            EraChoice::Modern => Era::Modern,
        }
    }
}

fn split_header(header: &str) -> Result<(String, String), Failure> {
    let (name, value) = header.split_once(':').ok_or_else(|| {
        // The value may be a secret even where the form is wrong.
        Failure::usage("--header is not 'NAME: VALUE'").hint("for example --header 'X-Team: kitchen'")
    })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Follows a verb's error back to what the person here decided.
pub(crate) fn explained(error: ClientError, answering: Option<&RemoteAnswering>) -> Failure {
    let Some(answering) = answering else { return error.into() };
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
            ClientError::Refused { .. } if error.is_passing() => Self::new(Kind::Unreachable, message),
            ClientError::Unreachable { .. } => Self::new(Kind::Unreachable, message)
                .hint("is the server running? `mcptask serve` prints its URL"),
            ClientError::Timeout { .. } => Self::new(Kind::Unreachable, message)
                .hint("a legacy server that stays silent is reached faster with --era legacy"),
            ClientError::Answers { problem, .. } if problem.contains("HTTP 404") => {
                Self::new(Kind::Unreachable, message).hint("look at the URL: its path is often /mcp")
            }
            ClientError::Answers { .. } | ClientError::SessionEnded { .. } => {
                Self::new(Kind::Unreachable, message)
            }
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
