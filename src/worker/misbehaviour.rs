//! The faults that lie with a worker. Each is asked for by name, by a script or for every tool of a server.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::Interrupted;
use crate::task::{Ask, AskKind, Fault};

/// How one run misbehaves.
#[derive(Debug)]
pub(super) struct Misbehaviour {
    faults: Mutex<Vec<Fault>>,
}

impl Misbehaviour {
    pub(super) fn new(faults: &[Fault]) -> Self {
        Self { faults: Mutex::new(faults.to_vec()) }
    }

    pub(super) fn begin(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).contains(&fault)
    }

    /// [`Fault::MalformedQuestion`]: a schema with a field of no type that forms have; a URL that is none.
    pub(super) fn distort(&self, mut asks: Vec<Ask>) -> Vec<Ask> {
        if self.has(Fault::MalformedQuestion) {
            for ask in &mut asks {
                match &mut ask.kind {
                    AskKind::Form { schema } => {
                        let nested =
                            json!({ "type": "object", "properties": { "deep": { "type": "null" } } });
                        *schema = json!({ "type": "object", "properties": { "broken": nested } });
                    }
                    AskKind::Url { url } => "not a URL".clone_into(url),
                }
            }
        }
        asks
    }

    /// [`Fault::SameQuestionTwice`].
    pub(super) fn asks_twice(&self) -> bool {
        self.has(Fault::SameQuestionTwice)
    }

    /// [`Fault::CrashWhileAsking`]: the run ends as if its worker had died; the next one finds the question
    /// answered, and does not come here.
    pub(super) fn crash(&self) -> Result<(), Interrupted> {
        if self.has(Fault::CrashWhileAsking) {
            return Err(Interrupted::Retry("fault: the worker crashed while its question was open".into()));
        }
        Ok(())
    }
}
