//! An answer: what the user decided, who said so, and when.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Known, Who};

/// What the user did with a question: MCP's three elicitation actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Answered, with content in form mode.
    Accept,
    /// Said no.
    Decline,
    /// Dismissed without a decision.
    Cancel,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
        })
    }
}

/// What kind of answerer it was; [`Who`] says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answerer {
    /// The MCP client that owns the task, by the relay or by `tasks/update`.
    Client,
    /// A person or a script at a terminal, by `respond`.
    Operator,
    /// A rule: one of a file, which has a name, or that of a client that cannot be asked, or vanished.
    Policy,
    /// Nobody in time.
    Timeout,
}

impl fmt::Display for Answerer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Policy => "policy",
            Self::Timeout => "timeout",
        })
    }
}

/// One answer to one question. The store stamps [`Answer::at`] when it takes the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What the user did.
    pub action: Action,
    /// The form's values; present only with [`Action::Accept`] of a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Map<String, Value>>,
    /// What kind of answerer gave it.
    pub by: Answerer,
    /// Who it was, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Box<Who>>,
    /// Why, where a rule or a timeout answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the store took it.
    pub at: Timestamp,
}

impl Answer {
    /// An answer with the given action and no content.
    pub fn new(action: Action, by: Answerer) -> Self {
        Self { action, content: None, by, who: None, reason: None, at: Timestamp::now() }
    }

    /// An accepted form.
    pub fn accept(content: Map<String, Value>, by: Answerer) -> Self {
        Self { content: Some(content), ..Self::new(Action::Accept, by) }
    }

    /// A cancel that a rule or a timeout gave, with its reason.
    pub fn cancel(by: Answerer, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(Action::Cancel, by) }
    }

    /// What a question answers itself where nobody did in time.
    pub fn timed_out(action: Action) -> Self {
        Self { reason: Some("nobody answered in time".to_owned()), ..Self::new(action, Answerer::Timeout) }
    }

    /// The same answer, given by that one.
    #[must_use]
    pub fn given_by(self, who: Who) -> Self {
        Self { who: who.if_any(), ..self }
    }

    /// What kind of answerer it was, in words; a rule that somebody wrote with its name.
    pub fn kind(&self) -> String {
        named(self.by, self.who.as_deref().filter(|who| who.known == Some(Known::Rule)))
    }

    /// Who answered, in words: `operator ada`.
    pub fn answerer(&self) -> String {
        named(self.by, self.who.as_deref())
    }
}

/// What kind of answerer it was, with its name: of a rule that somebody wrote, which is a policy with a name, `rule NAME`.
pub fn named(by: Answerer, who: Option<&Who>) -> String {
    let is_rule = who.and_then(|who| who.known) == Some(Known::Rule);
    match who.and_then(|who| who.name.as_ref()) {
        Some(name) if is_rule => format!("rule {name}"),
        Some(name) => format!("{by} {name}"),
        None if who.and_then(|who| who.known) == Some(Known::Link) => format!("{by} by link"),
        None => by.to_string(),
    }
}
