//! The questions that wait, as rows: the one that has waited longest first.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use crate::desk::{page, text};
use crate::task::{Ask, AskKind, OnTimeout};

/// The most characters of a question's message in its row.
const MESSAGE: usize = 400;

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
    /// The tool that asks, where that is known.
    pub(crate) tool: String,
    /// The session of its task, where that is known.
    pub(crate) session: String,
    /// What it asks, in one line, with the page that it asks to visit.
    pub(crate) message: String,
    /// Since when it waits, where that is known.
    pub(crate) since: Option<Timestamp>,
    /// When it answers itself.
    pub(crate) deadline: Option<Timestamp>,
    /// What it answers then.
    pub(crate) on_timeout: OnTimeout,
    /// What its form is known by among others; `None` for a page, which is never answered together with another one.
    pub(crate) form: Option<u64>,
    /// What it is found by.
    words: String,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) source: &'a str,
    pub(super) tool: Option<&'a str>,
    pub(super) session: Option<&'a str>,
}

impl Question {
    pub(super) fn new(
        key: Key,
        asker: Asker<'_>,
        ask: &Ask,
        (since, deadline): (Option<Timestamp>, Option<Timestamp>),
    ) -> Self {
        let [source, tool, session] =
            [Some(asker.source), asker.tool, asker.session].map(|name| text::line(name.unwrap_or_default()));
        let message = page::message(ask, MESSAGE);
        let words = [&tool, &session, &message].map(|part| part.to_lowercase()).join("\n");
        Self {
            key,
            source,
            tool,
            session,
            message,
            since,
            deadline,
            on_timeout: ask.on_timeout,
            form: form_of(ask),
            words,
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
        if !self.read.insert(place) {
            let known: BTreeSet<&Key> = before.iter().map(|question| &question.key).collect();
            let new = questions.iter().filter(|question| !known.contains(&question.key));
            self.arrived += u64::try_from(new.count()).unwrap_or(0);
        }
        questions.extend(others);
        questions.sort_by(|one, other| one.order().cmp(&other.order()));
        self.more.remove(&place);
        self.more.extend(questions.iter().skip(most).map(|question| question.key.place));
        questions.truncate(most);
        self.questions = questions;
        true
    }

    /// Adds one, unless it is there or there is no room. Whether the list is another one.
    pub(super) fn add(&mut self, question: Question, most: usize) -> bool {
        match self.questions.binary_search_by(|one| one.order().cmp(&question.order())) {
            Ok(_) => false,
            Err(_) if self.questions.len() >= most => self.more.insert(question.key.place),
            Err(at) => {
                self.questions.insert(at, question);
                self.arrived += 1;
                true
            }
        }
    }

    /// A question answers itself then, and not before. Whether the list is another one.
    pub(super) fn extend(&mut self, key: &Key, deadline: Timestamp) -> bool {
        let found = self.questions.iter_mut().find(|one| one.key == *key);
        found.is_some_and(|one| one.deadline.replace(deadline) != Some(deadline))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(task: &str, second: i64, field: &str) -> Question {
        let key = Key { place: 0, task: task.to_owned(), question: "q1".to_owned() };
        let schema = json!({ "type": "object", "properties": { field: { "type": "string" } } });
        let asker = Asker { source: "mcptask", tool: Some("release"), session: Some("Friday") };
        let since = (second > 0).then(|| Timestamp::from_second(second).expect("a time"));
        Question::new(key, asker, &Ask::form("Where\u{1b}[2J to?", schema), (since, None))
    }

    #[test]
    fn a_place_is_found_by_how_it_begins() {
        let one = question("a", 0, "x");
        let has = |word: &str| one.has(&[word.to_owned()]);
        assert!(has("mcpt") && has("release") && has("elea"), "by its place, and by what it says");
        assert!(!has("ask"), "the name of the place of all is no word of it");
    }

    fn tasks(list: &List) -> Vec<&str> {
        list.questions().iter().map(|one| one.key.task.as_str()).collect()
    }

    #[test]
    fn the_one_that_has_waited_longest_is_first_and_those_without_a_time_are_last() {
        let mut list = List::default();
        list.set(0, vec![question("b", 0, "x"), question("c", 9, "x"), question("a", 5, "x")], 10);
        assert_eq!(tasks(&list), ["a", "c", "b"]);
        assert!(list.add(question("d", 7, "x"), 10) && !list.add(question("d", 7, "x"), 10));
        assert_eq!((tasks(&list), list.arrived()), (vec!["a", "d", "c", "b"], 1));
        assert!(list.close(0, "d", Some("q1")) && !list.close(0, "d", None) && !list.close(1, "a", None));
        assert_eq!(tasks(&list), ["a", "c", "b"]);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for_and_it_is_said() {
        let mut list = List::default();
        list.set(0, vec![question("a", 1, "x"), question("b", 2, "x")], 2);
        assert!(!list.has_more() && list.add(question("c", 3, "x"), 2) && list.has_more());
        assert_eq!((tasks(&list), list.arrived()), (vec!["a", "b"], 0));
        assert!(!list.add(question("d", 3, "x"), 2), "it was said");
    }

    #[test]
    fn a_place_that_is_read_again_leaves_the_others_as_they_are() {
        let mut list = List::default();
        let of_other = |task: &str, second: i64| {
            let mut one = question(task, second, "x");
            one.key.place = 1;
            one
        };
        list.set(0, vec![question("a", 1, "x")], 10);
        list.set(1, vec![of_other("b", 2), of_other("c", 3)], 10);
        assert_eq!((tasks(&list), list.arrived(), list.places_read()), (vec!["a", "b", "c"], 0, 2));
        list.set(1, vec![of_other("c", 3), of_other("d", 4)], 10);
        assert_eq!((tasks(&list), list.arrived()), (vec!["a", "c", "d"], 1));
        list.set(0, Vec::new(), 1);
        assert_eq!(tasks(&list), ["c"]);
        assert!(list.has_more_of(1) && !list.has_more_of(0));
    }

    #[test]
    fn a_task_that_is_read_again_has_what_it_asks_now() {
        let mut list = List::default();
        list.set(0, vec![question("a", 1, "x"), question("b", 2, "x")], 10);
        let mut second = question("a", 3, "x");
        second.key.question = "q2".to_owned();
        assert!(list.set_task((0, "a"), vec![second.clone()], 10));
        assert!(!list.set_task((0, "a"), vec![second], 10));
        assert_eq!(tasks(&list), ["b", "a"]);
        assert!(list.set_task((0, "a"), Vec::new(), 10));
    }

    #[test]
    fn words_find_a_question_by_all_that_is_shown_of_it() {
        let one = question("7w3k9q2m", 1, "x");
        let has = |words: &[&str]| one.has(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(has(&[]) && has(&["rel", "friday"]) && has(&["where", "7w3k"]) && !has(&["rel", "monday"]));
        assert!(!one.message.contains('\u{1b}'), "{:?}", one.message);
    }

    #[test]
    fn a_form_is_known_by_its_fields_and_a_page_by_nothing() {
        assert_eq!(question("a", 1, "x").form, question("b", 2, "x").form);
        assert_ne!(question("a", 1, "x").form, question("a", 1, "y").form);
        assert_eq!(form_of(&Ask::url("Pay.", "https://pay.example/")), None);
    }
}
