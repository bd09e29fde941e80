//! What `respond` is told: which question, and the answer to it.

use clap::Args;
use serde_json::{Map, Value};

use super::context::Context;
use super::failure::Failure;
use super::remote::RemoteArgs;
use super::rules::RulesArgs;
use super::ui::page;
use super::{arguments, complete_names, who};
use crate::desk::suggest::Suggested;
use crate::form::{self, Field, Form};
use crate::task::{Action, Answer, Answerer, Ask, AskKind, SessionId, Who, joined};

/// Answer an open question: at a prompt, or with the options below
///
/// Without a task, opens the inbox where several questions wait; a script names the task, or gives --next. Whoever
/// answers first has answered: a second answer changes nothing (exit 10). Esc and Ctrl-C leave the question open.
///
/// With --all, every open question of the tasks that match gets the answer that the options give, checked against its own
/// form: exit 0 when all were answered, 2 where some were refused, 10 where there was nothing to answer. A page is accepted
/// only by --accept, and named.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
#[command(after_long_help = form::FORMAT)]
#[command(group(clap::ArgGroup::new("many").args(["all", "rules"]).multiple(false)))]
#[command(group(clap::ArgGroup::new("aimed").args(["task", "rules"]).multiple(true)))]
#[command(group(clap::ArgGroup::new("among").args(["tool", "session"]).multiple(true)))]
#[command(group(clap::ArgGroup::new("reply").args(["content", "decline", "cancel"]).multiple(false)))]
pub(crate) struct RespondArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::waiting_tasks())]
    pub(super) task: Option<String>,
    /// Answer the question that has waited longest, whichever task it is of
    #[arg(long, conflicts_with_all = ["task", "question", "wait", "direct"])]
    pub(super) next: bool,
    /// Answer every open question of the tasks of a tool, of a session, or of both, each as its own form wants it
    #[arg(long, conflicts_with_all = ["task", "next", "question", "wait", "direct"], requires = "among")]
    pub(super) all: bool,
    // Clap takes no `requires` seriously whose argument another one rules out: so that nobody answers strangers' questions,
    // each of those is named.
    /// With --all: of this tool's tasks
    #[arg(long, value_name = "TOOL", requires = "all", conflicts_with_all = ["task", "next", "rules"])]
    #[arg(value_parser = super::bulk::tool, add = super::complete::tools())]
    pub(super) tool: Option<String>,
    /// With --all: of this session's tasks
    #[arg(long, value_name = "SESSION", requires = "all", conflicts_with_all = ["task", "next", "rules"])]
    #[arg(add = super::complete::sessions())]
    pub(super) session: Option<SessionId>,
    /// With --all or --rules: show what would be sent to whom, and send nothing
    #[arg(long, requires = "many")]
    pub(super) dry_run: bool,
    /// Answer this question of the task, for example q2; else the first open one
    #[arg(long, value_name = "QUESTION", requires = "task", allow_hyphen_values = true, add = complete_names::questions())]
    pub(super) question: Option<String>,
    /// Wait until the task asks; --timeout bounds it
    #[arg(long, requires = "task")]
    pub(super) wait: bool,
    /// Accept; what is not --set has the form's default
    #[arg(long, conflicts_with_all = ["decline", "cancel"])]
    pub(super) accept: bool,
    /// Set a field of the form, read as its kind says; lists are separated by commas. Means --accept
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "reply", add = complete_names::fields())]
    set: Vec<String>,
    /// Accept with exactly this JSON object: itself, @FILE, or - for stdin
    #[arg(long, value_name = "JSON")]
    content: Option<String>,
    /// Say no
    #[arg(long)]
    decline: bool,
    /// Dismiss the question without deciding
    #[arg(long)]
    cancel: bool,
    /// Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]
    #[arg(long = "as", value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Note something beside the answer, such as a ticket or a reason; the task's log keeps it
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// Answer a FastMCP 4 task straight in its Redis, round its server's authorisation
    #[arg(long, requires = "aimed", conflicts_with = "server")]
    pub(super) direct: bool,
    #[command(flatten)]
    pub(super) rules: RulesArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

impl RespondArgs {
    /// Whether the options give an answer.
    pub(super) fn has_answer(&self) -> bool {
        self.accept || self.decline || self.cancel || self.content.is_some() || !self.set.is_empty()
    }

    /// Who answers, as far as anybody says.
    pub(super) fn who(&self, context: &Context) -> Result<Who, Failure> {
        who::given(context, self.name.as_deref(), self.note.as_deref())
    }

    /// The object that --content names, read once.
    pub(super) fn content(&self) -> Result<Option<Map<String, Value>>, Failure> {
        self.content.as_deref().map(|content| arguments::object("--content", content)).transpose()
    }

    /// The options that give the answer and say who gives it, for a command that gives it once more. What a secret of those
    /// questions was set to is left out, for whoever pastes it to fill in.
    pub(super) fn repeated(&self, asks: &[Ask]) -> Suggested {
        let forms: Vec<Form> = asks.iter().filter_map(form_of).collect();
        let secret = |name: &str| {
            let fields = forms.iter().filter_map(|form| form.field(name));
            fields.filter(|field| field.is_secret).find_map(Field::stands_for)
        };
        let set = |set: &String| match set.split_once('=').and_then(|(name, _)| Some((name, secret(name)?))) {
            Some((name, place)) => format!("{name}={place}"),
            None => set.clone(),
        };
        let content = self.content.as_ref().map(|content| {
            let object: Map<String, Value> = serde_json::from_str(content).unwrap_or_default();
            if object.keys().any(|name| secret(name).is_some()) { "JSON".to_owned() } else { content.clone() }
        });
        let flags = [("--accept", self.accept), ("--decline", self.decline), ("--cancel", self.cancel)];
        let sets = self.set.iter().map(|one| ("--set", set(one)));
        let others = [("--content", content), ("--as", self.name.clone()), ("--note", self.note.clone())];
        let others = others.into_iter().filter_map(|(option, value)| Some((option, value?)));
        let flag = |command: Suggested, (name, is_given)| if is_given { command.flag(name) } else { command };
        let respond = flags.into_iter().fold(Suggested::new("respond"), flag);
        sets.chain(others).fold(respond, |command, (option, value)| command.option(option, value))
    }

    /// The answer that the options give, where `content` is what --content has; `None` where a person shall be asked.
    pub(super) fn given(
        &self,
        ask: &Ask,
        content: Option<Map<String, Value>>,
    ) -> Result<Option<Answer>, Failure> {
        let plain = |action| Ok(Some(Answer::new(action, Answerer::Operator)));
        if self.decline {
            return plain(Action::Decline);
        }
        if self.cancel {
            return plain(Action::Cancel);
        }
        let content = match (content, &ask.kind) {
            // Who answers forms has not said that a page may be visited.
            (Some(content), AskKind::Url { .. }) if self.accept && content.is_empty() => {
                return plain(Action::Accept);
            }
            (Some(_), AskKind::Url { url }) => {
                let page = page::within(url);
                let problem = format!("the question asks to visit {page}, which only --accept accepts");
                return Err(Failure::usage(problem));
            }
            (Some(content), _) => content,
            (None, _) if !self.accept && self.set.is_empty() => return Ok(None),
            (None, AskKind::Url { .. }) if self.set.is_empty() => return plain(Action::Accept),
            (None, AskKind::Url { .. }) => {
                return Err(Failure::usage("the question asks to visit a page and has no fields to --set"));
            }
            (None, AskKind::Form { schema }) => {
                let form = Form::parse(schema).map_err(|violations| {
                    Failure::usage(format!("the question's form cannot be read: {}", joined(&violations)))
                        .hint("answer with --content JSON")
                })?;
                arguments::for_form(&form, &self.set)?
            }
        };
        Ok(Some(Answer::accept(content, Answerer::Operator)))
    }
}

fn form_of(ask: &Ask) -> Option<Form> {
    match &ask.kind {
        AskKind::Form { schema } => Form::parse(schema).ok(),
        AskKind::Url { .. } => None,
    }
}
