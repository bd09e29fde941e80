//! One of several, chosen at the terminal.

use dialoguer::console::set_colors_enabled_stderr;

use super::Ui;
use super::keyboard::Keyboard;
use super::list::List;
use super::prompt::{self, Stopped};
use super::theme::theme;
use crate::cli::failure::{Failure, Kind};

/// Choices on the screen at once; the others are scrolled to.
const AT_ONCE: usize = 15;

/// Asks before something is changed, where `yes` is what goes on. Everything else changes nothing, and is a failure.
pub(crate) async fn yes(ui: &Ui, question: &'static str, yes: String) -> Result<(), Failure> {
    match one(ui, question, vec!["no, change nothing".to_owned(), yes]).await? {
        Some(1) => Ok(()),
        _ => Err(Failure::new(Kind::NothingChanged, "nothing was changed")),
    }
}

/// The index of the one that is chosen; `None` where none is. Titles must be safe on a terminal.
pub(crate) async fn one(
    ui: &Ui,
    question: &'static str,
    titles: Vec<String>,
) -> Result<Option<usize>, Failure> {
    let paint = ui.talk_paint();
    set_colors_enabled_stderr(paint.is_on());
    let theme = theme(paint);
    let ask = move |keyboard: &mut Keyboard| {
        let list =
            List { theme: &*theme, prompt: question, titles: &titles, at_once: AT_ONCE, report: false };
        list.one(keyboard, 0)
    };
    match prompt::run(ui, ask).await? {
        Ok(chosen) => Ok(Some(chosen)),
        Err(Stopped::Escape) => Ok(None),
        Err(Stopped::Interrupted) => {
            Err(Failure::new(Kind::Interrupted, "interrupted; nothing was answered"))
        }
        Err(Stopped::Terminal(error)) => Err(Failure::new(
            Kind::NeedsInput,
            format!("the terminal went away ({error}); nothing was answered"),
        )),
    }
}
