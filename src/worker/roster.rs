//! The tools that a worker runs now, each with its own slots, and how they are swapped while tasks run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{RunSettings, Tool, Tools};
use crate::task::{Fault, ToolSpec, fault};

/// One tool as long as somebody runs it: a task that began with it goes on with it, whatever is swapped.
pub(super) struct Entry {
    pub(super) tool: Arc<dyn Tool>,
    pub(super) settings: RunSettings,
    slots: Option<Arc<Semaphore>>,
}

/// The swappable list. Clones share it.
#[derive(Clone)]
pub(super) struct Roster {
    state: Arc<Mutex<State>>,
    /// Slots of the whole worker.
    slots: Arc<Semaphore>,
    /// Whether tools show a short ttl, so that it ends while they ask.
    short_lived: bool,
}

struct State {
    entries: BTreeMap<String, Arc<Entry>>,
    /// Ends the claim that is going on, which was for another list of tools.
    again: CancellationToken,
    /// Whether that claim left a tool out because its slots were taken.
    left_out: bool,
}

/// What to claim next.
pub(super) struct Turn {
    /// Tasks of these tools.
    pub(super) tools: Vec<String>,
    /// At most so many.
    pub(super) most: usize,
    /// Until this fires.
    pub(super) until: CancellationToken,
}

/// The right to run one task now. A pointer, since most of those that could hold one wait without it.
pub(super) struct Slot {
    _held: Box<(OwnedSemaphorePermit, Option<ToolSlot>)>,
}

struct ToolSlot {
    permit: Option<OwnedSemaphorePermit>,
    roster: Roster,
}

impl Drop for ToolSlot {
    fn drop(&mut self) {
        self.permit.take();
        let state = self.roster.state();
        if state.left_out {
            state.again.cancel();
        }
    }
}

impl Roster {
    pub(super) fn new(tools: &Tools, concurrency: usize, faults: &[Fault]) -> Self {
        let state = State { entries: entries(tools), again: CancellationToken::new(), left_out: false };
        let short_lived = faults.contains(&Fault::TtlEndsMidQuestion);
        Self { state: Arc::new(Mutex::new(state)), slots: Arc::new(Semaphore::new(concurrency)), short_lived }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers these tools from now on and returns the names of those that are gone.
    pub(super) fn replace(&self, tools: &Tools) -> Vec<String> {
        let mut state = self.state();
        let before = std::mem::replace(&mut state.entries, entries(tools));
        state.again.cancel();
        before.into_keys().filter(|name| !tools.contains_key(name)).collect()
    }

    pub(super) fn find(&self, tool: &str) -> Option<Arc<Entry>> {
        self.state().entries.get(tool).cloned()
    }

    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        let tools = self.state().entries.values().map(|entry| entry.tool.spec().clone()).collect();
        self.shown(tools)
    }

    /// The tools as the catalog shall show them.
    pub(super) fn shown(&self, mut specs: Vec<ToolSpec>) -> Vec<ToolSpec> {
        if self.short_lived {
            for spec in &mut specs {
                spec.ttl_ms = Some(fault::ENDING_TTL_MS);
            }
        }
        specs
    }

    /// Waits for a free slot without keeping it: a task whose answer came must be able to take it while the
    /// worker waits for new work.
    pub(super) async fn any_free(&self) {
        drop(self.slots.acquire().await);
    }

    /// What to claim now. Tools whose own slots are taken are left out; `until` fires as well when one of
    /// them is free again, or when the tools were swapped.
    pub(super) fn turn(&self, stop: &CancellationToken) -> Turn {
        let mut state = self.state();
        state.again = stop.child_token();
        state.left_out = false;
        let mut turn = Turn {
            tools: Vec::new(),
            most: self.slots.available_permits().max(1),
            until: state.again.clone(),
        };
        for (name, entry) in &state.entries {
            match entry.slots.as_ref().map(|slots| slots.available_permits()) {
                Some(0) => continue,
                // A claim does not say how many of which tool, so it takes no more than any of them can run.
                Some(free) => turn.most = turn.most.min(free),
                None => {}
            }
            turn.tools.push(name.clone());
        }
        state.left_out = turn.tools.len() < state.entries.len();
        turn
    }

    /// Takes a slot for a task that was just claimed, so that the next turn knows of it. `None` when one was
    /// taken meanwhile by a task whose answer came.
    pub(super) fn take_now(&self, entry: &Entry) -> Option<Slot> {
        let tool = match &entry.slots {
            Some(slots) => {
                let permit = slots.clone().try_acquire_owned().ok()?;
                Some(ToolSlot { permit: Some(permit), roster: self.clone() })
            }
            None => None,
        };
        Some(Slot { _held: Box::new((self.slots.clone().try_acquire_owned().ok()?, tool)) })
    }

    /// Takes a slot of the tool, then one of the worker: always in this order, so that nobody who holds the
    /// second waits for the first. `None` when the worker has ended.
    pub(super) async fn take(&self, entry: &Entry) -> Option<Slot> {
        let tool = match &entry.slots {
            Some(slots) => {
                let permit = slots.clone().acquire_owned().await.ok()?;
                Some(ToolSlot { permit: Some(permit), roster: self.clone() })
            }
            None => None,
        };
        let worker = self.slots.clone().acquire_owned().await.ok()?;
        Some(Slot { _held: Box::new((worker, tool)) })
    }
}

fn entries(tools: &Tools) -> BTreeMap<String, Arc<Entry>> {
    let entry = |tool: &Arc<dyn Tool>| {
        let settings = tool.settings();
        let slots = settings.concurrency.map(|most| Arc::new(Semaphore::new(most.max(1))));
        Arc::new(Entry { tool: tool.clone(), settings, slots })
    };
    tools.iter().map(|(name, tool)| (name.clone(), entry(tool))).collect()
}
