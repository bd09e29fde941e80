//! Answerers for tests: a list of answers given in order, and a record of what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcptask::client::{Answering, AskedQuestion};
use mcptask::task::{Action, Answer, Answerer};
use serde_json::Value;
use tokio::sync::Notify;

/// Gives its answers in order; leaves a question open when none is left.
#[derive(Default)]
pub(crate) struct Answers {
    left: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<AskedQuestion>>,
}

impl Answers {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() })
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<AskedQuestion> {
        self.asked.lock().expect("no test panics in here").clone()
    }
}

#[async_trait]
impl Answering for Answers {
    async fn answer(&self, question: &AskedQuestion) -> Option<Answer> {
        self.asked.lock().expect("no test panics in here").push(question.clone());
        self.left.lock().expect("no test panics in here").pop_front()
    }
}

/// An accepted form.
pub(crate) fn accept(content: Value) -> Answer {
    let Value::Object(content) = content else { panic!("{content} is an object") };
    Answer::accept(content, Answerer::Client)
}

/// An answer without content.
pub(crate) fn plain(action: Action) -> Answer {
    Answer::new(action, Answerer::Client)
}

/// Never answers; tells when it was asked and when the question was taken back.
#[derive(Default)]
pub(crate) struct Never {
    pub(crate) asked: Notify,
    pub(crate) withdrawn: Notify,
}

struct TellsOnDrop<'a>(&'a Notify);

impl Drop for TellsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Answering for Never {
    async fn answer(&self, _: &AskedQuestion) -> Option<Answer> {
        let _open = TellsOnDrop(&self.withdrawn);
        self.asked.notify_one();
        std::future::pending().await
    }
}
