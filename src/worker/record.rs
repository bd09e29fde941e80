//! Recording how a run ended, until it is recorded or the claim is lost: an outcome is never thrown away for a store
//! that does not take it now.

use super::Shared;
use crate::engine::Retry;
use crate::store::{ClaimKey, Requeue, StoreError, StoreResult};
use crate::task::Outcome;

/// How a run ended, as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The task has its outcome.
    Finish(Outcome),
    /// The task goes back to the queue.
    GiveBack(Requeue),
}

/// What became of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is recorded, or the claim is lost: nothing is left to do.
    Over,
    /// The store does not take it, and nothing else in its place. The claim stays with this worker, or the task
    /// would be run over and over.
    Refused,
}

/// Records the end. While the store is away or refuses, it waits, until the worker gives everything back.
pub(super) async fn record(shared: &Shared, claim: &ClaimKey, mut end: End) -> Recorded {
    // Each one is told apart by what is still left to say in its place.
    for _ in 0..3 {
        let error = match write(shared, claim, &end).await {
            Ok(()) => return Recorded::Over,
            Err(error) => error,
        };
        match instead(&end, &error) {
            Next::Over => {
                tracing::debug!(task = %claim.task, %error, "what a run brought is not wanted any more");
                return Recorded::Over;
            }
            Next::Instead(other) => {
                tracing::warn!(task = %claim.task, %error, "how a task ended cannot be recorded as it is");
                end = other;
            }
            Next::Lost => {
                let lost = described(&end);
                tracing::error!(task = %claim.task, %error, lost, "could not record how a task ended");
                return if error.is_passing() { Recorded::Over } else { Recorded::Refused };
            }
        }
    }
    Recorded::Refused
}

/// Repeating it is safe: where it was done and only its reply was lost, the claim is over.
async fn write(shared: &Shared, claim: &ClaimKey, end: &End) -> StoreResult<()> {
    let store = shared.engine.store();
    let retry = Retry::new("recording how a task ended");
    retry
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
    /// Nothing: nobody can record it.
    Lost,
}

fn instead(end: &End, error: &StoreError) -> Next {
    match (error, end) {
        (StoreError::ClaimLost { .. } | StoreError::NoTask(_) | StoreError::Ended { .. }, _) => Next::Over,
        // The worker's time is over.
        (error, _) if error.is_passing() => Next::Lost,
        (StoreError::Refused { .. }, End::Finish(outcome)) if !is_stand_in(outcome) => {
            Next::Instead(End::Finish(stand_in(error)))
        }
        (StoreError::Refused { .. }, End::GiveBack(requeue)) if requeue.exhausted.is_some() => {
            let exhausted = Some(stand_in(error));
            Next::Instead(End::GiveBack(Requeue { exhausted, ..requeue.clone() }))
        }
        // It counts, so that a task whose end the store never takes is not run for ever.
        (error, End::Finish(_)) => {
            let reason = format!("how it ended could not be recorded: {error}");
            Next::Instead(End::GiveBack(Requeue::failed(reason)))
        }
        (_, End::GiveBack(_)) => Next::Lost,
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
    use crate::task::TaskId;

    fn refused() -> StoreError {
        StoreError::Refused { what: "the outcome".to_owned(), problem: "is nested too deep".to_owned() }
    }

    #[test]
    fn an_outcome_that_cannot_be_stored_becomes_one_that_says_so() {
        let Next::Instead(End::Finish(stand_in)) = instead(&End::Finish(Outcome::text("deep")), &refused())
        else {
            panic!("another outcome")
        };
        assert!(stand_in.is_tool_error());
        assert_eq!(
            stand_in.first_text(),
            Some("The tool ended, but its result cannot be stored: the outcome is nested too deep.")
        );
        let last = instead(&End::Finish(stand_in), &refused());
        assert!(matches!(&last, Next::Instead(End::GiveBack(requeue)) if requeue.counts), "{last:?}");
        let retried = Requeue { exhausted: Some(Outcome::text("deep")), ..Requeue::failed("?".to_owned()) };
        let Next::Instead(End::GiveBack(requeue)) = instead(&End::GiveBack(retried), &refused()) else {
            panic!("another requeue")
        };
        assert!(requeue.exhausted.is_some_and(|outcome| is_stand_in(&outcome)));
    }

    #[test]
    fn a_lost_claim_needs_nothing_and_a_broken_record_counts() {
        let end = End::Finish(Outcome::text("done"));
        assert_eq!(instead(&end, &StoreError::NoTask(TaskId::generate())), Next::Over);
        let broken = StoreError::Backend { location: "here".to_owned(), problem: "WRONGTYPE".to_owned() };
        let Next::Instead(again) = instead(&end, &broken) else { panic!("a requeue") };
        assert!(matches!(&again, End::GiveBack(requeue) if requeue.counts), "{again:?}");
        assert_eq!(instead(&again, &broken), Next::Lost);
    }
}
