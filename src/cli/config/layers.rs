//! Where each value comes from: flags over the environment over the profile over what is built in.

use std::path::Path;

use clap::ValueEnum as _;

use super::{GlobalArgs, Guarded, ServerChoice, Setting, StoreChoice, named, redis};
use crate::cli::database;
use crate::cli::environment::{AS, DB, Environment, NAMESPACE, PROFILE, PUBLIC_URL, REDIS_URL, TOKEN};
use crate::cli::failure::Failure;
use crate::cli::ui::ColorChoice;
use crate::client;
use crate::config::profiles::Profile;
use crate::redis_link::is_same_place;
use crate::task::Who;
use crate::web::PublicUrl;

/// Where values come from, the first over the others.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) global: &'a GlobalArgs,
    pub(super) environment: &'a Environment,
    pub(super) profile: Option<&'a Profile>,
}

const BUILT_IN: &str = "built in";

impl Layers<'_> {
    pub(super) fn of_profile(&self) -> String {
        self.profile.map_or_else(|| BUILT_IN.to_owned(), |profile| format!("profile {}", profile.name))
    }

    pub(super) fn profile_from(&self) -> String {
        match self.profile {
            None => BUILT_IN.to_owned(),
            Some(_) if self.global.profile.is_some() => "--profile".to_owned(),
            Some(_) if self.environment.given(PROFILE).is_some() => PROFILE.to_owned(),
            Some(_) => "default of the profiles".to_owned(),
        }
    }

    /// The store that is named, and where the place comes from: of a profile it may be a server.
    pub(super) fn place(&self) -> Result<(Option<StoreChoice>, String), Failure> {
        if let Some(url) = &self.global.redis {
            return Ok((Some(redis("--redis", url)?), "--redis".to_owned()));
        }
        if let Some(path) = &self.global.db {
            return Ok((Some(StoreChoice::Sqlite(database::checked(path)?)), "--db".to_owned()));
        }
        if let Some(url) = self.environment.given(REDIS_URL) {
            return Ok((Some(redis(REDIS_URL, url)?), REDIS_URL.to_owned()));
        }
        if let Some(path) = self.environment.given(DB) {
            return Ok((Some(StoreChoice::Sqlite(database::checked(path.as_ref())?)), DB.to_owned()));
        }
        let Some(profile) = self.profile.filter(|profile| profile.names_a_place()) else {
            return Ok((None, BUILT_IN.to_owned()));
        };
        let store = match (&profile.redis, &profile.db) {
            (Some(url), _) => Some(redis(&format!("redis of profile {}", profile.name), url)?),
            (None, Some(path)) => Some(StoreChoice::Sqlite(database::checked(path)?)),
            (None, None) => None,
        };
        Ok((store, self.of_profile()))
    }

    pub(super) fn server(&self, named: Option<&StoreChoice>) -> Option<ServerChoice> {
        let profile = self.profile.filter(|_| named.is_none())?;
        let token_file = profile.token_file.clone();
        profile.server.clone().map(|server| ServerChoice { server, token_file })
    }

    pub(super) fn namespace(&self) -> (String, String) {
        let flag = self.global.namespace.as_deref().map(|name| (name, "--namespace".to_owned()));
        let variable = || Some((self.environment.given(NAMESPACE)?, NAMESPACE.to_owned()));
        let profile = || Some((self.profile?.namespace.as_deref()?, self.of_profile()));
        let found = flag.or_else(variable).or_else(profile);
        let (name, from) = found.unwrap_or(("default", BUILT_IN.to_owned()));
        (name.to_owned(), from)
    }

    /// A profile's docket is of a Redis: in place of one there is none.
    pub(super) fn docket(
        &self,
        store: &StoreChoice,
        server: Option<&ServerChoice>,
    ) -> (Option<String>, String) {
        if let Some(docket) = &self.global.docket {
            return (Some(docket.clone()), "--docket".to_owned());
        }
        let is_redis = matches!(store, StoreChoice::Redis(_)) && server.is_none();
        match self.profile.and_then(|profile| profile.docket.clone()).filter(|_| is_redis) {
            Some(docket) => (Some(docket), self.of_profile()),
            None => (None, BUILT_IN.to_owned()),
        }
    }

    /// Who answers here, where the command does not say.
    pub(super) fn answerer(&self) -> Result<(Who, String), Failure> {
        if let Some(name) = self.environment.given(AS) {
            return Ok((named(AS, name)?, AS.to_owned()));
        }
        match self.profile.and_then(|profile| profile.answerer.as_deref()) {
            Some(name) => Ok((named("as of the profile", name)?, self.of_profile())),
            None => Ok((Who::of_account(&self.environment.account()), "user and host".to_owned())),
        }
    }

    /// Where people reach the server's pages, where the command does not say.
    pub(super) fn public_url(&self) -> Result<(Option<PublicUrl>, String), Failure> {
        let variable = self.environment.given(PUBLIC_URL).map(|url| (url, PUBLIC_URL.to_owned()));
        let profile = || Some((self.profile?.public_url.as_deref()?, self.of_profile()));
        let Some((url, from)) = variable.or_else(profile) else { return Ok((None, BUILT_IN.to_owned())) };
        match PublicUrl::read(url) {
            Ok(url) => Ok((Some(url), from)),
            Err(problem) => {
                Err(Failure::usage(format!("the public URL of {from} cannot be used: {problem}")))
            }
        }
    }

    /// The token for a server, which is not shown.
    pub(super) fn token(&self, server: Option<&ServerChoice>) -> Setting {
        let of_file = server.and_then(|server| server.token_file.as_ref());
        let (value, from) = if self.environment.given(TOKEN).is_some() {
            (Some("set, not shown".to_owned()), TOKEN.to_owned())
        } else if let Some(file) = of_file {
            (Some(format!("in {}", file.display())), self.of_profile())
        } else {
            (None, BUILT_IN.to_owned())
        };
        Setting { name: "token", value, from }
    }

    /// A variable that says of all programs whether to colour.
    pub(super) fn color_variable(&self) -> Option<&'static str> {
        ["NO_COLOR", "CLICOLOR_FORCE"].into_iter().find(|name| self.environment.given(name).is_some())
    }

    pub(super) fn color_choice(&self) -> ColorChoice {
        let of_profile = || {
            let color = self.profile.filter(|_| self.color_variable().is_none())?.color?;
            ColorChoice::from_str(color, true).ok()
        };
        self.global.color.or_else(of_profile).unwrap_or_default()
    }

    pub(super) fn color(&self) -> (String, String) {
        let word = self.color_choice().to_possible_value().map(|value| value.get_name().to_owned());
        let from = match (self.global.color, self.color_variable()) {
            (Some(_), _) => "--color".to_owned(),
            (None, Some(variable)) => variable.to_owned(),
            (None, None) if self.profile.is_some_and(|profile| profile.color.is_some()) => self.of_profile(),
            (None, None) => BUILT_IN.to_owned(),
        };
        (word.unwrap_or_default(), from)
    }

    /// The profile that wants to be asked. Its own place is its own, whoever else names it.
    pub(super) fn guarded(&self, store: &StoreChoice, place_from: &str) -> Option<Guarded> {
        let profile = self.profile.filter(|profile| profile.confirm)?;
        let is_here =
            !profile.names_a_place() || place_from == self.of_profile() || is_its_own(profile, store);
        let has_place = profile.names_a_place();
        Some(Guarded { profile: profile.name.clone(), has_place, is_here, server: profile.server.clone() })
    }

    /// Whether the profile asks before something is changed, and where that comes from.
    pub(super) fn confirm(&self, guarded: Option<&Guarded>, place_from: &str) -> (String, String) {
        let from = match guarded {
            None => BUILT_IN.to_owned(),
            Some(guarded) if guarded.is_here => self.of_profile(),
            Some(_) => format!("{place_from} names another place than {}", self.of_profile()),
        };
        (guarded.is_some_and(|guarded| guarded.is_here).to_string(), from)
    }
}

/// Whether the store is the one that the profile names.
fn is_its_own(profile: &Profile, store: &StoreChoice) -> bool {
    match store {
        StoreChoice::Redis(url) => profile.redis.as_deref().is_some_and(|own| is_same_place(own, url)),
        StoreChoice::Sqlite(path) => profile.db.as_deref().is_some_and(|own| {
            let whole = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
            own == path || whole(own).is_some_and(|own| Some(own) == whole(path))
        }),
        StoreChoice::Nowhere => false,
    }
}

/// A server's URL without what may be a secret; a name as it is.
pub(crate) fn shown_server(server: &str) -> String {
    let shown = if server.contains("://") { client::shown(server) } else { server.to_owned() };
    if shown == server { shown } else { format!("{shown} (with a secret that is not shown)") }
}
