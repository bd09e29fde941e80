//! Commands that are suggested: every word is quoted, so that a pasted one does what its line says.
//!
//! A suggestion is kept as words until it is printed. Ids, names and values of strangers are words of their own and
//! never become a part of another one.

use std::fmt;

use super::text;
use super::word::Word;

/// How a command reaches the same tasks as the one that suggests it: the store, namespace and docket that its flags
/// named, or the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    store: Vec<Word>,
    server: Vec<Word>,
    /// The variable that is named there and holds nothing yet.
    unset: Option<&'static str>,
}

impl Reach {
    /// The store that these flags name, each followed by its value. None where the environment or the default does.
    pub(crate) fn store(flags: Vec<Word>) -> Self {
        Self { store: flags, ..Self::default() }
    }

    /// With a variable that its flags name and that holds nothing yet: somebody has to put the secret there first.
    #[must_use]
    pub(crate) fn with_unset(self, unset: Option<&'static str>) -> Self {
        Self { unset, ..self }
    }

    /// See [`Reach::with_unset`].
    pub(crate) fn unset(&self) -> Option<&'static str> {
        self.unset
    }

    /// The server that these flags name.
    pub(crate) fn server(flags: Vec<Word>) -> Self {
        Self { server: flags, ..Self::default() }
    }
}

/// A command line of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggested {
    reach: Option<Reach>,
    verb: &'static str,
    /// The task, tool or file that it is about.
    about: Option<String>,
    options: Vec<String>,
    /// The tool that it is to run.
    tool: Option<String>,
}

/// The built-in tools, which every worker can run.
pub(crate) const BUILTIN: [&str; 3] = ["fill_form", "plan_dinner", "wait"];

/// What stands for a file of tools that only the reader knows.
const FILE: &str = "FILE";

impl Suggested {
    /// The command of that name.
    pub(crate) fn new(verb: &'static str) -> Self {
        Self { reach: None, verb, about: None, options: Vec::new(), tool: None }
    }

    /// One that is to run that tool.
    #[must_use]
    fn of_tool(mut self, tool: &str) -> Self {
        self.tool = Some(tool.to_owned());
        self
    }

    /// About that task, tool, session or file.
    #[must_use]
    pub(crate) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// With a further word behind what it is about.
    #[must_use]
    pub(crate) fn word(mut self, word: &str) -> Self {
        self.options.push(word.to_owned());
        self
    }

    /// With an option that has no value.
    #[must_use]
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.options.push(flag.to_owned());
        self
    }

    /// With an option and its value. A value that looks like an option is joined to it.
    #[must_use]
    pub(crate) fn option(mut self, option: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if value.starts_with('-') {
            self.options.push(format!("{option}={value}"));
        } else {
            self.options.extend([option.to_owned(), value]);
        }
        self
    }

    /// The question that it answers: a task may have several open, or soon another one.
    #[must_use]
    pub(crate) fn question(self, question: impl Into<String>) -> Self {
        self.option("--question", question)
    }

    /// Whether it is about one question and leaves open what answers it.
    fn lacks_answer(&self) -> bool {
        let has = |name: &str| self.options.iter().any(|option| option.split('=').next() == Some(name));
        let answers = ["--accept", "--set", "--content", "--decline", "--cancel"].into_iter().any(has);
        self.verb == "respond" && has("--question") && !answers
    }

    /// Reaches the same tasks, unless it names its own place already.
    #[must_use]
    pub(crate) fn at(mut self, reach: &Reach) -> Self {
        self.reach.get_or_insert_with(|| reach.clone());
        self
    }

    /// At the store in a Redis whose URL only the reader knows.
    #[must_use]
    fn at_some_redis(self) -> Self {
        Self { reach: Some(Reach::store(vec!["--redis".into(), "URL".into()])), ..self }
    }

    /// Through a server whose URL only the reader knows.
    #[must_use]
    pub(crate) fn through_some_server(self) -> Self {
        Self { reach: Some(Reach::server(vec!["--server".into(), "URL".into()])), ..self }
    }

    fn words(&self) -> Vec<Word> {
        let Reach { store, server, .. } = self.reach.clone().unwrap_or_default();
        let about = self.about.as_deref();
        // One that looks like an option stands behind two dashes, after all options.
        let (before, after) = match about {
            Some(about) if about.starts_with('-') => (vec![], vec!["--".into(), about.into()]),
            about => (about.into_iter().map(Word::from).collect(), vec![]),
        };
        let options = self.options.iter().map(|option| option.as_str().into()).collect();
        [vec!["mcptask".into()], store, vec![self.verb.into()], before, options, server, after].concat()
    }
}

impl fmt::Display for Suggested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.words().iter().map(ToString::to_string).collect();
        f.write_str(&words.join(" "))
    }
}

/// A part of what is said: where it is broken, a command must stay one that a shell takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Words.
    Words(String),
    /// A command.
    Command(String),
}

impl Piece {
    /// What it says.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Words(text) | Self::Command(text) => text,
        }
    }
}

/// What helps: words, and commands within them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Advice {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A command within a sentence, between backticks.
    Quoted(Suggested),
    /// A command that ends the sentence.
    Plain(Suggested),
}

impl Advice {
    /// A command, then what it does: "`mcptask list` shows the tasks".
    pub(crate) fn command(command: Suggested, does: &str) -> Self {
        Self::default().and_command(command, does)
    }

    /// What a command is for, then the command: "answer it later with: mcptask respond …".
    pub(crate) fn with(words: &str, command: Suggested) -> Self {
        Self::from(format!("{words}: ")).ending_with(command)
    }

    /// Words and then the command that runs tools.
    pub(crate) fn worker(words: impl Into<Self>) -> Self {
        let worker = Suggested::new("worker").flag("--builtin");
        words.into().and_command(worker, "runs the built-in tools, and with --config FILE those of a file")
    }

    /// Words, then a command at the store that a server uses, and what it does. Only the reader knows where that is.
    pub(crate) fn at_its_store(words: &str, command: Suggested, does: &str) -> Self {
        let elsewhere = format!("{does}, with --db PATH instead of --redis URL where that store is a file");
        Self::from(words).and_command(command.at_some_redis(), &elsewhere)
    }

    /// Words and then the command that runs a tool: a built-in one, or one of a file that [`Advice::with_file`] may name.
    pub(crate) fn worker_for(words: impl Into<Self>, tool: &str) -> Self {
        if BUILTIN.contains(&tool) {
            return Self::worker(words);
        }
        let worker = Suggested::new("worker").option("--config", FILE).of_tool(tool);
        words.into().and_command(worker, &format!("runs it, with the file that offers {tool}"))
    }

    /// Its command that runs a tool of a file names this one, where that offers the tool.
    #[must_use]
    pub(crate) fn with_file(mut self, file: &str, offers: impl Fn(&str) -> bool) -> Self {
        for part in &mut self.parts {
            let (Part::Quoted(command) | Part::Plain(command)) = part else { continue };
            if command.tool.as_deref().is_some_and(&offers) {
                command.options.iter_mut().filter(|one| *one == FILE).for_each(|one| file.clone_into(one));
            }
        }
        self
    }

    /// With words before it.
    #[must_use]
    pub(crate) fn after(mut self, text: &str) -> Self {
        self.parts.insert(0, Part::Text(text.to_owned()));
        self
    }

    /// With further words.
    #[must_use]
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.parts.push(Part::Text(text.to_owned()));
        self
    }

    /// With a further command.
    #[must_use]
    pub(crate) fn quoted(mut self, command: Suggested) -> Self {
        self.parts.push(Part::Quoted(command));
        self
    }

    /// With a further command, and what it does.
    #[must_use]
    pub(crate) fn and_command(mut self, command: Suggested, does: &str) -> Self {
        self.parts.extend([Part::Quoted(command), Part::Text(format!(" {does}"))]);
        self
    }

    /// With a command that ends it.
    #[must_use]
    pub(crate) fn ending_with(mut self, command: Suggested) -> Self {
        self.parts.push(Part::Plain(command));
        self
    }

    /// Its parts, safe on a terminal.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let piece = |part: &Part| match part {
            Part::Text(words) => Piece::Words(text::line(words)),
            Part::Quoted(command) => Piece::Command(text::line(&format!("`{command}`"))),
            Part::Plain(command) => Piece::Command(text::line(&command.to_string())),
        };
        self.parts.iter().map(piece).collect()
    }

    /// The variable that one of its commands names and that holds nothing yet.
    pub(crate) fn unset(&self) -> Option<&'static str> {
        self.parts.iter().find_map(|part| match part {
            Part::Quoted(command) | Part::Plain(command) => command.reach.as_ref()?.unset,
            Part::Text(_) => None,
        })
    }

    /// Its commands that answer a question give the answer that `given` has.
    #[must_use]
    pub(crate) fn answering(mut self, given: &Suggested) -> Self {
        for part in &mut self.parts {
            if let Part::Quoted(command) | Part::Plain(command) = part
                && command.lacks_answer()
            {
                command.options.extend(given.options.iter().cloned());
            }
        }
        self
    }

    /// Its commands reach the same tasks.
    #[must_use]
    pub(crate) fn at(mut self, reach: &Reach) -> Self {
        for part in &mut self.parts {
            if let Part::Quoted(command) | Part::Plain(command) = part {
                command.reach.get_or_insert_with(|| reach.clone());
            }
        }
        self
    }
}

impl From<String> for Advice {
    fn from(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }
}

impl From<&str> for Advice {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Quoted(command) => write!(f, "`{command}`")?,
                Part::Plain(command) => write!(f, "{command}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_stranger_is_one_word() {
        let shown =
            Suggested::new("respond").about("x; touch pwned #").option("--set", "a=$(id) 'b'").to_string();
        assert_eq!(shown, r"mcptask respond 'x; touch pwned #' --set 'a=$(id) '\''b'\'''");
        assert_eq!(Suggested::new("show").about("").to_string(), "mcptask show ''");
        assert_eq!(Suggested::new("show").about("*").to_string(), "mcptask show '*'");
        assert_eq!(Suggested::new("show").about("TASK").to_string(), "mcptask show TASK");
    }

    #[test]
    fn what_looks_like_an_option_is_none() {
        let shown =
            Suggested::new("respond").about("-abc").flag("--accept").option("--set", "-x=-1").to_string();
        assert_eq!(shown, "mcptask respond --accept --set=-x=-1 -- -abc");
    }

    #[test]
    fn a_command_reaches_the_place_that_is_told_first() {
        let store = Reach::store(vec!["--db".into(), "other place.db".into()]);
        let server = Reach::server(vec!["--server".into(), "http://h/mcp?a=b&c".into()]);
        let list = Suggested::new("list").about("x");
        assert_eq!(list.clone().at(&store).at(&server).to_string(), "mcptask --db 'other place.db' list x");
        assert_eq!(list.clone().at(&server).to_string(), "mcptask list x --server 'http://h/mcp?a=b&c'");
        let advice =
            Advice::command(list.clone(), "lists").text("; or ").and_command(list, "again").at(&store);
        assert_eq!(
            advice.to_string(),
            "`mcptask --db 'other place.db' list x` lists; or `mcptask --db 'other place.db' list x` again"
        );
    }

    #[test]
    fn a_command_that_names_its_place_keeps_it() {
        let server = Reach::server(vec!["--server".into(), "http://h/mcp".into()]);
        let respond = || Suggested::new("respond").about("x");
        assert_eq!(respond().at_some_redis().at(&server).to_string(), "mcptask --redis URL respond x");
        assert_eq!(respond().through_some_server().to_string(), "mcptask respond x --server URL");
    }

    #[test]
    fn a_command_that_leaves_the_answer_open_gets_the_one_that_was_given() {
        let given = Suggested::new("respond").option("--set", "a=x y").flag("--accept");
        let said = |command| Advice::with("answer", command).answering(&given).to_string();
        let asked = Suggested::new("respond").about("t").question("q1");
        assert_eq!(said(asked.clone()), "answer: mcptask respond t --question q1 --set 'a=x y' --accept");
        assert_eq!(said(asked.flag("--decline")), "answer: mcptask respond t --question q1 --decline");
    }

    #[test]
    fn a_secret_is_named_and_not_shown() {
        let reach = Reach::store(vec!["--redis".into(), Word::Variable("MCPTASK_REDIS_URL")]);
        let shown = Suggested::new("list").at(&reach).to_string();
        assert_eq!(shown, "mcptask --redis \"$MCPTASK_REDIS_URL\" list");
    }
}
