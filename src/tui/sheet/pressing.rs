//! The buttons of a form, and what is sent by them.

use crossterm::event::{KeyCode, KeyEvent};
use serde_json::{Map, Value};

use super::{Button, Focus, Reply, Sheet, Step};
use crate::form::Form;
use crate::task::{Action, Answer, Answerer, joined};
use crate::tui::entry::{Entry, Input};
use crate::tui::reading::UNREAD;

impl Sheet {
    pub(super) fn on_button(&mut self, at: usize, key: KeyEvent, is_meant: bool) -> Step {
        match key.code {
            KeyCode::Enter if is_meant => return self.press(self.buttons[at]),
            // Along the row of buttons, and not down from one to another: Enter after it would press what was not meant.
            // Those of a page stand below each other.
            KeyCode::Right => self.go(1),
            KeyCode::Left => self.go(-1),
            KeyCode::Down if self.form.is_none() => self.go(1),
            KeyCode::Up if self.form.is_none() => self.go(-1),
            KeyCode::Up => self.go_up(),
            _ => {}
        }
        Step::Stay
    }

    fn press(&mut self, button: Button) -> Step {
        match button {
            Button::Send => self.send(),
            Button::Leave => Step::Reply(Reply::LeftOpen),
            Button::Decline => answer(Answer::new(Action::Decline, Answerer::Operator)),
            Button::Cancel => answer(Answer::new(Action::Cancel, Answerer::Operator)),
        }
    }

    /// Declines; where something was filled in, only after another key.
    pub(super) fn decline(&mut self) -> Step {
        if !self.is_changed() {
            return self.press(Button::Decline);
        }
        let decline = self.buttons.iter().position(|button| *button == Button::Decline);
        self.focus_on(Focus::Button(decline.unwrap_or_default()));
        self.notice = Some("Enter declines; what you filled in is not sent".to_owned());
        Step::Stay
    }

    /// What is filled in where that is another thing than the form began with, for one who asks the same anew. What is not
    /// right yet is kept as the text that it is.
    pub(in crate::tui) fn filled(&self) -> Option<Map<String, Value>> {
        let form = self.form.as_ref().filter(|_| self.is_changed())?;
        if form.is_whole {
            return Some(self.content(form)).filter(|content| !content.is_empty());
        }
        let value = |entry: &Entry| match (&entry.input, entry.value(form)) {
            (_, Ok(Some(value))) => Some(value),
            (Input::Typed(line), _) => Some(line.text().into()),
            _ => None,
        };
        let changed = self.entries.iter().filter(|entry| entry.is_changed());
        Some(changed.filter_map(|entry| Some((entry.field.name.clone(), value(entry)?))).collect())
    }

    /// Sends what is filled in, or goes to what is wrong with it.
    pub(super) fn send(&mut self) -> Step {
        if self.is_unread() {
            return Step::Stay;
        }
        let Some(form) = &self.form else {
            return answer(Answer::new(Action::Accept, Answerer::Operator));
        };
        self.entries.iter_mut().for_each(|entry| entry.was_left = true);
        let wrong: Vec<usize> =
            (0..self.entries.len()).filter(|at| self.entries[*at].value(form).is_err()).collect();
        if let Some(first) = wrong.first() {
            let fields = if wrong.len() == 1 { "1 field is" } else { &format!("{} fields are", wrong.len()) };
            let notice = format!("nothing was sent: {fields} not right yet");
            self.focus_on(Focus::Entry(*first));
            self.notice = Some(notice);
            return Step::Stay;
        }
        let content = self.content(form);
        match form.violations(&content).as_slice() {
            [] => answer(Answer::accept(content, Answerer::Operator)),
            violations => {
                self.notice = Some(format!("nothing was sent: {}", joined(violations)));
                Step::Stay
            }
        }
    }

    /// Whether some of the question was never on the screen, which is said.
    pub(super) fn is_unread(&mut self) -> bool {
        let is_unread = !self.reading.is_whole();
        if is_unread {
            self.notice = Some(UNREAD.to_owned());
        }
        is_unread
    }

    /// What is sent, in the order of the form.
    fn content(&self, form: &Form) -> Map<String, Value> {
        let value = |entry: &Entry| entry.value(form).ok().flatten();
        if form.is_whole {
            let whole = self.entries.first().and_then(value);
            return whole.and_then(|whole| whole.as_object().cloned()).unwrap_or_default();
        }
        self.entries.iter().filter_map(|entry| Some((entry.field.name.clone(), value(entry)?))).collect()
    }
}

fn answer(answer: Answer) -> Step {
    Step::Reply(Reply::Answer(answer))
}
