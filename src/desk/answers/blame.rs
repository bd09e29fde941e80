//! Which entry is wrong where none answers a question: several may be there for it.

use std::collections::BTreeMap;

use super::{Entry, is_page};
use crate::form::Form;
use crate::task::{Ask, AskKind};

/// The most entries of which is said why they do not fit a question.
const MOST_BLAMED: usize = 4;

/// The entries that have answered nothing yet.
pub(super) struct Free<'a>(pub(super) Vec<&'a Entry>);

impl Free<'_> {
    /// What is wrong with the one entry that has the question's fields; `None` where that is none, or one of several.
    pub(super) fn meant(&self, position: usize, ask: &Ask) -> Option<String> {
        let has_its_fields = |entry: &&&Entry| !entry.content.is_empty() && entry.answer(ask).is_ok();
        let mut meant = self.0.iter().filter(has_its_fields);
        match (meant.next(), meant.next()) {
            (Some(only), None) => only.answer_to(position, ask).err(),
            _ => None,
        }
    }

    /// Why none of them answers the question: what is wrong with the one that has its fields, else with each. `None` where
    /// there is one alone.
    pub(super) fn blamed(&self, position: usize, ask: &Ask) -> Option<String> {
        if let Some(problem) = self.meant(position, ask) {
            return Some(problem);
        }
        let is_page = is_page(ask);
        let (mut fit, mut problems) = (Vec::new(), Vec::new());
        for entry in &self.0 {
            match entry.answer_to(position, ask) {
                // What says no to whatever is asked is not there for this question alone.
                Ok(_) if entry.is_for_all() && !is_page => {}
                Ok(_) => fit.push(entry.place.as_str()),
                Err(problem) => problems.push(problem),
            }
        }
        if fit.is_empty() && problems.len() < 2 {
            return None;
        }
        let left = problems.len().saturating_sub(MOST_BLAMED);
        problems.truncate(MOST_BLAMED);
        let more = if left > 0 { format!("; and {left} more") } else { String::new() };
        let problems = problems.join("; ");
        Some(if fit.is_empty() {
            format!("no entry fits question {position}: {problems}{more}")
        } else {
            format!(
                "{} fit question {position}, and the one at its place does not: {problems}{more}; \"message\" beside the \
                 content says which question an entry is for",
                fit.join(" and ")
            )
        })
    }
}

/// What a single object has beside the fields of a question that it does not fit, and that has answered no other one.
pub(super) fn strange(entry: &Entry, ask: &Ask, used: &BTreeMap<String, String>) -> String {
    let AskKind::Form { schema } = &ask.kind else { return String::new() };
    let Some(form) = Form::parse(schema).ok().filter(|form| !form.is_whole) else { return String::new() };
    let is_strange = |name: &&String| form.field(name).is_none() && !used.contains_key(*name);
    let strange: Vec<_> = entry.content.keys().filter(is_strange).map(|name| format!("{name:?}")).collect();
    if strange.is_empty() { String::new() } else { format!("; it has no field {}", strange.join(", ")) }
}
