//! A form's fields at the terminal, one after the other.

use dialoguer::console::{Key, Term};
use dialoguer::theme::Theme;
use serde_json::{Map, Value};

use super::keyboard::{Input, Keyboard, Purpose};
use super::line::{self, rendered};
use super::list::List;
use super::prompt::Stopped;
use super::{Paint, text, width};
use crate::cli::values;
use crate::task::Form;
use crate::task::form::{Choice, Field, FieldKind};

/// The choice that leaves an optional field out.
const SKIP: &str = "(skip)";

/// What stands in the form so far, by field name.
pub(crate) type Content = Map<String, Value>;

/// Asks for every field; what is in `content` is filled in at first.
pub(super) fn fill(
    keyboard: &mut Keyboard,
    (theme, paint): (&dyn Theme, Paint),
    form: &Form,
    content: &mut Content,
) -> Result<(), Stopped> {
    for field in &form.fields {
        explain(field, paint)?;
        let asker = Asker { theme, form, field };
        match asker.ask(keyboard, content.get(&field.name))? {
            Some(value) => drop(content.insert(field.name.clone(), value)),
            None => drop(content.remove(&field.name)),
        }
    }
    // In the order of the form, whatever was filled in first.
    let mut sorted = std::mem::take(content);
    content.extend(form.fields.iter().filter_map(|field| sorted.remove_entry(&field.name)));
    Ok(())
}

/// What to fill in, above the field itself.
fn explain(field: &Field, paint: Paint) -> Result<(), Stopped> {
    let term = Term::stderr();
    // The label beside the field is cut where it is long.
    let label = text::line(field.label());
    if width::columns(&label) > line::widest_label() {
        term.write_line(&format!("  {label}"))?;
    }
    for line in field.description.as_deref().map(text::block).unwrap_or_default() {
        term.write_line(&format!("  {line}"))?;
    }
    let mut rules = values::rules(field);
    if matches!(field.kind, FieldKind::SomeOf { .. }) {
        let keys = "the space bar chooses, Enter goes on";
        rules = if rules.is_empty() { keys.to_owned() } else { format!("{rules}; {keys}") };
    }
    if !rules.is_empty() {
        term.write_line(&paint.dim(&format!("  {}", text::line(&rules))))?;
    }
    Ok(())
}

/// One field's prompt.
struct Asker<'a> {
    theme: &'a dyn Theme,
    form: &'a Form,
    field: &'a Field,
}

impl Asker<'_> {
    fn ask(&self, keyboard: &mut Keyboard, now: Option<&Value>) -> Result<Option<Value>, Stopped> {
        match &self.field.kind {
            FieldKind::Text { .. } | FieldKind::Number { .. } => self.typed(keyboard, now),
            FieldKind::Boolean { .. } if self.field.required => self.yes_or_no(keyboard, now).map(Some),
            FieldKind::Boolean { .. } => {
                let choices = [("true", "yes"), ("false", "no")]
                    .map(|(value, title)| Choice { value: value.to_owned(), title: title.to_owned() });
                let now = now.and_then(Value::as_bool).map(|now| now.to_string());
                Ok(self.one_of(keyboard, &choices, now.as_deref())?.map(|value| Value::Bool(value == "true")))
            }
            FieldKind::OneOf { choices, .. } => {
                Ok(self.one_of(keyboard, choices, now.and_then(Value::as_str))?.map(Value::String))
            }
            FieldKind::SomeOf { choices, .. } => self.some_of(keyboard, choices, now),
        }
    }

    /// Text or a number, asked again until it fits.
    fn typed(&self, keyboard: &mut Keyboard, now: Option<&Value>) -> Result<Option<Value>, Stopped> {
        let initial = now.map(values::shown).unwrap_or_default();
        line::read(keyboard, self.theme, (self.field.label(), &initial), |typed| {
            if typed.is_empty() {
                return if self.field.required { Err("a value is needed here".to_owned()) } else { Ok(None) };
            }
            let value = values::typed(self.form, self.field, typed)?;
            self.fits(&value).map(|()| Some(value))
        })
    }

    fn fits(&self, value: &Value) -> Result<(), String> {
        match values::violation(self.form, self.field, value) {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    fn yes_or_no(&self, keyboard: &mut Keyboard, now: Option<&Value>) -> Result<Value, Stopped> {
        let default = now.and_then(Value::as_bool);
        let (term, label) = (Term::stderr(), width::cut(&self.label(), line::widest_label()));
        let chosen = loop {
            term.clear_line()?;
            term.write_str(&rendered(|f| self.theme.format_confirm_prompt(f, &label, default)))?;
            let input = keyboard.next(Purpose::Choice);
            if matches!(input, Err(_) | Ok(Input::Resumed)) {
                // What is said next begins on a line of its own.
                term.write_line("")?;
            }
            match (input?, default) {
                (Input::Key(Key::Char('y' | 'Y')), _) => break true,
                (Input::Key(Key::Char('n' | 'N')), _) => break false,
                (Input::Key(Key::Enter | Key::Char(' ')), Some(default)) => break default,
                (Input::Key(Key::Escape | Key::Char('q')), _) => {
                    term.clear_line()?;
                    return Err(Stopped::Escape);
                }
                _ => {}
            }
        };
        term.clear_line()?;
        term.write_line(&rendered(|f| self.theme.format_confirm_prompt_selection(f, &label, Some(chosen))))?;
        Ok(Value::Bool(chosen))
    }

    fn one_of(
        &self,
        keyboard: &mut Keyboard,
        choices: &[Choice],
        now: Option<&str>,
    ) -> Result<Option<String>, Stopped> {
        let mut titles = titles(choices);
        if !self.field.required {
            titles.push(SKIP.to_owned());
        }
        let nothing = if self.field.required { 0 } else { choices.len() };
        let first = choices.iter().position(|choice| Some(choice.value.as_str()) == now).unwrap_or(nothing);
        let chosen = self.list(&self.label(), &titles).one(keyboard, first)?;
        Ok(choices.get(chosen).map(|choice| choice.value.clone()))
    }

    fn some_of(
        &self,
        keyboard: &mut Keyboard,
        choices: &[Choice],
        now: Option<&Value>,
    ) -> Result<Option<Value>, Stopped> {
        let mut chosen: Vec<bool> = choices.iter().map(|choice| contains(now, &choice.value)).collect();
        let titles = titles(choices);
        loop {
            let picked = self.list(&self.label(), &titles).several(keyboard, chosen)?;
            let value: Value = picked.iter().map(|index| choices[*index].value.clone()).collect();
            let Err(problem) = self.fits(&value) else { return Ok(Some(value)) };
            if picked.is_empty() && !self.field.required {
                return Ok(None);
            }
            Term::stderr().write_line(&rendered(|f| self.theme.format_error(f, &text::line(&problem))))?;
            chosen = (0..choices.len()).map(|index| picked.contains(&index)).collect();
        }
    }

    fn list<'b>(&'b self, label: &'b str, titles: &'b [String]) -> List<'b> {
        List { theme: self.theme, prompt: label, titles, at_once: titles.len(), report: true }
    }

    fn label(&self) -> String {
        text::line(self.field.label())
    }
}

fn contains(now: Option<&Value>, value: &str) -> bool {
    now.and_then(Value::as_array).is_some_and(|now| now.iter().any(|one| one == value))
}

fn titles(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| text::line(&choice.title)).collect()
}
