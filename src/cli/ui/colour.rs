//! Whether to colour, and how.

use clap::ValueEnum;
use owo_colors::OwoColorize as _;

use crate::cli::environment::Environment;

/// `--color`: `auto` is as `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and the terminal say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    // Doc comments here would be a table in every help.
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// `--color` over `NO_COLOR` over `CLICOLOR_FORCE` over `TERM=dumb` over the terminal.
    pub(crate) fn resolve(self, environment: &Environment, is_terminal: bool) -> bool {
        let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") && environment.get("CLICOLOR_FORCE") != Some("0") => true,
            Self::Auto if environment.get("TERM") == Some("dumb") => false,
            Self::Auto => is_terminal,
        }
    }
}

/// Colours text, or leaves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: &str) -> String {
        if self.on { text.bold().to_string() } else { text.to_owned() }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        if self.on { text.dimmed().to_string() } else { text.to_owned() }
    }

    pub(crate) fn red(self, text: &str) -> String {
        if self.on { text.red().bold().to_string() } else { text.to_owned() }
    }

    pub(crate) fn green(self, text: &str) -> String {
        if self.on { text.green().to_string() } else { text.to_owned() }
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        if self.on { text.yellow().bold().to_string() } else { text.to_owned() }
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        if self.on { text.cyan().to_string() } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(choice: ColorChoice, variables: &[(&str, &str)], is_terminal: bool) -> bool {
        choice.resolve(&Environment::of(variables), is_terminal)
    }

    #[test]
    fn each_rule_wins_over_those_after_it() {
        let all = [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("TERM", "dumb")];
        assert!(coloured(ColorChoice::Always, &all, false));
        assert!(!coloured(ColorChoice::Never, &[], true));
        assert!(!coloured(ColorChoice::Auto, &all, true));
        assert!(coloured(ColorChoice::Auto, &all[1..], false));
        assert!(!coloured(ColorChoice::Auto, &all[2..], true));
        assert!(coloured(ColorChoice::Auto, &[], true));
        assert!(!coloured(ColorChoice::Auto, &[], false));
    }

    #[test]
    fn an_empty_no_color_says_nothing() {
        assert!(coloured(ColorChoice::Auto, &[("NO_COLOR", "")], true));
        assert!(!coloured(ColorChoice::Auto, &[("CLICOLOR_FORCE", "0")], false));
    }
}
