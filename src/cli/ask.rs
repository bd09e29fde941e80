//! `ask`: asks the task's user from inside a command.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::answering;
use super::ask_kind::KindArgs;
use super::config;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::question::{Asked, Reply};
use super::ui::{Ui, question, text};
use crate::ask::client::{AskError, Connection};
use crate::ask::protocol::{AskRequest, PLAIN_FIELD, RefusalCode};
use crate::form::{self, unaskable};
use crate::task::{Action, Answer, Answerer, OnTimeout, joined};

/// `--confirm` was answered with no.
const NO: u8 = 1;
/// The user declined to answer.
pub(super) const DECLINED: u8 = 11;

const AFTERWORD: &str = "\
Exit codes of ask:
    0  answered; --confirm: yes
    1  --confirm: no
    2  the question is malformed, or this is no task
    4  the worker cannot be reached
    7  nobody answered in time
    8  the user dismissed the question, or the task was cancelled
   10  another question of the task is open
   11  the user declined

In a script:
  if mcptask ask --confirm \"Deploy?\"; then ./deploy; else echo \"not deployed\"; fi
  environment=$(mcptask ask \"Which environment?\" --choose staging,prod) || exit 1";

/// Ask the user of this task, from inside a command that a worker runs
///
/// Prints the answer and exits with 0. A list is printed one entry a line, a --schema form as JSON; --confirm
/// and --url print nothing and answer by the exit code. With --json, prints the whole answer. --timeout is
/// how long the question waits.
///
/// Ask one question after the other: a command that is run again after a crash gets the answers that it
/// already had, in the order it asked.
#[derive(Debug, Args)]
#[command(after_long_help = AFTERWORD)]
pub(crate) struct AskArgs {
    /// What the user reads
    #[arg(value_name = "QUESTION")]
    message: String,
    #[command(flatten)]
    kind: KindArgs,
    /// What is filled in at first
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["url", "schema"])]
    default: Option<String>,
    /// The name of the field, or of the --schema form
    #[arg(long, value_name = "TEXT", conflicts_with = "url")]
    title: Option<String>,
    /// What the question answers when nobody did in time
    #[arg(long, value_name = "WHAT", value_parser = OnTimeout::ALL.map(|(name, _)| name))]
    on_timeout: Option<String>,
    /// Tell people once more when the question has waited that long, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = config::some_time)]
    remind_after: Option<Duration>,
    /// Ask at this terminal, to try a script by hand
    #[arg(long)]
    pub(super) local: bool,
}

impl AskArgs {
    fn request(&self, timeout: Option<Duration>) -> Result<AskRequest, Failure> {
        let (message, title) = (self.message.clone(), self.title.clone());
        let timeout = timeout.map(|timeout| timeout.as_secs_f64());
        let on_timeout = self.on_timeout.clone();
        let remind_after = self.remind_after.map(|after| after.as_secs_f64());
        let plain = AskRequest { message, timeout, on_timeout, remind_after, ..AskRequest::default() };
        if let Some(url) = &self.kind.url {
            return Ok(AskRequest { url: Some(url.clone()), ..plain });
        }
        if let Some(file) = &self.kind.schema {
            return Ok(AskRequest { schema: Some(super::ask_kind::read_schema(file)?), title, ..plain });
        }
        let schema = self.kind.form(title.as_deref(), self.default.as_deref())?;
        Ok(AskRequest { schema: Some(schema), ..plain })
    }
}

/// Asks the worker of this command. Needs no runtime, so that a script may ask often.
pub(crate) fn run(ui: &Ui, timeout: Option<Duration>, args: &AskArgs) -> Result<ExitCode, Failure> {
    let request = args.request(timeout)?;
    let answer = Connection::from_environment()?.ask(request)?;
    told(ui, args, &answer)
}

/// Asks at the terminal in place of the task's user.
pub(crate) async fn run_local(context: &Context, args: &AskArgs) -> Result<ExitCode, Failure> {
    let ask = args.request(None)?.into_ask().map_err(AskError::from)?;
    let violations = unaskable(&ask);
    if !violations.is_empty() {
        return Err(Failure::usage(format!("the question is malformed: {}", joined(&violations))));
    }
    let who = "this script".to_owned();
    let asked = Asked::new(who, ask);
    let answer = if context.ui.may_prompt() {
        match question::ask(&context.ui, &asked).await? {
            Reply::Answer(answer) => answer,
            Reply::LeftOpen | Reply::Closed => Answer::new(Action::Cancel, Answerer::Operator),
        }
    } else {
        // Fails, and says why nobody can be asked.
        answering::ask(context, &asked).await?
    };
    told(&context.ui, args, &answer.given_by(context.config.answerer.clone()))
}

/// Prints the answer as a script wants it.
fn told(ui: &Ui, args: &AskArgs, answer: &Answer) -> Result<ExitCode, Failure> {
    if ui.is_json() {
        ui.object(answer)?;
    }
    let in_time = answer.by != Answerer::Timeout;
    match answer.action {
        Action::Accept => {
            if !in_time {
                ui.talk("nobody answered in time: the default is taken");
            }
            accepted(ui, args, answer)
        }
        Action::Decline => {
            let declined = "nobody answered in time, which declines it";
            ui.talk(if in_time { "the user declined to answer" } else { declined });
            Ok(ExitCode::from(DECLINED))
        }
        Action::Cancel => {
            let (kind, reason) = match (answer.by, answer.reason.as_deref()) {
                (Answerer::Timeout, _) => (Kind::TimedOut, "nobody answered in time"),
                (_, reason) => (Kind::Cancelled, reason.unwrap_or("the user dismissed it")),
            };
            ui.talk(&format!("the question has no answer: {}", text::sentence(reason)));
            Ok(ExitCode::from(kind.exit_code()))
        }
    }
}

fn accepted(ui: &Ui, args: &AskArgs, answer: &Answer) -> Result<ExitCode, Failure> {
    let content = answer.content.clone().unwrap_or_default();
    let value = content.get(PLAIN_FIELD);
    if args.kind.confirm {
        let yes = value == Some(&Value::Bool(true));
        return Ok(if yes { ExitCode::SUCCESS } else { ExitCode::from(NO) });
    }
    if ui.is_json() || args.kind.url.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    if args.kind.schema.is_some() {
        ui.line(&Value::Object(content).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    match value {
        Some(Value::Array(items)) => items.iter().try_for_each(|item| print(ui, item))?,
        Some(value) => print(ui, value)?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A script gets the value as it is; a person at a terminal sees no control characters.
fn print(ui: &Ui, value: &Value) -> Result<(), Failure> {
    let shown = form::shown(value);
    ui.line(&if ui.out_is_terminal() { text::line(&shown) } else { shown })
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let kind = match &error {
            AskError::Outside => Kind::Usage,
            AskError::Unreachable { .. } | AskError::Closed | AskError::Unreadable(_) => Kind::Unreachable,
            AskError::Refused(refusal) => match refusal.code {
                RefusalCode::BadRequest | RefusalCode::BadQuestion => Kind::Usage,
                RefusalCode::Busy => Kind::NothingChanged,
                RefusalCode::Cancelled | RefusalCode::Stopping => Kind::Cancelled,
                RefusalCode::Failed | RefusalCode::Unknown => Kind::TaskFailed,
            },
        };
        let outside = matches!(error, AskError::Outside);
        let hint = outside.then(|| "to try a script by hand, give --local: it asks at the terminal".into());
        Self::new(kind, error.to_string()).maybe_hint(hint)
    }
}
