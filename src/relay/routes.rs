//! Which stream a message to the client takes.

use rmcp::model::{
    GetExtensions as _, JsonRpcMessage, ProgressToken, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::service::OriginatingRequestId;

use tokio_util::sync::CancellationToken;

use super::log::Log;
use super::state::{STANDALONE, State};
use crate::task::TaskId;

/// A stream that a question to the client can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The stream that the client opened for whatever comes (HTTP GET, or stdio). The number tells one from the
    /// next, when the next one does not take up where it broke off.
    Standalone(u64),
    /// The stream of a request that the client waits in.
    Request(RequestId),
}

/// Travels with a question, and fires when that has its place among the messages to the client: rmcp sends what it was
/// given in no certain order.
#[derive(Debug, Clone)]
pub(super) struct Sent(pub(super) CancellationToken);

/// Tells of a message that it has its place.
pub(crate) fn has_its_place(message: &ServerJsonRpcMessage) {
    if let JsonRpcMessage::Request(request) = message
        && let Some(Sent(sent)) = request.request.extensions().get()
    {
        sent.cancel();
    }
}

impl State {
    /// Whether what is sent on that stream reaches the client now.
    pub(super) fn is_open(&self, key: u64) -> bool {
        self.logs.get(&key).is_some_and(Log::is_open)
    }

    fn is_request_open(&self, request: &RequestId) -> bool {
        self.waiting.get(request).is_some_and(|(key, _)| self.is_open(*key))
    }

    /// The open stream that a question of `task` should take: that of the call that it belongs to, else the one for
    /// whatever comes, else that of a request that waits for the task.
    pub(super) fn route(&self, task: &TaskId, call: Option<&RequestId>) -> Option<Route> {
        if let Some(call) = call.filter(|call| self.is_request_open(call)) {
            return Some(Route::Request(call.clone()));
        }
        if self.is_open(STANDALONE) {
            return Some(Route::Standalone(self.began));
        }
        let open = self.results.get(task)?.iter().find(|request| self.is_request_open(request))?;
        Some(Route::Request(open.clone()))
    }

    /// Whether what was sent on `route` still reaches the client.
    pub(super) fn carries(&self, route: &Route) -> bool {
        match route {
            Route::Standalone(began) => self.began == *began && self.is_open(STANDALONE),
            Route::Request(request) => self.is_request_open(request),
        }
    }

    /// The stream of a message that is no response.
    pub(super) fn key_of(&mut self, message: &ServerJsonRpcMessage) -> u64 {
        let key = match message {
            JsonRpcMessage::Request(request) => {
                let origin = request.request.extensions().get::<OriginatingRequestId>();
                let key = origin.and_then(|origin| self.waiting.get(&origin.0)).map(|(key, _)| *key);
                self.asked.insert(request.id.clone(), key.unwrap_or(STANDALONE));
                key
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ServerNotification::ProgressNotification(progress) => {
                    self.key_of_progress(&progress.params.progress_token)
                }
                ServerNotification::CancelledNotification(cancelled) => {
                    cancelled.params.request_id.as_ref().and_then(|id| self.key_of_withdrawal(id))
                }
                _ => None,
            },
            _ => None,
        };
        key.unwrap_or(STANDALONE)
    }

    fn key_of_progress(&self, token: &ProgressToken) -> Option<u64> {
        self.tokens.get(token).copied()
    }

    /// The stream on which a request was sent that is withdrawn now. Where that is closed, any other one that is
    /// open, so that the client does not show two prompts for one question.
    fn key_of_withdrawal(&mut self, request: &RequestId) -> Option<u64> {
        let key = self.asked.remove(request)?;
        if self.is_open(key) || self.is_open(STANDALONE) {
            return Some(key).filter(|key| self.is_open(*key));
        }
        let mut waiting = self.results.values().flatten().filter_map(|one| self.waiting.get(one));
        waiting.find(|(key, _)| self.is_open(*key)).map(|(other, _)| *other).or(Some(key))
    }
}
