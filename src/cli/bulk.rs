//! What commands ask and say that act on many tasks at once.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::{Piece, choose};
use super::{list, places};
use crate::desk::bulk::Tally;
use crate::desk::places::Places;
use crate::desk::row::Row;
use crate::desk::selection::Selected;

/// What a command calls what it does to many tasks.
pub(crate) struct Words {
    /// The command.
    pub(crate) verb: &'static str,
    /// What it does: "delete".
    pub(crate) act: &'static str,
    /// Of those that it was done with: "cancelled".
    pub(crate) done: &'static str,
    /// Of those that needed it no more: "had ended".
    pub(crate) past: &'static str,
    /// Of those that it could not be done with: "were not".
    pub(crate) failed: &'static str,
}

/// Reads the name of a tool by which tasks are chosen. An unset variable of a script is an empty one, which none has.
pub(crate) fn tool(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("the tool's name is empty: in a script, is a variable unset?".to_owned());
    }
    Ok(name.to_owned())
}

/// The time that is so long ago, before which tasks are meant.
pub(crate) fn before(ago: Option<Duration>) -> Option<Timestamp> {
    ago.map(|ago| Timestamp::now().checked_sub(ago).unwrap_or(Timestamp::MIN))
}

/// Asks whoever sits here before many tasks are changed. `what` says what would be changed. Where nobody can be asked,
/// `--yes` has to say it.
pub(crate) async fn confirm(context: &Context, words: &Words, what: &str) -> Result<(), Failure> {
    let act = words.act;
    if context.config.yes {
        return Ok(());
    }
    if !context.ui.may_prompt() {
        let message = format!("this would {act} {what}; nobody can be asked here whether that is meant");
        return Err(Failure::new(Kind::NeedsInput, message)
            .hint("give --yes to do it without being asked, or --dry-run to see them"));
    }
    ask(context, act, what).await
}

/// Says what would be changed, and asks.
pub(crate) async fn ask(context: &Context, act: &str, what: &str) -> Result<(), Failure> {
    context.ui.talk_after("", &[Piece::Words(format!("this would {act} {what}"))]);
    choose::yes(&context.ui, "Go on?", format!("yes, {act} them")).await
}

/// Prints what `--dry-run` found.
pub(crate) fn show(context: &Context, places: &Places, selected: &Selected) -> Result<Tally, Failure> {
    let tally = Tally { done: selected.tasks.len(), ..Tally::default() };
    if context.ui.is_json() {
        selected.tasks.iter().try_for_each(|task| context.ui.object(&places.object(task)))?;
    } else if !selected.tasks.is_empty() {
        lines(context, selected).iter().try_for_each(|line| context.ui.line(line))?;
    }
    Ok(tally)
}

/// The tasks as `list` shows them.
fn lines(context: &Context, selected: &Selected) -> Vec<String> {
    list::lines(&context.ui, &selected.tasks.iter().map(|task| Row::clone(&task.row)).collect::<Vec<_>>())
}

/// Says what of the tasks is left out.
pub(crate) fn tell_left_out(context: &Context, selected: &Selected) {
    places::tell_unreadable(context, selected.unreadable, ", and may be meant as well");
    if selected.has_more {
        let count = selected.tasks.len();
        context.ui.warn(&format!("there are more than {count}: the same command goes on with the rest"));
    }
}

/// Ends the command: one line that says what became of all, or with --dry-run would; a failure where some failed.
pub(crate) fn end(context: &Context, words: &Words, tally: &mut Tally, dry_run: bool) -> Result<(), Failure> {
    tell_scripts(context, words, tally, dry_run)?;
    let done = if dry_run { format!("would be {}", words.done) } else { words.done.to_owned() };
    let said = tally.in_words(&done, words.past, words.failed);
    if let Some(failure) = tally.cut_short(&said) {
        return Err(failure);
    }
    if let Some(kind) = tally.kind {
        return Err(tally.hints.iter().cloned().fold(Failure::new(kind, said), Failure::hint));
    }
    context.ui.talk(&said);
    Ok(())
}

/// The last line as scripts get it.
pub(crate) fn tell_scripts(
    context: &Context,
    words: &Words,
    tally: &Tally,
    dry_run: bool,
) -> Result<(), Failure> {
    if !context.ui.is_json() {
        return Ok(());
    }
    let Tally { done, past, failed, left, .. } = tally;
    let left = Some(left).filter(|left| **left > 0);
    context.ui.object(&json!({
        "tally": words.verb, "done": done, "past": past, "failed": failed, "dry_run": dry_run, "left": left,
    }))
}
