//! A question's way to the person here, and the answer's way back.

use super::context::Context;
use super::failure::{Failure, Kind};
use tokio::sync::watch;

use super::ui::question::{self, Reply};
use super::ui::{page, text};
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

/// Asks the person here, unless somebody else answers first. A form stays on the screen then until that was read, so that
/// what is typed for it goes nowhere else.
pub(super) async fn ask_until_closed(
    context: &Context,
    found: &Found,
    question: &OpenQuestion,
    asked: &Asked,
) -> Result<Answer, Failure> {
    let (tell, closing) = watch::channel(None);
    let asking = ask_while_open(context, asked, closing);
    tokio::pin!(asking);
    let winner = tokio::select! {
        answer = &mut asking => return answer?.ok_or_else(|| closed(&tell)),
        winner = found.closed_elsewhere(question) => winner,
    };
    if context.ui.may_draw() {
        let words = match &winner {
            Ok(words) => words.clone(),
            Err(failure) => text::sentence(&failure.to_string()),
        };
        tell.send_replace(Some(words));
        if let Some(answer) = asking.await? {
            return Ok(answer);
        }
    }
    Err(Failure::new(Kind::NothingChanged, winner?))
}

/// The failure of a question that was closed from elsewhere.
fn closed(tell: &watch::Sender<Option<String>>) -> Failure {
    Failure::new(Kind::NothingChanged, tell.borrow().clone().unwrap_or_default())
}

/// Asks at the prompt, if anybody may be asked.
pub(super) async fn ask(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    let (tell, closing) = watch::channel(None);
    ask_while_open(context, asked, closing).await?.ok_or_else(|| closed(&tell))
}

/// The same; `None` where the question was closed from elsewhere, as `closing` tells.
async fn ask_while_open(
    context: &Context,
    asked: &Asked,
    closing: watch::Receiver<Option<String>>,
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
