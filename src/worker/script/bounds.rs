//! What a template may be before the engine parses it. Its parser, its compiler and the trees that they make recurse,
//! and values nest as deep as a template is written, so a long or deep one would end the process and not the task:
//! on a stack of 2 MiB a debug build survives 500 `elif`, 1,000 links of a chain such as `a.b.b` or `1 ~ 1`, and 100
//! calls within calls, a release build about four times as many.

/// The longest template, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The most words, numbers, texts and signs within `{{ … }}` and `{% … %}` of one template. A link of a chain and a
/// level of a list take two at least.
const MAX_TOKENS: usize = 1000;

/// The most brackets within brackets, and blocks within blocks.
const MAX_LEVELS: usize = 32;

/// The most `elif` of one template: each is a block within the one before.
const MAX_ELIFS: usize = 100;

/// A word that the engine looks up when a template is filled in, and not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used<'a> {
    /// `value|filter`.
    Filter(&'a str),
    /// `value is test`.
    Test(&'a str),
}

/// The filters and tests of a template; the error is what is wrong with its size or nesting, in words that follow it.
pub(super) fn used_by_template(source: &str) -> Result<Vec<Used<'_>>, String> {
    Scan::new(source).template()
}

/// The same of a lone expression.
pub(super) fn used_by_expression(source: &str) -> Result<Vec<Used<'_>>, String> {
    Scan::new(source).expression()
}

/// The filters and tests among the words of one tag.
fn used<'a>(words: &[&'a str]) -> Vec<Used<'a>> {
    let is_name = |word: &str| word.starts_with(|one: char| one.is_alphabetic() || one == '_');
    let found = words.iter().enumerate().filter_map(|(at, word)| {
        let next = |ahead: usize| words.get(at + ahead).copied().filter(|word| is_name(word));
        match *word {
            "|" => next(1).map(Used::Filter),
            // A value may have this name after a dot.
            "is" if at > 0 && words[at - 1] != "." => {
                next(1).and_then(|name| if name == "not" { next(2) } else { Some(name) }).map(Used::Test)
            }
            _ => None,
        }
    });
    found.collect()
}

/// Reads a template as the engine's lexer does, as far as texts, tags and brackets go.
struct Scan<'a> {
    rest: &'a str,
    bytes: usize,
    tokens: usize,
    blocks: usize,
    elifs: usize,
    used: Vec<Used<'a>>,
}

impl<'a> Scan<'a> {
    fn new(source: &'a str) -> Self {
        Self { rest: source, bytes: source.len(), tokens: 0, blocks: 0, elifs: 0, used: Vec::new() }
    }

    fn expression(mut self) -> Result<Vec<Used<'a>>, String> {
        self.short()?;
        self.code("")?;
        Ok(self.used)
    }

    fn template(mut self) -> Result<Vec<Used<'a>>, String> {
        self.short()?;
        while let Some(at) = self.rest.find('{') {
            self.rest = &self.rest[at + 1..];
            let Some(kind @ ('{' | '%' | '#')) = self.rest.chars().next() else { continue };
            (self.rest, self.tokens) = (&self.rest[1..], self.tokens + 1);
            match kind {
                '{' => drop(self.code("}}")?),
                '%' => self.block()?,
                _ => self.pass_over("#}"),
            }
        }
        Ok(self.used)
    }

    fn short(&self) -> Result<(), String> {
        if self.bytes > MAX_BYTES {
            return Err(format!("has {} bytes, more than {MAX_BYTES}", self.bytes));
        }
        Ok(())
    }

    fn block(&mut self) -> Result<(), String> {
        let words = self.code("%}")?;
        let (first, last) = (words.first().copied().unwrap_or_default(), words.last().copied());
        match first {
            "raw" => self.pass_over("endraw"),
            "elif" => self.elifs += 1,
            "filter" => {
                self.used.extend(words.get(1).map(|name| Used::Filter(name)));
                self.blocks += 1;
            }
            // With a value it is no block.
            "set" if words.contains(&"=") => {}
            "macro" | "call" => return Err(format!("has a {first:?}: templates have no macros")),
            "for" if last == Some("recursive") => return Err("has a loop that calls itself".to_owned()),
            "if" | "for" | "with" | "set" | "autoescape" => self.blocks += 1,
            end if end.starts_with("end") => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        if self.blocks > MAX_LEVELS {
            return Err(format!("has blocks within blocks on more than {MAX_LEVELS} levels"));
        }
        if self.elifs > MAX_ELIFS {
            return Err(format!("has more than {MAX_ELIFS} `elif`: use several steps, or a table of values"));
        }
        Ok(())
    }

    fn pass_over(&mut self, end: &str) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    /// Counts what stands before `end`, or before the end of everything where that is not there; gives its words.
    fn code(&mut self, end: &str) -> Result<Vec<&'a str>, String> {
        let words = self.words(end)?;
        self.used.extend(used(&words));
        Ok(words)
    }

    fn words(&mut self, end: &str) -> Result<Vec<&'a str>, String> {
        let (mut words, mut levels) = (Vec::new(), 0_usize);
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(words);
            }
            // Within brackets `}}` closes two of them.
            if levels == 0 && !end.is_empty() && self.rest.starts_with(end) {
                self.rest = &self.rest[end.len()..];
                return Ok(words);
            }
            let token = self.token();
            // Signs that trim white space, as in `{%-`.
            words.extend((!matches!(token, "-" | "+")).then_some(token));
            match token {
                "(" | "[" | "{" => levels += 1,
                ")" | "]" | "}" => levels = levels.saturating_sub(1),
                _ => {}
            }
            if levels > MAX_LEVELS {
                return Err(format!("has brackets within brackets on more than {MAX_LEVELS} levels"));
            }
            if self.tokens > MAX_TOKENS {
                let hint = "share the work among steps with `set`";
                return Err(format!("has more than {MAX_TOKENS} words and signs: {hint}"));
            }
        }
    }

    /// The next word, number, text or sign. There is one.
    fn token(&mut self) -> &'a str {
        let is_word = |one: char| one.is_alphanumeric() || one == '_';
        let first = self.rest.chars().next().unwrap_or_default();
        let length = if is_word(first) {
            self.rest.find(|one| !is_word(one)).unwrap_or(self.rest.len())
        } else if matches!(first, '"' | '\'') {
            text_length(self.rest, first)
        } else {
            first.len_utf8()
        };
        let (token, rest) = self.rest.split_at(length);
        (self.rest, self.tokens) = (rest, self.tokens + 1);
        token
    }
}

/// How long a text is whose first character is its quote.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            end if end == quote => return at + end.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template_problem(source: &str) -> Option<String> {
        used_by_template(source).err()
    }

    fn expression_problem(source: &str) -> Option<String> {
        used_by_expression(source).err()
    }

    #[test]
    fn filters_and_tests_are_found_where_they_are_some() {
        assert_eq!(used_by_template("{{ filter if x else y }}").expect("short"), [], "a value of that name");
        let source = "{{ args.x | upper|default('|no') }}{% if y is not defined and z is string %}{% filter trim %}\
                      {# |no #}{% raw %}{{ a|no }}{% endraw %}{{ {'is': 1}.is }}";
        let found = used_by_template(source).expect("short");
        let wanted = [
            Used::Filter("upper"),
            Used::Filter("default"),
            Used::Test("defined"),
            Used::Test("string"),
            Used::Filter("trim"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_people_write_is_no_problem() {
        let text = "{% for one in args.list %}{{- one | upper ~ '}}' }}{% else %}{ none {# }} #}{% endfor %}"
            .repeat(30);
        let list = format!("{{{{ [{}] | length }}}}", "'a', ".repeat(300));
        let raw = "{% raw %}{% if %}{{ {% endraw %}".repeat(200);
        let prose = "word. ".repeat(10_000);
        for source in
            [text.as_str(), &list, &raw, &prose, "{{ {'a': {'b': 1}}.a }}", "{", "{{", "{% set a = 1 %}"]
        {
            assert_eq!(template_problem(source), None, "{source:.60}");
        }
    }

    #[test]
    fn chains_and_nests_are_refused() {
        let long = [
            format!("1{}", "+1".repeat(20_000)),
            format!("a{}", ".b".repeat(600)),
            format!("'x'{}", "|upper".repeat(600)),
            format!("{}1", "not ".repeat(2000)),
            format!("1{}", " if 1 else 1".repeat(400)),
        ];
        for source in long {
            assert!(
                expression_problem(&source).is_some_and(|one| one.contains("words and signs")),
                "{source:.40}"
            );
            let text = format!("Hello {{{{ {source} }}}}");
            assert!(
                template_problem(&text).is_some_and(|one| one.contains("words and signs")),
                "{source:.40}"
            );
        }
        for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("range(", ")")] {
            let source = format!("{}1{}", open.repeat(40), close.repeat(40));
            assert!(expression_problem(&source).is_some_and(|one| one.contains("brackets")), "{source:.40}");
        }
        let blocks = format!("{}{}", "{% if 1 %}".repeat(40), "{% endif %}".repeat(40));
        assert!(template_problem(&blocks).is_some_and(|one| one.contains("blocks within blocks")));
        let elifs = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(200));
        assert!(template_problem(&elifs).is_some_and(|one| one.contains("elif")));
        assert!(template_problem(&"x".repeat(100_000)).is_some_and(|one| one.contains("bytes")));
    }

    #[test]
    fn what_calls_itself_is_refused() {
        for source in
            ["{% macro f(x) %}{{ f([x]) }}{% endmacro %}", "{%- for i in [1] recursive -%}{% endfor %}"]
        {
            assert!(template_problem(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_text_hides_nothing() {
        let source = format!("{{{{ '\\'' ~ \"}}}}\" ~ 1{} }}}}", "+1".repeat(2000));
        assert!(template_problem(&source).is_some(), "{source:.40}");
    }
}
