//! What a terminal shows, as a picture that needs no terminal: SVG without fonts, scripts or anything to be fetched.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// How wide and high a cell is, and the margin.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 12.0;

/// From a row's top to the line that its letters stand on.
const BASELINE: f64 = 13.5;

const INK: &str = "#d0d0d0";
const PAPER: &str = "#1e1e1e";

/// The eight colours of a terminal, and the same brighter.
const COLOURS: [&str; 16] = [
    PAPER, "#e06c6c", "#98c379", "#e5b567", "#6f9fd8", "#b48ead", "#6fb3b8", INK, "#808080", "#ff8787",
    "#afd787", "#ffd787", "#87afff", "#d7afff", "#87d7d7", "#ffffff",
];

/// How a part of a row is written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a look of its own")]
struct Style {
    ink: Color,
    paper: Color,
    is_bold: bool,
    is_dim: bool,
    is_inverse: bool,
    is_underlined: bool,
    /// A wide character is a part of its own: how wide it is in the reader's font nobody knows.
    is_wide: bool,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        Self {
            ink: cell.fgcolor(),
            paper: cell.bgcolor(),
            is_bold: cell.bold(),
            is_dim: cell.dim(),
            is_inverse: cell.inverse(),
            is_underlined: cell.underline(),
            is_wide: cell.is_wide(),
        }
    }

    /// The colours of the letters, and of what is behind them where that is not the paper.
    fn colours(self) -> (String, Option<String>) {
        let (ink, paper) = (colour(self.ink), colour(self.paper));
        if self.is_inverse {
            (paper.unwrap_or_else(|| PAPER.to_owned()), Some(ink.unwrap_or_else(|| INK.to_owned())))
        } else {
            (ink.unwrap_or_else(|| INK.to_owned()), paper)
        }
    }
}

/// A colour's code; `None` for the usual one.
fn colour(of: Color) -> Option<String> {
    match of {
        Color::Default => None,
        Color::Idx(at) => Some(COLOURS.get(usize::from(at)).copied().unwrap_or(INK).to_owned()),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    }
}

/// Some cells of one style that stand side by side.
struct Part {
    style: Style,
    text: String,
}

impl Part {
    /// How wide it is.
    fn wide(&self) -> f64 {
        let columns = if self.style.is_wide { 2 } else { self.text.chars().count() };
        f64::from(u16::try_from(columns).expect("a row's")) * CELL.0
    }

    /// It at that place. Blanks are such that nobody joins them, and none are at the end.
    fn drawn(&self, (left, top): (f64, f64)) -> String {
        let (ink, paper) = self.style.colours();
        let mut drawn = paper.map_or_else(String::new, |paper| {
            let (wide, high) = (self.wide(), CELL.1);
            format!(
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{high}\" fill=\"{paper}\"/>\n"
            )
        });
        let shown = Self { style: self.style, text: self.text.trim_end().to_owned() };
        if shown.text.is_empty() {
            return drawn;
        }
        let mut looks = format!(" fill=\"{ink}\"");
        looks += if self.style.is_bold { " font-weight=\"bold\"" } else { "" };
        looks += if self.style.is_dim { " opacity=\".7\"" } else { "" };
        looks += if self.style.is_underlined { " text-decoration=\"underline\"" } else { "" };
        let text =
            shown.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}");
        let (wide, base) = (shown.wide(), top + BASELINE);
        let _ = writeln!(
            drawn,
            "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\"{looks}>{text}</text>"
        );
        drawn
    }
}

/// The parts of a row.
fn parts(screen: &Screen, row: u16) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for column in 0..screen.size().1.get() {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else {
            continue;
        };
        let (style, text) = (Style::of(cell), if cell.has_contents() { cell.contents() } else { " " });
        match parts.last_mut() {
            Some(last) if last.style == style && !style.is_wide => last.text += text,
            _ => parts.push(Part { style, text: text.to_owned() }),
        }
    }
    parts
}

/// The picture; `told` makes each part's text what it is in every picture, such as ids and times.
pub(crate) fn picture(screen: &Screen, told: impl Fn(&str) -> String) -> String {
    let (rows, columns) = screen.size();
    let mut all: Vec<Vec<Part>> = (0..rows.get()).map(|row| parts(screen, row)).collect();
    let is_empty = |row: &Vec<Part>| row.iter().all(|part| part.text.trim().is_empty());
    while all.last().is_some_and(is_empty) {
        all.pop();
    }
    let wide = f64::from(columns.get()) * CELL.0 + 2.0 * MARGIN;
    let high = all.iter().map(|_| CELL.1).sum::<f64>() + 2.0 * MARGIN;
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide:.0}\" height=\"{high:.0}\" viewBox=\"0 0 {wide:.0} \
         {high:.0}\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n<g font-size=\"14\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\">\n"
    );
    let mut top = MARGIN;
    for row in all {
        let mut left = MARGIN;
        for mut part in row {
            part.text = told(&part.text);
            drawn += &part.drawn((left, top));
            left += part.wide();
        }
        top += CELL.1;
    }
    drawn + "</g>\n</svg>\n"
}
