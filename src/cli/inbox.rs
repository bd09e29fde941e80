//! `inbox`: every question that waits, live, on the whole screen.

mod answer;
mod sites;

use std::convert::Infallible;
use std::time::Duration;

use clap::Args;
use futures::future::{FutureExt as _, LocalBoxFuture, try_join_all};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::ui::prompt::Turn;
use super::ui::{Ui, text};
use super::{answering, places, who};
use crate::desk::asked::OpenQuestion;
use crate::desk::inbox::{Inbox, Key, TaskKey};
use crate::desk::place::{BY_OPERATOR, Found};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::fastmcp::Way;
use crate::task::Who;
use crate::tui::Stopped;
use crate::tui::inbox::{Pane, Sheet, SheetLine, Surroundings, Tone, Wish, announce, facts};
use sites::{Named, Site, Sites};

/// Answer questions as they come: all that wait, oldest first, on the whole screen
///
/// Enter opens a question's form and answers it, Space marks several of one form to be answered alike, `s` shows the task,
/// `x` cancels it, `/` filters, Tab goes to the tasks and workers, `?` tells all keys. The terminal's title counts what
/// waits, and its bell tells of what is new. It needs a terminal; a script has `list --waiting` and `respond --next`.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct InboxArgs {
    /// Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Note something beside each answer, such as a ticket or a reason; the task's log keeps it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Look there as well: a profile's name, an MCP server's URL, or its name in `mcp.json`; may be given several times
    ///
    /// Each question says where it is. A server that is named here gets the token of its profile or of its file, and never
    /// the one of --token or the variable, which are for --server.
    #[arg(long, value_name = "PLACE", add = super::profile_file::names())]
    also: Vec<String>,
    /// Ring no bell when a question comes
    #[arg(long)]
    no_bell: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: InboxArgs) -> Result<(), Failure> {
    let who = who::given(context, args.name.as_deref(), args.note.as_deref())?;
    if !context.ui.may_draw() {
        return Err(no_screen(&context.ui));
    }
    let named = args.also.iter().map(|name| Named::new(context, name)).collect::<Result<Vec<_>, _>>()?;
    sites::refuse_twice(context, &args.remote, &named)?;
    if !named.is_empty() {
        context.is_called(text::line(&context.place_of(&args.remote)));
    }
    context.rides_out_outages();
    let done = if named.is_empty() {
        over_own(context, &args, who).await
    } else {
        over_all(context, &args, (who, &named)).await
    };
    for named in &named {
        named.context().close().await;
    }
    done
}

/// Opens the inbox of the command's own places alone. A store that goes away meanwhile is waited for; one that is not there
/// is told at once.
async fn over_own(context: &Context, args: &InboxArgs, who: Who) -> Result<(), Failure> {
    let waits = args.remote.target(context)?.is_some();
    let all = context.asking(places::open(context, &args.remote, waits)).await?;
    if all.is_empty() {
        let none = Failure::new(Kind::NotFound, "there are no questions here");
        return Err(none.hint(context.nothing_begun()));
    }
    let sites = Sites::new(vec![Site::own(context, &args.remote, who)]);
    let done = open(context, Some(&all), &sites, !args.no_bell).await;
    all.close().await;
    done
}

/// Opens the inbox of the command's own places and of those that were named beside them, as they come: one that is away keeps
/// nobody from the others.
async fn over_all(context: &Context, args: &InboxArgs, (who, named): (Who, &[Named])) -> Result<(), Failure> {
    let mut sites = vec![Site::own(context, &args.remote, who)];
    for one in named {
        sites.push(Site::of(one, (args.name.as_deref(), args.note.as_deref()))?);
    }
    // A way that leads nowhere at all is told at once.
    sites.iter().try_for_each(Site::leads_somewhere)?;
    let sites = Sites::new(sites);
    let done = open(context, None, &sites, !args.no_bell).await;
    sites.close().await;
    done
}

fn no_screen(ui: &Ui) -> Failure {
    let why = if ui.is_json() {
        "--json is for programs"
    } else if ui.may_prompt() {
        "this one cannot move its cursor: TERM is dumb, or not set"
    } else {
        "somebody who looks at it: stdin or stderr is no terminal, or --no-input or CI is set"
    };
    let problem = format!("the inbox needs a terminal with a screen, and {why}");
    let list = Suggested::new("list").flag("--waiting").flag("--json");
    let next = Suggested::new("respond").flag("--next");
    Failure::new(Kind::NeedsInput, problem)
        .hint(Advice::command(list, "lists the same; ").and_command(next, "answers the oldest"))
}

/// Opens the inbox of one command's places, until somebody leaves it. Whoever sits there was asked before whether anything
/// may be changed.
pub(super) async fn open_at(
    context: &Context,
    places: &Places,
    remote: &RemoteArgs,
    who: Who,
) -> Result<(), Failure> {
    let sites = Sites::new(vec![Site::own(context, remote, who).confirmed()]);
    open(context, Some(places), &sites, true).await
}

/// Opens the inbox of these places, or of those that the ways lead to, until somebody leaves it. The bell rings where that is
/// wanted.
async fn open(
    context: &Context,
    opened: Option<&Places>,
    sites: &Sites<'_>,
    rings: bool,
) -> Result<(), Failure> {
    if let Some(places) = opened {
        places::tell_unsearched(context, places);
    }
    let ui = &context.ui;
    let setting = ui.form_setting().ok_or_else(|| no_screen(ui))?;
    let _turn = Turn::take(ui);
    context.goes_on("what was not answered stays open");
    let inbox = Inbox::new(sites.all().len());
    let reaches = Box::new(|| sites.reaches());
    let around = Surroundings { place: sites.place(), guard: sites.guards(), reaches };
    let pane = Pane::open(&inbox, setting, around).map_err(stopped)?;
    let mut desk = Desk { sites, inbox: &inbox, pane };
    let following = (0..sites.all().len()).map(|site| attend(&inbox, (sites, site), opened));
    let followed = Box::pin(try_join_all(following));
    let rings = rings && !ui.is_quiet();
    tokio::select! {
        biased;
        done = Box::pin(desk.serve()) => done,
        ended = followed => ended.map(drop),
        never = announce(&inbox, (ui.has_title(), rings)) => match never {},
        never = Box::pin(inbox.survey()) => match never {},
    }
}

/// Goes one of the ways as soon as it leads anywhere, unless its places are `opened`, and follows what is there for as long
/// as the inbox is open. What is opened here is kept, to be closed.
async fn attend(
    inbox: &Inbox,
    (sites, site): (&Sites<'_>, usize),
    opened: Option<&Places>,
) -> Result<Infallible, Failure> {
    let enter = |places: &Places| {
        let all = inbox.add(places, sites.name(site).as_deref());
        sites.lead(site, all.len());
        all
    };
    let all = if let Some(places) = opened {
        inbox.awaits_less();
        enter(places)
    } else {
        let way = &sites.all()[site];
        let places = way_to(inbox, way, sites.name(site).as_deref().unwrap_or("the place")).await;
        places::tell_unsearched(way.context, &places);
        let all = enter(&places);
        sites.keep(places);
        all
    };
    let following = all.map(|at| follow(inbox, sites, at));
    try_join_all(following).await?;
    std::future::pending().await
}

/// The places of a way, however often it has to be gone before it leads to them.
async fn way_to(inbox: &Inbox, site: &Site<'_>, name: &str) -> Places {
    let mut is_awaited = true;
    let mut opening = Box::pin(site.open());
    loop {
        let opened = tokio::time::timeout(SOON, &mut opening).await;
        if std::mem::take(&mut is_awaited) {
            inbox.awaits_less();
        }
        match opened {
            // It waits, as it says itself.
            Err(_) => {
                inbox.tell_away(name, true);
                continue;
            }
            Ok(Ok(Some(places))) => {
                inbox.tell_away(name, false);
                site.is_there();
                return places;
            }
            // Nobody has begun a store, and nobody has named one.
            Ok(Ok(None)) => {}
            Ok(Err(failure)) => {
                inbox.tell_away(name, true);
                site.is_away(&failure);
            }
        }
        tokio::time::sleep(AGAIN).await;
        opening = Box::pin(site.open());
    }
}

/// Follows a place for as long as the inbox is open. One of several that cannot be followed is told, and tried again, and the
/// others go on.
async fn follow(inbox: &Inbox, sites: &Sites<'_>, at: usize) -> Result<Infallible, Failure> {
    let Some(site) = sites.of(at) else { return std::future::pending().await };
    loop {
        let ended = site.context.ride_out(async || inbox.follow(at, &|| site.is_there()).await).await;
        match ended {
            Err(failure) if inbox.has_several_places() && failure.kind() == Kind::Usage => {
                // It is there, and no later try shows more of it.
                inbox.shows_none(at);
                site.shows_none(&site.context.failed(failure));
                return std::future::pending().await;
            }
            Err(failure) if inbox.has_several_places() => site.is_away(&site.context.failed(failure)),
            ended => return ended,
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// How long a place may take to be opened before the inbox shows what there is without it.
const SOON: Duration = Duration::from_secs(2);

/// The pause before a place that is away is tried again.
const AGAIN: Duration = Duration::from_secs(3);

/// Why the screen was left.
fn stopped(why: Stopped) -> Failure {
    match why {
        Stopped::Interrupted => {
            Failure::new(Kind::Interrupted, "interrupted; what was not answered stays open")
        }
        Stopped::Terminal(error) => Failure::new(
            Kind::NeedsInput,
            format!("the terminal went away ({error}); what was not answered stays open"),
        ),
    }
}

/// Does what is wanted at the pane.
struct Desk<'a> {
    sites: &'a Sites<'a>,
    inbox: &'a Inbox,
    pane: Pane<'a>,
}

impl<'a> Desk<'a> {
    async fn serve(&mut self) -> Result<(), Failure> {
        loop {
            let wish = self.pane.wish().await.map_err(stopped)?;
            let place = wish.place();
            let done = match wish {
                Wish::Leave => return Ok(()),
                Wish::Answer(key) => Box::pin(self.answer(&key)).await,
                Wish::AnswerAlike(keys) => Box::pin(self.answer_alike(&keys)).await,
                Wish::Show(task) => Box::pin(self.show(&task)).await,
                Wish::Cancel(task, words) => Box::pin(self.cancel(&task, &words)).await,
            };
            match done {
                Err(failure) if failure.is_signal() => return Err(failure),
                Err(failure) => {
                    let failure = match place.and_then(|place| self.sites.of(place)) {
                        Some(site) => site.context.failed(failure),
                        None => failure,
                    };
                    self.tell(&failure);
                }
                Ok(()) => {}
            }
        }
    }

    /// How a place is reached.
    fn site(&self, place: usize) -> Result<&'a Site<'a>, Failure> {
        let none = || Failure::new(Kind::NotFound, "there is no such place any longer");
        self.sites.of(place).ok_or_else(none)
    }

    /// Says what went wrong, and what helps; the inbox goes on.
    fn tell(&mut self, failure: &Failure) {
        // That a form was left needs no command that opens it again.
        let is_told = failure.kind() == Kind::NothingChanged;
        let words = if is_told { text::sentence(&failure.to_string()) } else { answering::in_words(failure) };
        self.pane.notice(words);
    }

    /// Does some work while the pane goes on. Boxed, since whoever waits for it would carry it along.
    fn during<'f, T: 'f>(
        &'f mut self,
        words: &'f str,
        work: impl Future<Output = Result<T, Failure>> + 'f,
    ) -> LocalBoxFuture<'f, Result<T, Failure>> {
        let left = || Failure::new(Kind::NothingChanged, "not waited for any longer");
        let work = Box::pin(work);
        async move { self.pane.during(words, work).await.map_err(stopped)?.ok_or_else(left)? }.boxed_local()
    }

    async fn yes(&mut self, sheet: Sheet) -> Result<(), Failure> {
        let nothing = || Failure::new(Kind::NothingChanged, "nothing was changed");
        self.pane.read(sheet).await.map_err(stopped)?.then_some(()).ok_or_else(nothing)
    }

    /// Asks once whether anything may be changed there, where the profile wants that.
    async fn may_change(&mut self, place: usize) -> Result<(), Failure> {
        let site = self.site(place)?;
        let Some(guard) = site.unconfirmed() else { return Ok(()) };
        // Where there is only one place that wants it, the top of the screen says it already.
        let is_said = self.sites.guards().as_ref() == Some(&guard);
        let lines = if is_said { Vec::new() } else { vec![SheetLine::new("", guard, Tone::Wrong)] };
        self.yes(Sheet::question("Change something there?", lines)).await?;
        site.confirm();
        Ok(())
    }

    async fn question(&mut self, key: &Key) -> Result<(Found, OpenQuestion), Failure> {
        let inbox = self.inbox;
        let site = self.site(key.place)?;
        let reading = async {
            let found = inbox.find(&key.of_task()).await?;
            if let Some(advice) = found.answered_elsewhere() {
                return Err(Failure::new(Kind::NothingChanged, site.context.advise(advice)));
            }
            let question = found.question(Some(&key.question), Way::Supported).await?;
            Ok((found, question))
        };
        self.during("reading the question", reading).await
    }

    async fn show(&mut self, task: &TaskKey) -> Result<(), Failure> {
        let (inbox, site) = (self.inbox, self.site(task.place)?);
        let reading = async { inbox.find(task).await?.facts().await };
        let read = self.during("reading the task", reading).await?;
        let lines = facts::lines(&read.lines, site.context.reach());
        let title = format!("task {}", text::line(&task.task));
        self.pane.read(Sheet::new(title, lines)).await.map_err(stopped)?;
        Ok(())
    }

    async fn cancel(&mut self, task: &TaskKey, words: &str) -> Result<(), Failure> {
        self.may_change(task.place).await?;
        let (inbox, id) = (self.inbox, text::line(text::short_id(&task.task)));
        let lines = vec![
            SheetLine::new("  ", words, Tone::Strong),
            SheetLine::plain(""),
            SheetLine::new("  ", "Its work is stopped, its open questions are withdrawn.", Tone::Plain),
        ];
        self.yes(Sheet::question(format!("Cancel task {id}?"), lines)).await?;
        let cancelling = async { inbox.find(task).await?.cancel(BY_OPERATOR).await };
        let done = self.during("cancelling the task", cancelling).await?;
        inbox.close_task(task);
        let warning = done.warning.map(|warning| format!("; {warning}")).unwrap_or_default();
        self.pane.notice(format!("task {id} is cancelled{warning}"));
        Ok(())
    }
}
