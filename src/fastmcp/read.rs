//! Reading tasks: two round trips for each hundred of them.

use jiff::Timestamp;
use redis::Pipeline;

use super::docket::{Docket, Run, RunState, Workers};
use super::identity::{Identity, Owner};
use super::link::{Link, Replies};
use super::signs::{Asking, Lifetime, Signs};
use super::{DeployedQuestion, DeployedTask, FastmcpResult, Generation, WorkerSeen, elicitation, v3_4, v4};
use crate::task::TaskStatus;

/// Tasks read in one round trip.
const AT_ONCE: usize = 100;

/// A task half read.
pub(super) struct Draft {
    pub(super) signs: Signs,
    pub(super) questions: Vec<DeployedQuestion>,
    session: Option<String>,
    created_at: Option<Timestamp>,
    pub(super) notes: Vec<String>,
}

/// Reads those tasks. One whose record is gone, as FastMCP itself would say, is left out.
pub(super) async fn tasks(
    link: &Link,
    docket: &Docket,
    workers: &Workers,
    identities: &[Identity],
) -> FastmcpResult<Vec<DeployedTask>> {
    let mut found = Vec::with_capacity(identities.len());
    for some in identities.chunks(AT_ONCE) {
        let drafts = drafts(link, docket, workers, some).await?;
        found.extend(drafts.into_iter().filter_map(|draft| finished(draft, workers)));
    }
    Ok(found)
}

/// Reads until no task has moved on to another leg meanwhile: what was read of it would be of two legs.
async fn drafts(
    link: &Link,
    docket: &Docket,
    workers: &Workers,
    identities: &[Identity],
) -> FastmcpResult<Vec<Draft>> {
    loop {
        let mut drafts = first(link, docket, workers, identities).await?;
        legs(link, workers, &mut drafts).await?;
        let moved = |draft: &Draft| matches!(&draft.signs.asking, Asking::Leg(leg) if leg.has_moved_on);
        if !drafts.iter().any(moved) {
            return Ok(drafts);
        }
    }
}

async fn first(
    link: &Link,
    docket: &Docket,
    workers: &Workers,
    identities: &[Identity],
) -> FastmcpResult<Vec<Draft>> {
    let mut reads = redis::pipe();
    for identity in identities {
        ask(docket, identity, &mut reads);
    }
    let mut replies = link.read(reads).await?;
    identities.iter().map(|identity| take(&mut replies, docket, identity, workers.now)).collect()
}

fn ask(docket: &Docket, identity: &Identity, reads: &mut Pipeline) {
    let own = docket.key(&identity.place);
    Run::ask(docket, &identity.key, reads);
    reads.cmd("PTTL").arg(&own).cmd("GET").arg(format!("{own}:created_at"));
    match identity.generation {
        Generation::V3_0 => elicitation::ask(&own, reads),
        Generation::V3_4 => {
            reads.cmd("GET").arg(format!("{own}:snapshot"));
            elicitation::ask(&own, reads);
        }
        Generation::V4 => v4::ask(&own, reads),
    }
}

pub(super) fn take(
    replies: &mut Replies,
    docket: &Docket,
    identity: &Identity,
    now: Timestamp,
) -> FastmcpResult<Draft> {
    let mut notes = Vec::new();
    let run = Run::take(replies, &mut notes)?;
    let metadata = Lifetime::parse(replies.next("its ttl", &mut notes)?);
    let created: Option<String> = replies.next("when it was created", &mut notes)?;
    let mut session = None;
    if let Owner::Session(owner) = &identity.owner {
        session = Some(owner.clone());
    } else if identity.generation == Generation::V3_4
        && let Some(snapshot) = replies.next::<String>("its snapshot", &mut notes)?
    {
        session = v3_4::session(&snapshot).unwrap_or_else(|problem| {
            notes.push(problem);
            None
        });
    }
    let (question, asking) = match identity.generation {
        Generation::V4 => (None, Asking::Leg(v4::take(replies, identity, &mut notes)?)),
        _ => elicitation::take(replies, now, &mut notes)?,
    };
    let created_at = created.and_then(|created| created.parse().ok()).or(run.when);
    let signs = Signs { identity: identity.clone(), docket: docket.clone(), run, metadata, asking };
    Ok(Draft { signs, questions: question.into_iter().collect(), session, created_at, notes })
}

/// Reads the legs of FastMCP 4, whose keys the first round trip told.
async fn legs(link: &Link, workers: &Workers, drafts: &mut [Draft]) -> FastmcpResult<()> {
    let mut reads = redis::pipe();
    for draft in drafts.iter() {
        if let Asking::Leg(leg) = &draft.signs.asking {
            Run::ask(&draft.signs.docket, &leg.key, &mut reads);
            v4::ask_requests(&draft.signs.own(""), leg.number, &mut reads);
        }
    }
    let mut replies = link.read(reads).await?;
    for draft in drafts.iter_mut() {
        if let Asking::Leg(leg) = &mut draft.signs.asking {
            draft.signs.run = Run::take(&mut replies, &mut draft.notes)?;
            draft.questions = v4::take_requests(&mut replies, leg, workers.now, &mut draft.notes)?;
        }
    }
    Ok(())
}

pub(super) fn finished(mut draft: Draft, workers: &Workers) -> Option<DeployedTask> {
    let run = &draft.signs.run;
    let status = status(&draft)?;
    if status != TaskStatus::InputRequired {
        draft.questions.clear();
    }
    let since = |then: Timestamp| (workers.now.as_millisecond() - then.as_millisecond()).max(0);
    let worker = run.worker.as_ref().map(|name| WorkerSeen {
        name: name.clone(),
        heartbeat: workers.heartbeat(name),
        alive: workers.is_alive(name),
    });
    let identity = &draft.signs.identity;
    Some(DeployedTask {
        id: identity.id.clone(),
        docket: draft.signs.docket.name().to_owned(),
        generation: identity.generation,
        component: identity.component.clone(),
        status,
        state: run.state.map_or("gone", RunState::as_str),
        session: draft.session,
        scope: scope(&identity.owner),
        created_at: draft.created_at,
        started_at: run.started_at,
        finished_at: run.completed_at.filter(|_| status.is_final()),
        age_ms: draft.created_at.map(since),
        waiting_ms: draft.questions.iter().filter_map(|question| question.asked_at).min().map(since),
        progress: run.progress.clone(),
        worker,
        questions: draft.questions,
        error: run.error.clone(),
        notes: draft.notes,
        signs: draft.signs,
    })
}

/// MCP's status, or `None` for a task of which only remains are left.
fn status(draft: &Draft) -> Option<TaskStatus> {
    let state = draft.signs.run.state;
    let waits = match &draft.signs.asking {
        Asking::Leg(leg) if leg.cancelled => return Some(TaskStatus::Cancelled),
        // A parked leg whose record has expired still has its questions; FastMCP says "not found".
        Asking::Leg(_) => !draft.questions.is_empty() && matches!(state, Some(RunState::Completed) | None),
        asking @ Asking::Elicitation { .. } => elicitation::is_waiting(asking, state),
    };
    if waits { Some(TaskStatus::InputRequired) } else { state.map(RunState::status) }
}

fn scope(owner: &Owner) -> Option<String> {
    match owner {
        Owner::Session(_) => None,
        Owner::Anonymous => Some("anonymous".to_owned()),
        Owner::Scope(scope) => Some(scope.clone()),
    }
}
