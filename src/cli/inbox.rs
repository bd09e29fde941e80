//! `inbox`: every question that waits, live, on the whole screen.

mod sites;

use std::convert::Infallible;

use clap::Args;
use futures::future::{FutureExt as _, LocalBoxFuture, try_join_all};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::ui::prompt::Turn;
use super::ui::{Ui, text};
use super::{answering, places, who};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::asked::OpenQuestion;
use crate::desk::bulk::Tally;
use crate::desk::inbox::{Inbox, Key, TaskKey};
use crate::desk::place::{BY_OPERATOR, Found};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::values;
use crate::fastmcp::Way;
use crate::task::{Answer, Ask, Who};
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
    // A store that goes away meanwhile is waited for; one that is not there is told at once.
    context.rides_out_outages();
    let done = over_all(context, &args, (who, &named)).await;
    for named in &named {
        named.context().close().await;
    }
    done
}

/// Opens the inbox of the command's own places and of those that were named beside them.
async fn over_all(context: &Context, args: &InboxArgs, (who, named): (Who, &[Named])) -> Result<(), Failure> {
    let waits = args.remote.target(context)?.is_some();
    let mut all = context.asking(places::open(context, &args.remote, waits)).await?;
    if all.is_empty() && named.is_empty() {
        let none = Failure::new(Kind::NotFound, "there are no questions here");
        return Err(none.hint(context.nothing_begun()));
    }
    let mut sites = vec![(Site::own(context, &args.remote, who), all.all().len())];
    for one in named {
        let opened = one.open().await?;
        let site = Site::of(one, (args.name.as_deref(), args.note.as_deref()))?;
        sites.push((site, opened.all().len()));
        all = all.and(opened);
    }
    let done = open(context, &all, Sites::new(sites), !args.no_bell).await;
    all.close().await;
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
    let site = Site::own(context, remote, who).confirmed();
    open(context, places, Sites::new(vec![(site, places.all().len())]), true).await
}

/// Opens the inbox of these places, until somebody leaves it. The bell rings where that is wanted.
async fn open(context: &Context, places: &Places, sites: Sites<'_>, rings: bool) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    let ui = &context.ui;
    let setting = ui.form_setting().ok_or_else(|| no_screen(ui))?;
    let _turn = Turn::take(ui);
    context.goes_on("what was not answered stays open");
    let inbox = Inbox::new(places, sites.names());
    let around = Surroundings { place: sites.place(), guard: sites.guards(), reaches: sites.reaches() };
    let pane = Pane::open(&inbox, setting, around).map_err(stopped)?;
    let sites = &sites;
    let mut desk = Desk { sites, inbox: &inbox, pane };
    let following = (0..inbox.places()).map(|at| follow(&inbox, sites, at));
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

/// Follows a place for as long as the inbox is open. One of several that cannot be followed is told, and the others go on.
async fn follow(inbox: &Inbox<'_>, sites: &Sites<'_>, at: usize) -> Result<Infallible, Failure> {
    let Some(site) = sites.of(at) else { return std::future::pending().await };
    let ended = site.context.ride_out(async || inbox.follow(at).await).await;
    match ended {
        Err(failure) if inbox.has_several_places() => {
            let failure = text::sentence(&site.context.failed(failure).to_string());
            inbox.remark([format!("{} is not followed any longer: {failure}", inbox.name(at))]);
            std::future::pending().await
        }
        ended => ended,
    }
}

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

/// What an answer says.
fn in_words(ask: &Ask, answer: &Answer) -> String {
    values::action_in_words(ask, answer, " with ")
}

/// Does what is wanted at the pane.
struct Desk<'a> {
    sites: &'a Sites<'a>,
    inbox: &'a Inbox<'a>,
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
        let mut words = text::sentence(&failure.to_string());
        // That a form was left needs no command that opens it again.
        if failure.kind() != Kind::NothingChanged {
            for hint in failure.hints() {
                words = format!("{words}; {}", text::line(&hint.to_string()));
            }
        }
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
        let lines = vec![SheetLine::new("", guard, Tone::Wrong)];
        self.yes(Sheet::question("Change something there?", lines)).await?;
        site.confirm();
        Ok(())
    }

    async fn question(&mut self, key: &Key) -> Result<(Found, OpenQuestion), Failure> {
        let inbox = self.inbox;
        let reading = async {
            let found = inbox.find(&key.of_task()).await?;
            let question = found.question(Some(&key.question), Way::Supported).await?;
            Ok((found, question))
        };
        self.during("reading the question", reading).await
    }

    /// Asks the person here, again where the answer does not fit, until somebody has answered.
    async fn answer(&mut self, key: &Key) -> Result<(), Failure> {
        self.may_change(key.place).await?;
        let (found, question) = self.question(key).await?;
        let (site, mut asked) = (self.site(key.place)?, question.asked.clone());
        loop {
            self.pane.release();
            let answer = answering::ask_until_closed(site.context, &found, &question, &asked).await?;
            let answer = answer.given_by(site.who.clone());
            let mut sending = Sending::new(&found, &question, answer.clone(), Way::Supported);
            let sent = answering::send(site.context, &mut sending, true);
            match self.during("sending the answer", sent).await? {
                Delivered::Taken(receipt) => {
                    self.inbox.close(key);
                    self.pane.unmark();
                    self.pane.notice(format!(
                        "{}: {}",
                        question.asked.who,
                        in_words(&asked.ask, &receipt.answer)
                    ));
                    return Ok(());
                }
                Delivered::Refused { problem, .. } => asked.refused(&answer, problem),
            }
        }
    }

    /// One form for several questions; what is sent to whom is shown before.
    async fn answer_alike(&mut self, keys: &[Key]) -> Result<(), Failure> {
        let Some(first) = keys.first() else { return Ok(()) };
        for key in keys {
            self.may_change(key.place).await?;
        }
        let (_, question) = self.question(first).await?;
        let mut asked = question.asked;
        let alike = format!("{} questions alike; what is sent to whom is shown before", keys.len());
        asked.background.facts.insert(0, ("answers", alike));
        self.pane.release();
        let site = self.site(first.place)?;
        let answer = answering::ask(site.context, &asked).await?;
        let (count, lines) = self.to_be_sent(keys, &asked.ask, &answer);
        let title = format!("Send this to {count} questions?");
        self.yes(Sheet::question(title, lines)).await?;
        let (mut tally, sites) = (Tally::default(), self.sites);
        let by = |place: usize| {
            let who = sites.of(place).map_or_else(|| site.who.clone(), |site| site.who.clone());
            answer.clone().given_by(who)
        };
        let sending = self.inbox.answer_alike(keys, (&by, &asked.ask.kind), &mut tally);
        let sent = self.during(&format!("answering {} questions", keys.len()), sending).await;
        let said = tally.in_words("answered", "were late", "refused");
        match sent {
            Ok(()) => {
                self.pane.unmark();
                self.pane.notice(said);
            }
            Err(failure) if failure.is_signal() => return Err(failure),
            // What was sent before stays sent; the rest stays marked.
            Err(failure) => {
                let failure = site.context.failed(failure);
                self.pane.notice(format!("{}; {said}", text::sentence(&failure.to_string())));
            }
        }
        Ok(())
    }

    fn to_be_sent(&self, keys: &[Key], ask: &Ask, answer: &Answer) -> (usize, Vec<SheetLine>) {
        let mut lines = vec![SheetLine::new("  ", in_words(ask, answer), Tone::Strong), SheetLine::plain("")];
        let before = lines.len();
        let (list, has_several) = (self.inbox.list(), self.inbox.has_several_places());
        lines.extend(keys.iter().filter_map(|key| list.get(key)).map(|question| {
            let id = text::line(text::short_id(&question.key.task));
            let place = if has_several { question.source.as_str() } else { "" };
            let whose = [question.tool.as_str(), place, &question.session, &question.message];
            let whose: Vec<&str> = whose.into_iter().filter(|one| !one.is_empty()).collect();
            SheetLine::new(format!("  {id}  "), whose.join(" · "), Tone::Plain)
        }));
        (lines.len() - before, lines)
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
