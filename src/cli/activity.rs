//! What `serve` and `worker` say on a terminal while they run: a line for each task that asks, is answered, fails or is
//! cancelled, and at the beginning how to try it.

use std::collections::HashSet;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::ui::{Ui, event};
use crate::desk::suggest::Suggested;
use crate::desk::values;
use crate::desk::watch::Seen;
use crate::engine::{Engine, EngineResult, Watch};
use crate::store::EventFilter;
use crate::task::{Event, EventKind, TaskId, ToolSpec, WorkerId};

/// Whose tasks are told of.
pub(super) enum Whose {
    /// All of the store.
    Everybodys,
    /// Those that this worker holds, which bounds what is remembered of them.
    Workers(WorkerId, HashSet<TaskId>),
}

impl Whose {
    /// Those of a worker that holds none yet.
    pub(super) fn of(worker: &WorkerId) -> Self {
        Self::Workers(worker.clone(), HashSet::new())
    }

    /// Whether that event is to be told, as far as it depends on whose task it is.
    fn admits(&mut self, event: &Event) -> bool {
        let Self::Workers(worker, held) = self else { return true };
        match &event.kind {
            EventKind::Claimed { worker: by, .. } if by == worker => held.insert(event.task.clone()),
            // Another one has it now.
            EventKind::Claimed { .. } | EventKind::Requeued { .. } => held.remove(&event.task),
            kind if kind.is_end() => held.remove(&event.task),
            _ => held.contains(&event.task),
        }
    }
}

/// Whether an event is of a kind that people want to hear of at once.
fn is_told(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Asked { .. }
            | EventKind::Answered { .. }
            | EventKind::Extended { .. }
            | EventKind::Reminded { .. }
            | EventKind::Unanswerable { .. }
            | EventKind::Failed { .. }
            | EventKind::Cancelled { .. }
            | EventKind::Completed { is_error: true }
    )
}

/// Tells of tasks from now on, until `stop`, where a person looks on and wants to be talked to.
pub(super) async fn tell(
    context: &Context,
    engine: &Engine,
    whose: Whose,
    parts: &TaskTracker,
    stop: &CancellationToken,
) {
    if !context.ui.may_animate() {
        return;
    }
    let watch = match from_now_on(engine).await {
        Ok(watch) => watch,
        // What is only talk keeps nothing from its work.
        Err(error) => return tracing::debug!(%error, "nothing is told of tasks"),
    };
    let (ui, stop) = (context.ui.clone(), stop.clone());
    parts.spawn(async move { stop.run_until_cancelled(until_broken(&ui, watch, whose)).await });
}

async fn from_now_on(engine: &Engine) -> EngineResult<Watch> {
    engine.watch(EventFilter::All, engine.last().await?).await
}

/// Tells of tasks for as long as there is a store.
async fn until_broken(ui: &Ui, mut watch: Watch, mut whose: Whose) {
    loop {
        match watch.next().await {
            Ok(event) => {
                if whose.admits(&event) && is_told(&event.kind) {
                    event::talk(ui, &Seen::of_event(&event), Timestamp::now());
                }
            }
            // Whoever runs tasks finds the same, and says what comes of it.
            Err(error) => return tracing::debug!(%error, "nothing more is told of tasks"),
        }
    }
}

/// Says how to try it, with a tool that somebody runs.
pub(super) async fn suggest(context: &Context, engine: &Engine) {
    let tools = match engine.tools().await {
        Ok(tools) => tools,
        Err(error) => return tracing::debug!(%error, "nothing is suggested"),
    };
    let workers = engine.store().workers().await.map(|workers| workers.rows).unwrap_or_default();
    let is_run = |tool: &&ToolSpec| workers.iter().any(|one| one.offers(&tool.name));
    let run: Vec<_> = tools.iter().filter(is_run).collect();
    // One that asks, where there is none that is known to.
    let Some(tool) = run.iter().find(|tool| tool.name == "plan_dinner").or(run.first()) else {
        return context.tell(Context::worker("no worker runs a tool here yet: ".to_owned()));
    };
    let submit = Suggested::new("submit").about(tool.name.as_str()).option("--session", "dinner");
    let submit = values::calling(submit, &tool.input_schema);
    context.ui.talk("  try, in another terminal:");
    for command in [submit, Suggested::new("watch").about("dinner"), Suggested::new("respond")] {
        context.ui.talk_after("    ", &[context.command(command)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_tells_of_the_tasks_that_it_holds() {
        let (own, others) = (WorkerId::generate("own"), WorkerId::generate("other"));
        let (held, not_held) = (TaskId::generate(), TaskId::generate());
        let claimed = |worker: &WorkerId| EventKind::Claimed { worker: worker.clone(), attempt: 1 };
        let failed = || EventKind::Completed { is_error: true };
        let mut whose = Whose::of(&own);
        whose.admits(&Event::example(&held, claimed(&own)));
        whose.admits(&Event::example(&not_held, claimed(&others)));
        assert!(!whose.admits(&Event::example(&not_held, failed())));
        let noted = || EventKind::Noted { note: "so far".to_owned() };
        assert!(whose.admits(&Event::example(&held, noted())));
        whose.admits(&Event::example(&held, claimed(&others)));
        assert!(!whose.admits(&Event::example(&held, noted())), "another worker took it over");
        whose.admits(&Event::example(&held, claimed(&own)));
        assert!(whose.admits(&Event::example(&held, failed())));
        assert!(matches!(whose, Whose::Workers(_, held) if held.is_empty()), "what ended is forgotten");
        assert!(Whose::Everybodys.admits(&Event::example(&not_held, failed())));
    }
}
