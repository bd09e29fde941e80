//! The questions that wait, as rows: the one that has waited longest first.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use crate::desk::question_end::QuestionEnd;
use crate::desk::{page, text};
use crate::task::{Ask, AskKind, OnTimeout};

/// The most characters of a question's message in its row.
const MESSAGE: usize = 400;

/// The fewest characters of a task's id that no two tasks of two places have by chance: ours have 26, UUIDs 36.
const UNGUESSABLE: usize = 20;

/// Which question: its place among those that are looked at, its task's whole id, and its id within the task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) place: usize,
    pub(crate) task: String,
    pub(crate) question: String,
}

/// Which task: its place among those that are looked at, and its whole id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    pub(crate) place: usize,
    pub(crate) task: String,
}

impl Key {
    /// Its task's.
    pub(crate) fn of_task(&self) -> TaskKey {
        TaskKey { place: self.place, task: self.task.clone() }
    }
}

/// A question that waits. Texts are safe on a terminal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) key: Key,
    /// Where it is, in words.
    pub(crate) source: String,
    /// Where else the same question is met: a server may stand on the store that is looked at itself.
    pub(crate) also: Vec<String>,
    /// The tool that asks, where that is known.
    pub(crate) tool: String,
    /// The session of its task, where that is known.
    pub(crate) session: String,
    /// What it asks, in one line, with the page that it asks to visit.
    pub(crate) message: String,
    /// Since when it waits, where that is known.
    pub(crate) since: Option<Timestamp>,
    /// Whether it may have begun to wait later than that.
    pub(crate) may_be_later: bool,
    /// What ends it where nobody answers, as far as that is known.
    pub(crate) end: Option<QuestionEnd>,
    /// What its form is known by among others; `None` for a page, which is never answered together with another one.
    pub(crate) form: Option<u64>,
    /// What it is found by.
    words: String,
    /// How its place knows of it.
    met: Met,
}

/// How a place knows of a question: where two have the same, the first of these is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Met {
    /// It is kept there, and can be answered there.
    Kept,
    /// A server shows it.
    Shown,
    /// It is kept there, and is answered through a server.
    Elsewhere,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) source: &'a str,
    pub(super) tool: Option<&'a str>,
    pub(super) session: Option<&'a str>,
    pub(super) met: Met,
}

impl Question {
    pub(super) fn new(
        key: Key,
        asker: Asker<'_>,
        ask: &Ask,
        (since, end): (Option<Timestamp>, Option<QuestionEnd>),
    ) -> Self {
        let [source, tool, session] =
            [Some(asker.source), asker.tool, asker.session].map(|name| text::line(name.unwrap_or_default()));
        let message = page::message(ask, MESSAGE);
        let words = [&tool, &session, &message].map(|part| part.to_lowercase()).join("\n");
        Self {
            key,
            source,
            also: Vec::new(),
            tool,
            session,
            message,
            since,
            may_be_later: false,
            end,
            form: form_of(ask),
            words,
            met: asker.met,
        }
    }

    /// Whether each of these words, in small letters, is somewhere in its tool, session, place or message, or begins its
    /// short id.
    pub(crate) fn has(&self, words: &[String]) -> bool {
        let id = text::short_id(&self.key.task).to_lowercase();
        // Nobody who looks for "ask" means all that is of mcptask.
        let begins = |word: &str| id.starts_with(word) || self.source.to_lowercase().starts_with(word);
        words.iter().all(|word| self.words.contains(word) || begins(word))
    }

    /// Whether it is the same question, met through another place. Ids that nobody could guess are of one task, wherever they
    /// are met; what its questions are called is up to each place.
    fn is_same(&self, other: &Self) -> bool {
        self.key.place != other.key.place
            && self.key.task.len() >= UNGUESSABLE
            && self.key.task == other.key.task
            && self.message == other.message
    }

    /// The one that comes first stands for the same question of other places.
    fn rank(&self) -> (Met, usize) {
        (self.met, self.key.place)
    }

    /// It is met there as well.
    fn is_met_at(&mut self, source: String) {
        if source != self.source && !self.also.contains(&source) {
            self.also.push(source);
        }
    }

    /// Nobody knows how long those have waited that have no time: they come last.
    fn order(&self) -> (bool, Option<Timestamp>, &Key) {
        (self.since.is_none(), self.since, &self.key)
    }
}

/// A number that is the same for the same form.
fn form_of(ask: &Ask) -> Option<u64> {
    let AskKind::Form { schema } = &ask.kind else { return None };
    let mut hasher = DefaultHasher::new();
    schema.to_string().hash(&mut hasher);
    Some(hasher.finish())
}

/// All of them, sorted.
#[derive(Debug, Default)]
pub(crate) struct List {
    questions: Vec<Question>,
    /// The places that were read at all.
    read: BTreeSet<usize>,
    /// The places that have more than are kept.
    more: BTreeSet<usize>,
    /// How many have come since their place was read first.
    arrived: u64,
}

impl List {
    pub(crate) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// How many places were read.
    pub(crate) fn places_read(&self) -> usize {
        self.read.len()
    }

    pub(crate) fn has_more(&self) -> bool {
        !self.more.is_empty()
    }

    /// Whether that place has more than are kept.
    pub(super) fn has_more_of(&self, place: usize) -> bool {
        self.more.contains(&place)
    }

    /// How many have come since it was read first.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The question of that key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Question> {
        self.questions.iter().find(|question| question.key == *key)
    }

    /// What was read of a place in place of what was known of it; at most so many are kept of all places together.
    pub(super) fn set(&mut self, place: usize, mut questions: Vec<Question>, most: usize) -> bool {
        let (before, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.questions).into_iter().partition(|one| one.key.place == place);
        questions.sort_by(|one, other| one.order().cmp(&other.order()));
        questions.dedup_by(|one, other| one.key == other.key);
        self.questions = others;
        let tasks: HashSet<String> = self.questions.iter().map(|one| one.key.task.clone()).collect();
        let met = |one: Question| if tasks.contains(&one.key.task) { self.meet(one) } else { Some(one) };
        let mut questions: Vec<_> = questions.into_iter().filter_map(met).collect();
        for one in &mut questions {
            let known = before.iter().find(|known| !known.also.is_empty() && known.key == one.key);
            one.also.extend(known.into_iter().flat_map(|known| known.also.clone()));
        }
        if !self.read.insert(place) {
            let known: BTreeSet<&Key> = before.iter().map(|question| &question.key).collect();
            let new = questions.iter().filter(|question| !known.contains(&question.key));
            self.arrived += u64::try_from(new.count()).unwrap_or(0);
        }
        questions.append(&mut self.questions);
        questions.sort_by(|one, other| one.order().cmp(&other.order()));
        self.more.remove(&place);
        self.more.extend(questions.iter().skip(most).map(|question| question.key.place));
        questions.truncate(most);
        self.questions = questions;
        true
    }

    /// Looks whether another place has the same question: one of them stays, and says where else it is met. `None` where
    /// that is not this one.
    fn meet(&mut self, mut question: Question) -> Option<Question> {
        let Some(at) = self.questions.iter().position(|one| one.is_same(&question)) else {
            return Some(question);
        };
        let other = &mut self.questions[at];
        if other.rank() < question.rank() {
            other.is_met_at(question.source);
            return None;
        }
        let other = self.questions.remove(at);
        question.also = other.also;
        question.is_met_at(other.source);
        Some(question)
    }

    /// Adds one, unless it is there or there is no room. Whether the list is another one.
    pub(super) fn add(&mut self, question: Question, most: usize) -> bool {
        let before = self.questions.len();
        let Some(question) = self.meet(question) else { return false };
        let is_known = self.questions.len() < before;
        match self.questions.binary_search_by(|one| one.order().cmp(&question.order())) {
            Ok(_) => false,
            Err(_) if self.questions.len() >= most => self.more.insert(question.key.place),
            Err(at) => {
                self.questions.insert(at, question);
                self.arrived += u64::from(!is_known);
                true
            }
        }
    }

    /// A question answers itself then, and not before. Whether the list is another one.
    pub(super) fn extend(&mut self, key: &Key, deadline: Timestamp) -> bool {
        let Some(one) = self.questions.iter_mut().find(|one| one.key == *key) else { return false };
        // Its task ends no sooner: who extends a question extends its task with it.
        let action = if let Some(QuestionEnd::AnswersItself(action, _)) = one.end {
            action
        } else {
            OnTimeout::default()
        };
        let end = Some(QuestionEnd::AnswersItself(action, deadline));
        std::mem::replace(&mut one.end, end) != end
    }

    /// Takes a task's question off, or all of the task. Whether the list is another one.
    pub(super) fn close(&mut self, place: usize, task: &str, question: Option<&str>) -> bool {
        let before = self.questions.len();
        let is_closed = |key: &Key| {
            key.place == place && key.task == task && question.is_none_or(|question| question == key.question)
        };
        self.questions.retain(|one| !is_closed(&one.key));
        self.questions.len() != before
    }

    /// A task's time to live ends then, and with it its questions. Whether that is another end than was known of one.
    pub(super) fn ends(&mut self, place: usize, task: &str, at: Timestamp) -> bool {
        let mut is_another = false;
        for one in self.questions.iter_mut().filter(|one| one.key.place == place && one.key.task == task) {
            let end = QuestionEnd::first(one.end.into_iter().chain([QuestionEnd::WithItsTask(at)]));
            is_another |= end != one.end;
            one.end = end;
        }
        is_another
    }

    /// A task has these open questions and no others. Whether the list is another one.
    pub(super) fn set_task(
        &mut self,
        (place, task): (usize, &str),
        open: Vec<Question>,
        most: usize,
    ) -> bool {
        let before = self.questions.len();
        let is_open = |key: &Key| open.iter().any(|question| question.key == *key);
        self.questions.retain(|one| one.key.place != place || one.key.task != task || is_open(&one.key));
        let mut is_another = self.questions.len() != before;
        for question in open {
            if self.get(&question.key).is_none() {
                is_another |= self.add(question, most);
            }
        }
        is_another
    }
}
