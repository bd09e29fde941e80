//! The inbox: every question that waits in the places, kept up to date by what the places tell. It is looked at while it
//! is followed, so what it has is behind one lock that nobody holds while waiting.

mod alike;
mod following;
mod list;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::failure::Failure;
use super::place::Found;
use super::place::no_task;
use super::places::Places;

pub(crate) use list::{Key, List, Question};

/// The questions that wait in some places.
pub(crate) struct Inbox<'a> {
    places: &'a Places,
    list: Mutex<List>,
    /// Another number whenever the list is another one.
    changed: watch::Sender<u64>,
    /// Another number whenever anything happened to any task.
    happened: watch::Sender<u64>,
    /// What is to be known of how it is followed.
    remarks: Mutex<Vec<String>>,
}

impl<'a> Inbox<'a> {
    /// Of these places; nothing is read before it is followed.
    pub(crate) fn new(places: &'a Places) -> Self {
        let (changed, happened) = (watch::Sender::default(), watch::Sender::default());
        Self { places, list: Mutex::default(), changed, happened, remarks: Mutex::default() }
    }

    /// The questions as they are now; not to be held over a wait.
    pub(crate) fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of another list.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells of everything that happens to tasks.
    pub(crate) fn happenings(&self) -> watch::Receiver<u64> {
        self.happened.subscribe()
    }

    /// What is to be known of how it is followed, once.
    pub(crate) fn take_remarks(&self) -> Vec<String> {
        std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether its questions come from several places, or from one that has to be named.
    pub(crate) fn has_several_places(&self) -> bool {
        self.places.all().len() > 1
    }

    /// A question's task as it is now.
    pub(crate) async fn find(&self, key: &Key) -> Result<Found, Failure> {
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

    /// Changes the list, and tells of it where it is another one then.
    fn change(&self, change: impl FnOnce(&mut List) -> bool) {
        let is_another = change(&mut self.list());
        if is_another {
            self.changed.send_modify(|number| *number = number.wrapping_add(1));
        }
    }
}
