//! The inbox: every question that waits in the places, kept up to date by what the places tell. It is looked at while it
//! is followed, so what it has is behind one lock that nobody holds while waiting.

mod alike;
mod following;
mod list;
pub(crate) mod overview;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::failure::Failure;
use super::place::{Found, Place, no_task};
use super::places::Places;

pub(crate) use list::{Key, List, Question, TaskKey};
use overview::Overview;

/// The questions that wait in some places.
pub(crate) struct Inbox<'a> {
    places: &'a Places,
    /// What each place is called among the others, where its kind alone does not tell it.
    names: Vec<Option<String>>,
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

impl<'a> Inbox<'a> {
    /// Of these places; nothing is read before it is followed.
    pub(crate) fn new(places: &'a Places, names: Vec<Option<String>>) -> Self {
        Self {
            places,
            names,
            list: Mutex::default(),
            changed: watch::Sender::default(),
            happened: watch::Sender::default(),
            remarks: Mutex::default(),
            looked_at: watch::Sender::default(),
            overview: watch::Sender::default(),
        }
    }

    /// How many places there are; each is followed by itself.
    pub(crate) fn places(&self) -> usize {
        self.places.all().len()
    }

    /// What a place is called.
    pub(crate) fn name(&self, at: usize) -> String {
        self.places.all().get(at).map(|place| self.name_of(at, place.source())).unwrap_or_default()
    }

    /// What a place is called, whose kind is called so.
    fn name_of(&self, at: usize, kind: &str) -> String {
        match (self.names.get(at), self.places.all().get(at)) {
            (Some(Some(name)), Some(Place::Fastmcp(_))) => format!("{name}: {kind}"),
            (Some(Some(name)), _) => name.clone(),
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

    /// Something is to be known of how it is followed.
    pub(crate) fn remark(&self, words: impl IntoIterator<Item = String>) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).extend(words);
        self.changed.send_modify(|number| *number = number.wrapping_add(1));
    }

    /// Whether its questions come from several places, so that each is named.
    pub(crate) fn has_several_places(&self) -> bool {
        self.places() > 1
    }

    /// How many places have not told yet what waits there.
    pub(crate) fn unread(&self, list: &List) -> usize {
        self.places().saturating_sub(list.places_read())
    }

    /// The task as it is now.
    pub(crate) async fn find(&self, key: &TaskKey) -> Result<Found, Failure> {
        let found = match self.places.all().get(key.place) {
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

    /// Changes the list, and tells of it where it is another one then.
    fn change(&self, change: impl FnOnce(&mut List) -> bool) {
        let is_another = change(&mut self.list());
        if is_another {
            self.changed.send_modify(|number| *number = number.wrapping_add(1));
        }
    }
}
