//! Links. A file in which nobody ever made one has no table for them, and stays as it was.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteStore;
use super::change::Change;
use super::failure::Failure;
use super::questions;
use super::reading;
use super::row;
use crate::store::StoreResult;
use crate::store::links::{Link, LinkDigest, LinkStore, MAX_LINKS, MAX_QUESTION_LINKS, MAX_TASK_LINKS};
use crate::task::{QuestionId, TaskId};

/// The table.
const SCHEMA: &str = include_str!("links.sql");

#[async_trait]
impl LinkStore for SqliteStore {
    async fn keep_link(&self, digest: &LinkDigest, link: &Link) -> StoreResult<()> {
        let (json, digest, link) = (link.stored()?, digest.clone(), link.clone());
        self.write(move |change| keep(change, &digest, (&link, &json))).await
    }

    async fn find_link(&self, digest: &LinkDigest) -> StoreResult<Option<Link>> {
        let digest = digest.clone();
        self.read(move |connection, namespace| {
            if !is_there(connection)? {
                return Ok(None);
            }
            let sql = "SELECT record FROM link WHERE namespace = ?1 AND digest = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_row(params![namespace, digest.as_str()], |row| reading::word(row, 0));
            Ok(found.optional()?.as_deref().and_then(Link::read))
        })
        .await
    }

    async fn withdraw_links(&self, task: &TaskId, question: Option<&QuestionId>) -> StoreResult<u64> {
        let position = match question.map(QuestionId::position) {
            // No question has such an id.
            Some(None) => return Ok(0),
            Some(Some(position)) => Some(position),
            None => None,
        };
        let task = task.clone();
        self.write(move |change| {
            let row = row::find(change.transaction, change.namespace, &task)?;
            let Some(row) = row else { return Ok(0) };
            if !is_there(change.transaction)? {
                return Ok(0);
            }
            let sql = "DELETE FROM link WHERE task = ?1 AND (?2 IS NULL OR position = ?2)";
            Ok(change.execute(sql, params![row.number, position])? as u64)
        })
        .await
    }
}

/// Whether anybody ever made a link in this file.
fn is_there(connection: &Connection) -> Result<bool, Failure> {
    reading::has_table(connection, "link")
}

fn keep(change: &mut Change, digest: &LinkDigest, (link, json): (&Link, &str)) -> Result<(), Failure> {
    let row = change.load(&link.task)?;
    let position = questions::open(change, &row, (&link.task, &link.question))?.position;
    if !is_there(change.transaction)? {
        change.transaction.execute_batch(SCHEMA)?;
    }
    let (namespace, number) = (change.namespace, row.number);
    let sql = "INSERT OR REPLACE INTO link (namespace, digest, task, position, number, record)
        VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(number), 0) + 1 FROM link WHERE namespace = ?1), ?5)";
    change.execute(sql, params![namespace, digest.as_str(), number, position, json])?;
    // Those beyond the bounds go, the oldest first.
    let sql = "DELETE FROM link WHERE rowid IN (SELECT rowid FROM link WHERE task = ?1 AND position = ?2
        ORDER BY number DESC LIMIT -1 OFFSET ?3)";
    change.execute(sql, params![number, position, MAX_QUESTION_LINKS as i64])?;
    let sql = "DELETE FROM link WHERE rowid IN (SELECT rowid FROM link WHERE task = ?1
        ORDER BY number DESC LIMIT -1 OFFSET ?2)";
    change.execute(sql, params![number, MAX_TASK_LINKS as i64])?;
    let sql = "DELETE FROM link WHERE rowid IN (SELECT rowid FROM link WHERE namespace = ?1
        ORDER BY number DESC LIMIT -1 OFFSET ?2)";
    change.execute(sql, params![namespace, MAX_LINKS as i64]).map(drop)
}
