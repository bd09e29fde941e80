//! A line that moves while something is waited for, where a person looks at it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, text};
use crate::task::Progress;

/// The widest message, so that the line fits on narrow terminals.
const WIDTH: usize = 60;

/// Gone when dropped.
pub(crate) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// Begins to turn; nothing is drawn where nobody looks.
    pub(crate) fn start(ui: &Ui, message: &str) -> Self {
        if !ui.may_animate() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(text::short(message, WIDTH));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// Says what is being waited for.
    pub(crate) fn say(&self, message: &str) {
        self.bar.set_message(text::short(message, WIDTH));
    }

    /// Shows a tool's step.
    pub(crate) fn step(&self, progress: &Progress) {
        self.say(&progress_words(progress));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// "1/3 choosing a menu".
pub(crate) fn progress_words(progress: &Progress) -> String {
    let total = progress.total.map(|total| format!("/{total}")).unwrap_or_default();
    let message = progress.message.as_deref().map(|message| format!(" {}", text::line(message)));
    format!("{}{total}{}", progress.current, message.unwrap_or_default())
}
