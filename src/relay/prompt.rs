//! One question put to one client: asked, asked again where the answer is not valid, withdrawn where
//! somebody else answered, and answered by a rule where the client cannot be asked.

use std::sync::Arc;

use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientResult, CustomRequest, ErrorCode, JsonObject,
    NotificationMetaObject, ProtocolVersion, RequestId, ServerRequest,
};
use rmcp::service::{OriginatingRequestId, Peer, PeerRequestOptions, RequestHandle, ServiceError};
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::questions::{Entered, Handle};
use super::routes::{Route, Sent};
use super::ruling;
use super::shared::Shared;
use super::status::RELATED_TASK;
use super::unanswerable::{chain, is_too_late, settle};
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::{Action, Answer, Answerer, AskKind, Question, TaskId, joined};

/// How often a client is asked in all, when its answers are not valid.
const ATTEMPTS: usize = 3;

/// Under this `_meta` key a prompt names its question, in every session by the same name: a client that lost its
/// session sees what it has answered before.
const QUESTION: &str = "mcptask/question";

/// In what capacity a client is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asking {
    /// It launched the task.
    Owner,
    /// It waits in this call, which runs as a hidden task.
    Caller(RequestId),
    /// It waits in a request for the result of a task that another session launched. It may answer; where it cannot,
    /// that says nothing about the owner.
    Guest,
}

impl Asking {
    /// The call on whose stream the question belongs.
    fn call(&self) -> Option<&RequestId> {
        match self {
            Self::Caller(request) => Some(request),
            Self::Owner | Self::Guest => None,
        }
    }
}

/// One question on its way to one client.
pub(super) struct Prompt {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    task: TaskId,
    question: Question,
    asking: Asking,
    handle: Handle,
    /// Each fires when a question that was asked before this one has gone out.
    earlier: Vec<CancellationToken>,
}

/// How putting a question ended.
#[derive(Debug)]
enum End {
    /// It has an answer: this client's, or another one.
    Answered,
    /// Nobody needs this client's answer any more, and it was told so; or the process stops.
    Withdrawn,
    /// The answer could not be stored, whatever is tried: the question stays open.
    LeftOpen,
    /// This client cannot answer it.
    Unanswerable(String),
}

/// What a prompt hears while it waits for its reply.
enum Heard {
    Withdrawn,
    Reply(Result<ClientResult, ServiceError>),
    /// It has to go another way, or there is none any more.
    Way(Result<Route, End>),
}

/// Puts a question to a client, unless it is in front of it already.
pub(super) fn put(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    task: &TaskId,
    question: &Question,
    asking: Asking,
) {
    let is_owners = asking == Asking::Owner;
    let entered = connection.questions().enter(task, &question.id, is_owners, &shared.stop);
    let Some(Entered { handle, earlier }) = entered else { return };
    let (shared, connection) = (shared.clone(), connection.clone());
    let (task, question) = (task.clone(), question.clone());
    tokio::spawn(Prompt { shared, connection, task, question, asking, handle, earlier }.run());
}

impl Prompt {
    /// Puts the question until it is settled one way or another.
    async fn run(self) {
        // Whatever becomes of this question, those that were asked after it go on.
        let _sent = self.handle.sent.clone().drop_guard();
        let end = self.converse().await;
        tracing::debug!(task = %self.task, question = %self.question.id, ?end, "a question was put");
        let stays = match end {
            End::Answered | End::Withdrawn => false,
            End::LeftOpen => true,
            End::Unanswerable(_) if self.asking == Asking::Guest => true,
            End::Unanswerable(_) if self.shared.stop.is_cancelled() => false,
            End::Unanswerable(reason) => settle(&self.shared, &self.task, &self.question, &reason).await,
        };
        if stays {
            self.handle.leave_open();
        }
    }

    async fn converse(&self) -> End {
        if ruling::settles(&self.shared, &self.task, &self.question).await {
            return End::Answered;
        }
        let Some(peer) = self.connection.peer() else {
            return End::Unanswerable("the client has not initialized its session".to_owned());
        };
        if let Some(problem) = self.connection.undeclared(&self.question.ask.kind) {
            return End::Unanswerable(problem);
        }
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            let taken = match self.put(peer, problem.as_deref()).await {
                Ok(Ok(answer)) => self.take(answer).await,
                Ok(Err(refused)) => Err(refused),
                Err(end) => return end,
            };
            match taken {
                Ok(end) => return end,
                Err(violations) => problem = Some(violations),
            }
        }
        let problem = problem.unwrap_or_default();
        End::Unanswerable(format!("the client's answers were not valid, {ATTEMPTS} times: {problem}"))
    }

    /// Sends the question and waits for the reply; again on another stream when its own closes. The reply is an answer,
    /// or why the client itself refused the one that it was given.
    async fn put(
        &self,
        peer: &Peer<RoleServer>,
        problem: Option<&str>,
    ) -> Result<Result<Answer, String>, End> {
        let mut route = self.way(None).await?;
        self.turn().await?;
        loop {
            let request = self.request(&route, problem);
            let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
            let mut handle = sent.map_err(|error| self.failed(&error))?;
            let (reason, next) = match self.hear(&mut handle, &route).await {
                Heard::Reply(Err(ServiceError::McpError(error))) if self.is_refusal(&error) => {
                    return Ok(Err(error.message.into_owned()));
                }
                Heard::Reply(reply) => return self.read(reply).map(Ok),
                // The question stays open, and whoever serves the task next asks it.
                Heard::Withdrawn if self.shared.stop.is_cancelled() => return Err(End::Withdrawn),
                Heard::Withdrawn => {
                    ("the question was answered elsewhere, or its task ended", Err(End::Withdrawn))
                }
                Heard::Way(way) => ("the connection broke off", way),
            };
            self.withdraw(handle, reason).await;
            route = next?;
        }
    }

    /// Waits until the questions before have gone out. Each of them goes the same way or ends, at the latest when the
    /// client has been away for the grace.
    async fn turn(&self) -> Result<(), End> {
        for earlier in &self.earlier {
            tokio::select! {
                biased;
                () = self.handle.withdrawn.cancelled() => return Err(End::Withdrawn),
                () = earlier.cancelled() => {}
            }
        }
        Ok(())
    }

    async fn hear(&self, handle: &mut RequestHandle<RoleServer>, route: &Route) -> Heard {
        tokio::select! {
            biased;
            () = self.handle.withdrawn.cancelled() => Heard::Withdrawn,
            reply = &mut handle.rx => Heard::Reply(reply.unwrap_or(Err(ServiceError::TransportClosed))),
            way = self.way(Some(route)) => Heard::Way(way),
        }
    }

    /// Waits for a stream to ask on other than the one that carries the question now. A client may be away for so
    /// long as the grace is.
    async fn way(&self, now: Option<&Route>) -> Result<Route, End> {
        let streams = self.connection.streams();
        let (mut changes, mut away_since) = (streams.changes(), None);
        loop {
            if let Some(reason) = self.connection.gone_now() {
                return Err(End::Unanswerable(reason));
            }
            let carried = now.is_some_and(|route| streams.carries(route));
            if !carried && let Some(route) = streams.route(&self.task, self.asking.call()) {
                return Ok(route);
            }
            away_since = if carried { None } else { away_since.or_else(|| Some(Instant::now())) };
            let until = away_since.map(|since| since + self.shared.config.vanish_grace);
            let passed = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.handle.withdrawn.cancelled() => return Err(End::Withdrawn),
                // The sender is part of the connection, so it is there.
                _ = changes.changed() => {}
                () = passed => return Err(End::Unanswerable(self.away())),
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
        let mut meta = self.related();
        meta.insert(QUESTION.to_owned(), json!(self.question.id));
        params["_meta"] = Value::Object(meta);
        let mut request = CustomRequest::new("elicitation/create", Some(params));
        request.extensions.insert(Sent(self.handle.sent.clone()));
        if let Route::Request(id) = route {
            request.extensions.insert(OriginatingRequestId(id.clone()));
        }
        ServerRequest::CustomRequest(request)
    }

    /// The `_meta` of each message about the prompt. A plain call is no task to its client: the id of the hidden one
    /// would lead it to ask for a task that it is not shown.
    fn related(&self) -> JsonObject {
        let mut meta = JsonObject::new();
        if self.asking.call().is_none() {
            meta.insert(RELATED_TASK.to_owned(), json!({ "taskId": self.task }));
        }
        meta
    }

    async fn withdraw(&self, handle: RequestHandle<RoleServer>, reason: &str) {
        let mut params = CancelledNotificationParam::new(Some(handle.id), Some(reason.to_owned()));
        let related = self.related();
        params.meta = (!related.is_empty()).then(|| NotificationMetaObject::from(related));
        let notification = CancelledNotification::new(params);
        if let Err(error) = handle.peer.send_notification(notification.into()).await {
            tracing::debug!(%error, "could not withdraw a prompt from a client");
        }
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
        Ok(answer.given_by(self.connection.answerer(&result)))
    }

    /// Whether that is the client's word on an answer that does not fit: FastMCP's clients check from 4.2 on what they were
    /// given, and say with this code that it does not.
    fn is_refusal(&self, error: &ErrorData) -> bool {
        error.code == ErrorCode::INTERNAL_ERROR && !self.handle.withdrawn.is_cancelled()
    }

    /// What a request that failed means: the end of the process, of the session, or the client's own error.
    fn failed(&self, error: &ServiceError) -> End {
        if self.handle.withdrawn.is_cancelled() {
            return End::Withdrawn;
        }
        let gone = self.connection.gone_now();
        End::Unanswerable(gone.unwrap_or_else(|| format!("asking the client failed: {}", chain(error))))
    }

    /// Stores the answer; an error names what is not valid in it. Waits out a store that is away.
    async fn take(&self, answer: Answer) -> Result<End, String> {
        let engine = &self.shared.engine;
        let store = || engine.answer_known(&self.task, &self.question, answer.clone());
        let error = match Shared::outlast(&self.handle.withdrawn, store).await {
            None => return Ok(End::Withdrawn),
            Some(Ok(_)) => return Ok(End::Answered),
            Some(Err(error)) => error,
        };
        match error {
            EngineError::Answer { violations, .. } => Err(joined(&violations)),
            EngineError::Store(StoreError::Refused { what, problem }) => Err(format!("{what} {problem}")),
            error if is_too_late(&error) => {
                tracing::debug!(task = %self.task, question = %self.question.id, %error,
                    "the client's answer came too late");
                Ok(End::Answered)
            }
            error => {
                tracing::warn!(task = %self.task, question = %self.question.id, %error,
                    "the client's answer cannot be stored");
                Ok(End::LeftOpen)
            }
        }
    }
}
