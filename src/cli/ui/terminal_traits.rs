//! What the environment says of the terminal and of the person before it.

use crate::cli::environment::Environment;
use crate::tui::editor;

/// Variables of terminals that break long rows anew when they become narrower.
const REWRAPPING: [&str; 9] = [
    "TMUX",
    "VTE_VERSION",
    "WT_SESSION",
    "KITTY_WINDOW_ID",
    "WEZTERM_PANE",
    "ALACRITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "GHOSTTY_RESOURCES_DIR",
    "ITERM_SESSION_ID",
];

/// A terminal on which a form can be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TerminalTraits {
    /// Whether it breaks long rows anew. Taken for one that does not, it keeps a row too many on the screen; the other way
    /// round it would lose what a command said before.
    pub(super) rewraps: bool,
    /// The command of the person's editor.
    pub(super) editor: String,
    /// Whether it has a title; the console of Linux shows what sets one as text.
    pub(super) has_title: bool,
}

impl TerminalTraits {
    /// `None` for a terminal that cannot move its cursor.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        let name = environment.given("TERM")?;
        if name == "dumb" {
            return None;
        }
        let rewraps = REWRAPPING.iter().any(|variable| environment.given(variable).is_some())
            || ["foot", "alacritty", "xterm-kitty", "xterm-ghostty", "tmux"]
                .iter()
                .any(|one| name.starts_with(one));
        let editor = ["VISUAL", "EDITOR"].iter().find_map(|variable| environment.given(variable));
        let has_title = name != "linux";
        Some(Self { rewraps, has_title, editor: editor.unwrap_or(editor::USUAL).to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<TerminalTraits> {
        TerminalTraits::of(&Environment::of(variables))
    }

    #[test]
    fn a_terminal_that_only_writes_lines_has_no_form() {
        assert_eq!((of(&[]), of(&[("TERM", "dumb")])), (None, None));
        assert!(!of(&[("TERM", "xterm")]).expect("a form").rewraps);
        assert!(of(&[("TERM", "screen"), ("TMUX", "/tmp/1")]).expect("a form").rewraps);
        let editors = of(&[("TERM", "xterm"), ("EDITOR", "ed"), ("VISUAL", "emacs -nw")]).expect("a form");
        assert_eq!(editors.editor, "emacs -nw");
    }
}
