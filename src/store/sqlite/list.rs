//! The verb list: pages of tasks, each read straight off one index.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::{Page, PageCursor, TaskFilter};
use super::fault::Fault;
use crate::task::Task;

pub(super) fn list(
    connection: &Connection,
    namespace: i64,
    (filter, after): (&TaskFilter, Option<&PageCursor>),
    most: usize,
) -> Result<Page, Fault> {
    let (sql, mut values) = query(filter, after);
    values.insert(0, namespace.into());
    // One more than asked for tells whether there is another page.
    values.insert(1, (most as i64).saturating_add(1).into());
    let mut tasks: Vec<Task> = super::reading::records(connection, &sql, params_from_iter(values))?;
    let more = tasks.len() > most;
    tasks.truncate(most);
    let next = tasks.last().filter(|_| more).map(PageCursor::at);
    Ok(Page { tasks, next })
}

/// The query and its values from ?3 on; ?1 is the namespace and ?2 the most rows.
fn query(filter: &TaskFilter, after: Option<&PageCursor>) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(format!(" AND {condition} ?{}", values.len() + 2));
    };
    if let Some(session) = &filter.session {
        add("session =", session.as_str().to_owned().into());
    }
    if let Some(scope) = &filter.scope {
        add("scope =", scope.as_str().to_owned().into());
    }
    if let Some(status) = filter.status {
        add("status =", status.as_str().to_owned().into());
    }
    if let Some(tool) = &filter.tool {
        add("tool =", tool.clone().into());
    }
    let (beyond, order) = if filter.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    if let Some(after) = after {
        values.extend([after.created_ms.into(), after.task.as_str().to_owned().into()]);
        let last = values.len() + 2;
        conditions.push(format!(" AND (created_ms, id) {beyond} (?{}, ?{last})", last - 1));
    }
    let conditions = conditions.concat();
    let part = |hidden: u8| {
        let index = index(filter);
        format!(
            "SELECT record, created_ms, id FROM tasks INDEXED BY {index}
             WHERE namespace = ?1 AND hidden = {hidden}{conditions}"
        )
    };
    // Each part comes in order from its index, and SQLite merges the two without sorting.
    let hidden = if filter.hidden { format!(" UNION ALL {}", part(1)) } else { String::new() };
    (format!("{}{hidden} ORDER BY created_ms {order}, id {order} LIMIT ?2", part(0)), values)
}

/// The index that leaves the fewest tasks to walk over. It is named to SQLite, which would otherwise guess.
fn index(filter: &TaskFilter) -> &'static str {
    match filter {
        TaskFilter { session: Some(_), .. } => "tasks_by_session",
        TaskFilter { tool: Some(_), .. } => "tasks_by_tool",
        TaskFilter { scope: Some(_), status: Some(_), .. } => "tasks_by_scope_and_status",
        TaskFilter { scope: Some(_), .. } => "tasks_by_scope",
        TaskFilter { status: Some(_), .. } => "tasks_by_status",
        _ => "tasks_by_time",
    }
}
