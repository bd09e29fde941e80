//! Which profile a command uses, and what it asks before something is changed under one.

use super::config::{GlobalArgs, Guarded};
use super::context::Context;
use super::environment::{Environment, PROFILE};
use super::failure::{Failure, Kind};
use super::named_server;
use super::profile_file::{file, one};
use super::remote::RemoteArgs;
use super::ui::{Piece, choose, text};
use crate::client::Target;
use crate::config::profiles::{Profile, Profiles};
use crate::config::{Mistake, counted};
use crate::desk::suggest::{Advice, Suggested};

/// The profile that is used: the one that the line names, or a variable, or the file by itself.
pub(crate) fn chosen(global: &GlobalArgs, environment: &Environment) -> Result<Option<Profile>, Failure> {
    let flag = global.profile().map(|name| ("--profile", name));
    let named = flag.or_else(|| Some((PROFILE, environment.given(PROFILE)?)));
    if let Some((giver, "")) = named {
        return Err(Failure::usage(format!("{giver} is empty: in a script, is a variable unset?")));
    }
    let named = named.map(|(_, name)| name);
    let profiles = one(environment, named).map_err(|mistakes| mistaken(&mistakes))?;
    let Some(name) = named.or(profiles.default.as_deref()) else { return Ok(None) };
    match profiles.named.get(name) {
        Some(profile) => Ok(Some(profile.clone())),
        None => Err(unknown(name, &profiles, environment)),
    }
}

fn mistaken(mistakes: &[Mistake]) -> Failure {
    let lines: Vec<_> = mistakes.iter().map(|one| text::line(&one.to_string())).collect();
    let count = counted(mistakes);
    Failure::usage(format!("the file of profiles has {count}:\n{}", lines.join("\n")))
        .hint(Advice::from("correct it; ").and_command(Suggested::new("check"), "looks again"))
}

fn unknown(name: &str, profiles: &Profiles, environment: &Environment) -> Failure {
    let names: Vec<&str> = profiles.named.keys().map(String::as_str).collect();
    let place = match (file(environment), names.as_slice()) {
        (None, _) => "neither HOME nor XDG_CONFIG_HOME is set, so there is no file of profiles".to_owned(),
        (Some(path), []) => format!("{} has none", path.display()),
        (Some(path), names) => format!("{} has {}", path.display(), names.join(", ")),
    };
    Failure::usage(format!("there is no profile {name:?}: {}", text::line(&place)))
        .hint(Advice::command(Suggested::new("config").about("path"), "names the file"))
}

/// What is asked before something is changed.
const QUESTION: &str = "Change something there?";

impl Context {
    /// Names a profile that wants it wherever something is changed, and asks the person here first. Where nobody can be
    /// asked, `--yes` has to say it.
    pub(crate) async fn before_changing(&self, remote: &RemoteArgs) -> Result<(), Failure> {
        self.changes.store(true, std::sync::atomic::Ordering::Release);
        self.confirm(self.guarded(remote), &self.place_of(remote)).await
    }

    /// The same before tasks of the store are run.
    pub(crate) async fn before_working(&self) -> Result<(), Failure> {
        // It has no say in a store beside its server.
        let guarded = self.config.guarded.as_ref().filter(|guarded| guarded.is_here);
        let guarded = guarded.filter(|_| self.config.server.is_none());
        self.confirm(guarded, &self.config.location()).await
    }

    /// What is said wherever something is changed, where the profile wants it: for a screen that asks by itself.
    pub(crate) fn guard(&self, remote: &RemoteArgs) -> Option<String> {
        let name = text::line(&self.guarded(remote)?.profile);
        Some(format!("profile {name}: this changes tasks at {}", text::line(&self.place_of(remote))))
    }

    /// Where the command's tasks are.
    pub(crate) fn place_of(&self, remote: &RemoteArgs) -> String {
        remote.shown().unwrap_or_else(|| self.config.place())
    }

    /// The profile that wants to be asked, unless this is another place than its own.
    fn guarded(&self, remote: &RemoteArgs) -> Option<&Guarded> {
        self.config.guarded.as_ref().filter(|guarded| match (&remote.server, &remote.stdio) {
            (Some(server), _) => guarded.is_of_server(server, |given| self.leads_to(given)),
            (None, Some(line)) => guarded.is_of_program(line, |given| self.leads_to(given)),
            (None, None) => guarded.is_here,
        })
    }

    /// Where a server's URL, or its name in a host's file, leads.
    fn leads_to(&self, given: &str) -> Option<Target> {
        let folder = std::env::current_dir().unwrap_or_default();
        match named_server::find(given, &self.environment, &folder) {
            Ok(Some(named)) => Some(named.target),
            Ok(None) | Err(_) => Target::http(given).ok(),
        }
    }

    /// Names the place and asks, where a profile wants it.
    async fn confirm(&self, guarded: Option<&Guarded>, place: &str) -> Result<(), Failure> {
        let Some(guarded) = guarded else { return Ok(()) };
        let name = text::line(&guarded.profile);
        let lead = self.ui.talk_paint().red(&format!("profile {name}:"));
        let words = format!("this changes tasks at {}", text::line(place));
        self.ui.talk_after(&format!("{lead} "), &[Piece::Words(words)]);
        if self.config.yes {
            return Ok(());
        }
        if !self.ui.may_prompt() {
            let why = "wants to be asked before something is changed, and nobody can be asked here";
            return Err(Failure::new(Kind::NeedsInput, format!("the profile {name} {why}"))
                .hint("give --yes to go on without being asked"));
        }
        choose::yes(&self.ui, QUESTION, format!("yes, in {name}")).await
    }
}
