//! What is known around a question, for whoever decides on it.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::desk::asked::OpenQuestion;
use crate::desk::{text, time};

/// The facts as they stand above a question.
pub(super) fn facts(open: &OpenQuestion, holder: Option<&str>) -> Markup {
    let (asked, now) = (&open.asked, Timestamp::now());
    html! {
        dl {
            (fact("Task", &format!("{}, question {}", text::short_id(&open.task), text::line(&open.id))))
            @for (name, value) in &asked.background.facts { (fact(&capital(name), value)) }
            @if let Some(at) = asked.asked_at { (moment("Asked", at, now, None)) }
            @if let Some(at) = asked.deadline { (moment("Until", at, now, Some(asked.ask.on_timeout.words()))) }
            @if let Some(at) = asked.background.ends { (moment("Task ends", at, now, None)) }
            @if let Some(holder) = holder { (fact("You answer as", &text::line(holder))) }
        }
    }
}

/// What else its task asked, and was answered: not for the holder of a link.
pub(super) fn earlier(open: &OpenQuestion) -> Markup {
    let earlier = &open.asked.background.earlier;
    html! {
        @if !earlier.is_empty() {
            details {
                summary { "Answered before in this task: " (earlier.len()) }
                dl.earlier { @for (asked, answered) in earlier { (fact(asked, answered)) } }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

/// A time, how far it is from now and as it is anywhere, and what the question does then.
fn moment(name: &str, at: Timestamp, now: Timestamp, then: Option<&str>) -> Markup {
    html! {
        dt { (name) }
        dd {
            (time::relative(at, now)) " (" time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC").to_string()) } ")"
            @if let Some(then) = then { "; then it " (then) }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
