//! A question's form as it is filled in: what each key does, and what comes of it.

mod closed;
mod letters;
mod pressing;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Map, Value};

use super::entry::{Entry, Input};
use super::keyboard::{self, Burst};
use super::reading::Reading;
use crate::desk::asked::Asked;
use crate::form::{Field, FieldKind, Form, HIDDEN};
use crate::task::{Answer, AskKind};

pub(in crate::tui) use closed::Closed;
pub(crate) use closed::Closing;
use letters::Letters;

/// What the person decided.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer, checked against the form.
    Answer(Answer),
    /// Left open on purpose.
    LeftOpen,
    /// It was closed from elsewhere, and somebody here has read that.
    Closed,
}

/// What is to be done after a key.
#[derive(Debug)]
pub(super) enum Step {
    /// It goes on.
    Stay,
    /// It was decided.
    Reply(Reply),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-Z.
    Suspend,
    /// The text is edited in a program of its own.
    Edit(String),
    /// All is drawn anew.
    Redraw,
    /// All is drawn anew, below what others wrote.
    Continued,
}

/// What can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    Send,
    Decline,
    Cancel,
    Leave,
}

/// Where the next key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Entry(usize),
    Button(usize),
}

/// A question that is being answered.
pub(super) struct Sheet {
    /// `None` where it asks to visit a page.
    pub(super) form: Option<Form>,
    pub(super) entries: Vec<Entry>,
    pub(super) buttons: Vec<Button>,
    pub(super) focus: Focus,
    /// What is said above the buttons.
    pub(super) notice: Option<String>,
    /// What it means to go away without an answer, as a thing to do, and in short.
    pub(super) leaving: (&'static str, &'static str),
    /// Whether it is asked if what was typed shall be lost.
    pub(super) is_leaving: bool,
    /// What became of the question, once it is closed from elsewhere: nothing that is typed goes anywhere from then on.
    pub(super) closed: Option<Closed>,
    /// Whether what has the focus is on the screen: only then it can be meant.
    is_seen: bool,
    /// How far the question has been read.
    pub(super) reading: Reading,
    letters: Letters,
}

impl Sheet {
    /// The form of a question; `form` is `None` for a page.
    pub(super) fn new(asked: &Asked, form: Option<Form>) -> Self {
        let draft = asked.draft.as_ref();
        let entries = match &form {
            Some(form) if form.is_whole => vec![whole(draft)],
            Some(form) => {
                let fields = form.fields.iter().cloned();
                fields
                    .map(|field| Entry::new(field.clone(), draft.and_then(|all| all.get(&field.name))))
                    .collect()
            }
            None => Vec::new(),
        };
        let buttons = match &asked.ask.kind {
            AskKind::Form { .. } => [Button::Send, Button::Decline, Button::Cancel, Button::Leave],
            // Consent takes a step.
            AskKind::Url { .. } => [Button::Leave, Button::Send, Button::Decline, Button::Cancel],
        };
        let focus = if entries.is_empty() { Focus::Button(0) } else { Focus::Entry(0) };
        Self {
            form,
            entries,
            buttons: buttons.to_vec(),
            focus,
            notice: None,
            leaving: (asked.leaving(), asked.leave()),
            is_leaving: false,
            closed: None,
            is_seen: false,
            reading: Reading::default(),
            letters: Letters::default(),
        }
    }

    /// The question was closed from elsewhere: the form stays as it is until that was read.
    pub(super) fn close(&mut self, closing: Closing) {
        let closed = Closed::new(closing, self.is_changed());
        (self.closed, self.notice, self.is_leaving, self.is_seen) = (Some(closed), None, false, false);
    }

    /// How soon it is another one although nothing comes; `None` where it never is.
    pub(super) fn changes_in(&self) -> Option<Duration> {
        match &self.closed {
            Some(closed) => closed.changes_in(),
            None => self.letters.declines_in(),
        }
    }

    /// What follows from time alone.
    pub(super) fn rest(&mut self) -> Step {
        match &self.closed {
            Some(closed) if closed.goes() => Step::Reply(Reply::Closed),
            Some(_) => Step::Stay,
            None => self.declines_by_now().unwrap_or(Step::Stay),
        }
    }

    pub(super) fn is_page(&self) -> bool {
        self.form.is_none()
    }

    /// What has the focus is on the screen now.
    pub(super) fn seen(&mut self) {
        self.is_seen = true;
    }

    /// Whether something was filled in.
    pub(super) fn is_changed(&self) -> bool {
        self.entries.iter().any(Entry::is_changed)
    }

    /// What was filled in, in words; `None` where that is nothing.
    pub(super) fn draft(&self) -> Option<String> {
        let form = self.form.as_ref().filter(|_| self.is_changed())?;
        let one = |entry: &Entry| match (&entry.input, entry.value(form)) {
            _ if entry.field.is_secret => format!("{}={HIDDEN}", entry.field.name),
            (Input::Typed(line), _) => format!("{}={}", entry.field.name, line.text()),
            (_, Ok(Some(value))) => format!("{}={}", entry.field.name, entry.field.write(&value)),
            _ => String::new(),
        };
        let changed = self.entries.iter().filter(|entry| entry.is_changed());
        Some(changed.map(one).collect::<Vec<_>>().join(" "))
    }

    /// Does what was done at once. The first thing that ends the form is the last that is looked at.
    pub(super) fn take(&mut self, burst: Burst) -> Step {
        let is_one_key = burst.is_one_key;
        for input in burst.inputs {
            let step = match input {
                keyboard::Input::Key(key) => self.key(key, is_one_key && self.is_seen),
                keyboard::Input::Pasted(text) => self.paste(&text),
                keyboard::Input::Resized => Step::Stay,
            };
            if !matches!(step, Step::Stay) {
                return step;
            }
        }
        Step::Stay
    }

    /// The text that came back from an editor.
    pub(super) fn edited(&mut self, text: &str) {
        if let Focus::Entry(at) = self.focus
            && let Input::Typed(line) = &mut self.entries[at].input
        {
            line.set("");
            line.insert(text.trim_end_matches('\n'));
        }
    }

    fn paste(&mut self, text: &str) -> Step {
        if let Some(closed) = &mut self.closed {
            closed.typed();
            return Step::Stay;
        }
        (self.is_leaving, self.letters) = (false, Letters::default());
        let is_text = match self.focus {
            Focus::Entry(at) => self.entries[at].paste(text),
            Focus::Button(_) => false,
        };
        self.notice = (!is_text).then(|| "what was pasted presses nothing here".to_owned());
        Step::Stay
    }

    /// `is_meant` says whether it is a key alone that was pressed for what is on the screen.
    fn key(&mut self, key: KeyEvent, is_meant: bool) -> Step {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        self.notice = None;
        match key.code {
            KeyCode::Char('c') if is_control => return Step::Interrupted,
            KeyCode::Char('z') if is_control => return Step::Suspend,
            KeyCode::Char('l') if is_control => return self.redraw(),
            _ if self.closed.is_some() => return self.in_closed(key, is_meant),
            KeyCode::Esc if self.is_leaving => return Step::Reply(Reply::LeftOpen),
            _ if std::mem::take(&mut self.is_leaving) => return Step::Stay,
            KeyCode::Esc => return self.escape(),
            code if self.reads(code) => {}
            KeyCode::Tab => self.go(1),
            KeyCode::BackTab => self.go(-1),
            KeyCode::Char('n') if is_control => self.go(1),
            KeyCode::Char('p') if is_control => self.go(-1),
            _ => {
                if let Some(step) = self.letter(key, is_meant) {
                    return step;
                }
                return match self.focus {
                    Focus::Entry(at) => self.in_entry(at, key, is_meant),
                    Focus::Button(at) => self.on_button(at, key, is_meant),
                };
            }
        }
        Step::Stay
    }

    /// Whether the key scrolls the question. Choices have the same keys, once it has been read.
    fn reads(&mut self, key: KeyCode) -> bool {
        let is_at_choices =
            matches!(self.focus, Focus::Entry(at) if matches!(self.entries[at].input, Input::Picked(_)));
        !(is_at_choices && self.reading.is_whole()) && self.reading.scroll(key)
    }

    fn redraw(&mut self) -> Step {
        if let Some(closed) = &mut self.closed {
            closed.looked_at();
        }
        Step::Redraw
    }

    fn in_closed(&mut self, key: KeyEvent, is_meant: bool) -> Step {
        let is_left = self.closed.as_mut().is_some_and(|closed| closed.is_left_by(key));
        if is_left && is_meant { Step::Reply(Reply::Closed) } else { Step::Stay }
    }

    fn escape(&mut self) -> Step {
        if let Focus::Entry(at) = self.focus
            && let Input::Picked(picker) = &mut self.entries[at].input
            && picker.clear_filter()
        {
            return Step::Stay;
        }
        if self.is_changed() {
            self.is_leaving = true;
            return Step::Stay;
        }
        Step::Reply(Reply::LeftOpen)
    }

    fn in_entry(&mut self, at: usize, key: KeyEvent, is_meant: bool) -> Step {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let entry = &mut self.entries[at];
        match (&entry.input, key.code) {
            (_, KeyCode::Enter) => return self.enter(at),
            (Input::Typed(line), KeyCode::Char('e'))
                if is_control && line.is_at_end() && !entry.field.is_secret =>
            {
                return Step::Edit(line.text().to_owned());
            }
            (Input::YesOrNo(_), KeyCode::Char(letter @ ('y' | 'Y' | 'n' | 'N')))
                if !is_control && is_meant =>
            {
                return self.yes_or_no(at, matches!(letter, 'y' | 'Y'));
            }
            _ => {}
        }
        if !entry.press(key) {
            match key.code {
                KeyCode::Down => self.go(1),
                KeyCode::Up => self.go(-1),
                _ => {}
            }
        }
        Step::Stay
    }

    /// One key answers where nothing else is asked.
    fn yes_or_no(&mut self, at: usize, yes: bool) -> Step {
        if self.entries.len() == 1 && self.is_unread() {
            return Step::Stay;
        }
        self.entries[at].input = Input::YesOrNo(Some(yes));
        if self.entries.len() == 1 {
            return self.send();
        }
        self.go(1);
        Step::Stay
    }

    fn enter(&mut self, at: usize) -> Step {
        let entry = &mut self.entries[at];
        if let Input::Picked(picker) = &mut entry.input {
            picker.take_active();
            picker.clear_filter();
        }
        entry.was_left = true;
        let is_right = self.form.as_ref().is_none_or(|form| self.entries[at].value(form).is_ok());
        if is_right {
            self.go(1);
        }
        Step::Stay
    }

    /// Goes so many steps through fields and buttons, round and round.
    fn go(&mut self, steps: isize) {
        let (fields, all) = (self.entries.len(), self.entries.len() + self.buttons.len());
        let now = match self.focus {
            Focus::Entry(at) => at,
            Focus::Button(at) => fields + at,
        };
        let next = now.checked_add_signed(steps).unwrap_or(all - 1) % all;
        self.focus_on(if next < fields { Focus::Entry(next) } else { Focus::Button(next - fields) });
    }

    /// Goes from the buttons to the last field; where there is none, stays.
    fn go_up(&mut self) {
        if let Some(last) = self.entries.len().checked_sub(1) {
            self.focus_on(Focus::Entry(last));
        }
    }

    fn focus_on(&mut self, focus: Focus) {
        if let Focus::Entry(at) = self.focus {
            let entry = &mut self.entries[at];
            entry.was_left |= entry.is_changed();
            if let Input::Picked(picker) = &mut entry.input
                && !picker.filter().is_empty()
            {
                picker.take_active();
                picker.clear_filter();
            }
        }
        (self.focus, self.is_seen, self.letters) = (focus, false, Letters::default());
    }
}

/// The content of a form whose fields cannot be told.
fn whole(draft: Option<&Map<String, Value>>) -> Entry {
    let field = Field {
        name: "JSON".to_owned(),
        title: None,
        description: Some(crate::form::WHOLE.to_owned()),
        required: true,
        nullable: false,
        default: None,
        kind: FieldKind::Other { takes: "JSON".to_owned() },
        is_secret: false,
    };
    Entry::new(field, draft.map(|draft| Value::Object(draft.clone())).as_ref())
}
