//! Staying with a task to its end.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, OptionFuture};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::asked::AskedQuestion;
use super::asking::{ATTEMPTS, needs_input, refused};
use super::looks::Looks;
use super::tasks::{Acknowledged, INVALID_PARAMS};
use super::{Client, ClientError, ClientResult, Ended, TaskView};
use crate::task::{Answer, Outcome, TaskStatus};

/// After how long it is told that a server still shows a question whose answer it took: the protocol allows for some.
/// FastMCP 4 queues the next leg before it acknowledges, and shows none.
const COUNTS_WITHIN: Duration = Duration::from_secs(5);

/// How many questions of one task are answered while it is followed: as many as rounds of a call. Nobody reads so many, so
/// that more of them come from a server that makes up a new one for each answer.
const MOST_QUESTIONS: usize = 1000;

/// Told of each look at the task, also where nothing changed.
pub type OnChange<'a> = &'a (dyn Fn(&TaskView) + Send + Sync);

impl Client {
    /// Follows a task to its end and has its questions answered meanwhile. Ends early, the task going
    /// on, where a question stays open, where the server is gone for good, or when it is dropped. After a
    /// question was left open, a legacy connection serves no further task: the server still waits on it.
    pub async fn follow(&self, id: &str, on_change: OnChange<'_>) -> ClientResult<Ended> {
        if self.modern {
            self.follow_modern(id, on_change).await
        } else {
            self.follow_legacy(id, on_change).await
        }
    }

    /// Waits for the task's end and leaves its questions to others: it only looks, since a server asks those
    /// questions of whoever waits in `tasks/result`, and takes silence there for an answer.
    pub async fn ended(&self, id: &str) -> ClientResult<Ended> {
        let view = self.until(id, &|view| view.status.is_final()).await?;
        if self.modern { self.modern_end(view) } else { self.legacy_end(id, view).await }
    }

    /// The task as soon as that holds of it. Told by the server where it tells, else looked at in its pace.
    pub async fn until(
        &self,
        id: &str,
        reached: &(dyn Fn(&TaskView) -> bool + Send + Sync),
    ) -> ClientResult<TaskView> {
        let mut looks = Looks::new(self, id);
        loop {
            let told = looks.due().await;
            let view = self.look(id, told).await?;
            if reached(&view) {
                return Ok(view);
            }
            looks.after(view.poll_interval);
        }
    }

    /// Legacy questions come by themselves while `tasks/result` waits. Looks at the task serve the
    /// display, and are the way to the end on servers whose `tasks/result` does not wait (`FastMCP` 3).
    async fn follow_legacy(&self, id: &str, on_change: OnChange<'_>) -> ClientResult<Ended> {
        let mut looks = Looks::new(self, id);
        let mut waits = true;
        let mut result: Option<BoxFuture<'_, ClientResult<Value>>> = Some(self.result(id).boxed());
        let mut was_waiting = false;
        loop {
            tokio::select! {
                error = self.given_up() => return Err(error),
                Some(reply) = OptionFuture::from(result.as_mut()) => {
                    result = None;
                    match reply {
                        Ok(value) => return Ok(self.with_status(id, Outcome::Result(value)).await),
                        // What ends more than this request, ends the next look at the task, too.
                        Err(error) => waits = error.is_passing(),
                    }
                    looks.now();
                }
                told = looks.due() => {
                    let view = self.look(id, told).await?;
                    on_change(&view);
                    if view.status.is_final() {
                        return self.legacy_end(id, view).await;
                    }
                    let waiting = view.status == TaskStatus::InputRequired && self.desk.is_none();
                    // A server that answers for us shows the status for a moment only.
                    if waiting && was_waiting {
                        let message = view.status_message.unwrap_or_default();
                        let (server, task, question) = (self.server(), Some(view.id), None);
                        return Err(ClientError::NeedsInput { server, task, message, question });
                    }
                    was_waiting = waiting;
                    looks.after(view.poll_interval);
                    if waits && result.is_none() {
                        result = Some(self.result(id).boxed());
                    }
                }
            }
        }
    }

    /// The task as the server has just told of it; else, or where it told only a part, as it shows it when asked.
    async fn look(&self, id: &str, told: Option<TaskView>) -> ClientResult<TaskView> {
        match told {
            Some(view) if !self.modern || view.is_whole() => Ok(view),
            _ => self.get(id).await,
        }
    }

    /// Modern tasks show their questions to whoever looks; each is asked once, in the order seen.
    async fn follow_modern(&self, id: &str, on_change: OnChange<'_>) -> ClientResult<Ended> {
        let mut looks = Looks::new(self, id);
        let mut questions = Questions::default();
        loop {
            tokio::select! {
                Some(reply) = OptionFuture::from(questions.asking.as_mut().map(|asking| &mut asking.reply)) => {
                    // The task of the prompt ends early only by a panic in it.
                    match reply.map_err(|error| self.odd("the answerer", &error.to_string()))? {
                        Ok((question, answer)) => self.deliver(id, &mut questions, question, &answer).await?,
                        Err(error) => {
                            questions.leave_page(error)?;
                            questions.set_aside(self)?;
                            self.ask_next(id, &mut questions)?;
                        }
                    }
                }
                told = looks.due() => {
                    let view = self.look(id, told).await?;
                    on_change(&view);
                    if view.status.is_final() {
                        return self.modern_end(view);
                    }
                    looks.after(view.poll_interval);
                    questions.seen = view.input_requests;
                    questions.set_aside(self)?;
                    self.tell_uncounted(id, &mut questions);
                    self.ask_next(id, &mut questions)?;
                }
            }
        }
    }

    /// Sees to it that one open question is being asked, if there is any.
    fn ask_next(&self, id: &str, questions: &mut Questions) -> ClientResult<()> {
        // Dropping its prompt takes a question back.
        if let Some(gone) = questions.asking.take_if(|asking| !questions.seen.contains_key(&asking.key))
            && let Some(desk) = &self.desk
        {
            let key = &gone.key;
            desk.passes_over(&format!(
                "question {key} of task {id} is not open any more: it was answered elsewhere, or withdrawn"
            ));
        }
        let Questions { seen, answered, asking, .. } = questions;
        if asking.is_none()
            && let Some((key, request)) = seen.iter().find(|(key, _)| !answered.contains_key(*key))
        {
            may_go_on(id, answered.len())?;
            *asking = Some(self.ask(self.question(Some(id), key, request)?)?);
        }
        Ok(())
    }

    /// Says once of each question that it is still open although its answer was taken. The server may only be slow, so
    /// that nobody can tell yet whether it counts.
    fn tell_uncounted(&self, id: &str, questions: &mut Questions) {
        let Some(desk) = &self.desk else { return };
        for key in questions.uncounted() {
            let after = COUNTS_WITHIN.as_secs();
            desk.passes_over(&format!(
                "the server took the answer; question {key} of task {id} is still open {after} s later, and is waited for"
            ));
        }
    }

    fn comes_too_late(&self, id: &str, key: &str) {
        if let Some(desk) = &self.desk {
            desk.comes_too_late(id, key);
        }
    }

    fn ask(&self, mut question: AskedQuestion) -> ClientResult<Asking> {
        let desk = self.desk.clone().ok_or_else(|| needs_input(&question))?;
        let (key, is_refused_page) = (question.key.clone(), question.ask.fits_nothing());
        let reply = tokio::spawn(async move {
            let answer = desk.ask(&mut question).await?;
            Ok((question, answer))
        });
        Ok(Asking { key, is_refused_page, reply: AbortOnDropHandle::new(reply) })
    }

    /// Sends an answer. Where the server refuses it, the question is asked again, within bounds.
    async fn deliver(
        &self,
        id: &str,
        questions: &mut Questions,
        mut question: AskedQuestion,
        answer: &Answer,
    ) -> ClientResult<()> {
        questions.asking = None;
        match self.answer(id, &question.key, &question.ask, answer).await {
            Ok(acknowledged) => {
                if acknowledged == Acknowledged::TooLate {
                    self.comes_too_late(id, &question.key);
                }
                questions.refusals = 0;
                questions.answered.insert(question.key, Instant::now());
                self.ask_next(id, questions)
            }
            Err(ClientError::Refused { error, .. }) if error.code == INVALID_PARAMS => {
                question.refused = Some(error.message);
                questions.refusals += 1;
                if questions.refusals >= ATTEMPTS {
                    return Err(refused(&question));
                }
                questions.asking = Some(self.ask(question)?);
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// Asks the server to tell of changes. Ends where it does not, or breaks off; whether it may be asked again.
    pub(super) async fn listen(&self, ids: &[String]) -> bool {
        let params = json!({ "notifications": { "taskIds": ids } });
        match self.long_request("subscriptions/listen", params).await {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!("the server tells nothing of its tasks: {error}");
                error.is_passing()
            }
        }
    }
}

/// The questions of one followed task.
#[derive(Default)]
struct Questions {
    /// Those that the last look showed.
    seen: Map<String, Value>,
    /// Keys that were answered here, and when; they never come again, though a look may still show them for a while.
    answered: HashMap<String, Instant>,
    /// The one that is being asked.
    asking: Option<Asking>,
    /// How often the server refused the last question's answers.
    refusals: u32,
    /// Keys of what nobody here can answer, and that was told.
    unanswerable: HashSet<String>,
    /// Keys of answered questions of which it was told that they are still open.
    told_open: HashSet<String>,
}

/// Whether another question of a task is answered after so many.
fn may_go_on(task: &str, answered: usize) -> ClientResult<()> {
    if answered < MOST_QUESTIONS {
        return Ok(());
    }
    Err(ClientError::TooManyQuestions { task: task.to_owned(), answered })
}

impl Questions {
    /// Takes out of what was seen what this client cannot answer. It keeps nothing else from being asked, and is an error
    /// where nothing else is left: nobody here can help the task then.
    fn set_aside(&mut self, client: &Client) -> ClientResult<()> {
        let (seen, last) = client.answerable(std::mem::take(&mut self.seen), &mut self.unanswerable);
        self.seen = seen;
        match last {
            Some(error) if self.seen.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Sets the page aside that was asked about and must not be opened, where nobody here has said no to it: the other
    /// questions can be answered all the same. Any other error ends the whole.
    fn leave_page(&mut self, error: ClientError) -> ClientResult<()> {
        let is_left = matches!(error, ClientError::LeftOpen { .. });
        match self.asking.take().filter(|asking| is_left && asking.is_refused_page) {
            Some(page) => drop(self.unanswerable.insert(page.key)),
            None => return Err(error),
        }
        Ok(())
    }

    /// Those that were answered long ago and are still shown, each once.
    fn uncounted(&mut self) -> Vec<String> {
        let Self { seen, answered, told_open, .. } = self;
        let is_long_answered =
            |key: &&String| answered.get(*key).is_some_and(|at| at.elapsed() >= COUNTS_WITHIN);
        seen.keys().filter(is_long_answered).filter(|key| told_open.insert((*key).clone())).cloned().collect()
    }
}

/// A question at the answerer's; dropping it takes it back.
struct Asking {
    key: String,
    /// Whether it is a page that must not be opened.
    is_refused_page: bool,
    reply: AbortOnDropHandle<ClientResult<(AskedQuestion, Answer)>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_asks_something_new_for_each_answer_is_left() {
        assert!(may_go_on("t1", MOST_QUESTIONS - 1).is_ok());
        let left = may_go_on("t1", MOST_QUESTIONS).expect_err("it is enough").to_string();
        assert!(left.contains("task t1 has had 1000 questions answered here"), "{left}");
    }
}
