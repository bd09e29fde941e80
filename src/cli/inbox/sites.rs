//! Where an inbox looks: where the command itself does, and the places that were named beside it, each with the context that
//! reaches it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::super::config::{Config, GlobalArgs};
use super::super::context::Context;
use super::super::environment::TOKEN;
use super::super::failure::{Failure, Kind};
use super::super::profile_file;
use super::super::remote::RemoteArgs;
use super::super::{places, who};
use crate::desk::places::Places;
use crate::desk::suggest::{Reach, Suggested};
use crate::desk::text;
use crate::task::Who;

/// A place that was named beside the command's own: by the name of a profile, or of a server.
pub(super) struct Named {
    name: String,
    is_profile: bool,
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
        let named = Self { name: name.to_owned(), is_profile: profile.is_some(), context, remote };
        named.context.is_called(named.shown());
        named.context.rides_out_outages();
        Ok(named)
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
    let place =
        |context: &Context, remote: &RemoteArgs| (context.place_of(remote), context.config.docket.clone());
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

/// One way to places, and how it is gone.
pub(super) struct Site<'a> {
    pub(super) context: &'a Context,
    remote: &'a RemoteArgs,
    /// What is said wherever something is changed there, where that is wanted.
    pub(super) guard: Option<String>,
    pub(super) who: Who,
    /// What was named beside the command's own places.
    named: Option<&'a Named>,
    /// Whether somebody has said that things may be changed there.
    is_confirmed: Cell<bool>,
}

impl<'a> Site<'a> {
    /// The command's own.
    pub(super) fn own(context: &'a Context, remote: &'a RemoteArgs, who: Who) -> Self {
        Self::new(context, remote, (who, None))
    }

    fn new(context: &'a Context, remote: &'a RemoteArgs, (who, named): (Who, Option<&'a Named>)) -> Self {
        let is_confirmed = Cell::new(context.config.yes);
        Self { context, remote, guard: context.guard(remote), who, named, is_confirmed }
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
        Ok(Self::new(context, remote, (who, Some(named))))
    }

    fn name(&self) -> Option<String> {
        self.named.map(Named::shown)
    }

    /// What it is called in a sentence.
    pub(super) fn called(&self) -> String {
        self.name().unwrap_or_else(|| text::line(&self.context.place_of(self.remote)))
    }

    /// Whether there can be anything: what is named is known.
    pub(super) fn leads_somewhere(&self) -> Result<(), Failure> {
        self.remote.target(self.context).map(drop)
    }

    /// Its places. A server that goes away later is waited for; `None` where there are none, and nobody has named them.
    pub(super) async fn open(&self) -> Result<Option<Places>, Failure> {
        let is_server = self.remote.target(self.context)?.is_some();
        let opened = self.context.asking(places::open(self.context, self.remote, is_server)).await;
        let opened = opened.map_err(|failure| self.context.failed(failure))?;
        match (opened.is_empty(), self.named) {
            (false, _) => Ok(Some(opened)),
            (true, None) => Ok(None),
            (true, Some(_)) => {
                Err(Failure::new(Kind::NotFound, "there are no questions").hint(self.context.nothing_begun()))
            }
        }
    }

    /// Says why it is not there, until [`Site::is_there`].
    pub(super) fn is_away(&self, failure: &Failure) {
        let helps = match self.named {
            Some(named) if named.is_profile => {
                let show = Suggested::new("config").about("show").option("--profile", named.name.as_str());
                format!("`{show}` says where it leads")
            }
            Some(_) => "is its address right, and does it run?".to_owned(),
            None => hint_of(failure),
        };
        self.stands(failure, &[&helps, "it is tried again until it is there"]);
    }

    /// Says why none of its questions are shown, though it is there.
    pub(super) fn shows_none(&self, failure: &Failure) {
        self.stands(failure, &[&hint_of(failure)]);
    }

    fn stands(&self, failure: &Failure, more: &[&str]) {
        let (name, problem) = (self.called(), text::sentence(&failure.to_string()));
        let parts = [problem.as_str()].into_iter().chain(more.iter().copied());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        self.context.ui.stand(&name, &format!("{name}: {}", parts.join("; ")));
    }

    /// It is there.
    pub(super) fn is_there(&self) {
        self.context.answers();
        self.context.ui.over(&self.called());
    }
}

/// What helps first.
fn hint_of(failure: &Failure) -> String {
    failure.hints().first().map(ToString::to_string).unwrap_or_default()
}

/// All ways, and where they have led by now.
pub(super) struct Sites<'a> {
    all: Vec<Site<'a>>,
    /// For each place, which of them it is.
    of_place: RefCell<Vec<usize>>,
    /// What was opened by them.
    opened: RefCell<Vec<Places>>,
}

impl<'a> Sites<'a> {
    pub(super) fn new(all: Vec<Site<'a>>) -> Self {
        Self { all, of_place: RefCell::default(), opened: RefCell::default() }
    }

    pub(super) fn all(&self) -> &[Site<'a>] {
        &self.all
    }

    /// One of them has led to so many places.
    pub(super) fn lead(&self, site: usize, count: usize) {
        self.of_place.borrow_mut().extend(std::iter::repeat_n(site, count));
    }

    /// Keeps what one has led to, to be closed.
    pub(super) fn keep(&self, places: Places) {
        self.opened.borrow_mut().push(places);
    }

    /// Closes what was kept.
    pub(super) async fn close(self) {
        for places in self.opened.into_inner() {
            places.close().await;
        }
    }

    /// The one that a place is reached by.
    pub(super) fn of(&self, place: usize) -> Option<&Site<'a>> {
        let site = self.of_place.borrow().get(place).copied()?;
        self.all.get(site)
    }

    pub(super) fn reaches(&self) -> Vec<Reach> {
        let reach = |at: &usize| self.all[*at].context.reach().clone();
        self.of_place.borrow().iter().map(reach).collect()
    }

    /// What the places of one are called among the others.
    pub(super) fn name(&self, site: usize) -> Option<String> {
        self.all.get(site).and_then(Site::name)
    }

    /// Everything that has to be said wherever something is changed.
    pub(super) fn guards(&self) -> Option<String> {
        guards_of(&self.all)
    }

    /// Where all of it is, in words.
    pub(super) fn place(&self) -> String {
        self.all.iter().map(Site::called).collect::<Vec<_>>().join(", ")
    }
}

/// Everything that has to be said wherever something is changed at one of these.
pub(super) fn guards_of<'a>(sites: impl IntoIterator<Item = &'a Site<'a>>) -> Option<String> {
    let said: BTreeSet<&str> = sites.into_iter().filter_map(|site| site.guard.as_deref()).collect();
    (!said.is_empty()).then(|| said.into_iter().collect::<Vec<_>>().join("; "))
}
