//! Answers that a model gives for a person.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::calls::{Caller, Desk};
use super::shown::{self, Said};
use super::{Way, arguments};
use crate::desk::answer::{Receipt, Sending};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::place::Found;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::{page, text};
use crate::fastmcp;
use crate::store::{StoreError, gate};
use crate::task::{Action, Answer, Answerer, Who};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    task: String,
    question: String,
    action: Action,
    content: Option<Map<String, Value>>,
    note: Option<String>,
}

impl<W: Way> Desk<'_, W> {
    pub(super) async fn answer_question(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        let Given { task, question, action, content, note } = arguments::read(caller)?;
        storable(note.as_deref())?;
        self.way.before_changing().await?;
        let (found, open) = self.open_question(&task, &question).await?;
        let of_question =
            |failure: Failure| failure.concerning(Some(open.task.clone()), Some(open.id.clone()));
        let answer = read(&open, action, content).map_err(of_question)?;
        let answer = answer.given_by(self.way.who(caller.name().as_deref(), note));
        let sent = Sending::new(&found, &open, answer, fastmcp::Way::Supported).attempt().await;
        let receipt = sent.and_then(crate::desk::answer::Delivered::or_refused).map_err(of_question)?;
        Ok(self.told(&found, &open, &receipt))
    }

    /// The open question of that id, and its task. Nobody answers the first one that happens to be open.
    pub(super) async fn open_question(
        &self,
        task: &str,
        question: &str,
    ) -> Result<(Found, OpenQuestion), Failure> {
        let of_question =
            |failure: Failure| failure.concerning(Some(task.to_owned()), Some(question.to_owned()));
        let places = self.way.places().await?;
        let found = self.find(&places, task).await.map_err(of_question)?;
        if question.is_empty() && !found.calls_a_question_nothing() {
            return Err(of_question(Failure::usage("the question's id is empty")));
        }
        let open = found.question(Some(question), fastmcp::Way::Supported).await.map_err(of_question)?;
        Ok((found, open))
    }

    /// What is told of an answer that was taken.
    pub(super) fn told(&self, found: &Found, open: &OpenQuestion, receipt: &Receipt) -> Said {
        let did = match receipt.answer.action {
            Action::Accept => "answered",
            Action::Decline => "declined",
            Action::Cancel => "cancelled",
        };
        let mut words =
            format!("Question {} of task {} is {did}.", shown::id(&open.id), shown::id(&open.task));
        if let Some(still_open) = receipt.is_still_open(open) {
            words = format!("{words} But {}.", self.way.advise(still_open));
        } else if !receipt.counts {
            words.push_str(" Whether the answer counts is not known yet: show_task tells.");
        }
        if let Some(left) = receipt.left.filter(|left| *left > 0) {
            words = format!("{words} {left} question(s) of it are still open.");
        }
        Said { words, lines: Vec::new(), object: receipt.object(found, open) }
    }
}

/// Refuses a note that would not be kept as it is.
fn storable(note: Option<&str>) -> Result<(), Failure> {
    match gate::who(&Who::default().noting(note.map(str::to_owned))) {
        Err(StoreError::Refused { problem, .. }) => Err(Failure::usage(format!("note {problem}"))),
        _ => Ok(()),
    }
}

/// The answer that was given. Of a page only a person knows what it wants, so no model accepts one.
fn read(open: &OpenQuestion, action: Action, content: Option<Map<String, Value>>) -> Result<Answer, Failure> {
    match (action, content, page::of(&open.asked.ask)) {
        (Action::Accept, _, Some(url)) => {
            let respond = Suggested::new("respond").about(open.task.as_str()).question(open.id.as_str());
            let problem = format!(
                "question {} asks to visit {}: no model accepts a page, whoever visits it does",
                text::line(&open.id),
                page::within(url)
            );
            Err(Failure::usage(problem).hint(Advice::command(
                respond,
                "shows it to a person at a terminal; decline and cancel are taken here",
            )))
        }
        (Action::Accept, content, None) => {
            Ok(Answer::accept(content.unwrap_or_default(), Answerer::Operator))
        }
        (Action::Decline | Action::Cancel, Some(_), _) => {
            Err(Failure::usage(format!("content has no effect with {action}: leave it out, or accept")))
        }
        (Action::Decline | Action::Cancel, None, _) => Ok(Answer::new(action, Answerer::Operator)),
    }
}

/// Who answers at a host whose user was asked.
pub(super) fn user(who: Who) -> Who {
    who.noting(Some("the host asked its user".to_owned()))
}
