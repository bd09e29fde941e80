//! The inbox on the screen: only what is seen of the list is laid out, however long it is.

use jiff::Timestamp;
use ratatui::layout::{Position, Size};
use ratatui::text::{Line, Span};

use super::sheet::Sheet;
use super::state::{Mode, State};
use super::tasks::Window;
use crate::desk::inbox::{List, Question};
use crate::desk::selection::counted;
use crate::desk::{text, time};
use crate::tui::glyphs;
use crate::tui::header::Rows;
use crate::tui::look::Look;
use crate::tui::screen::Picture;

/// The narrowest that it is drawn for.
const NARROWEST: usize = 20;

/// Columns of the cursor and the mark, and of the time.
const LEAD: usize = 4;
const WAITING: usize = 8;

/// The fewest columns of a message; others give way to it.
const MESSAGE: usize = 26;

/// The most rows that tell of the question at the cursor.
const PREVIEW: usize = 5;

/// What stands around the list.
pub(super) struct Around<'a> {
    /// Where the questions are.
    pub(super) place: &'a str,
    /// What is said wherever something is changed.
    pub(super) guard: Option<&'a str>,
    /// Whether each question's place is shown.
    pub(super) has_several_places: bool,
    /// How many places have not told yet what waits there.
    pub(super) unread: usize,
    /// Whether the second tab was read at all.
    pub(super) has_overview: bool,
    /// What was said meanwhile.
    pub(super) news: Vec<&'a str>,
}

/// Everything, for a screen of that size.
pub(super) fn picture(
    state: &mut State,
    list: &List,
    around: &Around<'_>,
    look: Look,
    size: Size,
) -> Picture {
    let columns = usize::from(size.width).saturating_sub(1).max(NARROWEST);
    let height = usize::from(size.height).max(2) - 1;
    let new = || Rows::new(look, columns);
    let (mut head, mut foot) = (new(), new());
    titles(state, list, around, &mut head);
    let (mut body, cursor) = match &mut state.mode {
        Mode::List | Mode::Filter => {
            preview(state, list, &mut foot, height);
            said(state, around, &mut foot);
            let room = height.saturating_sub(head.lines.len() + foot.lines.len());
            questions(state, list, around, (new(), room))
        }
        Mode::Tasks => {
            said(state, around, &mut foot);
            let room = height.saturating_sub(head.lines.len() + foot.lines.len());
            tasks(state, around, new(), room)
        }
        Mode::Sheet(sheet) => {
            let mut sheet = sheet.clone();
            said(state, around, &mut foot);
            let room = height.saturating_sub(head.lines.len() + foot.lines.len());
            let body = scrolled(&mut sheet, new(), room);
            state.mode = Mode::Sheet(sheet);
            (body, None)
        }
    };
    body.resize(height.saturating_sub(head.lines.len() + foot.lines.len()), Line::default());
    let at_filter = filter_cursor(state, head.lines.len() + body.len() + foot.lines.len(), columns);
    let cursor = at_filter.or(cursor.map(|row| (head.lines.len() + row, 0)));
    let mut rows = head.lines;
    rows.extend(body);
    rows.extend(foot.lines);
    rows.truncate(height);
    Picture { rows, cursor: cursor.and_then(|(row, column)| position(row, column, height)) }
}

fn position(row: usize, column: usize, height: usize) -> Option<Position> {
    let y = u16::try_from(row).ok().filter(|_| row < height)?;
    Some(Position::new(u16::try_from(column).ok()?, y))
}

/// The tabs, how many there are of what, and where.
fn titles(state: &State, list: &List, around: &Around<'_>, head: &mut Rows) {
    let look = head.look;
    if let Some(guard) = around.guard {
        head.wrapped("", guard, |row| look.wrong(row));
    }
    if let Mode::Sheet(sheet) = &state.mode {
        head.wrapped("", &sheet.title, |row| look.bold(row));
        head.empty();
        return;
    }
    let count = list.questions().len();
    let more = if list.has_more() { "+" } else { "" };
    let is_tasks = matches!(state.mode, Mode::Tasks);
    let tab = |words: String, is_here: bool| {
        if is_here { look.bold(format!("[ {words} ]")) } else { look.dim(format!("  {words}  ")) }
    };
    let questions = format!("{count}{more} waiting");
    let tabs = [tab(questions, !is_tasks), Span::raw(" "), tab("tasks and workers".to_owned(), is_tasks)];
    let used: usize = tabs.iter().map(Span::width).sum();
    let room = head.columns.saturating_sub(used + 2);
    let place = if room < 12 { String::new() } else { format!("  {}", glyphs::cut(around.place, room)) };
    head.lines.push(Line::from([tabs.to_vec(), vec![look.dim(place)]].concat()));
    let mut parts = Vec::new();
    if !state.marked.is_empty() {
        parts.push(format!("{} marked, to be answered alike", state.marked.len()));
    }
    if around.unread > 0 && count > 0 {
        parts.push(format!("{} not read yet", counted(around.unread, "place")));
    }
    if !state.filter.is_empty() && !is_tasks {
        parts.push(format!("{} of {count} match: {}", state.shown.len(), text::line(state.filter.text())));
    }
    if parts.is_empty() {
        head.empty();
    } else {
        head.side_by_side("  ", &parts.join(glyphs::BETWEEN), |row| look.warning(row));
    }
}

/// The titles of the columns.
const TITLES: [&str; 5] = ["WAITING", "TOOL", "PLACE", "SESSION", "QUESTION"];

/// How wide each column is.
struct Widths {
    tool: usize,
    session: usize,
    place: usize,
    message: usize,
}

impl Widths {
    /// For the questions that are on the screen. What has no room stands in the preview.
    fn of(questions: &[&Question], columns: usize, has_several_places: bool) -> Self {
        // A column that says something is as wide as its title at least.
        let widest = |of: fn(&Question) -> &str, (title, most): (&str, usize)| {
            let wide = questions.iter().map(|question| glyphs::columns(&glyphs::line(of(question))));
            let wide = wide.max().unwrap_or(0);
            if wide == 0 { 0 } else { wide.clamp(title.len(), most) }
        };
        let room = columns.saturating_sub(LEAD + WAITING + 1 + MESSAGE);
        let with_gap = |wide: usize| if wide == 0 { 0 } else { wide + 1 };
        let tool = widest(|one| &one.tool, (TITLES[1], 20)).min(room.saturating_sub(1));
        let mut left = room.saturating_sub(with_gap(tool));
        let mut fits = |wide: usize, least: usize| {
            let wide = wide.min(left.saturating_sub(1));
            let wide = if wide < least { 0 } else { wide };
            left -= with_gap(wide);
            wide
        };
        let place = if has_several_places { widest(|one| &one.source, (TITLES[2], 20)) } else { 0 };
        let place = fits(place, place.min(7));
        let session = widest(|one| &one.session, (TITLES[3], 16));
        let session = fits(session, session.min(6));
        let used = LEAD + WAITING + 1 + with_gap(tool) + with_gap(place) + with_gap(session);
        Self { tool, session, place, message: columns.saturating_sub(used) }
    }

    fn row(&self, cells: [&str; 5]) -> String {
        let [waiting, tool, place, session, message] = cells;
        let cells = [(waiting, WAITING), (tool, self.tool), (place, self.place), (session, self.session)];
        let filled = cells.into_iter().filter(|(_, wide)| *wide > 0);
        let row: String = filled.map(|(words, wide)| padded(words, wide) + " ").collect();
        row + &glyphs::cut(message, self.message)
    }
}

fn padded(words: &str, wide: usize) -> String {
    let cut = glyphs::cut(words, wide);
    let padding = " ".repeat(wide.saturating_sub(glyphs::columns(&cut)));
    cut + &padding
}

/// The part of the list that fits, and the row of the cursor in it.
fn questions(
    state: &mut State,
    list: &List,
    around: &Around<'_>,
    (mut rows, room): (Rows, usize),
) -> (Vec<Line<'static>>, Option<usize>) {
    let look = rows.look;
    if state.shown.is_empty() {
        let words = match (list.questions().is_empty(), around.unread) {
            (false, _) => "Nothing matches the filter.",
            (true, 0) => "Nothing waits. A new question appears here by itself.",
            (true, _) => "reading the questions …",
        };
        rows.wrapped("  ", words, |row| look.plain(row));
        return (rows.lines, None);
    }
    let fits = room.saturating_sub(1).max(1);
    state.page = fits.saturating_sub(1).max(1);
    let first = first_row(state.at, state.shown.len(), fits, &mut state.top);
    let seen: Vec<&Question> =
        state.shown.iter().skip(first).take(fits).map(|at| &list.questions()[*at]).collect();
    let widths = Widths::of(&seen, rows.columns, around.has_several_places);
    let header = widths.row(TITLES);
    rows.lines.push(Line::from(look.dim(" ".repeat(LEAD) + &header)));
    let now = Timestamp::now();
    for (at, question) in seen.into_iter().enumerate() {
        let is_here = first + at == state.at;
        let bound = if question.may_be_later { "<" } else { "" };
        let since = question.since.map(|since| format!("{bound}{}", time::between(since, now)));
        let since = since.unwrap_or_default();
        let cells = [&since, &question.tool, &question.source, &question.session, &question.message];
        let row = widths.row(cells.map(String::as_str));
        let mark = if state.marked.contains(&question.key) { "* " } else { "  " };
        let row = format!("{}{mark}{row}", if is_here { "> " } else { "  " });
        rows.lines.push(Line::from(if is_here { look.pressed(row) } else { look.plain(row) }));
    }
    (rows.lines, Some(1 + state.at - first))
}

/// The first row that is shown: the list moves only when the cursor leaves what is seen of it.
fn first_row(at: usize, count: usize, fits: usize, top: &mut usize) -> usize {
    *top = (*top).min(count.saturating_sub(fits)).min(at);
    *top = (*top).max((at + 1).saturating_sub(fits));
    *top
}

/// All of the question at the cursor that its row has no room for.
fn preview(state: &State, list: &List, foot: &mut Rows, height: usize) {
    let Some(here) = state.here(list).filter(|_| height >= 12) else { return };
    let (look, now) = (foot.look, Timestamp::now());
    let mut facts = vec![text::line(text::short_id(&here.key.task)), here.tool.clone()];
    facts.extend((!here.session.is_empty()).then(|| format!("session {}", here.session)));
    facts.push(here.source.clone());
    facts.extend((!here.also.is_empty()).then(|| format!("also at {}", here.also.join(", "))));
    facts.extend(here.since.map(|at| format!("asked {}", time::since(at, here.may_be_later, now))));
    facts.extend(here.end.map(|end| end.in_words(now)));
    facts.retain(|fact| !fact.is_empty());
    foot.empty();
    let first = foot.lines.len();
    foot.side_by_side("  ", &facts.join(glyphs::BETWEEN), |row| look.dim(row));
    foot.wrapped("  ", &here.message, |row| look.bold(row));
    let most = PREVIEW.min(height / 4);
    if foot.lines.len() - first > most {
        foot.lines.truncate(first + most - 1);
        foot.lines.push(Line::from(look.dim("  … Enter shows all of it")));
    }
    // The list does not move when the cursor does.
    foot.lines.resize(first + most, Line::default());
}

/// What was said, what is typed, and the keys.
fn said(state: &State, around: &Around<'_>, foot: &mut Rows) {
    let look = foot.look;
    for news in &around.news {
        foot.wrapped("  · ", &text::line(news), |row| look.warning(row));
    }
    if let Some(notice) = &state.notice {
        foot.wrapped("  · ", &text::line(notice), |row| look.bold(row));
    }
    if let Some(busy) = &state.busy {
        foot.wrapped("  … ", busy, |row| look.bold(row));
        return;
    }
    if matches!(state.mode, Mode::Filter) {
        let room = foot.columns.saturating_sub(FILTER.len());
        let (rows, (row, _)) = state.filter.rows(room);
        let typed = rows.into_iter().nth(row).unwrap_or_default();
        foot.side_by_side("  ", "Enter keeps the filter · Esc takes it off", |row| look.dim(row));
        foot.lines.push(Line::from(vec![look.bold(FILTER), Span::raw(typed)]));
        return;
    }
    foot.side_by_side("  ", keys(state), |row| look.dim(row));
}

/// What stands before the words that are filtered by.
const FILTER: &str = "  filter: ";

/// The cursor while a filter is typed: it stands in the last row.
fn filter_cursor(state: &State, rows: usize, columns: usize) -> Option<(usize, usize)> {
    if !matches!(state.mode, Mode::Filter) || state.busy.is_some() {
        return None;
    }
    let (_, (_, column)) = state.filter.rows(columns.saturating_sub(FILTER.len()));
    Some((rows.saturating_sub(1), FILTER.len() + column))
}

/// The keys that do something.
fn keys(state: &State) -> &'static str {
    match &state.mode {
        Mode::Sheet(sheet) if sheet.is_question => "y yes · any other key no · ↑↓ scroll",
        Mode::Sheet(_) => "Esc back · ↑↓ PgUp PgDn scroll",
        Mode::Tasks => "↑↓ choose · Enter show · x cancel · Tab the questions · ? help · q leave",
        _ if state.marked.len() > 1 => {
            "Enter answer the marked alike · Space mark · Esc unmark · ? help · q leave"
        }
        _ => "Enter answer · Space mark · s show · x cancel · / filter · Tab tasks · ? help · q leave",
    }
}

/// The part of the second tab that fits, and the row of the cursor in it.
fn tasks(
    state: &mut State,
    around: &Around<'_>,
    mut rows: Rows,
    room: usize,
) -> (Vec<Line<'static>>, Option<usize>) {
    let (look, fits) = (rows.look, room.saturating_sub(1));
    if !around.has_overview {
        rows.wrapped("  ", "reading the tasks …", |row| look.plain(row));
        return (rows.lines, None);
    }
    let Window { mut shown, cursor, above, below } = state.tasks.window(rows, fits);
    if above + below > 0 {
        shown.resize(fits, Line::default());
        shown.push(Line::from(look.dim(left(above, below))));
    }
    (shown, cursor)
}

fn left(above: usize, below: usize) -> String {
    format!("  {above} rows above, {below} below")
}

/// The part of a text that fits, and what is left of it.
fn scrolled(sheet: &mut Sheet, rows: Rows, room: usize) -> Vec<Line<'static>> {
    let (look, fits) = (rows.look, room.saturating_sub(1));
    let (mut shown, above, below) = sheet.window(rows, fits);
    if above + below > 0 {
        shown.resize(fits, Line::default());
        shown.push(Line::from(look.dim(left(above, below))));
    }
    shown
}
