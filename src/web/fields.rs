//! The fields of a form as the controls of a page.

use maud::{Markup, html};

use super::filled::{Filled, WHOLE, control};
use crate::desk::text;
use crate::form::{Choice, Field, FieldKind, Form};

/// Choices beyond so many are picked from a list that opens.
const MOST_BUTTONS: usize = 8;

/// Text of more characters has several lines of room.
const LONG: u64 = 100;

/// All fields.
pub(super) fn fields(form: &Form, filled: &Filled) -> Markup {
    if form.is_whole {
        return whole(filled);
    }
    let first_wrong = filled.places().next();
    html! {
        @for (at, one) in form.fields.iter().enumerate() {
            (field(&Shown { at, field: one, filled, has_focus: first_wrong == Some(at) }))
        }
    }
}

/// A field with what stands in it.
struct Shown<'a> {
    at: usize,
    field: &'a Field,
    filled: &'a Filled,
    /// Whether it is the first one that is wrong.
    has_focus: bool,
}

impl Shown<'_> {
    fn id(&self) -> String {
        control(self.at)
    }

    fn problem(&self) -> Option<&str> {
        self.filled.problem(self.at)
    }

    fn is_wrong(&self) -> bool {
        self.problem().is_some()
    }

    /// What is to be filled in, in words.
    fn about(&self) -> Vec<String> {
        let described = self.field.description.as_deref().map(text::sentence);
        let rules = match &self.field.kind {
            FieldKind::Boolean | FieldKind::OneOf { .. } if self.field.may_be_empty() => {
                "optional".to_owned()
            }
            _ => self.field.rules(),
        };
        described.into_iter().chain(Some(text::line(&rules))).filter(|words| !words.is_empty()).collect()
    }

    /// The ids of what describes it.
    fn described_by(&self) -> Option<String> {
        let about = (!self.about().is_empty()).then(|| format!("{}-about", self.id()));
        let wrong = self.problem().map(|_| format!("{}-wrong", self.id()));
        let both: Vec<String> = wrong.into_iter().chain(about).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn label(&self) -> String {
        text::line(self.field.label())
    }

    /// What leaves it out.
    fn skip(&self) -> Option<&'static str> {
        let nothing = if self.field.empty().is_some() { "None" } else { "No answer" };
        self.field.may_be_empty().then_some(nothing)
    }

    /// What is said below its label.
    fn words(&self) -> Markup {
        html! {
            @let about = self.about();
            @if !about.is_empty() { p.about id={ (self.id()) "-about" } { (about.join(" · ")) } }
            @if let Some(problem) = self.problem() {
                p.wrong id={ (self.id()) "-wrong" } { "Not right yet: " (text::sentence(problem)) }
            }
        }
    }
}

fn field(shown: &Shown<'_>) -> Markup {
    match &shown.field.kind {
        FieldKind::Boolean => yes_or_no(shown),
        FieldKind::OneOf { choices } if choices.len() <= MOST_BUTTONS => one_of(shown, choices),
        FieldKind::OneOf { choices } => select(shown, choices),
        FieldKind::SomeOf { choices, .. } => some_of(shown, choices),
        _ => typed(shown),
    }
}

/// A group of buttons of which one is chosen.
fn group(shown: &Shown<'_>, buttons: &[(String, String, bool)]) -> Markup {
    let none = !buttons.iter().any(|(_, _, is_chosen)| *is_chosen);
    html! {
        fieldset.field role="radiogroup" aria-describedby=[shown.described_by()] aria-required=(!shown.field.may_be_empty())
            aria-invalid=[shown.is_wrong().then_some("true")] {
            legend.label { (shown.label()) }
            (shown.words())
            @for (at, (value, words, is_chosen)) in buttons.iter().enumerate() {
                label.choice {
                    input type="radio" name=(shown.id()) value=(value) checked[*is_chosen] id=[(at == 0).then(|| shown.id())]
                        autofocus[shown.has_focus && at == 0];
                    span { (words) }
                }
            }
            @if let Some(words) = shown.skip() {
                label.choice {
                    input type="radio" name=(shown.id()) value="" checked[none];
                    span { (words) }
                }
            }
        }
    }
}

fn yes_or_no(shown: &Shown<'_>) -> Markup {
    let truth = shown.filled.truth((shown.at, shown.field));
    let button = |value: &str, words: &str, is| (value.to_owned(), words.to_owned(), truth == Some(is));
    group(shown, &[button("yes", "Yes", true), button("no", "No", false)])
}

fn one_of(shown: &Shown<'_>, choices: &[Choice]) -> Markup {
    let button = |(at, choice): (usize, &Choice)| {
        (at.to_string(), text::line(&choice.title), shown.filled.has_chosen((shown.at, shown.field), at))
    };
    group(shown, &choices.iter().enumerate().map(button).collect::<Vec<_>>())
}

fn select(shown: &Shown<'_>, choices: &[Choice]) -> Markup {
    html! {
        div.field {
            label.label for=(shown.id()) { (shown.label()) }
            (shown.words())
            select id=(shown.id()) name=(shown.id()) aria-describedby=[shown.described_by()]
                aria-invalid=[shown.is_wrong().then_some("true")] required[!shown.field.may_be_empty()]
                autofocus[shown.has_focus] {
                option value="" { (shown.skip().unwrap_or("Choose one")) }
                @for (at, choice) in choices.iter().enumerate() {
                    option value=(at) selected[shown.filled.has_chosen((shown.at, shown.field), at)] {
                        (text::line(&choice.title))
                    }
                }
            }
        }
    }
}

fn some_of(shown: &Shown<'_>, choices: &[Choice]) -> Markup {
    html! {
        fieldset.field aria-describedby=[shown.described_by()] {
            legend.label { (shown.label()) }
            (shown.words())
            @for (at, choice) in choices.iter().enumerate() {
                label.choice {
                    input type="checkbox" name=(shown.id()) value=(at) id=[(at == 0).then(|| shown.id())]
                        checked[shown.filled.has_chosen((shown.at, shown.field), at)]
                        aria-invalid=[shown.is_wrong().then_some("true")]
                        aria-describedby=[shown.is_wrong().then(|| format!("{}-wrong", shown.id()))]
                        autofocus[shown.has_focus && at == 0];
                    span { (text::line(&choice.title)) }
                }
            }
        }
    }
}

/// What is typed. The words of what is wrong are the form's, so no control checks for itself.
fn typed(shown: &Shown<'_>) -> Markup {
    let (id, now) = (shown.id(), shown.filled.text((shown.at, shown.field)));
    let (required, wrong) = (!shown.field.may_be_empty(), shown.is_wrong().then_some("true"));
    let has_lines = now.contains('\n') || takes_lines(shown.field);
    let is_json = matches!(shown.field.kind, FieldKind::Other { .. });
    html! {
        div.field {
            label.label for=(id) { (shown.label()) }
            (shown.words())
            @if has_lines && !shown.field.is_secret {
                textarea.json[is_json] id=(id) name=(id) rows="3" aria-describedby=[shown.described_by()] aria-invalid=[wrong]
                    required[required] autofocus[shown.has_focus] spellcheck=[is_json.then_some("false")] { "\n" (now) }
            } @else {
                @let (kind, mode) = control_type(shown.field);
                input type=(kind) inputmode=[mode] id=(id) name=(id) value=(now) aria-describedby=[shown.described_by()]
                    aria-invalid=[wrong] required[required] autocomplete="off" autofocus[shown.has_focus];
            }
        }
    }
}

/// Whether there may be several lines of it.
fn takes_lines(field: &Field) -> bool {
    match &field.kind {
        FieldKind::Text { max_length, format: None, pattern: None, .. } => {
            max_length.is_some_and(|most| most > LONG)
        }
        FieldKind::Other { .. } => true,
        _ => false,
    }
}

/// The kind of a control in one line, and what keys a phone shows for it.
fn control_type(field: &Field) -> (&'static str, Option<&'static str>) {
    match &field.kind {
        _ if field.is_secret => ("password", None),
        FieldKind::Text { format: Some(format), .. } => match format.as_str() {
            "email" => ("email", None),
            "uri" => ("url", None),
            "date" => ("date", None),
            _ => ("text", None),
        },
        // Of a number that is none, a control for numbers would send nothing at all.
        FieldKind::Number { integer: true, .. } => ("text", Some("numeric")),
        FieldKind::Number { .. } => ("text", Some("decimal")),
        _ => ("text", None),
    }
}

/// A form whose fields cannot be told: one text of JSON.
fn whole(filled: &Filled) -> Markup {
    let problem = (!filled.whole.is_empty()).then(|| text::sentence(&filled.whole.join("; ")));
    let described = if problem.is_some() { "whole-wrong whole-about" } else { "whole-about" };
    html! {
        div.field {
            label.label for=(WHOLE) { "Answer" }
            p.about id="whole-about" { "a JSON object" }
            @if let Some(problem) = &problem { p.wrong id="whole-wrong" { "Not right yet: " (problem) } }
            textarea.json id=(WHOLE) name=(WHOLE) rows="5" required spellcheck="false" aria-describedby=(described)
                aria-invalid=[problem.as_ref().map(|_| "true")] autofocus[problem.is_some()] { "\n" (filled.whole_text()) }
        }
    }
}
