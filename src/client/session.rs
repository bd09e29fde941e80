//! What this client does when the server speaks first.

use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CustomNotification, CustomRequest, CustomResult, ElicitationCapability,
    ErrorCode, ErrorData, ExtensionCapabilities, FormElicitationCapability, Implementation,
    ListRootsRequestMethod, ProtocolVersion, TASKS_EXTENSION_ID, UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use super::TaskView;
use super::asked::AskedQuestion;
use super::asking::{Desk, GaveUp, ask_from, elicit_result, needs_input};
use super::flood::Flood;
use super::quiet::Quiet;
use super::telling::Telling;
use super::wire::{ELICITATION, PROMISED, TASK_CHANGED, Wire};

/// Under this `_meta` key a message names its task (2025-11-25, basic/utilities/tasks).
const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// Under this `_meta` key our own servers name the question, in every session by the same name.
const QUESTION: &str = "mcptask/question";

/// The handler that rmcp calls.
pub(super) struct Session {
    pub(super) desk: Option<Arc<Desk>>,
    /// Ends what waits for a question that nobody here answers.
    pub(super) gave_up: Arc<GaveUp>,
    pub(super) wire: Arc<Wire>,
    pub(super) place: String,
    pub(super) changed: broadcast::Sender<Arc<TaskView>>,
    /// Of which tasks a modern server has said that it tells.
    pub(super) promised: broadcast::Sender<Arc<BTreeSet<String>>>,
    /// Fires when the server says that it does not know the session any more.
    pub(super) lost: CancellationToken,
    /// Tells of each stream that broke off and cannot be opened again, since nobody is there.
    pub(super) broken: Arc<Notify>,
    /// Fires where the session is left to the server at the end, with what goes on in it.
    pub(super) stays: CancellationToken,
    /// Hands on what is told in streams of events.
    pub(super) telling: Telling,
    /// How many of its questions may be open.
    pub(super) flood: Flood,
    /// For how long the server wants to be left alone.
    pub(super) quiet: Quiet,
}

impl Session {
    async fn elicit(&self, params: &Value, context: &RequestContext<RoleClient>) -> Result<Value, ErrorData> {
        let refused = |problem: String| ErrorData::invalid_params(problem, None);
        let related = context.meta.get(RELATED_TASK);
        let task = related.and_then(|related| related.get("taskId")).and_then(Value::as_str);
        if self.stays.is_cancelled() && (task.is_some() || self.desk.is_none()) {
            // A detached task's questions are for others, later, and any reply would be taken for an answer. `FastMCP` 3
            // asks also who declared that nobody here can be asked.
            return std::future::pending().await;
        }
        let ask = ask_from(params).map_err(refused)?;
        let name = context.meta.get(QUESTION).and_then(Value::as_str);
        let mut question = AskedQuestion {
            server: shown_name(&self.wire, &self.place),
            task: task.map(str::to_owned),
            key: name.map_or_else(|| context.id.to_string(), str::to_owned),
            outlives_session: name.is_some(),
            ask,
            refused: None,
        };
        let answered = match &self.desk {
            Some(desk) => desk.ask(&mut question).await,
            // Some servers ask also who declared no elicitation, and take a refusal for an answer.
            None => Err(needs_input(&question)),
        };
        match answered {
            Ok(answer) => Ok(about_task(elicit_result(&question.ask, &answer), related)),
            Err(error) => {
                // Any reply would close the question, so none is given; the verb that waits ends.
                self.gave_up.tell(error);
                std::future::pending().await
            }
        }
    }

    /// The reply to a question that was withdrawn, also by the end of the connection: none, where the session goes on and
    /// any reply would close the question.
    async fn withdrawn(&self) -> Result<CustomResult, ErrorData> {
        if self.stays.is_cancelled() {
            std::future::pending::<()>().await;
        }
        Err(ErrorData::internal_error("the question was withdrawn", None))
    }
}

impl ClientHandler for Session {
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method != ELICITATION {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None));
        }
        let params = request.params.unwrap_or_default();
        let _open = if self.desk.is_some() || self.stays.is_cancelled() {
            let open = self.flood.open(params.to_string().len());
            Some(open.ok_or_else(|| {
                ErrorData::internal_error("too many questions of this server are open", None)
            })?)
        } else {
            self.flood.refuse();
            None
        };
        tokio::select! {
            biased;
            () = context.ct.cancelled() => self.withdrawn().await,
            // The reply goes nowhere. The next session is asked what is still open.
            () = self.lost.cancelled() => self.withdrawn().await,
            answer = self.elicit(&params, &context) => answer.map(CustomResult),
        }
    }

    /// Refused as the other capabilities that this client did not declare; an empty list would be an answer.
    #[expect(
        deprecated,
        reason = "servers of the older era ask it, and rmcp replies with an empty list otherwise"
    )]
    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<rmcp::model::ListRootsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListRootsRequestMethod>())
    }

    async fn on_custom_notification(&self, notice: CustomNotification, _: NotificationContext<RoleClient>) {
        let params = notice.params.unwrap_or_default();
        // Nobody listens when no task is followed, which is no fault.
        match notice.method.as_str() {
            TASK_CHANGED => {
                let _ = TaskView::read(&params).map(|view| self.changed.send(Arc::new(view)));
            }
            PROMISED => drop(self.promised.send(Arc::new(promised(&params)))),
            _ => {}
        }
    }

    fn get_info(&self) -> ClientConfig {
        let capabilities = capabilities(self.desk.is_some());
        let mut config =
            ClientConfig::new(capabilities, Implementation::new("mcptask", env!("CARGO_PKG_VERSION")));
        // What `initialize` offers: the last version that has it. The modern era names its own in each request.
        config.protocol_version = ProtocolVersion::V_2025_11_25;
        config
    }
}

/// The tasks that the acknowledgement of a subscription names.
fn promised(params: &Value) -> BTreeSet<String> {
    let ids = params.pointer("/notifications/taskIds").and_then(Value::as_array);
    ids.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What the client can; where it `asks`, or takes questions for others, also elicitation.
pub(super) fn capabilities(asks: bool) -> ClientCapabilities {
    let mut capabilities = ClientCapabilities::default();
    capabilities.extensions =
        Some(ExtensionCapabilities::from([(TASKS_EXTENSION_ID.to_owned(), serde_json::Map::new())]));
    capabilities.elicitation = asks.then(|| {
        ElicitationCapability::new()
            .with_form(FormElicitationCapability::default())
            .with_url(UrlElicitationCapability::default())
    });
    capabilities
}

/// The reply to a task's question names the task as the question did.
fn about_task(mut reply: Value, related: Option<&Value>) -> Value {
    if let Some(related) = related {
        reply["_meta"][RELATED_TASK] = related.clone();
    }
    reply
}

/// The name that a server gives itself, and where it is.
pub(super) fn shown_name(wire: &Wire, place: &str) -> String {
    let handshake = wire.handshake();
    let own = [
        handshake.pointer("/serverInfo/name"),
        handshake.pointer("/_meta/io.modelcontextprotocol~1serverInfo/name"),
    ];
    match own.into_iter().flatten().find_map(Value::as_str) {
        Some(name) => format!("{name} ({place})"),
        None => place.to_owned(),
    }
}
