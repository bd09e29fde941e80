//! `watch`: tails events, and takes nothing away from anybody.

mod reset;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::store::gone_or;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::since::Since;
use super::ui::{Piece, event, page, text};
use crate::desk::asked::OpenQuestion;
use crate::desk::facts::passed_over;
use crate::desk::place::{Found, Place};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::watch::{Open, Seen, Watching, What};
use crate::engine::{Engine, Viewer, Watch, Watched};
use crate::store::EventFilter;
use crate::task::{Cursor, Event, EventKind, SessionId, Task, TaskStatus};
use reset::Known;

/// Events that are read at once where nothing is followed.
const PAGE: usize = 500;

/// How often it is looked whether somebody has begun a store.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tail events: one session's, one task's, or all, from the log's start
///
/// Reading takes nothing away: several watchers see the same. A line that needs an answer says which command
/// gives it.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct WatchArgs {
    /// Only this session's events
    #[arg(add = super::complete::sessions())]
    session: Option<SessionId>,
    /// Only this task's events: its id, or its beginning; ends when the task does
    #[arg(long, value_name = "TASK", conflicts_with = "session", allow_hyphen_values = true)]
    #[arg(value_parser = super::task_id::typed)]
    #[arg(add = super::complete::tasks())]
    task: Option<String>,
    /// Begin here: `start`, `now`, a time ago such as 10m, a time in RFC 3339, or after a cursor from --json
    #[arg(long, value_name = "WHEN", default_value = "start")]
    since: Since,
    /// Only events that leave their task in this status, for example input_required
    #[arg(long, value_name = "STATUS", add = super::complete::statuses())]
    status: Option<TaskStatus>,
    /// Go on with new events (this is the default)
    #[arg(short, long, conflicts_with = "no_follow")]
    follow: bool,
    /// Stop after the events that there are
    #[arg(long)]
    no_follow: bool,
    /// Stop after the first event of this kind, or `end` for any that ends a task
    #[arg(long, value_name = "EVENT", value_parser = UNTIL)]
    until: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// What `--until` takes: the events' names, and `end`.
const UNTIL: [&str; 12] = [
    "submitted",
    "claimed",
    "progress",
    "asked",
    "answered",
    "completed",
    "failed",
    "cancelled",
    "requeued",
    "expired",
    "noted",
    "end",
];

pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let waits = !args.no_follow;
    places::at(context, &args.remote, waits, async |places| match &args.task {
        Some(prefix) => {
            let found = places::find(context, places, prefix, waits).await?;
            watch(context, &args, places, What::Task(found)).await
        }
        None if places.is_empty() && waits => {
            let begun = begun(context, &args.remote).await?;
            watch(context, &args, &begun, args.what()).await
        }
        None => {
            places::tell_unsearched(context, places);
            places.refuse_task(args.session.as_ref()).await?;
            watch(context, &args, places, args.what()).await
        }
    })
    .await
}

/// The places as soon as somebody has begun a store there.
pub(super) async fn begun(context: &Context, remote: &RemoteArgs) -> Result<Places, Failure> {
    context.ui.talk(&format!("{}; watching for its first task", context.nothing_begun()));
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let places = context.ride_out(async || places::open(context, remote, true).await).await?;
        if !places.is_empty() {
            return Ok(places);
        }
    }
}

impl WatchArgs {
    fn what(&self) -> What {
        self.session.clone().map_or(What::All, What::Session)
    }
}

/// Watches our own tasks and those of the other places.
async fn watch(context: &Context, args: &WatchArgs, places: &Places, what: What) -> Result<(), Failure> {
    // The tails begin first: what happens from now on is not missed, whatever the past holds.
    let others = if args.no_follow {
        Watching::default()
    } else {
        Watching::begin(places, &what, &mut |words| context.ui.warn(&words)).await?
    };
    let mut printer = Printer { context, args, not_before: None, open: None };
    let Some((engine, filter)) = log_of(places, &what) else {
        if args.no_follow {
            context.ui.talk(&no_log(context, places));
            return printer.came(false);
        }
        return printer.follow(None, others).await;
    };
    let (after, not_before) = args.since.begin(&engine).await?;
    (printer.not_before, printer.open) = (not_before, Some(Open::begin(&engine, &filter).await?));
    if args.no_follow {
        return printer.came(printer.past(&engine, &filter, after).await?);
    }
    printer.follow(Some((engine, filter, after)), others).await
}

/// Our own log, and what is wanted of it.
fn log_of(places: &Places, what: &What) -> Option<(Engine, EventFilter)> {
    let own = places.all().iter().find_map(|place| match place {
        Place::Store(engine) => Some(engine.clone()),
        Place::Fastmcp(_) | Place::Server(_) => None,
    });
    match what {
        What::All => Some((own?, EventFilter::All)),
        What::Session(session) => Some((own?, EventFilter::Session(session.clone()))),
        What::Task(Found::Store(engine, id)) => Some((engine.clone(), EventFilter::Task(id.clone()))),
        What::Task(Found::Fastmcp(..) | Found::Server(..)) => None,
    }
}

/// Why there is nothing to print where nothing is followed.
fn no_log(context: &Context, places: &Places) -> String {
    let list = Advice::command(Suggested::new("list"), "shows what is");
    let why = match places.all().first() {
        None => return format!("no events; {}", context.nothing_begun()),
        Some(Place::Server(_)) => "a server shows no log of what has been; ",
        Some(Place::Fastmcp(_) | Place::Store(_)) => "FastMCP keeps no log of what has been; ",
    };
    context.advise(list.after(why))
}

/// Prints what is wanted of the log.
struct Printer<'a> {
    context: &'a Context,
    args: &'a WatchArgs,
    not_before: Option<Timestamp>,
    /// Which questions of the log are still open.
    open: Option<Open>,
}

/// What there is to print next.
enum Next {
    Ours(Event),
    /// Our own log is another one from here on.
    Reset,
    Theirs(Box<Seen>),
    /// The one task that is watched has ended, or is gone.
    Over(Result<Task, Failure>),
}

impl Printer<'_> {
    /// Prints what the log has after a place; whether the event that is waited for was among it.
    async fn past(&self, engine: &Engine, filter: &EventFilter, after: Cursor) -> Result<bool, Failure> {
        let (mut after, mut warned) = (Some(after), !self.args.no_follow);
        while let Some(cursor) = after {
            let page = engine.store().history(filter, cursor, PAGE).await?;
            for event in &page.events {
                if self.ours(event, &Seen::of_event(event)).await? {
                    return Ok(true);
                }
            }
            if let Some(first) = page.unreadable.first().filter(|_| !warned) {
                self.context.ui.warn(&passed_over(first));
                warned = true;
            }
            after = page.next;
        }
        Ok(false)
    }

    async fn follow(
        &self,
        ours: Option<(Engine, EventFilter, Cursor)>,
        mut others: Watching,
    ) -> Result<(), Failure> {
        self.greet();
        if self.args.since == Since::Start {
            for event in others.open_questions() {
                if self.other(&event)? {
                    return Ok(());
                }
            }
        }
        let (mut log, mut after) = match &ours {
            Some((engine, filter, after)) => (Some(engine.watch(filter.clone(), *after).await?), *after),
            None => (None, Cursor::START),
        };
        let mut known = self.known(ours.as_ref()).await?;
        let over = over(ours.as_ref());
        tokio::pin!(over);
        loop {
            let seen = tokio::select! {
                biased;
                event = next(&mut log) => event?,
                event = others.next() => Next::Theirs(Box::new(event?)),
                over = &mut over => Next::Over(over),
            };
            let is_last = match seen {
                Next::Ours(event) => {
                    after = event.cursor;
                    known.take_note(&event);
                    let seen = Seen::of_event(&event);
                    self.ours(&event, &seen).await? || self.is_end(&seen)?
                }
                Next::Reset => {
                    reset::tell(self.context)?;
                    known.lost().await.map(|()| false)?
                }
                Next::Theirs(seen) => self.other(&seen)?,
                Next::Over(over) => return self.over(ours.as_ref(), after, over).await,
            };
            if is_last {
                return Ok(());
            }
        }
    }

    /// The tasks that what is waited for may come from.
    async fn known(&self, ours: Option<&(Engine, EventFilter, Cursor)>) -> Result<Known, Failure> {
        match ours.filter(|_| self.args.until.is_some()) {
            Some((engine, filter, _)) => Known::begin(engine, filter).await,
            None => Ok(Known::default()),
        }
    }

    /// Whether the one task that is watched has ended with that event; a failure where it ended before what was waited
    /// for.
    fn is_end(&self, seen: &Seen) -> Result<bool, Failure> {
        if !seen.is_end || self.args.task.is_none() {
            return Ok(false);
        }
        self.never(&seen.task, seen.name).map(|()| true)
    }

    /// The one task is over: its last events may still be on their way here.
    async fn over(
        &self,
        ours: Option<&(Engine, EventFilter, Cursor)>,
        after: Cursor,
        over: Result<Task, Failure>,
    ) -> Result<(), Failure> {
        let Some((engine, filter, _)) = ours else { return Ok(()) };
        if self.past(engine, filter, after).await? {
            return Ok(());
        }
        match over {
            Ok(task) => self.never(task.id().as_str(), task.status.as_str()),
            Err(failure) if failure.kind() == Kind::Cancelled => {
                self.never(self.args.task.as_deref().unwrap_or_default(), "expired")
            }
            Err(failure) => Err(failure),
        }
    }

    /// Takes an event of another place; whether it was the last one.
    fn other(&self, seen: &Seen) -> Result<bool, Failure> {
        Ok(self.print(seen, true)? || self.is_end(seen)?)
    }

    /// Prints an event of our own log if it is wanted; whether it was the last one.
    async fn ours(&self, event: &Event, seen: &Seen) -> Result<bool, Failure> {
        if event.hidden || self.not_before.is_some_and(|at| event.at < at) {
            return Ok(false);
        }
        let is_open = match (&event.kind, &self.open) {
            (EventKind::Asked { question }, Some(open)) if !self.context.ui.is_json() => {
                open.has(event, &question.id).await
            }
            _ => false,
        };
        self.print(seen, is_open)
    }

    /// Prints an event if its status is wanted; whether it was the last one.
    fn print(&self, seen: &Seen, is_open: bool) -> Result<bool, Failure> {
        if self.args.status.is_some_and(|status| status != seen.status) {
            return Ok(false);
        }
        let ui = &self.context.ui;
        if ui.is_json() {
            ui.object(&seen.object)?;
        } else {
            event::print(ui, "", seen, Timestamp::now())?;
            if let Some(question) = &seen.question {
                self.print_question(question, is_open)?;
            }
        }
        let wanted = self.args.until.as_deref();
        Ok(wanted.is_some_and(|wanted| wanted == seen.name || (wanted == "end" && seen.is_end)))
    }

    /// The page that it asks to visit, and what it takes to answer it as long as it is open.
    fn print_question(&self, question: &OpenQuestion, is_open: bool) -> Result<(), Failure> {
        let ui = &self.context.ui;
        let lead = |words: &str| format!("          {} ", ui.paint().yellow(words));
        if let Some(url) = page::of(&question.asked.ask) {
            ui.line_after(&lead("→ page:"), &[Piece::Words(page::within(url))])?;
        }
        let Some(command) = question.asked.later.clone().filter(|_| is_open) else { return Ok(()) };
        ui.line_after(&lead("→ answer with:"), &[self.context.command(command)])
    }

    fn greet(&self) {
        if self.context.ui.may_animate() {
            let paint = self.context.ui.talk_paint();
            self.context.ui.talk(&paint.dim("watching; Ctrl-C ends it and changes nothing"));
        }
    }

    /// The log ended; a failure where what was waited for was not in it.
    fn came(&self, came: bool) -> Result<(), Failure> {
        let Some(wanted) = self.args.until.as_deref().filter(|_| !came) else { return Ok(()) };
        let message = format!("no event until now is {wanted:?}, and no new ones are waited for");
        Err(Failure::new(Kind::NothingChanged, message))
    }

    /// The task ended, and what was waited for did not come.
    fn never(&self, task: &str, how: &str) -> Result<(), Failure> {
        match &self.args.until {
            None => Ok(()),
            Some(wanted) => Err(Failure::new(
                Kind::NothingChanged,
                format!("task {} ended ({how}) before it was {wanted}", text::line(task)),
            )),
        }
    }
}

/// The end of the one task that is watched, also where it had ended before; never, where all are watched.
async fn over(ours: Option<&(Engine, EventFilter, Cursor)>) -> Result<Task, Failure> {
    let Some((engine, EventFilter::Task(id), _)) = ours else { return std::future::pending().await };
    let begun = engine.get_patiently(&Viewer::Operator, id).await?;
    let ended = engine.wait(&Viewer::Operator, id, |task| task.status.is_final()).await;
    ended.map_err(|error| gone_or(&begun, error))
}

/// The next event of our own; never, where there are none.
async fn next(log: &mut Option<Watch>) -> Result<Next, Failure> {
    match log {
        Some(watch) => Ok(match watch.next_or_reset().await? {
            Watched::Event(event) => Next::Ours(*event),
            Watched::Reset => Next::Reset,
        }),
        None => std::future::pending().await,
    }
}
