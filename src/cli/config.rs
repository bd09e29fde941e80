//! Raw flags, environment and profile, resolved once. Nothing below reads a flag.

mod guarded;
mod layers;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum as _};

pub(crate) use guarded::Guarded;
use layers::Layers;
pub(crate) use layers::shown_server;

use super::environment::{Environment, REDIS_URL};
use super::failure::Failure;
use super::profile_file::{NAMESPACES, is_namespace};
use super::ui::{ColorChoice, Manner, time};
use crate::config::profiles::Profile;
use crate::desk::suggest::Reach;
use crate::desk::word::Word;
use crate::redis_link;
use crate::store::{StoreError, gate};
use crate::task::{Known, Who};
use crate::web::PublicUrl;

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct GlobalArgs {
    /// Use the options of this profile in config.toml of the user's configuration directory [env: MCPTASK_PROFILE]
    #[arg(long, global = true, value_name = "NAME", add = super::profile_file::names())]
    profile: Option<String>,
    /// Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env:
    /// MCPTASK_REDIS_URL]
    ///
    /// Prefer the variable for a URL with a password: other users of the machine can read command lines.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "db")]
    redis: Option<String>,
    /// Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]
    #[arg(long, global = true, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    db: Option<PathBuf>,
    /// Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    namespace: Option<String>,
    /// Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]
    #[arg(long, global = true, value_name = "NAME")]
    docket: Option<String>,
    /// Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more: -v for causes and debug logs, -vv for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Colour the output [default: auto]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<ColorChoice>,
    /// Change something without asking first, where a profile or a command wants to ask
    #[arg(long, global = true)]
    yes: bool,
    /// Never ask at the terminal: exit 6 where an answer is needed
    #[arg(long, global = true)]
    no_input: bool,
    /// Give up waiting after this long, for example 90s or 5m: exit 7
    #[arg(long, global = true, value_name = "DURATION", value_parser = some_time)]
    timeout: Option<Duration>,
}

/// A length of time that is not over at once.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match time::duration(text)? {
        Duration::ZERO => Err(format!("{text:?} is no time at all: nothing is done within it")),
        some => Ok(some),
    }
}

/// Where the tasks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// A Redis URL; may hold a password.
    Redis(String),
    /// A SQLite file.
    Sqlite(PathBuf),
    /// None was named, and there is no home directory for the usual one: commands that need no store go on.
    Nowhere,
}

/// An MCP server that a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerChoice {
    /// By URL, which may hold a secret, or by name.
    pub(crate) server: String,
    /// The file of the token that it is sent.
    pub(crate) token_file: Option<PathBuf>,
}

/// One setting, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// `None` where it is not set.
    pub(crate) value: Option<String>,
    /// Where the value comes from.
    pub(crate) from: String,
}

/// What the flags, the environment and the profile come to.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) store: StoreChoice,
    /// Whether somebody named the store; else it is the usual file.
    is_named: bool,
    pub(crate) namespace: String,
    /// The FastMCP deployment to look at; `None` for all.
    pub(crate) docket: Option<String>,
    pub(crate) timeout: Option<Duration>,
    /// The server that the profile names, where nothing else names a store.
    pub(crate) server: Option<ServerChoice>,
    /// The profile that wants to be named, and asked, before something is changed.
    pub(crate) guarded: Option<Guarded>,
    /// Whether nobody need be asked.
    pub(crate) yes: bool,
    /// The profile that the line names, for suggested commands.
    pub(crate) profile_flag: Option<String>,
    /// Every setting, for `config`.
    pub(crate) settings: Vec<Setting>,
    /// What the person here is called in answers; else by the account.
    pub(crate) answerer: Who,
    /// Where people reach the server's pages, where somebody has said so.
    pub(crate) public_url: Option<PublicUrl>,
    /// How a suggested command reaches the same tasks, secrets hidden.
    pub(crate) reach: Reach,
}

impl Config {
    /// Flags over environment over the profile over what is built in.
    pub(crate) fn resolve(
        global: &GlobalArgs,
        environment: &Environment,
        profile: Option<&Profile>,
    ) -> Result<Self, Failure> {
        let layers = Layers { global, environment, profile };
        let (named, place_from) = layers.place()?;
        let server = layers.server(named.as_ref());
        let store = named.clone().unwrap_or_else(|| usual_store(environment));
        let (namespace, namespace_from) = layers.namespace();
        let (docket, docket_from) = layers.docket(&store, server.as_ref());
        let (answerer, answerer_from) = layers.answerer()?;
        let (public_url, public_from) = layers.public_url()?;
        let (color, color_from) = layers.color();
        let guarded = layers.guarded(&store, &place_from);
        let (confirm, confirm_from) = layers.confirm(guarded.as_ref(), &place_from);
        let mut this = Self {
            is_named: named.is_some(),
            store,
            namespace: checked_namespace(&namespace)?,
            docket,
            timeout: global.timeout,
            guarded,
            yes: global.yes,
            profile_flag: global.profile.clone(),
            settings: Vec::new(),
            answerer,
            public_url,
            server,
            reach: reach(global, environment),
        };
        let text = |name, value: Option<String>, from: String| Setting { name, value, from };
        let (place, shown) = this.shown_place();
        this.settings = vec![
            text("profile", profile.map(|one| one.name.clone()), layers.profile_from()),
            text(place, shown, place_from),
            layers.token(this.server.as_ref()),
            text("namespace", Some(this.namespace.clone()), namespace_from),
            text("docket", this.docket.clone(), docket_from),
            text("as", this.answerer.name.clone(), answerer_from),
            text("public_url", this.public_url.as_ref().map(ToString::to_string), public_from),
            text("color", Some(color), color_from),
            text("confirm", Some(confirm), confirm_from),
        ];
        Ok(this)
    }

    /// The place's kind, and where it is without secrets.
    fn shown_place(&self) -> (&'static str, Option<String>) {
        match (&self.server, &self.store) {
            (Some(server), _) => ("server", Some(shown_server(&server.server))),
            (None, StoreChoice::Redis(url)) => ("redis", Some(redis_link::shown(url))),
            (None, StoreChoice::Sqlite(path)) => ("db", Some(path.display().to_string())),
            (None, StoreChoice::Nowhere) => ("db", None),
        }
    }

    /// The option of the line that says where tasks are kept, where it has one.
    pub(crate) fn flag_of_store(&self) -> Option<&str> {
        let of_store = self.settings.iter().filter(|one| ["redis", "db", "namespace"].contains(&one.name));
        of_store.map(|one| one.from.as_str()).find(|from| from.starts_with("--"))
    }

    /// Where this command's tasks are, without secrets.
    pub(crate) fn place(&self) -> String {
        self.server.as_ref().map_or_else(|| self.location(), |server| shown_server(&server.server))
    }

    /// Where the tasks are, without secrets.
    pub(crate) fn location(&self) -> String {
        let place = match &self.store {
            StoreChoice::Redis(url) => redis_link::shown(url),
            StoreChoice::Sqlite(path) => path.display().to_string(),
            StoreChoice::Nowhere => "no place".to_owned(),
        };
        if self.namespace == "default" { place } else { format!("{place} (namespace {})", self.namespace) }
    }

    /// Whether somebody named a file that is not there.
    pub(crate) fn has_missing_file(&self) -> bool {
        match &self.store {
            StoreChoice::Redis(_) | StoreChoice::Nowhere => false,
            StoreChoice::Sqlite(path) => self.is_named && !path.exists(),
        }
    }
}

impl GlobalArgs {
    /// Which store the words of a command line name that cannot be parsed, and how it wants to be told: one that is being
    /// completed, or was refused.
    pub(crate) fn of_words(words: &[String]) -> Self {
        let value = |flag: &str| {
            let with_equals = format!("{flag}=");
            let next = words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).cloned();
            next.or_else(|| words.iter().find_map(|word| word.strip_prefix(&with_equals).map(str::to_owned)))
        };
        Self {
            profile: value("--profile"),
            redis: value("--redis"),
            db: value("--db").map(PathBuf::from),
            namespace: value("--namespace"),
            docket: value("--docket"),
            json: words.iter().any(|word| word == "--json"),
            color: value("--color").and_then(|when| ColorChoice::from_str(&when, true).ok()),
            ..Self::default()
        }
    }

    /// Those of a command line that names a profile and nothing else.
    pub(crate) fn of_profile(name: &str) -> Self {
        Self { profile: Some(name.to_owned()), ..Self::default() }
    }

    /// How long to wait at most.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The profile that is named.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// How to speak, known before anything else so that every error is told in that way.
    pub(crate) fn manner(&self, environment: &Environment, profile: Option<&Profile>) -> Manner {
        let color = Layers { global: self, environment, profile }.color_choice();
        Manner { json: self.json, quiet: self.quiet, verbose: self.verbose, color, no_input: self.no_input }
    }
}

/// Somebody of a name that was given.
pub(crate) fn named(giver: &str, name: &str) -> Result<Who, Failure> {
    let who = Who::named(name.trim(), Known::Given);
    match gate::who(&who) {
        Ok(()) => Ok(who),
        Err(StoreError::Refused { problem, .. }) => Err(unusable(giver, &problem)),
        Err(error) => Err(error.into()),
    }
}

/// A name or a note that cannot be stored.
pub(crate) fn unusable(giver: &str, problem: &str) -> Failure {
    let failure = Failure::usage(format!("{giver} {problem}"));
    let is_empty = problem == "is empty";
    failure.maybe_hint(is_empty.then(|| "in a script, is a variable unset?".into()))
}

/// The file in the user's state directory.
fn usual_store(environment: &Environment) -> StoreChoice {
    match environment.state_directory() {
        Some(directory) => StoreChoice::Sqlite(directory.join("tasks.db")),
        None => StoreChoice::Nowhere,
    }
}

/// The failure of a command that needs a store where there is no place for one.
pub(crate) fn nowhere() -> Failure {
    Failure::usage("neither HOME nor XDG_STATE_HOME is set, so there is no place for the tasks")
        .hint("give --db PATH or --redis URL")
}

/// A Redis, by a URL that can be read in one way only: another one would show a piece of its password somewhere.
fn redis(name: &str, url: &str) -> Result<StoreChoice, Failure> {
    if url.is_empty() {
        return Err(Failure::usage(format!("{name} is empty: in a script, is a variable unset?")));
    }
    match redis_link::problem(url) {
        None => Ok(StoreChoice::Redis(url.to_owned())),
        Some(problem) => {
            let failure = Failure::usage(format!("{name} cannot be used: {problem}"));
            let is_filled_in = !url.contains("***");
            let help = format!("put the URL with its password into {REDIS_URL}, and leave --redis out");
            Err(failure.maybe_hint((!is_filled_in).then(|| help.into())))
        }
    }
}

fn checked_namespace(name: &str) -> Result<String, Failure> {
    if is_namespace(name) {
        return Ok(name.to_owned());
    }
    Err(Failure::usage(format!("{name:?} is not a namespace")).hint(NAMESPACES))
}

fn reach(global: &GlobalArgs, environment: &Environment) -> Reach {
    let flags = flags(global, environment);
    let is_unset = flags.contains(&Word::Variable(REDIS_URL)) && environment.given(REDIS_URL).is_none();
    Reach::store(flags).with_unset(is_unset.then_some(REDIS_URL))
}

fn flags(global: &GlobalArgs, environment: &Environment) -> Vec<Word> {
    let redis = global.redis.as_ref().map(|url| match redis_link::without_secrets(url) {
        shown if shown == *url => Word::Text(shown),
        // Where the variable holds another URL, another one's tasks would be acted on: it is refused until somebody has
        // put the password there. Where it holds none, the command is refused until it holds this one.
        starred => match environment.given(REDIS_URL) {
            Some(other) if other != url => Word::Text(starred),
            _ => Word::Variable(REDIS_URL),
        },
    });
    let db = global.db.as_ref().map(|path| Word::Text(path.to_string_lossy().into_owned()));
    let namespace = global.namespace.clone().map(Word::Text);
    let docket = global.docket.clone().map(Word::Text);
    let profile = global.profile.clone().map(Word::Text);
    let named = [
        ("--profile", profile),
        ("--redis", redis),
        ("--db", db),
        ("--namespace", namespace),
        ("--docket", docket),
    ];
    named.into_iter().filter_map(|(flag, value)| Some([flag.into(), value?])).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::suggest::Suggested;

    fn chosen(global: &GlobalArgs, variables: &[(&str, &str)]) -> StoreChoice {
        Config::resolve(global, &Environment::of(variables), None).expect("resolves").store
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_default() {
        let both = [("MCPTASK_REDIS_URL", "redis://env"), ("MCPTASK_DB", "/env.db"), ("HOME", "/h")];
        let db = GlobalArgs { db: Some("/flag.db".into()), ..GlobalArgs::default() };
        assert_eq!(chosen(&db, &both), StoreChoice::Sqlite("/flag.db".into()));
        assert_eq!(chosen(&GlobalArgs::default(), &both), StoreChoice::Redis("redis://env".into()));
        assert_eq!(chosen(&GlobalArgs::default(), &both[1..]), StoreChoice::Sqlite("/env.db".into()));
        let home = StoreChoice::Sqlite("/h/.local/state/mcptask/tasks.db".into());
        assert_eq!(chosen(&GlobalArgs::default(), &both[2..]), home);
    }

    #[test]
    fn suggested_commands_reach_the_same_tasks_or_none_and_hide_the_password() {
        let url = "redis://me:hunter2@example.com:6379/1";
        let global = GlobalArgs {
            redis: Some(url.into()),
            namespace: Some("my:space".into()),
            ..GlobalArgs::default()
        };
        let suggested = |variables: &[(&str, &str)]| {
            let config = Config::resolve(&global, &Environment::of(variables), None).expect("resolves");
            Suggested::new("list").at(&config.reach).to_string()
        };
        let named = "mcptask --redis \"$MCPTASK_REDIS_URL\" --namespace my:space list";
        assert_eq!(
            (suggested(&[("MCPTASK_REDIS_URL", url)]).as_str(), suggested(&[]).as_str()),
            (named, named)
        );
        let starred = "mcptask --redis 'redis://me:***@example.com:6379/1' --namespace my:space list";
        assert_eq!(suggested(&[("MCPTASK_REDIS_URL", "redis://me:hunter2@elsewhere.com")]), starred);
    }
}
