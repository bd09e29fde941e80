//! All that is known of a task, as a sheet: one shape for every place.

mod fastmcp;
pub(crate) mod form;
mod server;
mod store;

pub(crate) use store::{archived, passed_over};

use jiff::Timestamp;
use serde_json::Value;

use super::failure::Failure;
use super::place::Found;
use super::suggest::Suggested;
use super::watch::Seen;
use super::{page, text, time, values};
use crate::form::Form;
use crate::task::{Ask, AskKind, RpcError, TaskStatus};

/// The sheet, and the same as an object.
pub(crate) struct Facts {
    /// The object.
    pub(crate) object: Value,
    /// The lines, in order.
    pub(crate) lines: Vec<Fact>,
    /// What is said beside it.
    pub(crate) warnings: Vec<super::suggest::Advice>,
}

/// One line of the sheet. Texts are safe on a terminal.
pub(crate) enum Fact {
    /// What follows belongs to it.
    Heading(String),
    /// A name and its value; without a name the value goes on.
    Value(String, String),
    /// Where the task stands; `None` where it cannot be read.
    Status(Option<TaskStatus>),
    /// A task that waits for a worker.
    Queued,
    /// A result that its tool calls an error.
    ToolError,
    /// A task that has ended, and nobody can tell from here how.
    Ended,
    /// The command that does what the name says.
    Command(&'static str, Suggested),
    /// A line of its own.
    Text(String),
    /// Something that happened to the task.
    Event(Box<Seen>),
}

impl Found {
    /// All that is known of the task.
    pub(crate) async fn facts(&self) -> Result<Facts, Failure> {
        match self {
            Self::Store(engine, id) => store::facts(engine, id).await,
            Self::Fastmcp(deployment, task) => fastmcp::facts(deployment, task).await,
            Self::Server(server, task) => Ok(server::facts(server, task).await),
        }
    }
}

/// A sheet that is being written.
struct Sheet {
    now: Timestamp,
    lines: Vec<Fact>,
}

impl Sheet {
    fn new() -> Self {
        Self { now: Timestamp::now(), lines: Vec::new() }
    }

    fn heading(&mut self, words: &str) {
        self.lines.push(Fact::Heading(text::line(words)));
    }

    /// A name and a value in one line, both from outside.
    fn fact(&mut self, name: &str, value: &str) {
        self.lines.push(Fact::Value(text::line(name), text::line(value.trim_end())));
    }

    /// A value that may not be there.
    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.fact(name, value);
        }
    }

    /// A value of several lines, all of it.
    fn block(&mut self, name: &str, value: &str) {
        for (at, line) in text::block(value).into_iter().enumerate() {
            self.lines.push(Fact::Value(if at == 0 { text::line(name) } else { String::new() }, line));
        }
    }

    fn time(&mut self, name: &str, at: Timestamp) {
        self.time_with(name, at, "");
    }

    /// A time, and what is said of it.
    fn time_with(&mut self, name: &str, at: Timestamp, more: &str) {
        self.fact(name, &format!("{} ({}){more}", time::relative(at, self.now), time::moment(at)));
    }

    fn maybe_time(&mut self, name: &str, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.time(name, at);
        }
    }

    /// A result, under a heading of its own.
    fn result(&mut self, result: &Value) {
        self.heading("result");
        self.lines.extend(text::block(&values::of_result(result)).into_iter().map(Fact::Text));
    }

    /// An error that a task ended with.
    fn error(&mut self, name: &str, error: &RpcError) {
        self.block(name, &format!("{} (code {})", error.message, error.code));
    }

    /// What a question wants: a page, or the fields of a form. One that is no form of ours is shown as it is.
    fn wanted(&mut self, ask: &Ask) {
        match &ask.kind {
            AskKind::Url { url } => self.page(Some(url)),
            AskKind::Form { schema } => match Form::parse(schema) {
                Ok(form) if !form.is_whole => {
                    let names = std::iter::once("form").chain(std::iter::repeat(""));
                    form.fields
                        .iter()
                        .zip(names)
                        .for_each(|(field, name)| self.fact(name, &form::in_words(field)));
                }
                _ => self.fact("form", &schema.to_string()),
            },
        }
    }

    /// The page that a question asks to visit.
    fn page(&mut self, url: Option<&str>) {
        let facts = url.map(page::facts).unwrap_or_default();
        self.lines.extend(facts.into_iter().map(|(name, value)| Fact::Value(name.to_owned(), value)));
    }
}
