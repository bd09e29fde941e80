//! The steps of a script.

use std::time::Duration;

use super::ValueTemplate;
use super::template::{Expression, Template};
use crate::task::{Fault, OnTimeout};

/// One step, with the place where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// File and line, for errors.
    pub place: String,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Asks, several questions at once where there are several, and waits for all answers.
    Ask {
        /// The questions.
        questions: Vec<QuestionTemplate>,
        /// How long they wait, in place of the tool's own limit.
        timeout: Option<Duration>,
    },
    /// Does nothing for a number of seconds.
    Sleep(ValueTemplate),
    /// Reports progress.
    Report {
        /// What the task is doing.
        message: Option<Template>,
        /// How far.
        current: ValueTemplate,
        /// Of how much.
        total: Option<ValueTemplate>,
    },
    /// Gives names to values.
    Set(Vec<(String, ValueTemplate)>),
    /// Goes one of two ways.
    Branch {
        /// Which.
        condition: Expression,
        /// Where it holds.
        then: Vec<Step>,
        /// Where it does not.
        otherwise: Vec<Step>,
    },
    /// Repeats steps.
    Loop {
        /// As long as this holds.
        condition: Expression,
        /// The bound: once more than this is an error.
        at_most: u32,
        /// What is repeated.
        body: Vec<Step>,
    },
    /// Ends the task with a result.
    Return(Reply),
    /// Ends the task with a result that the tool calls an error.
    ToolError(Reply),
    /// Ends the task with a JSON-RPC error.
    ProtocolError {
        /// Its code.
        code: i64,
        /// Its message.
        message: Template,
        /// More of it.
        data: Option<ValueTemplate>,
    },
    /// Misbehaves from here on, for tests of MCP clients.
    Fault(Fault),
}

/// A question before it is filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionTemplate {
    /// The name under which later steps find the answer.
    pub name: Option<String>,
    /// What is shown.
    pub message: Template,
    /// Form or URL.
    pub kind: QuestionKind,
    /// What it answers when its time is over.
    pub on_timeout: OnTimeout,
    /// After how long people are told once more that it waits.
    pub remind_after: Option<Duration>,
}

impl QuestionTemplate {
    /// Whether it may take milliseconds to fill in.
    pub(super) fn is_heavy(&self) -> bool {
        let kind = match &self.kind {
            QuestionKind::Form(schema) => schema.is_heavy(),
            QuestionKind::Url(url) => url.is_heavy(),
        };
        kind || self.message.is_heavy()
    }
}

/// MCP's two elicitation modes, before they are filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// A form's schema.
    Form(ValueTemplate),
    /// A page's address.
    Url(Template),
}

/// A result before it is filled in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// One text block in front of the other content.
    pub text: Option<Template>,
    /// Content blocks of any kind.
    pub content: Vec<ValueTemplate>,
    /// The structured result.
    pub structured: Option<ValueTemplate>,
}
