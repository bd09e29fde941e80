//! Which of the questions that wait is meant, where none was named.

use jiff::Timestamp;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::ui::{choose, event, page, text, time};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::waiting::Waiting;

/// All questions that wait, one at least, where no task was named: with `next` the one that has waited longest is meant,
/// else whoever sits at the terminal says which.
pub(crate) async fn all(context: &Context, places: &Places, next: bool) -> Result<Vec<Waiting>, Failure> {
    if !next && !context.ui.may_prompt() {
        return Err(unnamed());
    }
    let (waiting, unseen) = places.waiting().await?;
    places::tell_unseen(context, &unseen);
    if waiting.is_empty() && !unseen.unanswerable.is_empty() {
        return Err(none_to_answer());
    }
    if waiting.is_empty() {
        let failure = none_open();
        return Err(if places.is_empty() { failure.hint(context.nothing_begun()) } else { failure });
    }
    Ok(waiting)
}

/// The one of them that is meant. Whoever has an answer ready is asked even where there is only one, since it has not
/// seen the question.
pub(crate) async fn chosen(
    context: &Context,
    mut waiting: Vec<Waiting>,
    next: bool,
    has_answer: bool,
) -> Result<Waiting, Failure> {
    if next || (waiting.len() == 1 && !has_answer) {
        return Ok(waiting.swap_remove(0));
    }
    let titles = waiting.iter().map(title).collect();
    match choose::one(&context.ui, "Which question will you answer?", titles).await? {
        Some(index) => Ok(waiting.swap_remove(index)),
        None => Err(Failure::new(Kind::NothingChanged, "no question was chosen; all stay open")),
    }
}

fn unnamed() -> Failure {
    let list = Suggested::new("list").flag("--waiting");
    Failure::usage("name the task whose question this answers; nobody can be asked here which one is meant")
        .hint(
            Advice::command(list, "shows those that wait; ")
                .text("--next answers the one that has waited longest"),
        )
}

/// The failure where questions are open, and nobody here can answer any.
pub(crate) fn none_to_answer() -> Failure {
    let doctor = Suggested::new("doctor");
    Failure::new(Kind::NeedsInput, "nothing that is asked can be answered here")
        .hint(Advice::command(doctor, "says what helps"))
}

fn none_open() -> Failure {
    let watch = Suggested::new("watch").option("--status", "input_required");
    Failure::new(Kind::NotFound, "no question is open here").hint(Advice::command(watch, "waits for one"))
}

/// One line of the choice.
fn title(one: &Waiting) -> String {
    let asked = &one.question.asked;
    let when = asked.asked_at.map(|at| format!("{}, ", time::relative(at, Timestamp::now())));
    let tool = one.tool.as_deref().map(|tool| format!("{}: ", text::short(tool, 30)));
    let task = text::line(event::short(&one.question.task));
    let (when, tool) = (when.unwrap_or_default(), tool.unwrap_or_default());
    format!("{task}  {when}{tool}{}", page::message(&asked.ask, 60))
}
