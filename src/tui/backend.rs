//! Draws a block of rows under what a command has said, with moves from where the cursor is: the terminal is never asked
//! where that is, since on a slow line the answer comes late or never.

use std::io::{self, Write};

use crossterm::style::{Attribute, Colors, Print, SetAttribute, SetColors};
use crossterm::{cursor, queue, terminal};
use ratatui::backend::{Backend, ClearType, IntoCrossterm as _, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

/// The attributes that are used.
const ATTRIBUTES: [(Modifier, Attribute); 4] = [
    (Modifier::BOLD, Attribute::Bold),
    (Modifier::DIM, Attribute::Dim),
    (Modifier::UNDERLINED, Attribute::Underlined),
    (Modifier::REVERSED, Attribute::Reverse),
];

/// The block and the cursor within it.
pub(super) struct Below<W: Write> {
    out: W,
    size: Size,
    at: Position,
    /// How many columns of each row are written.
    filled: Vec<u16>,
    /// Whether the terminal breaks rows anew that have become too wide.
    rewraps: bool,
    /// Whether the block begins in the first row of the screen, which it has for itself.
    is_at_top: bool,
}

impl<W: Write> Below<W> {
    /// Begins at the cursor, which must be in the first column.
    pub(super) fn new(out: W, rewraps: bool) -> Self {
        Self {
            out,
            size: Size::default(),
            at: Position::default(),
            filled: vec![0],
            rewraps,
            is_at_top: false,
        }
    }

    /// The same that begins in the first row of a screen of its own.
    pub(super) fn with_own_screen(self, is_at_top: bool) -> Self {
        Self { is_at_top, ..self }
    }

    /// The size of the terminal from now on.
    pub(super) fn resized(&mut self, size: Size) {
        self.size = size;
    }

    /// The row that the cursor is in, and how many there are.
    pub(super) fn place(&self) -> (u16, u16) {
        (self.at.y, self.height())
    }

    fn height(&self) -> u16 {
        u16::try_from(self.filled.len()).unwrap_or(u16::MAX)
    }

    fn go(&mut self, to: Position) -> io::Result<()> {
        if to.y > self.at.y {
            queue!(self.out, cursor::MoveDown(to.y - self.at.y))?;
        }
        if to.y < self.at.y {
            queue!(self.out, cursor::MoveUp(self.at.y - to.y))?;
        }
        queue!(self.out, cursor::MoveToColumn(to.x))?;
        self.at = to;
        Ok(())
    }

    /// Has room for so many rows; the screen scrolls where it ends.
    pub(super) fn reserve(&mut self, rows: u16) -> io::Result<()> {
        let rows = rows.max(1);
        if rows > self.height() {
            self.go(Position::new(0, self.height() - 1))?;
            for _ in self.height()..rows {
                queue!(self.out, Print("\n"))?;
            }
            self.at.y = rows - 1;
            queue!(self.out, cursor::MoveToColumn(0))?;
        } else if rows < self.height() {
            self.go(Position::new(0, rows))?;
            queue!(self.out, terminal::Clear(terminal::ClearType::FromCursorDown))?;
        }
        self.filled.resize(usize::from(rows), 0);
        self.go(Position::default())
    }

    /// Takes the block off; the cursor is where it began. `columns` is the width of the terminal now: one that breaks rows
    /// anew has moved the cursor down where it became narrower.
    pub(super) fn erase(&mut self, columns: u16) -> io::Result<()> {
        if self.is_at_top {
            self.forget()?;
            return self.out.flush();
        }
        let mut up = self.at.y;
        if self.rewraps && columns > 0 {
            let above = self.filled.iter().take(usize::from(self.at.y));
            up = above.map(|filled| filled.div_ceil(columns).max(1)).sum::<u16>() + self.at.x / columns;
        }
        if up > 0 {
            queue!(self.out, cursor::MoveUp(up))?;
        }
        self.forget()?;
        self.out.flush()
    }

    /// Somebody else wrote: the block begins anew where the cursor is.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        (self.at, self.filled) = (Position::default(), vec![0]);
        if self.is_at_top {
            queue!(self.out, cursor::MoveTo(0, 0))?;
        }
        queue!(self.out, cursor::MoveToColumn(0), terminal::Clear(terminal::ClearType::FromCursorDown))
    }

    fn dress(&mut self, cell: &Cell) -> io::Result<()> {
        queue!(self.out, SetAttribute(Attribute::Reset))?;
        for (modifier, attribute) in ATTRIBUTES {
            if cell.modifier.contains(modifier) {
                queue!(self.out, SetAttribute(attribute))?;
            }
        }
        if (cell.fg, cell.bg) != (Color::Reset, Color::Reset) {
            let colours = Colors::new(cell.fg.into_crossterm(), cell.bg.into_crossterm());
            queue!(self.out, SetColors(colours))?;
        }
        Ok(())
    }
}

impl<W: Write> Backend for Below<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let plain = (Color::Reset, Color::Reset, Modifier::empty());
        let (mut dressed, mut is_sure) = (plain, false);
        for (x, y, cell) in content {
            let to = Position::new(x, y);
            // The terminal may disagree on the width of anything but ASCII, so what follows it is placed anew.
            if !is_sure || self.at != to {
                self.go(to)?;
            }
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if dressed != wanted {
                self.dress(cell)?;
                dressed = wanted;
            }
            queue!(self.out, Print(cell.symbol()))?;
            is_sure = cell.symbol().len() == 1;
            self.at.x += 1;
            let end = if cell.symbol() == " " { 0 } else { x + 1 + u16::from(!is_sure) };
            if let Some(filled) = self.filled.get_mut(usize::from(y)) {
                *filled = end.max(*filled);
            }
        }
        if dressed == plain { Ok(()) } else { queue!(self.out, SetAttribute(Attribute::Reset)) }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        queue!(self.out, cursor::Hide)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        queue!(self.out, cursor::Show)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.go(position.into())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.go(Position::default())?;
        self.clear_region(ClearType::AfterCursor)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        let from = usize::from(self.at.y);
        if region == ClearType::CurrentLine {
            self.filled[from] = 0;
            return queue!(self.out, terminal::Clear(terminal::ClearType::CurrentLine));
        }
        self.filled[from..].fill(0);
        queue!(self.out, terminal::Clear(terminal::ClearType::FromCursorDown))
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
