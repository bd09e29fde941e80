//! `serve --rules`: the rules of a file decide on questions before anybody is shown them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::failure::Failure;
use super::rules::Remembered;
use super::rules_file;
use super::signals;
use super::ui::{Ui, text};
use crate::desk::place;
use crate::desk::values::action_in_words;
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

/// The rules in force, and what they decided. What rules decided that were in force before is not noted: a question is
/// decided on again under each file.
struct State {
    rules: Arc<Rules>,
    /// Questions that they left to people.
    left: Remembered,
    /// Questions that they answered, until it is known what became of the answer: as many as are decided on at once.
    answering: HashSet<(String, String)>,
}

/// A question: its task's id, and its own.
type Key<'a> = (&'a str, &'a str);

impl State {
    fn of(rules: Rules) -> Self {
        Self { rules: Arc::new(rules), left: Remembered::default(), answering: HashSet::new() }
    }

    /// Notes that these rules answer a question.
    fn answers(&mut self, rules: &Arc<Rules>, (task, question): Key<'_>) {
        if Arc::ptr_eq(&self.rules, rules) {
            self.answering.insert((task.to_owned(), question.to_owned()));
        }
    }

    /// Notes that these rules leave a question to people; whether that is new.
    fn leaves(&mut self, rules: &Arc<Rules>, key: Key<'_>) -> bool {
        Arc::ptr_eq(&self.rules, rules) && self.left.is_new(key)
    }

    /// Notes what became of an answer: where it does not count, the question is left to people.
    fn has_answered(&mut self, (task, question): Key<'_>, counts: bool) {
        if self.answering.remove(&(task.to_owned(), question.to_owned())) && !counts {
            self.left.is_new((task, question));
        }
    }
}

impl std::fmt::Debug for ServedRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedRules").field("file", &self.file).finish_non_exhaustive()
    }
}

impl ServedRules {
    /// Reads the file; its mistakes are a failure.
    pub(crate) fn open(context: &Context, file: &std::path::Path) -> Result<Arc<Self>, Failure> {
        let state = Mutex::new(State::of(rules_file::load(&context.ui, file)?));
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
        let rules = self.clone();
        signals::on_hangup(parts, stop, move || {
            let rules = rules.clone();
            async move { rules.take_up().await }
        })
    }

    async fn take_up(&self) {
        if let Some(rules) = rules_file::read_again(&self.ui, &self.file).await {
            *self.state() = State::of(rules);
            self.changes.send_modify(|count| *count += 1);
        }
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
            Verdict::Answer(answer) => {
                self.state().answers(&rules, key);
                return Some(*answer);
            }
            Verdict::Leave(why) => why,
        };
        if self.state().leaves(&rules, key) {
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
        let said = action_in_words(&question.ask, answer, " ");
        self.state().has_answered((task.id().as_str(), question.id.as_str()), done.is_ok());
        match done {
            // Whoever looks on is told of every answer already, with its rule.
            Ok(()) if self.ui.may_animate() => {
                tracing::debug!(task = %task.id(), rule, "a rule answered a question: {said}");
            }
            Ok(()) => log(task, question, rule, &format!("a rule answered a question: {said}")),
            Err(problem) => {
                let problem = text::sentence(&problem);
                log(task, question, rule, &format!("a rule's answer does not count, {said}: {problem}"));
            }
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_decided_that_are_replaced_is_not_kept_from_the_new_ones() {
        let mut state = State::of(Rules::default());
        let (old, new, key) = (Arc::new(Rules::default()), state.rules.clone(), ("task", "q1"));
        assert!(!state.leaves(&old, key) && !state.left.has(key), "the new ones have not seen it");
        state.answers(&old, key);
        state.has_answered(key, false);
        assert!(!state.left.has(key), "nor is it theirs that an answer of the old ones does not count");
        state.answers(&new, key);
        state.has_answered(key, false);
        assert!(state.left.has(key), "what they themselves answered in vain is left to people");
        assert!(!state.leaves(&new, key), "which is said once");
    }
}
