//! A file of answers, given in advance: `--answers FILE`.

mod blame;
mod reading;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::form::Form;
use blame::{Free, strange};
use reading::{NO_ACTION, entry, is_action, is_slip, misplaced_otherwise, otherwise, placed};

use crate::task::{Action, Answer, Answerer, Ask, AskKind, Question, Violation, instead, joined};

/// The format, for the help of `submit`.
pub(crate) const FORMAT: &str = "\
Answers file:
  A JSON list, or one JSON value per line: the n-th entry answers the task's n-th question, or, of several that are \
  asked at once, the one that it fits. An entry is \
  {\"action\": \"accept\", \"content\": {…}}, {\"action\": \"decline\"}, {\"action\": \"cancel\"}, or just the content. \
  {\"action\": \"accept\"} accepts a page. With \"message\" beside its action or content, an entry answers the question \
  of that message, whichever it is.
  One single object answers every question: each takes the fields that it asks for.
  Fields that are left out have their defaults. A question that nothing else answers is answered by a last entry \
  {\"otherwise\": \"decline\"} or {\"otherwise\": \"cancel\"}, or by that key in the single object. For example
    [{\"cuisine\": \"Thai\"}, {\"vegetarian\": true}]
    {\"cuisine\": \"Thai\", \"otherwise\": \"decline\"}";

/// A file's answers, and what of it has been of use.
#[derive(Debug)]
pub(crate) struct Answers {
    entries: Entries,
    /// The answer to questions for which there is no other.
    otherwise: Option<Action>,
    /// Places, or names of fields, that have answered a question, each with the last one's fingerprint.
    used: Mutex<BTreeMap<String, String>>,
}

/// Answers in the order of the questions, or by the names of their fields.
#[derive(Debug)]
enum Entries {
    InOrder(Vec<Entry>),
    ByName(Entry),
    /// Those of an earlier task, each with its question's fingerprint: it answers the same question at the same place.
    Journal(Vec<(String, Option<Answer>)>),
}

/// One entry of the file.
#[derive(Debug)]
struct Entry {
    /// Where it stands, in words.
    place: String,
    /// What it says to do; `None` where it is only content.
    action: Option<Action>,
    content: Map<String, Value>,
    /// The message of the question that it is for; `None` where its position says which.
    message: Option<String>,
}

impl Answers {
    /// Reads what the file has.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut values = placed(text)?;
        crate::json::check(text).map_err(|problem| problem.to_string())?;
        let otherwise = match values.last() {
            Some((place, value)) => otherwise(place, value)?,
            None => return Err("there are none".to_owned()),
        };
        let is_alone = |value: &Value| value.as_object().is_some_and(|object| object.len() == 1);
        if otherwise.is_some() && values.last().is_some_and(|(_, value)| is_alone(value)) {
            values.pop();
        }
        values.iter().try_for_each(|(place, value)| misplaced_otherwise(place, value))?;
        let is_one = values.len() == 1 && values.iter().all(|(place, _)| place == WHOLE);
        let mut entries: Vec<Entry> =
            values.into_iter().map(|(place, value)| entry(place, value)).collect::<Result<_, _>>()?;
        let entries = match entries.pop() {
            Some(one) if is_one => Entries::ByName(one),
            last => Entries::InOrder(entries.into_iter().chain(last).collect()),
        };
        Ok(Self { entries, otherwise, used: Mutex::default() })
    }

    /// The answers that people gave to an earlier task's questions.
    pub(crate) fn of_journal(questions: &[Question]) -> Self {
        let by_people = |answer: &&Answer| matches!(answer.by, Answerer::Client | Answerer::Operator);
        let one = |question: &Question| {
            (question.ask.fingerprint(), question.answer.as_ref().filter(by_people).map(anew))
        };
        let entries = Entries::Journal(questions.iter().map(one).collect());
        Self { entries, otherwise: None, used: Mutex::default() }
    }

    /// The answer to the task's question at `position`, counted from 1; `None` where the file has none. An error says
    /// what in the file does not fit the question, and where it stands.
    pub(crate) fn to(&self, position: usize, ask: &Ask) -> Result<Option<Answer>, String> {
        let given = match &self.entries {
            Entries::InOrder(entries) => self.in_order(entries, position, ask),
            Entries::Journal(earlier) => {
                let same = position.checked_sub(1).and_then(|at| earlier.get(at));
                Ok(same
                    .filter(|(asked, _)| *asked == ask.fingerprint())
                    .and_then(|(_, answer)| answer.clone()))
            }
            Entries::ByName(entry) if entry.is_for_all() => entry.answer(ask).map(Some),
            Entries::ByName(entry) => entry.of_its_fields(ask).and_then(|found| {
                let content = found.as_ref().and_then(|answer| answer.content.as_ref());
                self.mark(content.into_iter().flatten().map(|(name, _)| name.as_str()), ask);
                let fitting = found.map(|answer| entry.fitting(position, ask, answer)).transpose();
                fitting.map_err(|problem| problem + &strange(entry, ask, &self.used()))
            }),
        };
        let otherwise = || self.otherwise.map(|action| Answer::new(action, Answerer::Operator));
        given.map(|given| given.or_else(otherwise))
    }

    fn in_order(&self, entries: &[Entry], position: usize, ask: &Ask) -> Result<Option<Answer>, String> {
        let Some(entry) = self.entry_for(entries, position, ask) else {
            return self.free(entries).meant(position, ask).map_or(Ok(None), Err);
        };
        let answer = entry.answer_to(position, ask);
        if answer.is_ok() {
            // One that does not fit is left to the question that it is for.
            self.mark([entry.place.as_str()], ask);
        }
        let is_named = entry.message.is_some();
        let blamed = || self.free(entries).blamed(position, ask).filter(|_| !is_named);
        answer.map(Some).map_err(|problem| blamed().unwrap_or(problem))
    }

    /// The entries that have answered nothing and are for no message.
    fn free<'a>(&self, entries: &'a [Entry]) -> Free<'a> {
        let used = self.used();
        let is_free = |entry: &&Entry| entry.message.is_none() && !used.contains_key(&entry.place);
        Free(entries.iter().filter(is_free).collect())
    }

    /// Why there is no answer to the question at `position`.
    pub(crate) fn missing(&self, position: usize) -> String {
        match &self.entries {
            Entries::InOrder(entries) => {
                format!("the answers have no entry for question {position}: there are {}", entries.len())
            }
            Entries::Journal(_) => {
                format!(
                    "the earlier task has no answer of a person to question {position}, or was asked another one"
                )
            }
            Entries::ByName(entry) => {
                let names: Vec<String> = entry.content.keys().map(|name| format!("{name:?}")).collect();
                if names.is_empty() {
                    return "the answers are empty, and the question needs more than its defaults".to_owned();
                }
                format!("the answers have none of its fields: they have {}", names.join(", "))
            }
        }
    }

    /// What of the file has answered no question, in words.
    pub(crate) fn surplus(&self) -> Vec<String> {
        let used = self.used();
        match &self.entries {
            Entries::InOrder(entries) => {
                let unused = entries.iter().filter(|entry| !used.contains_key(&entry.place));
                unused.map(|entry| entry.place.clone()).collect()
            }
            // Who takes another way is asked less.
            Entries::Journal(_) => Vec::new(),
            Entries::ByName(entry) => {
                let is_otherwise = |name: &str| name == OTHERWISE && self.otherwise.is_some();
                let unused =
                    entry.content.keys().filter(|name| !used.contains_key(*name) && !is_otherwise(name));
                unused.map(|name| format!("the field {name:?}")).collect()
            }
        }
    }

    fn used(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark<'a>(&self, used: impl IntoIterator<Item = &'a str>, ask: &Ask) {
        let fingerprint = ask.fingerprint();
        self.used().extend(used.into_iter().map(|place| (place.to_owned(), fingerprint.clone())));
    }

    /// The entry for a question: the one with its message, else the one at its position. Questions that are asked at
    /// once come in any order, so where that one has answered another question or does not fit, it is the only other
    /// one that does, or the first of them where an entry for a page stands before its time.
    fn entry_for<'a>(&self, entries: &'a [Entry], position: usize, ask: &Ask) -> Option<&'a Entry> {
        let is_named = |entry: &&Entry| entry.message.as_deref() == Some(ask.message.trim());
        if let Some(named) = entries.iter().find(is_named) {
            return Some(named);
        }
        let (used, fingerprint) = (self.used(), ask.fingerprint());
        let is_own = |entry: &&Entry| used.get(&entry.place) == Some(&fingerprint);
        let is_free = |entry: &&Entry| entry.message.is_none() && !used.contains_key(&entry.place);
        let at_position = position.checked_sub(1).and_then(|at| entries.get(at));
        let at_position = at_position.filter(|entry| is_free(entry) || is_own(entry));
        if at_position.is_some_and(|entry| entry.fits(ask)) {
            return at_position;
        }
        // One that is asked again, since its answer was refused, has its own.
        if let Some(own) = entries.iter().find(|entry| is_own(entry) && entry.fits(ask)) {
            return Some(own);
        }
        // One without content that does not fit a form is there for a page, which the forms may come before.
        let is_for_page = |entry: &&Entry| is_free(entry) && entry.is_for_all() && !entry.fits(ask);
        let is_shifted = entries.iter().any(|entry| is_for_page(&entry));
        let is_page = is_page(ask);
        // A page is accepted only where that is said.
        let is_meant =
            |entry: &&Entry| entry.content.is_empty() == is_page && (!is_page || entry.action.is_some());
        let mut others = entries.iter().filter(|entry| is_free(entry) && is_meant(entry) && entry.fits(ask));
        match (others.next(), others.next()) {
            (Some(only), None) => Some(only),
            (Some(first), Some(_)) if is_shifted => Some(first),
            _ => at_position,
        }
    }
}

impl Entry {
    /// Whether it is one decision on whatever is asked.
    fn is_for_all(&self) -> bool {
        self.action.is_some_and(|action| action != Action::Accept || self.content.is_empty())
    }

    /// Whether it answers the question without anything that is wrong.
    fn fits(&self, ask: &Ask) -> bool {
        let Ok(answer) = self.answer(ask) else { return false };
        Self::misfits(ask, &answer).is_empty()
    }

    fn misfits(ask: &Ask, answer: &Answer) -> Vec<Violation> {
        let (Some(content), AskKind::Form { schema }) = (&answer.content, &ask.kind) else {
            return Vec::new();
        };
        Form::parse(schema).map_or_else(|violations| violations, |form| form.violations(content))
    }

    /// Its answer to that question, or why it has none.
    fn answer_to(&self, position: usize, ask: &Ask) -> Result<Answer, String> {
        self.answer(ask).and_then(|answer| self.fitting(position, ask, answer))
    }

    /// That answer, or why it is none: said before anybody is told that it was given.
    fn fitting(&self, position: usize, ask: &Ask, answer: Answer) -> Result<Answer, String> {
        let misfits = Self::misfits(ask, &answer);
        if misfits.is_empty() {
            return Ok(answer);
        }
        let do_not = if self.place == WHOLE { "do not" } else { "does not" };
        Err(format!("{} {do_not} fit question {position}: {}", self.place, joined(&misfits)))
    }

    /// What is said of an action that is none or is misplaced, where nothing is asked by that name.
    fn no_action(&self) -> Option<String> {
        let (place, value) = (&self.place, self.content.get("action")?);
        Some(if is_action(value) {
            format!(
                "{place}: \"action\" stands beside {}, which are fields: an entry is either an action, with what is \
                 accepted in \"content\", or just the fields",
                self.names_but("action").join(", ")
            )
        } else {
            format!("{place}: {value} {NO_ACTION}")
        })
    }

    fn names_but(&self, left_out: &str) -> Vec<String> {
        self.content.keys().filter(|name| *name != left_out).map(|name| format!("{name:?}")).collect()
    }

    /// A field that is left out, and whose name is given with a slip: the rest of a single object may be for other
    /// questions, this is for none.
    fn misspelt(&self, form: &Form) -> Option<String> {
        let is_left_out = |name: &str| !self.content.contains_key(name);
        let is_of_none = |name: &&String| form.field(name).is_none();
        self.content.keys().filter(is_of_none).find_map(|name| {
            let mut fields =
                form.fields.iter().map(|field| field.name.as_str()).filter(|one| is_left_out(one));
            let meant = fields.find(|field| is_slip(name, field))?;
            Some(format!("{}: the question has no field {name:?}; it has {meant:?}", self.place))
        })
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, String> {
        let action = self.action.unwrap_or(Action::Accept);
        match &ask.kind {
            AskKind::Form { schema } if action == Action::Accept => {
                let Ok(form) = Form::parse(schema) else {
                    return Ok(Answer::accept(self.content.clone(), Answerer::Operator));
                };
                self.has_only_fields_of(&form)?;
                Ok(accepting(&form, self.content.clone()))
            }
            // A page is accepted only where that is said.
            AskKind::Url { .. } if !self.content.is_empty() || self.action.is_none() => Err(self.no_action().unwrap_or_else(|| {
                format!(
                    "{}: the question asks to visit a page and has no fields: {{\"action\": \"accept\"}} accepts it",
                    self.place
                )
            })),
            _ => Ok(Answer::new(action, Answerer::Operator)),
        }
    }

    fn has_only_fields_of(&self, form: &Form) -> Result<(), String> {
        let is_of_none = |(name, _): &(&String, &Value)| !form.is_whole && form.field(name).is_none();
        let Some((name, _)) = self.content.iter().find(is_of_none) else { return Ok(()) };
        let place = &self.place;
        if let Some(problem) = self.no_action().filter(|_| name == "action") {
            return Err(problem);
        }
        let names: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
        Err(format!("{place}: the question has no field {name:?}; {}", instead(&names)))
    }

    /// Whether among its fields is an action of MCP's, or nothing but something by that name.
    fn has_misplaced_action(&self) -> bool {
        let action = self.content.get("action").filter(|_| self.action.is_none());
        action.is_some_and(|action| self.content.len() == 1 || is_action(action))
    }

    /// The part of the content that the question asks for; `None` where it has nothing of it.
    fn of_its_fields(&self, ask: &Ask) -> Result<Option<Answer>, String> {
        let AskKind::Form { schema } = &ask.kind else {
            // A page is accepted only where that is said.
            return match self.no_action().filter(|_| self.has_misplaced_action()) {
                Some(problem) => Err(problem),
                None => Ok(self.action.map(|action| Answer::new(action, Answerer::Operator))),
            };
        };
        let Ok(form) = Form::parse(schema) else { return Ok(None) };
        let fits = |(name, _): &(&String, &Value)| form.is_whole || form.field(name).is_some();
        let content: Map<String, Value> =
            self.content.iter().filter(fits).map(|(name, value)| (name.clone(), value.clone())).collect();
        if self.has_misplaced_action() && !form.is_whole && form.field("action").is_none() {
            self.has_only_fields_of(&form)?;
            return self.no_action().map_or(Ok(None), Err);
        }
        if !content.is_empty() && !form.is_whole {
            self.misspelt(&form).map_or(Ok(()), Err)?;
        }
        // A file of nothing says that the defaults are right, wherever they are.
        let is_given = !content.is_empty() || (self.content.is_empty() && self.fits(ask));
        Ok(is_given.then(|| accepting(&form, content)))
    }
}

/// Whether it asks to visit a page, which may be one that nobody is shown.
fn is_page(ask: &Ask) -> bool {
    matches!(ask.kind, AskKind::Url { .. }) || ask.fits_nothing()
}

/// An answer with the form's defaults for what is not given.
fn accepting(form: &Form, content: Map<String, Value>) -> Answer {
    Answer::accept(form.defaults().into_iter().chain(content).collect(), Answerer::Operator)
}

/// An answer as it is given once more, by somebody else.
fn anew(answer: &Answer) -> Answer {
    Answer { content: answer.content.clone(), ..Answer::new(answer.action, Answerer::Operator) }
}

/// The place of an object that is the whole file.
const WHOLE: &str = "the answers";

/// The key of the last resort.
const OTHERWISE: &str = "otherwise";

#[cfg(test)]
mod tests;
