//! `inbox`: every question that waits, live, on the whole screen.

use clap::Args;
use futures::future::{FutureExt as _, LocalBoxFuture};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::ui::prompt::Turn;
use super::ui::text;
use super::{answering, places, who};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::asked::OpenQuestion;
use crate::desk::bulk::Tally;
use crate::desk::inbox::{Inbox, Key};
use crate::desk::place::{BY_OPERATOR, Found};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::values;
use crate::fastmcp::Way;
use crate::task::{Answer, Ask, Who};
use crate::tui::Stopped;
use crate::tui::inbox::{Pane, Sheet, SheetLine, Tone, Wish, announce, facts, overview};

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
    /// Ring no bell when a question comes
    #[arg(long)]
    no_bell: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: InboxArgs) -> Result<(), Failure> {
    let who = who::given(context, args.name.as_deref(), args.note.as_deref())?;
    if !context.ui.may_draw() {
        return Err(no_screen());
    }
    // A store that goes away meanwhile is waited for; one that is not there is told at once.
    context.rides_out_outages();
    let work = async |places: &Places| {
        if places.is_empty() {
            let none = Failure::new(Kind::NotFound, "there are no questions here");
            return Err(none.hint(context.nothing_begun()));
        }
        let guard = (context.guard(&args.remote), context.config.yes);
        open(context, places, guard, (who, !args.no_bell)).await
    };
    places::at(context, &args.remote, false, work).await
}

fn no_screen() -> Failure {
    let problem = "the inbox needs a terminal with a screen, and somebody who looks at it: there is none, or --json, \
                   --no-input or CI is set";
    let list = Suggested::new("list").flag("--waiting").flag("--json");
    let next = Suggested::new("respond").flag("--next");
    Failure::new(Kind::NeedsInput, problem)
        .hint(Advice::command(list, "lists the same; ").and_command(next, "answers the oldest"))
}

/// Opens the inbox of these places, until somebody leaves it. `guard` is said wherever something is changed, and asked once
/// before, unless somebody has confirmed it already. The bell rings where that is wanted.
pub(super) async fn open(
    context: &Context,
    places: &Places,
    (guard, is_confirmed): (Option<String>, bool),
    (who, rings): (Who, bool),
) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    let ui = &context.ui;
    let setting = ui.form_setting().ok_or_else(no_screen)?;
    let _turn = Turn::take(ui);
    context.goes_on("what was not answered stays open");
    let inbox = Inbox::new(places);
    let pane = Pane::open(&inbox, setting, context.config.place(), guard).map_err(stopped)?;
    let mut desk = Desk { context, places, inbox: &inbox, pane, who, is_confirmed };
    let followed = Box::pin(context.ride_out(async || inbox.follow().await));
    let rings = rings && !ui.is_quiet();
    tokio::select! {
        biased;
        done = Box::pin(desk.serve()) => done,
        ended = followed => ended.map(|never| match never {}),
        never = announce(&inbox, (ui.has_title(), rings)) => match never {},
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
    context: &'a Context,
    places: &'a Places,
    inbox: &'a Inbox<'a>,
    pane: Pane<'a>,
    who: Who,
    /// Whether somebody has said that things may be changed here, where the profile wants that.
    is_confirmed: bool,
}

impl Desk<'_> {
    async fn serve(&mut self) -> Result<(), Failure> {
        loop {
            let done = match self.pane.wish().await.map_err(stopped)? {
                Wish::Leave => return Ok(()),
                Wish::Answer(key) => Box::pin(self.answer(&key)).await,
                Wish::AnswerAlike(keys) => Box::pin(self.answer_alike(&keys)).await,
                Wish::Show(key) => Box::pin(self.show(&key)).await,
                Wish::Cancel(key) => Box::pin(self.cancel(&key)).await,
                Wish::Refresh => Box::pin(self.refresh()).await,
            };
            match done {
                Err(failure) if failure.is_signal() => return Err(failure),
                Err(failure) => self.tell(failure),
                Ok(()) => {}
            }
        }
    }

    /// Says what went wrong, and what helps; the inbox goes on.
    fn tell(&mut self, failure: Failure) {
        let failure = self.context.failed(failure);
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

    /// Asks once whether anything may be changed, where the profile wants that.
    async fn may_change(&mut self) -> Result<(), Failure> {
        let Some(guard) = self.pane.guard().filter(|_| !self.is_confirmed) else { return Ok(()) };
        let lines = vec![SheetLine::new("", guard, Tone::Wrong)];
        self.yes(Sheet::question("Change something there?", lines)).await?;
        self.is_confirmed = true;
        Ok(())
    }

    async fn question(&mut self, key: &Key) -> Result<(Found, OpenQuestion), Failure> {
        let inbox = self.inbox;
        let reading = async {
            let found = inbox.find(key).await?;
            let question = found.question(Some(&key.question), Way::Supported).await?;
            Ok((found, question))
        };
        self.during("reading the question", reading).await
    }

    /// Asks the person here, again where the answer does not fit, until somebody has answered.
    async fn answer(&mut self, key: &Key) -> Result<(), Failure> {
        self.may_change().await?;
        let (found, question) = self.question(key).await?;
        let (context, mut asked) = (self.context, question.asked.clone());
        loop {
            self.pane.release();
            let answer = answering::ask_until_closed(context, &found, &question, &asked).await?;
            let answer = answer.given_by(self.who.clone());
            let mut sending = Sending::new(&found, &question, answer.clone(), Way::Supported);
            let sent = answering::send(context, &mut sending, true);
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
        self.may_change().await?;
        let Some(first) = keys.first() else { return Ok(()) };
        let (_, question) = self.question(first).await?;
        let mut asked = question.asked;
        let alike = format!("{} questions alike; what is sent to whom is shown before", keys.len());
        asked.background.facts.insert(0, ("answers", alike));
        self.pane.release();
        let answer = answering::ask(self.context, &asked).await?.given_by(self.who.clone());
        let lines = self.to_be_sent(keys, &asked.ask, &answer);
        self.yes(Sheet::question(format!("Send this to {} questions?", keys.len()), lines)).await?;
        let (mut tally, alike) = (Tally::default(), (&answer, &asked.ask.kind));
        let sending = self.inbox.answer_alike(keys, alike, &mut tally);
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
                let failure = self.context.failed(failure);
                self.pane.notice(format!("{}; {said}", text::sentence(&failure.to_string())));
            }
        }
        Ok(())
    }

    fn to_be_sent(&self, keys: &[Key], ask: &Ask, answer: &Answer) -> Vec<SheetLine> {
        let mut lines = vec![SheetLine::new("  ", in_words(ask, answer), Tone::Strong), SheetLine::plain("")];
        let list = self.inbox.list();
        lines.extend(keys.iter().filter_map(|key| list.get(key)).map(|question| {
            let id = text::line(text::short_id(&question.key.task));
            let whose = [&question.tool, &question.session, &question.message];
            let whose: Vec<&str> =
                whose.into_iter().map(String::as_str).filter(|one| !one.is_empty()).collect();
            SheetLine::new(format!("  {id}  "), whose.join(" · "), Tone::Plain)
        }));
        lines
    }

    async fn show(&mut self, key: &Key) -> Result<(), Failure> {
        let inbox = self.inbox;
        let reading = async { inbox.find(key).await?.facts().await };
        let read = self.during("reading the task", reading).await?;
        let lines = facts::lines(&read.lines, self.context.reach());
        let title = format!("task {}", text::line(&key.task));
        self.pane.read(Sheet::new(title, lines)).await.map_err(stopped)?;
        Ok(())
    }

    async fn cancel(&mut self, key: &Key) -> Result<(), Failure> {
        self.may_change().await?;
        let (inbox, id) = (self.inbox, text::line(text::short_id(&key.task)));
        let named = inbox.list().get(key).map(|one| format!("{}: {}", one.tool, one.message));
        let lines = vec![
            SheetLine::new("  ", named.unwrap_or_default(), Tone::Strong),
            SheetLine::plain(""),
            SheetLine::new("  ", "Its work is stopped, its open questions are withdrawn.", Tone::Plain),
        ];
        self.yes(Sheet::question(format!("Cancel task {id}?"), lines)).await?;
        let cancelling = async { inbox.find(key).await?.cancel(BY_OPERATOR).await };
        let done = self.during("cancelling the task", cancelling).await?;
        inbox.close(key);
        let warning = done.warning.map(|warning| format!("; {warning}")).unwrap_or_default();
        self.pane.notice(format!("task {id} is cancelled{warning}"));
        Ok(())
    }

    async fn refresh(&mut self) -> Result<(), Failure> {
        let places = self.places;
        let read = self.during("reading the tasks", places.overview()).await?;
        self.pane.set_tasks(overview::lines(&read, self.context.reach()));
        Ok(())
    }
}
