//! How prompts look: dialoguer's colourful theme, with the active line of a list marked by a sign as well,
//! since a colour alone says nothing to those who do not see it.

use std::fmt::{Result, Write};

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

use super::Paint;

/// The theme for a terminal with or without colours.
pub(super) fn theme(paint: Paint) -> Box<dyn Theme + Send> {
    if paint.is_on() { Box::new(Signed(ColorfulTheme::default())) } else { Box::new(SimpleTheme) }
}

struct Signed(ColorfulTheme);

impl Theme for Signed {
    fn format_prompt(&self, f: &mut dyn Write, prompt: &str) -> Result {
        self.0.format_prompt(f, prompt)
    }

    fn format_error(&self, f: &mut dyn Write, problem: &str) -> Result {
        self.0.format_error(f, problem)
    }

    fn format_confirm_prompt(&self, f: &mut dyn Write, prompt: &str, default: Option<bool>) -> Result {
        self.0.format_confirm_prompt(f, prompt, default)
    }

    fn format_confirm_prompt_selection(
        &self,
        f: &mut dyn Write,
        prompt: &str,
        chosen: Option<bool>,
    ) -> Result {
        self.0.format_confirm_prompt_selection(f, prompt, chosen)
    }

    fn format_input_prompt(&self, f: &mut dyn Write, prompt: &str, default: Option<&str>) -> Result {
        self.0.format_input_prompt(f, prompt, default)
    }

    fn format_input_prompt_selection(&self, f: &mut dyn Write, prompt: &str, typed: &str) -> Result {
        self.0.format_input_prompt_selection(f, prompt, typed)
    }

    fn format_select_prompt_item(&self, f: &mut dyn Write, text: &str, active: bool) -> Result {
        self.0.format_select_prompt_item(f, text, active)
    }

    fn format_multi_select_prompt_selection(
        &self,
        f: &mut dyn Write,
        prompt: &str,
        chosen: &[&str],
    ) -> Result {
        self.0.format_multi_select_prompt_selection(f, prompt, chosen)
    }

    fn format_multi_select_prompt_item(
        &self,
        f: &mut dyn Write,
        text: &str,
        checked: bool,
        active: bool,
    ) -> Result {
        f.write_str(if active { "❯ " } else { "  " })?;
        let box_and_text = format!("{} {text}", if checked { "[x]" } else { "[ ]" });
        let style = if active { &self.0.active_item_style } else { &self.0.inactive_item_style };
        write!(f, "{}", style.apply_to(box_and_text))
    }
}
