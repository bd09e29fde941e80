//! Notifiers. A file on which nobody ever ran one has no tables for them, and stays as it was.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteStore;
use super::change::Change;
use super::failure::Failure;
use super::reading::{self, word};
use crate::store::gate::{self, Kind};
use crate::store::notifiers::{
    Delivery, DeliveryState, Hold, LONGEST_NOTIFIER_LEASE, NotifierCursors, NotifierInfo, NotifierLease,
    NotifierStep, NotifierStore, lease_left,
};
use crate::store::{Rows, StoreResult};

/// The tables.
const SCHEMA: &str = include_str!("notifiers.sql");

/// A delivery with what is stored of it.
type Stored = (Delivery, String);

fn stored(deliveries: &[Delivery]) -> StoreResult<Vec<Stored>> {
    let one = |delivery: &Delivery| Ok((delivery.clone(), gate::json(Kind::Delivery, delivery)?));
    deliveries.iter().map(one).collect()
}

#[async_trait]
impl NotifierStore for SqliteStore {
    async fn hold(&self, name: &str, lease: &NotifierLease, begin: NotifierCursors) -> StoreResult<Hold> {
        gate::label("the notifier", name)?;
        let (name, lease) = (name.to_owned(), lease.clone());
        self.write(move |change| hold(change, &name, &lease, begin)).await
    }

    async fn settle(&self, name: &str, holder: &str, step: &NotifierStep) -> StoreResult<bool> {
        let (waiting, aside) = (stored(&step.waiting)?, stored(&step.set_aside)?);
        let status = gate::json(Kind::Delivery, &step.status)?;
        let (name, holder, gone, cursors) =
            (name.to_owned(), holder.to_owned(), step.gone.clone(), step.cursors);
        self.write(move |change| {
            if !is_held(change.transaction, change.namespace, (&name, &holder))? {
                return Ok(false);
            }
            let sql = "UPDATE notifier SET events = ?3, unanswered = ?4, status = ?5 WHERE namespace = ?1 AND name = ?2";
            let (events, unanswered) = (cursors.events.to_string(), cursors.unanswered.to_string());
            change.execute(sql, params![change.namespace, name, events, unanswered, status])?;
            waiting.iter().try_for_each(|one| put(change, &name, (one, false)))?;
            aside.iter().try_for_each(|one| put(change, &name, (one, true)))?;
            let sql = "DELETE FROM delivery WHERE namespace = ?1 AND notifier = ?2 AND id = ?3";
            for id in &gone {
                change.execute(sql, params![change.namespace, name, id])?;
            }
            Ok(true)
        })
        .await
    }

    async fn release(&self, name: &str, holder: &str) -> StoreResult<()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |change| {
            if !is_there(change.transaction)? {
                return Ok(());
            }
            let sql = "UPDATE notifier SET holder = '', until_ms = 0 WHERE namespace = ?1 AND name = ?2 AND holder = ?3";
            change.execute(sql, params![change.namespace, name, holder]).map(drop)
        })
        .await
    }

    async fn notifiers(&self) -> StoreResult<Rows<NotifierInfo>> {
        self.read_now(notifiers).await
    }

    async fn deliveries(&self, name: &str, state: DeliveryState, most: usize) -> StoreResult<Rows<Delivery>> {
        let name = name.to_owned();
        self.read(move |connection, namespace| deliveries(connection, namespace, (&name, state), most)).await
    }

    async fn wait_again(&self, name: &str, deliveries: &[Delivery]) -> StoreResult<u64> {
        let (name, deliveries) = (name.to_owned(), stored(deliveries)?);
        self.write(move |change| wait_again(change, &name, &deliveries)).await
    }

    async fn forget(&self, name: &str) -> StoreResult<bool> {
        let name = name.to_owned();
        self.write(move |change| {
            if !is_there(change.transaction)? {
                return Ok(false);
            }
            let sql = "DELETE FROM notifier WHERE namespace = ?1 AND name = ?2
                AND NOT (holder != '' AND until_ms > ?3 AND until_ms <= ?4)";
            let (now, longest) = (change.now_ms(), change.after(LONGEST_NOTIFIER_LEASE));
            let is_gone = change.execute(sql, params![change.namespace, name, now, longest])? > 0;
            if is_gone {
                let sql = "DELETE FROM delivery WHERE namespace = ?1 AND notifier = ?2";
                change.execute(sql, params![change.namespace, name])?;
            }
            Ok(is_gone)
        })
        .await
    }
}

/// Whether anybody ever ran a notifier on this file.
fn is_there(connection: &Connection) -> Result<bool, Failure> {
    reading::has_table(connection, "delivery")
}

fn is_held(connection: &Connection, namespace: i64, (name, holder): (&str, &str)) -> Result<bool, Failure> {
    if !is_there(connection)? {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM notifier WHERE namespace = ?1 AND name = ?2 AND holder = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![namespace, name, holder], |_| Ok(())).optional()?.is_some())
}

/// A notifier's row, as far as it is asked for here.
struct Known {
    holder: String,
    until_ms: i64,
    about: String,
    cursors: Option<NotifierCursors>,
    revision: i64,
}

fn known(change: &Change, name: &str) -> Result<Option<Known>, Failure> {
    let sql = "SELECT holder, until_ms, about, events, unanswered, revision FROM notifier
        WHERE namespace = ?1 AND name = ?2";
    let mut statement = change.transaction.prepare_cached(sql)?;
    let row = statement.query_row(params![change.namespace, name], |row| {
        Ok(Known {
            holder: row.get(0)?,
            until_ms: row.get(1)?,
            about: row.get(2)?,
            cursors: NotifierCursors::parse(&row.get::<_, String>(3)?, &row.get::<_, String>(4)?),
            revision: row.get(5)?,
        })
    });
    Ok(row.optional()?)
}

fn hold(
    change: &mut Change,
    name: &str,
    lease: &NotifierLease,
    begin: NotifierCursors,
) -> Result<Hold, Failure> {
    if !is_there(change.transaction)? {
        change.transaction.execute_batch(SCHEMA)?;
    }
    let known = known(change, name)?;
    if let Some(other) =
        known.as_ref().filter(|known| !known.holder.is_empty() && known.holder != lease.holder)
        && other.until_ms > change.now_ms()
        && other.until_ms <= change.after(LONGEST_NOTIFIER_LEASE)
    {
        return Ok(Hold::Elsewhere { by: other.about.clone() });
    }
    let found = known.as_ref().and_then(|known| known.cursors);
    // What is no place is as good as none: it begins anew, and says so.
    let (cursors, is_new) = found.map_or((begin, true), |found| (found, false));
    let sql = "INSERT INTO notifier (namespace, name, holder, until_ms, about, events, unanswered, revision, status)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '{}')
        ON CONFLICT DO UPDATE SET holder = ?3, until_ms = ?4, about = ?5, events = ?6, unanswered = ?7";
    change.execute(
        sql,
        params![
            change.namespace,
            name,
            lease.holder,
            change.after(lease.time.min(LONGEST_NOTIFIER_LEASE)),
            gate::reason(&lease.about),
            cursors.events.to_string(),
            cursors.unanswered.to_string(),
        ],
    )?;
    let revision = known.map_or(0, |known| known.revision).unsigned_abs();
    Ok(Hold::Here { cursors, revision, is_new })
}

fn put(change: &Change, name: &str, ((delivery, json), is_aside): (&Stored, bool)) -> Result<(), Failure> {
    let sql = "INSERT OR REPLACE INTO delivery (namespace, notifier, id, is_aside, number, record)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let number = i64::try_from(delivery.number).unwrap_or(i64::MAX);
    change.execute(sql, params![change.namespace, name, delivery.id, is_aside, number, json]).map(drop)
}

fn wait_again(change: &mut Change, name: &str, deliveries: &[Stored]) -> Result<u64, Failure> {
    if !is_there(change.transaction)? {
        return Ok(0);
    }
    let sql = "UPDATE delivery SET is_aside = 0, number = ?4, record = ?5
        WHERE namespace = ?1 AND notifier = ?2 AND id = ?3";
    let mut count = 0;
    for (delivery, json) in deliveries {
        let number = i64::try_from(delivery.number).unwrap_or(i64::MAX);
        count += change.execute(sql, params![change.namespace, name, delivery.id, number, json])? as u64;
    }
    if count > 0 {
        let sql =
            "UPDATE notifier SET revision = (revision + 1) % 1000000000 WHERE namespace = ?1 AND name = ?2";
        change.execute(sql, params![change.namespace, name])?;
    }
    Ok(count)
}

fn deliveries(
    connection: &Connection,
    namespace: i64,
    (name, state): (&str, DeliveryState),
    most: usize,
) -> Result<Rows<Delivery>, Failure> {
    let mut found = Rows::default();
    if !is_there(connection)? {
        return Ok(found);
    }
    let sql = "SELECT id, record FROM delivery WHERE namespace = ?1 AND notifier = ?2 AND is_aside = ?3
        ORDER BY number, id LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let (is_aside, most) = (state == DeliveryState::SetAside, i64::try_from(most).unwrap_or(i64::MAX));
    let mut rows = statement.query(params![namespace, name, is_aside, most])?;
    while let Some(row) = rows.next()? {
        found.take(word(row, 0)?, serde_json::from_str::<Delivery>(&word(row, 1)?));
    }
    Ok(found)
}

fn notifiers(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
) -> Result<Rows<NotifierInfo>, Failure> {
    let mut found = Rows::default();
    if !is_there(connection)? {
        return Ok(found);
    }
    let sql = "SELECT name, about, until_ms, events, unanswered, status,
            (SELECT count(*) FROM delivery WHERE namespace = ?1 AND notifier = name AND is_aside = 0),
            (SELECT count(*) FROM delivery WHERE namespace = ?1 AND notifier = name AND is_aside != 0)
        FROM notifier WHERE namespace = ?1 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    while let Some(row) = rows.next()? {
        let name = word(row, 0)?;
        let lease_ms = lease_left(row.get(2)?, now_ms);
        let counts = (row.get::<_, i64>(6)?.unsigned_abs(), row.get::<_, i64>(7)?.unsigned_abs());
        let status = serde_json::from_str(&word(row, 5)?).unwrap_or_default();
        let about = word(row, 1)?;
        let cursors = NotifierCursors::parse(&word(row, 3)?, &word(row, 4)?);
        let info = cursors.ok_or("it says no places in the log").map(|cursors| NotifierInfo {
            name: name.clone(),
            about,
            lease_ms,
            cursors,
            waiting: counts.0,
            set_aside: counts.1,
            status,
        });
        found.take(name, info);
    }
    Ok(found)
}
