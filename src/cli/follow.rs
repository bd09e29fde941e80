//! Staying with a task to its end, and answering its questions meanwhile.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::answering;
use super::context::Context;
use super::failure::client::ANSWER_AT_ONCE;
use super::failure::store::{already_answered, gone_or, is_outage};
use super::failure::{Failure, Kind};
use super::signals;
use super::ui::question::{self, Asked, Closing, Draft, Reply};
use super::ui::spinner::Spinner;
use super::ui::{Paint, Ui, event, page, text};
use crate::desk::answers::Answers;
use crate::desk::asked::OpenQuestion;
use crate::desk::ending::LOOK_EVERY;
use crate::desk::{answer, values};
use crate::engine::{Engine, EngineError, Viewer, Watch};
use crate::store::{EventFilter, StoreError};
use crate::task::{Action, Answer, EventKind, Question, QuestionId, Task, TaskId, Who, joined};

/// Who answers: a file first, then the person at the terminal.
pub(crate) struct Answering {
    ui: Ui,
    answers: Option<Answers>,
    /// Whoever sits here, or gave the file.
    who: Who,
    /// Held by the form that is on the screen.
    form: Arc<Mutex<()>>,
}

/// Tells a form that its question was withdrawn, when it is dropped.
struct Withdrawn(watch::Sender<Option<Closing>>);

impl Drop for Withdrawn {
    fn drop(&mut self) {
        let words = "the question is open here no more: somebody else has answered it, its task has ended, or its connection \
                     is lost";
        self.0.send_replace(Some(Closing { words: words.to_owned(), goes_on: true }));
    }
}

impl Answering {
    pub(crate) fn new(context: &Context, answers: Option<Answers>) -> Self {
        let (ui, who, form) = (context.ui.clone(), context.config.answerer.clone(), Arc::default());
        Self { ui, answers, who, form }
    }

    /// Whether there is anybody or anything to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.answers.is_some() || self.ui.may_prompt()
    }

    pub(crate) fn warn(&self, words: &str) {
        self.ui.warn(words);
    }

    pub(crate) fn talk(&self, words: &str) {
        self.ui.talk(words);
    }

    /// Decides on the task's question at `position`, counted from 1. Dropping the future takes a prompt off
    /// the screen.
    pub(crate) async fn decide(&self, asked: &Asked, position: usize) -> Result<Answer, Failure> {
        let answer = if self.ui.may_draw() && self.is_typed(asked, position) {
            self.in_form(asked).await?
        } else {
            // Nobody closes it: whoever asks so takes the prompt off the screen.
            self.decided((asked, position), watch::channel(None).1).await?
        };
        let left = || Failure::new(Kind::NeedsInput, asked.left()).maybe_hint(asked.later_hint());
        Ok(answer.ok_or_else(left)?.given_by(self.who.clone()))
    }

    /// The same of a question that others may answer first: then what became of it. A form stays on the screen until that
    /// was read, or nobody is there.
    pub(crate) async fn decide_unless(
        &self,
        (asked, position): (&Asked, usize),
        closed: impl Future<Output = Result<String, Failure>>,
    ) -> Result<Result<Answer, String>, Failure> {
        let ask = async |closing| self.decided((asked, position), closing).await;
        let answer = answering::until_closed((&self.ui, true), ask, closed).await?;
        Ok(answer.map(|answer| answer.given_by(self.who.clone())))
    }

    /// Asks in a form that outlives this future: where that is dropped, the form stays on the screen until that was read, or
    /// nobody is there, and the next one waits for it.
    async fn in_form(&self, asked: &Asked) -> Result<Option<Answer>, Failure> {
        let turn = self.form.clone().lock_owned().await;
        let (tell, closing) = watch::channel(None);
        let (left, later) = (asked.left(), asked.later_hint());
        let (ui, asked) = (self.ui.clone(), asked.clone());
        let form = tokio::spawn(async move {
            let is_closed = closing.clone();
            let reply = question::ask_while_open(&ui, &asked, closing).await;
            drop(turn);
            let is_interrupted = reply.as_ref().is_err_and(Failure::is_signal);
            if is_interrupted && is_closed.borrow().is_some() {
                // Nobody waits for it any more, so the command is told as by Ctrl-C without a form.
                signals::interrupt();
            }
            reply
        });
        let _withdrawn = Withdrawn(tell);
        let reply = form.await.map_err(|error| Failure::caused(Kind::Unexpected, "a form broke", error))?;
        match reply? {
            Reply::Answer(answer) => Ok(Some(answer)),
            Reply::Closed => Ok(None),
            Reply::LeftOpen => Err(Failure::new(Kind::NeedsInput, left).maybe_hint(later)),
        }
    }

    /// Waits until the form of a question that was withdrawn has left the screen.
    pub(crate) async fn form_left(&self) {
        drop(self.form.lock().await);
    }

    /// Whether a person answers that question, and no file: who typed an answer that was not taken may send it again.
    pub(crate) fn is_typed(&self, asked: &Asked, position: usize) -> bool {
        self.answers.as_ref().is_none_or(|answers| matches!(answers.to(position, &asked.ask), Ok(None)))
    }

    /// `None` where it was closed from elsewhere, as `closing` tells.
    async fn decided(
        &self,
        (asked, position): (&Asked, usize),
        closing: watch::Receiver<Option<Closing>>,
    ) -> Result<Option<Answer>, Failure> {
        let given = self.answers.as_ref().map_or(Ok(None), |answers| answers.to(position, &asked.ask));
        if asked.ask.fits_nothing() {
            // What is no decision on it is there for another question.
            return match given {
                Ok(Some(answer)) if answer.action != Action::Accept => {
                    Ok(Some(self.tell_given(asked, answer)))
                }
                _ => Err(self.nobody(asked, position)),
            };
        }
        let given = given.map_err(|problem| Failure::usage(problem).maybe_hint(asked.later_hint()))?;
        if let Some(answer) = given {
            if let Some(problem) = &asked.refused {
                return Err(Failure::usage(format!("the given answer was refused: {problem}"))
                    .maybe_hint(asked.later_hint()));
            }
            return Ok(Some(self.tell_given(asked, answer)));
        }
        if !self.ui.may_prompt() {
            return Err(self.nobody(asked, position));
        }
        match question::ask_while_open(&self.ui, asked, closing).await? {
            Reply::Answer(answer) => Ok(Some(answer)),
            Reply::Closed => Ok(None),
            Reply::LeftOpen => {
                Err(Failure::new(Kind::NeedsInput, asked.left()).maybe_hint(asked.later_hint()))
            }
        }
    }

    /// Says which answer was given to what.
    fn tell_given(&self, asked: &Asked, answer: Answer) -> Answer {
        self.ui.talk(&format!("{} asks: {}", text::line(&asked.who), page::message(&asked.ask, 200)));
        self.ui.talk(&format!("  answering as given: {}", values::in_words(&asked.ask, &answer)));
        answer
    }

    /// Says that what was decided before goes to its server once more.
    pub(crate) fn tell_sent_again(&self) {
        self.ui.talk("the answer was lost with the connection, and is sent again");
    }

    /// Neither the file nor a person answers.
    pub(crate) fn nobody(&self, asked: &Asked, position: usize) -> Failure {
        let answers = self.answers.as_ref().filter(|_| !asked.ask.fits_nothing());
        let missing = answers.map(|answers| format!("\n{}", answers.missing(position)));
        let message = page::message(&asked.ask, 200);
        let (who, missing) = (&asked.who, missing.unwrap_or_default());
        let said = format!("{who} asks, and nobody may be asked here: {message}{missing}");
        // A task is there already: another one of the tool would be one too many.
        let at_once = (self.answers.is_none() && !asked.is_only_here).then(|| ANSWER_AT_ONCE.into());
        Failure::new(Kind::NeedsInput, said).maybe_hint(asked.later_hint().or(at_once))
    }

    /// Warns of what in the file of answers has answered nothing: it may be misspelt, or too much.
    pub(crate) fn tell_surplus(&self) {
        let surplus = self.answers.as_ref().map(Answers::surplus).unwrap_or_default();
        if !surplus.is_empty() {
            self.ui.warn(&format!("of the answers, no question took {}", surplus.join(", ")));
        }
    }
}

/// Follows a task of our own store to its end.
pub(crate) async fn to_end(
    context: &Context,
    engine: &Engine,
    submitted: &Task,
    answering: &Answering,
) -> Result<Task, Failure> {
    let id = submitted.id();
    let start = engine.last().await?;
    let mut watch = engine.watch(EventFilter::Task(id.clone()), start).await?;
    loop {
        let task = match engine.get_patiently(&Viewer::Operator, id).await {
            Ok(task) => task,
            Err(error) => return Err(gone_or(engine, submitted, error).await),
        };
        if task.status.is_final() {
            return Ok(task);
        }
        match task.open_questions().next() {
            Some(question) => have_answered(context, engine, &task, question, answering).await?,
            None => until_change(context, engine, &mut watch, &task).await?,
        }
    }
}

/// Shows steps until something else happens. A task that is lost with its store has no event that says so.
async fn until_change(
    context: &Context,
    engine: &Engine,
    watch: &mut Watch,
    task: &Task,
) -> Result<(), Failure> {
    let mut changes = engine.hub().await?.follow(task.id());
    let spinner = Spinner::start(&context.ui, task.status_message.as_deref().unwrap_or(&task.new.tool));
    loop {
        let event = tokio::select! {
            biased;
            event = watch.next() => Some(event?),
            () = changes.changed() => None,
            // Nobody tells that a store has evicted it.
            () = tokio::time::sleep(LOOK_EVERY) => None,
        };
        let Some(event) = event else {
            match engine.get_patiently(&Viewer::Operator, task.id()).await {
                Err(EngineError::Store(StoreError::NoTask(_) | StoreError::Unreadable { .. })) => {
                    return Ok(());
                }
                _ => continue,
            }
        };
        context.ui.detail(&event::line(&event, jiff::Timestamp::now(), Paint::new(false)));
        match event.kind {
            EventKind::Progress(progress) => spinner.step(&progress),
            EventKind::Claimed { .. }
            | EventKind::Noted { .. }
            | EventKind::Extended { .. }
            | EventKind::Reminded { .. }
            | EventKind::Unanswerable { .. } => {}
            _ => return Ok(()),
        }
    }
}

/// Has one question answered, here or by somebody who is faster.
async fn have_answered(
    context: &Context,
    engine: &Engine,
    task: &Task,
    question: &Question,
    answering: &Answering,
) -> Result<(), Failure> {
    let position = question.id.position().map_or(0, |position| position as usize);
    let mut asked = OpenQuestion::of_task(task, question).asked;
    asked.background.at(&engine.store().location());
    loop {
        let closed = answer::closed_in_store(engine, task, (question.id.as_str(), &asked));
        let answer = match answering.decide_unless((&asked, position), Box::pin(closed)).await? {
            Ok(answer) => answer,
            Err(winner) => {
                context.ui.talk(&winner);
                return Ok(());
            }
        };
        let is_typed = answering.is_typed(&asked, position);
        let draft = is_typed.then(|| Draft::sent(&context.ui, &asked.ask, &answer));
        let problem = match stored(context, engine, task.id(), &question.id, &answer).await? {
            Ok(_) => None,
            Err(EngineError::Store(StoreError::Ended { .. })) => return Ok(()),
            Err(EngineError::Answer { violations, .. }) => Some(joined(&violations)),
            Err(EngineError::Store(StoreError::AlreadyAnswered { task, question, answer })) => {
                context.ui.talk(&already_answered(&task, &question, &answer).to_string());
                return Ok(());
            }
            Err(error) => Some(answering::again(context, error.into(), is_typed)?),
        };
        if let Some(draft) = draft {
            draft.forget();
        }
        let Some(problem) = problem else { return Ok(()) };
        asked.refused(&answer, problem);
    }
}

/// Stores an answer, however long the store is away meanwhile.
async fn stored(
    context: &Context,
    engine: &Engine,
    task: &TaskId,
    question: &QuestionId,
    answer: &Answer,
) -> Result<Result<Answer, EngineError>, Failure> {
    let mut was_lost = false;
    let store = async || match answer::store(engine, task, question, answer, &mut was_lost).await {
        Err(EngineError::Store(error)) if is_outage(&error) => Err(error.into()),
        done => Ok(done),
    };
    context.ride_out(store).await
}
