//! Reading TOML tables so that every mistake is found, not only the first.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration;
use super::mistake::{Source, allowed};

/// A value with its place.
pub(super) type Node<'t> = &'t Spanned<DeValue<'t>>;

/// A key's value, and where the key stands.
#[derive(Clone, Copy)]
pub(super) struct Found<'t> {
    pub(super) node: Node<'t>,
}

/// One table of the file. Keys are taken by name; [`Table::done`] names those that nobody took.
pub(super) struct Table<'t> {
    pub(super) source: &'t Source<'t>,
    /// Where it stands, for what is missing in it.
    pub(super) span: Range<usize>,
    /// What it is, in words that follow "in".
    what: String,
    entries: &'t DeTable<'t>,
    taken: BTreeSet<&'static str>,
}

impl<'t> Table<'t> {
    pub(super) fn new(
        source: &'t Source<'t>,
        what: impl Into<String>,
        span: Range<usize>,
        entries: &'t DeTable<'t>,
    ) -> Self {
        Self { source, span, what: what.into(), entries, taken: BTreeSet::new() }
    }

    /// The value as a table; notes a mistake where it is something else.
    pub(super) fn of(source: &'t Source<'t>, what: impl Into<String>, node: Node<'t>) -> Option<Self> {
        let what = what.into();
        match node.get_ref() {
            DeValue::Table(entries) => Some(Self::new(source, what, node.span(), entries)),
            other => {
                source.mistake(&node.span(), format!("{what} is {}, not a table", kind(other)), None);
                None
            }
        }
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The key's value.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Found<'t>> {
        self.taken.insert(key);
        self.entries.get(key).map(|node| Found { node })
    }

    /// Every key with its place and value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, Range<usize>, Node<'t>)> {
        self.entries.iter().map(|(key, node)| (Cow::as_ref(key.get_ref()), key.span(), node))
    }

    pub(super) fn mistake(&self, span: &Range<usize>, problem: impl Into<String>) {
        self.source.mistake(span, problem, None);
    }

    /// Says that a value is of the wrong kind.
    fn wrong(&self, key: &str, node: Node<'t>, wanted: &str) {
        let problem = format!("{key:?} in {} is {}, not {wanted}", self.what, kind(node.get_ref()));
        self.mistake(&node.span(), problem);
    }

    /// Says that a key is missing.
    pub(super) fn missing(&self, key: &str, hint: &str) {
        let problem = format!("{} has no {key:?}", self.what);
        self.source.mistake(&self.span, problem, Some(hint.to_owned()));
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<(T, Range<usize>)> {
        let node = self.get(key)?.node;
        let value = read(node.get_ref());
        if value.is_none() {
            self.wrong(key, node, wanted);
        }
        value.map(|value| (value, node.span()))
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<(String, Range<usize>)> {
        self.read(key, "text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn count(&mut self, key: &'static str, least: u32) -> Option<u32> {
        let wanted = format!("a whole number from {least} on");
        self.read(key, &wanted, |value| whole(value)?.try_into().ok().filter(|count| *count >= least))
            .map(|(value, _)| value)
    }

    pub(super) fn truth(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "true or false", DeValue::as_bool).map(|(value, _)| value)
    }

    pub(super) fn integer(&mut self, key: &'static str) -> Option<i64> {
        self.read(key, "a whole number", whole).map(|(value, _)| value)
    }

    /// A number from `least` on.
    pub(super) fn number(&mut self, key: &'static str, least: f64) -> Option<f64> {
        let wanted = format!("a number from {least} on");
        self.read(key, &wanted, |value| json(value).as_f64().filter(|number| *number >= least))
            .map(|(value, _)| value)
    }

    /// A length of time: `"90s"`, `"5m"`, `"1h 30m"`, or a number of seconds.
    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.duration_at(key).map(|(time, _)| time)
    }

    /// The same, where no time at all makes no sense.
    pub(super) fn positive(&mut self, key: &'static str) -> Option<Duration> {
        let (time, span) = self.duration_at(key)?;
        if time.as_millis() > 0 {
            return Some(time);
        }
        self.mistake(&span, format!("{key:?} in {} is 0: give at least \"1ms\"", self.what));
        None
    }

    fn duration_at(&mut self, key: &'static str) -> Option<(Duration, Range<usize>)> {
        let (time, span) =
            self.read(key, "a length of time such as \"90s\", \"5m\" or \"1h 30m\"", |value| match value {
                DeValue::String(text) => duration::parse(text),
                other => Duration::try_from_secs_f64(json(other).as_f64()?).ok(),
            })?;
        if time <= duration::LONGEST {
            return Some((time, span));
        }
        self.mistake(&span, format!("{key:?} in {} is longer than ten years", self.what));
        None
    }

    /// Text that says something.
    pub(super) fn words(&mut self, key: &'static str) -> Option<String> {
        let (text, span) = self.text(key)?;
        if text.trim().is_empty() {
            self.mistake(&span, format!("{key:?} in {} is empty", self.what));
        }
        Some(text)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let read = |value: &DeValue<'_>| {
            let items = value.as_array()?.iter();
            items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        };
        self.read(key, "a list of texts", read).map(|(value, _)| value)
    }

    /// A table below this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'t>> {
        let node = self.get(key)?.node;
        Table::of(self.source, format!("{key:?} in {}", self.what), node)
    }

    /// A list of tables below this one.
    pub(super) fn tables(&mut self, key: &'static str) -> Option<Vec<Table<'t>>> {
        let node = self.get(key)?.node;
        let Some(items) = node.get_ref().as_array() else {
            self.wrong(key, node, "a list of tables");
            return None;
        };
        let one = |item| Table::of(self.source, format!("an entry of {key:?} in {}", self.what), item);
        Some(items.iter().filter_map(one).collect())
    }

    /// The key's value as JSON.
    pub(super) fn json(&mut self, key: &'static str) -> Option<(Value, Range<usize>)> {
        let node = self.get(key)?.node;
        Some((json(node.get_ref()), node.span()))
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let (word, span) = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let problem = format!("{key:?} in {} is {word:?}", self.what);
            self.source.mistake(&span, problem, Some(allowed(&word, &known)));
        }
        found
    }

    /// Names every key that was not asked for.
    pub(super) fn done(self) {
        let known: Vec<&str> = self.taken.iter().copied().collect();
        for (key, _) in self.entries {
            if self.source.is_full() {
                return;
            }
            if !known.contains(&key.get_ref().as_ref()) {
                let name = key.get_ref();
                let problem = format!("unknown key {name:?} in {}", self.what);
                self.source.mistake(&key.span(), problem, Some(allowed(name, &known)));
            }
        }
    }
}

/// A text that is twice in a list.
pub(super) fn twice(texts: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    texts.iter().find(|text| !seen.insert(*text))
}

/// Where the first value stands that has more tables and lists around it than `levels`.
pub(super) fn deeper_than(node: Node<'_>, levels: usize) -> Option<Range<usize>> {
    let Some(left) = levels.checked_sub(1) else { return Some(node.span()) };
    match node.get_ref() {
        DeValue::Array(items) => items.iter().find_map(|item| deeper_than(item, left)),
        DeValue::Table(table) => table.values().find_map(|item| deeper_than(item, left)),
        _ => None,
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    json(value).as_i64()
}

/// What a value is, in words.
fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        plain => json(plain).to_string(),
    }
}

/// A TOML value as JSON; a date or time as its text.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| Value::String(integer.to_string()), Value::from),
        DeValue::Float(float) => {
            float.as_str().parse::<f64>().map_or(Value::Null, |float| serde_json::json!(float))
        }
        DeValue::Boolean(boolean) => Value::Bool(*boolean),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
