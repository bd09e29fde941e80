//! What a server tells by itself, and what is known of whether it does.

use std::sync::PoisonError;

use super::{Server, ServerTask};
use crate::client::{ClientResult, Hearing, Occurrences, TaskView, Told};
use crate::desk::failure::Failure;

impl Server {
    /// Hears what it tells, over the connection that there is now.
    pub(crate) fn hearing(&self) -> Hearing {
        Hearing::new(&self.client())
    }

    /// Whether that is over the connection that there is now.
    pub(crate) fn is_over(&self, hearing: &Hearing) -> bool {
        hearing.is_over(&self.client())
    }

    /// Whether it says that it tells events.
    pub(crate) fn offers_events(&self) -> bool {
        self.client().offers_events()
    }

    /// Waits until it has begun to tell these, over the connection that there is now.
    pub(crate) async fn begun(&self, occurrences: &mut Occurrences) -> ClientResult<()> {
        let client = self.client();
        while !matches!(occurrences.next(&client).await?, Told::Begun) {}
        Ok(())
    }

    /// What it tells of these next; over a new connection where this one is lost.
    pub(crate) async fn told_of(&self, occurrences: &mut Occurrences) -> Result<Told, Failure> {
        loop {
            let client = self.client();
            match occurrences.next(&client).await {
                Ok(told) => return Ok(told),
                Err(error) => self.connect_again(client, self.failure(error)).await?,
            }
        }
    }

    /// A task that it told of.
    pub(crate) fn told(&self, view: TaskView, tool: Option<String>) -> ServerTask {
        ServerTask { view: self.with_its_time(view), tool }
    }

    /// Its tasks are followed in that way.
    pub(crate) fn is_heard(&self, way: &str) {
        tracing::info!("{way}");
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way.to_owned());
    }

    /// How its tasks are followed, where they are.
    pub(crate) fn way(&self) -> Option<String> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
