//! One field of a form as it is filled in. What is right is the form's to say.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::Value;

use super::line::Line;
use super::picker::Picker;
use crate::desk::text;
use crate::form::{Field, FieldKind, Form};

/// The choice that leaves a field out, and the one that says null.
const NOTHING: (&str, &str) = ("(skip)", "(none)");

/// A field, and what is filled in.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) field: Field,
    pub(super) input: Input,
    /// What it began with.
    initial: Option<Value>,
    before: Input,
    /// Whether it was left once: then what is wrong with it is said at once.
    pub(super) was_left: bool,
}

/// How it is filled in.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// Typed.
    Typed(Line),
    /// With one key.
    YesOrNo(Option<bool>),
    /// Out of a list.
    Picked(Picker),
}

impl Input {
    fn of(field: &Field, initial: Option<&Value>) -> Self {
        match &field.kind {
            FieldKind::Boolean => Self::YesOrNo(initial.and_then(Value::as_bool)),
            FieldKind::OneOf { choices } => {
                let mut titles: Vec<String> =
                    choices.iter().map(|choice| text::line(&choice.title)).collect();
                let of_initial = choices.iter().position(|choice| Some(&choice.value) == initial);
                let chosen = of_initial.or_else(|| field.may_be_empty().then_some(titles.len()));
                if field.may_be_empty() {
                    let nothing = if field.empty().is_some() { NOTHING.1 } else { NOTHING.0 };
                    titles.push(nothing.to_owned());
                }
                Self::Picked(Picker::new(titles, false, chosen.into_iter().collect()))
            }
            FieldKind::SomeOf { choices, .. } => {
                let items = initial.and_then(Value::as_array);
                let is_chosen = |value: &Value| items.is_some_and(|items| items.contains(value));
                let chosen = choices.iter().enumerate().filter(|(_, choice)| is_chosen(&choice.value));
                let chosen: BTreeSet<usize> = chosen.map(|(index, _)| index).collect();
                let titles = choices.iter().map(|choice| text::line(&choice.title)).collect();
                Self::Picked(Picker::new(titles, true, chosen))
            }
            _ => Self::Typed(Line::new(&initial.map(|value| field.write(value)).unwrap_or_default())),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Typed(one), Self::Typed(two)) => one.text() == two.text(),
            (Self::YesOrNo(one), Self::YesOrNo(two)) => one == two,
            (Self::Picked(one), Self::Picked(two)) => one.chosen() == two.chosen(),
            _ => false,
        }
    }
}

impl Entry {
    /// With its default; `draft` is what somebody filled in before.
    pub(super) fn new(field: Field, draft: Option<&Value>) -> Self {
        let initial = draft.cloned().or_else(|| field.default.clone());
        let before = Input::of(&field, field.default.as_ref());
        let input = Input::of(&field, initial.as_ref());
        Self { field, input, initial, before, was_left: false }
    }

    pub(super) fn label(&self) -> String {
        text::line(self.field.label())
    }

    /// Whether something else is filled in than what was there.
    pub(super) fn is_changed(&self) -> bool {
        !self.input.is(&self.before)
    }

    /// What it says; `None` leaves it out. The error is for whoever fills it in.
    pub(super) fn value(&self, form: &Form) -> Result<Option<Value>, String> {
        match &self.input {
            // The content as a whole, of a form without fields.
            Input::Typed(line) if form.is_whole => form.read_whole(line.text()).map(|all| Some(all.into())),
            Input::Typed(line) => form.read_again(&self.field, self.initial.as_ref(), line.text()),
            Input::YesOrNo(Some(yes)) => Ok(Some((*yes).into())),
            Input::YesOrNo(None) => self.nothing("answer with y or n"),
            Input::Picked(picker) if picker.takes_several() => self.several(form, picker),
            Input::Picked(picker) => match picker.chosen().first() {
                None => self.nothing("choose one"),
                Some(index) => Ok(self
                    .field
                    .choices()
                    .get(*index)
                    .map_or_else(|| self.field.empty(), |choice| Some(choice.value.clone()))),
            },
        }
    }

    fn nothing(&self, problem: &str) -> Result<Option<Value>, String> {
        if self.field.may_be_empty() { Ok(self.field.empty()) } else { Err(problem.to_owned()) }
    }

    fn several(&self, form: &Form, picker: &Picker) -> Result<Option<Value>, String> {
        let choices = self.field.choices();
        let value: Value = picker.chosen().iter().map(|index| choices[*index].value.clone()).collect();
        let was_there = self.initial.is_some();
        match form.check(&self.field, &value) {
            _ if picker.chosen().is_empty() && self.field.may_be_empty() && !was_there => {
                Ok(self.field.empty())
            }
            Ok(()) => Ok(Some(value)),
            Err(_) if picker.chosen().is_empty() && self.field.may_be_empty() => Ok(self.field.empty()),
            Err(problem) => Err(problem),
        }
    }

    /// What is to be said of it now: of numbers and dates as they are typed, of others once they were left.
    pub(super) fn problem(&self, form: &Form) -> Option<String> {
        let is_told = match (&self.input, &self.field.kind) {
            _ if self.was_left => true,
            (Input::Typed(line), FieldKind::Number { .. }) => !line.is_empty(),
            (Input::Typed(line), FieldKind::Text { format: Some(format), .. }) => {
                !line.is_empty() && format.starts_with("date")
            }
            (Input::Picked(picker), FieldKind::SomeOf { .. }) => !picker.chosen().is_empty(),
            _ => false,
        };
        if is_told { self.value(form).err() } else { None }
    }

    /// Does what a key says. Whether it was one for this field.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        match &mut self.input {
            Input::Typed(_) if matches!(key.code, KeyCode::Up | KeyCode::Down) => false,
            Input::Typed(line) => line.press(key),
            Input::Picked(picker) => picker.press(key),
            Input::YesOrNo(yes) => {
                match key.code {
                    KeyCode::Char(_) if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
                    KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right => *yes = Some(*yes != Some(true)),
                    KeyCode::Backspace | KeyCode::Delete if self.field.may_be_empty() => *yes = None,
                    _ => return false,
                }
                true
            }
        }
    }

    /// Takes pasted text. Whether it is a field for text.
    pub(super) fn paste(&mut self, pasted: &str) -> bool {
        match &mut self.input {
            // The line end behind a line that was copied whole is no part of it.
            Input::Typed(line) => line.insert(pasted.trim_end_matches(['\r', '\n'])),
            Input::Picked(picker) => picker.paste(pasted),
            Input::YesOrNo(_) => return false,
        }
        true
    }
}
