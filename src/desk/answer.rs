//! Open questions and their answers: one way for every place.

mod closing;
mod own;
mod receipt;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::asked::{self, OpenQuestion};
use super::failure::server::{too_late, unanswerable, unasked};
use super::failure::store::{already_answered, gone_or};
use super::failure::{Failure, Kind};
use super::place::Found;
use super::server::Server;
use super::suggest::{Advice, Suggested};
use super::{page, text};
use crate::client::{Acknowledged, ClientError, INVALID_PARAMS, TaskView};
use crate::engine::{Engine, EngineError, Viewer};
use crate::fastmcp::{DeployedTask, Deployment, FastmcpError, Filter, Generation, Way};
use crate::form::misfits;
use crate::task::{Answer, Question, QuestionId, Task, TaskId, TaskStatus, joined};

pub(crate) use own::{closed_in_store, store};
pub(crate) use receipt::Receipt;

/// The most characters of a question's message within a line.
const ASKED: usize = 200;

/// What became of an answer.
pub(crate) enum Delivered {
    /// It is the question's answer.
    Taken(Receipt),
    /// It does not fit the question, which stays open.
    Refused {
        /// What is wrong with it, for whoever gives another one.
        problem: String,
        /// The same as a failure.
        failure: Failure,
    },
}

impl Found {
    /// The open question that is meant: the named one, or the first. Where there is none, the failure says why.
    pub(crate) async fn question(&self, wanted: Option<&str>, way: Way) -> Result<OpenQuestion, Failure> {
        let mut question = self.open_question(wanted, way).await?;
        match self {
            Self::Store(engine, _) => question.asked.background.at(&engine.store().location()),
            Self::Fastmcp(deployment, _) => question.asked.background.at(deployment.location()),
            Self::Server(server, task) => {
                // Where its tool is not known, the server is who asks.
                if let Some(tool) = server.tool_of(&task.id) {
                    question.asked_by(&tool, server.title());
                }
            }
        }
        Ok(question)
    }

    async fn open_question(&self, wanted: Option<&str>, way: Way) -> Result<OpenQuestion, Failure> {
        match self {
            Self::Store(engine, id) => of_store(engine, id, wanted).await,
            Self::Fastmcp(deployment, task) => {
                let open = OpenQuestion::all_of_fastmcp(task);
                let id = |wanted| task.question(wanted).map_or(wanted, |one| one.id.as_str());
                let question = match (named(&open, wanted.map(id)), wanted) {
                    (Some(question), _) => question,
                    (None, Some(wanted)) if !open.is_empty() => {
                        return Err(if task.may_have_asked(wanted) {
                            not_open(&task.id, wanted)
                        } else {
                            no_question(&task.id, wanted)
                        });
                    }
                    _ => return Err(not_asking(deployment, task).await),
                };
                if task.generation == Generation::V4 && way == Way::Supported {
                    // Said before anybody has filled in a form.
                    let failure = Failure::from(task.needs_another_way(&question.id));
                    let asked = page::message(&question.asked.ask, ASKED);
                    return Err(failure.hint(format!("question {} asks: {asked}", text::line(&question.id))));
                }
                Ok(question)
            }
            Self::Server(server, task) => of_server(server, task, wanted),
        }
    }

    /// What answers it, where this place takes no answers to what it asks: FastMCP 4 wants them through its server.
    pub(crate) fn answered_elsewhere(&self) -> Option<Advice> {
        let Self::Fastmcp(_, task) = self else { return None };
        let question = task.questions.first().filter(|_| task.generation == Generation::V4)?;
        let respond = Suggested::new("respond").about(&task.id);
        let respond = if task.questions.len() > 1 { respond.question(question.id.as_str()) } else { respond };
        Some(if task.arguments_have_expired() {
            Advice::from("its server would run it without arguments; Redis takes the answer: ")
                .quoted(respond.flag("--direct"))
        } else {
            Advice::from("FastMCP 4 takes the answer through its server: ")
                .quoted(respond.through_some_server())
        })
    }

    /// Whether one of its open questions has the empty text for its id: some servers do that.
    pub(crate) fn calls_a_question_nothing(&self) -> bool {
        matches!(self, Self::Server(_, task) if task.input_requests.contains_key(""))
    }

    /// Waits until the task asks that question, or any; the task as it is then. Ends as well when the task does.
    pub(crate) async fn until_asked(&self, wanted: Option<&str>) -> Result<Self, Failure> {
        match self {
            Self::Store(engine, id) => {
                let asked = |task: &Task| match wanted {
                    Some(wanted) => meant(task, wanted).is_some(),
                    None => task.open_questions().next().is_some(),
                };
                let begun = engine.get_patiently(&Viewer::Operator, id).await?;
                let reached =
                    engine.wait(&Viewer::Operator, id, |task| task.status.is_final() || asked(task)).await;
                match reached {
                    Ok(_) => Ok(self.clone()),
                    Err(error) => Err(gone_or(engine, &begun, error).await),
                }
            }
            Self::Fastmcp(deployment, task) => {
                let is_asked = |task: &DeployedTask| {
                    wanted.map_or(!task.questions.is_empty(), |wanted| task.question(wanted).is_some())
                };
                let asks = |task: &DeployedTask| task.status.is_final() || is_asked(task);
                let task = until(deployment, &task.id, asks).await?;
                Ok(Self::Fastmcp(deployment.clone(), Box::new(task)))
            }
            Self::Server(server, task) => {
                if let Some(failure) =
                    server.refuses_answers(Some(&task.id)).filter(|_| !task.status.is_final())
                {
                    return Err(failure);
                }
                let asks = |task: &TaskView| {
                    task.status.is_final()
                        || task.input_requests.keys().any(|key| wanted.is_none_or(|wanted| wanted == key))
                };
                let task = server.until(&task.id, &asks).await?;
                Ok(Self::Server(server.clone(), Box::new(task)))
            }
        }
    }
}

/// The deployment's task as soon as that holds of it.
pub(super) async fn until(
    deployment: &Deployment,
    id: &str,
    reached: impl Fn(&DeployedTask) -> bool,
) -> Result<DeployedTask, Failure> {
    // Followed before it is looked at, so that what happens in between is not missed.
    let mut watching = deployment.watch(Filter::Task(id.to_owned())).await?;
    loop {
        let task = deployment.find(id).await?;
        if reached(&task) {
            return Ok(task);
        }
        watching.next().await?;
    }
}

fn named(questions: &[OpenQuestion], wanted: Option<&str>) -> Option<OpenQuestion> {
    questions.iter().find(|one| wanted.is_none_or(|wanted| wanted == one.id)).cloned()
}

/// The question of that id, or of that name, by which our servers show it to clients.
fn meant<'a>(task: &'a Task, wanted: &str) -> Option<&'a Question> {
    let is_meant =
        |question: &&Question| question.id.as_str() == wanted || task.question_key(question) == wanted;
    task.questions.iter().find(is_meant)
}

async fn of_store(engine: &Engine, id: &TaskId, wanted: Option<&str>) -> Result<OpenQuestion, Failure> {
    let task = engine.get(&Viewer::Operator, id).await?;
    let found = match wanted {
        Some(wanted) => meant(&task, wanted),
        None => task.open_questions().next(),
    };
    match (found, wanted) {
        (Some(Question { id: question, answer: Some(answer), .. }), _) => {
            Err(already_answered(id, question, answer))
        }
        (Some(question), _) if !task.status.is_final() => Ok(OpenQuestion::of_task(&task, question)),
        (None, Some(wanted)) if task.status == TaskStatus::InputRequired => {
            Err(no_question(id.as_str(), wanted))
        }
        _ => Err(not_waiting(&task)),
    }
}

/// The failure of a question that was never asked, where that can be told: all that were are kept, or none has such an id.
fn no_question(task: &str, question: &str) -> Failure {
    let show = Suggested::new("show").about(text::short_id(task));
    let (task, question) = (text::line(task), text::line(question));
    let message = format!("task {task} has no open question {question}: it was never asked");
    Failure::new(Kind::NotFound, message).hint(Advice::command(show, "shows its questions"))
}

fn not_waiting(task: &Task) -> Failure {
    let id = text::short_id(task.id().as_str());
    let last = task.questions.iter().rev().find_map(|question| Some((question, question.answer.as_ref()?)));
    let answered =
        last.map(|(question, answer)| already_answered(task.id(), &question.id, answer).to_string());
    let respond = Suggested::new("respond").about(id).flag("--wait");
    let later = (!task.status.is_final()).then(|| Advice::command(respond, "answers when it asks"));
    waits_for_nothing(task.id().as_str(), task.status.as_str())
        .maybe_hint(answered.map(Advice::from))
        .maybe_hint(later)
}

fn waits_for_nothing(task: &str, status: &str) -> Failure {
    let has = if status == TaskStatus::Failed.as_str() { "has" } else { "is" };
    let message = format!("task {} waits for no answer: it {has} {status}", text::line(task));
    Failure::new(Kind::NothingChanged, message)
}

/// The failure of a question that is not among a task's open ones, where only those are kept: so nobody can tell one
/// that is mistyped from one that was answered, and the latter must not be called unknown.
fn not_open(task: &str, question: &str) -> Failure {
    let message = format!(
        "task {} has no open question {}: it was answered or withdrawn, or never asked; others than open ones are not \
         kept there",
        text::line(task),
        text::line(question)
    );
    let show = Suggested::new("show").about(task);
    Failure::new(Kind::NothingChanged, message).hint(Advice::command(show, "shows those that are open"))
}

async fn not_asking(deployment: &Deployment, task: &DeployedTask) -> Failure {
    let failure = waits_for_nothing(&task.id, task.status.as_str());
    match deployment.diagnose(Some(&task.id)).await {
        Ok(found) => found.into_iter().fold(failure, |failure, one| failure.hint(one.help)),
        Err(_) => failure,
    }
}

pub(super) fn of_server(
    server: &Server,
    task: &TaskView,
    wanted: Option<&str>,
) -> Result<OpenQuestion, Failure> {
    if let Some(failure) = server.refuses_answers(Some(&task.id)).filter(|_| !task.status.is_final()) {
        return Err(failure);
    }
    let mut meant =
        task.input_requests.iter().filter(|(key, _)| wanted.is_none_or(|wanted| wanted == *key)).peekable();
    let first = meant.peek().copied();
    // What nobody here can answer keeps no other question from being answered.
    let found = meant.find(|(_, request)| asked::unanswerable(request).is_none()).or(first);
    let Some((key, request)) = found else {
        if let Some(wanted) = wanted.filter(|_| !task.input_requests.is_empty()) {
            return Err(not_open(&task.id, wanted));
        }
        if task.status == TaskStatus::InputRequired {
            return Err(unasked(&task.id));
        }
        let respond = Suggested::new("respond").about(task.id.as_str()).flag("--wait");
        let later = (!task.status.is_final()).then(|| Advice::command(respond, "answers when it asks"));
        return Err(waits_for_nothing(&task.id, task.status.as_str()).maybe_hint(later));
    };
    OpenQuestion::of_server(server.title(), task, key, request)
        .map_err(|problem| unanswerable(&task.id, key, &problem))
}

/// An answer on its way. It can be tried again after an outage: where a try was lost on the way, the same answer that
/// is found afterwards is its own.
pub(crate) struct Sending<'a> {
    found: &'a Found,
    question: &'a OpenQuestion,
    answer: Answer,
    way: Way,
    was_lost: bool,
}

impl<'a> Sending<'a> {
    /// The answer to that question of the task.
    pub(crate) fn new(found: &'a Found, question: &'a OpenQuestion, answer: Answer, way: Way) -> Self {
        Self { found, question, answer, way, was_lost: false }
    }

    /// One try.
    pub(crate) async fn attempt(&mut self) -> Result<Delivered, Failure> {
        match self.found {
            Found::Store(engine, id) => self.at_store(engine, id).await,
            Found::Fastmcp(deployment, task) => self.at_deployment(deployment, task).await,
            Found::Server(server, task) => self.at_server(server, &task.id).await,
        }
    }

    async fn at_store(&mut self, engine: &Engine, id: &TaskId) -> Result<Delivered, Failure> {
        let question: QuestionId =
            self.question.id.parse().map_err(|_| no_question(id.as_str(), &self.question.id))?;
        match store(engine, id, &question, &self.answer, &mut self.was_lost).await {
            Ok(answer) => Ok(taken(answer)),
            Err(EngineError::Answer { task, question, violations }) => {
                let problem = joined(&violations);
                Ok(refused(problem, EngineError::Answer { task, question, violations }))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn at_deployment(
        &self,
        deployment: &Deployment,
        task: &DeployedTask,
    ) -> Result<Delivered, Failure> {
        match deployment.answer(task, &self.question.id, &self.answer, self.way).await {
            Ok(done) => Ok(Delivered::Taken(Receipt {
                answer: self.answer.clone(),
                stale_cleared: Some(done.stale_cleared),
                left: Some(done.left),
                counts: done.goes_on,
                open_for: None,
            })),
            Err(FastmcpError::Invalid { violations }) => {
                Ok(refused(joined(&violations), FastmcpError::Invalid { violations }))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn at_server(&self, server: &Server, task: &str) -> Result<Delivered, Failure> {
        let (question, ask) = (&self.question.id, &self.question.asked.ask);
        // A server takes what comes too late without a word, so it is looked whether the question is still open.
        let now = server.get(task).await?;
        if !now.input_requests.contains_key(question) {
            return Err(not_open(task, question));
        }
        let answer = &self.answer;
        let misfits = misfits(ask, answer);
        if !misfits.is_empty() {
            return Ok(misfit(joined(&misfits)));
        }
        let sends = AtomicUsize::new(0);
        let sent = server.run(async |client| {
            sends.fetch_add(1, Ordering::Relaxed);
            match client.answer(task, question, ask, answer).await {
                // The answer did not fit: servers call that invalid params.
                Err(ClientError::Refused { error, .. }) if error.code == INVALID_PARAMS => {
                    Ok(Err(error.message))
                }
                sent => sent.map(Ok),
            }
        });
        let sent = sent.await?;
        // Over another connection the answer that had come first may be this one.
        let is_first = sends.load(Ordering::Relaxed) == 1;
        let receipt = Receipt::of(answer.clone());
        let open_for = match sent {
            Ok(Acknowledged::Counted) => return Ok(Delivered::Taken(receipt)),
            Ok(Acknowledged::TooLate) if is_first => return Err(too_late(task, question)),
            Ok(Acknowledged::TooLate | Acknowledged::Unknown) => server.has_closed(task, question).await?,
            Err(problem) => return Ok(misfit(problem)),
        };
        Ok(Delivered::Taken(Receipt { counts: false, open_for, ..receipt }))
    }
}

impl Delivered {
    /// What was answered; a failure where the answer does not fit.
    pub(crate) fn or_refused(self) -> Result<Receipt, Failure> {
        match self {
            Self::Taken(receipt) => Ok(receipt),
            Self::Refused { failure, .. } => Err(failure),
        }
    }
}

fn refused(problem: String, error: impl Into<Failure>) -> Delivered {
    Delivered::Refused { problem, failure: error.into() }
}

/// An answer to a server's question that does not fit.
fn misfit(problem: String) -> Delivered {
    let failure = Failure::usage(format!("the answer does not fit the question: {problem}"));
    Delivered::Refused { problem, failure: failure.hint("the question is still open") }
}

fn taken(answer: Answer) -> Delivered {
    Delivered::Taken(Receipt::of(answer))
}
