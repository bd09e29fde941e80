//! Templates over a task's arguments and answers: minijinja, strict about names, bounded in work.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

/// How much work one template may do, in minijinja's instructions: plenty for text, soon over for a loop
/// that does not end.
const FUEL: u64 = 100_000;

/// The names that a template sees: `args`, `task`, and whatever the steps before it answered or set.
pub type Scope = BTreeMap<String, Value>;

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
            minijinja::ErrorKind::UndefinedError => {
                "uses a value that is not there; test for it first, as in `answer.accepted and …`".to_owned()
            }
            minijinja::ErrorKind::OutOfFuel => "works too long".to_owned(),
            kind => format!("fails: {}", error.detail().map_or_else(|| kind.to_string(), str::to_owned)),
        };
        Self::new(source, problem)
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
    environment
});

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
    /// Checks the syntax.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
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
    pub fn render(&self, scope: &Scope) -> Result<String, TemplateError> {
        if self.is_plain() {
            return Ok(self.source.clone());
        }
        let context = minijinja::Value::from(minijinja::value::Serde(scope));
        let rendered = ENVIRONMENT.render_str(&self.source, context);
        rendered.map_err(|error| TemplateError::from_engine(&self.source, &error))
    }

    /// Like [`Template::render`], but a template that is one `{{ … }}` and nothing else gives the value
    /// itself: a number stays a number.
    pub fn value(&self, scope: &Scope) -> Result<Value, TemplateError> {
        match &self.sole {
            Some(expression) => expression.value(scope),
            None => self.render(scope).map(Value::String),
        }
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
    /// Checks the syntax.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        match ENVIRONMENT.compile_expression_owned(source.to_owned()) {
            Ok(compiled) => Ok(Self { source: source.to_owned(), compiled: Arc::new(compiled) }),
            Err(error) => Err(TemplateError::from_engine(source, &error)),
        }
    }

    /// The names that it uses.
    pub fn names(&self) -> BTreeSet<String> {
        self.compiled.undeclared_variables(false).into_iter().collect()
    }

    fn evaluate(&self, scope: &Scope) -> Result<minijinja::Value, TemplateError> {
        let context = minijinja::Value::from(minijinja::value::Serde(scope));
        match self.compiled.eval(context) {
            Ok(value) if value.is_undefined() => {
                Err(TemplateError::new(&self.source, "uses a value that is not there"))
            }
            Ok(value) => Ok(value),
            Err(error) => Err(TemplateError::from_engine(&self.source, &error)),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, scope: &Scope) -> Result<bool, TemplateError> {
        Ok(self.evaluate(scope)?.is_true())
    }

    /// What it is.
    pub fn value(&self, scope: &Scope) -> Result<Value, TemplateError> {
        serde_json::to_value(self.evaluate(scope)?)
            .map_err(|error| TemplateError::new(&self.source, format!("is not a JSON value: {error}")))
    }
}

/// A JSON value in which every string is a template.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueTemplate {
    /// Text, or a value where it is one `{{ … }}`.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object, its keys as written.
    Object(Vec<(String, Self)>),
    /// A number, a boolean, or null.
    Plain(Value),
}

impl ValueTemplate {
    /// Checks every string in `value`.
    pub fn parse(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(items) => Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(object) => {
                let fields = object.iter().map(|(key, value)| Ok((key.clone(), Self::parse(value)?)));
                Self::Object(fields.collect::<Result<_, _>>()?)
            }
            plain => Self::Plain(plain.clone()),
        })
    }

    /// The names that its templates use.
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Text(template) => template.names(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, value)| value.names()).collect(),
            Self::Plain(_) => BTreeSet::new(),
        }
    }

    /// Whether there is nothing in it to fill in.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Text(template) => template.is_plain(),
            Self::List(items) => items.iter().all(Self::is_plain),
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_plain()),
            Self::Plain(_) => true,
        }
    }

    /// The value with everything filled in.
    pub fn value(&self, scope: &Scope) -> Result<Value, TemplateError> {
        match self {
            Self::Text(template) => template.value(scope),
            Self::List(items) => items.iter().map(|item| item.value(scope)).collect(),
            Self::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), value.value(scope)?)));
                filled.collect::<Result<serde_json::Map<_, _>, _>>().map(Value::Object)
            }
            Self::Plain(value) => Ok(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope() -> Scope {
        let json =
            json!({ "args": { "name": "Ada", "count": 3 }, "sure": { "accepted": false, "content": {} } });
        serde_json::from_value(json).expect("an object")
    }

    fn rendered(source: &str) -> Result<String, TemplateError> {
        Template::parse(source)?.render(&scope())
    }

    #[test]
    fn text_is_filled_in_without_escaping() {
        assert_eq!(rendered("Hello, {{ args.name }} <3"), Ok("Hello, Ada <3".into()));
        assert_eq!(rendered("nothing to fill in"), Ok("nothing to fill in".into()));
    }

    #[test]
    fn a_lone_expression_keeps_its_type() {
        let value = |source| Template::parse(source).and_then(|template| template.value(&scope()));
        assert_eq!(value("{{ args.count + 1 }}"), Ok(json!(4)));
        assert_eq!(value("{{ args.count }} and {{ args.count }}"), Ok(json!("3 and 3")));
        assert_eq!(value("{{ args }}"), Ok(json!({ "name": "Ada", "count": 3 })));
    }

    #[test]
    fn a_template_can_tell_the_time() {
        let template = Template::parse("{{ now_ns() }}").expect("parses");
        let shown = template.value(&scope()).expect("renders");
        assert!(shown.as_u64().is_some_and(|shown| shown <= now_ns()), "{shown}");
    }

    #[test]
    fn a_name_that_is_not_there_is_an_error() {
        for source in ["{{ nobody }}", "{{ sure.content.yes }}", "{{ args.name.first.last }}"] {
            let error = Template::parse(source).and_then(|one| one.value(&scope())).expect_err(source);
            assert!(error.to_string().contains("not there"), "{error}");
        }
        let guarded = Expression::parse("sure.accepted and sure.content.yes").expect("parses");
        assert_eq!(guarded.holds(&scope()), Ok(false));
    }

    #[test]
    fn a_template_that_works_too_long_is_stopped() {
        let source = "{% for i in range(9999) %}{% for j in range(9999) %}.{% endfor %}{% endfor %}";
        assert!(rendered(source).expect_err("endless").to_string().contains("too long"));
    }

    #[test]
    fn broken_syntax_is_found_before_it_runs() {
        assert!(Template::parse("{{ args.name").is_err());
        assert!(Expression::parse("1 +").is_err());
    }

    #[test]
    fn every_string_of_a_value_is_a_template() {
        let value = json!({ "who": "{{ args.name }}", "list": [1, "{{ args.count }}"], "on": true });
        let template = ValueTemplate::parse(&value).expect("parses");
        assert_eq!(template.value(&scope()), Ok(json!({ "who": "Ada", "list": [1, 3], "on": true })));
        assert_eq!(template.names(), BTreeSet::from(["args".to_owned()]));
    }
}
