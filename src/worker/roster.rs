//! The tools that a worker runs now, each with its own slots, and how they are swapped while tasks run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{RunSettings, Tool, Tools};
use crate::task::ToolSpec;

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
}

struct State {
    entries: BTreeMap<String, Arc<Entry>>,
    /// Ends the claim that is under way: it was for another list of tools, or for more slots than there are.
    again: CancellationToken,
    /// Whether that claim left a tool out because its slots were taken.
    left_out: bool,
    /// Whether the store may think that this worker holds more than it knows of.
    doubtful: bool,
}

/// What to claim next.
pub(super) struct Turn {
    /// Tasks of these tools.
    pub(super) tools: Vec<String>,
    /// At most so many; none where the last slot was taken meanwhile.
    pub(super) most: usize,
    /// Until this fires.
    pub(super) until: CancellationToken,
    /// Only after a look at what the store thinks that this worker holds.
    pub(super) doubtful: bool,
}

/// The right to run one task now. A pointer, since most of those that could hold one wait without it.
pub(super) struct Slot {
    _permits: Box<(OwnedSemaphorePermit, Option<ToolSlot>)>,
}

/// The slot that a run has while it does not wait.
pub(super) type RunSlot = Arc<tokio::sync::Mutex<Option<Slot>>>;

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
    pub(super) fn new(tools: &Tools, concurrency: usize) -> Self {
        let state = State {
            entries: entries(tools),
            again: CancellationToken::new(),
            left_out: false,
            doubtful: false,
        };
        Self { state: Arc::new(Mutex::new(state)), slots: Arc::new(Semaphore::new(concurrency)) }
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

    /// The tools as the catalog shall show them.
    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        self.state().entries.values().map(|entry| entry.tool.spec().clone()).collect()
    }

    /// Calls the claim off that is under way, if there is one. Where the store may think that this worker holds more
    /// than it knows of, the next claim begins with a look at that.
    pub(super) fn call_off(&self, doubtful: bool) {
        let mut state = self.state();
        state.doubtful |= doubtful;
        state.again.cancel();
    }

    /// Waits for a free slot without keeping it: a task whose answer came must be able to take it while the
    /// worker waits for new work.
    pub(super) async fn any_free(&self) {
        drop(self.slots.acquire().await);
    }

    /// What to claim now. Tools whose own slots are taken are left out; `until` fires as well when one of
    /// them is free again, when the last slot is taken by a task whose answer came, or when the tools were swapped.
    pub(super) fn turn(&self, stop: &CancellationToken) -> Turn {
        let mut state = self.state();
        state.again = stop.child_token();
        state.left_out = false;
        let mut turn = Turn {
            tools: Vec::new(),
            most: self.slots.available_permits(),
            until: state.again.clone(),
            doubtful: std::mem::take(&mut state.doubtful),
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

    /// Takes a slot for a task that was just claimed, so that the next turn knows of it. `None` when the last one was
    /// taken meanwhile by a task whose answer came.
    pub(super) fn take_now(&self, entry: &Entry) -> Option<Slot> {
        let tool = match &entry.slots {
            Some(slots) => {
                let permit = slots.clone().try_acquire_owned().ok()?;
                Some(ToolSlot { permit: Some(permit), roster: self.clone() })
            }
            None => None,
        };
        Some(Slot { _permits: Box::new((self.slots.clone().try_acquire_owned().ok()?, tool)) })
    }

    /// A slot for a task of that tool which is just submitted, and the tools that have any; nothing where none is free.
    /// The claim under way is called off: it was for more slots than there are now.
    pub(super) fn take_for(&self, tool: &str) -> Option<(Arc<Entry>, Slot, Vec<String>)> {
        let entry = self.find(tool)?;
        let slot = self.take_now(&entry)?;
        let state = self.state();
        state.again.cancel();
        let has_slot = |(name, other): &(&String, &Arc<Entry>)| {
            *name == tool || other.slots.as_ref().is_none_or(|slots| slots.available_permits() > 0)
        };
        let tools = state.entries.iter().filter(has_slot).map(|(name, _)| name.clone()).collect();
        Some((entry, slot, tools))
    }

    /// [`Roster::take_now`] for a task whose answer came.
    pub(super) fn take_again_now(&self, entry: &Entry) -> Option<Slot> {
        let slot = self.take_now(entry)?;
        self.call_off_when_full(entry);
        Some(slot)
    }

    /// Takes a slot of the tool, then one of the worker, for a task whose answer came: always in this order, so that
    /// nobody who holds the second waits for the first. `None` when the worker has ended.
    pub(super) async fn take_again(&self, entry: &Entry) -> Option<Slot> {
        let tool = match &entry.slots {
            Some(slots) => {
                let permit = slots.clone().acquire_owned().await.ok()?;
                Some(ToolSlot { permit: Some(permit), roster: self.clone() })
            }
            None => None,
        };
        let worker = self.slots.clone().acquire_owned().await.ok()?;
        self.call_off_when_full(entry);
        Some(Slot { _permits: Box::new((worker, tool)) })
    }

    /// What the claim under way would bring now could not be begun.
    fn call_off_when_full(&self, entry: &Entry) {
        let tool_is_full = entry.slots.as_ref().is_some_and(|slots| slots.available_permits() == 0);
        if tool_is_full || self.slots.available_permits() == 0 {
            self.call_off(false);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::{Configured, builtin};

    /// A worker of two slots with `wait`, which has one of its own, and `fill_form`.
    fn roster() -> (Roster, Arc<Entry>, Arc<Entry>) {
        let mut tools = builtin::tools();
        tools.retain(|name, _| name == "wait" || name == "fill_form");
        let settings = RunSettings { concurrency: Some(1), ..RunSettings::default() };
        let single = Configured::new(tools["wait"].clone(), settings);
        tools.insert("wait".to_owned(), Arc::new(single));
        let roster = Roster::new(&tools, 2);
        let entry = |name| roster.find(name).expect("is offered");
        (roster.clone(), entry("wait"), entry("fill_form"))
    }

    #[tokio::test]
    async fn an_answered_task_that_takes_the_last_slot_calls_the_claim_off() {
        let (roster, wait, form) = roster();
        let stop = CancellationToken::new();
        let turn = roster.turn(&stop);
        assert_eq!((turn.most, turn.tools.len()), (1, 2), "as many as any of its tools can run");
        let _first = roster.take_again(&form).await.expect("a slot");
        assert!(!turn.until.is_cancelled(), "what it brings can still be begun");
        let _last = roster.take_again_now(&form).expect("a slot");
        assert!(turn.until.is_cancelled(), "nothing more can be begun");
        assert_eq!(roster.turn(&stop).most, 0);
        assert!(roster.take_now(&wait).is_none());
    }

    #[tokio::test]
    async fn an_answered_task_that_takes_its_tools_last_slot_calls_the_claim_off() {
        let (roster, wait, _) = roster();
        let stop = CancellationToken::new();
        let turn = roster.turn(&stop);
        let slot = roster.take_again(&wait).await.expect("a slot");
        assert!(turn.until.is_cancelled(), "it would bring tasks of that tool");
        let next = roster.turn(&stop);
        assert_eq!(next.tools, ["fill_form"], "the next one leaves the tool out");
        drop(slot);
        assert!(next.until.is_cancelled(), "until the slot is free again");
    }

    #[test]
    fn a_doubt_is_looked_into_once() {
        let (roster, ..) = roster();
        let stop = CancellationToken::new();
        let turn = roster.turn(&stop);
        roster.call_off(true);
        assert!(turn.until.is_cancelled() && !turn.doubtful);
        assert!(roster.turn(&stop).doubtful);
        assert!(!roster.turn(&stop).doubtful);
    }
}
