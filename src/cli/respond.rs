//! `respond`: answers an open question.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::rules::{self, RulesArgs};
use super::ui::question::{self, Reply};
use super::ui::{event, page, text};
use super::{arguments, complete_names, config, places, waiting};
use crate::desk::answer::{Delivered, Receipt, Sending};
use crate::desk::asked::{Asked, OpenQuestion};
use crate::desk::place::Found;
use crate::desk::places::Places;
use crate::desk::values;
use crate::fastmcp::Way;
use crate::form::{self, Form};
use crate::store::{StoreError, gate};
use crate::task::{Action, Answer, Answerer, Ask, AskKind, Who, joined};

/// Answer an open question: at a prompt, or with the options below
///
/// Without a task, asks at the terminal which question is meant; a script names the task, or gives --next. Whoever
/// answers first has answered: a second answer changes nothing (exit 10). Esc and Ctrl-C leave the question open.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
#[command(after_long_help = form::FORMAT)]
#[command(group(clap::ArgGroup::new("reply").args(["content", "decline", "cancel"]).multiple(false)))]
pub(crate) struct RespondArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::waiting_tasks())]
    task: Option<String>,
    /// Answer the question that has waited longest, whichever task it is of
    #[arg(long, conflicts_with_all = ["task", "question", "wait", "direct"])]
    next: bool,
    /// Answer this question of the task, for example q2; else the first open one
    #[arg(long, value_name = "QUESTION", requires = "task", allow_hyphen_values = true, add = complete_names::questions())]
    question: Option<String>,
    /// Wait until the task asks; --timeout bounds it
    #[arg(long, requires = "task")]
    wait: bool,
    /// Accept; what is not --set has the form's default
    #[arg(long, conflicts_with_all = ["decline", "cancel"])]
    accept: bool,
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
    name: Option<String>,
    /// Note something beside the answer, such as a ticket or a reason; the task's log keeps it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Answer a FastMCP 4 task straight in its Redis, round its server's authorisation
    #[arg(long, requires = "task", conflicts_with = "server")]
    direct: bool,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: RespondArgs) -> Result<(), Failure> {
    if args.rules.file().is_some() {
        return rules::run(context, &args.rules, &args.remote).await;
    }
    let who = args.who(context)?;
    context.before_changing(&args.remote).await?;
    if context.ui.may_prompt() && !args.has_answer() {
        // A store that goes away while somebody fills in the form is waited for; one that is not there is told at once.
        context.rides_out_outages();
    }
    places::at(context, &args.remote, args.wait, async |places| respond(context, places, &args, who).await)
        .await
}

async fn respond(context: &Context, places: &Places, args: &RespondArgs, who: Who) -> Result<(), Failure> {
    let (mut found, wanted) = if let Some(prefix) = &args.task {
        (places::find(context, places, prefix, args.wait).await?, args.question.clone())
    } else {
        let waiting = waiting::chosen(context, places, args.next, args.has_answer()).await?;
        (waiting.found, Some(waiting.question.id))
    };
    if args.direct && matches!(found, Found::Store(..)) {
        let problem = "--direct is for FastMCP 4's tasks: one of our own is always answered in its store";
        return Err(Failure::usage(problem).hint("leave --direct out"));
    }
    if wanted.as_deref() == Some("") && !found.calls_a_question_nothing() {
        return Err(Failure::usage("the question's id is empty: in a script, is a variable unset?"));
    }
    if args.wait {
        places::tell_unoffered(context, &found).await;
        found = found.until_asked(wanted.as_deref()).await?;
    }
    let way = if args.direct { Way::Direct } else { Way::Supported };
    context.concerns(found.id(), wanted.as_deref());
    let question = found.question(wanted.as_deref(), way).await?;
    context.concerns(found.id(), Some(&question.id));
    if let Some(problem) = found.keeps_no_names().filter(|_| args.name.is_some() || args.note.is_some()) {
        context.ui.warn(&problem);
    }
    let receipt = match args.given(&question.asked.ask)? {
        Some(answer) => {
            let answer = answer.given_by(who);
            send(context, &mut Sending::new(&found, &question, answer, way), args.wait).await?.or_refused()?
        }
        None => at_prompt(context, &found, &question, (way, &who)).await?,
    };
    told(context, &found, &question, &receipt)
}

/// Sends an answer. Whoever waits, at a prompt too, waits for a place that is away.
async fn send(context: &Context, sending: &mut Sending<'_>, waits: bool) -> Result<Delivered, Failure> {
    if waits { context.ride_out(async || sending.attempt().await).await } else { sending.attempt().await }
}

/// Asks the person here, again where the answer does not fit, until somebody has answered.
async fn at_prompt(
    context: &Context,
    found: &Found,
    question: &OpenQuestion,
    (way, who): (Way, &Who),
) -> Result<Receipt, Failure> {
    let mut asked = question.asked.clone();
    if let Some(hint) = asked.later_hint() {
        context.goes_on(hint.after("the question stays open; "));
    }
    loop {
        let answer = tokio::select! {
            answer = ask(context, &asked) => answer?,
            winner = found.closed_elsewhere(question) => {
                return Err(Failure::new(Kind::NothingChanged, winner?));
            }
        };
        let answer = answer.given_by(who.clone());
        match send(context, &mut Sending::new(found, question, answer.clone(), way), true).await? {
            Delivered::Taken(receipt) => return Ok(receipt),
            Delivered::Refused { problem, .. } => asked.refused(&answer, problem),
        }
    }
}

impl RespondArgs {
    /// Whether the options give an answer.
    fn has_answer(&self) -> bool {
        self.accept || self.decline || self.cancel || self.content.is_some() || !self.set.is_empty()
    }

    /// Who answers, as far as anybody says.
    fn who(&self, context: &Context) -> Result<Who, Failure> {
        let named = self.name.as_deref().map(|name| config::named("--as", name)).transpose()?;
        let who = named.unwrap_or_else(|| context.config.answerer.clone()).noting(self.note.clone());
        match gate::who(&who) {
            Err(StoreError::Refused { problem, .. }) => Err(config::unusable("--note", &problem)),
            _ => Ok(who),
        }
    }

    /// The answer that the options give; `None` where a person shall be asked.
    fn given(&self, ask: &Ask) -> Result<Option<Answer>, Failure> {
        let plain = |action| Ok(Some(Answer::new(action, Answerer::Operator)));
        if self.decline {
            return plain(Action::Decline);
        }
        if self.cancel {
            return plain(Action::Cancel);
        }
        let content = match (&self.content, &ask.kind) {
            (Some(content), _) => arguments::object("--content", content)?,
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

/// Asks at the prompt, if anybody may be asked.
pub(super) async fn ask(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    if !context.ui.may_prompt() {
        let why = "there is nobody to ask here: no terminal, or --no-input or CI is set";
        let page =
            page::of(&asked.ask).map(|url| format!("\npage: {}", page::within(url))).unwrap_or_default();
        return Err(Failure::new(
            Kind::NeedsInput,
            format!("{why}\n{} asks: {}{page}", asked.who, asked.ask.message),
        )
        .maybe_hint(asked.later_hint()));
    }
    match question::ask(&context.ui, asked).await? {
        Reply::Answer(answer) => Ok(answer),
        Reply::LeftOpen => {
            Err(Failure::new(Kind::NothingChanged, format!("nothing was answered; {}", asked.left()))
                .maybe_hint(asked.later_hint()))
        }
    }
}

/// Says what was answered.
fn told(context: &Context, found: &Found, question: &OpenQuestion, receipt: &Receipt) -> Result<(), Failure> {
    let Receipt { answer, stale_cleared, left, counts } = receipt;
    if context.ui.is_json() {
        let Answer { action, by, at, who, .. } = answer;
        let who = who.as_ref().filter(|_| found.keeps_no_names().is_none());
        return context.ui.object(&json!({
            "at": at, "source": found.source(), "task": question.task, "question": question.id, "action": action,
            "by": by, "who": who, "stale_cleared": stale_cleared, "left": left, "counts": counts.then_some(true),
        }));
    }
    let said = match answer.action {
        Action::Accept if answer.content.is_none() => "accepted".to_owned(),
        Action::Accept => format!("sent: {}", values::in_words(answer)),
        Action::Decline => "declined".to_owned(),
        Action::Cancel => "cancelled the question".to_owned(),
    };
    let task = event::short(&question.task);
    context.ui.talk(&format!("question {} of task {}: {said}", text::line(&question.id), text::line(task)));
    if !counts {
        context.ui.talk("this server does not say whose answer counts: another one may have come first");
    }
    if let Some(cleared) = stale_cleared.filter(|cleared| *cleared > 0) {
        context.ui.talk(&format!("{cleared} stale answer(s) were cleared before"));
    }
    if let Some(left) = left.filter(|left| *left > 0) {
        context.ui.talk(&format!("{left} question(s) of it are still open"));
    }
    Ok(())
}
