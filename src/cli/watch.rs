//! `watch`: tails events, and takes nothing away from anybody.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::fastmcp::{self, Follower, Found, Sources};
use super::follow;
use super::ui::{event, text, time};
use crate::engine::{Engine, Watch};
use crate::fastmcp::{DeployedEvent, Deployment, Filter};
use crate::store::EventFilter;
use crate::task::{Cursor, Event, EventKind, SessionId, TaskStatus};

/// Events that are read at once where nothing is followed.
const PAGE: usize = 500;

/// Tail events: one session's, one task's, or all, from the log's start
///
/// Reading takes nothing away: several watchers see the same. A line that needs an answer says which command
/// gives it.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct WatchArgs {
    /// Only this session's events
    session: Option<SessionId>,
    /// Only this task's events: its id, or its beginning; ends when the task does
    #[arg(long, value_name = "TASK", conflicts_with = "session", add = super::complete::tasks())]
    task: Option<String>,
    /// Begin here: `start`, `now`, a time ago such as 10m, a time in RFC 3339, or after a cursor from --json
    #[arg(long, value_name = "WHEN", default_value = "start", value_parser = since)]
    since: Since,
    /// Only events that leave their task in this status, for example input_required
    #[arg(long, value_name = "STATUS")]
    status: Option<TaskStatus>,
    /// Go on with new events (this is the default)
    #[arg(short, long, overrides_with = "no_follow")]
    follow: bool,
    /// Stop after the events that there are
    #[arg(long)]
    no_follow: bool,
    /// Stop after the first event of this kind, or `end` for any that ends a task
    #[arg(long, value_name = "EVENT", value_parser = UNTIL)]
    until: Option<String>,
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

/// Where to begin.
#[derive(Debug, Clone, PartialEq)]
enum Since {
    Start,
    Now,
    After(Cursor),
    Time(Timestamp),
    Ago(Duration),
}

fn since(text: &str) -> Result<Since, String> {
    match text {
        "start" => return Ok(Since::Start),
        "now" => return Ok(Since::Now),
        _ => {}
    }
    if let Ok(cursor) = text.parse() {
        return Ok(Since::After(cursor));
    }
    if let Ok(at) = text.parse() {
        return Ok(Since::Time(at));
    }
    let wrong = "not start, now, a time ago such as 10m, a time in RFC 3339, or a cursor such as 0-12";
    time::duration(text).map(Since::Ago).map_err(|_| format!("{text:?} is {wrong}"))
}

pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let sources = Sources::open(context).await?;
    let Some(prefix) = &args.task else {
        let (ours, theirs) = match &args.session {
            Some(session) => (EventFilter::Session(session.clone()), Filter::Session(session.to_string())),
            None => (EventFilter::All, Filter::All),
        };
        sources.tell(context);
        let Sources { native, deployments, .. } = sources;
        return watch(context, &args, native.map(|engine| (engine, ours)), &deployments, &theirs).await;
    };
    match sources.find(prefix).await? {
        Found::Native(engine, id) => {
            let ours = (engine, EventFilter::Task(id));
            watch(context, &args, Some(ours), &[], &Filter::All).await
        }
        Found::Deployed(deployment, task) => {
            watch(context, &args, None, &[deployment], &Filter::Task(task.id)).await
        }
    }
}

/// Watches our own tasks and those of the deployments.
async fn watch(
    context: &Context,
    args: &WatchArgs,
    ours: Option<(Engine, EventFilter)>,
    deployments: &[Deployment],
    theirs: &Filter,
) -> Result<(), Failure> {
    // The tails begin first: what happens from now on is not missed, whatever the past holds.
    let follower = if args.no_follow {
        Follower::default()
    } else {
        Follower::start(context, deployments, theirs).await?
    };
    let mut printer = Printer { context, args, not_before: None };
    let Some((engine, filter)) = ours else {
        if args.no_follow {
            context.ui.talk("FastMCP keeps no log of what has been; `mcptask list` shows what is");
            return Ok(());
        }
        return printer.follow(None, follower).await;
    };
    let (after, not_before) = begin(&engine, &args.since).await?;
    printer.not_before = not_before;
    if args.no_follow {
        return printer.past(&engine, &filter, after).await;
    }
    printer.follow(Some(engine.watch(filter, after).await?), follower).await
}

/// The cursor to read after, and the time before which nothing is shown.
async fn begin(engine: &Engine, since: &Since) -> Result<(Cursor, Option<Timestamp>), Failure> {
    Ok(match since {
        Since::Start => (Cursor::START, None),
        Since::Now => (engine.store().last().await?, None),
        Since::After(cursor) => (*cursor, None),
        Since::Time(at) => (Cursor::START, Some(*at)),
        Since::Ago(ago) => {
            let at =
                Timestamp::now().checked_sub(*ago).map_err(|_| Failure::usage("--since is too long ago"))?;
            (Cursor::START, Some(at))
        }
    })
}

/// Prints what is wanted of the log.
struct Printer<'a> {
    context: &'a Context,
    args: &'a WatchArgs,
    not_before: Option<Timestamp>,
}

impl Printer<'_> {
    async fn past(&self, engine: &Engine, filter: &EventFilter, mut after: Cursor) -> Result<(), Failure> {
        loop {
            let page = engine.store().history(filter, after, PAGE).await?;
            for event in &page.events {
                if self.print(event)? {
                    return Ok(());
                }
                after = event.cursor;
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    async fn follow(&self, mut watch: Option<Watch>, mut follower: Follower) -> Result<(), Failure> {
        self.greet();
        if self.args.since == Since::Start {
            for event in follower.open_questions() {
                if self.print_deployed(&event)? {
                    return Ok(());
                }
            }
        }
        let is_one = self.args.task.is_some();
        loop {
            let (wanted, ended) = tokio::select! {
                event = next(&mut watch) => {
                    let event = event?;
                    (self.print(&event)?, event.kind.is_end().then(|| (event.task.to_string(), event.kind.name())))
                }
                event = follower.next() => {
                    let event = event?;
                    (self.print_deployed(&event)?, event.kind.is_end().then(|| (event.task.clone(), event.kind.name())))
                }
            };
            match ended {
                _ if wanted => return Ok(()),
                Some((task, how)) if is_one => return self.never(&task, how),
                _ => {}
            }
        }
    }

    /// Prints an event of FastMCP's if it is wanted; whether it was the last one.
    fn print_deployed(&self, event: &DeployedEvent) -> Result<bool, Failure> {
        if self.args.status.is_some_and(|status| status != event.status) {
            return Ok(false);
        }
        fastmcp::print(self.context, event)?;
        let wanted = self.args.until.as_deref();
        Ok(wanted
            .is_some_and(|wanted| wanted == event.kind.name() || (wanted == "end" && event.kind.is_end())))
    }

    fn greet(&self) {
        if self.context.ui.may_animate() {
            let paint = self.context.ui.talk_paint();
            self.context.ui.talk(&paint.dim("watching; Ctrl-C ends it and changes nothing"));
        }
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

    /// Prints the event if it is wanted; whether it was the last one.
    fn print(&self, event: &Event) -> Result<bool, Failure> {
        let wanted = !event.hidden
            && self.not_before.is_none_or(|at| event.at >= at)
            && self.args.status.is_none_or(|status| status == event.status);
        if !wanted {
            return Ok(false);
        }
        let ui = &self.context.ui;
        if ui.is_json() {
            ui.object(event)?;
        } else {
            ui.line(&event::line(event, Timestamp::now(), ui.paint()))?;
            if let EventKind::Asked { question } = &event.kind {
                let shown = follow::later(&self.context.config, &event.task, question);
                ui.line(&format!("          {} {}", ui.paint().yellow("→ answer with:"), shown))?;
            }
        }
        Ok(self.args.until.as_deref().is_some_and(|wanted| reached(wanted, &event.kind)))
    }
}

/// The next event of our own; never, where there are none.
async fn next(watch: &mut Option<Watch>) -> Result<Event, Failure> {
    match watch {
        Some(watch) => Ok(watch.next().await?),
        None => std::future::pending().await,
    }
}

fn reached(wanted: &str, kind: &EventKind) -> bool {
    if wanted == "end" { kind.is_end() } else { wanted == kind.name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_reads_places_and_times() {
        assert_eq!(since("start"), Ok(Since::Start));
        assert_eq!(since("5-12"), Ok(Since::After(Cursor { millis: 5, sequence: 12 })));
        assert_eq!(since("10m"), Ok(Since::Ago(Duration::from_secs(600))));
        assert!(matches!(since("2026-05-01T10:00:00Z"), Ok(Since::Time(_))));
        assert!(since("yesterday").is_err());
    }
}
