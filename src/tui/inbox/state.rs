//! What each key does in the inbox. The cursor stays with its question, whatever comes and goes around it.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::help;
use super::sheet::Sheet;
use super::tasks::Tasks;
use crate::desk::inbox::{Key, List, Question, TaskKey};
use crate::tui::keyboard::{self, Burst};
use crate::tui::line::Line;

/// What somebody wants done that is no matter of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Enough.
    Leave,
    /// One question is to be answered.
    Answer(Key),
    /// Several of one form are to be answered alike.
    AnswerAlike(Vec<Key>),
    /// All about a task is to be shown.
    Show(TaskKey),
    /// A task is to be cancelled, which is known by these words.
    Cancel(TaskKey, String),
}

impl Wish {
    /// The place that it is about.
    pub(crate) fn place(&self) -> Option<usize> {
        match self {
            Self::Leave => None,
            Self::Answer(key) => Some(key.place),
            Self::AnswerAlike(keys) => keys.first().map(|key| key.place),
            Self::Show(task) | Self::Cancel(task, _) => Some(task.place),
        }
    }
}

/// What follows from a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Stay,
    Wish(Wish),
    /// What was shown is closed; whether somebody said yes to it.
    Closed(bool),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-Z.
    Suspend,
    /// All is drawn anew.
    Redraw,
}

/// What is on the screen.
#[derive(Debug, Clone, Default)]
pub(super) enum Mode {
    /// The list of questions.
    #[default]
    List,
    /// The same while a filter is typed.
    Filter,
    /// Tasks, workers and what is wrong.
    Tasks,
    /// Something to be read or to be said yes to.
    Sheet(Sheet),
}

/// The inbox as somebody left it.
#[derive(Default)]
pub(crate) struct State {
    pub(super) mode: Mode,
    /// Where the mode goes back to.
    before: Option<Mode>,
    /// What is waited for, in words; keys are not taken for the list meanwhile.
    pub(super) busy: Option<String>,
    pub(super) filter: Line,
    pub(super) marked: BTreeSet<Key>,
    pub(super) tasks: Tasks,
    pub(super) notice: Option<String>,
    /// The questions that the filter leaves, by their place in the list.
    pub(super) shown: Vec<usize>,
    pub(super) at: usize,
    /// The first row that is on the screen.
    pub(super) top: usize,
    cursor: Option<Key>,
    /// Rows of the list on the screen.
    pub(super) page: usize,
    /// Whether what the cursor is at has been drawn.
    pub(super) is_seen: bool,
}

impl State {
    /// Takes note of the list as it is now.
    pub(super) fn settle(&mut self, list: &List) {
        let words: Vec<String> = self.filter.text().split_whitespace().map(str::to_lowercase).collect();
        let questions = list.questions();
        self.shown = (0..questions.len()).filter(|at| questions[*at].has(&words)).collect();
        if !self.marked.is_empty() {
            let there: BTreeSet<&Key> = questions.iter().map(|question| &question.key).collect();
            self.marked.retain(|key| there.contains(key));
        }
        let now = self.cursor.as_ref();
        let found = self.shown.iter().position(|at| now == Some(&questions[*at].key));
        self.at = found.unwrap_or(self.at).min(self.shown.len().saturating_sub(1));
        let next = self.here(list).map(|question| question.key.clone());
        self.is_seen &= next == self.cursor;
        self.cursor = next;
    }

    /// The question that the cursor is at.
    pub(super) fn here<'a>(&self, list: &'a List) -> Option<&'a Question> {
        list.questions().get(*self.shown.get(self.at)?)
    }

    /// Shows something in place of what is there, until it is closed.
    pub(super) fn show(&mut self, sheet: Sheet) {
        let before = std::mem::replace(&mut self.mode, Mode::Sheet(sheet));
        self.before.get_or_insert(before);
        self.is_seen = false;
    }

    /// Does what was done at once.
    pub(super) fn take(&mut self, burst: Burst, list: &List) -> Step {
        let is_one_key = burst.is_one_key;
        let mut redraw = Step::Stay;
        for input in burst.inputs {
            let step = match input {
                keyboard::Input::Key(key) => self.key(key, is_one_key && self.is_seen, list),
                keyboard::Input::Pasted(text) => self.paste(&text),
                keyboard::Input::Resized => Step::Stay,
            };
            match step {
                Step::Stay => {}
                // What was pressed behind it counts as well.
                Step::Redraw => redraw = step,
                _ => return step,
            }
        }
        redraw
    }

    fn paste(&mut self, text: &str) -> Step {
        match self.mode {
            Mode::Filter if self.busy.is_none() => self.filter.insert(&text.replace(['\n', '\r'], " ")),
            _ => self.notice = Some("what was pasted presses nothing here".to_owned()),
        }
        Step::Stay
    }

    /// `is_meant` says whether it is a key alone that was pressed for what is on the screen.
    fn key(&mut self, key: KeyEvent, is_meant: bool, list: &List) -> Step {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Step::Interrupted,
            KeyCode::Char('z') if is_control => return Step::Suspend,
            KeyCode::Char('l') if is_control => return Step::Redraw,
            KeyCode::Esc if self.busy.is_some() => return Step::Closed(false),
            _ if self.busy.is_some() => {
                if matches!(self.mode, Mode::Tasks) {
                    self.tasks.press(key);
                }
                return Step::Stay;
            }
            _ => {}
        }
        match &self.mode {
            Mode::Sheet(_) => return self.in_sheet(key, is_meant),
            Mode::Filter => return self.in_filter(key, list),
            _ => self.notice = None,
        }
        match key.code {
            KeyCode::Char('?') => self.show(help::sheet()),
            KeyCode::Char('q') if is_meant => return Step::Wish(Wish::Leave),
            KeyCode::Tab | KeyCode::BackTab => return self.other_tab(),
            _ if matches!(self.mode, Mode::Tasks) => return self.in_tasks(key, is_meant),
            KeyCode::Esc => return self.escape(),
            _ => return self.in_list(key, is_meant, list),
        }
        Step::Stay
    }

    fn other_tab(&mut self) -> Step {
        self.is_seen = false;
        self.mode = if matches!(self.mode, Mode::Tasks) { Mode::List } else { Mode::Tasks };
        Step::Stay
    }

    fn in_tasks(&mut self, key: KeyEvent, is_meant: bool) -> Step {
        if self.tasks.press(key) {
            self.is_seen = false;
            return Step::Stay;
        }
        match (key.code, self.tasks.here()) {
            (KeyCode::Esc, _) => self.mode = Mode::List,
            (KeyCode::Enter | KeyCode::Char('s'), Some((task, _))) if is_meant => {
                return Step::Wish(Wish::Show(task.clone()));
            }
            (KeyCode::Char('x'), Some((task, words))) if is_meant => {
                return Step::Wish(Wish::Cancel(task.clone(), words.to_owned()));
            }
            (KeyCode::Enter | KeyCode::Char('s' | 'x'), None) => {
                self.notice = Some("↓ chooses a task first".to_owned());
            }
            _ => {}
        }
        Step::Stay
    }

    /// Goes back by one: first the filter, then the marks, then everything.
    fn escape(&mut self) -> Step {
        if !self.filter.is_empty() {
            self.filter.set("");
        } else if self.marked.is_empty() {
            return Step::Wish(Wish::Leave);
        } else {
            self.marked.clear();
        }
        Step::Stay
    }

    fn in_list(&mut self, key: KeyEvent, is_meant: bool, list: &List) -> Step {
        let here = self.here(list);
        match (key.code, here) {
            (KeyCode::Down | KeyCode::Char('j'), _) => self.go(self.at.saturating_add(1), list),
            (KeyCode::Up | KeyCode::Char('k'), _) => self.go(self.at.saturating_sub(1), list),
            (KeyCode::PageDown, _) => self.go(self.at.saturating_add(self.page.max(1)), list),
            (KeyCode::PageUp, _) => self.go(self.at.saturating_sub(self.page.max(1)), list),
            (KeyCode::Home | KeyCode::Char('g'), _) => self.go(0, list),
            (KeyCode::End | KeyCode::Char('G'), _) => self.go(usize::MAX, list),
            (KeyCode::Char('/'), _) => self.mode = Mode::Filter,
            (KeyCode::Char(' '), Some(here)) => self.mark(here, list),
            (KeyCode::Enter, _) if is_meant && self.marked.len() > 1 => {
                return Step::Wish(Wish::AnswerAlike(self.marked_in_order(list)));
            }
            (KeyCode::Enter, Some(here)) if is_meant => {
                let only = self.marked.first().unwrap_or(&here.key);
                return Step::Wish(Wish::Answer(only.clone()));
            }
            (KeyCode::Char('s'), Some(here)) if is_meant => {
                return Step::Wish(Wish::Show(here.key.of_task()));
            }
            (KeyCode::Char('x'), Some(here)) if is_meant => {
                let words = format!("{}: {}", here.tool, here.message);
                return Step::Wish(Wish::Cancel(here.key.of_task(), words));
            }
            _ => {}
        }
        Step::Stay
    }

    fn go(&mut self, to: usize, list: &List) {
        self.at = to.min(self.shown.len().saturating_sub(1));
        self.cursor = self.here(list).map(|question| question.key.clone());
        self.is_seen = false;
    }

    /// Marks a question, or takes its mark off; only those of one form are answered alike.
    fn mark(&mut self, here: &Question, list: &List) {
        let form = self.marked.first().and_then(|key| list.get(key)).and_then(|first| first.form);
        if self.marked.remove(&here.key) {
        } else if here.form.is_none() {
            self.notice = Some("a page is accepted by itself, never with others".to_owned());
            return;
        } else if form.is_some() && form != here.form {
            self.notice = Some("its form is another one than that of those that are marked".to_owned());
            return;
        } else {
            self.marked.insert(here.key.clone());
        }
        self.go(self.at + 1, list);
    }

    fn marked_in_order(&self, list: &List) -> Vec<Key> {
        let keys = list.questions().iter().map(|question| &question.key);
        keys.filter(|key| self.marked.contains(key)).cloned().collect()
    }

    fn in_filter(&mut self, key: KeyEvent, list: &List) -> Step {
        match key.code {
            KeyCode::Enter | KeyCode::Tab => self.mode = Mode::List,
            KeyCode::Esc => {
                self.filter.set("");
                self.mode = Mode::List;
            }
            KeyCode::Down => {
                self.mode = Mode::List;
                self.go(self.at.saturating_add(1), list);
            }
            KeyCode::Up => {
                self.mode = Mode::List;
                self.go(self.at.saturating_sub(1), list);
            }
            _ => {
                self.filter.press(key);
                self.at = 0;
            }
        }
        self.is_seen = false;
        Step::Stay
    }

    fn in_sheet(&mut self, key: KeyEvent, is_meant: bool) -> Step {
        let Mode::Sheet(sheet) = &mut self.mode else { return Step::Stay };
        if sheet.scroll(key) {
            return Step::Stay;
        }
        let is_yes = sheet.is_question && matches!(key.code, KeyCode::Char('y' | 'Y'));
        // Yes counts only from a hand that has seen the question.
        if is_yes && !is_meant {
            return Step::Stay;
        }
        self.mode = self.before.take().unwrap_or_default();
        self.is_seen = false;
        Step::Closed(is_yes)
    }
}
