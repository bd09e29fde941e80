//! A line that moves while something is waited for, where a person looks at it.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, text, width};
use crate::task::Progress;

/// The columns that stand before the message.
const BEFORE: usize = 16;

/// Gone when dropped, and while a prompt is on the screen.
pub(crate) struct Spinner {
    ui: Option<Ui>,
}

impl Spinner {
    /// Begins to turn; nothing is drawn where nobody looks.
    pub(crate) fn start(ui: &Ui, message: &str) -> Self {
        let spinner = Self { ui: ui.may_animate().then(|| ui.clone()) };
        spinner.say(message);
        spinner
    }

    /// Says what is being waited for.
    pub(crate) fn say(&self, message: &str) {
        if let Some(ui) = &self.ui {
            let room = width::of_terminal().saturating_sub(BEFORE);
            ui.set_moving(Some(&width::cut(&text::sentence(message), room)));
        }
    }

    /// Shows a tool's step.
    pub(crate) fn step(&self, progress: &Progress) {
        self.say(&text::progress(progress));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(ui) = &self.ui {
            ui.set_moving(None);
        }
    }
}

/// The line itself, which comes and goes; its time runs on meanwhile.
pub(super) struct Moving {
    begun: Instant,
    message: String,
    bar: Option<ProgressBar>,
}

impl Default for Moving {
    fn default() -> Self {
        Self { begun: Instant::now(), message: String::new(), bar: None }
    }
}

impl Moving {
    pub(super) fn say(&mut self, message: &str) {
        message.clone_into(&mut self.message);
        if let Some(bar) = &self.bar {
            bar.set_message(self.message.clone());
        }
    }

    /// Draws it, where it is not drawn already.
    pub(super) fn show(&mut self) {
        if self.bar.is_some() {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_elapsed(self.begun.elapsed());
        bar.set_message(self.message.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bar = Some(bar);
    }

    /// Takes it off the screen.
    pub(super) fn hide(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Has something written where it stands; it stands below afterwards.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}
