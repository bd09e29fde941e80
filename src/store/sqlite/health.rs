//! What can be wrong with the file itself, for `doctor`.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::super::{Refusal, StoreError, StoreResult, Trouble};
use super::failure::{Failure, barred};
use super::{SqliteStore, keep, sequence};

/// Less than this free on the disk is worth saying: a day of a busy store is more.
const NEARLY_FULL: u64 = 100 * 1024 * 1024;

/// With less than this free, no write of a page and its copy in the log is sure to fit.
const FULL: u64 = 64 * 1024;

impl SqliteStore {
    /// All that is wrong.
    pub(super) async fn troubles(&self) -> StoreResult<Vec<Trouble>> {
        let mut troubles = Vec::new();
        if let Some(trouble) = self.refusal().await? {
            troubles.push(trouble);
        }
        troubles.extend(nearly_full(self.shared.path()));
        match self.read_now(keep::troubles).await {
            Ok(found) => troubles.extend(found),
            // It was said above.
            Err(StoreError::Refuses { .. } | StoreError::Unreachable { .. }) => {}
            Err(error) => return Err(error),
        }
        match self.read(written_by_others).await {
            Ok(found) => troubles.extend(found),
            // It was said above.
            Err(StoreError::Refuses { .. } | StoreError::Unreachable { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(troubles)
    }

    /// What the file says to a write. None is made: the transaction is given up.
    async fn refusal(&self) -> StoreResult<Option<Trouble>> {
        let shared = std::sync::Arc::clone(&self.shared);
        let job = move |connection: &mut Connection| {
            shared.check()?;
            if connection.is_readonly("main")? {
                return Ok(true);
            }
            connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            Ok(false)
        };
        let (cause, problem, advice) = match self.writer.run(job).await {
            Ok(false) => return Ok(None),
            Ok(true) => {
                let refusal = barred(self.shared.path()).unwrap_or(Refusal::ReadOnly);
                let problem = if refusal == Refusal::FileNotPermitted {
                    "the file may only be read by this user"
                } else {
                    "the file may only be read here"
                };
                ("store_read_only", problem.to_owned(), refusal.advice().to_owned())
            }
            Err(StoreError::Refuses { refusal, problem, .. }) => {
                ("store_refuses_writes", problem, refusal.advice().to_owned())
            }
            Err(StoreError::Unreachable { problem, .. }) => {
                ("store_refuses_writes", problem, "look at the file, its directory and its disk".to_owned())
            }
            Err(error) => return Err(error),
        };
        Ok(Some(Trouble { cause, problem, advice }))
    }
}

fn nearly_full(path: &Path) -> Option<Trouble> {
    let disk = rustix::fs::statvfs(path).ok()?;
    room(disk.f_bavail.saturating_mul(disk.f_frsize), path)
}

fn room(free: u64, path: &Path) -> Option<Trouble> {
    let (cause, problem) = if free < FULL {
        ("store_refuses_writes", format!("the disk of {} is full", path.display()))
    } else if free < NEARLY_FULL {
        let problem = format!("{} MiB are free on the disk of {}", free / 1024 / 1024, path.display());
        ("store_nearly_full", problem)
    } else {
        return None;
    };
    Some(Trouble { cause, problem, advice: "make room on it".to_owned() })
}

/// What is stored that this program did not write so.
fn written_by_others(connection: &Connection, namespace: i64) -> Result<Vec<Trouble>, Failure> {
    let mut found: Vec<Trouble> = unreadable(connection, namespace)?.into_iter().collect();
    found.extend(strange(connection, namespace)?);
    found.extend(miscounted(connection, namespace)?);
    Ok(found)
}

/// Tasks that were found to be unreadable.
fn unreadable(connection: &Connection, namespace: i64) -> Result<Option<Trouble>, Failure> {
    let sql = "SELECT count(*), min(id) FROM task INDEXED BY task_unreadable
        WHERE namespace = ?1 AND problem IS NOT NULL AND status NOT IN ('completed', 'failed', 'cancelled')";
    let (count, first) = connection
        .query_row(sql, [namespace], |row| Ok((row.get::<_, i64>(0)?, super::reading::word(row, 1)?)))?;
    Ok((count > 0).then(|| Trouble {
        cause: "tasks_unreadable",
        problem: format!("{count} tasks cannot be read, {first} among them"),
        advice: "show one to see why; cancel what nobody needs".to_owned(),
    }))
}

/// Events that stand where the log has no place.
fn strange(connection: &Connection, namespace: i64) -> Result<Option<Trouble>, Failure> {
    Ok(sequence::strange(connection, namespace)?.map(|(count, one)| Trouble {
        cause: "events_out_of_place",
        problem: format!("the log has no place for {count} of the events, one of them at {one}"),
        advice: "somebody else wrote them; they are passed over, and harm nothing".to_owned(),
    }))
}

/// Scopes whose tasks are other ones than is noted of them.
fn miscounted(connection: &Connection, namespace: i64) -> Result<Option<Trouble>, Failure> {
    let sql = "SELECT count(*), min(name) FROM scope
        LEFT JOIN (SELECT scope AS owner, sum(status IN ('working', 'input_required')) AS more,
                sum(status IN ('completed', 'failed', 'cancelled')) AS done
            FROM task WHERE namespace = ?1 GROUP BY scope) ON owner = name
        WHERE namespace = ?1 AND (unfinished <> coalesce(more, 0) OR finished <> coalesce(done, 0))";
    let (count, first) = connection
        .query_row(sql, [namespace], |row| Ok((row.get::<_, i64>(0)?, super::reading::word(row, 1)?)))?;
    Ok((count > 0).then(|| Trouble {
        cause: "scopes_miscounted",
        problem: format!("scopes with other numbers of tasks than is noted: {count}, {first} among them"),
        advice: "somebody else wrote there; they are counted anew before a task is refused or deleted for it"
            .to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_refuses_writes_and_one_with_little_room_may_soon() {
        let cause = |free| room(free, Path::new("tasks.db")).map(|trouble| trouble.cause);
        assert_eq!(cause(0), Some("store_refuses_writes"));
        assert_eq!(cause(50 * 1024 * 1024), Some("store_nearly_full"));
        assert_eq!(cause(NEARLY_FULL), None);
    }
}
