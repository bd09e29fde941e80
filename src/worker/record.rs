//! Recording how a run ended, until it is recorded or the claim is lost: an outcome is never thrown away for a store
//! that does not take it now.

use std::time::Duration;

use tokio::time::sleep;

use super::Shared;
use super::claims::Claim;
use super::roster::RunSlot;
use crate::engine::{Failure as _, Retry};
use crate::store::{ClaimKey, Requeue, StoreError, StoreResult};
use crate::task::Outcome;

/// How often it is tried to record the end of a task that the store cannot deal with, because its record is damaged
/// for example: rarely, since it may stay so until somebody cancels the task.
const RARELY: Duration = Duration::from_secs(30);

/// How a run ended, as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The task has its outcome.
    Finish(Outcome),
    /// The task goes back to the queue.
    GiveBack(Requeue),
}

impl End {
    /// What is done with it, for the log.
    fn what(&self) -> &'static str {
        match self {
            Self::Finish(_) => "record how a task ended",
            Self::GiveBack(_) => "give a task back",
        }
    }
}

/// Records the end. While the store is away or refuses, it waits, and keeps the run's slot: a store that takes no
/// outcomes gets no further ones.
pub(super) async fn record(shared: &Shared, claim: &Claim, mut end: End, slot: Option<RunSlot>) {
    let (task, given_back) = (&claim.key().task, shared.claims.given_back());
    claim.ended();
    let mut slot = slot;
    let error = loop {
        let error = match write(shared, claim.key(), &end).await {
            Ok(()) => return,
            Err(error) => error,
        };
        match next(&end, &error) {
            Next::Over => {
                tracing::debug!(%task, %error, "what a run brought is not wanted any more");
                return;
            }
            Next::Instead(other) => {
                tracing::warn!(%task, %error, "how a task ended cannot be recorded as it is");
                end = other;
            }
            Next::GiveUp => break error,
            Next::Rarely => {
                if slot.take().is_some() {
                    // One task's trouble costs no other one its slot.
                    let what = end.what();
                    tracing::error!(%task, %error, "cannot {what}; trying again now and then");
                }
                let until = claim.taken().run_until_cancelled(sleep(RARELY));
                match given_back.run_until_cancelled(until).await {
                    Some(Some(())) => {}
                    Some(None) => return,
                    None => break error,
                }
            }
        }
    };
    tracing::error!(%task, %error, lost = described(&end), "could not {}", end.what());
}

/// Repeating it is safe: where it was done and only its reply was lost, the claim is over.
async fn write(shared: &Shared, claim: &ClaimKey, end: &End) -> StoreResult<()> {
    let store = shared.engine.store();
    let retry = Retry::new(match end {
        End::Finish(_) => "recording how a task ended",
        End::GiveBack(_) => "giving a task back",
    });
    retry
        .whatever_it_takes()
        .run(shared.claims.given_back(), || async {
            match end {
                End::Finish(outcome) => store.finish(claim, outcome).await,
                End::GiveBack(requeue) => store.requeue(claim, requeue).await,
            }
        })
        .await
}

/// What comes after an end that was not recorded.
#[derive(Debug, PartialEq)]
enum Next {
    /// Nothing: it was recorded by the try before, or the task ended or went elsewhere.
    Over,
    /// This in its place.
    Instead(End),
    /// The same, now and then.
    Rarely,
    /// Nothing: the worker's time is over.
    GiveUp,
}

fn next(end: &End, error: &StoreError) -> Next {
    match (error, end) {
        (StoreError::ClaimLost { .. } | StoreError::NoTask(_) | StoreError::Ended { .. }, _) => Next::Over,
        (error, _) if error.is_passing() || error.is_file_gone() => Next::GiveUp,
        (StoreError::Refused { .. }, End::Finish(outcome)) if !is_stand_in(outcome) => {
            Next::Instead(End::Finish(stand_in(error)))
        }
        (StoreError::Refused { .. }, End::GiveBack(Requeue { exhausted: Some(outcome), .. }))
            if is_stand_in(outcome) =>
        {
            Next::Rarely
        }
        (StoreError::Refused { .. }, End::GiveBack(requeue)) if requeue.exhausted.is_some() => {
            let exhausted = Some(stand_in(error));
            Next::Instead(End::GiveBack(Requeue { exhausted, ..requeue.clone() }))
        }
        _ => Next::Rarely,
    }
}

/// What the text of an outcome in the place of another begins with.
const STAND_IN: &str = "The tool ended, but its result cannot be stored: ";

/// The outcome of a task whose own outcome cannot be stored.
fn stand_in(error: &StoreError) -> Outcome {
    Outcome::tool_error(format!("{STAND_IN}{error}."))
}

fn is_stand_in(outcome: &Outcome) -> bool {
    outcome.first_text().is_some_and(|text| text.starts_with(STAND_IN))
}

/// What is lost, for the log.
fn described(end: &End) -> String {
    let words = match end {
        End::Finish(Outcome::Error(error)) => format!("the error {:?}", error.message),
        End::Finish(outcome) => format!("the result {:?}", outcome.first_text().unwrap_or_default()),
        End::GiveBack(requeue) => format!("that it goes back to the queue: {}", requeue.reason),
    };
    words.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Refusal;
    use crate::task::TaskId;

    fn refused() -> StoreError {
        StoreError::Refused { what: "the outcome".to_owned(), problem: "is nested too deep".to_owned() }
    }

    #[test]
    fn an_outcome_that_cannot_be_stored_becomes_one_that_says_so() {
        let Next::Instead(End::Finish(stand_in)) = next(&End::Finish(Outcome::text("deep")), &refused())
        else {
            panic!("another outcome")
        };
        assert!(stand_in.is_tool_error());
        assert_eq!(
            stand_in.first_text(),
            Some("The tool ended, but its result cannot be stored: the outcome is nested too deep.")
        );
        assert_eq!(next(&End::Finish(stand_in), &refused()), Next::Rarely, "it is replaced once");
        let retried = Requeue { exhausted: Some(Outcome::text("deep")), ..Requeue::failed("?".to_owned()) };
        let Next::Instead(End::GiveBack(requeue)) = next(&End::GiveBack(retried), &refused()) else {
            panic!("another requeue")
        };
        assert!(requeue.exhausted.as_ref().is_some_and(is_stand_in));
        assert_eq!(next(&End::GiveBack(requeue), &refused()), Next::Rarely, "it is replaced once");
    }

    #[test]
    fn a_lost_claim_needs_nothing_and_a_broken_record_is_tried_again() {
        let end = End::Finish(Outcome::text("done"));
        assert_eq!(next(&end, &StoreError::NoTask(TaskId::generate())), Next::Over);
        let broken = StoreError::Backend { location: "here".to_owned(), problem: "WRONGTYPE".to_owned() };
        assert_eq!(next(&end, &broken), Next::Rarely);
        let (location, problem) = ("here".to_owned(), "removed".to_owned());
        let gone = StoreError::Refuses { location, refusal: Refusal::FileGone, problem };
        assert_eq!(next(&end, &gone), Next::GiveUp, "it was retried until the worker's time was over");
        let away = StoreError::Unreachable { location: "here".to_owned(), problem: "closed".to_owned() };
        assert_eq!(next(&end, &away), Next::GiveUp, "it was retried until the worker's time was over");
    }
}
