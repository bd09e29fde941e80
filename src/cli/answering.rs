//! A question's way to the person here, and the answer's way back.

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::page;
use super::ui::question::{self, Reply};
use crate::desk::answer::{Delivered, Sending};
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

/// Asks the person here, unless somebody else answers first.
pub(super) async fn ask_until_closed(
    context: &Context,
    found: &Found,
    question: &OpenQuestion,
    asked: &Asked,
) -> Result<Answer, Failure> {
    tokio::select! {
        answer = ask(context, asked) => answer,
        winner = found.closed_elsewhere(question) => Err(Failure::new(Kind::NothingChanged, winner?)),
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
