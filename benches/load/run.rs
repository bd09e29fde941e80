//! What one run of the tool `ask` brought: its result says when it asked and when it was answered.

use serde_json::Value;

/// A task that ended well; all times in nanoseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// When the client submitted it, and when it had the result.
    pub(crate) submitted: u64,
    pub(crate) ended: u64,
    /// When its first line ran.
    pub(crate) started: u64,
    /// The questions' messages, `q<i> t=<when>`.
    pub(crate) asked: Vec<String>,
    /// What the client answered: the time, or an echo.
    pub(crate) answers: Vec<String>,
    /// When the worker went on after the last answer.
    went_on: u64,
}

impl Run {
    /// Reads the tool's structured result.
    pub(crate) fn read(submitted: u64, ended: u64, result: &Value) -> Option<Self> {
        let time = |key: &str| result.get(key)?.as_u64();
        let texts = |key: &str| {
            let list = result.get(key)?.as_array()?;
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        Some(Self {
            submitted,
            ended,
            started: time("started")?,
            asked: texts("asked")?,
            answers: texts("answers")?,
            went_on: time("ended")?,
        })
    }

    /// When each question was asked.
    pub(crate) fn times(&self) -> Vec<u64> {
        self.asked.iter().filter_map(|message| message.split_once("t=")?.1.parse().ok()).collect()
    }

    /// From each ask to the client's handler.
    pub(crate) fn asks(&self) -> Vec<u64> {
        self.times()
            .iter()
            .zip(self.answered())
            .map(|(asked, answered)| answered.saturating_sub(*asked))
            .collect()
    }

    /// From each answer of the handler to the worker's next line.
    pub(crate) fn answers(&self) -> Vec<u64> {
        self.answered()
            .iter()
            .zip(self.went_on())
            .map(|(answered, on)| on.saturating_sub(*answered))
            .collect()
    }

    /// From each ask to the worker's next line.
    pub(crate) fn rounds(&self) -> Vec<u64> {
        self.times().iter().zip(self.went_on()).map(|(asked, on)| on.saturating_sub(*asked)).collect()
    }

    /// Whether each answer is the one that was given to that question.
    pub(crate) fn matches(&self, answer: fn(&str) -> String) -> bool {
        self.asked.len() == self.answers.len()
            && self.asked.iter().zip(&self.answers).all(|(asked, answered)| answer(asked) == *answered)
            && (0..).zip(&self.asked).all(|(at, message): (usize, _)| message.starts_with(&format!("q{at} ")))
    }

    fn answered(&self) -> Vec<u64> {
        self.answers.iter().filter_map(|answer| answer.parse().ok()).collect()
    }

    /// When the worker went on after each answer: its next question shows it.
    fn went_on(&self) -> Vec<u64> {
        self.times().into_iter().skip(1).chain([self.went_on]).collect()
    }
}
