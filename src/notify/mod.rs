//! Telling people of events: each [`Notifier`] of a file follows the log and posts what it is about to a webhook, or runs
//! a command for it.
//!
//! What is told waits in the store until it was taken, so that it is told at least once whoever dies; one process at a
//! time holds a notifier ([`run`]). What is told of one task keeps its order. Who does not take something is asked again
//! with growing pauses for a day; then it is set aside, for people to look at.

mod address;
mod body;
mod command;
mod delivery;
mod failed;
mod format;
mod notice;
mod outbox;
mod reading;
mod run;
mod runner;
mod secret;
mod send;
mod session;
mod signature;
mod wanted;
mod webhook;

use std::time::Duration;

use crate::store::gate;
pub(crate) use address::{checked_url, host_of};
pub(crate) use format::{Format, NAMES as FORMATS, TEMPLATE_NAMES};
pub(crate) use notice::{Asked, MakeLink, Notice, Ways};
pub(crate) use run::run;
pub(crate) use runner::Runner;
pub(crate) use secret::Source;
pub(crate) use send::Channel;
pub(crate) use wanted::{EVENTS, UNANSWERED, Wanted};

/// The most notifiers of one file: each follows the log by itself.
pub(crate) const MOST_NOTIFIERS: usize = 50;

/// One `[[notify]]` of a file, with nothing of it read yet that stands elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notifier {
    /// Its name, the same wherever it runs: by it the store knows what was told.
    pub(crate) name: String,
    /// What it is about.
    pub(crate) wanted: Wanted,
    /// How it tells.
    pub(crate) target: Target,
}

impl Notifier {
    /// The variables of the environment that it reads.
    pub(crate) fn variables(&self) -> Vec<&str> {
        let Target::Webhook { url, secret, headers, .. } = &self.target else { return Vec::new() };
        let sources = [Some(url), secret.as_ref()].into_iter().flatten();
        let all = sources.chain(headers.iter().map(|(_, source)| source));
        all.filter_map(|source| if let Source::Variable(name) = source { Some(name.as_str()) } else { None })
            .collect()
    }
}

/// Where a notifier tells what it has to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// An address to which it is posted.
    Webhook {
        /// The address, which may be a secret itself.
        url: Source,
        /// What the body looks like.
        format: Format,
        /// What it is signed with.
        secret: Option<Source>,
        /// Further headers.
        headers: Vec<(String, Source)>,
    },
    /// A program that is run, with its arguments.
    Exec(Vec<String>),
}

/// What is wrong with a notifier's name.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    gate::label("the notifier's name", name).err().map(|error| error.to_string())
}

/// The longest that one try takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
