//! `respond`: answers an open question.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{self, Failure, Kind};
use super::fastmcp::{self, Found, Sources};
use super::follow;
use super::remote::RemoteArgs;
use super::ui::question::{self, Asked, Reply};
use super::ui::{event, page, text};
use super::{arguments, complete_names, respond_remote, typed, values, waiting};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError, Viewer};
use crate::task::form::joined;
use crate::task::{Action, Answer, Answerer, Ask, AskKind, Form, Question, QuestionId, Task, TaskId};

/// Answer an open question: at a prompt, or with the options below
///
/// Without a task, asks at the terminal which question is meant; a script names the task, or gives --next. Whoever
/// answers first has answered: a second answer changes nothing (exit 10). Esc and Ctrl-C leave the question open.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_long_help = typed::FORMAT)]
#[command(group(clap::ArgGroup::new("reply").args(["content", "decline", "cancel"]).multiple(false)))]
pub(crate) struct RespondArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::waiting_tasks())]
    task: Option<String>,
    /// Answer the question that has waited longest, whichever task it is of
    #[arg(long, conflicts_with_all = ["task", "server", "stdio"])]
    next: bool,
    /// Answer this question of the task, for example q2; else the first open one
    #[arg(long, value_name = "QUESTION", requires = "task", add = complete_names::questions())]
    question: Option<QuestionId>,
    /// Wait until the task asks; --timeout bounds it
    #[arg(long, requires = "task", conflicts_with = "server")]
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
    /// Answer a FastMCP 4 task straight in its Redis, round its server's authorisation
    #[arg(long, requires = "task", conflicts_with = "server")]
    direct: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: RespondArgs) -> Result<(), Failure> {
    if let Some(target) = args.remote.target(context)? {
        let client = args.remote.connect(&target, None).await?;
        let done = respond_remote::run(context, &args, &client).await;
        client.close().await;
        return done;
    }
    if args.wait {
        context.rides_out_outages();
    }
    let (found, question) = if let Some(prefix) = args.task() {
        (place_of(context, prefix, args.wait).await?, args.question().cloned())
    } else {
        let sources = Sources::open(context).await?;
        let waiting = waiting::chosen(context, &sources, args.next, args.has_answer()).await?;
        (waiting.found, Some(waiting.question))
    };
    let (engine, id) = match found {
        Found::Deployed(deployment, task) => {
            return fastmcp::respond(context, &deployment, &task, question.as_ref(), &args).await;
        }
        Found::Native(engine, id) => (engine, id),
    };
    let (task, question) = find(context, &engine, &id, question.as_ref(), args.wait).await?;
    let asked = follow::asked(&task, &question);
    let stored = match args.given(&question.ask)? {
        Some(answer) if args.wait => {
            follow::stored(context, &engine, task.id(), &question.id, answer).await??
        }
        Some(answer) => engine.answer(&Viewer::Operator, task.id(), &question.id, answer).await?,
        None => at_prompt(context, &engine, &task, &question, asked).await?,
    };
    told(context, task.id().as_str(), question.id.as_str(), &stored)
}

/// Where the task is. Who waits for its question waits for its store too.
async fn place_of(context: &Context, prefix: &str, wait: bool) -> Result<Found, Failure> {
    let find = async || Sources::open(context).await?.find(context, prefix).await;
    if wait { context.ride_out(find).await } else { find().await }
}

impl RespondArgs {
    /// Whether to go round a FastMCP 4 server.
    pub(super) fn direct(&self) -> bool {
        self.direct
    }

    pub(super) fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    pub(super) fn question(&self) -> Option<&QuestionId> {
        self.question.as_ref()
    }

    /// Whether the options give an answer.
    fn has_answer(&self) -> bool {
        self.accept || self.decline || self.cancel || self.content.is_some() || !self.set.is_empty()
    }

    /// The answer that the options give; `None` where a person shall be asked.
    pub(super) fn given(&self, ask: &Ask) -> Result<Option<Answer>, Failure> {
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

/// The question to answer, and its task.
async fn find(
    context: &Context,
    engine: &Engine,
    id: &TaskId,
    wanted: Option<&QuestionId>,
    wait: bool,
) -> Result<(Task, Question), Failure> {
    let task = if wait {
        let asked = |task: &Task| match wanted {
            Some(wanted) => task.question(wanted).is_some(),
            None => task.open_questions().next().is_some(),
        };
        let begun = context.ride_out(async || Ok(engine.get(&Viewer::Operator, id).await?)).await?;
        let reached = engine.wait(&Viewer::Operator, id, |task| task.status.is_final() || asked(task)).await;
        reached.map_err(|error| follow::gone_or(&begun, error))?
    } else {
        engine.get(&Viewer::Operator, id).await?
    };
    let found = match wanted {
        Some(wanted) => Some(task.question(wanted).cloned().ok_or_else(|| {
            Failure::new(Kind::NotFound, format!("task {id} has no question {wanted}")).hint(Advice::command(
                Suggested::new("show").about(event::short_id(id)),
                "shows its questions",
            ))
        })?),
        None => task.open_questions().next().cloned(),
    };
    let Some(question) = found else { return Err(not_waiting(&task)) };
    if let Some(answer) = &question.answer {
        return Err(failure::store::already_answered(id, &question.id, answer));
    }
    if task.status.is_final() {
        return Err(not_waiting(&task));
    }
    Ok((task, question))
}

fn not_waiting(task: &Task) -> Failure {
    let id = event::short_id(task.id());
    let last = task.questions.iter().rev().find_map(|question| Some((question, question.answer.as_ref()?)));
    let answered = last.map(|(question, answer)| {
        failure::store::already_answered(task.id(), &question.id, answer).to_string()
    });
    let respond = Suggested::new("respond").about(id).flag("--wait");
    let later = (!task.status.is_final()).then(|| Advice::command(respond, "answers when it asks"));
    Failure::new(Kind::NothingChanged, format!("task {id} waits for no answer: it is {}", task.status))
        .maybe_hint(answered.map(Advice::from))
        .maybe_hint(later)
}

/// Asks the person here, again where the form's check refuses, until somebody has answered.
async fn at_prompt(
    context: &Context,
    engine: &Engine,
    task: &Task,
    question: &Question,
    mut asked: Asked,
) -> Result<Answer, Failure> {
    if let Some(hint) = asked.later_hint() {
        context.goes_on(hint.after("the question stays open; "));
    }
    loop {
        let answer = tokio::select! {
            answer = ask(context, &asked) => answer?,
            winner = follow::answered_elsewhere(engine, task, question) => {
                return Err(Failure::new(Kind::NothingChanged, winner?));
            }
        };
        match follow::stored(context, engine, task.id(), &question.id, answer).await? {
            Err(EngineError::Answer { violations, .. }) => asked.refused = Some(joined(&violations)),
            done => return Ok(done?),
        }
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
            Err(Failure::new(Kind::NothingChanged, "nothing was answered; the question stays open")
                .maybe_hint(asked.later_hint()))
        }
    }
}

/// Says what was answered.
pub(super) fn told(context: &Context, task: &str, question: &str, answer: &Answer) -> Result<(), Failure> {
    if context.ui.is_json() {
        let Answer { action, by, at, .. } = answer;
        return context
            .ui
            .object(&json!({ "at": at, "task": task, "question": question, "action": action, "by": by }));
    }
    let said = match answer.action {
        Action::Accept if answer.content.is_none() => "accepted".to_owned(),
        Action::Accept => format!("sent: {}", values::in_words(answer)),
        Action::Decline => "declined".to_owned(),
        Action::Cancel => "cancelled the question".to_owned(),
    };
    context.ui.talk(&format!(
        "question {} of task {}: {said}",
        text::line(question),
        text::line(event::short(task))
    ));
    Ok(())
}
