//! Lists from which one or several are chosen, with the arrow keys or by their numbers. Each drawing is counted in columns
//! and rows, so that taking it off the screen again takes nothing else with it; a terminal that cannot move its cursor gets
//! the list anew, below.

use std::io;
use std::ops::Range;

use dialoguer::console::{Key, Term};
use dialoguer::theme::Theme;

use super::keyboard::{Input, Keyboard, Purpose};
use super::line::rendered;
use super::prompt::Stopped;
use super::{flow, width};

/// What stands before a title: the sign of the active one, and the box where several can be chosen.
const BEFORE: (usize, usize) = (2, 6);

/// The narrowest that titles are wrapped to, however narrow the terminal.
const NARROWEST: usize = 8;

/// A list. What is in it must be safe on a terminal.
pub(super) struct List<'a> {
    pub(super) theme: &'a dyn Theme,
    pub(super) prompt: &'a str,
    pub(super) titles: &'a [String],
    /// How many are on the screen at most; the others are scrolled to.
    pub(super) at_once: usize,
    /// Whether the choice stays on the screen.
    pub(super) report: bool,
}

impl List<'_> {
    /// The one that is chosen.
    pub(super) fn one(&self, keyboard: &mut Keyboard, first: usize) -> Result<usize, Stopped> {
        let mut screen = Drawn::new(self, first, None, keyboard.is_plain())?;
        loop {
            screen.draw_before(keyboard)?;
            match screen.next(keyboard)? {
                Key::Enter | Key::Char(' ') => {
                    screen.clear()?;
                    let title = &self.titles[screen.active];
                    self.say(&rendered(|f| {
                        self.theme.format_select_prompt_selection(f, self.prompt, title)
                    }))?;
                    return Ok(screen.active);
                }
                key => screen.go(&key),
            }
        }
    }

    /// Those that are chosen; `checked` says which were before.
    pub(super) fn several(&self, keyboard: &mut Keyboard, checked: Vec<bool>) -> Result<Vec<usize>, Stopped> {
        let mut screen = Drawn::new(self, 0, Some(checked), keyboard.is_plain())?;
        loop {
            screen.draw_before(keyboard)?;
            match screen.next(keyboard)? {
                Key::Enter => {
                    screen.clear()?;
                    let chosen = screen.chosen();
                    let titles: Vec<&str> = chosen.iter().map(|index| self.titles[*index].as_str()).collect();
                    self.say(&rendered(|f| {
                        self.theme.format_multi_select_prompt_selection(f, self.prompt, &titles)
                    }))?;
                    return Ok(chosen);
                }
                Key::Char(' ') => screen.toggle(),
                Key::Char('a') => screen.toggle_all(),
                key => screen.go(&key),
            }
        }
    }

    fn say(&self, line: &str) -> io::Result<()> {
        if self.report { Term::stderr().write_line(line) } else { Ok(()) }
    }
}

/// A list on the screen.
struct Drawn<'a> {
    list: &'a List<'a>,
    term: Term,
    active: usize,
    checked: Option<Vec<bool>>,
    /// The number that is being typed, of the one that is wanted.
    typed: usize,
    /// Whether the terminal cannot move its cursor.
    is_plain: bool,
    /// The titles that were drawn last.
    page: Range<usize>,
    /// How many columns each line takes that is on the screen.
    lines: Vec<usize>,
}

impl<'a> Drawn<'a> {
    fn new(
        list: &'a List<'a>,
        active: usize,
        checked: Option<Vec<bool>>,
        is_plain: bool,
    ) -> io::Result<Self> {
        let term = Term::stderr();
        term.hide_cursor()?;
        Ok(Self { list, term, active, checked, typed: 0, is_plain, page: 0..0, lines: Vec::new() })
    }

    /// The next key. A paste is none, and after a stop all is drawn anew below what the shell has said.
    fn next(&mut self, keyboard: &mut Keyboard) -> Result<Key, Stopped> {
        match keyboard.next(Purpose::Choice)? {
            Input::Key(Key::Escape | Key::Char('q')) => {
                self.clear()?;
                Err(Stopped::Escape)
            }
            Input::Key(key) => Ok(key),
            Input::Pasted(_) => Ok(Key::Unknown),
            Input::Resumed => {
                self.lines.clear();
                self.term.hide_cursor()?;
                Ok(Key::Unknown)
            }
        }
    }

    fn go(&mut self, key: &Key) {
        let count = self.list.titles.len();
        if let Key::Char(digit @ '0'..='9') = key {
            self.typed = wanted(self.typed, *digit, count);
            self.active = self.typed.checked_sub(1).unwrap_or(self.active);
            return;
        }
        self.typed = 0;
        self.active = match key {
            Key::ArrowDown | Key::Tab | Key::Char('j') => (self.active + 1) % count,
            Key::ArrowUp | Key::BackTab | Key::Char('k') => (self.active + count - 1) % count,
            Key::ArrowRight | Key::PageDown | Key::Char('l') => self.page.end % count,
            Key::ArrowLeft | Key::PageUp | Key::Char('h') => (self.page.start + count - 1) % count,
            Key::Home => 0,
            Key::End => count - 1,
            _ => self.active,
        };
    }

    fn toggle(&mut self) {
        let active = self.active;
        if let Some(checked) = self.checked.as_mut().and_then(|checked| checked.get_mut(active)) {
            *checked = !*checked;
        }
    }

    fn toggle_all(&mut self) {
        if let Some(checked) = &mut self.checked {
            let all = checked.iter().all(|one| *one);
            checked.fill(!all);
        }
    }

    fn chosen(&self) -> Vec<usize> {
        let checked = self.checked.as_deref().unwrap_or_default();
        checked.iter().enumerate().filter(|(_, checked)| **checked).map(|(index, _)| index).collect()
    }

    /// Draws unless a key is there already that changes it again.
    fn draw_before(&mut self, keyboard: &Keyboard) -> io::Result<()> {
        if keyboard.has_more() { Ok(()) } else { self.draw() }
    }

    /// Draws over the last drawing.
    fn draw(&mut self) -> io::Result<()> {
        self.erase()?;
        let (rows, columns) = self.term.size();
        let digits = self.list.titles.len().to_string().len();
        let before = if self.checked.is_some() { BEFORE.1 } else { BEFORE.0 } + digits + 1;
        // The last column stays free: some terminals go to the next line once it is filled.
        let room = usize::from(columns).saturating_sub(before + 1).max(NARROWEST);
        let titles: Vec<Vec<String>> = self.list.titles.iter().map(|title| flow::wrap(title, room)).collect();
        let heights: Vec<usize> = titles.iter().map(Vec::len).collect();
        let above = flow::wrap(self.list.prompt, usize::from(columns).saturating_sub(1).max(NARROWEST)).len();
        let rows = usize::from(rows).saturating_sub(above + 2).max(1);
        self.page = page(&heights, self.active, (rows, self.list.at_once));
        let mut text = self.prompt();
        for index in self.page.clone() {
            let indent = format!("\n{}", " ".repeat(before));
            let shown = titles[index].iter().take(rows).cloned().collect::<Vec<_>>().join(&indent);
            let numbered = format!("{:>digits$} {shown}", index + 1);
            text = format!("{text}\n{}", self.item(index, &numbered));
        }
        self.lines = text.lines().map(width::columns).collect();
        self.term.write_line(&text)
    }

    fn prompt(&self) -> String {
        let (theme, prompt) = (self.list.theme, self.list.prompt);
        let mut text = rendered(|f| match self.checked {
            Some(_) => theme.format_multi_select_prompt(f, prompt),
            None => theme.format_select_prompt(f, prompt),
        });
        let count = self.list.titles.len();
        if self.page.len() < count {
            text = format!("{text} ({} to {} of {count})", self.page.start + 1, self.page.end);
        }
        text
    }

    fn item(&self, index: usize, title: &str) -> String {
        let (theme, is_active) = (self.list.theme, index == self.active);
        rendered(|f| match &self.checked {
            Some(checked) => theme.format_multi_select_prompt_item(f, title, checked[index], is_active),
            None => theme.format_select_prompt_item(f, title, is_active),
        })
    }

    /// Takes the drawing off the screen. A terminal that has become narrower shows a line as several rows.
    fn erase(&mut self) -> io::Result<()> {
        if self.is_plain {
            return Ok(());
        }
        let columns = usize::from(self.term.size().1).max(1);
        let rows = self.lines.drain(..).map(|line| line.div_ceil(columns).max(1)).sum();
        self.term.clear_last_lines(rows)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.erase()?;
        self.term.show_cursor()
    }
}

/// The number that is meant, from 1 to `count`, once a further digit was typed: a longer one, else one that begins anew.
/// 0 where there is none.
fn wanted(typed: usize, digit: char, count: usize) -> usize {
    let digit = digit.to_digit(10).unwrap_or(0) as usize;
    let longer = typed.saturating_mul(10).saturating_add(digit);
    [longer, digit].into_iter().find(|number| (1..=count).contains(number)).unwrap_or(0)
}

/// The page that the active one is on: as many as fit into so many rows, and no more than so many.
fn page(heights: &[usize], active: usize, (rows, most): (usize, usize)) -> Range<usize> {
    let (mut start, mut filled) = (0, 0);
    for (index, height) in heights.iter().enumerate() {
        if index > start && (filled + height > rows || index - start >= most) {
            if active < index {
                return start..index;
            }
            (start, filled) = (index, 0);
        }
        filled += height;
    }
    start..heights.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_grows_as_long_as_there_are_so_many() {
        assert_eq!((wanted(0, '1', 12), wanted(1, '2', 12), wanted(1, '3', 12)), (1, 12, 3));
        assert_eq!((wanted(0, '0', 12), wanted(1, '0', 12), wanted(0, '5', 4)), (0, 10, 0));
    }

    #[test]
    fn a_page_is_as_long_as_its_rows_fit() {
        let heights = [1, 2, 1, 3, 1];
        assert_eq!(page(&heights, 0, (8, 15)), 0..5);
        assert_eq!(page(&heights, 0, (3, 15)), 0..2);
        assert_eq!(page(&heights, 2, (3, 15)), 2..3);
        assert_eq!(page(&heights, 4, (3, 15)), 4..5);
        assert_eq!(page(&heights, 3, (1, 15)), 3..4, "one that is too high is alone");
        assert_eq!(page(&heights, 2, (8, 2)), 2..4);
    }
}
