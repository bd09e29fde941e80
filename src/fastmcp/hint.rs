//! What helps with a task, as words and commands: whoever shows it knows how the commands reach the deployment.

use std::fmt;

use serde::{Serialize, Serializer};

/// What helps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Help {
    /// In the order of the sentence.
    pub parts: Vec<HelpPart>,
}

/// A part of what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpPart {
    /// Words.
    Text(String),
    /// A command about a task.
    Command {
        /// Its verb.
        verb: &'static str,
        /// The task.
        task: Option<String>,
        /// Its question, where the command is about one.
        question: Option<String>,
        /// Further options.
        options: &'static [&'static str],
    },
}

impl Help {
    /// A command about a task, then what it does.
    pub(super) fn command(
        verb: &'static str,
        task: &str,
        options: &'static [&'static str],
        does: &str,
    ) -> Self {
        Self::default().and_command(verb, task, options, does)
    }

    /// The command that answers a task's question, then what it does.
    pub(super) fn respond(
        task: &str,
        question: Option<&str>,
        options: &'static [&'static str],
        does: &str,
    ) -> Self {
        let question = question.map(str::to_owned);
        let command = HelpPart::Command { verb: "respond", task: Some(task.to_owned()), question, options };
        Self { parts: vec![command, HelpPart::Text(format!(" {does}"))] }
    }

    /// With a further command.
    pub(super) fn and_command(
        mut self,
        verb: &'static str,
        task: &str,
        options: &'static [&'static str],
        does: &str,
    ) -> Self {
        let command = HelpPart::Command { verb, task: Some(task.to_owned()), question: None, options };
        self.parts.extend([command, HelpPart::Text(format!(" {does}"))]);
        self
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self { parts: vec![HelpPart::Text(text)] }
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                HelpPart::Text(text) => f.write_str(text)?,
                HelpPart::Command { verb, task, question, options } => {
                    write!(f, "`mcptask {verb}")?;
                    for option in *options {
                        write!(f, " {option}")?;
                    }
                    if let Some(question) = question {
                        write!(f, " --question {question}")?;
                    }
                    match task {
                        Some(task) => write!(f, " -- {task}`")?,
                        None => f.write_str("`")?,
                    }
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Help {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
