//! A question at the terminal: who asks, what is asked, the form, and the last word before it is sent.

use std::sync::{Arc, Mutex, PoisonError};

use dialoguer::console::{Term, set_colors_enabled_stderr};
use dialoguer::theme::Theme;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::form::{self, Content};
use super::keyboard::Keyboard;
use super::list::List;
use super::prompt::{self, Stopped, Turn};
use super::theme::theme;
use super::{Paint, Piece, Ui, flow, page, text, width};
use crate::cli::failure::{Failure, Kind};
pub(crate) use crate::desk::asked::Asked;
use crate::desk::values;
use crate::form::Form;
use crate::task::{Action, Answer, Answerer, Ask, AskKind, joined};
use crate::tui;
pub(crate) use crate::tui::{Closing, Reply};

/// Asks at the terminal. Dropping the future takes the question off the screen.
pub(crate) async fn ask(ui: &Ui, asked: &Asked) -> Result<Reply, Failure> {
    ask_while_open(ui, asked, watch::channel(None).1).await
}

/// The same of a question that may be closed from elsewhere, which `closing` tells: a form stays until that was read.
pub(crate) async fn ask_while_open(
    ui: &Ui,
    asked: &Asked,
    closing: watch::Receiver<Option<Closing>>,
) -> Result<Reply, Failure> {
    let form = form_of(asked)?;
    if let Some(setting) = ui.form_setting() {
        return on_screen(ui, asked, (form, setting), closing).await;
    }
    let sheet = Sheet::new(ui, asked, form);
    match prompt::run(ui, move |keyboard| sheet.answer(keyboard)).await? {
        Ok(reply) => Ok(reply),
        Err(Stopped::Escape) => Ok(Reply::LeftOpen),
        Err(Stopped::Interrupted) => Err(interrupted(asked)),
        Err(Stopped::Terminal(error)) => Err(gone(asked, &error)),
    }
}

/// Asks on a screen of its own.
async fn on_screen(
    ui: &Ui,
    asked: &Asked,
    (form, setting): (Option<Form>, tui::Setting),
    closing: watch::Receiver<Option<Closing>>,
) -> Result<Reply, Failure> {
    let _turn = Turn::take(ui);
    let draft = Draft { ui: ui.clone(), words: setting.draft.clone() };
    match tui::ask(asked, form, setting, closing).await {
        Ok(Reply::Closed) => Ok(Reply::Closed),
        Ok(reply) => {
            draft.forget();
            Ok(reply)
        }
        Err(tui::Stopped::Interrupted) => Err(interrupted(asked)),
        Err(tui::Stopped::Terminal(error)) => Err(gone(asked, &error)),
    }
}

/// What somebody had filled in when the form was taken off the screen, or its answer never arrived: it is said, so that it
/// can be used elsewhere.
pub(crate) struct Draft {
    ui: Ui,
    words: Arc<Mutex<Option<String>>>,
}

impl Draft {
    /// What an answer says that is on its way.
    pub(crate) fn sent(ui: &Ui, ask: &Ask, answer: &Answer) -> Self {
        let fields = answer.content.as_ref().map(|content| values::fields(ask, content).join(" "));
        let words = fields.filter(|fields| !fields.is_empty());
        Self { ui: ui.clone(), words: Arc::new(Mutex::new(words)) }
    }

    /// It is sent, or in the form once more.
    pub(crate) fn forget(&self) {
        *self.words.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(words) = words {
            self.ui.talk(&format!("what you had filled in: {}", text::short(&words, MOST_OF_DRAFT)));
        }
    }
}

/// The most characters of it.
const MOST_OF_DRAFT: usize = 2000;

fn interrupted(asked: &Asked) -> Failure {
    still_open(asked, Kind::Interrupted, "interrupted")
}

fn gone(asked: &Asked, error: &std::io::Error) -> Failure {
    still_open(asked, Kind::NeedsInput, &format!("the terminal went away ({error})"))
}

fn still_open(asked: &Asked, kind: Kind, why: &str) -> Failure {
    Failure::new(kind, format!("{why}; {}", asked.left())).maybe_hint(asked.later_hint())
}

/// The form that is asked for; `None` for a page.
fn form_of(asked: &Asked) -> Result<Option<Form>, Failure> {
    let AskKind::Form { schema } = &asked.ask.kind else { return Ok(None) };
    let form = Form::parse(schema).map_err(|violations| {
        let problem = format!("the question's form cannot be shown: {}", joined(&violations));
        Failure::new(Kind::Unexpected, problem)
            .hint("answer with --content JSON, or --decline or --cancel it")
    })?;
    Ok(Some(form))
}

/// Everything that the prompt's thread needs.
struct Sheet {
    asked: Asked,
    form: Option<Form>,
    theme: Box<dyn Theme + Send>,
    paint: Paint,
}

/// What can be done with a question.
#[derive(Clone, Copy)]
enum Choice {
    Send,
    Fill,
    Decline,
    Cancel,
    Leave,
}

impl Sheet {
    fn new(ui: &Ui, asked: &Asked, form: Option<Form>) -> Self {
        let paint = ui.talk_paint();
        set_colors_enabled_stderr(paint.is_on());
        Self { asked: asked.clone(), form, theme: theme(paint), paint }
    }

    fn answer(self, keyboard: &mut Keyboard) -> Result<Reply, Stopped> {
        self.show()?;
        match &self.form {
            Some(form) => self.answer_form(keyboard, form),
            None => self.answer_url(keyboard),
        }
    }

    fn show(&self) -> Result<(), Stopped> {
        let now = Timestamp::now();
        let who = self.paint.bold(&text::line(&self.asked.who));
        let asked = self.asked.since(now).map(|since| format!(", {since}"));
        let ends = self.asked.end().map(|end| format!("; {}", end.in_words(now)));
        let head = format!("{who} asks{}{}", asked.unwrap_or_default(), ends.unwrap_or_default());
        say("")?;
        say(&head)?;
        for (name, value) in self.asked.facts(now) {
            say_after(&format!("  {name}: "), &value)?;
        }
        for line in text::block(&self.asked.ask.message) {
            for row in flow::wrap(&line, width::of_terminal().saturating_sub(2)) {
                say(&format!("  {}", self.paint.bold(&row)))?;
            }
        }
        if let Some(problem) = &self.asked.refused {
            say_after(
                &format!("  {} ", self.paint.red("the last answer was refused:")),
                &text::line(problem),
            )?;
        }
        say("")
    }

    /// Fill in, look, send: the same menu before and after the form is filled in.
    fn answer_form(&self, keyboard: &mut Keyboard, form: &Form) -> Result<Reply, Stopped> {
        let mut content = self.asked.draft.clone().unwrap_or_else(|| form.defaults());
        let mut filled = false;
        loop {
            let problems = form.violations(&content);
            if filled && !problems.is_empty() {
                say(&self.paint.red(&text::line(&joined(&problems))))?;
            }
            let (prompt, choices) =
                menu(filled, problems.is_empty(), form.fields.is_empty() && !form.is_whole);
            let choices: Vec<_> = choices.into_iter().chain([(Choice::Leave, self.leave())]).collect();
            if filled {
                self.review(form, &content)?;
            }
            match self.choose(keyboard, prompt, &choices)? {
                Choice::Fill => {
                    form::fill(keyboard, (&*self.theme, self.paint), form, &mut content)?;
                    filled = true;
                }
                Choice::Send => return Ok(Reply::Answer(Answer::accept(content, Answerer::Operator))),
                other => return Ok(closing(other)),
            }
        }
    }

    fn review(&self, form: &Form, content: &Content) -> Result<(), Stopped> {
        say("")?;
        if form.is_whole {
            say_after("  ", &text::line(&Value::Object(content.clone()).to_string()))?;
        }
        for field in &form.fields {
            let value = content
                .get(&field.name)
                .map_or_else(|| self.paint.dim("left out"), |value: &Value| text::line(&field.show(value)));
            // Whole, since it is what will be sent.
            say_after(&format!("  {}: ", text::short(field.label(), 60)), &value)?;
        }
        say("")
    }

    fn answer_url(&self, keyboard: &mut Keyboard) -> Result<Reply, Stopped> {
        let AskKind::Url { url } = &self.asked.ask.kind else { return Ok(Reply::LeftOpen) };
        say(&format!("  It wants you to visit a page. {} opens it for you.", self.paint.bold("Nothing")))?;
        say_after("  URL:  ", &text::line(url))?;
        for (index, line) in page::host(url).iter().enumerate() {
            say_after(if index == 0 { "  Host: " } else { "        " }, line)?;
        }
        say("")?;
        let choices = [
            (Choice::Leave, self.asked.leaving()),
            (Choice::Send, "accept: I trust this host, and open the page myself"),
            (Choice::Decline, "decline: say no"),
            (Choice::Cancel, "cancel: dismiss without deciding"),
        ];
        match self.choose(keyboard, "Do you consent to this page?", &choices)? {
            Choice::Send => Ok(Reply::Answer(Answer::new(Action::Accept, Answerer::Operator))),
            other => Ok(closing(other)),
        }
    }

    fn leave(&self) -> &'static str {
        if self.asked.is_only_here { "leave without an answer (Esc)" } else { "leave it open (Esc)" }
    }

    fn choose(
        &self,
        keyboard: &mut Keyboard,
        prompt: &str,
        choices: &[(Choice, &str)],
    ) -> Result<Choice, Stopped> {
        let titles: Vec<String> = choices.iter().map(|(_, title)| (*title).to_owned()).collect();
        let list =
            List { theme: &*self.theme, prompt, titles: &titles, at_once: titles.len(), report: false };
        Ok(choices[list.one(keyboard, 0)?].0)
    }
}

fn closing(choice: Choice) -> Reply {
    match choice {
        Choice::Decline => Reply::Answer(Answer::new(Action::Decline, Answerer::Operator)),
        Choice::Cancel => Reply::Answer(Answer::new(Action::Cancel, Answerer::Operator)),
        Choice::Send | Choice::Fill | Choice::Leave => Reply::LeftOpen,
    }
}

fn menu(filled: bool, valid: bool, empty: bool) -> (&'static str, Vec<(Choice, &'static str)>) {
    let mut choices = Vec::new();
    if filled && valid || empty {
        choices.push((Choice::Send, "send"));
    }
    if !empty {
        choices.push((Choice::Fill, if filled { "edit" } else { "answer: fill in the form" }));
    }
    if valid && !filled && !empty {
        choices.push((Choice::Send, "send it as it is, with the defaults"));
    }
    choices.push((Choice::Decline, "decline: say no"));
    choices.push((Choice::Cancel, "cancel: dismiss without deciding"));
    (if filled { "Send this answer?" } else { "What will you do?" }, choices)
}

fn say(line: &str) -> Result<(), Stopped> {
    say_after("", line)
}

/// A line whose words are wrapped below each other.
fn say_after(lead: &str, words: &str) -> Result<(), Stopped> {
    let rows = flow::hanging(lead, &[Piece::Words(words.to_owned())], Some(width::of_terminal()));
    Ok(rows.iter().try_for_each(|row| Term::stderr().write_line(row))?)
}
