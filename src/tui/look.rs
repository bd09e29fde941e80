//! Colours and weights, where the terminal has them. They only repeat what words and signs say.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// Whether there are any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) is_coloured: bool,
}

impl Look {
    fn styled(self, text: impl Into<String>, style: Style) -> Span<'static> {
        Span::styled(text.into(), if self.is_coloured { style } else { Style::new() })
    }

    pub(super) fn plain(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new())
    }

    pub(super) fn bold(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new().add_modifier(Modifier::BOLD))
    }

    pub(super) fn dim(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new().add_modifier(Modifier::DIM))
    }

    pub(super) fn wrong(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))
    }

    pub(super) fn warning(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD))
    }

    pub(super) fn pressed(self, text: impl Into<String>) -> Span<'static> {
        self.styled(text, Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD))
    }
}
