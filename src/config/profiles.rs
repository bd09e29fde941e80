//! Profiles from `config.toml` in the user's configuration directory: named sets of options.
//!
//! ```toml
//! default = "kitchen"
//!
//! [profile.prod]
//! redis = "rediss://redis.example.com:6379"
//! namespace = "kitchen"
//! confirm = true
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::mistake::{Mistake, Source, allowed};
use super::table::Table;
use super::{file, read_document};

/// The largest file of profiles, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// What a value of `color` may be.
const COLORS: [(&str, &str); 3] = [("auto", "auto"), ("always", "always"), ("never", "never")];

/// Says what is wrong with the value of a key, if anything: what a value may be is not this file's to know. Of a profile's
/// name the key is `profile`.
pub(crate) type Check = fn(&str, &str) -> Option<String>;

/// A named set of options. It may hold a password, so its debug form has its name only.
#[derive(Clone, Default)]
pub(crate) struct Profile {
    /// Its name.
    pub(crate) name: String,
    /// A Redis URL.
    pub(crate) redis: Option<String>,
    /// A SQLite file.
    pub(crate) db: Option<PathBuf>,
    /// An MCP server, by URL or by name.
    pub(crate) server: Option<String>,
    /// The file of the bearer token for the server.
    pub(crate) token_file: Option<PathBuf>,
    /// The namespace.
    pub(crate) namespace: Option<String>,
    /// The FastMCP deployment in the Redis.
    pub(crate) docket: Option<String>,
    /// Who answers.
    pub(crate) answerer: Option<String>,
    /// Where people reach the server's pages.
    pub(crate) public_url: Option<String>,
    /// Whether to colour: `auto`, `always` or `never`.
    pub(crate) color: Option<&'static str>,
    /// Whether to ask before something is changed.
    pub(crate) confirm: bool,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the file says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiles {
    /// The profile that is used where none is named.
    pub(crate) default: Option<String>,
    /// All of them, by name.
    pub(crate) named: BTreeMap<String, Profile>,
}

/// Reads a file of profiles. Paths in it count from its folder, `~/` from `home`. `None` where there is no such file.
pub(crate) fn load(path: &Path, home: Option<&Path>, check: Check) -> Result<Option<Profiles>, Vec<Mistake>> {
    load_as(path, Reader { home, check, used: Used::All })
}

/// The same for a command that uses the one profile of that name, or else the default: of the others there are the names
/// only, so that what is wrong with them keeps it from nothing.
pub(crate) fn load_one(
    path: &Path,
    home: Option<&Path>,
    check: Check,
    name: Option<&str>,
) -> Result<Option<Profiles>, Vec<Mistake>> {
    load_as(path, Reader { home, check, used: Used::One(name) })
}

fn load_as(path: &Path, reader: Reader<'_>) -> Result<Option<Profiles>, Vec<Mistake>> {
    if matches!(path.try_exists(), Ok(false)) {
        return Ok(None);
    }
    match file::text(path, MAX_FILE_BYTES) {
        Ok(text) => parse(path, &text, reader).map(Some),
        Err(problem) => {
            let hint = "mend it or move it away; `mcptask config path` names it";
            Err(vec![Mistake::of_file(path, problem, hint)])
        }
    }
}

/// Reads the text of such a file.
fn parse(path: &Path, text: &str, reader: Reader<'_>) -> Result<Profiles, Vec<Mistake>> {
    let (profiles, _) = read_document(path, text, |source, document| reader.profiles(source, document))?;
    Ok(profiles)
}

/// Whether a file is one of profiles, and not one of tools.
pub(crate) fn is_one(path: &Path) -> bool {
    // What is no file has its text once.
    path.is_file() && file::text(path, MAX_FILE_BYTES).is_ok_and(|text| says_profiles(&text))
}

fn says_profiles(text: &str) -> bool {
    let (document, _) = DeTable::parse_recoverable(text);
    let has = |key: &str| document.get_ref().contains_key(key);
    (has("profile") || has("default")) && !has("tools") && !has("builtin")
}

/// What reading the file needs to know.
#[derive(Clone, Copy)]
struct Reader<'a> {
    home: Option<&'a Path>,
    check: Check,
    used: Used<'a>,
}

/// Which profiles are read.
#[derive(Clone, Copy)]
enum Used<'a> {
    All,
    /// That one, or else the default.
    One(Option<&'a str>),
}

impl Reader<'_> {
    fn profiles(self, source: &Source<'_>, document: &DeTable<'_>) -> Profiles {
        let mut root = Table::new(source, "the file", 0..0, document);
        let default = root.text("default");
        let mut all = Profiles::default();
        let tables = root.table("profile");
        let by_default = default.as_ref().map(|(name, _)| name.as_str());
        for (name, span, node) in tables.iter().flat_map(Table::entries) {
            if matches!(self.used, Used::One(used) if used.or(by_default) != Some(name)) {
                all.named.insert(name.to_owned(), Profile { name: name.to_owned(), ..Profile::default() });
                continue;
            }
            if let Some(problem) = (self.check)("profile", name) {
                source.mistake(&span, format!("a profile cannot be named so: {problem}"), None);
            }
            if let Some(table) = Table::of(source, format!("profile {name:?}"), node) {
                all.named.insert(name.to_owned(), self.profile(name, table));
            }
        }
        if let Some((name, span)) = default {
            if !all.named.contains_key(&name) {
                let known: Vec<&str> = all.named.keys().map(String::as_str).collect();
                let hint = match known.as_slice() {
                    [] => format!("write [profile.{name}], or leave \"default\" out"),
                    known => allowed(&name, known),
                };
                source.mistake(&span, format!("\"default\" names no profile: {name:?}"), Some(hint));
            }
            all.default = Some(name);
        }
        root.done();
        all
    }

    fn profile(self, name: &str, mut table: Table<'_>) -> Profile {
        let profile = Profile {
            name: name.to_owned(),
            redis: self.checked(&mut table, "redis"),
            db: table.words("db").map(|path| self.resolved(&table, &path)),
            server: self.checked(&mut table, "server"),
            token_file: table.words("token_file").map(|path| self.resolved(&table, &path)),
            namespace: self.checked(&mut table, "namespace"),
            docket: table.words("docket"),
            answerer: self.checked(&mut table, "as"),
            public_url: self.checked(&mut table, "public_url"),
            color: table.choice("color", &COLORS),
            confirm: table.truth("confirm").unwrap_or_default(),
        };
        profile.contradictions(&table);
        table.done();
        profile
    }

    /// Text that passes a check.
    fn checked(self, table: &mut Table<'_>, key: &'static str) -> Option<String> {
        let (text, span) = table.text(key)?;
        let found =
            if text.trim().is_empty() { Some("it is empty".to_owned()) } else { (self.check)(key, &text) };
        if let Some(problem) = found {
            table.mistake(&span, format!("{key:?} in {} cannot be used: {problem}", table.what()));
        }
        Some(text)
    }

    /// A path that counts from the file's folder, or from the home directory.
    fn resolved(self, table: &Table<'_>, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => table.source.folder().join(path),
        }
    }
}

impl Profile {
    /// Whether it says where the tasks are.
    pub(crate) fn names_a_place(&self) -> bool {
        self.redis.is_some() || self.db.is_some() || self.server.is_some()
    }

    /// Notes options of which one would have no effect.
    fn contradictions(&self, table: &Table<'_>) {
        let span: &Range<usize> = &table.span;
        let note = |problem: &str, hint: &str| {
            table.source.mistake(span, format!("{} {problem}", table.what()), Some(hint.to_owned()));
        };
        let places = [self.redis.is_some(), self.db.is_some(), self.server.is_some()];
        if places.into_iter().filter(|is_named| *is_named).count() > 1 {
            note("names more than one place", "give one of redis, db and server");
        }
        if self.docket.is_some() && self.redis.is_none() && (self.db.is_some() || self.server.is_some()) {
            note("has a docket, which is in a Redis", "give redis, or leave the docket out");
        }
        if self.token_file.is_some() && self.server.is_none() {
            note("has a token_file without a server to send the token to", "give server, or leave it out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Profiles, Vec<String>> {
        let check: Check =
            |key, value| (key == "redis" && value.starts_with("http")).then(|| "it is no Redis".to_owned());
        let read = parse(
            Path::new("/c/config.toml"),
            text,
            Reader { home: Some(Path::new("/home/ada")), check, used: Used::All },
        );
        read.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn profiles_are_read_with_their_paths() {
        let text = "default = \"prod\"\n[profile.prod]\nserver = \"https://example.com/mcp\"\n\
            token_file = \"~/token\"\nas = \"ada\"\ncolor = \"never\"\nconfirm = true\n[profile.here]\ndb = \"tasks.db\"\n";
        let found = read(text).expect("is right");
        assert_eq!(found.default.as_deref(), Some("prod"));
        let prod = &found.named["prod"];
        assert_eq!(prod.token_file.as_deref(), Some(Path::new("/home/ada/token")));
        assert_eq!((prod.answerer.as_deref(), prod.color, prod.confirm), (Some("ada"), Some("never"), true));
        assert_eq!(found.named["here"].db.as_deref(), Some(Path::new("/c/tasks.db")));
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_no_password() {
        for (text, said) in [
            (
                "[profile.a]\nredsi = \"x\"",
                "/c/config.toml:2:1: unknown key \"redsi\" in profile \"a\"; did you mean \"redis\"?",
            ),
            (
                "[profile.a]\nconfirm = \"yes\"",
                ":2:11: \"confirm\" in profile \"a\" is \"yes\", not true or false",
            ),
            (
                "[profile.a]\ncolor = \"blue\"",
                ":2:9: \"color\" in profile \"a\" is \"blue\"; allowed here: auto",
            ),
            (
                "default = \"prid\"\n[profile.prod]",
                ":1:11: \"default\" names no profile: \"prid\"; did you mean \"prod\"?",
            ),
            ("default = \"a\"", ":1:11: \"default\" names no profile: \"a\"; write [profile.a]"),
            ("[profile.a]\nas = \" \"", ":2:6: \"as\" in profile \"a\" cannot be used: it is empty"),
            ("[profile.a]\nredis = \"redis://:hunter2@h\"\ndb = \"x\"", "names more than one place"),
            (
                "[profile.a]\nredis = \"http://me:hunter2@h\"",
                ":2:9: \"redis\" in profile \"a\" cannot be used",
            ),
            ("[profile.a]\ndocket = \"d\"\ndb = \"x\"", "has a docket, which is in a Redis"),
            ("[profile.a]\ntoken_file = \"d\"", "has a token_file without a server"),
            ("[profile.a\n", "/c/config.toml:1:11"),
            ("profile = 3", ":1:11: \"profile\" in the file is 3, not a table"),
        ] {
            let mistakes = read(text).expect_err(text).join("\n");
            assert!(mistakes.contains(said), "{said:?} is not in {mistakes}");
            assert!(!mistakes.contains("hunter2"), "{mistakes}");
        }
    }

    #[test]
    fn a_file_of_profiles_is_told_from_one_of_tools() {
        assert!(says_profiles("[profile.a]") && says_profiles("default = \"a\""));
        let others = ["builtin = true\ndefault = 1", "[tools.a]", ""];
        assert!(!others.into_iter().any(says_profiles));
    }
}
