//! The archive, read by plain commands: its members say which tasks it has, each record has what its script put there.

use std::collections::HashMap;

use redis::{Cmd, FromRedisValue, Value};

use super::RedisStore;
use super::codec::{self, Entry};
use super::connection::is_wrong_type;
use super::list::{beyond, place};
use super::reading::unreadable;
use crate::store::{
    ArchivePage, ArchivedTask, MAX_PAGE_BYTES, PageCursor, StoreError, StoreResult, TaskFilter,
};
use crate::task::TaskId;

/// Members that are read at once, with their records.
const AT_ONCE: usize = 50;

/// What the members begin with that say when a task was launched.
const BY_TIME: &str = "t:";

impl RedisStore {
    fn archived_key(&self, task: &TaskId) -> String {
        self.key(&format!("archived:{task}"))
    }

    /// The members between two bounds; none where somebody left another key there, which `health` then tells.
    async fn archive_members(&self, range: &Cmd) -> StoreResult<Vec<String>> {
        match self.command(range).await {
            Err(error) if is_wrong_type(&error) => Ok(Vec::new()),
            found => found,
        }
    }

    pub(super) async fn read_archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>> {
        let record = redis::cmd("HGETALL").arg(self.archived_key(task)).to_owned();
        let Some(record) = self.each(&[record]).await?.pop() else { return Ok(None) };
        let read = record.and_then(archived);
        read.map_err(|problem| StoreError::Unreadable { task: task.clone(), problem })
    }

    pub(super) async fn find_in_archive(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        let (mut from, mut found) = (format!("[i:{prefix}"), Vec::new());
        loop {
            // Ids are printable ASCII, and DEL is the first character after that.
            let mut range = redis::cmd("ZRANGEBYLEX");
            range.arg(self.key("archive")).arg(&from).arg(format!("(i:{prefix}\u{7f}"));
            let members = self.archive_members(range.arg("LIMIT").arg(0).arg(AT_ONCE)).await?;
            let ids: Vec<TaskId> = members.iter().filter_map(|member| id(member)).collect();
            let exist: Vec<Cmd> =
                ids.iter().map(|id| redis::cmd("EXISTS").arg(self.archived_key(id)).to_owned()).collect();
            // Of one whose time is over only the member is left.
            for (id, is_there) in ids.into_iter().zip(self.each(&exist).await?) {
                if matches!(is_there, Ok(Value::Int(1))) {
                    found.push(id);
                }
            }
            let is_last = members.len() < AT_ONCE || found.len() >= most;
            match members.last().filter(|_| !is_last) {
                Some(last) => from = format!("({last}"),
                None => break,
            }
        }
        found.truncate(most);
        Ok(found)
    }

    pub(super) async fn read_archive(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<ArchivePage> {
        let mut from = beyond(BY_TIME, after, filter.oldest_first);
        let (mut page, mut bytes) = (ArchivePage::default(), 0);
        loop {
            let (verb, to) = if filter.oldest_first {
                ("ZRANGEBYLEX", format!("({BY_TIME}\u{7f}"))
            } else {
                ("ZREVRANGEBYLEX", format!("[{BY_TIME}"))
            };
            let mut range = redis::cmd(verb);
            range.arg(self.key("archive")).arg(&from).arg(to).arg("LIMIT").arg(0).arg(AT_ONCE);
            let members = self.archive_members(&range).await?;
            for (place, record) in self.archived_records(&members).await? {
                // One more than fits tells whether there is another page.
                if page.tasks.len() + page.unreadable.len() >= most || bytes >= MAX_PAGE_BYTES {
                    return Ok(page);
                }
                let weight = record.as_ref().map_or(0, codec::weight);
                match record.and_then(archived) {
                    Ok(None) => continue,
                    Ok(Some(found)) if !filter.admits(&found.task) => continue,
                    Ok(Some(found)) => {
                        bytes += weight;
                        page.tasks.push(found);
                    }
                    Err(problem) => page.unreadable.push(unreadable(place.task.as_str(), problem)),
                }
                page.next = Some(place);
            }
            let Some(last) = members.last().filter(|_| members.len() == AT_ONCE) else {
                page.next = None;
                return Ok(page);
            };
            from = format!("({last}");
        }
    }

    async fn archived_records(
        &self,
        members: &[String],
    ) -> StoreResult<Vec<(PageCursor, Result<Value, String>)>> {
        let places: Vec<PageCursor> =
            members.iter().filter_map(|member| place(member.strip_prefix(BY_TIME)?)).collect();
        let record =
            |place: &PageCursor| redis::cmd("HGETALL").arg(self.archived_key(&place.task)).to_owned();
        let records = self.each(&places.iter().map(record).collect::<Vec<_>>()).await?;
        Ok(places.into_iter().zip(records).collect())
    }
}

/// The id that a member `i:ID:BYTES:CREATED:UNTIL` says.
fn id(member: &str) -> Option<TaskId> {
    member.strip_prefix("i:")?.rsplitn(4, ':').nth(3)?.parse().ok()
}

/// An archived task from its record; `None` where there is none.
fn archived(record: Value) -> Result<Option<ArchivedTask>, String> {
    if codec::is_empty(&record) {
        return Ok(None);
    }
    let fields: HashMap<String, String> =
        HashMap::from_redis_value(record.clone()).map_err(|error| error.to_string())?;
    let time = |name: &str| {
        let millis = fields.get(name).and_then(|text| text.parse().ok());
        millis.map(codec::timestamp).ok_or_else(|| format!("field {name:?} is no time"))
    };
    let (expired_at, kept_until) = (time("expired")?, time("until")?);
    let events = codec::events(entries(&fields)?).rows;
    Ok(Some(ArchivedTask { task: codec::record(record)?, events, expired_at, kept_until }))
}

/// The entries of the log that the record has, oldest first, each with the question that it tells of.
fn entries(fields: &HashMap<String, String>) -> Result<Vec<Entry>, String> {
    let Some(json) = fields.get("events").filter(|json| !json.is_empty()) else { return Ok(Vec::new()) };
    let stored: Vec<(String, Vec<String>)> =
        serde_json::from_str(json).map_err(|error| format!("its events cannot be read: {error}"))?;
    let entry = |(id, words): (String, Vec<String>)| {
        let pairs = words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        let mut entry: Entry = (id, pairs.collect());
        let question = codec::question_elsewhere(&entry).and_then(|(_, field)| fields.get(&field));
        if let Some(question) = question.cloned() {
            entry.1.insert("detail".to_owned(), question);
        }
        entry
    };
    Ok(stored.into_iter().rev().map(entry).collect())
}
