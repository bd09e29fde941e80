//! Rules that answer questions. The first rule that matches decides; a question that no rule is about, and one of which a
//! rule cannot decide, is left to people. [`Rules::decide`] is all of it, and knows neither a place nor a store.

mod pattern;

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use crate::form::Form;
use crate::task::{Action, Answer, Answerer, Ask, AskKind, Known, Who, aside, instead, joined};
use crate::worker::script::template::Scope;
use crate::worker::script::{Context, Expression, ValueTemplate};

pub(crate) use pattern::Pattern;

/// The names that a rule's templates see.
pub(crate) const NAMES: [&str; 3] = ["args", "question", "task"];

/// What a rule does with a question that it matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Then {
    /// Accepts it with this content: the form's defaults stand for what is not given.
    Accept(ValueTemplate),
    /// Says no.
    Decline,
    /// Dismisses the question without deciding.
    Cancel,
    /// Leaves it to people.
    Leave,
}

/// One rule. What it does not name, it does not ask for.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Its name, which stands in the log as who answered.
    pub(crate) name: String,
    /// The tools whose questions it is about.
    pub(crate) tools: Option<Vec<String>>,
    /// The sessions whose tasks it is about.
    pub(crate) sessions: Option<Vec<String>>,
    /// What the message has in it.
    pub(crate) message: Option<Pattern>,
    /// What has to hold of the task, its arguments and the question.
    pub(crate) when: Option<Expression>,
    /// Whether it may accept a question that asks to visit a page.
    pub(crate) takes_pages: bool,
    /// What it does.
    pub(crate) then: Then,
}

/// Rules in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Vec<Rule>);

/// A question as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Where its task is, as `source` in JSON.
    pub(crate) source: &'a str,
    /// The task's id.
    pub(crate) task: &'a str,
    /// What the task runs, where that is known.
    pub(crate) tool: Option<&'a str>,
    /// Who launched it, where that is known.
    pub(crate) session: Option<&'a str>,
    /// What the tool was given, where that is known.
    pub(crate) arguments: Option<&'a Map<String, Value>>,
    /// The question's id.
    pub(crate) question: &'a str,
    /// What is asked.
    pub(crate) ask: &'a Ask,
}

/// What the rules say of a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    /// The rule that matched; none where no rule is about the question.
    pub(crate) rule: Option<String>,
    /// What is done.
    pub(crate) verdict: Verdict,
}

/// What is done with a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It has this answer, which fits it.
    Answer(Box<Answer>),
    /// It is left to people, since a rule says so, or since this is so.
    Leave(Option<String>),
}

impl Rules {
    /// These, in this order.
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Rule] {
        &self.0
    }

    /// Decides on a question, away from the runtime's threads: templates may take milliseconds.
    pub(crate) fn decide(&self, subject: &Subject<'_>) -> Decision {
        aside(|| self.decided(subject))
    }

    fn decided(&self, subject: &Subject<'_>) -> Decision {
        let scene = Scene { subject, context: OnceCell::new(), form: OnceCell::new() };
        for rule in &self.0 {
            let verdict = match rule.is_about(&scene) {
                Ok(false) => continue,
                Ok(true) => rule.verdict(&scene),
                // Nobody can say whether the rule is meant, so no later one is asked either.
                Err(problem) => Err(problem),
            };
            let verdict = verdict.unwrap_or_else(|problem| Verdict::Leave(Some(problem)));
            return Decision { rule: Some(rule.name.clone()), verdict };
        }
        Decision { rule: None, verdict: Verdict::Leave(Some("no rule is about it".to_owned())) }
    }
}

/// A question with its form and what templates see of it, each of which is made once, for whoever needs it first.
struct Scene<'a> {
    subject: &'a Subject<'a>,
    context: OnceCell<Context>,
    form: OnceCell<Result<Form, String>>,
}

impl Scene<'_> {
    fn context(&self) -> &Context {
        self.context.get_or_init(|| Context::new(&self.subject.scope(&self.fields())))
    }

    /// The question's form; a page has none.
    fn form(&self, schema: &Value) -> Result<&Form, String> {
        let parse = || Form::parse(schema).map_err(|violations| joined(&violations));
        self.form.get_or_init(parse).as_ref().map_err(Clone::clone)
    }

    /// The names of the form's fields.
    fn fields(&self) -> Vec<&str> {
        let AskKind::Form { schema } = &self.subject.ask.kind else { return Vec::new() };
        let form = self.form(schema);
        form.map(|form| form.fields.iter().map(|field| field.name.as_str()).collect()).unwrap_or_default()
    }
}

impl Subject<'_> {
    /// What templates see: `args` is there only where a task's arguments are known.
    fn scope(&self, fields: &[&str]) -> Scope {
        let task =
            json!({ "id": self.task, "tool": self.tool, "session": self.session, "source": self.source });
        let (mode, url) = match &self.ask.kind {
            AskKind::Url { url } => ("url", Some(url)),
            AskKind::Form { .. } => ("form", None),
        };
        let question = json!({
            "id": self.question, "message": self.ask.message, "mode": mode, "url": url, "fields": fields,
        });
        let args = self.arguments.map(|arguments| ("args", Value::Object(arguments.clone())));
        let seen = [("task", task), ("question", question)].into_iter().chain(args);
        seen.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Rule {
    /// Whether the rule is about the question; an error says why that cannot be told.
    fn is_about(&self, scene: &Scene<'_>) -> Result<bool, String> {
        let Subject { tool, session, ask, .. } = scene.subject;
        let names = |wanted: &Option<Vec<String>>, is: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| Some(one.as_str()) == is))
        };
        if !names(&self.tools, *tool) || !names(&self.sessions, *session) {
            return Ok(false);
        }
        if self.message.as_ref().is_some_and(|pattern| !pattern.is_in(&ask.message)) {
            return Ok(false);
        }
        let holds = self.when.as_ref().map(|when| when.holds(scene.context())).transpose();
        holds.map(|holds| holds.unwrap_or(true)).map_err(|error| error.to_string())
    }

    fn verdict(&self, scene: &Scene<'_>) -> Result<Verdict, String> {
        let answer = match &self.then {
            Then::Leave => return Ok(Verdict::Leave(None)),
            Then::Decline => Answer::new(Action::Decline, Answerer::Policy),
            Then::Cancel => Answer::new(Action::Cancel, Answerer::Policy),
            Then::Accept(content) => self.accepted(content, scene)?,
        };
        Ok(Verdict::Answer(Box::new(answer.given_by(Who::named(&self.name, Known::Rule)))))
    }

    fn accepted(&self, content: &ValueTemplate, scene: &Scene<'_>) -> Result<Answer, String> {
        let schema = match &scene.subject.ask.kind {
            AskKind::Form { schema } => schema,
            AskKind::Url { .. } if !self.takes_pages => {
                return Err("it asks to visit a page, and the rule does not say url = true".to_owned());
            }
            AskKind::Url { .. } if *content != ValueTemplate::Object(Vec::new()) => {
                return Err("it asks to visit a page, which is accepted without fields".to_owned());
            }
            AskKind::Url { .. } => return Ok(Answer::new(Action::Accept, Answerer::Policy)),
        };
        let content = content.value(scene.context()).map_err(|error| error.to_string())?;
        let Value::Object(content) = content else { return Err(format!("{content} is no content")) };
        let form = scene.form(schema)?;
        has_only_fields_of(form, &content)?;
        let content = form.defaults().into_iter().chain(content).collect();
        match form.violations(&content).as_slice() {
            [] => Ok(Answer::accept(content, Answerer::Policy)),
            violations => Err(format!("the rule's answer does not fit: {}", joined(violations))),
        }
    }
}

fn has_only_fields_of(form: &Form, content: &Map<String, Value>) -> Result<(), String> {
    let Some(name) = content.keys().find(|name| !form.is_whole && form.field(name).is_none()) else {
        return Ok(());
    };
    let names: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
    Err(format!("the rule's answer does not fit: there is no field {name:?}; {}", instead(&names)))
}

#[cfg(test)]
mod tests;
