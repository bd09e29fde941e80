//! The file of profiles: where it is, what it says, and what a value in it may be.

use std::path::{Path, PathBuf};

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::environment::Environment;
use super::ui::text;
use crate::config::Mistake;
use crate::config::profiles::{self, Profiles};
use crate::redis_link;
use crate::store::{StoreError, StoreResult, gate};
use crate::task::{Known, Who};
use crate::web::PublicUrl;

/// The file of profiles; `None` without a home directory.
pub(crate) fn file(environment: &Environment) -> Option<PathBuf> {
    Some(environment.config_directory()?.join("config.toml"))
}

/// All profiles; none where there is no file.
pub(crate) fn all(environment: &Environment) -> Result<Profiles, Vec<Mistake>> {
    let Some(path) = file(environment) else { return Ok(Profiles::default()) };
    let home = environment.given("HOME").map(Path::new);
    profiles::load(&path, home, problem).map(Option::unwrap_or_default)
}

/// The profile of that name, or the default, and the names of the others.
pub(crate) fn one(environment: &Environment, name: Option<&str>) -> Result<Profiles, Vec<Mistake>> {
    let Some(path) = file(environment) else { return Ok(Profiles::default()) };
    let home = environment.given("HOME").map(Path::new);
    profiles::load_one(&path, home, problem, name).map(Option::unwrap_or_default)
}

/// What is wrong with a value of a profile.
pub(crate) fn problem(key: &str, value: &str) -> Option<String> {
    let refused = |checked: StoreResult<()>| match checked {
        Err(StoreError::Refused { problem, .. }) => Some(problem),
        _ => None,
    };
    match key {
        "redis" => redis_link::problem(value),
        "as" => refused(gate::who(&Who::named(value, Known::Given))),
        "public_url" => PublicUrl::read(value).err(),
        "profile" => refused(gate::label("profile", value)),
        "namespace" => (!is_namespace(value)).then(|| format!("it is not a namespace: {NAMESPACES}")),
        _ => None,
    }
}

/// Names of profiles.
pub(crate) fn names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let profiles = all(&Environment::of_process()).unwrap_or_default();
        profiles.named.keys().map(|name| CompletionCandidate::new(text::line(name))).collect()
    })
}

/// What a namespace may be.
pub(crate) const NAMESPACES: &str = "use 1 to 100 letters, digits, '-', '_', '.' or ':'";

/// Whether a namespace may be called so.
pub(crate) fn is_namespace(name: &str) -> bool {
    let allowed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.' | ':');
    !name.is_empty() && name.len() <= 100 && name.chars().all(allowed)
}
