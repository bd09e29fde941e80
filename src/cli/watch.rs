//! `watch`: tails events, and takes nothing away from anybody.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow;
use super::ui::{event, time};
use crate::engine::{Engine, Watch};
use crate::store::EventFilter;
use crate::task::{Cursor, Event, EventKind, SessionId, TaskId, TaskStatus};

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
    let engine = context.engine().await?;
    let task = match &args.task {
        Some(prefix) => Some(engine.resolve(prefix).await?),
        None => None,
    };
    let filter = match (&task, &args.session) {
        (Some(task), _) => EventFilter::Task(task.clone()),
        (None, Some(session)) => EventFilter::Session(session.clone()),
        (None, None) => EventFilter::All,
    };
    let (after, not_before) = begin(&engine, &args.since).await?;
    let printer = Printer { context, args: &args, not_before };
    if args.no_follow {
        return printer.past(&engine, &filter, after).await;
    }
    // The tail begins first: what happens from now on is not missed, whatever the past holds.
    let watch = engine.watch(filter, after).await?;
    printer.follow(watch, task.as_ref()).await
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
            for event in &page {
                if self.print(event)? {
                    return Ok(());
                }
                after = event.cursor;
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn follow(&self, mut watch: Watch, task: Option<&TaskId>) -> Result<(), Failure> {
        self.greet();
        loop {
            let event = watch.next().await?;
            if self.print(&event)? {
                return Ok(());
            }
            if task.is_some() && event.kind.is_end() {
                return self.never(&event);
            }
        }
    }

    fn greet(&self) {
        if self.context.ui.may_animate() {
            let paint = self.context.ui.talk_paint();
            self.context.ui.talk(&paint.dim("watching; Ctrl-C ends it and changes nothing"));
        }
    }

    /// The task ended, and what was waited for did not come.
    fn never(&self, event: &Event) -> Result<(), Failure> {
        match &self.args.until {
            None => Ok(()),
            Some(wanted) => Err(Failure::new(
                Kind::NothingChanged,
                format!("task {} ended ({}) before it was {wanted}", event.task, event.kind.name()),
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
