//! Workers, their leases and their tools.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::super::gate::{self, Kind};
use super::super::{ClaimKey, Rows, StoreError, StoreResult, WorkerDetails, WorkerInfo};
use super::bounds;
use super::change::Change;
use super::endings::{self, End};
use super::failure::{Failure, readable};
use super::reading::{self, word};
use super::row::{self, Row};
use super::sequence;
use crate::task::{ToolSpec, WorkerId};

/// How many tasks of a withdrawn tool one transaction ends, so that none is long.
const ENDED_AT_ONCE: usize = 500;

/// What a worker says when it is enlisted, as it is stored.
pub(super) struct Said {
    /// Names and specifications of its tools.
    tools: Vec<(String, String)>,
    /// [`WorkerDetails`].
    about: String,
}

/// What a worker says, as it is stored; refused where something of it may not be.
pub(super) fn checked(tools: &[ToolSpec], details: Option<&WorkerDetails>) -> StoreResult<Said> {
    let tools = tools.iter().map(|tool| {
        gate::label("tool", &tool.name)?;
        Ok((tool.name.clone(), gate::json(Kind::Tool, tool)?))
    });
    let mut details = details.cloned().unwrap_or_default();
    details.host = details.host.map(|host| gate::reason(&host));
    let about = gate::json(Kind::Tool, &details)?;
    Ok(Said { tools: tools.collect::<StoreResult<_>>()?, about })
}

/// Adds the columns of what workers say of themselves to a file that was made without them.
pub(super) fn add_details(connection: &mut Connection) -> Result<(), Failure> {
    if has_details(connection)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile.
    if !has_details(&transaction)? {
        transaction.execute_batch(
            "ALTER TABLE worker ADD COLUMN since_ms INTEGER; ALTER TABLE worker ADD COLUMN about TEXT;",
        )?;
    }
    Ok(transaction.commit()?)
}

/// Whether the file has the columns of what workers say of themselves.
fn has_details(connection: &Connection) -> Result<bool, Failure> {
    let sql = "SELECT count(*) = 2 FROM pragma_table_info('worker') WHERE name IN ('since_ms', 'about')";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

pub(super) fn enlist(
    change: &mut Change,
    worker: &WorkerId,
    said: &Said,
    lease: Duration,
) -> Result<(), Failure> {
    // One that had left begins anew.
    let sql = "INSERT INTO worker (namespace, id, lease_until_ms, dismissed, since_ms, about)
        VALUES (?1, ?2, ?3, 0, ?4, ?5)
        ON CONFLICT DO UPDATE SET lease_until_ms = ?3, dismissed = 0, about = ?5,
            since_ms = CASE WHEN dismissed = 0 THEN coalesce(since_ms, ?4) ELSE ?4 END";
    let lease_end = change.lease_end(lease);
    let values = params![change.namespace, worker.as_str(), lease_end, change.now_ms(), said.about];
    change.execute(sql, values)?;
    let sql = "DELETE FROM offer WHERE namespace = ?1 AND worker = ?2";
    change.execute(sql, params![change.namespace, worker.as_str()])?;
    let mut changed = 0;
    for (name, record) in &said.tools {
        let sql = "INSERT OR IGNORE INTO offer (namespace, worker, tool) VALUES (?1, ?2, ?3)";
        change.execute(sql, params![change.namespace, worker.as_str(), name])?;
        let sql = "INSERT INTO tool (namespace, name, record) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET record = ?3 WHERE record <> ?3";
        changed += change.execute(sql, params![change.namespace, name, record])?;
    }
    if changed > 0 { tools_changed(change) } else { Ok(()) }
}

/// Has every tail told that the tools are other ones. What is noted is another number than any before, whatever somebody
/// else wrote there since: a time that has not been yet, or one more where that was written already.
fn tools_changed(change: &mut Change) -> Result<(), Failure> {
    let sql = "UPDATE namespace SET tool_changes = CASE WHEN tool_changes BETWEEN 0 AND ?2
        THEN max(tool_changes + 1, ?3) ELSE ?3 END WHERE id = ?1";
    change.execute(sql, [change.namespace, sequence::LAST, change.now_ms()])?;
    change.appended = true;
    Ok(())
}

/// A number that is another one whenever the tools have changed; 0 where they never did.
pub(super) fn tool_changes(connection: &Connection, namespace: i64) -> Result<i64, Failure> {
    let sql = "SELECT tool_changes FROM namespace WHERE id = ?1";
    let changes = connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0)).optional()?;
    Ok(changes.unwrap_or(0))
}

pub(super) fn attribute(change: &Change, source: &str, tools: &[String]) -> Result<Vec<String>, Failure> {
    for tool in tools {
        let sql = "INSERT OR IGNORE INTO source (namespace, name, tool) VALUES (?1, ?2, ?3)";
        change.execute(sql, params![change.namespace, source, tool])?;
    }
    let sql = "DELETE FROM source WHERE namespace = ?1 AND name = ?2
        AND tool NOT IN (SELECT name FROM tool WHERE namespace = ?1)";
    change.execute(sql, params![change.namespace, source])?;
    let sql = "SELECT tool FROM source WHERE namespace = ?1 AND name = ?2";
    let mut statement = change.transaction.prepare_cached(sql)?;
    let noted = statement.query_map(params![change.namespace, source], |row| word(row, 0))?;
    let noted: Vec<String> = noted.collect::<Result<_, _>>()?;
    Ok(noted.into_iter().filter(|tool| !tools.contains(tool)).collect())
}

/// Refuses a worker that has no lease.
pub(super) fn has_lease(
    connection: &Connection,
    namespace: i64,
    worker: &WorkerId,
    now_ms: i64,
) -> Result<(), Failure> {
    let lives = lease_lives();
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM worker
        WHERE namespace = ?1 AND id = ?3 AND {lives} AND dismissed = 0)"
    );
    let values = params![namespace, now_ms, worker.as_str()];
    if connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))? {
        return Ok(());
    }
    Err(StoreError::LeaseEnded { worker: worker.clone() }.into())
}

/// Withdraws one tool, or a part of its tasks: true when there is more to end. The tool is forgotten with the last of
/// them, so that a process that dies between two parts leaves a tool that is still to be withdrawn.
pub(super) fn withdraw(change: &mut Change, tool: &str, end: &End) -> Result<bool, Failure> {
    if offered(change, tool)? {
        return Ok(false);
    }
    let mut waiting = waiting(change, tool)?;
    for row in &mut waiting {
        endings::conclude(change, row, end)?;
    }
    if waiting.len() == ENDED_AT_ONCE {
        return Ok(true);
    }
    let sql = "DELETE FROM tool WHERE namespace = ?1 AND name = ?2";
    if change.execute(sql, params![change.namespace, tool])? > 0 {
        tools_changed(change)?;
    }
    Ok(false)
}

/// Unfinished tasks of a tool that no worker holds.
fn waiting(change: &Change, tool: &str) -> Result<Vec<Row>, Failure> {
    let sql = format!(
        "SELECT {} FROM task WHERE namespace = ?1 AND hidden IN (0, 1) AND tool = ?2
        AND worker IS NULL AND status NOT IN ('completed', 'failed', 'cancelled') LIMIT ?3",
        row::COLUMNS
    );
    let mut statement = change.transaction.prepare_cached(&sql)?;
    let rows = statement.query_map(params![change.namespace, tool, ENDED_AT_ONCE as i64], Row::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a worker with a lease runs the tool.
fn offered(change: &Change, tool: &str) -> Result<bool, Failure> {
    let lives = lease_lives();
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM offer JOIN worker
            ON worker.namespace = offer.namespace AND worker.id = offer.worker
        WHERE offer.namespace = ?1 AND offer.tool = ?3 AND {lives} AND dismissed = 0)"
    );
    let values = params![change.namespace, change.now_ms(), tool];
    Ok(change.transaction.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?)
}

pub(super) fn renew(change: &Change, worker: &WorkerId, lease: Duration) -> Result<bool, Failure> {
    let sql = "UPDATE worker SET lease_until_ms = ?3 WHERE namespace = ?1 AND id = ?2 AND dismissed = 0";
    Ok(change.execute(sql, params![change.namespace, worker.as_str(), change.lease_end(lease)])? > 0)
}

pub(super) fn touch(change: &Change) -> Result<(), Failure> {
    let sql = "UPDATE worker SET dismissed = dismissed WHERE namespace = ?1";
    change.execute(sql, params![change.namespace])?;
    Ok(())
}

pub(super) fn dismiss(change: &Change, worker: &WorkerId) -> Result<(), Failure> {
    let sql = "UPDATE worker SET lease_until_ms = 0, dismissed = 1 WHERE namespace = ?1 AND id = ?2";
    change.execute(sql, params![change.namespace, worker.as_str()])?;
    Ok(())
}

/// Forgets the workers whose lease ended and who hold nothing any more.
pub(super) fn forget(change: &Change) -> Result<(), Failure> {
    let sql = format!("DELETE FROM worker WHERE {}", is_idle());
    change.execute(&sql, params![change.namespace, change.now_ms()])?;
    let sql = "DELETE FROM offer WHERE namespace = ?1
        AND worker NOT IN (SELECT id FROM worker WHERE namespace = ?1)";
    change.execute(sql, [change.namespace])?;
    Ok(())
}

/// Whether there is anybody to forget.
pub(super) fn any_to_forget(connection: &Connection, namespace: i64, now_ms: i64) -> Result<bool, Failure> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM worker WHERE {})", is_idle());
    Ok(connection.prepare_cached(&sql)?.query_row(params![namespace, now_ms], |row| row.get(0))?)
}

/// The condition that a worker's lease lives at ?2. One that would end later than any that this program gives is none:
/// who lives renews it, and who does not would hold its tasks for ever.
pub(super) fn lease_lives() -> String {
    let longest = bounds::LONGEST_LEASE_MS;
    format!("worker.lease_until_ms > ?2 AND worker.lease_until_ms <= ?2 + {longest}")
}

/// The condition that a worker's lease does not live at ?2, and that nothing is held.
fn is_idle() -> String {
    let lives = lease_lives();
    format!(
        "worker.namespace = ?1 AND NOT ({lives}) AND NOT EXISTS
        (SELECT 1 FROM task WHERE task.namespace = ?1 AND task.worker = worker.id)"
    )
}

pub(super) fn workers(
    connection: &Connection,
    namespace: i64,
    now_ms: i64,
) -> Result<Rows<WorkerInfo>, Failure> {
    // A file that only processes of an older version wrote to lacks them.
    let said = if has_details(connection)? { "since_ms, about" } else { "NULL, NULL" };
    let sql = format!(
        "SELECT id, lease_until_ms,
            (SELECT count(*) FROM task WHERE task.namespace = ?1 AND task.worker = worker.id), {said}
        FROM worker WHERE namespace = ?1 AND dismissed = 0 ORDER BY id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([namespace])?;
    let mut workers = Rows::default();
    while let Some(row) = found.next()? {
        let name = word(row, 0)?;
        let tools = offers(connection, namespace, &name)?;
        let (lease_until_ms, tasks) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        let lease_ms = lease_until_ms.saturating_sub(now_ms);
        let info = if lease_ms > bounds::LONGEST_LEASE_MS {
            Err(format!("its lease would end at {lease_until_ms} ms, which no lease does"))
        } else {
            let id = WorkerId::try_from(name.clone()).map_err(|error| error.to_string());
            let (details, since) = details(row);
            id.map(|id| WorkerInfo { id, tools, lease_ms, tasks: tasks.unsigned_abs(), details, since })
        };
        workers.take(name, info);
    }
    Ok(workers)
}

/// What a worker said of itself, and when it was enlisted. What is not there, or cannot be read, is unknown: it is a
/// worker all the same.
fn details(row: &rusqlite::Row) -> (WorkerDetails, Option<Timestamp>) {
    let about = row.get::<_, String>(4).ok().and_then(|about| serde_json::from_str(&about).ok());
    let since = row.get::<_, i64>(3).ok().and_then(|since| Timestamp::from_millisecond(since).ok());
    (about.unwrap_or_default(), since)
}

/// The tools that a worker runs.
fn offers(connection: &Connection, namespace: i64, worker: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT tool FROM offer WHERE namespace = ?1 AND worker = ?2 ORDER BY tool";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![namespace, worker], |row| word(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn claims(
    connection: &Connection,
    namespace: i64,
    worker: &WorkerId,
) -> Result<Vec<ClaimKey>, Failure> {
    let sql = "SELECT id, attempt FROM task INDEXED BY task_by_worker WHERE namespace = ?1 AND worker = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![namespace, worker.as_str()])?;
    let mut claims = Vec::new();
    while let Some(row) = rows.next()? {
        let claim = (|| Ok(ClaimKey { task: reading::task_id(word(row, 0)?)?, attempt: row.get(1)? }))();
        // What is no id cannot be claimed, so nobody holds it by that name.
        claims.extend(readable(claim)?.ok());
    }
    Ok(claims)
}

pub(super) fn tools(connection: &Connection, namespace: i64) -> Result<Rows<ToolSpec>, Failure> {
    let sql = "SELECT name, record FROM tool WHERE namespace = ?1 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    let mut tools = Rows::default();
    while let Some(row) = rows.next()? {
        let name = word(row, 0)?;
        tools.take(name.clone(), tool(&name, &word(row, 1)?));
    }
    Ok(tools)
}

/// A tool's specification, which has to be that of the tool by whose name it is found.
fn tool(name: &str, record: &str) -> Result<ToolSpec, String> {
    let spec: ToolSpec = serde_json::from_str(record).map_err(|error| error.to_string())?;
    if spec.name == name { Ok(spec) } else { Err(format!("its record is that of {:?}", spec.name)) }
}
