//! Commands that go through MCP: which server, and what its failures mean here.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::config::{ServerChoice, shown_server};
use super::context::Context;
use super::environment::TOKEN;
use super::failure::Failure;
use super::named_server;
use super::remote_answering::{self, RemoteAnswering};
use super::ui::Ui;
use crate::client::{self, Client, ClientError, Era, Target};
use crate::desk::suggest::Reach;
use crate::desk::word::Word;

/// Options of commands that can go through MCP instead of straight to the store.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Through an MCP server")]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct RemoteArgs {
    /// Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`
    ///
    /// A name is looked up where MCP hosts keep their servers, nearest first: Claude Code (~/.claude.json for this folder,
    /// .mcp.json), Cursor (.cursor/mcp.json) and VS Code (.vscode/mcp.json) from this folder up to the root of its
    /// repository; then the user's ~/.claude.json, ~/.cursor/mcp.json, and the files of Claude Desktop and VS Code. A
    /// server with a command is started, as by --stdio.
    #[arg(long, value_name = "URL|NAME", conflicts_with = "stdio", value_hint = clap::ValueHint::Url)]
    pub(crate) server: Option<String>,
    /// Talk to an MCP server that this command line starts, on its stdin and stdout
    #[arg(long, value_name = "COMMAND", value_hint = clap::ValueHint::CommandString)]
    pub(crate) stdio: Option<String>,
    /// Send this header with each request; may be given several times
    #[arg(long, value_name = "NAME: VALUE", requires = "server", conflicts_with = "stdio")]
    header: Vec<String>,
    /// Send this bearer token [env: MCPTASK_TOKEN]
    ///
    /// Prefer the variable: other users of the machine can read command lines.
    #[arg(long, value_name = "TOKEN", requires = "server", conflicts_with = "stdio")]
    token: Option<String>,
    /// Speak this era of the protocol
    #[arg(long, value_enum, value_name = "ERA", default_value_t)]
    era: EraChoice,
}

/// Stands for a header's value in suggested commands.
const VALUE: &str = "VALUE";

/// Stands for a token in suggested commands.
const UNKNOWN_TOKEN: &str = "TOKEN";

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
    /// Those that name a server and nothing else.
    pub(crate) fn of_server(server: &str) -> Self {
        Self { server: Some(server.to_owned()), ..Self::default() }
    }

    /// The server that was named, if one was.
    pub(crate) fn target(&self, context: &Context) -> Result<Option<Target>, Failure> {
        let named = self.named(context.environment.given(TOKEN));
        if !named.is_empty() {
            context.goes_through(Reach::server(named));
        }
        for (flag, value) in [("--server", &self.server), ("--stdio", &self.stdio), ("--token", &self.token)]
        {
            if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
                return Err(Failure::usage(format!("{flag} is empty: in a script, is a variable unset?")));
            }
        }
        if self.token.as_ref().is_some_and(|token| token.trim() == UNKNOWN_TOKEN) {
            return Err(Failure::usage(format!("--token has {UNKNOWN_TOKEN} in place of the token"))
                .hint(format!("put it into {TOKEN}, and leave --token out")));
        }
        if let Some(command) = &self.stdio {
            return Ok(Some(Target::stdio(command)?));
        }
        let of_profile = context.config.server.as_ref().filter(|_| self.server.is_none());
        if let Some(choice) = of_profile {
            reached_by_profile(context, choice, self.named_era())?;
        }
        let named = self.server.as_deref().or(of_profile.map(|choice| choice.server.as_str()));
        let Some(given) = named else { return self.without_server() };
        let mut target = match named_server(context, given)? {
            Some(target) => target,
            None => Target::http(given)?,
        };
        let given_headers = self.header.iter().map(|header| split_header(header));
        let given_headers: Vec<_> = given_headers.collect::<Result<_, _>>()?;
        match &mut target {
            Target::Http { headers, token, .. } => {
                *headers = merged(std::mem::take(headers), given_headers);
                // A variable is for servers of which nothing more is said.
                *token = self.token(context, of_profile)?;
                *token = token.take().filter(|_| self.token.is_some() || !is_authorised(headers));
                if token.is_some() {
                    headers.retain(|(name, _)| !is_authorisation(name));
                }
            }
            Target::Stdio { .. } if self.token.is_some() || !self.header.is_empty() => {
                let problem = format!("{given:?} is a program: it takes neither --token nor --header");
                return Err(Failure::usage(problem));
            }
            Target::Stdio { .. } => {}
        }
        Ok(Some(target))
    }

    /// No server is meant. A profile may have named one, so the command line alone cannot tell.
    fn without_server(&self) -> Result<Option<Target>, Failure> {
        match self.era {
            EraChoice::Auto => Ok(None),
            EraChoice::Legacy | EraChoice::Modern => {
                Err(Failure::usage("--era has no effect without a server: a store has no eras")
                    .hint("give --server URL or --stdio COMMAND, or leave --era out"))
            }
        }
    }

    fn named_era(&self) -> Option<Word> {
        match self.era {
            EraChoice::Auto => None,
            EraChoice::Legacy => Some("legacy".into()),
            EraChoice::Modern => Some("modern".into()),
        }
    }

    /// The token that was given; a variable that was read from a file ends with the file's last line end.
    fn token(&self, context: &Context, profile: Option<&ServerChoice>) -> Result<Option<String>, Failure> {
        let given = self.token.as_deref().or_else(|| context.environment.given(TOKEN)).map(str::trim);
        match given.filter(|token| !token.is_empty()) {
            Some(token) => Ok(Some(token.to_owned())),
            None => profile.and_then(|choice| choice.token_file.as_deref()).map(token_in).transpose(),
        }
    }

    /// The options with which a suggested command reaches the same server. Secrets are named, or have to be filled in.
    /// The variable with the token is only named where it holds this very one: another one's tasks would be acted on.
    fn named(&self, variable: Option<&str>) -> Vec<Word> {
        let server = self.server.as_ref().map(|url| match Target::http(url) {
            Ok(target) if has_secret(&target) => "URL".into(),
            _ => url.as_str().into(),
        });
        let stdio = self.stdio.as_deref().map(Word::from);
        let token = self.token.as_deref().map(|token| {
            let is_held = variable.is_some_and(|held| held.trim() == token.trim());
            if is_held { Word::Variable(TOKEN) } else { UNKNOWN_TOKEN.into() }
        });
        let era = self.named_era();
        let is_named = server.is_some() || stdio.is_some();
        let headers = self.header.iter().map(|header| {
            let name = header.split(':').next().unwrap_or_default();
            Some(["--header".into(), Word::Text(format!("{name}: {VALUE}"))])
        });
        let one = |(flag, value): (&str, Option<Word>)| Some([flag.into(), value?]);
        let first = [("--server", server), ("--stdio", stdio), ("--token", token)].map(one);
        let last = is_named.then_some(("--era", era)).and_then(one);
        first.into_iter().chain(headers).chain([last]).flatten().flatten().collect()
    }

    /// Whether the line names a server.
    pub(crate) fn names_a_server(&self) -> bool {
        self.server.is_some() || self.stdio.is_some()
    }

    /// The server that the line names, without secrets.
    pub(crate) fn shown(&self) -> Option<String> {
        self.server.as_deref().map(shown_server).or_else(|| self.stdio.as_deref().map(client::shown))
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

/// A profile's server: suggested commands reach it by the profile.
fn reached_by_profile(context: &Context, choice: &ServerChoice, era: Option<Word>) -> Result<(), Failure> {
    if context.config.docket.is_some() {
        let problem = "--docket has no effect: the profile names a server, and a docket is in a Redis";
        return Err(Failure::usage(problem).hint("give --redis URL, or another profile"));
    }
    let words =
        context.config.profile_flag.iter().flat_map(|name| ["--profile".into(), name.as_str().into()]);
    let era = era.into_iter().flat_map(|era| ["--era".into(), era]);
    context.goes_through(Reach::server(words.chain(era).collect()));
    context.ui.detail(&format!("the profile's server is {}", super::ui::text::line(&context.config.place())));
    if choice.server.trim().is_empty() {
        Err(Failure::usage("the profile's server is empty"))
    } else {
        Ok(())
    }
}

/// The token in a profile's file. Nothing of it is said where it cannot be used.
fn token_in(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| super::token_file::unreadable(file, error))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = format!("{} is no file of one token, alone on its line", file.display());
        return Err(Failure::usage(problem).hint("it is what `token_file` of the profile names"));
    }
    Ok(token.to_owned())
}

/// The server that a host's file has under that name.
fn named_server(context: &Context, given: &str) -> Result<Option<Target>, Failure> {
    if given.contains("://") {
        return Ok(None);
    }
    let folder = std::env::current_dir().unwrap_or_default();
    if let Some(named) = named_server::find(given, &context.environment, &folder)? {
        let file = named.file.display();
        context.ui.detail(&format!("{} is {} of {file}", super::ui::text::line(given), named.target));
        return Ok(Some(named.target));
    }
    // A word alone is no address.
    let is_address = given.contains(['.', ':', '/']) || given == "localhost";
    if is_address { Ok(None) } else { Err(named_server::unknown(given, &context.environment, &folder)) }
}

/// The headers that a file has, and those that were given in their place or beside them.
fn merged(file: Vec<(String, String)>, given: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_given = |name: &str| given.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let kept: Vec<_> = file.into_iter().filter(|(name, _)| !is_given(name)).collect();
    kept.into_iter().chain(given).collect()
}

fn is_authorised(headers: &[(String, String)]) -> bool {
    headers.iter().any(|(name, _)| is_authorisation(name))
}

fn is_authorisation(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

fn split_header(header: &str) -> Result<(String, String), Failure> {
    let (name, value) = header.split_once(':').ok_or_else(|| {
        // The value may be a secret even where the form is wrong.
        Failure::usage("--header is not 'NAME: VALUE'").hint("for example --header 'X-Team: kitchen'")
    })?;
    if value.trim() == VALUE {
        return Err(Failure::usage(format!("--header {:?} has {VALUE} in place of its value", name.trim())));
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Whether its URL has what may be a secret: a password, or a query.
fn has_secret(target: &Target) -> bool {
    let Target::Http { url, .. } = target else { return false };
    !url.username().is_empty() || url.password().is_some() || url.query().is_some()
}

/// Follows a verb's error back to what the person here decided.
pub(crate) fn explained(error: ClientError, answering: &RemoteAnswering) -> Failure {
    match error {
        ClientError::LeftOpen { .. } => answering.failure().unwrap_or_else(|| error.into()),
        ClientError::NeedsInput { question: Some(question), .. } => answering.asks_nobody(&question),
        // It is seen only that the task asks.
        ClientError::NeedsInput { server, task: Some(task), message, .. } => {
            remote_answering::nobody_answers(&server, &task, &message)
        }
        other => other.into(),
    }
}

/// Says which server and era were found, for those who asked for more.
pub(crate) fn introduce(ui: &Ui, client: &Client) {
    ui.detail(&format!("connected to {}, era {:?}", super::ui::text::line(&client.server()), client.era()));
}
