//! `respond`: answers an open question.

use super::answering::{ask_until_closed, send, taken};
use super::context::Context;
use super::failure::Failure;
pub(crate) use super::respond_args::RespondArgs;
use super::rules::Order;
use super::ui::question::Draft;
use super::ui::{event, page, text};
use super::{inbox, places, respond_all, rules, waiting};
use crate::desk::answer::{Receipt, Sending};
use crate::desk::asked::OpenQuestion;
use crate::desk::place::Found;
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::values;
use crate::fastmcp::Way;
use crate::task::{Action, Ask, Who};

pub(crate) async fn run(context: &Context, args: RespondArgs) -> Result<(), Failure> {
    if args.rules.file().is_some() {
        let order = Order {
            args: &args.rules,
            task: args.task.as_deref(),
            dry_run: args.dry_run,
            way: if args.direct { Way::Direct } else { Way::Supported },
        };
        return rules::run(context, &order, &args.remote).await;
    }
    let who = args.who(context)?;
    if args.all {
        return respond_all::run(context, args, who).await;
    }
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
        places.refuse_taskless()?;
        let waiting = waiting::all(context, places, args.next).await?;
        if waiting.len() > 1 && !args.next && !args.has_answer() && context.ui.may_draw() {
            drop(waiting);
            return inbox::open_at(context, places, &args.remote, who).await;
        }
        let chosen = waiting::chosen(context, waiting, args.next, args.has_answer()).await?;
        (chosen.found, Some(chosen.question.id))
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
    context.concerns(found.id(), wanted.as_deref());
    let answered = answered(context, &found, wanted.as_deref(), args, who).await;
    let (question, receipt) = answered.map_err(|failure| repeating(failure, &found, args))?;
    if let Some(problem) = found.keeps_no_names().filter(|_| args.name.is_some() || args.note.is_some()) {
        context.ui.warn(&problem);
    }
    told(context, &found, &question, &receipt)
}

/// Has the question answered that is wanted, by what was given or by the person here.
async fn answered(
    context: &Context,
    found: &Found,
    wanted: Option<&str>,
    args: &RespondArgs,
    who: Who,
) -> Result<(OpenQuestion, Receipt), Failure> {
    let way = if args.direct { Way::Direct } else { Way::Supported };
    let question = found.question(wanted, way).await?;
    context.concerns(found.id(), Some(&question.id));
    let receipt = match args.given(&question.asked.ask, args.content()?)? {
        Some(answer) => {
            let answer = answer.given_by(who);
            send(context, &mut Sending::new(found, &question, answer, way), args.wait).await?.or_refused()?
        }
        None => at_prompt(context, found, &question, (way, &who)).await?,
    };
    Ok((question, receipt))
}

/// The failure, whose commands that answer a question of FastMCP 4 another way give the answer that was given.
fn repeating(failure: Failure, found: &Found, args: &RespondArgs) -> Failure {
    match found {
        Found::Fastmcp(_, task) => {
            let asks: Vec<Ask> = task.questions.iter().map(|question| question.ask.clone()).collect();
            failure.answering(&args.repeated(&asks))
        }
        Found::Store(..) | Found::Server(..) => failure,
    }
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
        let answer = ask_until_closed(context, found, question, &asked).await?.given_by(who.clone());
        let draft = Draft::sent(&context.ui, &asked.ask, &answer);
        let sent = send(context, &mut Sending::new(found, question, answer.clone(), way), true).await;
        let taken = taken(context, sent)?;
        draft.forget();
        match taken {
            Ok(receipt) => return Ok(receipt),
            Err(problem) => asked.refused(&answer, problem),
        }
    }
}

/// Why it is not known whether the answer counts.
fn uncertain(context: &Context, found: &Found) -> String {
    let Found::Fastmcp(_, task) = found else {
        return "this server does not say whose answer counts: another one may have come first".to_owned();
    };
    let worker = task.worker.as_ref().map_or("its worker", |worker| &worker.name);
    let words = format!(
        "worker {} has the answer and does not go on: it may be stopped, or hang. It takes the answer when it runs \
         again; if it has died, the task asks anew; ",
        text::line(worker)
    );
    let doctor = Advice::command(Suggested::new("doctor").about(&task.id), "says more");
    context.advise(doctor.after(&words))
}

/// Says what was answered.
fn told(context: &Context, found: &Found, question: &OpenQuestion, receipt: &Receipt) -> Result<(), Failure> {
    if context.ui.is_json() {
        return context.ui.object(&receipt.object(found, question));
    }
    let Receipt { answer, stale_cleared, left, counts, .. } = receipt;
    let said = match answer.action {
        Action::Accept if answer.content.is_none() => match page::of(&question.asked.ask) {
            Some(url) => format!("accepted to visit {}", page::within(url)),
            None => "accepted".to_owned(),
        },
        Action::Accept => format!("sent: {}", values::in_words(&question.asked.ask, answer)),
        Action::Decline => "declined".to_owned(),
        Action::Cancel => "cancelled the question".to_owned(),
    };
    let task = event::short(&question.task);
    context.ui.talk(&format!("question {} of task {}: {said}", text::line(&question.id), text::line(task)));
    if let Some(open) = receipt.is_still_open(question) {
        context.tell(open);
    } else if !counts {
        context.ui.talk(&uncertain(context, found));
    }
    if let Some(cleared) = stale_cleared.filter(|cleared| *cleared > 0) {
        context.ui.talk(&format!("{cleared} stale answer(s) were cleared before"));
    }
    if let Some(left) = left.filter(|left| *left > 0) {
        context.ui.talk(&format!("{left} question(s) of it are still open"));
    }
    Ok(())
}
