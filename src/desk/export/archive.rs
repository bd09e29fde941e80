//! The archive of our own store, read beside its tasks and in the same order.

use std::collections::{HashSet, VecDeque};

use super::PAGE;
use crate::desk::failure::Failure;
use crate::engine::Engine;
use crate::store::{PageCursor, TaskFilter};
use crate::task::Task;

/// A reader of it, the oldest task first. No more than a page is in memory.
pub(super) struct Archive<'a> {
    engine: &'a Engine,
    filter: TaskFilter,
    /// The last task that was gone past, here or among those that live.
    past: Option<PageCursor>,
    page: VecDeque<Task>,
    /// Where the next page begins.
    next: Next,
    unreadable: HashSet<String>,
}

/// Where to read on.
enum Next {
    /// Behind the last task that was gone past.
    Past,
    /// Behind the page that was read last.
    Page(PageCursor),
    /// Nowhere: there is no more.
    End,
}

impl<'a> Archive<'a> {
    pub(super) fn new(engine: &'a Engine, filter: TaskFilter) -> Self {
        let (past, page, unreadable) = (None, VecDeque::new(), HashSet::new());
        Self { engine, filter, past, page, next: Next::Past, unreadable }
    }

    /// From now on it is read anew: tasks may have come to it.
    pub(super) fn forget_page(&mut self) {
        self.page.clear();
        self.next = Next::Past;
    }

    /// Tasks up to that one were gone past: one of them that comes to the archive only now is not wanted again.
    pub(super) fn goes_on_after(&mut self, task: PageCursor) {
        self.past = Some(task);
    }

    /// The next task that is older than that one; without one the next one.
    pub(super) async fn next_before(&mut self, bound: Option<&PageCursor>) -> Result<Option<Task>, Failure> {
        loop {
            let Some(first) = self.page.front() else {
                if !self.read().await? {
                    return Ok(None);
                }
                continue;
            };
            let here = PageCursor::at(first);
            if bound.is_some_and(|bound| place(&here) >= place(bound)) {
                return Ok(None);
            }
            let task = self.page.pop_front();
            if self.past.as_ref().is_none_or(|past| place(&here) > place(past)) {
                self.past = Some(here);
                return Ok(task);
            }
        }
    }

    /// Reads a page; false where there is none.
    async fn read(&mut self) -> Result<bool, Failure> {
        let after = match &self.next {
            Next::Past => self.past.as_ref(),
            Next::Page(after) => Some(after),
            Next::End => return Ok(false),
        };
        let page = self.engine.archived(&self.filter, after, PAGE).await?;
        self.unreadable.extend(page.unreadable.into_iter().map(|one| one.name));
        self.page = page.tasks.into_iter().map(|one| one.task).collect();
        self.next = page.next.map_or(Next::End, Next::Page);
        Ok(true)
    }

    /// How many of its tasks cannot be read.
    pub(super) fn unreadable(&self) -> usize {
        self.unreadable.len()
    }
}

/// The order of tasks in both: by their creation, then by their id.
fn place(cursor: &PageCursor) -> (i64, &str) {
    (cursor.created_ms, cursor.task.as_str())
}
