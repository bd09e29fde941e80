//! The inbox: every question that waits in the places, kept up to date by what the places tell. It is looked at while it
//! is followed, so what it has is behind one lock that nobody holds while waiting.

mod alike;
mod following;
mod list;
pub(crate) mod overview;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::failure::Failure;
use super::place::{Found, Place, no_task};
use super::places::Places;
use super::text;

pub(crate) use list::{Key, List, Question, TaskKey};
use overview::Overview;

/// The questions that wait in some places.
pub(crate) struct Inbox {
    /// Those that are open, each with what it is called among the others, where its kind alone does not tell it. One that
    /// comes later stands behind those before, so that a place's number stays what it is.
    places: Mutex<Vec<(Place, Option<String>)>>,
    /// Whether there will be several.
    is_of_several: bool,
    /// How many are still to be opened, and nobody knows yet why that takes its time.
    awaited: AtomicUsize,
    /// What those are called that are not reached yet.
    away: Mutex<BTreeSet<String>>,
    list: Mutex<List>,
    /// Another number whenever the list is another one.
    changed: watch::Sender<u64>,
    /// Another number whenever anything happened to any task.
    happened: watch::Sender<u64>,
    /// What is to be known of how it is followed.
    remarks: Mutex<Vec<String>>,
    /// Whether somebody looks at the overview, and what it was last.
    looked_at: watch::Sender<bool>,
    overview: watch::Sender<Option<Arc<Overview>>>,
}

impl Inbox {
    /// Of places that are still to be opened, by so many ways to them; nothing is read before it is followed.
    pub(crate) fn new(ways: usize) -> Self {
        Self {
            places: Mutex::default(),
            is_of_several: ways > 1,
            awaited: AtomicUsize::new(ways),
            away: Mutex::default(),
            list: Mutex::default(),
            changed: watch::Sender::default(),
            happened: watch::Sender::default(),
            remarks: Mutex::default(),
            looked_at: watch::Sender::default(),
            overview: watch::Sender::default(),
        }
    }

    /// Adds places that are open now, of that name; their numbers. Each is followed by itself.
    pub(crate) fn add(&self, opened: &Places, name: Option<&str>) -> Range<usize> {
        let mut places = self.opened();
        let first = places.len();
        places.extend(opened.all().iter().map(|place| (place.clone(), name.map(str::to_owned))));
        first..places.len()
    }

    /// One of the ways has led to its places, or it is said why not.
    pub(crate) fn awaits_less(&self) {
        self.awaited.fetch_sub(1, Ordering::AcqRel);
        self.tell_change();
    }

    /// Whether the place of that name cannot be reached yet.
    pub(crate) fn tell_away(&self, name: &str, is_away: bool) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = if is_away { away.insert(name.to_owned()) } else { away.remove(name) };
        if is_new {
            self.happened.send_modify(|number| *number = number.wrapping_add(1));
        }
    }

    fn opened(&self) -> MutexGuard<'_, Vec<(Place, Option<String>)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many places there are.
    fn count(&self) -> usize {
        self.opened().len()
    }

    /// A place.
    fn place(&self, at: usize) -> Option<Place> {
        self.opened().get(at).map(|(place, _)| place.clone())
    }

    /// What a place is called.
    pub(crate) fn name(&self, at: usize) -> String {
        self.place(at).map(|place| self.name_of(at, place.source())).unwrap_or_default()
    }

    /// What a place is called, whose kind is called so.
    fn name_of(&self, at: usize, kind: &str) -> String {
        match self.opened().get(at) {
            Some((Place::Fastmcp(_), Some(name))) => format!("{name}: {kind}"),
            Some((_, Some(name))) => name.clone(),
            _ => kind.to_owned(),
        }
    }

    /// The questions as they are now; not to be held over a wait.
    pub(crate) fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of another list.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What is to be known of how it is followed, once.
    pub(crate) fn take_remarks(&self) -> Vec<String> {
        std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something is to be known of how a place is followed.
    fn remark_of(&self, at: usize, words: impl IntoIterator<Item = String>) {
        let place = if self.has_several_places() {
            format!("{}: ", text::line(&self.name(at)))
        } else {
            String::new()
        };
        let said = words.into_iter().map(|words| format!("{place}{words}"));
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).extend(said);
        self.tell_change();
    }

    fn tell_change(&self) {
        self.changed.send_modify(|number| *number = number.wrapping_add(1));
    }

    /// Whether its questions come from several places, so that each is named.
    pub(crate) fn has_several_places(&self) -> bool {
        self.is_of_several || self.count() > 1
    }

    /// How many places have not told yet what waits there.
    pub(crate) fn unread(&self, list: &List) -> usize {
        self.count().saturating_sub(list.places_read()) + self.awaited.load(Ordering::Acquire)
    }

    /// The task as it is now.
    pub(crate) async fn find(&self, key: &TaskKey) -> Result<Found, Failure> {
        let found = match self.place(key.place) {
            Some(place) => place.find(&key.task).await?,
            None => None,
        };
        found.ok_or_else(|| no_task(&key.task))
    }

    /// Takes a question off that is known to be closed, before its place tells of it.
    pub(crate) fn close(&self, key: &Key) {
        self.change(|list| list.close(key.place, &key.task, Some(&key.question)));
    }

    /// The same of all questions of a task.
    pub(crate) fn close_task(&self, key: &TaskKey) {
        self.change(|list| list.close(key.place, &key.task, None));
    }

    /// Nothing is known of what waits at a place, and nothing will be.
    pub(crate) fn shows_none(&self, at: usize) {
        self.change(|list| list.set(at, Vec::new(), usize::MAX));
    }

    /// Changes the list, and tells of it where it is another one then.
    fn change(&self, change: impl FnOnce(&mut List) -> bool) {
        let is_another = change(&mut self.list());
        if is_another {
            self.tell_change();
        }
    }
}
