//! What a server tells by itself, and what is known of whether it does.

use std::sync::PoisonError;

use super::{Server, ServerTask};
use crate::client::{Hearing, TaskView};

impl Server {
    /// Hears what it tells, over the connection that there is now.
    pub(crate) fn hearing(&self) -> Hearing {
        Hearing::new(&self.client())
    }

    /// Whether that is over the connection that there is now.
    pub(crate) fn is_over(&self, hearing: &Hearing) -> bool {
        hearing.is_over(&self.client())
    }

    /// A task that it told of.
    pub(crate) fn told(&self, view: TaskView, tool: Option<String>) -> ServerTask {
        ServerTask { view: self.with_its_time(view), tool }
    }

    /// Its tasks are followed in that way.
    pub(crate) fn is_heard(&self, way: &str) {
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way.to_owned());
    }

    /// How its tasks are followed, where they are.
    pub(crate) fn way(&self) -> Option<String> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
