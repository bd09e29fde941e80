//! The verb list: pages of tasks, read straight off the index.

use std::collections::VecDeque;

use redis::Value;

use super::reading::{LOST, unreadable};
use super::{RedisStore, codec};
use crate::store::{MAX_PAGE_BYTES, Page, PageCursor, StoreResult, TaskFilter, Unreadable};
use crate::task::{Task, TaskId, TaskStatus};

/// Members of the index that are read at once.
const AT_ONCE: usize = 200;

/// Records that are fetched at once: few at first, more where those were light.
const RECORDS_AT_FIRST: usize = 10;
const RECORDS_AT_ONCE: usize = 50;
const LIGHT_BYTES: usize = 1024 * 1024;

impl RedisStore {
    pub(super) async fn read_page(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<Page> {
        let mut walk = if self.is_index_lost().await? {
            Walk::of(self, filter, after, self.recorded_places().await?)
        } else {
            Walk::new(self, filter, after)
        };
        let (mut page, mut bytes, mut at_once) = (Page::default(), 0, RECORDS_AT_FIRST);
        loop {
            let left = most.saturating_sub(page.tasks.len() + page.unreadable.len());
            let places = walk.next(left.clamp(1, at_once)).await?;
            if places.is_empty() {
                page.next = None;
                return Ok(page);
            }
            let mut fetched = 0;
            for (place, record) in self.records(places).await? {
                // One more than fits tells whether there is another page.
                if page.tasks.len() + page.unreadable.len() >= most || bytes >= MAX_PAGE_BYTES {
                    return Ok(page);
                }
                // Read no sooner than it counts: a record may be a hundred times larger once it is read.
                match self.row(&place.task, record).await? {
                    Row::Gone => continue,
                    Row::Good(task, weight) => {
                        fetched += weight;
                        if filter.admits(&task) {
                            bytes += weight;
                            page.tasks.push(*task);
                        }
                    }
                    Row::Bad(bad) => page.unreadable.push(bad),
                }
                page.next = Some(place);
            }
            if fetched < LIGHT_BYTES {
                at_once = (2 * at_once).min(RECORDS_AT_ONCE);
            }
        }
    }

    async fn records(
        &self,
        places: Vec<PageCursor>,
    ) -> StoreResult<Vec<(PageCursor, Result<Value, String>)>> {
        let record = |place: &PageCursor| redis::cmd("HGETALL").arg(self.task_key(&place.task)).to_owned();
        let records = self.each(&places.iter().map(record).collect::<Vec<_>>()).await?;
        Ok(places.into_iter().zip(records).collect())
    }

    async fn row(&self, task: &TaskId, record: Result<Value, String>) -> StoreResult<Row> {
        let name = task.to_string();
        Ok(match record {
            // It may have ended between the two readings.
            Ok(hash) if codec::is_empty(&hash) => {
                if self.is_indexed(task).await? {
                    Row::Bad(unreadable(name, LOST))
                } else {
                    Row::Gone
                }
            }
            Ok(hash) => {
                let weight = codec::weight(&hash);
                codec::record(hash).map_or_else(
                    |problem| Row::Bad(unreadable(name, problem)),
                    |task| Row::Good(Box::new(task), weight),
                )
            }
            Err(problem) => Row::Bad(unreadable(name, problem)),
        })
    }
}

/// What one record came to.
enum Row {
    /// A task, with about what it takes in memory, in bytes.
    Good(Box<Task>, usize),
    /// It cannot be read.
    Bad(Unreadable),
    /// It is not there any more.
    Gone,
}

/// The places of tasks by creation, out of one or more parts of the index.
struct Walk<'a> {
    store: &'a RedisStore,
    oldest_first: bool,
    /// What lives, where it is asked for, comes first.
    parts: Vec<Part>,
    /// The last place that was given.
    last: Option<PageCursor>,
}

/// A part of the index: members that begin alike, then have the task's creation and id.
struct Part {
    begins: String,
    /// Where the next reading begins; `None` when all is read.
    from: Option<String>,
    ready: VecDeque<PageCursor>,
}

impl<'a> Walk<'a> {
    fn new(store: &'a RedisStore, filter: &TaskFilter, after: Option<&PageCursor>) -> Self {
        let part = |begins: String| {
            let from = Some(beyond(&begins, after, filter.oldest_first));
            Part { begins, from, ready: VecDeque::new() }
        };
        let parts = parts(filter).into_iter().map(part).collect();
        Self { store, oldest_first: filter.oldest_first, parts, last: after.cloned() }
    }

    /// Of places that are all known, oldest first.
    fn of(
        store: &'a RedisStore,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        mut places: Vec<PageCursor>,
    ) -> Self {
        let oldest_first = filter.oldest_first;
        if !oldest_first {
            places.reverse();
        }
        let is_next = |place: &PageCursor| {
            after.is_none_or(|after| {
                let order = (place.created_ms, &place.task).cmp(&(after.created_ms, &after.task));
                if oldest_first { order.is_gt() } else { order.is_lt() }
            })
        };
        places.retain(is_next);
        let part = Part { begins: String::new(), from: None, ready: places.into() };
        Self { store, oldest_first, parts: vec![part], last: after.cloned() }
    }

    /// The next places, at most `most`; none at the end.
    async fn next(&mut self, most: usize) -> StoreResult<Vec<PageCursor>> {
        let mut places = Vec::new();
        while places.len() < most {
            self.fill().await?;
            let oldest_first = self.oldest_first;
            let heads = self.parts.iter_mut().filter(|part| !part.ready.is_empty());
            let first = heads.min_by(|one, other| {
                let order = one.head().cmp(&other.head());
                if oldest_first { order } else { order.reverse() }
            });
            let Some(place) = first.and_then(|part| part.ready.pop_front()) else { break };
            if self.last.as_ref() != Some(&place) {
                self.last = Some(place.clone());
                places.push(place);
            }
        }
        Ok(places)
    }

    /// Has each part know its next place. After the first part, which has what lives, the others are read anew: a task
    /// that ends between two readings is then found twice, and not missed.
    async fn fill(&mut self) -> StoreResult<()> {
        let (oldest_first, store) = (self.oldest_first, self.store);
        let Some((first, others)) = self.parts.split_first_mut() else { return Ok(()) };
        if first.ready.is_empty() && first.from.is_some() {
            first.fill(store, oldest_first).await?;
            for part in others.iter_mut() {
                part.ready.clear();
                part.from = Some(beyond(&part.begins, self.last.as_ref(), oldest_first));
            }
        }
        for part in others {
            part.fill(store, oldest_first).await?;
        }
        Ok(())
    }
}

/// The bound from which a part of the index is read after a place.
pub(super) fn beyond(begins: &str, after: Option<&PageCursor>, oldest_first: bool) -> String {
    match after {
        Some(place) => format!("({begins}{:015}:{}", place.created_ms, place.task),
        None if oldest_first => format!("[{begins}"),
        None => format!("({begins}\u{7f}"),
    }
}

impl Part {
    fn head(&self) -> Option<(i64, &str)> {
        self.ready.front().map(|place| (place.created_ms, place.task.as_str()))
    }

    async fn fill(&mut self, store: &RedisStore, oldest_first: bool) -> StoreResult<()> {
        while self.ready.is_empty() {
            let Some(from) = &self.from else { return Ok(()) };
            let (verb, to) = if oldest_first {
                ("ZRANGEBYLEX", format!("({}\u{7f}", self.begins))
            } else {
                ("ZREVRANGEBYLEX", format!("[{}", self.begins))
            };
            let mut command = redis::cmd(verb);
            command.arg(store.key("index")).arg(from).arg(to).arg("LIMIT").arg(0).arg(AT_ONCE);
            let members: Vec<String> = store.command(&command).await?;
            self.from = members.last().filter(|_| members.len() == AT_ONCE).map(|last| format!("({last}"));
            self.ready.extend(members.iter().filter_map(|member| place(member.strip_prefix(&self.begins)?)));
        }
        Ok(())
    }
}

/// The place that the end of a member says.
pub(super) fn place(text: &str) -> Option<PageCursor> {
    let (created, task) = text.split_once(':')?;
    Some(PageCursor { created_ms: created.parse().ok()?, task: task.parse::<TaskId>().ok()? })
}

/// What the members begin with that have the fewest tasks that the filter does not admit.
fn parts(filter: &TaskFilter) -> Vec<String> {
    let mut parts = match filter {
        TaskFilter { session: Some(session), .. } => vec![format!("s:{session}\n")],
        TaskFilter { status: Some(TaskStatus::InputRequired), .. } => vec!["a:".to_owned()],
        TaskFilter { scope: Some(scope), .. } if !scope.is_anonymous() => {
            vec![format!("o:{}\n", scope.as_str())]
        }
        TaskFilter { status: Some(TaskStatus::Working), .. } => vec!["l:".to_owned()],
        TaskFilter { status: Some(status), .. } => vec![format!("e:{status}:")],
        _ => {
            let ended = TaskStatus::ALL.into_iter().filter(|status| status.is_final());
            // What lives is read first: a task that ends between two readings is found twice, not missed.
            ["l:".to_owned()].into_iter().chain(ended.map(|status| format!("e:{status}:"))).collect()
        }
    };
    if filter.hidden {
        parts.push("h:".to_owned());
    }
    parts
}
