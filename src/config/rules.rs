//! Rules that answer questions, from a file of their own.
//!
//! ```toml
//! [[rule]]
//! name = "small orders"              # stands in the log as who answered
//! tool = "order"                     # or a list; likewise session
//! message = "(?i)approve"            # a regular expression
//! when = "args.amount < 100"         # over args, task and question
//! accept = { ok = true, note = "{{ args.amount }} is little" }
//! ```

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Source, allowed};
use super::table::Table;
use super::{file, read_document};
use crate::rules::{NAMES, Pattern, Rule, Rules, Then};
use crate::task::who::MAX_NAME_BYTES;
use crate::worker::script::template::FUNCTIONS;
use crate::worker::script::{Expression, TemplateError, ValueTemplate};

/// The largest file of rules, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The most rules of a file: each may be asked about each question.
const MOST_RULES: usize = 1000;

/// The words that say what a rule does.
const WORDS: [&str; 4] = ["accept", "decline", "cancel", "leave"];

/// Reads a file of rules, with what is allowed in it and hardly meant.
pub(crate) fn load(path: &Path) -> Result<(Rules, Vec<Mistake>), Vec<Mistake>> {
    match file::text(path, MAX_FILE_BYTES) {
        Ok(text) => parse(path, &text),
        Err(problem) => Err(vec![Mistake::of_file(path, problem, "give the path of a file of rules")]),
    }
}

/// Reads the text of such a file.
fn parse(path: &Path, text: &str) -> Result<(Rules, Vec<Mistake>), Vec<Mistake>> {
    read_document(path, text, rules)
}

/// Whether a file is one of rules, and not one of tools.
pub(crate) fn is_one(path: &Path) -> bool {
    // What is no file has its text once.
    path.is_file() && file::text(path, MAX_FILE_BYTES).is_ok_and(|text| says_rules(&text))
}

fn says_rules(text: &str) -> bool {
    let (document, _) = DeTable::parse_recoverable(text);
    let has = |key: &str| document.get_ref().contains_key(key);
    has("rule") && !has("tools") && !has("builtin")
}

fn rules(source: &Source<'_>, document: &DeTable<'_>) -> Rules {
    let mut root = Table::new(source, "the file", 0..0, document);
    let tables = root.tables("rule");
    if !root.has("rule") {
        source.mistake(&(0..0), "the file has no rules", Some("write [[rule]]".to_owned()));
    }
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for table in tables.into_iter().flatten() {
        if source.is_full() {
            break;
        }
        if found.len() >= MOST_RULES {
            let hint = "let one rule be about several tools, or use a template".to_owned();
            source.mistake(&table.span, format!("there are more than {MOST_RULES} rules"), Some(hint));
            break;
        }
        unreached(&found, &table);
        found.extend(rule(table, &mut names));
    }
    root.done();
    Rules::new(found)
}

/// Warns of a rule to which nothing comes.
fn unreached(before: &[Rule], table: &Table<'_>) {
    let takes_all = |rule: &&Rule| {
        let Rule { tools, sessions, message, when, .. } = rule;
        tools.is_none() && sessions.is_none() && message.is_none() && when.is_none()
    };
    if let Some(rule) = before.iter().find(takes_all) {
        let problem =
            format!("nothing comes to this rule: {:?} before it is about every question", rule.name);
        table.source.warning(
            &table.span,
            problem,
            "put it first, or give the other one a condition".to_owned(),
        );
    }
}

fn rule(mut table: Table<'_>, names: &mut BTreeSet<String>) -> Option<Rule> {
    let name = name(&mut table, names);
    let then = then(&mut table);
    let has_then = then.is_some();
    let rule = Rule {
        name: name.clone().unwrap_or_default(),
        tools: one_or_more(&mut table, "tool"),
        sessions: one_or_more(&mut table, "session"),
        message: pattern(&mut table),
        when: condition(&mut table),
        takes_pages: table.truth("url").unwrap_or_default(),
        then: then.unwrap_or(Then::Leave),
    };
    table.done();
    // What has mistakes is never used.
    name.and(has_then.then_some(rule))
}

fn name(table: &mut Table<'_>, names: &mut BTreeSet<String>) -> Option<String> {
    if !table.has("name") {
        table.missing("name", "name = \"…\" stands in the log as who answered");
    }
    let (name, span) = table.text("name")?;
    let problem = if name.trim().is_empty() {
        Some("is empty".to_owned())
    } else if name.len() > MAX_NAME_BYTES {
        Some(format!("has {} bytes, more than {MAX_NAME_BYTES}", name.len()))
    } else if name.chars().any(char::is_control) {
        Some("has a control character".to_owned())
    } else if !names.insert(name.clone()) {
        Some(format!("is {name:?} as well as another rule's"))
    } else {
        None
    };
    if let Some(problem) = problem {
        table.mistake(&span, format!("the rule's name {problem}"));
    }
    Some(name)
}

/// A text, or a list of texts.
fn one_or_more(table: &mut Table<'_>, key: &'static str) -> Option<Vec<String>> {
    let found = table.get(key)?;
    let all = if matches!(found.node.get_ref(), DeValue::Array(_)) {
        table.texts(key)
    } else {
        table.words(key).map(|text| vec![text])
    };
    if all.as_ref().is_some_and(|all| all.iter().all(|text| text.trim().is_empty())) {
        table.mistake(&found.node.span(), format!("{key:?} in {} names nothing", table.what()));
    }
    all
}

fn pattern(table: &mut Table<'_>) -> Option<Pattern> {
    let (text, span) = table.text("message")?;
    let noted = |problem| table.mistake(&span, format!("\"message\" in {} {problem}", table.what()));
    Pattern::parse(&text).map_err(noted).ok()
}

fn condition(table: &mut Table<'_>) -> Option<Expression> {
    let (text, span) = table.text("when")?;
    checked(table.source, &span, Expression::parse(without_braces(&text)), Expression::names)
}

/// An expression that is written as a template of nothing else, `{{ … }}`, is meant as the expression.
fn without_braces(text: &str) -> &str {
    let inner = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.filter(|inner| !inner.contains("}}")).map_or(text, str::trim)
}

/// What the rule does: one of [`WORDS`].
fn then(table: &mut Table<'_>) -> Option<Then> {
    let words: Vec<&str> = WORDS.into_iter().filter(|word| table.has(word)).collect();
    let [word] = words[..] else {
        let problem = match words.len() {
            0 => format!("{} does nothing", table.what()),
            _ => format!("{} does several things: {}", table.what(), words.join(", ")),
        };
        let hint = "give it one of accept = { … }, decline = true, cancel = true and leave = true".to_owned();
        table.source.mistake(&table.span, problem, Some(hint));
        // Each is known, whatever is wrong with them together.
        for word in WORDS {
            table.get(word);
        }
        return None;
    };
    match word {
        "accept" => accepted(table),
        "decline" => only_true(table, "decline", Then::Decline),
        "cancel" => only_true(table, "cancel", Then::Cancel),
        _ => only_true(table, "leave", Then::Leave),
    }
}

fn only_true(table: &mut Table<'_>, word: &'static str, then: Then) -> Option<Then> {
    let found = table.get(word)?;
    if table.truth(word) == Some(false) {
        table.mistake(&found.node.span(), format!("{word:?} in {} can only be true", table.what()));
    }
    Some(then)
}

/// The content: a table, or true for one without anything.
fn accepted(table: &mut Table<'_>) -> Option<Then> {
    let (value, span) = table.json("accept")?;
    let content = match value {
        Value::Bool(true) => Value::Object(serde_json::Map::new()),
        Value::Object(content) => Value::Object(content),
        _ => {
            let problem = format!("\"accept\" in {} is no table of fields", table.what());
            table.source.mistake(&span, problem, Some("accept = { ok = true }".to_owned()));
            return None;
        }
    };
    checked(table.source, &span, ValueTemplate::parse(&content), ValueTemplate::names).map(Then::Accept)
}

/// Notes what is wrong with a template, and each name that it uses and a rule's templates do not see.
fn checked<T>(
    source: &Source<'_>,
    span: &Range<usize>,
    parsed: Result<T, TemplateError>,
    names: impl Fn(&T) -> BTreeSet<String>,
) -> Option<T> {
    let parsed = parsed.map_err(|error| source.mistake(span, error.to_string(), None)).ok()?;
    let is_known = |name: &String| NAMES.contains(&name.as_str()) || FUNCTIONS.contains(&name.as_str());
    for name in names(&parsed).iter().filter(|name| !is_known(name)) {
        let problem = format!("a template uses {name:?}, which a rule does not see");
        source.mistake(span, problem, Some(allowed(name, &NAMES)));
    }
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Rules, Vec<Mistake>), Vec<String>> {
        parse(Path::new("r.toml"), text).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rules_are_read_in_their_order() {
        let text = "[[rule]]\nname = \"small\"\ntool = \"order\"\nsession = [\"a\", \"b\"]\nmessage = \"(?i)approve\"\n\
            when = \"{{ args.amount < 100 }}\"\nurl = true\naccept = { ok = true }\n[[rule]]\nname = \"rest\"\nleave = true\n";
        let (rules, warnings) = read(text).expect("is right");
        let [small, rest] = rules.all() else { panic!("{rules:?}") };
        assert_eq!(small.tools.as_deref(), Some(&["order".to_owned()][..]));
        assert_eq!(small.sessions.as_ref().map(Vec::len), Some(2));
        assert!(small.takes_pages && small.message.is_some() && small.when.is_some());
        assert_eq!((rest.name.as_str(), &rest.then), ("rest", &Then::Leave));
        assert_eq!(warnings, []);
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (text, said) in [
            ("", "the file has no rules; write [[rule]]"),
            ("[[rule]]\ndecline = true", "r.toml:1:1: an entry of \"rule\" in the file has no \"name\""),
            ("[[rule]]\nname = \"a\"", "does nothing; give it one of accept"),
            ("[[rule]]\nname = \"a\"\nleave = true\ncancel = true", "does several things: cancel, leave"),
            ("[[rule]]\nname = \"a\"\ntol = \"x\"\nleave = true", "r.toml:3:1: unknown key \"tol\""),
            ("[[rule]]\nname = \"a\"\ntol = \"x\"\nleave = true", "did you mean \"tool\"?"),
            ("[[rule]]\nname = \"a\"\nmessage = \"(\"\nleave = true", "r.toml:3:11: \"message\""),
            ("[[rule]]\nname = \"a\"\nmessage = \"(\"\nleave = true", "is no regular expression"),
            ("[[rule]]\nname = \"a\"\nwhen = \"1 +\"\nleave = true", "r.toml:3:8: the template \"1 +\""),
            (
                "[[rule]]\nname = \"a\"\nwhen = \"arg.x\"\nleave = true",
                "uses \"arg\", which a rule does not see",
            ),
            ("[[rule]]\nname = \"a\"\naccept = 3", "is no table of fields"),
            ("[[rule]]\nname = \"a\"\naccept = { x = \"{{\" }", "r.toml:3:10: the template"),
            ("[[rule]]\nname = \"a\"\ndecline = false", "can only be true"),
            ("[[rule]]\nname = \" \"\nleave = true", "the rule's name is empty"),
            (
                "[[rule]]\nname = \"a\"\nleave = true\n[[rule]]\nname = \"a\"\nleave = true",
                "r.toml:5:8: the rule's",
            ),
            ("[[rule]]\nname = \"a\"\ntool = []\nleave = true", "\"tool\" in an entry of \"rule\""),
            ("[[rule]]\nname = \"a\"\nurl = \"yes\"\nleave = true", "not true or false"),
            ("rule = 3", "\"rule\" in the file is 3, not a list of tables"),
            ("[rule]\nname = \"a\"", "not a list of tables"),
        ] {
            let mistakes = read(text).expect_err(text).join("\n");
            assert!(mistakes.contains(said), "{said:?} is not in {mistakes}");
        }
    }

    #[test]
    fn what_a_rule_does_is_no_unknown_key_where_it_does_several_things() {
        for text in [
            "[[rule]]\naccept = {}\nleave = true",
            "[[rule]]\nname = \"a\"\ncancel = true\nleave = true\ntol = 1",
        ] {
            let mistakes = read(text).expect_err(text);
            assert_eq!(mistakes.len(), 2, "{mistakes:?}");
            let is_false = |one: &String| one.contains("unknown key") && !one.contains("unknown key \"tol\"");
            assert!(!mistakes.iter().any(is_false), "{mistakes:?}");
        }
    }

    #[test]
    fn a_rule_to_which_nothing_comes_is_warned_of() {
        let text = "[[rule]]\nname = \"all\"\ndecline = true\n[[rule]]\nname = \"never\"\nleave = true\n";
        let (_, warnings) = read(text).expect("is allowed");
        assert!(warnings[0].problem.contains("\"all\" before it"), "{warnings:?}");
    }

    #[test]
    fn a_file_of_rules_is_told_from_one_of_tools() {
        assert!(says_rules("[[rule]]\nname = \"a\"") && !says_rules("[tools.a]\n[[rule]]"));
        assert!(!says_rules("[profile.a]"));
    }
}
