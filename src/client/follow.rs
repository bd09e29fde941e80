//! Staying with a task to its end.

use futures::future::{BoxFuture, FutureExt as _, OptionFuture};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::asked::AskedQuestion;
use super::asking::{ATTEMPTS, needs_input, refused};
use super::looks::Looks;
use super::questions::{Asking, COUNTS_WITHIN, Questions, may_go_on};
use super::tasks::{Acknowledged, INVALID_PARAMS};
use super::{Client, ClientError, ClientResult, Ended, TaskView};
use crate::task::{Answer, Outcome, TaskStatus};

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
                    self.tell_unshown(id, view.status, &mut questions);
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

    /// Says once that the task waits and shows no question, so that there is nothing to answer here.
    fn tell_unshown(&self, id: &str, status: TaskStatus, questions: &mut Questions) {
        if questions.is_unshown(status)
            && let Some(desk) = &self.desk
        {
            desk.passes_over(&format!(
                "task {id} is {status}, and its server shows no question of it: it is waited for"
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
