//! A question's way to the person here, and the answer's way back.

use super::context::Context;
use super::failure::{Failure, Kind};
use tokio::sync::watch;

use super::ui::question::{self, Closing, Reply};
use super::ui::{Ui, page, text};
use crate::desk::answer::{Delivered, Receipt, Sending};
use crate::desk::asked::{Asked, OpenQuestion};
use crate::desk::place::Found;
use crate::task::Answer;

/// Sends an answer. Whoever waits, at a prompt too, waits for a place that is away.
pub(super) async fn send(
    context: &Context,
    sending: &mut Sending<'_>,
    waits: bool,
) -> Result<Delivered, Failure> {
    if waits { context.ride_out(async || sending.attempt().await).await } else { sending.attempt().await }
}

/// What became of an answer that somebody typed: the receipt, or why it was not taken, with what helps; the question then
/// waits for another one. A failure where it is open no more.
pub(super) fn taken(
    context: &Context,
    sent: Result<Delivered, Failure>,
) -> Result<Result<Receipt, String>, Failure> {
    match sent {
        Ok(Delivered::Taken(receipt)) => Ok(Ok(receipt)),
        Ok(Delivered::Refused { problem, .. }) => Ok(Err(problem)),
        Err(failure) => again(context, failure, true).map(Err),
    }
}

/// What is said above the form that comes back with an answer that was `typed`, and that failed so; the failure itself where
/// it cannot be sent again.
pub(super) fn again(context: &Context, failure: Failure, typed: bool) -> Result<String, Failure> {
    if !typed || !stays_open(&failure) {
        return Err(failure);
    }
    let words = in_words(&context.failed(failure));
    context.ui.warn(&format!("the answer was not taken: {words}"));
    Ok(words)
}

/// Whether a question waits on after an answer to it failed so: it can be sent again once its place takes it.
pub(super) fn stays_open(failure: &Failure) -> bool {
    matches!(failure.kind(), Kind::Unexpected | Kind::Usage | Kind::Unauthorised | Kind::Unreachable)
}

/// What went wrong, and what helps.
pub(super) fn in_words(failure: &Failure) -> String {
    let mut words = text::sentence(&failure.to_string());
    for hint in failure.hints() {
        words = format!("{words}; {}", text::line(&hint.to_string()));
    }
    words
}

/// Asks the person here, unless somebody else answers first.
pub(super) async fn ask_until_closed(
    context: &Context,
    found: &Found,
    question: &OpenQuestion,
    asked: &Asked,
) -> Result<Answer, Failure> {
    let ask = async |closing| ask_while_open(context, asked, closing).await;
    let answer = until_closed((&context.ui, false), ask, found.closed_elsewhere(question)).await?;
    answer.map_err(|closed| Failure::new(Kind::NothingChanged, closed))
}

/// Asks, unless the question is closed from elsewhere first: then what became of it. A form stays on the screen then until
/// that was read, so that what is typed for it goes nowhere else; where the command `goes_on`, it does not wait for nobody.
pub(super) async fn until_closed<T>(
    (ui, goes_on): (&Ui, bool),
    ask: impl AsyncFnOnce(watch::Receiver<Option<Closing>>) -> Result<Option<T>, Failure>,
    closed: impl Future<Output = Result<String, Failure>>,
) -> Result<Result<T, String>, Failure> {
    let (tell, closing) = watch::channel(None);
    // Boxed, since whoever waits for it would carry it along.
    let mut asking = Box::pin(ask(closing));
    let closed = Box::pin(closed);
    let winner = tokio::select! {
        answer = &mut asking => return Ok(answer?.ok_or_else(String::new)),
        winner = closed => winner,
    };
    if ui.may_draw() {
        let words = match &winner {
            Ok(words) => words.clone(),
            Err(failure) => text::sentence(&failure.to_string()),
        };
        tell.send_replace(Some(Closing { words, goes_on }));
        if let Some(answer) = asking.await? {
            return Ok(Ok(answer));
        }
    }
    winner.map(Err)
}

/// Asks at the prompt, if anybody may be asked.
pub(super) async fn ask(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    // Nobody closes it: whoever asks so would not know.
    let answer = ask_while_open(context, asked, watch::channel(None).1).await?;
    answer.ok_or_else(|| Failure::new(Kind::NothingChanged, asked.left()))
}

/// The same; `None` where the question was closed from elsewhere, as `closing` tells.
async fn ask_while_open(
    context: &Context,
    asked: &Asked,
    closing: watch::Receiver<Option<Closing>>,
) -> Result<Option<Answer>, Failure> {
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
    match question::ask_while_open(&context.ui, asked, closing).await? {
        Reply::Answer(answer) => Ok(Some(answer)),
        Reply::Closed => Ok(None),
        Reply::LeftOpen => {
            Err(Failure::new(Kind::NothingChanged, format!("nothing was answered; {}", asked.left()))
                .maybe_hint(asked.later_hint()))
        }
    }
}
