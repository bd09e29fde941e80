//! A server's questions on their way to whoever answers here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::failure::{Failure, Kind};
use super::follow::Answering;
use super::ui::question::Asked;
use super::ui::{event, text};
use crate::client::{self, AskedQuestion, Era, TaskView};
use crate::desk::asked::{Filled, who_at_server};
use crate::desk::background::Background;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::values;
use crate::task::Answer;

/// How long a question waits for its task's announcement: what the reply that names the task may be behind.
const ANNOUNCED: Duration = Duration::from_secs(10);

/// Brings a server's questions to whoever answers here, and keeps why it was left open.
pub(crate) struct RemoteAnswering {
    answering: Answering,
    /// Whether what is left open can be answered by a command.
    answered_later: AtomicBool,
    /// The task once its id is on the screen: its first question can be here before it.
    announced: watch::Sender<Option<Announced>>,
    /// The tool that was called, where it is known, and what is known of the call that made the task.
    call: OnceLock<(Option<String>, Background)>,
    state: Mutex<State>,
}

/// A task whose id is on the screen.
struct Announced {
    id: String,
    /// When its time to live ends, and its questions with it.
    ends: Option<Timestamp>,
    /// Since when it had waited already, and whether that may be later.
    waits: Option<(Timestamp, bool)>,
}

#[derive(Default)]
struct State {
    asked: Vec<Known>,
    /// How many connections there were before this one.
    connection: u32,
    failure: Option<Failure>,
}

/// Who asks, in the words of all places. A request's id tells nobody which question it is.
fn who(question: &AskedQuestion, tool: Option<&str>) -> String {
    let AskedQuestion { server, task, key, outlives_session, .. } = question;
    who_at_server(tool.unwrap_or(server), task.as_deref(), outlives_session.then_some(key.as_str()))
}

/// Where a legacy server's question can be answered by others than the client that it asks.
pub(crate) fn at_its_store(task: &str) -> Advice {
    let respond = Suggested::new("respond").about(task);
    let asks = "some legacy servers ask only the client that submitted the task, and may take the end of this command for \
                an answer; as long as the task waits, ";
    Advice::at_its_store(asks, respond, "answers straight at the store that the server uses")
}

/// How a legacy server's task is taken up again: there may be no other client that it asks.
fn taken_up(task: &str) -> Advice {
    let attach = Suggested::new("attach").about(task);
    Advice::from("the task is there still: ").and_command(
        attach,
        "takes it up again, at a terminal or with --answers FILE, where the server asks anew",
    )
}

/// The failure of a task of a legacy server that is seen to ask, but not what it asks.
pub(crate) fn nobody_answers(server: &str, task: &str, message: &str) -> Failure {
    let (short, message) = (event::short(task), text::sentence(message));
    let said = format!("{server} (task {short}) asks, and nobody may be asked here: {message}");
    Failure::new(Kind::NeedsInput, said).hint(taken_up(task)).hint(at_its_store(task))
}

/// A question that was asked here.
struct Known {
    question: AskedQuestion,
    /// The connection that it came over last.
    connection: u32,
    /// What was decided.
    answer: Option<Answer>,
    /// What an answer said that was not taken.
    draft: Option<Map<String, Value>>,
    /// What is filled in, also when its form was taken off the screen with its connection.
    filled: Filled,
}

impl Known {
    /// Whether it is this question. A request's id names it in one connection only: in the next one, the same words
    /// are taken for it until something else was asked there.
    fn is(&self, question: &AskedQuestion, connection: u32) -> bool {
        let is_same_connection = self.connection == connection;
        self.question.task == question.task
            && if question.outlives_session || is_same_connection {
                self.question.key == question.key
            } else {
                self.question.ask == question.ask
            }
    }

    /// The answer that was lost with the connection that it was given over.
    fn lost_answer(&self, question: &AskedQuestion, connection: u32) -> Option<Answer> {
        let is_lost = self.connection < connection && question.outlives_session && question.refused.is_none();
        self.answer.clone().filter(|_| is_lost && self.question.ask == question.ask)
    }
}

impl State {
    /// Which question it is, counted from 1, and what was decided on it over an earlier connection.
    fn meet(&mut self, question: &AskedQuestion) -> (usize, Option<Answer>) {
        let connection = self.connection;
        let known = self.asked.iter().rposition(|known| known.is(question, connection));
        let index = known.unwrap_or(self.asked.len());
        let lost = known.and_then(|index| self.asked[index].lost_answer(question, connection));
        let before = known.map(|index| &self.asked[index]);
        let sent = before.and_then(|known| known.answer.clone()?.content);
        let filled = before.filter(|known| known.question.ask == question.ask);
        let filled = filled.map(|known| known.filled.clone()).unwrap_or_default();
        let draft = sent.or_else(|| filled.get());
        let known = Known { question: question.clone(), connection, answer: lost.clone(), draft, filled };
        match self.asked.get_mut(index) {
            Some(place) => *place = known,
            None => self.asked.push(known),
        }
        (index + 1, lost)
    }
}

impl RemoteAnswering {
    /// `answered_later` says whether a command can answer what is left open.
    pub(crate) fn new(answering: Answering, answered_later: bool) -> Arc<Self> {
        let answered_later = AtomicBool::new(answered_later);
        Arc::new(Self {
            answering,
            answered_later,
            announced: watch::Sender::new(None),
            call: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Notes what is known of the call whose task asks, and its tool.
    pub(crate) fn is_about(&self, tool: Option<String>, call: Background) {
        // There is one call.
        let _ = self.call.set((tool, call));
    }

    /// The task was announced: its questions may be asked.
    pub(crate) fn announced(&self, task: &TaskView) {
        let (id, ends, waits) = (task.id.clone(), task.expires(), task.waits_since());
        self.announced.send_replace(Some(Announced { id, ends, waits }));
    }

    /// The task that asks: not every server says so, and there is one here.
    fn task_of(&self, question: &AskedQuestion) -> Option<String> {
        let announced = || Some(self.announced.borrow().as_ref()?.id.clone());
        question.task.clone().or_else(announced)
    }

    /// A task's question waits for what is said of the task before; a call without a task is never announced.
    async fn await_announcement(&self, question: &AskedQuestion) {
        if question.task.is_some() {
            let mut announced = self.announced.subscribe();
            let _ = tokio::time::timeout(ANNOUNCED, announced.wait_for(Option::is_some)).await;
        }
    }

    /// What was found at the other end: a legacy server shows its questions only to the client that submitted the task.
    pub(crate) fn speaks_to(&self, era: Era) {
        if era == Era::Legacy {
            self.answered_later.store(false, Ordering::Release);
        }
    }

    /// Whether a command can answer what is left open through the server.
    fn is_answered_later(&self) -> bool {
        self.answered_later.load(Ordering::Acquire)
    }

    /// Why a question was left open, if one was.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.state().failure.take()
    }

    /// The failure of a question that came where nobody may be asked.
    pub(crate) fn asks_nobody(&self, question: &AskedQuestion) -> Failure {
        let (position, _) = self.state().meet(question);
        let failure = self.answering.nobody(&self.asked(question, position), position);
        self.elsewhere(failure, question)
    }

    /// Names where a task's question is answered that no command answers through its server.
    fn elsewhere(&self, failure: Failure, question: &AskedQuestion) -> Failure {
        match self.task_of(question).filter(|_| !self.is_answered_later()) {
            Some(task) => failure.hint(taken_up(&task)).hint(at_its_store(&task)),
            None => failure,
        }
    }

    /// Waits until the form of a question that was withdrawn has left the screen.
    pub(crate) async fn form_left(&self) {
        self.answering.form_left().await;
    }

    /// Warns of what in the file of answers has answered nothing.
    pub(crate) fn tell_surplus(&self) {
        self.answering.tell_surplus();
    }

    /// The command that answers it later; only a task's questions outlive the connection.
    fn later(&self, question: &AskedQuestion) -> Option<Suggested> {
        let task = question.task.as_deref().filter(|_| self.is_answered_later())?;
        let respond = values::accepting(Suggested::new("respond").about(task), &question.ask);
        Some(respond.question(question.key.as_str()))
    }

    /// The connection is over, and another one is made.
    pub(crate) fn begins_anew(&self) {
        self.state().connection += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The question of that position, counted from 1, as it is shown.
    fn asked(&self, question: &AskedQuestion, position: usize) -> Asked {
        let (tool, mut background) = self.call.get().cloned().unwrap_or_default();
        let who = who(question, tool.as_deref());
        if tool.is_some() {
            background.at(&question.server);
        }
        if let Some(task) = &*self.announced.borrow() {
            background.ends = task.ends;
            // What comes later has just been asked.
            background.waits = task.waits.filter(|_| position == 1);
        }
        let state = self.state();
        for known in
            state.asked.iter().take(position - 1).filter(|known| known.question.task == question.task)
        {
            if let Some(answer) = &known.answer {
                background.answered_here(&known.question.ask, answer);
            }
        }
        Asked {
            refused: question.refused.clone(),
            later: self.later(question),
            is_only_here: self.task_of(question).is_some() && !self.is_answered_later(),
            background,
            draft: state.asked[position - 1].draft.clone(),
            filled: state.asked[position - 1].filled.clone(),
            ..Asked::new(who, question.ask.clone())
        }
    }
}

#[async_trait]
impl client::Answering for RemoteAnswering {
    async fn answer(&self, question: &AskedQuestion) -> Option<Answer> {
        self.await_announcement(question).await;
        let (position, lost) = self.state().meet(question);
        if lost.is_some() {
            self.answering.tell_sent_again();
            return lost;
        }
        match self.answering.decide(&self.asked(question, position), position).await {
            Ok(answer) => {
                self.state().asked[position - 1].answer = Some(answer.clone());
                Some(answer)
            }
            Err(failure) => {
                let is_open = failure.kind() == Kind::NeedsInput;
                let failure = if is_open { self.elsewhere(failure, question) } else { failure };
                let mut state = self.state();
                state.failure = Some(failure);
                if question.ask.fits_nothing() && state.asked.len() == position {
                    // It is passed over, and the answers are for the questions that are not.
                    state.asked.pop();
                }
                None
            }
        }
    }

    fn passes_over(&self, problem: &str) {
        self.answering.warn(problem);
    }

    fn comes_too_late(&self, task: &str, question: &str) {
        let (task, question) = (text::line(task), text::line(question));
        self.answering.talk(&format!("somebody else has answered question {question} of task {task}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Action, Answerer, Ask};

    fn question(key: &str, message: &str, outlives_session: bool) -> AskedQuestion {
        let ask = Ask::url(message, "https://example.com");
        let (server, task) = ("s".to_owned(), Some("t".to_owned()));
        AskedQuestion { server, task, key: key.to_owned(), outlives_session, ask, refused: None }
    }

    fn answered(state: &mut State, question: &AskedQuestion) -> usize {
        let (position, lost) = state.meet(question);
        assert!(lost.is_none(), "{question:?}");
        state.asked[position - 1].answer = Some(Answer::new(Action::Accept, Answerer::Client));
        position
    }

    #[test]
    fn an_answer_that_was_lost_with_its_session_is_sent_again_once() {
        let mut state = State::default();
        assert_eq!(answered(&mut state, &question("q1", "one", true)), 1);
        assert_eq!(answered(&mut state, &question("q1", "one, but valid", true)), 1, "refused by its server");
        state.connection += 1;
        let (position, lost) = state.meet(&question("q1", "one, but valid", true));
        assert!(position == 1 && lost.is_some());
        assert!(
            state.meet(&question("q1", "one, but valid", true)).1.is_none(),
            "asked again in this session"
        );
        assert_eq!(answered(&mut state, &question("q2", "one", true)), 2);
    }

    #[test]
    fn a_question_without_a_name_is_known_by_its_words_in_the_next_session() {
        let mut state = State::default();
        assert_eq!(answered(&mut state, &question("0", "one", false)), 1);
        assert_eq!(answered(&mut state, &question("1", "two", false)), 2);
        state.connection += 1;
        assert_eq!(answered(&mut state, &question("0", "two", false)), 2, "it is asked again");
        assert_eq!(answered(&mut state, &question("1", "two", false)), 3, "another one with the same words");
    }
}
