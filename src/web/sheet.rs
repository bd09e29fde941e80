//! An open question as a page.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use super::facts;
use super::fields::fields;
use super::filled::{Filled, control};
use super::frame::Frame;
use crate::desk::asked::OpenQuestion;
use crate::desk::{page, text};
use crate::form::Form;
use crate::task::{Question, Task};

/// What the button says that ends the task.
pub(super) const CANCEL_TASK: &str = "cancel-task";

/// A question with what is known around it.
pub(super) struct Sheet<'a> {
    pub(super) frame: Frame<'a>,
    /// What its form brings along.
    pub(super) form_token: &'a str,
    /// For whom its link was made, where it is a link's.
    pub(super) holder: Option<&'a str>,
    pub(super) task: &'a Task,
    pub(super) question: &'a Question,
    /// `None` where it asks to visit a page.
    pub(super) form: Option<&'a Form>,
}

impl Sheet<'_> {
    /// The page, with what stands in its form.
    pub(super) fn page(&self, status: StatusCode, filled: &Filled) -> Response {
        let open = OpenQuestion::of_task(self.task, self.question);
        let tool = text::line(&self.task.new.tool);
        let is_wrong = status != StatusCode::OK;
        let title = format!("{}{tool} asks", if is_wrong { "Not sent: " } else { "" });
        let content = html! {
            h1 { (tool) " asks" }
            @if self.is_of_inbox() { p #said role="status" aria-live="polite" {} }
            (facts::facts(&open, self.holder))
            @if self.is_of_inbox() { (facts::earlier(&open)) }
            @if is_wrong { (self.problems(filled)) }
            p.message { (text::block(&self.question.ask.message).join("\n")) }
            @if let Some(url) = page::of(&self.question.ask) { (visit(url)) }
            form method="post" novalidate autocomplete="off" {
                input type="hidden" name="form" value=(self.form_token);
                @if let Some(form) = self.form { (fields(form, filled)) }
                (self.buttons())
                @if self.is_of_inbox() { (cancel_task()) }
            }
        };
        self.frame.page(status, &title, &content)
    }

    fn is_of_inbox(&self) -> bool {
        self.frame.inbox.is_some()
    }

    /// What is not right yet, with the way to each field of it.
    fn problems(&self, filled: &Filled) -> Markup {
        let form = self.form.filter(|form| !form.is_whole);
        let wrong: Vec<(usize, String)> =
            filled.places().filter_map(|at| Some((at, text::line(form?.fields.get(at)?.label())))).collect();
        html! {
            div.problems role="alert" {
                h2 { "Nothing was sent" }
                @for problem in &filled.whole { p { (text::sentence(problem)) } }
                @if !wrong.is_empty() {
                    ul { @for (at, label) in &wrong { li { a href={ "#" (control(*at)) } { (label) } " is not right yet" } } }
                }
            }
        }
    }

    /// The buttons; the first is the one that Enter presses.
    fn buttons(&self) -> Markup {
        let accept = match self.form {
            Some(_) if self.question.ask.fits_nothing() => None,
            Some(_) => Some("Send"),
            None => Some("Accept: I trust this host"),
        };
        html! {
            div.buttons {
                @if let Some(words) = accept { button.main name="action" value="accept" { (words) } }
                button name="action" value="decline" { "Decline" }
                button name="action" value="cancel" { "Dismiss" }
            }
            p.about { "Decline says no. Dismiss decides nothing and closes the question. Leave this page to leave it open." }
        }
    }
}

/// What ends the whole task takes two clicks.
fn cancel_task() -> Markup {
    html! {
        details {
            summary { "Cancel the whole task" }
            p.about { "It ends at once, and so do all of its questions. This cannot be taken back." }
            button name="action" value=(CANCEL_TASK) { "Cancel the task" }
        }
    }
}

/// A page that is to be visited: its address and its host are shown, and only a click opens it.
fn visit(url: &str) -> Markup {
    let mut lines = page::host(url).into_iter();
    let host = lines.next().unwrap_or_default();
    let leads_somewhere = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    html! {
        section.page aria-labelledby="visit" {
            h2 id="visit" { "It wants you to visit a page" }
            p { "Host: " strong { (host) } }
            @for warning in lines { p.warning { "Careful: " (warning) } }
            p {
                "Address: "
                @if leads_somewhere {
                    a href=(url) target="_blank" rel="noopener noreferrer" { (text::line(url)) }
                    " (opens in a new tab)"
                } @else {
                    (text::line(url))
                }
            }
        }
    }
}
