//! One request and its reply, as plain JSON.

use std::time::Duration;

use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientNotification, ClientRequest, CustomRequest,
    RequestId, RequestMetaObject,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, RoleClient, ServiceError};
use serde_json::{Value, json};

use super::failure::{answers_http, closed, service_failure, timeout};
use super::session::capabilities;
use super::tasks::beginning;
use super::wire::unwrapped;
use super::{Client, ClientError, ClientResult};

/// Under this `_meta` key a modern request says what its client can (2026-07-28, basic).
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A result that asks for input first, and one that is a task (2026-07-28, `resultType`).
pub(super) const INPUT_REQUIRED: &str = "input_required";
pub(super) const TASK: &str = "task";
/// What a result can be in the modern era; one that says nothing is complete.
const RESULT_TYPES: [&str; 3] = ["complete", INPUT_REQUIRED, TASK];

/// The requests whose result is given to whoever asked for it. Of the others only parts are read, or nothing.
const GIVING: [&str; 2] = ["tools/call", "tasks/result"];

/// How long a request may take that waits for nobody.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl Client {
    /// Sends a request that the server answers at once. Its reply may be on a stream that broke off with the server:
    /// that would be waited for as long as the server is away.
    pub(super) async fn request(&self, method: &str, params: Value) -> ClientResult<Value> {
        self.left_alone().await?;
        tokio::select! {
            biased;
            reply = tokio::time::timeout(REQUEST_TIMEOUT, self.sent(method, params)) => {
                match reply {
                    Ok(reply) => reply,
                    Err(_) => Err(self.words.explain(timeout(&self.place, method, REQUEST_TIMEOUT)).await),
                }
            }
            () = self.broken.notified() => Err(closed(&self.place)),
        }
    }

    /// Sends a request that may be repeated, and repeats it for as long as the client's patience lasts while the
    /// server is away. Over a connection that is over it is not repeated.
    pub(super) async fn patient_request(&self, method: &str, params: &Value) -> ClientResult<Value> {
        self.repeated_request(method, params).await.0
    }

    /// The same, and whether a try was lost on the way, of which nobody knows what came of it.
    pub(super) async fn repeated_request(&self, method: &str, params: &Value) -> (ClientResult<Value>, bool) {
        let mut was_lost = false;
        loop {
            match self.request(method, params.clone()).await {
                Err(error) if error.is_passing() && !self.is_over() => {
                    was_lost = true;
                    if let Err(error) = self.wait_out(error).await {
                        return (Err(error), true);
                    }
                }
                done => {
                    self.told_answered(&done);
                    return (done, was_lost);
                }
            }
        }
    }

    /// Waits for as long as the client's patience says, or the server; returns the error where there is no patience.
    pub(super) async fn wait_out(&self, error: ClientError) -> ClientResult<()> {
        match self.patience.as_ref().and_then(|patience| patience.pause(&error)) {
            Some(pause) => tokio::time::sleep(pause.max(error.wait())).await,
            None => return Err(error),
        }
        Ok(())
    }

    /// Tells the client's patience that somebody is there.
    pub(super) fn told_answered(&self, reply: &ClientResult<Value>) {
        let answered = reply.as_ref().err().is_none_or(|error| !error.is_passing());
        if let Some(patience) = self.patience.as_ref().filter(|_| answered) {
            patience.answered();
        }
    }

    /// Whether nothing goes over this connection any more.
    pub(super) fn is_over(&self) -> bool {
        self.lost.is_cancelled() || self.running.is_closed() || self.running.peer().is_transport_closed()
    }

    /// Waits until the server takes requests again, where it asked to be left alone. Where nobody waits for the server, a
    /// longer pause than for a reply is the error that it is.
    async fn left_alone(&self) -> ClientResult<()> {
        while let Some((left, refusal)) = self.quiet.left() {
            if self.patience.is_none() && left > REQUEST_TIMEOUT {
                return Err(answers_http(&self.place, &refusal));
            }
            tokio::select! {
                biased;
                () = self.over.cancelled() => return Err(closed(&self.place)),
                () = tokio::time::sleep(left) => {}
            }
        }
        Ok(())
    }

    /// Sends a request that may take as long as a person takes. Dropping the future tells the server.
    pub(super) async fn long_request(&self, method: &str, params: Value) -> ClientResult<Value> {
        self.left_alone().await?;
        self.sent(method, params).await
    }

    /// Sends such a request; its reply comes later. Dropping it tells the server.
    pub(super) async fn begin<'a>(&'a self, method: &'a str, params: Value) -> ClientResult<Begun<'a>> {
        self.left_alone().await?;
        self.send(method, params).await
    }

    async fn sent(&self, method: &str, params: Value) -> ClientResult<Value> {
        // Boxed, since what waits for a task to its end holds one.
        Box::pin(async { self.send(method, params).await?.reply().await }).await
    }

    async fn send<'a>(&'a self, method: &'a str, mut params: Value) -> ClientResult<Begun<'a>> {
        let mut options = PeerRequestOptions::no_options();
        self.take_questions(method, &mut params);
        // rmcp writes `_meta` itself, from the options and from what the era demands.
        if let Some(Value::Object(meta)) = params.as_object_mut().and_then(|params| params.remove("_meta")) {
            options = options.with_meta(RequestMetaObject::from(rmcp::model::MetaObject(meta)));
        }
        let request = ClientRequest::CustomRequest(CustomRequest::new(method, Some(params)));
        let peer = self.running.peer();
        match peer.send_request_with_option(request, options).await {
            Ok(handle) => {
                let (id, guard) = (handle.id.clone(), InFlight(Some((peer.clone(), handle.id.clone()))));
                Ok(Begun { client: self, method, id, handle, guard })
            }
            Err(error) => Err(self.not_replied(method, error).await),
        }
    }

    async fn not_replied(&self, method: &str, error: ServiceError) -> ClientError {
        self.words.explain(service_failure(&self.place, method, error)).await
    }

    /// What a task asks may be answered by others and later, so that a modern server is to show it here too where nobody
    /// is asked: it shows questions only to clients that declared them (2026-07-28, client/elicitation).
    fn take_questions(&self, method: &str, params: &mut Value) {
        if self.modern && self.desk.is_none() && matches!(method, "tasks/get" | "subscriptions/listen") {
            params["_meta"][CAPABILITIES] = json!(capabilities(true));
        }
    }

    /// The result, unless it is of a type that this client does not know: what it means is not known then, either, also
    /// where a server of the older era has types.
    fn known_type(&self, method: &str, result: Value) -> ClientResult<Value> {
        match result.get("resultType").filter(|kind| self.modern || !kind.is_null()) {
            Some(unknown) if !RESULT_TYPES.iter().any(|known| unknown == known) => {
                Err(self.odd(method, &format!("a result of the unknown resultType {unknown}")))
            }
            _ if GIVING.contains(&method) && !result.is_object() => {
                Err(self.odd(method, &format!("{}, which is no result", beginning(&result))))
            }
            _ => Ok(result),
        }
    }

    /// A reply that is none of those that the protocol has.
    pub(super) fn odd(&self, method: &str, problem: &str) -> ClientError {
        ClientError::Protocol { server: self.place.clone(), problem: format!("{method}: {problem}") }
    }
}

/// A request that was sent.
pub(super) struct Begun<'a> {
    client: &'a Client,
    method: &'a str,
    /// Its id.
    pub(super) id: RequestId,
    handle: RequestHandle<RoleClient>,
    guard: InFlight,
}

impl Begun<'_> {
    /// Waits for the reply.
    pub(super) async fn reply(self) -> ClientResult<Value> {
        let Self { client, method, handle, mut guard, .. } = self;
        let reply = tokio::select! {
            biased;
            () = client.over.cancelled() => Err(ServiceError::TransportClosed),
            reply = handle.await_response() => reply,
        };
        guard.0 = None;
        match reply {
            Ok(result) => {
                let read = serde_json::to_value(result).map(unwrapped);
                client.known_type(method, read.map_err(|error| client.odd(method, &error.to_string()))?)
            }
            Err(error) => Err(client.not_replied(method, error).await),
        }
    }
}

/// A request without its reply; going away, it tells the server that nobody waits any more.
struct InFlight(Option<(Peer<RoleClient>, RequestId)>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some((peer, id)) = self.0.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let params = CancelledNotificationParam::new(Some(id), None);
        let notice = ClientNotification::CancelledNotification(CancelledNotification::new(params));
        runtime.spawn(async move { peer.send_notification(notice).await });
    }
}
