//! Questions and answers, held to their forms.

use serde_json::Map;

use super::{Form, foreign};
use crate::task::question::schema_problem;
use crate::task::{Action, Answer, Ask, AskKind, OnTimeout, Violation};

/// The most violations of one kind that are named.
const MAX_NAMED: usize = 50;

/// Every reason why this must not be asked; empty when it may. Checked at the worker, before anybody sees the question.
pub fn unaskable(ask: &Ask) -> Vec<Violation> {
    let mut found = ask.unshowable();
    // What is wrong with one that is too large may take long to find.
    if let AskKind::Form { schema } = &ask.kind
        && schema_problem(schema).is_none()
    {
        let foreign = foreign(schema).into_iter().take(MAX_NAMED);
        found.extend(foreign.map(|one| one.under("/requestedSchema")));
    }
    if ask.on_timeout == OnTimeout::Default && found.is_empty() {
        let problems = match &ask.kind {
            AskKind::Url { .. } => vec![Violation::new("", "a page has no defaults")],
            AskKind::Form { .. } => misfits(ask, &at_end(ask)),
        };
        let problem = "is \"default\", and the defaults are no answer: ";
        found
            .extend(problems.first().map(|first| Violation::new("/on_timeout", format!("{problem}{first}"))));
    }
    found
}

/// What a question answers where nobody did in time.
pub fn at_end(ask: &Ask) -> Answer {
    let content = match (ask.on_timeout, &ask.kind) {
        (OnTimeout::Default, AskKind::Form { schema }) => {
            Form::parse(schema).ok().map(|form| form.defaults())
        }
        _ => None,
    };
    match (content, ask.on_timeout) {
        (Some(content), _) => Answer { content: Some(content), ..Answer::timed_out(Action::Accept) },
        (None, OnTimeout::Decline) => Answer::timed_out(Action::Decline),
        (None, _) => Answer::timed_out(Action::Cancel),
    }
}

/// Every way in which the answer does not fit what is asked. The whole schema says it, whoever asks.
pub fn misfits(ask: &Ask, answer: &Answer) -> Vec<Violation> {
    let (Action::Accept, AskKind::Form { schema }) = (answer.action, &ask.kind) else {
        return Vec::new();
    };
    let nothing = Map::new();
    let content = answer.content.as_ref().unwrap_or(&nothing);
    Form::parse(schema).map_or_else(|violations| violations, |form| form.violations(content))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_that_is_none_of_mcps_is_not_asked_and_can_be_shown() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "$defs": {}, "allOf": [{}] });
        let ask = Ask::form("Which?", schema);
        let found: Vec<_> = unaskable(&ask).into_iter().map(|one| one.path).collect();
        assert_eq!(found, ["/requestedSchema/$defs", "/requestedSchema/allOf"]);
        assert_eq!(ask.unshowable(), []);
    }
}
