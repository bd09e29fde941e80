//! How a command says why it failed, to people and to programs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::width::columns;
use super::{FORMAT, Piece, Ui, flow, text};
use crate::cli::failure::Failure;

/// What lines begin with that tell of a wrong command line.
const LABELS: [&str; 3] = ["error:", "tip:", "Usage:"];

impl Ui {
    /// The one message that is always shown: why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.is_json() {
            self.to_stderr(&text::json(&failure_object(failure).to_string()));
            return;
        }
        let paint = self.talk_paint();
        let mut lines = text::block(&failure.to_string()).into_iter();
        let first = lines.next().unwrap_or_default();
        self.wrapped(&format!("{} ", paint.red("error:")), &flow::pieces(&first));
        lines.for_each(|line| self.wrapped("  ", &flow::pieces(&line)));
        if self.verbosity() > 0 {
            for cause in failure.causes() {
                let cause = Piece::Words(text::line(&cause));
                self.wrapped(&paint.dim("  caused by: "), &[cause]);
            }
        }
        for hint in failure.hints() {
            self.wrapped(&format!("{} ", paint.cyan("hint:")), &hint.pieces());
        }
    }

    /// A line of what is said of a wrong command line: its words are wrapped below what it begins with.
    pub(crate) fn usage(&self, line: &str) {
        let words = line.trim_start();
        let indent = " ".repeat(columns(line) - columns(words));
        let label = LABELS.into_iter().find(|label| words.starts_with(label)).unwrap_or_default();
        let paint = self.talk_paint();
        let lead = match label {
            "" => String::new(),
            "error:" => paint.red(label) + " ",
            "tip:" => paint.cyan(label) + " ",
            other => paint.bold(other) + " ",
        };
        let words = words[label.len()..].trim_start();
        self.wrapped(&(indent + &lead), &flow::pieces(words));
    }
}

fn failure_object(failure: &Failure) -> Value {
    let mut object = json!({ "at": Timestamp::now(), "format": FORMAT });
    if let (Value::Object(line), Value::Object(said)) = (&mut object, failure.object()) {
        line.extend(said);
    }
    object
}
