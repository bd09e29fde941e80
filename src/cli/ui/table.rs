//! Tables for people.

use jiff::Timestamp;

use super::flow::{Piece, hanging};
use super::width::{columns, cut, padded};
use super::{Paint, Ui};

/// Columns stand so far apart.
const GAP: usize = 2;

/// The least room for the last column; where there is less, the column that is worth least goes.
const LAST: usize = 24;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its header.
    pub(crate) name: &'static str,
    /// The most columns of a terminal that it takes.
    pub(crate) most: usize,
    /// What is worth less goes first where a terminal is narrow; what is worth [`Column::STAYS`] never does.
    pub(crate) worth: u8,
}

impl Column {
    /// The worth of a column that is always shown.
    pub(crate) const STAYS: u8 = u8::MAX;

    /// One that is always shown, as wide as it needs to be.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, most: usize::MAX, worth: Self::STAYS }
    }

    /// One that takes at most so much, and goes before those that are worth more.
    pub(crate) const fn within(name: &'static str, most: usize, worth: u8) -> Self {
        Self { name, most, worth }
    }
}

/// A row. Its texts are safe on a terminal and may be coloured.
pub(crate) struct TableRow {
    /// One for each column but the last.
    pub(crate) cells: Vec<String>,
    /// The last column's, which takes what room is left.
    pub(crate) last: String,
    /// Whether the last one is shown whole, on several lines.
    pub(crate) is_whole: bool,
}

/// Rows under a header. In a pipe a row is one line and nothing is cut; a terminal's width is kept.
pub(crate) fn table(ui: &Ui, header: &[Column], rows: Vec<TableRow>) -> Vec<String> {
    lines(header, rows, ui.out_columns(), ui.paint())
}

/// A column, and its cell of a row.
pub(crate) type Cell<T> = (Column, fn(&T, Timestamp, Paint) -> String);

/// A [`table`] of these columns, without those that say nothing of any row. The last column's text comes with whether it is
/// shown whole.
pub(crate) fn table_of<T>(
    ui: &Ui,
    rows: &[T],
    columns: impl IntoIterator<Item = Cell<T>>,
    (last, text): (Column, impl Fn(&T) -> (String, bool)),
) -> Vec<String> {
    let now = Timestamp::now();
    let says = |(_, cell): &Cell<T>| rows.iter().any(|row| !cell(row, now, Paint::new(false)).is_empty());
    let columns: Vec<Cell<T>> = columns.into_iter().filter(says).collect();
    let header: Vec<_> = columns.iter().map(|(column, _)| *column).chain([last]).collect();
    let row = |row: &T| {
        let (last, is_whole) = text(row);
        let cells = columns.iter().map(|(_, cell)| cell(row, now, ui.paint())).collect();
        TableRow { cells, last, is_whole }
    };
    table(ui, &header, rows.iter().map(row).collect())
}

fn lines(header: &[Column], mut rows: Vec<TableRow>, room: Option<usize>, paint: Paint) -> Vec<String> {
    let Some((last, before)) = header.split_last() else { return Vec::new() };
    if room.is_some() {
        for row in &mut rows {
            row.cells.iter_mut().zip(before).for_each(|(cell, column)| bound(cell, column.most));
        }
    }
    let widths: Vec<usize> = before
        .iter()
        .enumerate()
        .map(|(at, column)| {
            rows.iter().map(|row| columns(&row.cells[at])).fold(columns(column.name), usize::max)
        })
        .collect();
    let shown = shown(before, &widths, &rows, room);
    let lead = |cells: &[String]| -> String {
        shown.iter().map(|at| padded(&cells[*at], widths[*at] + GAP)).collect()
    };
    let names: Vec<String> = before.iter().map(|column| column.name.to_owned()).collect();
    let first = format!("{}{}", lead(&names), last.name);
    let body = rows.iter().flat_map(|row| row_lines(&lead(&row.cells), row, room));
    std::iter::once(paint.dim(first.trim_end())).chain(body).collect()
}

/// A cell that has colours is never too long: only our own words have any.
fn bound(cell: &mut String, most: usize) {
    if columns(cell) > most {
        *cell = cut(cell, most);
    }
}

/// The columns that there is room for beside the last one.
fn shown(before: &[Column], widths: &[usize], rows: &[TableRow], room: Option<usize>) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..before.len()).collect();
    let Some(room) = room else { return shown };
    let wanted = rows.iter().map(|row| columns(&row.last)).max().unwrap_or_default().min(LAST);
    loop {
        let taken: usize = shown.iter().map(|at| widths[*at] + GAP).sum();
        let goes = shown.iter().copied().filter(|at| before[*at].worth != Column::STAYS);
        match goes.min_by_key(|at| before[*at].worth) {
            Some(least) if taken + wanted > room => shown.retain(|at| *at != least),
            _ => return shown,
        }
    }
}

fn row_lines(lead: &str, row: &TableRow, room: Option<usize>) -> Vec<String> {
    match room {
        None => vec![format!("{lead}{}", row.last).trim_end().to_owned()],
        Some(_) if row.is_whole => hanging(lead, &[Piece::Words(row.last.clone())], room),
        Some(room) => {
            let left = room.saturating_sub(columns(lead)).max(1);
            vec![format!("{lead}{}", cut(&row.last, left)).trim_end().to_owned()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [Column; 4] =
        [Column::new("TASK"), Column::within("TOOL", 6, 2), Column::within("BY", 9, 1), Column::new("SAYS")];

    fn at(room: Option<usize>, is_whole: bool) -> Vec<String> {
        let row = |cells: [&str; 3], last: &str| TableRow {
            cells: cells.map(str::to_owned).to_vec(),
            last: last.to_owned(),
            is_whole,
        };
        let rows = vec![row(["a", "本番環境", "me"], "one two three four five six"), row(["b", "x", ""], "")];
        lines(&HEADER, rows, room, Paint::new(false))
    }

    #[test]
    fn a_pipe_gets_everything() {
        let lines = at(None, false);
        assert_eq!(lines[0], "TASK  TOOL      BY  SAYS");
        assert_eq!(lines[1], "a     本番環境  me  one two three four five six");
        assert_eq!(lines[2], "b     x");
    }

    #[test]
    fn the_last_column_takes_what_is_left_and_the_least_worth_goes() {
        assert_eq!(at(Some(44), false)[1], "a     本番…  me  one two three four five six");
        assert_eq!(at(Some(38), false)[1], "a     本番…  one two three four five …");
        assert_eq!(at(Some(31), false)[1], "a     one two three four five …");
        assert_eq!(at(Some(31), true)[1..3], ["a     one two three four five", "      six"]);
        for room in 20..60 {
            assert!(at(Some(room), false).iter().all(|line| columns(line) <= room), "{room}");
        }
    }
}
