//! One verb on many tasks: what became of each.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::stream;

use super::answer::{Delivered, Receipt, Sending};
use super::failure::{Failure, Kind};
use super::place::{Cancelled, Cancelling, Found, Place, no_task};
use super::places::Places;
use super::selection::SelectedTask;
use super::suggest::{Advice, Suggested};
use super::waiting::Waiting;
use super::{page, text};
use crate::fastmcp::{Generation, Way};
use crate::form::misfits;
use crate::task::{Action, Answer, Ask, joined};

/// Tasks that are acted on at once: a server that takes its time with each is asked about several.
const AT_ONCE: usize = 8;

/// The most failures of which the words are kept.
const MOST_TOLD: usize = 3;

/// What became of many.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How many it was done with.
    pub(crate) done: usize,
    /// How many needed it no more: they had ended, were answered or were gone.
    pub(crate) past: usize,
    /// How many it could not be done with.
    pub(crate) failed: usize,
    /// Why, of the first of them.
    pub(crate) reasons: Vec<String>,
    /// The kind of the first of these failures; `None` where nothing failed.
    pub(crate) kind: Option<Kind>,
    /// What helps against it.
    pub(crate) hints: Vec<Advice>,
    /// What called off the rest: the store went away, or lets nobody do that any more.
    pub(crate) cut: Option<Failure>,
    /// Of how many of the rest nobody knows whether it was done with them: their replies were lost.
    pub(crate) unsure: usize,
    /// How many of those that were meant are left, as far as that is known.
    pub(crate) left: usize,
}

impl Tally {
    /// Notes one that it could not be done with.
    pub(crate) fn fails(&mut self, failure: &Failure) {
        self.failed += 1;
        if self.kind.is_none() {
            self.kind = Some(failure.kind());
            self.hints = failure.hints().to_vec();
        }
        if self.reasons.len() < MOST_TOLD {
            self.reasons.push(failure.to_string());
        }
    }

    /// Takes note of a failure that is one for all: where somebody was asked and did not reply, it may have been done.
    fn lost_reply(&mut self, failure: &Failure) {
        if failure.is_outage() && failure.refusal().is_none() {
            self.unsure += 1;
        }
    }

    /// The failure of a command whose work was called off, after what it had done, which `said` tells.
    pub(crate) fn cut_short(&mut self, said: &str) -> Option<Failure> {
        let failure = self.cut.take()?;
        let unsure = match self.unsure {
            0 => None,
            1 => Some("of one more nobody can tell, since its reply was lost".to_owned()),
            more => Some(format!("of {more} more nobody can tell, since their replies were lost")),
        };
        let goes_on = "the same command goes on with the rest";
        let hint = [unsure, Some(goes_on.to_owned())].into_iter().flatten().collect::<Vec<_>>().join("; ");
        Some(if self.done + self.past + self.failed == 0 { failure } else { failure.after(said) }.hint(hint))
    }

    /// "18 cancelled, 2 had ended": what is said of those that it was done with, of those that needed it no more, and of
    /// those that failed.
    pub(crate) fn in_words(&self, done: &str, past: &str, failed: &str) -> String {
        let more = self.failed.saturating_sub(self.reasons.len());
        let more = (more > 0).then(|| format!("and {more} more"));
        let reasons: Vec<String> = self.reasons.iter().cloned().chain(more).collect();
        let failed = format!("{} {failed}: {}", self.failed, reasons.join("; "));
        let rest = [(self.past, format!("{} {past}", self.past)), (self.failed, failed)];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words);
        std::iter::once(format!("{} {done}", self.done)).chain(rest).collect::<Vec<_>>().join(", ")
    }
}

impl Waiting {
    /// It and its task, in words.
    pub(crate) fn name(&self) -> String {
        let (question, task) = (text::line(&self.question.id), text::short_id(&self.question.task));
        format!("question {question} of task {}", text::line(task))
    }

    /// The answer as it may be sent to this one of many questions; else what is wrong with it. A page is accepted only by
    /// whoever `accepts_pages`, which an answer to forms does not say.
    pub(crate) fn checked(&self, answer: Answer, accepts_pages: bool) -> Result<Answer, String> {
        let ask: &Ask = &self.question.asked.ask;
        if page::of(ask).is_some() && answer.action == Action::Accept && !accepts_pages {
            return Err("it asks to visit a page, which only --accept accepts".to_owned());
        }
        if let Found::Fastmcp(_, task) = &self.found
            && task.generation == Generation::V4
        {
            return Err(task.needs_another_way(&self.question.id).to_string());
        }
        match misfits(ask, &answer).as_slice() {
            [] => Ok(answer),
            problems => Err(joined(problems)),
        }
    }

    /// Sends an answer that was [checked](Waiting::checked); the receipt where it is the question's. What is a failure for
    /// all that follow as well is an error.
    pub(crate) async fn send(&self, answer: Answer, tally: &mut Tally) -> Result<Option<Receipt>, Failure> {
        let mut sending = Sending::new(&self.found, &self.question, answer, Way::Supported);
        match sending.attempt().await {
            Ok(Delivered::Taken(receipt)) => {
                tally.done += 1;
                return Ok(Some(receipt));
            }
            Ok(Delivered::Refused { problem, .. }) => self.refused(&problem, tally),
            // It is open as before, and is said to be: the task has no worker any more, say.
            Err(failure) if failure.leaves_open() => tally.fails(&failure),
            // Somebody else was faster, or the task has ended or gone.
            Err(failure) if matches!(failure.kind(), Kind::NothingChanged | Kind::NotFound) => {
                tally.past += 1;
            }
            Err(failure) if ends_all(&failure) => {
                tally.lost_reply(&failure);
                return Err(failure);
            }
            Err(failure) => self.refused(&failure.to_string(), tally),
        }
        Ok(None)
    }

    /// Notes that it was not answered, and why.
    pub(crate) fn refused(&self, problem: &str, tally: &mut Tally) {
        let show = Suggested::new("show").about(self.question.task.as_str());
        let failure = Failure::usage(format!("{}: {problem}", self.name()));
        tally.fails(&failure.hint(Advice::command(show, "shows what it takes")));
    }
}

/// Whether a failure concerns all that is left to do as well, so that it is not begun.
pub(crate) fn ends_all(failure: &Failure) -> bool {
    failure.is_outage() || matches!(failure.kind(), Kind::Unreachable | Kind::Unauthorised)
}

/// Does one thing with each of the tasks, some at once; `told` hears of each that it was done with. Once something fails that
/// would fail for all, nothing more is begun, and what is under way is waited for, since it may be done all the same.
async fn with_each<'a, T, F: Future<Output = Result<Option<T>, Failure>>>(
    tasks: &'a [SelectedTask],
    act: impl Fn(&'a SelectedTask) -> F,
    mut told: impl FnMut(&SelectedTask, &T) -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let stopped = AtomicBool::new(false);
    let begun = tasks.iter().take_while(|_| !stopped.load(Ordering::Relaxed));
    let one = |task: &'a SelectedTask| {
        let acting = act(task);
        async move { (task, acting.await) }
    };
    let mut acting = pin!(stream::iter(begun).map(one).buffered(AT_ONCE));
    let mut tally = Tally::default();
    while let Some((task, done)) = acting.next().await {
        match done {
            Ok(Some(done)) => {
                tally.done += 1;
                told(task, &done)?;
            }
            Ok(None) => tally.past += 1,
            Err(failure) if failure.kind() == Kind::NotFound => tally.past += 1,
            Err(failure) if ends_all(&failure) => {
                stopped.store(true, Ordering::Relaxed);
                tally.lost_reply(&failure);
                tally.cut.get_or_insert(failure);
            }
            Err(failure) => tally.fails(&failure),
        }
    }
    tally.left = tasks.len() - tally.done - tally.past - tally.failed;
    Ok(tally)
}

impl Places {
    /// Cancels tasks; `told` hears of each that was.
    pub(crate) async fn cancel_all(
        &self,
        tasks: &[SelectedTask],
        reason: &str,
        told: impl FnMut(&SelectedTask, &Cancelled) -> Result<(), Failure>,
    ) -> Result<Tally, Failure> {
        let cancel =
            async |task: &SelectedTask| match self.all()[task.place].cancel(task.id(), reason).await? {
                Cancelling::Done(cancelled) => Ok(Some(cancelled)),
                Cancelling::HadEnded(_) => Ok(None),
            };
        with_each(tasks, cancel, told).await
    }

    /// Deletes tasks of our own store that have ended; `told` hears of each that was.
    pub(crate) async fn prune_all(
        &self,
        tasks: &[SelectedTask],
        mut told: impl FnMut(&SelectedTask) -> Result<(), Failure>,
    ) -> Result<Tally, Failure> {
        let prune = async |task: &SelectedTask| Ok(self.prune_selected(task).await?.then_some(()));
        with_each(tasks, prune, |task, ()| told(task)).await
    }

    async fn prune_selected(&self, task: &SelectedTask) -> Result<bool, Failure> {
        match &self.all()[task.place] {
            Place::Store(engine) => {
                Ok(engine.prune(&task.id().parse().map_err(|_| no_task(task.id()))?).await?)
            }
            Place::Fastmcp(_) | Place::Server(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_many_is_one_line() {
        let words = |tally: &Tally| tally.in_words("cancelled", "had ended", "could not be");
        let mut tally = Tally { done: 18, ..Tally::default() };
        assert_eq!(words(&tally), "18 cancelled");
        tally.past = 2;
        assert_eq!(words(&tally), "18 cancelled, 2 had ended");
        for number in 1..=5 {
            tally.fails(&Failure::new(Kind::NotFound, format!("no {number}")));
        }
        tally.fails(&Failure::usage("odd"));
        assert_eq!(words(&tally), "18 cancelled, 2 had ended, 6 could not be: no 1; no 2; no 3; and 3 more");
        assert_eq!(tally.kind, Some(Kind::NotFound));
    }
}
