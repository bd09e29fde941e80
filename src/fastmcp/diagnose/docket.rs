//! Causes in Docket's queue and at its workers.

use std::collections::BTreeMap;

use super::{Cause, Diagnosis, Findings, span};
use crate::fastmcp::docket::{GROUP, RunState};
use crate::fastmcp::hint::{Help, HelpPart};
use crate::fastmcp::{Deployment, FastmcpResult};
use crate::task::TaskStatus;

/// How many taken entries are looked at.
const LOOKED_AT: usize = 100;

/// A task that waits shorter than that has not been overlooked.
const QUEUED_LONG_MS: i64 = 2000;

/// An entry of the stream that a worker has taken: id, worker, idle milliseconds, deliveries.
type Taken = (String, String, i64, u64);

/// An entry of the stream as it lies there: id, and fields, of which some are pickled.
type Entry = (String, BTreeMap<String, Vec<u8>>);

impl Deployment {
    /// Why a task has not been taken up.
    pub(super) async fn queued(&self, findings: &mut Findings<'_>) -> FastmcpResult<()> {
        let function = findings.task().component.function();
        if findings.details.able_workers.is_empty() {
            let others: Vec<_> = findings.workers.alive().collect();
            let evidence = if others.is_empty() {
                format!("it is queued, and the docket has no living worker for {function}")
            } else {
                format!(
                    "it is queued, and none of the living workers ({}) knows {function}",
                    others.join(", ")
                )
            };
            let help = "start a worker of the server that has this tool; a worker of another server on the same \
                        docket would end the task without a result";
            findings.add(Cause::NoWorkerKnows, evidence, help);
            return Ok(());
        }
        if findings.task().age_ms.unwrap_or_default() < QUEUED_LONG_MS
            || findings.task().signs.run.state == Some(RunState::Scheduled)
        {
            return Ok(());
        }
        let evidence = self.load(&findings.details.able_workers).await?;
        let list = HelpPart::Command {
            verb: "list",
            task: None,
            question: None,
            options: &["--status", "input_required"],
        };
        let after = "), start more workers, or raise FASTMCP_DOCKET_CONCURRENCY: in FastMCP 3 a waiting task keeps its slot";
        let parts = vec![
            HelpPart::Text("answer or cancel what waits (".to_owned()),
            list,
            HelpPart::Text(after.to_owned()),
        ];
        let help = Help { parts };
        findings.add(Cause::WorkersSaturated, evidence, help);
        Ok(())
    }

    /// What those workers are busy with.
    async fn load(&self, able: &[String]) -> FastmcpResult<String> {
        let mut busy: BTreeMap<String, (usize, usize)> =
            able.iter().map(|worker| (worker.clone(), (0, 0))).collect();
        for task in self.list().await?.into_iter().filter(|task| task.state == "running") {
            if let Some((runs, waits)) = task.worker.and_then(|worker| busy.get_mut(&worker.name)) {
                *runs += 1;
                *waits += usize::from(task.status == TaskStatus::InputRequired);
            }
        }
        let words = busy.iter().map(|(worker, (runs, waits))| {
            format!("{worker} runs {runs} task(s), {waits} of them waiting for an answer")
        });
        Ok(format!("it is queued although workers know it: {}", words.collect::<Vec<_>>().join("; ")))
    }

    /// Whether a task that ended without a result was ended by a worker that does not know it.
    pub(super) async fn swallowed(&self, findings: &mut Findings<'_>) -> FastmcpResult<()> {
        let task = findings.task();
        if findings.details.has_result || task.status != TaskStatus::Completed {
            return Ok(());
        }
        let (Some(worker), function) = (task.worker.clone(), task.component.function()) else {
            return Ok(());
        };
        let known = self.docket.key(&format!("worker-tasks:{}", worker.name));
        let mut reads = redis::pipe();
        reads.cmd("EXISTS").arg(&known).cmd("SISMEMBER").arg(&known).arg(&function);
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let is_told: Option<u64> = replies.next("EXISTS", &mut notes)?;
        let is_known: Option<u64> = replies.next("SISMEMBER", &mut notes)?;
        if (is_told, is_known) == (Some(1), Some(0)) {
            findings.add(
                Cause::SwallowedElsewhere,
                format!(
                    "it completed without a result on worker {}, which does not know {function}",
                    worker.name
                ),
                "give each server a docket of its own (FASTMCP_DOCKET_NAME), and launch the task again",
            );
        }
        Ok(())
    }

    /// Entries that were given out again and again, and whose task never began: their arguments cannot be read,
    /// which kills the worker that tries.
    pub(super) async fn deadly_entries(&self) -> FastmcpResult<Vec<Diagnosis>> {
        let stream = self.docket.key("stream");
        let mut reads = redis::pipe();
        reads.cmd("XPENDING").arg(&stream).arg(GROUP).arg("-").arg("+").arg(LOOKED_AT);
        let taken: Option<Vec<Taken>> = self.link.read(reads).await?.next("XPENDING", &mut Vec::new())?;
        let workers = self.workers().await?;
        let mut found = Vec::new();
        for (entry, worker, idle, deliveries) in taken.into_iter().flatten() {
            if workers.is_alive(&worker) || self.has_begun(&stream, &entry).await? {
                continue;
            }
            found.push(Diagnosis {
                task: None,
                cause: Cause::DeadlyEntry,
                evidence: format!(
                    "entry {entry} of {stream} was given to worker {worker}, which died {} ago before the task \
                     began; delivered {deliveries} time(s)",
                    span(idle)
                ),
                help: format!(
                    "its arguments may be unreadable, which kills each worker that takes it; if so, \
                     `redis-cli XACK {stream} {GROUP} {entry}` and `redis-cli XDEL {stream} {entry}` remove it"
                )
                .into(),
            });
        }
        Ok(found)
    }

    /// Whether the run of an entry has been claimed.
    async fn has_begun(&self, stream: &str, entry: &str) -> FastmcpResult<bool> {
        let mut reads = redis::pipe();
        reads.cmd("XRANGE").arg(stream).arg(entry).arg(entry);
        let entries: Option<Vec<Entry>> = self.link.read(reads).await?.next("XRANGE", &mut Vec::new())?;
        let key = entries
            .and_then(|entries| entries.into_iter().next())
            .and_then(|(_, mut fields)| fields.remove("key"));
        let Some(key) = key.and_then(|key| String::from_utf8(key).ok()) else {
            return Ok(false);
        };
        let mut reads = redis::pipe();
        reads.cmd("HGET").arg(self.docket.runs(&key)).arg("started_at");
        let started: Option<String> = self.link.read(reads).await?.next("HGET", &mut Vec::new())?;
        Ok(started.is_some())
    }
}
