//! How a server's question reaches whoever may answer it, and what is checked before the answer leaves.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use super::ClientError;
use super::asked::AskedQuestion;
use crate::form::{self, misfits};
use crate::task::who::ANSWERER;
use crate::task::{Action, Answer, Ask, AskKind, Who, joined};

/// How often one question is asked before the client gives up: the first time and two repairs.
pub(super) const ATTEMPTS: u32 = 3;

/// Whoever answers: a person at a terminal, a file of answers.
#[async_trait]
pub trait Answering: Send + Sync {
    /// Answers, or returns `None` to leave the question open. The future is dropped when the question
    /// is withdrawn: answered elsewhere, or cancelled by the server. One question is asked at a time.
    async fn answer(&self, question: &AskedQuestion) -> Option<Answer>;

    /// Hears once of each question that nobody here can answer, and that is left to others.
    fn passes_over(&self, problem: &str) {
        tracing::warn!("{problem}");
    }

    /// Hears that somebody else answered the question of that task first.
    fn comes_too_late(&self, task: &str, question: &str) {
        tracing::warn!("somebody else has answered question {question} of task {task}");
    }
}

/// Tells every waiting verb that a question stays open for good.
#[derive(Default)]
pub(super) struct GaveUp(watch::Sender<Option<ClientError>>);

impl GaveUp {
    /// Why nothing is waited for any more.
    pub(super) fn tell(&self, error: ClientError) {
        self.0.send_replace(Some(error));
    }

    /// Waits for [`GaveUp::tell`].
    pub(super) async fn told(&self) -> ClientError {
        let mut told = self.0.subscribe();
        let seen = told.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        match seen {
            Some(error) => error,
            // The sender is a field of `self`, so it cannot have gone.
            None => std::future::pending().await,
        }
    }
}

/// The one place where questions wait for the answerer.
pub(super) struct Desk {
    answering: Arc<dyn Answering>,
    turn: Mutex<()>,
}

impl Desk {
    pub(super) fn new(answering: Arc<dyn Answering>) -> Self {
        Self { answering, turn: Mutex::new(()) }
    }

    /// Tells whoever answers of a question that nobody here can.
    pub(super) fn passes_over(&self, problem: &str) {
        self.answering.passes_over(problem);
    }

    /// Tells whoever answers that somebody else was faster.
    pub(super) fn comes_too_late(&self, task: &str, question: &str) {
        self.answering.comes_too_late(task, question);
    }

    /// Asks until the answer fits the form. Dropping the future withdraws the question.
    pub(super) async fn ask(&self, question: &mut AskedQuestion) -> Result<Answer, ClientError> {
        let _turn = self.turn.lock().await;
        for _ in 0..ATTEMPTS {
            let Some(answer) = self.answering.answer(question).await else {
                return Err(ClientError::LeftOpen { message: question.ask.message.clone() });
            };
            match misfits(&question.ask, &answer).as_slice() {
                [] => return Ok(answer),
                misfits => question.refused = Some(joined(misfits)),
            }
        }
        Err(refused(question))
    }
}

/// The error of a question whose answers were all refused.
pub(super) fn refused(question: &AskedQuestion) -> ClientError {
    ClientError::AnswerRefused {
        message: question.ask.message.clone(),
        problem: question.refused.clone().unwrap_or_default(),
    }
}

/// The error of a question that nobody here may answer.
pub(super) fn needs_input(question: &AskedQuestion) -> ClientError {
    let AskedQuestion { server, task, ask, .. } = question.clone();
    ClientError::NeedsInput { server, task, message: ask.message, question: Some(Box::new(question.clone())) }
}

/// The answer as an `ElicitResult`. Content goes only with an accepted form.
pub(super) fn elicit_result(ask: &Ask, answer: &Answer) -> Value {
    let mut result = match (answer.action, &ask.kind) {
        (Action::Accept, AskKind::Form { .. }) => {
            json!({ "action": "accept", "content": answer.content.clone().unwrap_or_default() })
        }
        (action, _) => json!({ "action": action }),
    };
    // Only what somebody gave: what this machine calls its user is nobody's business.
    if let Some(said) = answer.who.as_deref().and_then(Who::said) {
        result["_meta"] = json!({ ANSWERER: said });
    }
    result
}

/// A page that nobody is to be shown, as `problem` says, as a question that can be declined and dismissed all the same.
/// `None` where it is no page.
pub(crate) fn refused_page(params: &Value, problem: &str) -> Option<Ask> {
    let text = |key: &str| params.get(key).and_then(Value::as_str);
    let (message, _) = (text("message")?, text("url")?);
    Some(Ask::form(format!("{message} (its page must not be opened: {problem})"), Value::Null))
}

/// Reads the params of an `elicitation/create`; the error says what is wrong with them.
pub fn ask_from(params: &Value) -> Result<Ask, String> {
    let text = |key: &str| params.get(key).and_then(Value::as_str);
    let message = text("message").ok_or("an elicitation without a message")?;
    match text("mode").unwrap_or("form") {
        "form" => {
            let schema = params.get("requestedSchema").ok_or("a form without a requestedSchema")?;
            Ok(Ask::form(message, form::of_object(schema)))
        }
        "url" => {
            let ask = Ask::url(message, text("url").ok_or("a URL elicitation without a url")?);
            let violations = ask.unshowable();
            if violations.is_empty() { Ok(ask) } else { Err(joined(&violations)) }
        }
        other => Err(format!("an elicitation of mode {other:?}, which this client did not declare")),
    }
}
