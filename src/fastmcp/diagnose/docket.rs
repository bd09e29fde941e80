//! Causes in Docket's queue and at its workers.

use std::collections::BTreeMap;

use super::{Cause, Diagnosis, Findings, span};
use crate::fastmcp::docket::{GROUP, RunState};
use crate::fastmcp::hint::{Help, HelpPart};
use crate::fastmcp::{DeployedTask, Deployment, FastmcpResult, Generation};
use crate::task::TaskStatus;

/// How many taken entries are looked at.
const LOOKED_AT: usize = 100;

/// A task that waits shorter than that has not been overlooked.
const QUEUED_LONG_MS: i64 = 2000;

/// An entry of the stream that a worker has taken: id, worker, idle milliseconds, deliveries.
type Taken = (String, String, i64, u64);

/// An entry of the stream as it lies there: id, and fields, of which some are pickled.
type Entry = (String, BTreeMap<String, Vec<u8>>);

/// How many tasks the workers of a docket run, and how many of those wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Load(BTreeMap<String, (usize, usize)>);

impl Load {
    /// As those tasks tell it.
    pub(super) fn of(tasks: &[DeployedTask]) -> Self {
        let mut busy = Self::default();
        let running = tasks.iter().filter(|task| task.is_running());
        for (task, worker) in running.filter_map(|task| Some((task, task.worker.as_ref()?))) {
            let (runs, waits) = busy.0.entry(worker.name.clone()).or_default();
            *runs += 1;
            *waits += usize::from(task.status == TaskStatus::InputRequired);
        }
        busy
    }

    /// Whether it runs tasks, none of which waits for an answer.
    fn goes_on(&self, worker: &str) -> bool {
        self.0.get(worker).is_some_and(|(runs, waits)| *runs > 0 && *waits == 0)
    }

    fn words(&self, worker: &str) -> String {
        let (runs, waits) = self.0.get(worker).copied().unwrap_or_default();
        format!("{worker} runs {runs} task(s), {waits} of them waiting for an answer")
    }
}

/// Why a task has not been taken up.
pub(super) fn queued(findings: &mut Findings<'_>) {
    if findings.details.able_workers.is_empty() {
        return unknown_to_workers(findings, "it is queued");
    }
    if findings.task().age_ms.unwrap_or_default() < QUEUED_LONG_MS
        || findings.task().signs.run.state == Some(RunState::Scheduled)
    {
        return;
    }
    let busy: Vec<_> =
        findings.details.able_workers.iter().map(|worker| findings.load.words(worker)).collect();
    let evidence = format!("it is queued although workers know it: {}", busy.join("; "));
    let is_newer = findings.task().generation == Generation::V4;
    // A task of FastMCP 4 that waits for an answer has left its worker.
    if findings.details.able_workers.iter().all(|worker| findings.load.goes_on(worker)) {
        let help = "it begins when they have done what is before it; more workers, or a higher FASTMCP_DOCKET_CONCURRENCY, \
                    are faster";
        return findings.add(Cause::WorkersBusy, evidence, help);
    }
    if is_newer {
        let help = "its workers take nothing up: see what they log, or start another one";
        return findings.add(Cause::WorkersSaturated, evidence, help);
    }
    let options = &["--status", "input_required"];
    let list = HelpPart::Command { verb: "list", task: None, question: None, options };
    let after = "), start more workers, or raise FASTMCP_DOCKET_CONCURRENCY: in FastMCP 3 a waiting task keeps its slot";
    let before = HelpPart::Text("answer or cancel what waits (".to_owned());
    let help = Help { parts: vec![before, list, HelpPart::Text(after.to_owned())] };
    findings.add(Cause::WorkersSaturated, evidence, help);
}

/// How a task whose worker died goes on: that takes a worker that knows it, and time.
pub(super) fn taken_over(findings: &Findings<'_>) -> String {
    let takes = "when Docket's redelivery timeout ends (300 s after its last sign of life unless configured), and runs it \
                 again from the start";
    match findings.details.able_workers.as_slice() {
        [] => format!("start a worker of the server that has this tool: it takes the task over {takes}"),
        [worker] => format!("wait: worker {worker} takes the task over {takes}"),
        several => format!("wait: one of the workers {} takes the task over {takes}", several.join(", ")),
    }
}

/// That no living worker would run the task now, which stands so.
pub(super) fn unknown_to_workers(findings: &mut Findings<'_>, stands: &str) {
    let function = findings.task().component.function();
    let others: Vec<_> = findings.workers.alive().collect();
    let evidence = if others.is_empty() {
        format!("{stands}, and the docket has no living worker for {function}")
    } else {
        format!("{stands}, and none of the living workers ({}) knows {function}", others.join(", "))
    };
    let help = "start a worker of the server that has this tool; a worker of another server on the same docket would \
                end the task without a result";
    findings.add(Cause::NoWorkerKnows, evidence, help);
}

impl Deployment {
    /// Whether a task that ended without a result was ended by a worker that does not know it.
    pub(super) async fn swallowed(&self, task: &DeployedTask) -> FastmcpResult<Option<Diagnosis>> {
        if task.signs.run.has_result || task.status != TaskStatus::Completed {
            return Ok(None);
        }
        let (Some(worker), function) = (&task.worker, task.component.function()) else {
            return Ok(None);
        };
        let known = self.docket.key(&format!("worker-tasks:{}", worker.name));
        let mut reads = redis::pipe();
        reads.cmd("EXISTS").arg(&known).cmd("SISMEMBER").arg(&known).arg(&function);
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let is_told: Option<u64> = replies.next("EXISTS", &mut notes)?;
        let is_known: Option<u64> = replies.next("SISMEMBER", &mut notes)?;
        let is_swallowed = (is_told, is_known) == (Some(1), Some(0));
        Ok(is_swallowed.then(|| Diagnosis {
            task: Some(task.id.clone()),
            cause: Cause::SwallowedElsewhere,
            evidence: format!(
                "it completed without a result on worker {}, which does not know {function}",
                worker.name
            ),
            asked: None,
            help: "give each server a docket of its own (FASTMCP_DOCKET_NAME), and launch the task again"
                .into(),
        }))
    }

    /// Entries that were given out again and again, and whose task never began: their arguments cannot be read,
    /// which kills the worker that tries.
    pub(super) async fn deadly_entries(&self) -> FastmcpResult<Vec<Diagnosis>> {
        let stream = self.docket.key("stream");
        let mut reads = redis::pipe();
        reads.cmd("XPENDING").arg(&stream).arg(GROUP).arg("-").arg("+").arg(LOOKED_AT);
        let taken: Option<Vec<Taken>> = self.link.read(reads).await?.next("XPENDING", &mut Vec::new())?;
        let workers = self.workers().await?;
        let mut taken = taken.unwrap_or_default();
        taken.retain(|(_, worker, ..)| !workers.is_alive(worker));
        let begun = self.begun(&stream, &taken).await?;
        let deadly = taken.into_iter().zip(begun).filter(|(_, has_begun)| !has_begun);
        Ok(deadly.map(|(entry, _)| deadly_entry(&stream, entry)).collect())
    }

    /// Of each entry, whether its run has been claimed.
    async fn begun(&self, stream: &str, taken: &[Taken]) -> FastmcpResult<Vec<bool>> {
        let mut reads = redis::pipe();
        for (entry, ..) in taken {
            reads.cmd("XRANGE").arg(stream).arg(entry).arg(entry);
        }
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let mut reads = redis::pipe();
        for _ in taken {
            let entries: Option<Vec<Entry>> = replies.next("XRANGE", &mut notes)?;
            let fields = entries.and_then(|entries| entries.into_iter().next()).map(|(_, fields)| fields);
            let key = fields.and_then(|mut fields| String::from_utf8(fields.remove("key")?).ok());
            reads.cmd("HGET").arg(self.docket.runs(&key.unwrap_or_default())).arg("started_at");
        }
        let mut replies = self.link.read(reads).await?;
        let has_begun = |_| Ok(replies.next::<String>("HGET", &mut notes)?.is_some());
        taken.iter().map(has_begun).collect()
    }
}

fn deadly_entry(stream: &str, (entry, worker, idle, deliveries): Taken) -> Diagnosis {
    Diagnosis {
        task: None,
        cause: Cause::DeadlyEntry,
        evidence: format!(
            "entry {entry} of {stream} was given to worker {worker}, which died {} ago before the task began; \
             delivered {deliveries} time(s)",
            span(idle)
        ),
        asked: None,
        help: format!(
            "its arguments may be unreadable, which kills each worker that takes it; if so, `redis-cli XACK {stream} \
             {GROUP} {entry}` and `redis-cli XDEL {stream} {entry}` remove it"
        )
        .into(),
    }
}
