//! A form on the screen. What does not fit is scrolled: the field that has the focus is always there, and so are the
//! buttons and the keys that do something.

use ratatui::layout::{Position, Size};
use ratatui::text::{Line, Span};

use super::entry::{Entry, Input};
use super::glyphs;
use super::header::{self, Head, Rows};
use super::look::Look;
use super::reading::Reading;
use super::screen::Picture;
use super::sheet::{Button, Closed, Focus, Sheet};
use crate::desk::asked::Asked;
use crate::desk::text;

/// The narrowest that a form is drawn for.
const NARROWEST: usize = 20;

/// Rows that a value takes while another field has the focus.
const RESTING: usize = 3;

/// Rows that each of several news takes.
const NEWS: usize = 2;

/// What stands before the row that has the focus, and before the others.
const MARK: (&str, &str) = ("> ", "  ");

/// The fields, and where the cursor is among their rows.
struct Body {
    rows: Rows,
    cursor: Option<(usize, usize)>,
    /// Columns of the labels.
    labels: usize,
    /// The choices that fit.
    choices: usize,
}

/// The whole form for a screen of that size. `news` is what was said meanwhile.
pub(super) fn picture(sheet: &mut Sheet, asked: &Asked, news: &[&str], look: Look, size: Size) -> Picture {
    let columns = usize::from(size.width).saturating_sub(1).max(NARROWEST);
    let height = usize::from(size.height).max(2) - 1;
    let (head, mut question) = (Head::of(asked, look, columns), Rows::new(look, columns));
    header::question(asked, &mut question);
    let body = Body::of(sheet, Rows::new(look, columns), height);
    let (foot, pressed) = foot(sheet, news, Rows::new(look, columns));
    let cursor = match sheet.focus {
        _ if sheet.closed.is_some() => (true, Some(pressed)),
        Focus::Entry(_) => (false, body.cursor),
        Focus::Button(_) => (true, Some(pressed)),
    };
    let parts = [question.lines, body.rows.lines, foot.lines];
    stacked(head, parts, cursor, &mut sheet.reading, (columns, height), look)
}

/// The parts below each other, each as high as there is room. The cursor is in the fields or in the foot.
fn stacked(
    head: Head,
    parts: [Vec<Line<'static>>; 3],
    (in_foot, cursor): (bool, Option<(usize, usize)>),
    reading: &mut Reading,
    (columns, height): (usize, usize),
    look: Look,
) -> Picture {
    let [mut question, mut body, foot] = parts;
    let least = body.len().min(4);
    let room = height.saturating_sub(foot.len());
    // Who asks and until when stays beside a long question, which is scrolled.
    let for_head = head.len().min(room / 3).max(1);
    let for_question = room.saturating_sub(least + for_head).max(2).min(room);
    reading.window(&mut question, for_question, columns, look);
    let left = room.saturating_sub(question.len());
    let is_airy = left >= head.len() + body.len() + 3;
    let for_head = left.saturating_sub(body.len() + usize::from(is_airy) * 3).max(head.least());
    let head = head.within(for_head.min(left.saturating_sub(least)));
    let for_body = left.saturating_sub(head.len());
    let first = window(body.len(), for_body, cursor.filter(|_| !in_foot).map(|(row, _)| row), in_foot);
    body = body.into_iter().skip(first).take(for_body).collect();
    let gap = || is_airy.then(Line::default);
    let mut rows: Vec<Line<'static>> = head.into_iter().chain(gap()).chain(question).chain(gap()).collect();
    let body_at = rows.len();
    let has_body = !body.is_empty();
    rows.extend(body.into_iter().chain(gap().filter(|_| has_body)));
    let foot_at = rows.len();
    rows.extend(foot);
    let cursor = cursor.and_then(|(row, column)| {
        let y = if in_foot { foot_at + row } else { body_at + row.checked_sub(first)? };
        Some(Position::new(u16::try_from(column).ok()?, u16::try_from(y).ok().filter(|_| y < height)?))
    });
    rows.truncate(height);
    Picture { rows, cursor }
}

/// The first row that is shown of so many, so that the cursor's and those around it are.
fn window(count: usize, room: usize, cursor: Option<usize>, at_end: bool) -> usize {
    let last = count.saturating_sub(room);
    match cursor {
        Some(row) => row.saturating_sub(room / 2).min(last),
        None if at_end => last,
        None => 0,
    }
}

impl Body {
    fn of(sheet: &mut Sheet, rows: Rows, height: usize) -> Self {
        let widest = sheet.entries.iter().map(|entry| glyphs::columns(&glyphs::line(&entry.label()))).max();
        let labels = widest.unwrap_or(0).min(rows.columns / 3);
        let mut body = Self { rows, cursor: None, labels, choices: (height / 3).max(2) };
        let count = sheet.entries.len();
        if count > 1 {
            let look = body.rows.look;
            let now = match sheet.focus {
                Focus::Entry(at) => format!("{} of {count}", at + 1),
                Focus::Button(_) => format!("{count} of {count}"),
            };
            body.rows.wrapped("", &now, |row| look.dim(row));
        }
        let focus = sheet.focus;
        let form = sheet.form.as_ref();
        for (at, entry) in sheet.entries.iter_mut().enumerate() {
            let problem = form.and_then(|form| entry.problem(form));
            body.entry(entry, focus == Focus::Entry(at), problem.as_deref());
            if focus == Focus::Entry(at) {
                body.explain(entry);
            }
        }
        body
    }

    /// Where values begin.
    fn indent(&self) -> usize {
        MARK.0.len() + self.labels + 2
    }

    /// The field with its value, what is wrong with that beside it, and then its choices.
    fn entry(&mut self, entry: &mut Entry, is_active: bool, problem: Option<&str>) {
        let (indent, look) = (self.indent(), self.rows.look);
        let room = self.rows.columns.saturating_sub(indent);
        let label = glyphs::cut(&entry.label(), self.labels);
        let padding = " ".repeat(self.labels.saturating_sub(glyphs::columns(&label)) + 2);
        let label = if is_active { look.bold(label) } else { look.plain(label) };
        let mark = if is_active { MARK.0 } else { MARK.1 };
        let mut lead = Some(vec![Span::raw(mark), label, Span::raw(padding)]);
        let (values, cursor) = value(entry, is_active, room);
        let top = self.rows.lines.len();
        for value in values {
            let mut row = lead.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(indent))]);
            row.push(if value.is_said { look.plain(value.text) } else { look.dim(value.text) });
            self.rows.lines.push(Line::from(row));
        }
        if let Some(problem) = problem {
            self.problem(problem);
        }
        if is_active {
            self.cursor = cursor.map(|(row, column)| (top + row, indent + column));
            if let Input::Picked(picker) = &mut entry.input {
                self.choices(picker, cursor.is_none());
            }
        }
    }

    /// The choices that match; the cursor is at the one that is pointed at, unless it is in the filter.
    fn choices(&mut self, picker: &mut super::picker::Picker, has_cursor: bool) {
        let (indent, look, count) = (self.indent().min(6), self.rows.look, picker.count());
        let (matching, takes_several, most) = (picker.matching().len(), picker.takes_several(), self.choices);
        for choice in picker.page(most) {
            let sign = match (takes_several, choice.is_chosen) {
                (true, true) => "[x] ",
                (true, false) => "[ ] ",
                (false, true) => "(x) ",
                (false, false) => "( ) ",
            };
            let mark = if choice.is_active { MARK.0 } else { MARK.1 };
            let lead = format!("{}{mark}{sign}", " ".repeat(indent));
            if choice.is_active && has_cursor {
                self.cursor = Some((self.rows.lines.len(), indent));
            }
            let is_active = choice.is_active;
            let title = choice.title.to_owned();
            self.rows.wrapped(&lead, &title, |row| if is_active { look.bold(row) } else { look.plain(row) });
        }
        if matching < count || count > most {
            let lead = " ".repeat(indent + MARK.1.len());
            self.rows.wrapped(&lead, &format!("{matching} of {count} match"), |row| look.dim(row));
        }
    }

    /// What is to be known of the field that has the focus.
    fn explain(&mut self, entry: &Entry) {
        let (look, lead) = (self.rows.look, " ".repeat(self.indent().min(6)));
        let label = entry.label();
        if glyphs::columns(&glyphs::line(&label)) > self.labels {
            self.rows.wrapped(&lead, &label, |row| look.plain(row));
        }
        for line in entry.field.description.as_deref().map(text::block).unwrap_or_default() {
            self.rows.wrapped(&lead, &line, |row| look.plain(row));
        }
        let rules = text::line(&entry.field.rules());
        if !rules.is_empty() && rules != "JSON" {
            self.rows.wrapped(&lead, &rules, |row| look.dim(row));
        }
    }

    /// What is wrong, beside the value where there is room.
    fn problem(&mut self, problem: &str) {
        let (look, problem) = (self.rows.look, format!("! {}", text::line(problem)));
        let columns = self.rows.columns;
        if let Some(last) = self.rows.lines.last_mut()
            && last.width() + 2 + glyphs::columns(&problem) <= columns
        {
            last.push_span(Span::raw("  "));
            last.push_span(look.wrong(problem));
            return;
        }
        let lead = " ".repeat(self.indent().min(6));
        self.rows.wrapped(&lead, &problem, |row| look.wrong(row));
    }
}

/// A row of a value; `is_said` is false for what stands in place of one.
struct Value {
    text: String,
    is_said: bool,
}

fn said(text: impl Into<String>) -> Value {
    Value { text: text.into(), is_said: true }
}

fn unsaid(text: &str) -> Value {
    Value { text: text.to_owned(), is_said: false }
}

/// The rows of a field's value, and the cursor in them.
fn value(entry: &Entry, is_active: bool, room: usize) -> (Vec<Value>, Option<(usize, usize)>) {
    match &entry.input {
        Input::Typed(line) if line.is_empty() && !is_active => (vec![unsaid("(empty)")], None),
        Input::Typed(line) => {
            let (mut rows, cursor) =
                if entry.field.is_secret { line.hidden().rows(room) } else { line.rows(room) };
            if !is_active && rows.len() > RESTING {
                let more = rows.len() - RESTING;
                rows.truncate(RESTING);
                rows.push(format!("… {more} more rows"));
            }
            (rows.into_iter().map(said).collect(), Some(cursor))
        }
        Input::YesOrNo(yes) => {
            let value = match yes {
                Some(true) => said("yes"),
                Some(false) => said("no"),
                None if entry.field.empty().is_some() => unsaid("(none)"),
                None if entry.field.may_be_empty() => unsaid("(skip)"),
                None => unsaid("(not answered)"),
            };
            (vec![value], Some((0, 0)))
        }
        Input::Picked(picker) if is_active && !picker.filter().is_empty() => {
            let (rows, (row, column)) = picker.filter().rows(room.saturating_sub(FILTER.len()));
            let row = rows.into_iter().nth(row).unwrap_or_default();
            (vec![said(format!("{FILTER}{row}"))], Some((0, FILTER.len() + column)))
        }
        Input::Picked(picker) => {
            let titles = picker.chosen_titles().join(", ");
            let shown = match (picker.takes_several(), titles.is_empty()) {
                (false, true) => return (vec![unsaid("(not chosen)")], None),
                (false, false) => titles,
                (true, true) => format!("0 of {} chosen", picker.count()),
                (true, false) => {
                    format!("{} of {} chosen: {titles}", picker.chosen().len(), picker.count())
                }
            };
            let rows = glyphs::wrap(&shown, room);
            (rows.into_iter().map(said).collect(), None)
        }
    }
}

/// What stands before the words that choices are filtered by.
const FILTER: &str = "filter: ";

/// Notices, buttons and keys; and where the button is that has the focus.
fn foot(sheet: &Sheet, news: &[&str], mut rows: Rows) -> (Rows, (usize, usize)) {
    let look = rows.look;
    // What is away elsewhere does not take the form's room.
    let most = if news.len() > 1 { NEWS } else { usize::MAX };
    for news in news {
        let most = rows.lines.len().saturating_add(most);
        rows.wrapped("  · ", &text::line(news), |row| look.warning(row));
        if rows.lines.len() > most {
            rows.lines.truncate(most);
            rows.lines.push(Line::from(look.warning("    …")));
        }
    }
    if let Some(notice) = &sheet.notice {
        rows.wrapped("  ! ", &text::line(notice), |row| look.wrong(row));
    }
    if sheet.is_leaving {
        let (first, rest) = sheet.leaving.0.split_at(1);
        let question = format!(
            "{}{rest}? What you filled in is lost. Esc leaves, any other key goes on.",
            first.to_uppercase()
        );
        rows.wrapped("  ! ", &question, |row| look.wrong(row));
    }
    if let Some(closed) = &sheet.closed {
        return (rows_of_closed(closed, rows), (0, 0));
    }
    let at = buttons(sheet, &mut rows);
    let keys = format!("Esc {} · {}", sheet.leaving.0, keys(sheet));
    rows.side_by_side("  ", &keys, |row| look.dim(row));
    (rows, at)
}

/// What became of the question, and how its form is left.
fn rows_of_closed(closed: &Closed, mut rows: Rows) -> Rows {
    let look = rows.look;
    rows.wrapped("  ! ", &text::line(&closed.words), |row| look.wrong(row));
    let leaving = if closed.can_be_left() {
        "This form is closed, and what is typed goes nowhere. Enter or Esc leaves it."
    } else {
        "What is typed for it goes nowhere any more, nor does an Enter of the first moment."
    };
    let by_itself = closed
        .goes_after
        .map(|after| format!(" By itself it goes after {} s without a key.", after.as_secs()));
    let words = format!("{leaving}{}", by_itself.unwrap_or_default());
    rows.wrapped("  ", &words, |row| look.plain(row));
    rows
}

fn buttons(sheet: &Sheet, rows: &mut Rows) -> (usize, usize) {
    let (look, mut at) = (rows.look, (0, 0));
    let mut row: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (index, button) in sheet.buttons.iter().enumerate() {
        let is_active = sheet.focus == Focus::Button(index);
        let label = format!("[ {} ]", words(*button, sheet));
        let wide = MARK.0.len() + glyphs::columns(&label);
        if used > 0 && (sheet.is_page() || used + 2 + wide > rows.columns) {
            rows.lines.push(Line::from(std::mem::take(&mut row)));
            used = 0;
        }
        if used > 0 {
            row.push(Span::raw("  "));
            used += 2;
        }
        if is_active {
            at = (rows.lines.len(), used);
        }
        row.push(Span::raw(if is_active { MARK.0 } else { MARK.1 }));
        row.push(if is_active { look.pressed(label) } else { look.plain(label) });
        used += wide;
    }
    rows.lines.push(Line::from(row));
    at
}

fn words(button: Button, sheet: &Sheet) -> &'static str {
    match (button, sheet.is_page()) {
        (Button::Send, false) => "Send",
        (Button::Send, true) => "Accept: I trust this host, and open the page myself",
        (Button::Decline, false) => "Decline",
        (Button::Decline, true) => "Decline: say no",
        (Button::Cancel, false) => "Dismiss",
        (Button::Cancel, true) => "Dismiss: decide nothing",
        (Button::Leave, _) => sheet.leaving.1,
    }
}

/// The keys that do something where the focus is, behind the way out.
fn keys(sheet: &Sheet) -> &'static str {
    match sheet.focus {
        Focus::Button(_) if sheet.entries.is_empty() => "Enter presses · arrows move · d decline",
        Focus::Button(_) => "Enter presses · Tab, Shift-Tab move · d decline",
        Focus::Entry(at) => match &sheet.entries[at].input {
            Input::Typed(_) => "Enter next · Tab, Shift-Tab move · Ctrl-E editor",
            Input::YesOrNo(_) => "y yes · n no · d decline · Tab, Shift-Tab move",
            Input::Picked(picker) if picker.takes_several() => {
                "Space chooses · type to filter · Enter next · Tab, Shift-Tab move"
            }
            Input::Picked(_) => "↑↓ choose · type to filter · Enter next · Tab, Shift-Tab move",
        },
    }
}
