//! A form's fields at the terminal, one after the other.

use dialoguer::console::{Key, Term};
use dialoguer::theme::Theme;
use serde_json::{Map, Value};

use super::keyboard::{Input, Keyboard, Purpose};
use super::line::{self, rendered};
use super::list::List;
use super::prompt::Stopped;
use super::{Paint, text, width};
use crate::form::{Choice, Field, FieldKind, Form, WHOLE};

/// The choice that leaves a field out, and the one that says null.
const SKIP: &str = "(skip)";
const NULL: &str = "(none)";

/// What stands in the form so far, by field name.
pub(crate) type Content = Map<String, Value>;

/// Asks for every field; what is in `content` is filled in at first.
pub(super) fn fill(
    keyboard: &mut Keyboard,
    (theme, paint): (&dyn Theme, Paint),
    form: &Form,
    content: &mut Content,
) -> Result<(), Stopped> {
    if form.is_whole {
        *content = whole(keyboard, (theme, paint), form, content)?;
        return Ok(());
    }
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

/// Asks for the content as a whole.
fn whole(
    keyboard: &mut Keyboard,
    (theme, paint): (&dyn Theme, Paint),
    form: &Form,
    now: &Content,
) -> Result<Content, Stopped> {
    Term::stderr().write_line(&paint.dim(&format!("  {WHOLE}")))?;
    let initial = if now.is_empty() { String::new() } else { Value::Object(now.clone()).to_string() };
    line::read(keyboard, theme, ("JSON", &initial, false), |typed| form.read_whole(typed))
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
    let mut rules = field.rules();
    if matches!(field.kind, FieldKind::SomeOf { .. }) {
        let keys = "arrow keys or a number go to one, the space bar chooses it, Enter goes on";
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
            FieldKind::Text { .. }
            | FieldKind::Number { .. }
            | FieldKind::List { .. }
            | FieldKind::Other { .. } => self.typed(keyboard, now),
            FieldKind::Boolean if !self.field.may_be_empty() => self.yes_or_no(keyboard, now).map(Some),
            FieldKind::Boolean => {
                let choices = [(true, "yes"), (false, "no")]
                    .map(|(value, title)| Choice::new(&value.into(), Some(title)));
                self.one_of(keyboard, &choices, now)
            }
            FieldKind::OneOf { choices } => self.one_of(keyboard, choices, now),
            FieldKind::SomeOf { choices, .. } => self.some_of(keyboard, choices, now),
        }
    }

    /// What is typed on a line, asked again until it fits.
    fn typed(&self, keyboard: &mut Keyboard, now: Option<&Value>) -> Result<Option<Value>, Stopped> {
        let initial = now.map(|now| self.field.write(now)).unwrap_or_default();
        let asked = (self.field.label(), initial.as_str(), self.field.is_secret);
        line::read(keyboard, self.theme, asked, |typed| self.form.read_again(self.field, now, typed))
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
        now: Option<&Value>,
    ) -> Result<Option<Value>, Stopped> {
        let mut titles = titles(choices);
        let nothing = self.field.empty();
        if self.field.may_be_empty() {
            titles.push(if nothing.is_some() { NULL } else { SKIP }.to_owned());
        }
        let last = if self.field.may_be_empty() { choices.len() } else { 0 };
        let first = choices.iter().position(|choice| Some(&choice.value) == now).unwrap_or(last);
        let chosen = self.list(&self.label(), &titles).one(keyboard, first)?;
        Ok(choices.get(chosen).map_or(nothing, |choice| Some(choice.value.clone())))
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
            let Err(problem) = self.form.check(self.field, &value) else { return Ok(Some(value)) };
            if picked.is_empty() && self.field.may_be_empty() {
                return Ok(self.field.empty());
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

fn contains(now: Option<&Value>, value: &Value) -> bool {
    now.and_then(Value::as_array).is_some_and(|now| now.contains(value))
}

fn titles(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| text::line(&choice.title)).collect()
}
