//! Workers, their leases and their tools.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::super::{ClaimKey, WorkerInfo};
use super::change::Change;
use super::fault::Fault;
use crate::task::{Outcome, RpcError, Task, ToolSpec, WorkerId};

pub(super) fn enlist(
    change: &mut Change,
    worker: &WorkerId,
    tools: &[ToolSpec],
    lease: Duration,
) -> Result<(), Fault> {
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let sql =
        "INSERT INTO workers (namespace, id, tools, lease_until_ms, dismissed) VALUES (?1, ?2, ?3, ?4, 0)
        ON CONFLICT DO UPDATE SET tools = ?3, lease_until_ms = ?4, dismissed = 0";
    let values =
        params![change.namespace, worker.as_str(), serde_json::to_string(&names)?, change.after(lease)];
    change.transaction.prepare_cached(sql)?.execute(values)?;
    let sql = "INSERT INTO tools (namespace, name, record) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET record = ?3 WHERE record <> ?3";
    let mut changed = 0;
    for tool in tools {
        let values = params![change.namespace, tool.name, serde_json::to_string(tool)?];
        changed += change.transaction.prepare_cached(sql)?.execute(values)?;
    }
    if changed > 0 { tools_changed(change) } else { Ok(()) }
}

/// Has every tail told that the tools are other ones.
fn tools_changed(change: &mut Change) -> Result<(), Fault> {
    let sql = "UPDATE namespaces SET tool_changes = tool_changes + 1 WHERE id = ?1";
    change.transaction.prepare_cached(sql)?.execute([change.namespace])?;
    change.appended = true;
    Ok(())
}

/// How often the tools have changed.
pub(super) fn tool_changes(connection: &Connection, namespace: i64) -> Result<i64, Fault> {
    let sql = "SELECT tool_changes FROM namespaces WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0))?)
}

pub(super) fn attribute(change: &Change, source: &str, tools: &[String]) -> Result<Vec<String>, Fault> {
    for tool in tools {
        let sql = "INSERT OR IGNORE INTO sources (namespace, source, tool) VALUES (?1, ?2, ?3)";
        change.transaction.prepare_cached(sql)?.execute(params![change.namespace, source, tool])?;
    }
    let sql = "DELETE FROM sources WHERE namespace = ?1 AND source = ?2
        AND tool NOT IN (SELECT name FROM tools WHERE namespace = ?1)";
    change.transaction.execute(sql, params![change.namespace, source])?;
    let sql = "SELECT tool FROM sources WHERE namespace = ?1 AND source = ?2";
    let mut statement = change.transaction.prepare_cached(sql)?;
    let noted = statement.query_map(params![change.namespace, source], |row| row.get(0))?;
    let noted: Vec<String> = noted.collect::<Result<_, _>>()?;
    Ok(noted.into_iter().filter(|tool| !tools.contains(tool)).collect())
}

/// Notes a worker that claims without being on the list, or it would never be found that its claims are
/// nobody's.
pub(super) fn remember(change: &Change, worker: &WorkerId) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO workers (namespace, id, tools, lease_until_ms, dismissed)
        VALUES (?1, ?2, '[]', 0, 1)";
    change.transaction.prepare_cached(sql)?.execute(params![change.namespace, worker.as_str()])?;
    Ok(())
}

pub(super) fn withdraw(change: &mut Change, tools: &[String], error: &RpcError) -> Result<(), Fault> {
    for tool in tools {
        if offered(change, tool)? {
            continue;
        }
        let sql = "DELETE FROM tools WHERE namespace = ?1 AND name = ?2";
        if change.transaction.execute(sql, params![change.namespace, tool])? > 0 {
            tools_changed(change)?;
        }
        let sql = "SELECT record FROM tasks WHERE namespace = ?1 AND hidden IN (0, 1) AND tool = ?2
            AND worker IS NULL AND status IN ('working', 'input_required')";
        let waiting: Vec<Task> =
            super::reading::records(change.transaction, sql, params![change.namespace, tool])?;
        for task in waiting {
            let stored = change.load(task.id())?;
            super::endings::conclude(change, stored, Outcome::Error(error.clone()))?;
        }
    }
    Ok(())
}

/// Whether a worker with a lease runs the tool.
fn offered(change: &Change, tool: &str) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM workers, json_each(workers.tools) AS named
        WHERE workers.namespace = ?1 AND lease_until_ms > ?2 AND dismissed = 0 AND named.value = ?3)";
    let values = params![change.namespace, change.now.as_millisecond(), tool];
    Ok(change.transaction.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

pub(super) fn renew(change: &Change, worker: &WorkerId, lease: Duration) -> Result<bool, Fault> {
    let sql = "UPDATE workers SET lease_until_ms = ?3 WHERE namespace = ?1 AND id = ?2 AND dismissed = 0";
    let values = params![change.namespace, worker.as_str(), change.after(lease)];
    Ok(change.transaction.prepare_cached(sql)?.execute(values)? > 0)
}

pub(super) fn dismiss(change: &Change, worker: &WorkerId) -> Result<(), Fault> {
    let sql = "UPDATE workers SET lease_until_ms = 0, dismissed = 1 WHERE namespace = ?1 AND id = ?2";
    change.transaction.execute(sql, params![change.namespace, worker.as_str()])?;
    Ok(())
}

/// Forgets the workers whose lease ended and who hold nothing any more.
pub(super) fn forget(change: &Change) -> Result<(), Fault> {
    let sql = format!("DELETE FROM workers {IDLE}");
    change.transaction.execute(&sql, params![change.namespace, change.now.as_millisecond()])?;
    Ok(())
}

/// Whether there is anybody to forget.
pub(super) fn any_to_forget(connection: &Connection, namespace: i64, now_ms: i64) -> Result<bool, Fault> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM workers {IDLE})");
    Ok(connection.prepare_cached(&sql)?.query_row(params![namespace, now_ms], |row| row.get(0))?)
}

/// The lease ended by ?2, and nothing is held.
const IDLE: &str = "WHERE namespace = ?1 AND lease_until_ms <= ?2 AND NOT EXISTS
    (SELECT 1 FROM tasks WHERE tasks.namespace = ?1 AND tasks.worker = workers.id)";

pub(super) fn workers(
    connection: &Connection,
    namespace: i64,
    now_ms: i64,
) -> Result<Vec<WorkerInfo>, Fault> {
    let sql = "SELECT id, tools, lease_until_ms,
            (SELECT count(*) FROM tasks WHERE tasks.namespace = ?1 AND tasks.worker = workers.id)
        FROM workers WHERE namespace = ?1 AND dismissed = 0 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    let mut workers = Vec::new();
    while let Some(row) = rows.next()? {
        workers.push(WorkerInfo {
            id: super::reading::worker_id(row.get(0)?)?,
            tools: serde_json::from_str(&row.get::<_, String>(1)?)?,
            lease_ms: row.get::<_, i64>(2)?.saturating_sub(now_ms),
            tasks: row.get::<_, i64>(3)? as u64,
        });
    }
    Ok(workers)
}

pub(super) fn claims(
    connection: &Connection,
    namespace: i64,
    worker: &WorkerId,
) -> Result<Vec<ClaimKey>, Fault> {
    let sql = "SELECT id, json_extract(record, '$.attempt') FROM tasks INDEXED BY tasks_by_worker
        WHERE namespace = ?1 AND worker = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![namespace, worker.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (task, attempt) = row?;
        Ok(ClaimKey { task: super::reading::task_id(task)?, attempt })
    })
    .collect()
}

pub(super) fn tools(connection: &Connection, namespace: i64) -> Result<Vec<ToolSpec>, Fault> {
    let sql = "SELECT record FROM tools WHERE namespace = ?1 ORDER BY name";
    super::reading::records(connection, sql, params![namespace])
}
