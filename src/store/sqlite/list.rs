//! The verb list: pages of tasks, each read straight off one index.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::{MAX_PAGE_BYTES, Page, PageCursor, TaskFilter, Unreadable};
use super::failure::{Failure, readable};
use super::reading::{Whole, columns};
use super::row::Row;
use crate::task::TaskId;

/// The most tasks that are named though they are on no page.
const MOST_OF_NEITHER: usize = 100;

pub(super) fn list(
    connection: &Connection,
    namespace: i64,
    (filter, after): (&TaskFilter, Option<&PageCursor>),
    most: usize,
) -> Result<Page, Failure> {
    let (sql, mut values) = query(filter, after);
    values.insert(0, namespace.into());
    let strange = if after.is_none() { neither(connection, namespace, filter)? } else { Vec::new() };
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut page, mut named, mut bytes) = (Page { unreadable: strange, ..Page::default() }, 0, 0);
    let mut end = None;
    while let Some(row) = rows.next()? {
        // One more than there is room for tells that there is another page.
        if named == most || bytes > MAX_PAGE_BYTES {
            page.next = end;
            break;
        }
        let whole = Whole::read(row)?;
        let (name, created_ms) = (whole.row.id.clone(), whole.row.created_ms);
        match readable(whole.task(connection))? {
            Ok((task, size)) => {
                bytes += size;
                page.tasks.push(task);
            }
            Err(problem) => page.unreadable.push(Unreadable { name: name.clone(), problem }),
        }
        // What has no id can end no page, so it does not count.
        if let Ok(task) = TaskId::try_from(name) {
            named += 1;
            end = Some(PageCursor { created_ms, task });
        }
    }
    Ok(page)
}

/// The query and its values from ?2 on; ?1 is the namespace.
fn query(filter: &TaskFilter, after: Option<&PageCursor>) -> (String, Vec<Value>) {
    let (mut conditions, mut values) = conditions(filter);
    let (beyond, order) = if filter.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    if let Some(after) = after {
        values.extend([after.created_ms.into(), after.task.as_str().to_owned().into()]);
        let last = values.len() + 1;
        conditions.push(format!(" AND (created_ms, id) {beyond} (?{}, ?{last})", last - 1));
    }
    let conditions = conditions.concat();
    // Each part comes in order from its index, and SQLite merges the two without sorting.
    let hidden = if filter.hidden { part(filter, "= 1", &conditions) } else { String::new() };
    let union = if filter.hidden { " UNION ALL " } else { "" };
    let shown = part(filter, "= 0", &conditions);
    (format!("{shown}{union}{hidden} ORDER BY created_ms {order}, id {order}"), values)
}

/// What the filter asks for, and its values from ?2 on.
fn conditions(filter: &TaskFilter) -> (Vec<String>, Vec<Value>) {
    let (mut conditions, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut add = |column: &str, value: Option<String>| {
        if let Some(value) = value {
            values.push(value.into());
            conditions.push(format!(" AND {column} = ?{}", values.len() + 1));
        }
    };
    add("session", filter.session.as_ref().map(|session| session.as_str().to_owned()));
    add("scope", filter.scope.as_ref().map(|scope| scope.as_str().to_owned()));
    add("status", filter.status.map(|status| status.as_str().to_owned()));
    add("tool", filter.tool.clone());
    (conditions, values)
}

/// Tasks of which nobody can say whether they are to be shown, since somebody else wrote something else there. They are
/// on the first page.
fn neither(connection: &Connection, namespace: i64, filter: &TaskFilter) -> Result<Vec<Unreadable>, Failure> {
    let (conditions, mut values) = conditions(filter);
    values.insert(0, namespace.into());
    let mut found = Vec::new();
    for hidden in ["< 0", "> 1"] {
        let sql = format!("{} LIMIT {MOST_OF_NEITHER}", part(filter, hidden, &conditions.concat()));
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&values))?;
        while let Some(row) = rows.next()? {
            let row = Row::read(row)?;
            found.extend(row.problem.map(|problem| Unreadable { name: row.id, problem }));
        }
    }
    Ok(found)
}

/// The tasks whose `hidden` is that, and what else is asked for.
fn part(filter: &TaskFilter, hidden: &str, conditions: &str) -> String {
    let (columns, index) = (columns(), index(filter));
    format!(
        "SELECT {columns} FROM task INDEXED BY {index} WHERE namespace = ?1 AND hidden {hidden}{conditions}"
    )
}

/// The index that leaves the fewest tasks to walk over. It is named to SQLite, which would otherwise guess.
fn index(filter: &TaskFilter) -> &'static str {
    match filter {
        TaskFilter { session: Some(_), .. } => "task_by_session",
        TaskFilter { tool: Some(_), .. } => "task_by_tool",
        TaskFilter { scope: Some(_), status: Some(_), .. } => "task_by_scope_and_status",
        TaskFilter { scope: Some(_), .. } => "task_by_scope",
        TaskFilter { status: Some(_), .. } => "task_by_status",
        _ => "task_by_time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Scope, TaskId, TaskStatus};

    fn filters() -> Vec<TaskFilter> {
        let mut filters = Vec::new();
        for bits in 0..64_u8 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            filters.push(TaskFilter {
                scope: has(0).then(Scope::anonymous),
                session: has(1).then(|| "s1".parse().expect("a session id")),
                status: has(2).then_some(TaskStatus::Working),
                tool: has(3).then(|| "dinner".to_owned()),
                hidden: has(4),
                oldest_first: has(5),
            });
        }
        filters
    }

    #[test]
    fn every_page_is_read_off_an_index_without_sorting() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(include_str!("schema.sql")).expect("migrates");
        let after = PageCursor { created_ms: 5, task: TaskId::generate() };
        for filter in filters() {
            for after in [None, Some(&after)] {
                let (sql, mut values) = query(&filter, after);
                values.insert(0, 1.into());
                let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("is SQL");
                let steps = plan.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
                for step in steps.expect("explains").map(|step| step.expect("a step")) {
                    let reads = step.starts_with("SCAN") || step.contains("B-TREE");
                    assert!(!reads, "{step} for {filter:?}");
                    assert!(!step.starts_with("SEARCH") || step.contains("USING INDEX"), "{step}");
                }
            }
        }
    }
}
