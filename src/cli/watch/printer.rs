//! Printing what is wanted of what happens, and what is done beside it.

use jiff::Timestamp;

use super::hook::{Hook, Hooks};
use super::reset::{self, Known};
use crate::cli::context::Context;
use crate::cli::failure::store::{expired, pruned};
use crate::cli::failure::{Failure, Kind};
use crate::cli::ui::{Piece, event, page, text};
use crate::desk::asked::OpenQuestion;
use crate::desk::ending::until_final;
use crate::desk::facts::passed_over;
use crate::desk::values;
use crate::desk::watch::{END, Notice, Open, Seen, Wanted, Watching};
use crate::engine::{Engine, Watch, Watched};
use crate::store::EventFilter;
use crate::task::{Cursor, Event, Task};

/// The event of a task whose ttl ended.
const EXPIRED: &str = "expired";

/// Events that are read at once where nothing is followed.
const PAGE: usize = 500;

/// Our own log, what is wanted of it, and after which event.
pub(crate) type Log = (Engine, EventFilter, Cursor);

/// What is printed, and when that is over.
#[derive(Default)]
pub(crate) struct Wish {
    /// Which events are printed.
    pub(crate) wanted: Wanted,
    /// The event after which it is over.
    pub(crate) until: Option<String>,
    /// Whether new events are waited for.
    pub(crate) follows: bool,
    /// The one task that is watched, as it was named: with it the watching ends.
    pub(crate) task: Option<String>,
    /// How many of the questions that are open in places without a log are shown first.
    pub(crate) open_questions: usize,
    /// Whether new questions, or the events that were asked for by name, ring the terminal's bell.
    pub(crate) bell: bool,
}

/// Prints what is wanted.
pub(crate) struct Printer<'a> {
    context: &'a Context,
    wish: Wish,
    /// What is done for each event that is printed.
    hooks: Hooks,
    not_before: Option<Timestamp>,
    /// Which questions of the log are still open.
    open: Option<Open>,
}

/// What there is to print next.
enum Next {
    Ours(Watched),
    Theirs(Result<Notice, Failure>),
    /// The one task that is watched has ended, or is gone.
    Over(Result<Box<Task>, Failure>),
}

impl<'a> Printer<'a> {
    /// One that has printed nothing.
    pub(crate) fn new(context: &'a Context, wish: Wish, hooks: Hooks) -> Self {
        Self { context, wish, hooks, not_before: None, open: None }
    }

    /// Nothing of our own log that happened before that time is printed, and open questions of it are told by `open`.
    pub(crate) async fn on(
        &mut self,
        engine: &Engine,
        filter: &EventFilter,
        not_before: Option<Timestamp>,
    ) -> Result<(), Failure> {
        self.not_before = not_before;
        self.open = Some(Open::begin(engine, filter).await?);
        Ok(())
    }

    /// Prints what the log has after a place; whether the event that is waited for was among it.
    async fn past(&mut self, engine: &Engine, filter: &EventFilter, after: Cursor) -> Result<bool, Failure> {
        let (mut after, mut warned) = (Some(after), self.wish.follows);
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

    /// Prints what is wanted until it is over.
    pub(crate) async fn follow(&mut self, ours: Option<Log>, others: Watching) -> Result<(), Failure> {
        let done = self.until_over(ours, others).await;
        self.finish().await;
        done
    }

    /// Prints what is wanted of what the log has after a place, and waits for nothing.
    pub(crate) async fn read(&mut self, (engine, filter, after): Log) -> Result<(), Failure> {
        let came = self.past(&engine, &filter, after).await;
        self.finish().await;
        self.came(came?)
    }

    /// Waits for what is still run.
    async fn finish(&mut self) {
        self.hooks.finish(self.context).await;
    }

    async fn until_over(&mut self, ours: Option<Log>, mut others: Watching) -> Result<(), Failure> {
        self.greet();
        let open = others.open_questions();
        let older = open.len().saturating_sub(self.wish.open_questions);
        for (at, seen) in open.iter().enumerate() {
            let is_last = at >= older && self.print(seen, true, false).await?;
            // The one task may be over already, also where that is not printed.
            if is_last || self.is_end(seen)? {
                return Ok(());
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
                event = Watch::next_of(&mut log) => Next::Ours(event?),
                notice = others.next() => Next::Theirs(notice),
                over = &mut over => Next::Over(over.map(Box::new)),
                () = Hook::turn(&mut self.hooks.exec, self.context) => continue,
            };
            let is_last = match seen {
                Next::Ours(Watched::Event(event)) => {
                    after = event.cursor;
                    known.take_note(&event);
                    let seen = Seen::of_event(&event);
                    self.ours(&event, &seen).await? || self.is_end(&seen)?
                }
                Next::Ours(Watched::Reset) => {
                    reset::tell(self.context)?;
                    known.lost().await.map(|()| false)?
                }
                Next::Ours(Watched::Cut) => {
                    self.context
                        .ui
                        .warn("events were dropped from the log, which is full, before they were read here");
                    false
                }
                Next::Theirs(Ok(Notice::Event(seen))) => {
                    self.print(&seen, true, true).await? || self.is_end(&seen)?
                }
                Next::Theirs(Ok(Notice::Warning(words))) => {
                    self.context.ui.warn(&words);
                    false
                }
                Next::Theirs(Err(failure)) => return self.gone(failure),
                Next::Over(over) => return self.over(ours.as_ref(), after, over.map(|task| *task)).await,
            };
            if is_last {
                return Ok(());
            }
        }
    }

    /// The tasks that what is waited for may come from.
    async fn known(&self, ours: Option<&Log>) -> Result<Known, Failure> {
        match ours.filter(|_| self.wish.until.is_some()) {
            Some((engine, filter, _)) => Known::begin(engine, filter).await,
            None => Ok(Known::default()),
        }
    }

    /// Whether the one task that is watched has ended with that event; a failure where it ended before what was waited
    /// for.
    fn is_end(&self, seen: &Seen) -> Result<bool, Failure> {
        if !seen.is_end || self.wish.task.is_none() {
            return Ok(false);
        }
        if seen.name == EXPIRED {
            return Err(deleted(seen));
        }
        self.never(&seen.task, seen.name).map(|()| true)
    }

    /// The one task is over: its last events may still be on their way here.
    async fn over(
        &mut self,
        ours: Option<&Log>,
        after: Cursor,
        over: Result<Task, Failure>,
    ) -> Result<(), Failure> {
        let Some((engine, filter, _)) = ours else { return Ok(()) };
        if self.past(engine, filter, after).await? {
            return Ok(());
        }
        match over {
            Ok(task) => self.never(task.id().as_str(), task.status.as_str()),
            Err(failure) => self.gone(failure),
        }
    }

    /// The one task cannot be looked at any more. Its expiry may be what is waited for, where no log tells of it.
    fn gone(&self, failure: Failure) -> Result<(), Failure> {
        let wanted = self.wish.until.as_deref();
        if failure.kind() == Kind::Cancelled && wanted.is_some_and(|wanted| [EXPIRED, END].contains(&wanted))
        {
            self.context.ui.talk(&failure.to_string());
            return Ok(());
        }
        Err(failure)
    }

    /// Prints an event of our own log if it is wanted; whether it was the last one.
    async fn ours(&mut self, event: &Event, seen: &Seen) -> Result<bool, Failure> {
        if event.hidden || self.not_before.is_some_and(|at| event.at < at) {
            return Ok(false);
        }
        let is_open = match (event.kind.question(), &self.open) {
            (Some(question), Some(open)) if !self.context.ui.is_json() => open.has(event, &question.id).await,
            _ => false,
        };
        let is_new = self.open.as_ref().is_none_or(|open| event.cursor > open.begun());
        self.print(seen, is_open, is_new).await
    }

    /// Prints an event if it is wanted; whether it was the last one.
    async fn print(&mut self, seen: &Seen, is_open: bool, is_new: bool) -> Result<bool, Failure> {
        let ui = &self.context.ui;
        if self.wish.wanted.admits(seen) {
            if ui.is_json() {
                ui.object(&seen.object)?;
            } else {
                event::print(ui, "", seen, Timestamp::now())?;
                if let Some(question) = &seen.question {
                    self.print_question(question, is_open)?;
                }
            }
            let rings = self.wish.bell && (seen.question.is_some() || !self.wish.wanted.events.is_empty());
            if rings && is_new {
                ui.ring();
            }
            self.hooks.run(self.context, seen).await;
        }
        // What is waited for may be of a name that is not printed.
        let is_last = self.wish.until.as_deref().is_some_and(|wanted| seen.is(wanted));
        Ok(is_last && self.wish.wanted.has_status(seen.status))
    }

    /// The page that it asks to visit, and what it takes to answer it as long as it is open.
    fn print_question(&self, question: &OpenQuestion, is_open: bool) -> Result<(), Failure> {
        let ui = &self.context.ui;
        let lead = |words: &str| format!("          {} ", ui.paint().yellow(words));
        if let Some(url) = page::of(&question.asked.ask) {
            ui.line_after(&lead("→ page:"), &[Piece::Words(page::within(url))])?;
        }
        let Some(command) = question.asked.later.clone().filter(|_| is_open) else { return Ok(()) };
        if let Some(choices) = values::choices(&question.asked.ask) {
            ui.line_words(&lead("→ choices:"), &choices)?;
        }
        ui.line_after(&lead("→ answer with:"), &[self.context.command(command)])
    }

    fn greet(&self) {
        if self.context.ui.may_animate() {
            let paint = self.context.ui.talk_paint();
            self.context.ui.talk(&paint.dim("watching; Ctrl-C ends it and changes nothing"));
        }
    }

    /// The log ended; a failure where what was waited for was not in it.
    pub(crate) fn came(&self, came: bool) -> Result<(), Failure> {
        let Some(wanted) = self.wish.until.as_deref().filter(|_| !came) else { return Ok(()) };
        let message = format!("no event until now is {wanted:?}, and no new ones are waited for");
        Err(Failure::new(Kind::NothingChanged, message))
    }

    /// The task ended, and what was waited for did not come.
    fn never(&self, task: &str, how: &str) -> Result<(), Failure> {
        match &self.wish.until {
            None => Ok(()),
            Some(wanted) => Err(Failure::new(
                Kind::NothingChanged,
                format!("task {} ended ({how}) before it was {wanted}", text::line(task)),
            )),
        }
    }
}

/// The failure of the one task that is deleted before what was waited for.
fn deleted(seen: &Seen) -> Failure {
    if seen.object["pruned"] == true { pruned(&seen.task) } else { expired(&seen.task) }
}

/// The end of the one task that is watched, also where it had ended before; never, where all are watched.
async fn over(ours: Option<&Log>) -> Result<Task, Failure> {
    let Some((engine, EventFilter::Task(id), _)) = ours else { return std::future::pending().await };
    until_final(engine, id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{EventKind, TaskId};

    #[test]
    fn a_task_that_was_pruned_is_not_said_to_have_expired() {
        let said = |pruned: bool| {
            let event = Event::example(&TaskId::generate(), EventKind::Expired { pruned });
            let failure = deleted(&Seen::of_event(&event));
            assert_eq!(failure.kind(), Kind::Cancelled);
            failure.to_string()
        };
        assert!(said(true).ends_with("was pruned: somebody deleted it"), "{}", said(true));
        assert!(said(false).ends_with("expired: its ttl ended and it was deleted"), "{}", said(false));
    }
}
