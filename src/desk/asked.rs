//! A question as whoever may answer it sees it, wherever its task is.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::background::Background;
use super::question_end::QuestionEnd;
use super::suggest::{Advice, Suggested};
use super::{page, text, time, values};
use crate::client::{self, TaskView};
use crate::fastmcp::{DeployedQuestion, DeployedTask, Generation};
use crate::task::{Answer, Ask, AskKind, Question, Task, TaskId};

/// What somebody has filled in so far, for whoever asks the same anew when its form was taken off the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filled(Arc<Mutex<Option<Map<String, Value>>>>);

impl Filled {
    /// It is so now.
    pub(crate) fn set(&self, content: Option<Map<String, Value>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = content;
    }

    /// As it was last.
    pub(crate) fn get(&self) -> Option<Map<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What an operator has extended since a question was read, for whoever shows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extended(Arc<Mutex<Option<Ends>>>);

/// When a question answers itself, and when its task ends.
#[derive(Debug, Clone, Copy)]
struct Ends {
    deadline: Option<Timestamp>,
    task: Option<Timestamp>,
}

/// A question and what a person must know before answering it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "`asked_at` is the questions' own word")]
pub(crate) struct Asked {
    /// Who asks: the tool and the task, or the server. Untrusted, like the rest.
    pub(crate) who: String,
    /// What is asked.
    pub(crate) ask: Ask,
    /// When it was asked first, where that is known.
    pub(crate) asked_at: Option<Timestamp>,
    /// When it answers itself.
    pub(crate) deadline: Option<Timestamp>,
    /// When the deployment that keeps it drops it.
    pub(crate) dropped: Option<Timestamp>,
    /// Why the last answer to it was refused.
    pub(crate) refused: Option<String>,
    /// The command that answers it later, where there is one.
    pub(crate) later: Option<Suggested>,
    /// What is known around it.
    pub(crate) background: Background,
    /// What somebody here filled in before, and what was not taken.
    pub(crate) draft: Option<Map<String, Value>>,
    /// What is filled in here.
    pub(crate) filled: Filled,
    pub(crate) extended: Extended,
    /// Whether nobody else can answer it through its server when it is left: that asks only this command.
    pub(crate) is_only_here: bool,
    /// What is said wherever something is changed where the answer goes.
    pub(crate) guard: Option<String>,
}

impl Asked {
    /// A question of which nothing is known but who asks it, and what.
    pub(crate) fn new(who: String, ask: Ask) -> Self {
        let (asked_at, deadline, dropped, refused, later, draft) = (None, None, None, None, None, None);
        let (background, is_only_here, guard) = (Background::default(), false, None);
        let (filled, extended) = (Filled::default(), Extended::default());
        Self {
            who,
            ask,
            asked_at,
            deadline,
            dropped,
            refused,
            later,
            background,
            draft,
            filled,
            extended,
            is_only_here,
            guard,
        }
    }

    /// Takes note of when it ends by its task as that stands now.
    pub(crate) fn stands(&self, task: &Task, question: &str) {
        let Some(now) = task.questions.iter().find(|one| one.id.as_str() == question) else { return };
        let ends = Ends { deadline: now.deadline, task: task.expires_at() };
        *self.extended.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ends);
    }

    fn ends(&self) -> Ends {
        let extended = *self.extended.0.lock().unwrap_or_else(PoisonError::into_inner);
        extended.unwrap_or(Ends { deadline: self.deadline, task: self.background.ends })
    }

    /// When its task ends.
    fn task_ends(&self) -> Option<Timestamp> {
        self.ends().task
    }

    /// How long ago it was asked, as far as that is known: "3 s ago", or "<16 s ago" where it may be less.
    pub(crate) fn since(&self, now: Timestamp) -> Option<String> {
        let known = self.asked_at.map(|at| (at, false)).or(self.background.waits);
        known.map(|(at, may_be_later)| time::since(at, may_be_later, now))
    }

    /// What it means to go away without an answer, as a thing to do.
    pub(crate) fn leaving(&self) -> &'static str {
        if self.is_only_here { "leave without an answer" } else { "leave it open" }
    }

    /// The same on a button.
    pub(crate) fn leave(&self) -> &'static str {
        match (self.is_only_here, &self.ask.kind) {
            (true, _) => "Leave without an answer",
            (false, AskKind::Url { .. }) => "Leave it open",
            (false, AskKind::Form { .. }) => "Leave open",
        }
    }

    /// Notes that this answer to it was not taken, and why: what it says is where the next one begins.
    pub(crate) fn refused(&mut self, answer: &Answer, problem: String) {
        self.draft.clone_from(&answer.content);
        self.refused = Some(problem);
    }

    /// What ends it where nobody answers, whatever comes first.
    pub(crate) fn end(&self) -> Option<QuestionEnd> {
        let Ends { deadline, task } = self.ends();
        let own = deadline.map(|at| QuestionEnd::AnswersItself(self.ask.on_timeout, at));
        let known = [own, self.dropped.map(QuestionEnd::Dropped), task.map(QuestionEnd::WithItsTask)];
        QuestionEnd::first(known.into_iter().flatten())
    }

    /// What is known around it, by names, and its task's end where something else ends it before.
    pub(crate) fn facts(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let is_said = matches!(self.end(), Some(QuestionEnd::WithItsTask(_)));
        let ends = self.task_ends().filter(|_| !is_said);
        let ends = ends.map(|at| ("the task ends", time::relative(at, now)));
        let earlier = self.background.earlier.iter();
        let earlier = earlier.map(|(question, answer)| ("before", format!("{question} {answer}")));
        self.background.facts.iter().cloned().chain(ends).chain(earlier).collect()
    }

    /// What is so where nobody here has answered it.
    pub(crate) fn left(&self) -> &'static str {
        match (&self.later, self.is_only_here) {
            // Only a question that somebody can answer later outlives this program.
            (Some(_), _) => "the question stays open",
            (None, true) => "the server gets no answer from here, and may not wait for long",
            (None, false) => "nobody has answered the question",
        }
    }

    /// How to answer it later, as a hint.
    pub(crate) fn later_hint(&self) -> Option<Advice> {
        if self.ask.fits_nothing() {
            let decline = self.later.clone()?.flag("--decline");
            let cancel = self.later.clone()?.flag("--cancel");
            return Some(
                Advice::command(decline, "says no to it later, ").and_command(cancel, "dismisses it"),
            );
        }
        let words = match page::of(&self.ask) {
            Some(url) => format!("look at the page {}, then answer with", page::within(url)),
            None => match values::choices(&self.ask) {
                Some(choices) => format!("{choices}; answer it later with"),
                None => "answer it later with".to_owned(),
            },
        };
        self.later.clone().map(|command| Advice::with(&words, command))
    }
}

/// Who asks at a server: its tool, where that is known, or the server itself.
pub(crate) fn who_at_server(asker: &str, task: Option<&str>, question: Option<&str>) -> String {
    match (task.map(text::short_id), question) {
        (Some(task), Some(question)) => format!("{asker} (task {task}, question {question})"),
        (Some(task), None) => format!("{asker} (task {task})"),
        (None, _) => asker.to_owned(),
    }
}

/// The message of an entry of `inputRequests`, and the page that it asks to visit: also of one that must not be shown as a
/// question.
pub(crate) fn parts(request: &Value) -> (Option<&str>, Option<&str>) {
    let text = |name: &str| request.pointer(name).and_then(Value::as_str);
    (text("/params/message"), text("/params/url"))
}

/// Why nobody here can say yes to an entry of `inputRequests`, where that is so.
pub(crate) fn unanswerable(request: &Value) -> Option<String> {
    match request.get("method").and_then(Value::as_str).filter(|name| *name != ELICITATION) {
        Some(method) => Some(format!(
            "it is {method}, which no person answers: it is for a client with a model or folders"
        )),
        None => client::ask_from(request.get("params").unwrap_or(request)).err(),
    }
}

/// The request that asks a person.
const ELICITATION: &str = "elicitation/create";

/// An open question of a task.
#[derive(Debug, Clone)]
pub(crate) struct OpenQuestion {
    /// The task's whole id.
    pub(crate) task: String,
    /// The question's id within the task.
    pub(crate) id: String,
    /// What is asked.
    pub(crate) asked: Asked,
}

impl OpenQuestion {
    /// One of our own store, of the task of that id and tool.
    pub(crate) fn of_store(task: &TaskId, tool: &str, question: &Question) -> Self {
        let id = text::short_id(task.as_str());
        let respond = values::accepting(Suggested::new("respond").about(id), &question.ask);
        let who = format!("{tool} (task {id}, question {})", question.id);
        let asked = Asked {
            asked_at: Some(question.asked_at),
            deadline: question.deadline,
            later: Some(respond.question(question.id.as_str())),
            ..Asked::new(who, question.ask.clone())
        };
        Self { task: task.to_string(), id: question.id.to_string(), asked }
    }

    /// One of a task of our own store.
    pub(crate) fn of_task(task: &Task, question: &Question) -> Self {
        let mut open = Self::of_store(task.id(), &task.new.tool, question);
        open.asked.background = Background::of_store(task);
        open
    }

    /// One of a FastMCP deployment. Those of FastMCP 4 are answered through their server.
    pub(crate) fn of_fastmcp(
        task: &str,
        tool: &str,
        generation: Generation,
        question: &DeployedQuestion,
    ) -> Self {
        let respond = match generation {
            Generation::V4 => Suggested::new("respond").about(task).through_some_server(),
            _ => Suggested::new("respond").about(text::short_id(task)),
        };
        let later = values::accepting(respond, &question.ask).question(question.id.as_str());
        let who = format!("{tool} (task {})", text::short_id(task));
        let asked = Asked {
            asked_at: question.asked_at,
            later: Some(later),
            ..Asked::new(who, question.ask.clone())
        };
        Self { task: task.to_owned(), id: question.id.clone(), asked }
    }

    /// All of a FastMCP task.
    pub(crate) fn all_of_fastmcp(task: &DeployedTask) -> Vec<Self> {
        let one = |question| {
            let mut open = Self::of_fastmcp(&task.id, &task.component.name, task.generation, question);
            open.asked.background = Background::of_fastmcp(task);
            open.asked.dropped = task.lifetimes().question_ms.and_then(time::from_now);
            if task.arguments_have_expired() {
                // Its server would run the task again without any.
                let respond = Suggested::new("respond").about(task.id.as_str()).flag("--direct");
                open.asked.later =
                    Some(values::accepting(respond, &question.ask).question(question.id.as_str()));
            }
            open
        };
        task.questions.iter().map(one).collect()
    }

    /// All of a server's task that may be shown: what must not be shown cannot be answered here.
    pub(crate) fn all_of_server(server: &str, task: &TaskView) -> impl Iterator<Item = Self> {
        task.input_requests
            .iter()
            .filter_map(move |(key, request)| Self::of_server(server, task, key, request).ok())
    }

    /// One of a server's task: an entry of its `inputRequests`. The error says why it must not be shown.
    pub(crate) fn of_server(
        server: &str,
        task: &TaskView,
        key: &str,
        request: &Value,
    ) -> Result<Self, String> {
        let ask = match unanswerable(request) {
            None => client::ask_from(request.get("params").unwrap_or(request))?,
            Some(problem) => {
                client::refused_page(request.get("params").unwrap_or(request), &problem).ok_or(problem)?
            }
        };
        let respond = values::accepting(Suggested::new("respond").about(task.id.as_str()), &ask);
        let who = who_at_server(server, Some(&task.id), Some(key));
        let background = Background::of_server(task, &ask);
        let asked = Asked { later: Some(respond.question(key)), background, ..Asked::new(who, ask) };
        Ok(Self { task: task.id.clone(), id: key.to_owned(), asked })
    }

    /// It is asked by that tool, which only the launcher of a server's task knows.
    pub(super) fn asked_by(&mut self, tool: &str, server: &str) {
        self.asked.who = who_at_server(tool, Some(&self.task), Some(&self.id));
        self.asked.background.at(server);
    }

    /// Its object: the same in every place.
    pub(crate) fn object(&self) -> Value {
        let mut object = json!(self.asked.ask);
        object["id"] = json!(self.id);
        for (name, at) in [("asked_at", self.asked.asked_at), ("deadline", self.asked.deadline)] {
            if let Some(at) = at {
                object[name] = json!(at);
            }
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_answer_fits_is_declined_and_dismissed_by_two_commands() {
        let later = Some(Suggested::new("respond").about("abcd1234").question("k"));
        let asked = Asked { later, ..Asked::new("a server".to_owned(), Ask::form("?", Value::Null)) };
        assert_eq!(
            asked.later_hint().expect("a hint").to_string(),
            "`mcptask respond abcd1234 --question k --decline` says no to it later, \
             `mcptask respond abcd1234 --question k --cancel` dismisses it"
        );
    }
}
