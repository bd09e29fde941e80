//! `serve --rules`: the rules of a file decide on questions before anybody is shown them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::rules::{self, Remembered};
use super::ui::{Ui, text};
use crate::config;
use crate::desk::place;
use crate::desk::ruling::in_words;
use crate::rules::{Rules, Subject, Verdict};
use crate::server::Decide;
use crate::task::{Answer, Question, QuestionId, SessionId, Task, TaskId};

/// The rules of a file, which SIGHUP reads again.
pub(crate) struct ServedRules {
    file: PathBuf,
    ui: Ui,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

/// The rules in force, and the questions that they left to people.
struct State {
    rules: Arc<Rules>,
    left: Remembered,
}

impl std::fmt::Debug for ServedRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedRules").field("file", &self.file).finish_non_exhaustive()
    }
}

impl ServedRules {
    /// Reads the file; its mistakes are a failure.
    pub(crate) fn open(context: &Context, file: &std::path::Path) -> Result<Arc<Self>, Failure> {
        let rules = Arc::new(rules::load(context, file)?);
        let state = Mutex::new(State { rules, left: Remembered::default() });
        let changes = watch::Sender::default();
        Ok(Arc::new(Self { file: file.to_owned(), ui: context.ui.clone(), state, changes }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file again whenever SIGHUP comes. A file with mistakes changes nothing.
    pub(crate) fn reload(
        self: &Arc<Self>,
        parts: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let mut hangups = signal(SignalKind::hangup())
            .map_err(|error| Failure::caused(Kind::Unexpected, "cannot listen for signals", error))?;
        let (rules, stop) = (self.clone(), stop.clone());
        parts.spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    _ = hangups.recv() => rules.take_up().await,
                }
            }
        });
        Ok(())
    }

    async fn take_up(&self) {
        let file = self.file.clone();
        // A file may be large, or a pipe that nobody writes to.
        let read = tokio::task::spawn_blocking(move || config::rules::load(&file)).await;
        match read {
            Ok(Ok((rules, warnings))) => {
                for one in &warnings {
                    self.ui.warn(&one.to_string());
                }
                self.ui.talk(&format!("read the rules again: {} of them", rules.all().len()));
                *self.state() = State { rules: Arc::new(rules), left: Remembered::default() };
                self.changes.send_modify(|count| *count += 1);
            }
            Ok(Err(mistakes)) => self.kept(&super::offer::mistaken(&self.file, &mistakes)),
            Err(error) => {
                self.kept(&Failure::caused(Kind::Unexpected, "the file of rules could not be read", error));
            }
        }
    }

    fn kept(&self, failure: &Failure) {
        self.ui.failure(failure);
        self.ui.warn("the rules are the same as before");
    }
}

/// One line of the log for each decision.
fn log(task: &Task, question: &Question, rule: Option<&str>, words: &str) {
    let tool = task.new.tool.as_str();
    tracing::info!(task = %task.id(), question = %question.id, tool, rule, "{words}");
}

impl Decide for ServedRules {
    fn decide(&self, task: &Task, question: &Question) -> Option<Answer> {
        let key = (task.id().as_str(), question.id.as_str());
        let rules = self.state().rules.clone();
        let decision = rules.decide(&Subject {
            source: place::STORE,
            task: key.0,
            tool: Some(&task.new.tool),
            session: task.new.session.as_ref().map(SessionId::as_str),
            arguments: Some(&task.new.arguments),
            question: key.1,
            ask: &question.ask,
        });
        let why = match decision.verdict {
            Verdict::Answer(answer) => return Some(*answer),
            Verdict::Leave(why) => why,
        };
        if self.state().left.is_new(key) {
            let why = why.map(|why| format!(": {}", text::sentence(&why))).unwrap_or_default();
            let rule = decision.rule.as_deref();
            log(task, question, rule, &format!("a question is left to people{why}"));
        }
        None
    }

    fn has_left(&self, task: &TaskId, question: &QuestionId) -> bool {
        self.state().left.has((task.as_str(), question.as_str()))
    }

    fn done(&self, task: &Task, question: &Question, answer: &Answer, done: Result<(), String>) {
        let rule = answer.who.as_ref().and_then(|who| who.name.as_deref());
        let said = in_words(&question.ask, answer);
        match done {
            Ok(()) => log(task, question, rule, &format!("a rule answered a question: {said}")),
            Err(problem) => {
                self.state().left.is_new((task.id().as_str(), question.id.as_str()));
                let problem = text::sentence(&problem);
                log(task, question, rule, &format!("a rule's answer does not count, {said}: {problem}"));
            }
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
