//! `watch`: tails events, and takes nothing away from anybody.

mod hook;
mod printer;
mod reset;
mod webhook;

use std::num::NonZeroU16;
use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::outcome;
use super::places;
use super::remote::RemoteArgs;
use super::since::Since;
use super::ui::{text, time};
use crate::desk::facts::{Fact, Facts};
use crate::desk::place::{Found, Place};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::watch::last::{self, begin_of_last};
use crate::desk::watch::{NAMES, Through, Wanted, Watching, What};
use crate::engine::Engine;
use crate::store::EventFilter;
use crate::task::{Cursor, SessionId, TaskStatus};
use hook::{Hook, Hooks, Manner};
use printer::{Printer, Wish};
use webhook::Webhook;

/// How often it is looked whether somebody has begun a store.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a command of --exec finds in its environment, for the help.
const AFTERWORD: &str = "\
Variables of a command of --exec, empty where there is nothing to say; the whole event is on its stdin, as JSON:
  MCPTASK_EVENT                                        the event's name
  MCPTASK_EVENT_AT, _TASK, _TOOL, _STATUS, _SOURCE, _SESSION
  MCPTASK_EVENT_QUESTION, _MESSAGE, _URL               what was asked; _MESSAGE also why a task failed
  MCPTASK_EVENT_ACTION, _BY, _WHO                      what was answered, and by whom
The command reaches the same store, or the server of --profile: `mcptask show \"$MCPTASK_EVENT_TASK\"` shows the task.
Where --server or --stdio names a server, the command has to name it too.";

/// Tail events: one session's, one task's, or all, from the log's start
///
/// Reading takes nothing away: several watchers see the same. A line that needs an answer says which command
/// gives it.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own on the command line")]
#[command(after_long_help = AFTERWORD)]
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
    /// [default: start; with --exec or --webhook now]
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    /// Begin with the last N events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=last::MOST))]
    tail: Option<u64>,
    /// Only events that leave their task in this status, for example input_required
    #[arg(long, value_name = "STATUS", add = super::complete::statuses())]
    status: Option<TaskStatus>,
    /// Only events of this kind, or `end` for any that ends a task; may be given several times
    #[arg(long, value_name = "EVENT", value_delimiter = ',', value_parser = NAMES)]
    event: Vec<String>,
    /// Go on with new events (this is the default)
    #[arg(short, long, conflicts_with = "no_follow")]
    follow: bool,
    /// Stop after the events that there are
    #[arg(long)]
    no_follow: bool,
    /// Stop after the first event of this kind, or `end` for any that ends a task
    #[arg(long, value_name = "EVENT", value_parser = NAMES)]
    until: Option<String>,
    /// When the task has ended, exit as `result` does; SESSION is then a task's id
    #[arg(long, conflicts_with_all = ["no_follow", "until"])]
    exit_status: bool,
    /// Run this command in a shell for each event that is printed, one after the other
    ///
    /// What the event says is in variables of the environment and on stdin, never in the command's text: quote the
    /// variables. It has no terminal. One that fails is told of, and watching goes on.
    #[arg(long, value_name = "COMMAND", value_hint = clap::ValueHint::CommandString, value_parser = command)]
    exec: Option<String>,
    /// Run so many commands of --exec at once; those of one task in the order of its events
    #[arg(long, value_name = "N", requires = "exec", default_value = "1")]
    parallel: NonZeroU16,
    /// Stop a command of --exec that takes longer, with all that it has started
    #[arg(long, value_name = "DURATION", requires = "exec", default_value = "60s", value_parser = time::duration)]
    exec_timeout: Duration,
    /// Post each event that is printed to this webhook, one after the other, as the notifiers of `serve` do
    ///
    /// Only as long as this command runs: what cannot be delivered within some seconds is told of here, and not sent again.
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    webhook: Option<String>,
    /// The variable of the environment whose value signs what is posted, as Standard Webhooks says
    #[arg(long, value_name = "NAME", requires = "webhook")]
    secret_env: Option<String>,
    /// Ring the terminal's bell at each new question; with --event at each such event
    #[arg(long)]
    bell: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// Reads a command. An unset variable of a script is an empty one, which would do nothing for each event.
fn command(line: &str) -> Result<String, String> {
    if line.trim().is_empty() {
        return Err("the command is empty: in a script, is a variable unset?".to_owned());
    }
    Ok(line.to_owned())
}

pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let waits = !args.no_follow;
    let task = args.task()?;
    places::at(context, &args.remote, waits, async |places| match &task {
        Some(prefix) => {
            let found = places::find(context, places, prefix, waits).await?;
            watch(context, &args, places, What::Task(found.clone())).await?;
            if args.exit_status { ended(&found).await } else { Ok(()) }
        }
        None if places.is_empty() && waits => {
            let begun = begun(context, &args.remote).await?;
            watch(context, &args, &begun, args.what()).await
        }
        None => {
            places.refuse_taskless()?;
            places::tell_unsearched(context, places);
            places.refuse_task(args.session.as_ref()).await?;
            watch(context, &args, places, args.what()).await
        }
    })
    .await
}

/// Fails as the task did that has just ended.
async fn ended(found: &Found) -> Result<(), Failure> {
    match found.ending(true).await {
        Ok(ending) => outcome::fails((found.source(), found.id()), &ending),
        // It was there when the watching began.
        Err(failure) if failure.kind() == Kind::NotFound => {
            let gone = format!("task {} is deleted: its ttl ended, or it was pruned", text::line(found.id()));
            Err(Failure::new(Kind::Cancelled, gone))
        }
        Err(failure) => Err(failure),
    }
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

    /// The task that is named, if one is.
    fn task(&self) -> Result<Option<String>, Failure> {
        match (&self.task, &self.session) {
            (Some(task), _) => Ok(Some(task.clone())),
            (None, Some(task)) if self.exit_status => Ok(Some(task.to_string())),
            (None, None) if self.exit_status => {
                Err(Failure::usage("--exit-status is of one task: name it with --task"))
            }
            (None, _) => Ok(None),
        }
    }

    /// Where reading begins. A command is not run for all that has ever been, unless that is said.
    fn since(&self) -> Since {
        let usual = if (self.exec.is_some() || self.webhook.is_some()) && !self.no_follow {
            Since::Now
        } else {
            Since::Start
        };
        self.since.clone().unwrap_or(usual)
    }

    /// How many of the last events are wanted, where that is said.
    fn tail(&self) -> Option<usize> {
        self.tail.map(|tail| usize::try_from(tail).unwrap_or(usize::MAX))
    }

    /// What is done for each event beside printing it.
    fn hooks(&self, context: &Context) -> Result<Hooks, Failure> {
        let (most, limit) = (usize::from(self.parallel.get()), self.exec_timeout);
        let exec = self.exec.as_ref().map(|command| {
            let manner = Manner { command, most, limit };
            Hook::new(context, &self.remote, &manner)
        });
        let webhook =
            self.webhook.as_ref().map(|url| Webhook::begin(context, url, self.secret_env.as_deref()));
        Ok(Hooks { exec, webhook: webhook.transpose()? })
    }

    fn wanted(&self) -> Wanted {
        Wanted { status: self.status, events: self.event.clone() }
    }

    /// What of a server brings all that is wanted.
    fn through(&self) -> Through {
        Through::of(&self.wanted(), self.until.as_deref())
    }

    fn wish(&self) -> Result<Wish, Failure> {
        // They are as old as the log's start, where there is one.
        let open_questions = if self.since() == Since::Start { usize::MAX } else { 0 };
        Ok(Wish {
            wanted: self.wanted(),
            until: self.until.clone(),
            follows: !self.no_follow,
            task: self.task()?,
            open_questions: self.tail().unwrap_or(open_questions),
            bell: self.bell,
        })
    }
}

/// Watches our own tasks and those of the other places.
async fn watch(context: &Context, args: &WatchArgs, places: &Places, what: What) -> Result<(), Failure> {
    // The tails begin first: what happens from now on is not missed, whatever the past holds.
    let others = if args.no_follow {
        Watching::default()
    } else {
        Watching::begin(places, &what, args.through(), &mut |words| context.ui.warn(&words)).await?
    };
    let hooks = args.hooks(context)?;
    let wish = args.wish()?;
    let wanted = wish.wanted.clone();
    let mut printer = Printer::new(context, wish, hooks);
    let Some((engine, filter)) = log_of(places, &what) else {
        if args.no_follow {
            context.ui.talk(&no_log(context, places));
            return printer.came(false);
        }
        return printer.follow(None, others).await;
    };
    let (mut after, not_before) = args.since().begin(&engine).await?;
    if let Some(count) = args.tail() {
        after = begin_of_last(&engine, &filter, (after, not_before), count, &wanted).await?;
    }
    printer.on(&engine, &filter, not_before).await?;
    if args.no_follow {
        return printer.read((engine, filter, after)).await;
    }
    printer.follow(Some((engine, filter, after)), others).await
}

/// Shows what is known of a task with `show`, then goes on with what happens to it until it ends.
pub(crate) async fn after_facts(
    context: &Context,
    places: &Places,
    found: &Found,
    show: impl AsyncFnOnce() -> Result<Facts, Failure>,
) -> Result<(), Failure> {
    let what = What::Task(found.clone());
    let others = Watching::begin(places, &what, Through::Tasks, &mut |words| context.ui.warn(&words)).await?;
    let facts = show().await?;
    let wish = Wish { follows: true, task: Some(found.id().to_owned()), ..Wish::default() };
    let mut printer = Printer::new(context, wish, Hooks::default());
    let Some((engine, filter)) = log_of(places, &what) else { return printer.follow(None, others).await };
    printer.on(&engine, &filter, None).await?;
    printer.follow(Some((engine, filter, end_of(&facts))), others).await
}

/// The last event that was shown among the facts.
fn end_of(facts: &Facts) -> Cursor {
    let last = facts.lines.iter().rev().find_map(|fact| match fact {
        Fact::Event(seen) => seen.object["cursor"].as_str()?.parse().ok(),
        _ => None,
    });
    last.unwrap_or(Cursor::START)
}

/// Our own log, and what is wanted of it.
fn log_of(places: &Places, what: &What) -> Option<(Engine, EventFilter)> {
    let own = places.own().map(|(_, engine)| engine.clone());
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
