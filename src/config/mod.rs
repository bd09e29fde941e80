//! Tools from a file, `mcptask.toml`: commands, scripts, and which of the built-in tools are offered.
//!
//! ```toml
//! builtin = ["plan_dinner"]        # which built-in tools; true for all, false (or nothing) for none
//!
//! [tools.deploy]                   # a command
//! description = "Deploys a branch"
//! input = { branch = "text", environment = ["staging", "production"] }
//! command = ["./deploy.sh", "--verbose"]
//!
//! [tools.greet]                    # a script
//! description = "Greets somebody"
//! input = { name = "text" }
//! steps = [{ return = "Hello, {{ args.name }}!" }]
//!
//! [[notify]]                       # who is told of what happens
//! on = ["asked", "failed"]
//! webhook = "https://hooks.example.com/x"
//! ```
//!
//! Every mistake is reported with its line and column and with what is allowed there, a hundred of them at once.

mod command;
mod duration;
mod file;
mod keywords;
mod mistake;
mod notify;
pub(crate) mod profiles;
mod questions;
mod replies;
pub(crate) mod rules;
mod schema;
mod script;
mod steps;
mod table;
mod tool;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use toml::de::DeTable;

pub use mistake::{Mistake, counted};

use crate::notify::Notifier;
use crate::worker::{Tools, builtin};
use mistake::{Source, allowed};
use table::Table;

/// The file that is read from the working directory when none is named.
pub const FILE: &str = "mcptask.toml";

/// A file to begin with.
pub const BEGINNING: &str = include_str!("beginning.toml");

/// The largest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// What a configuration file says.
#[derive(Clone, Default)]
pub struct Config {
    tools: Tools,
    notifiers: Vec<Notifier>,
    warnings: Vec<Mistake>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tools, notifiers, warnings } = self;
        let mut shown = f.debug_struct("Config");
        shown.field("tools", &tools.keys()).field("notifiers", notifiers).field("warnings", warnings).finish()
    }
}

impl Config {
    /// The tools to offer, by name.
    pub fn tools(&self) -> Tools {
        self.tools.clone()
    }

    /// Who is told of what happens.
    pub(crate) fn notifiers(&self) -> &[Notifier] {
        &self.notifiers
    }

    /// What is allowed and hardly meant, such as a form that asks for a password.
    pub fn warnings(&self) -> &[Mistake] {
        &self.warnings
    }
}

/// Reads a configuration file. Files that it names are read as well; commands are looked for, not run.
pub fn load(path: &Path) -> Result<Config, Vec<Mistake>> {
    match file::text(path, MAX_FILE_BYTES) {
        Ok(text) => parse(path, &text),
        Err(problem) => {
            let hint = if problem.contains("bytes") {
                "split the tools over servers"
            } else {
                "give the path of a file that is there"
            };
            Err(vec![Mistake::of_file(path, problem, hint)])
        }
    }
}

/// Whether a file is there and says nothing, so that nobody can tell what it is to be.
pub(crate) fn says_nothing(path: &Path) -> bool {
    // What is no file has its text once.
    path.is_file() && file::text(path, MAX_FILE_BYTES).is_ok_and(|text| is_empty(&text))
}

fn is_empty(text: &str) -> bool {
    let (document, errors) = DeTable::parse_recoverable(text);
    errors.is_empty() && document.get_ref().is_empty()
}

/// The mistake of a file that says nothing.
pub(crate) fn nothing_said(path: &Path) -> Mistake {
    let hint = "[tools.NAME] or builtin = true makes it one of tools, [[rule]] one of rules, [profile.NAME] one of profiles";
    Mistake::of_file(path, "says nothing".to_owned(), hint)
}

/// The stack on which a file is read. Whatever nests in a file is bounded so that much less is enough, in a debug
/// build too; the caller's own stack may be small and half used.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Reads the text of a configuration file. `path` is for messages, and relative names count from its folder.
pub fn parse(path: &Path, text: &str) -> Result<Config, Vec<Mistake>> {
    let read =
        |source: &Source<'_>, document: &DeTable<'_>| whole(Table::new(source, "the file", 0..0, document));
    let ((tools, notifiers), warnings) = read_document(path, text, read)?;
    Ok(Config { tools, notifiers, warnings })
}

/// Reads a TOML text on a stack that is large enough for whatever it says; with what is allowed in it and hardly meant.
fn read_document<T: Default + Send>(
    path: &Path,
    text: &str,
    read: impl FnOnce(&Source<'_>, &DeTable<'_>) -> T + Send,
) -> Result<(T, Vec<Mistake>), Vec<Mistake>> {
    let whole = |problem: String| {
        let hint = "try again; if it stays so, report it with the file";
        vec![Mistake::of_file(path, problem, hint)]
    };
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("config".to_owned()).stack_size(STACK_BYTES);
        match reader.spawn_scoped(scope, || read_here(path, text, read)) {
            Ok(reading) => {
                reading.join().unwrap_or_else(|_| Err(whole("broke the program that reads it".to_owned())))
            }
            Err(error) => Err(whole(format!("cannot be read now: {error}"))),
        }
    })
}

fn read_here<T: Default>(
    path: &Path,
    text: &str,
    read: impl FnOnce(&Source<'_>, &DeTable<'_>) -> T,
) -> Result<(T, Vec<Mistake>), Vec<Mistake>> {
    let source = Source::new(path, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(mistake::MOST_MISTAKES + 1) {
        source.mistake(&error.span().unwrap_or(0..0), error.message().trim().replace('\n', ", "), None);
    }
    let mut found = T::default();
    // What a file with broken syntax seems to say is not worth a second complaint.
    if errors.is_empty() && nests_bearably(&source, document.get_ref()) {
        found = read(&source, document.get_ref());
    }
    let warnings = source.warnings();
    let mistakes = source.into_mistakes();
    if mistakes.is_empty() { Ok((found, warnings)) } else { Err(mistakes) }
}

/// The most tables and lists within each other.
const MOST_LEVELS: usize = 64;

/// Whether nothing in the file is nested too deep; notes where it is.
fn nests_bearably(source: &Source<'_>, document: &DeTable<'_>) -> bool {
    let mut places = document.values().filter_map(|node| table::deeper_than(node, MOST_LEVELS)).peekable();
    let bearable = places.peek().is_none();
    let hint = "write less into each other: several tools, or steps after each other".to_owned();
    places.take(mistake::MOST_MISTAKES).for_each(|span| {
        source.mistake(
            &span,
            format!("tables and lists are nested on more than {MOST_LEVELS} levels"),
            Some(hint.clone()),
        );
    });
    bearable
}

fn whole(mut root: Table<'_>) -> (Tools, Vec<Notifier>) {
    let notifiers = notify::notifiers(&mut root);
    let tools = tools(&mut root);
    root.done();
    (tools, notifiers)
}

fn tools(root: &mut Table<'_>) -> Tools {
    let mut tools = built_in(root);
    let own = root.table("tools");
    let mut names = BTreeSet::new();
    for (name, span, node) in own.iter().flat_map(Table::entries) {
        if root.source.is_full() {
            break;
        }
        if tools.contains_key(name) && names.insert(name) {
            let hint = format!("rename it, or leave {name:?} out of `builtin`");
            root.source.mistake(&span, format!("the tool {name:?} is built in as well"), Some(hint));
        }
        if let Some(tool) = tool::read(root.source, (name, span), node) {
            tools.insert(name.to_owned(), tool);
        }
    }
    if tools.is_empty() && own.is_none() && !root.has("builtin") && !root.has("notify") {
        let hint = "write [tools.NAME], or builtin = true for the built-in ones".to_owned();
        root.source.mistake(&(0..0), "the file offers no tools", Some(hint));
    }
    tools
}

/// `builtin = true`, `false`, or a list of names.
fn built_in(root: &mut Table<'_>) -> Tools {
    let all = builtin::tools();
    let Some(found) = root.get("builtin") else { return Tools::new() };
    let value = found.node.get_ref();
    if let Some(wanted) = value.as_bool() {
        return if wanted { all } else { Tools::new() };
    }
    let Some(names) = root.texts("builtin") else { return Tools::new() };
    let known: Vec<&str> = all.keys().map(String::as_str).collect();
    if let Some(twice) = table::twice(&names) {
        root.source.mistake(&found.node.span(), format!("\"builtin\" names {twice:?} twice"), None);
    }
    for name in names.iter().filter(|name| !all.contains_key(*name)) {
        let problem = format!("there is no built-in tool {name:?}");
        root.source.mistake(&found.node.span(), problem, Some(allowed(name, &known)));
    }
    all.iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, tool)| (name.clone(), tool.clone()))
        .collect()
}
