//! One question put to one client: asked, asked again where the answer is not valid, withdrawn where
//! somebody else answered, and answered by a rule where the client cannot be asked.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ClientResult, CustomRequest, ProtocolVersion, RequestId, ServerRequest};
use rmcp::service::{OriginatingRequestId, Peer, PeerRequestOptions, RequestHandle, ServiceError};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Route};
use super::unanswerable::{chain, settle};
use super::{RELATED_TASK, Shared};
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::form::joined;
use crate::task::{Action, Answer, Answerer, AskKind, Question, TaskId};

/// How often a client is asked in all, when its answers are not valid.
const ATTEMPTS: usize = 3;

/// In what capacity a client is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asking {
    /// It launched the task.
    Owner,
    /// It waits in this call, which runs as a hidden task.
    Caller(RequestId),
    /// It waits in this request for the result of a task that another session launched. It may answer;
    /// where it cannot, that says nothing about the owner.
    Guest(RequestId),
}

impl Asking {
    /// The request on whose stream the question belongs.
    fn origin(&self) -> Option<&RequestId> {
        match self {
            Self::Owner => None,
            Self::Caller(request) | Self::Guest(request) => Some(request),
        }
    }
}

/// One question on its way to one client.
pub(crate) struct Prompt {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Arc<Connection>,
    pub(super) task: TaskId,
    pub(super) question: Question,
    pub(super) asking: Asking,
    /// Fires when the question is open no longer.
    pub(super) withdrawn: CancellationToken,
}

/// How putting a question ended.
#[derive(Debug)]
enum End {
    /// It has an answer: this client's, or another one.
    Answered,
    /// Nobody needs this client's answer any more; the client was told.
    Withdrawn,
    /// The process stops; the question stays open.
    Stopping,
    /// This client cannot answer it.
    Unanswerable(String),
}

impl Prompt {
    /// Puts the question until it is settled one way or another; true when it was left open, so that it may
    /// be put again.
    pub(crate) async fn run(self) -> bool {
        let end = self.converse().await;
        tracing::debug!(task = %self.task, question = %self.question.id, ?end, "a question was put");
        match end {
            End::Unanswerable(_) if matches!(self.asking, Asking::Guest(_)) => true,
            End::Unanswerable(reason) if !self.shared.stop.is_cancelled() => {
                let foreground = matches!(self.asking, Asking::Caller(_));
                settle(&self.shared, &self.task, &self.question, foreground, &reason).await
            }
            _ => false,
        }
    }

    async fn converse(&self) -> End {
        let Some(peer) = self.connection.peer() else {
            return End::Unanswerable("the client has not initialized its session".to_owned());
        };
        if let Some(problem) = self.connection.undeclared(&self.question.ask.kind) {
            return End::Unanswerable(problem);
        }
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            let answer = match self.put(peer, problem.as_deref()).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            match self.take(answer).await {
                Ok(end) => return end,
                Err(violations) => problem = Some(violations),
            }
        }
        let problem = problem.unwrap_or_default();
        End::Unanswerable(format!("the client's answers were not valid, {ATTEMPTS} times: {problem}"))
    }

    /// Sends the question and waits for the reply; again on a new stream when the old one is lost for good.
    async fn put(&self, peer: &Peer<RoleServer>, problem: Option<&str>) -> Result<Answer, End> {
        loop {
            let route = self.route().await?;
            let request = self.request(&route, problem);
            let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
            let mut handle = sent.map_err(|error| self.failed(&error))?;
            let lost = tokio::select! {
                biased;
                reply = &mut handle.rx => return self.read(reply.unwrap_or(Err(ServiceError::TransportClosed))),
                () = self.withdrawn.cancelled() => {
                    withdraw(handle, "the question was answered elsewhere, or its task ended").await;
                    return Err(End::Withdrawn);
                }
                () = self.shared.stop.cancelled() => return Err(End::Stopping),
                lost = self.broken(&route) => lost,
            };
            withdraw(handle, "the connection broke off").await;
            if let Some(reason) = lost {
                return Err(End::Unanswerable(reason));
            }
        }
    }

    /// The stream to ask on; waits for one for as long as a client may be away.
    async fn route(&self) -> Result<Route, End> {
        let begun = Instant::now();
        let mut changes = self.connection.changes();
        loop {
            if let Some(reason) = self.connection.gone_now() {
                return Err(End::Unanswerable(reason));
            }
            if let Some(route) = self.connection.route(&self.task, self.asking.origin()) {
                return Ok(route);
            }
            tokio::select! {
                () = changes.next() => {}
                () = self.withdrawn.cancelled() => return Err(End::Withdrawn),
                () = self.shared.stop.cancelled() => return Err(End::Stopping),
                () = tokio::time::sleep_until(begun + self.shared.config.vanish_grace) => {
                    return Err(End::Unanswerable(self.away()));
                }
            }
        }
    }

    /// Waits until what was sent on `route` cannot be answered any more: `None` when another stream is open
    /// that did not take up where this one broke off, else why the client is out of reach.
    async fn broken(&self, route: &Route) -> Option<String> {
        let mut changes = self.connection.changes();
        let mut lost_at = None;
        loop {
            if let Some(reason) = self.connection.gone_now() {
                return Some(reason);
            }
            if self.connection.replaced(route) {
                return None;
            }
            if self.connection.carries(route) {
                lost_at = None;
                changes.next().await;
                continue;
            }
            let until = *lost_at.get_or_insert_with(Instant::now) + self.shared.config.vanish_grace;
            tokio::select! {
                () = changes.next() => {}
                () = tokio::time::sleep_until(until) => {
                    let other = self.connection.route(&self.task, self.asking.origin());
                    return if other.is_some() { None } else { Some(self.away()) };
                }
            }
        }
    }

    fn away(&self) -> String {
        let grace = self.shared.config.vanish_grace;
        format!("the client has had no stream open for {grace:?} on which it could be asked")
    }

    fn request(&self, route: &Route, problem: Option<&str>) -> ServerRequest {
        let mut params = self.question.ask.to_params();
        if let Some(problem) = problem {
            let message = &self.question.ask.message;
            params["message"] = json!(format!("{message}\n\nThe answer before was not valid: {problem}"));
        }
        // Modes came with 2025-11-25; before, every question is a form.
        let version = self.connection.protocol_version();
        if version.is_some_and(|version| version < ProtocolVersion::V_2025_11_25)
            && let Value::Object(params) = &mut params
        {
            params.shift_remove("mode");
        }
        if matches!(self.question.ask.kind, AskKind::Url { .. }) {
            params["elicitationId"] = json!(format!("{}.{}", self.task, self.question.id));
        }
        params["_meta"] = json!({ RELATED_TASK: { "taskId": self.task } });
        let mut request = CustomRequest::new("elicitation/create", Some(params));
        if let Route::Request(id) = route {
            request.extensions.insert(OriginatingRequestId(id.clone()));
        }
        ServerRequest::CustomRequest(request)
    }

    fn read(&self, reply: Result<ClientResult, ServiceError>) -> Result<Answer, End> {
        let result = reply.map_err(|error| self.failed(&error))?;
        let result = serde_json::to_value(result).unwrap_or_default();
        let action =
            result.get("action").and_then(|action| serde_json::from_value::<Action>(action.clone()).ok());
        let Some(action) = action else {
            let problem = "the client's reply has no action accept, decline or cancel";
            return Err(End::Unanswerable(problem.to_owned()));
        };
        let mut answer = Answer::new(action, Answerer::Client);
        answer.content = result.get("content").and_then(Value::as_object).cloned();
        Ok(answer)
    }

    /// What a request that failed means: the end of the process, of the session, or the client's own error.
    fn failed(&self, error: &ServiceError) -> End {
        if self.shared.stop.is_cancelled() {
            return End::Stopping;
        }
        let gone = self.connection.gone_now();
        End::Unanswerable(gone.unwrap_or_else(|| format!("asking the client failed: {}", chain(error))))
    }

    /// Stores the answer; an error names what is not valid in it. Waits out a store that is away.
    async fn take(&self, answer: Answer) -> Result<End, String> {
        loop {
            let stored = self.shared.engine.answer_known(&self.task, &self.question, answer.clone()).await;
            match stored {
                Ok(_) => return Ok(End::Answered),
                Err(EngineError::Answer { violations, .. }) => return Err(joined(&violations)),
                Err(EngineError::Store(
                    error @ (StoreError::Unreachable { .. } | StoreError::Backend { .. }),
                )) => {
                    tracing::warn!(task = %self.task, question = %self.question.id, %error,
                        "cannot store the client's answer; trying again");
                    tokio::select! {
                        () = self.withdrawn.cancelled() => return Ok(End::Withdrawn),
                        () = self.shared.stop.cancelled() => return Ok(End::Stopping),
                        () = tokio::time::sleep(super::AFTER_FAILURE) => {}
                    }
                }
                // Somebody else was first, or the task is over.
                Err(error) => {
                    tracing::debug!(task = %self.task, question = %self.question.id, %error,
                        "the client's answer came too late");
                    return Ok(End::Answered);
                }
            }
        }
    }
}

async fn withdraw(handle: RequestHandle<RoleServer>, reason: &str) {
    if let Err(error) = handle.cancel(Some(reason.to_owned())).await {
        tracing::debug!(%error, "could not withdraw a prompt from a client");
    }
}
