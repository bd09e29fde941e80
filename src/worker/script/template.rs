//! Templates over a task's arguments and answers: minijinja, strict about names, bounded in work.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

use super::bounds;

/// How much work one template may do, in minijinja's instructions: plenty for text, soon over for a loop
/// that does not end.
const FUEL: u64 = 100_000;

/// A template that is no longer than this and has no loop is over in microseconds.
const LIGHT_BYTES: usize = 500;

/// The names that a template sees: `args`, `task`, and whatever the steps before it answered or set.
pub type Scope = BTreeMap<String, Value>;

/// A scope as the engine takes it, for the templates of one step, and what these may still make and take.
#[derive(Debug)]
pub struct Context {
    names: minijinja::Value,
    bytes_left: Cell<usize>,
    end: Instant,
}

/// The most that the templates of one step make, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The longest that the templates of one step take; each of them has its fuel besides.
const MOST_TIME: Duration = Duration::from_secs(2);

impl Context {
    /// The templates of one step see these names.
    pub fn new(scope: &Scope) -> Self {
        let names = minijinja::Value::from(minijinja::value::Serde(scope));
        Self { names, bytes_left: Cell::new(MOST_BYTES), end: Instant::now() + MOST_TIME }
    }

    fn names(&self) -> minijinja::Value {
        self.names.clone()
    }

    fn spend(&self, bytes: usize) -> Result<(), &'static str> {
        let left = self.bytes_left.get().checked_sub(bytes);
        self.bytes_left.set(left.unwrap_or_default());
        if left.is_none() {
            return Err("and those before it make more than 4 MiB in one step");
        }
        if Instant::now() > self.end {
            return Err("and those before it take more than 2 s in one step");
        }
        Ok(())
    }
}

impl Default for Context {
    /// Templates see no names.
    fn default() -> Self {
        Self::new(&Scope::new())
    }
}

/// A template that is malformed, uses a name that is not there, or works too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {source_text:?} {problem}")]
pub struct TemplateError {
    source_text: String,
    problem: String,
}

impl TemplateError {
    fn new(source: &str, problem: impl Into<String>) -> Self {
        Self { source_text: source.chars().take(200).collect(), problem: problem.into() }
    }

    fn from_engine(source: &str, error: &minijinja::Error) -> Self {
        let problem = match error.kind() {
            minijinja::ErrorKind::UndefinedError => missing(source).to_owned(),
            minijinja::ErrorKind::OutOfFuel => "works too long".to_owned(),
            kind => format!("fails: {}", error.detail().map_or_else(|| kind.to_string(), str::to_owned)),
        };
        Self::new(source, problem)
    }
}

/// What is said where a value is not there. Only steps after a question have an answer, of which the rest is there when it
/// was accepted.
fn missing(source: &str) -> &'static str {
    let begins_a_name =
        |at: usize| !source[..at].ends_with(|one: char| one == '.' || one == '_' || one.is_alphanumeric());
    if source.match_indices("answer.").any(|(at, _)| begins_a_name(at)) {
        "uses a value that is not there; test for it first, as in `answer.accepted and …`"
    } else {
        "uses a value that is not there; test for it first, as in `args.x is defined and …`"
    }
}

/// Made once: its filters and functions take longer to list than most templates take to fill in. The fuel is each
/// template's own.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_function("now_ns", now_ns);
    // One can hold itself, and whoever shows it then recurses without end.
    environment.remove_global("namespace");
    environment
});

/// Whether the engine has these filters and tests: it says so itself only when it comes to them.
fn known(source: &str, used: &[bounds::Used<'_>]) -> Result<(), TemplateError> {
    for one in used {
        let (what, name, trial) = match one {
            bounds::Used::Filter(name) => ("filter", name, format!("''|{name}")),
            bounds::Used::Test(name) => ("test", name, format!("'' is {name}")),
        };
        let tried = ENVIRONMENT.compile_expression(&trial).and_then(|compiled| compiled.eval(()));
        let unknown = [minijinja::ErrorKind::UnknownFilter, minijinja::ErrorKind::UnknownTest];
        if tried.is_err_and(|error| unknown.contains(&error.kind())) {
            return Err(TemplateError::new(source, format!("uses the {what} {name:?}, which is not there")));
        }
    }
    Ok(())
}

/// The functions that every template has.
pub const FUNCTIONS: [&str; 3] = ["range", "dict", "now_ns"];

/// Nanoseconds since 1970, as `{{ now_ns() }}` shows them.
fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Text with `{{ … }}` and `{% … %}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    /// What it is where it is one `{{ … }}` and nothing else.
    sole: Option<Expression>,
}

impl Template {
    /// Checks size and syntax.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let used = bounds::used_by_template(source).map_err(|problem| TemplateError::new(source, problem))?;
        known(source, &used)?;
        match ENVIRONMENT.template_from_str(source) {
            Ok(_) => Ok(Self { source: source.to_owned(), sole: sole_expression(source) }),
            Err(error) => Err(TemplateError::from_engine(source, &error)),
        }
    }

    /// The names that it uses and does not define.
    pub fn names(&self) -> BTreeSet<String> {
        let parsed = ENVIRONMENT.template_from_str(&self.source);
        parsed.map(|template| template.undeclared_variables(false).into_iter().collect()).unwrap_or_default()
    }

    /// Whether there is nothing in it to fill in.
    pub fn is_plain(&self) -> bool {
        !["{{", "{%", "{#"].iter().any(|mark| self.source.contains(mark))
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with everything filled in.
    pub fn render(&self, context: &Context) -> Result<String, TemplateError> {
        let text = if self.is_plain() {
            self.source.clone()
        } else {
            let rendered = ENVIRONMENT.render_str(&self.source, context.names());
            rendered.map_err(|error| TemplateError::from_engine(&self.source, &error))?
        };
        context.spend(text.len()).map_err(|problem| TemplateError::new(&self.source, problem))?;
        Ok(text)
    }

    /// Like [`Template::render`], but a template that is one `{{ … }}` and nothing else gives the value
    /// itself: a number stays a number.
    pub fn value(&self, context: &Context) -> Result<Value, TemplateError> {
        match &self.sole {
            Some(expression) => expression.value(context),
            None => self.render(context).map(Value::String),
        }
    }

    /// Whether it may take milliseconds.
    pub(super) fn is_heavy(&self) -> bool {
        !self.is_plain() && (self.source.contains("{%") || self.source.len() > LIGHT_BYTES)
    }
}

fn sole_expression(source: &str) -> Option<Expression> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.contains("{{") || inner.contains("}}") {
        return None;
    }
    Expression::parse(inner.trim_matches('-').trim()).ok()
}

/// An expression, as it stands between `{{` and `}}`.
#[derive(Clone)]
pub struct Expression {
    source: String,
    compiled: Arc<minijinja::Expression<'static, 'static>>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

impl Expression {
    /// Checks size and syntax.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let used =
            bounds::used_by_expression(source).map_err(|problem| TemplateError::new(source, problem))?;
        known(source, &used)?;
        match ENVIRONMENT.compile_expression_owned(source.to_owned()) {
            Ok(compiled) => Ok(Self { source: source.to_owned(), compiled: Arc::new(compiled) }),
            Err(error) => Err(TemplateError::from_engine(source, &error)),
        }
    }

    /// The names that it uses.
    pub fn names(&self) -> BTreeSet<String> {
        self.compiled.undeclared_variables(false).into_iter().collect()
    }

    fn evaluate(&self, context: &Context) -> Result<minijinja::Value, TemplateError> {
        match self.compiled.eval(context.names()) {
            Ok(value) if value.is_undefined() => {
                Err(TemplateError::new(&self.source, "uses a value that is not there"))
            }
            Ok(value) => Ok(value),
            Err(error) => Err(TemplateError::from_engine(&self.source, &error)),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, context: &Context) -> Result<bool, TemplateError> {
        let holds = self.evaluate(context)?.is_true();
        // Conditions take time as well.
        context.spend(0).map_err(|problem| TemplateError::new(&self.source, problem))?;
        Ok(holds)
    }

    /// What it is.
    pub fn value(&self, context: &Context) -> Result<Value, TemplateError> {
        let value = serde_json::to_value(self.evaluate(context)?)
            .map_err(|error| TemplateError::new(&self.source, format!("is not a JSON value: {error}")))?;
        let spent = context.spend(size(&value));
        spent.map_err(|problem| TemplateError::new(&self.source, problem))?;
        Ok(value)
    }

    /// Whether it may take milliseconds.
    pub(super) fn is_heavy(&self) -> bool {
        self.source.len() > LIGHT_BYTES || self.source.contains("range")
    }
}

/// About how many bytes the value's JSON has.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(object) => {
            2 + object.iter().map(|(key, item)| key.len() + size(item) + 4).sum::<usize>()
        }
        Value::String(text) => text.len() + 2,
        _ => 8,
    }
}

#[cfg(test)]
mod tests;
