//! Where an inbox looks: where the command itself does, and the places that were named beside it, each with the context that
//! reaches it.

use std::cell::Cell;

use super::super::config::{Config, GlobalArgs};
use super::super::context::Context;
use super::super::environment::TOKEN;
use super::super::failure::{Failure, Kind};
use super::super::profile_file;
use super::super::remote::RemoteArgs;
use super::super::{places, who};
use crate::desk::places::Places;
use crate::desk::suggest::Reach;
use crate::desk::text;
use crate::task::Who;

/// A place that was named beside the command's own: by the name of a profile, or of a server.
pub(super) struct Named {
    name: String,
    context: Context,
    remote: RemoteArgs,
}

impl Named {
    /// The one of that name. Neither variables that name a store nor a token are for it: they are the command's own.
    pub(super) fn new(context: &Context, name: &str) -> Result<Self, Failure> {
        let environment = context.environment.without_store().without(TOKEN);
        // That the file is broken was said before anything was done.
        let profile = profile_file::all(&environment).unwrap_or_default().named.remove(name);
        let (global, remote) = match &profile {
            Some(_) => (GlobalArgs::of_profile(name), RemoteArgs::default()),
            None => (GlobalArgs::default(), RemoteArgs::of_server(name)),
        };
        let mut config = Config::resolve(&global, &environment, profile.as_ref())?;
        config.yes = context.config.yes;
        let context = Context::new(config, environment, context.ui.clone());
        context.rides_out_outages();
        Ok(Self { name: name.to_owned(), context, remote })
    }

    pub(super) async fn open(&self) -> Result<Places, Failure> {
        // A server that goes away is waited for, and so is one that is not there yet.
        let waits = self.remote.target(&self.context)?.is_some();
        let opened = self.context.asking(places::open(&self.context, &self.remote, waits)).await;
        let opened = opened.map_err(|failure| self.context.failed(failure))?;
        if opened.is_empty() {
            let problem = format!("there are no questions at {}", text::line(&self.name));
            return Err(Failure::new(Kind::NotFound, problem).hint(self.context.nothing_begun()));
        }
        Ok(opened)
    }

    /// The context, to be closed.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Its name where there is little room.
    fn shown(&self) -> String {
        let name = self.remote.shown().unwrap_or_else(|| self.name.clone());
        let short = name.strip_prefix("http://").or_else(|| name.strip_prefix("https://")).unwrap_or(&name);
        short.trim_end_matches('/').to_owned()
    }
}

/// Refuses a place that is named twice: each of its questions would be there twice.
pub(super) fn refuse_twice(context: &Context, remote: &RemoteArgs, named: &[Named]) -> Result<(), Failure> {
    let place = |context: &Context, remote: &RemoteArgs| {
        (remote.shown().unwrap_or_else(|| context.config.place()), context.config.docket.clone())
    };
    let mut known = vec![place(context, remote)];
    for one in named {
        let next = place(&one.context, &one.remote);
        if known.contains(&next) {
            let problem = format!("--also {:?} is looked at already: {}", one.name, text::line(&next.0));
            return Err(Failure::usage(problem).hint("name each place once"));
        }
        known.push(next);
    }
    Ok(())
}

/// How one of the places is reached.
pub(super) struct Site<'a> {
    pub(super) context: &'a Context,
    /// What is said wherever something is changed there, where that is wanted.
    guard: Option<String>,
    pub(super) who: Who,
    name: Option<String>,
    /// Whether somebody has said that things may be changed there.
    is_confirmed: Cell<bool>,
}

impl<'a> Site<'a> {
    /// The command's own.
    pub(super) fn own(context: &'a Context, remote: &RemoteArgs, who: Who) -> Self {
        Self::new(context, remote, (who, None))
    }

    fn new(context: &'a Context, remote: &RemoteArgs, (who, name): (Who, Option<String>)) -> Self {
        let is_confirmed = Cell::new(context.config.yes);
        Self { context, guard: context.guard(remote), who, name, is_confirmed }
    }

    /// Whoever sits there was asked before.
    #[must_use]
    pub(super) fn confirmed(self) -> Self {
        self.confirm();
        self
    }

    /// Somebody has said that things may be changed there.
    pub(super) fn confirm(&self) {
        self.is_confirmed.set(true);
    }

    /// What has to be said yes to before anything is changed there.
    pub(super) fn unconfirmed(&self) -> Option<String> {
        self.guard.clone().filter(|_| !self.is_confirmed.get())
    }

    pub(super) fn of(named: &'a Named, (name, note): (Option<&str>, Option<&str>)) -> Result<Self, Failure> {
        let (context, remote) = (&named.context, &named.remote);
        let who = who::given(context, name, note)?;
        Ok(Self::new(context, remote, (who, Some(named.shown()))))
    }
}

/// All places, and how each is reached.
pub(super) struct Sites<'a> {
    all: Vec<Site<'a>>,
    /// For each place, which of them it is.
    of_place: Vec<usize>,
}

impl<'a> Sites<'a> {
    /// Those of the sites, each with how many places it has.
    pub(super) fn new(sites: Vec<(Site<'a>, usize)>) -> Self {
        let of_place = sites.iter().enumerate().flat_map(|(at, (_, count))| vec![at; *count]).collect();
        Self { all: sites.into_iter().map(|(site, _)| site).collect(), of_place }
    }

    /// The one that a place is reached by.
    pub(super) fn of(&self, place: usize) -> Option<&Site<'a>> {
        self.all.get(*self.of_place.get(place)?)
    }

    pub(super) fn reaches(&self) -> Vec<Reach> {
        let reach = |at: &usize| self.all[*at].context.reach().clone();
        self.of_place.iter().map(reach).collect()
    }

    /// What each place is called among the others.
    pub(super) fn names(&self) -> Vec<Option<String>> {
        self.of_place.iter().map(|at| self.all[*at].name.clone()).collect()
    }

    /// Everything that has to be said wherever something is changed.
    pub(super) fn guards(&self) -> Option<String> {
        let mut said: Vec<&str> = self.all.iter().filter_map(|site| site.guard.as_deref()).collect();
        said.dedup();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Where all of it is, in words.
    pub(super) fn place(&self) -> String {
        let shown = |site: &Site<'_>| site.name.clone().unwrap_or_else(|| site.context.config.place());
        self.all.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}
