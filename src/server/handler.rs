//! What rmcp calls: the handshakes of both eras, and every renamed request.

use std::sync::Arc;

use rmcp::model::{
    CustomRequest, CustomResult, Implementation, InitializeRequestParams, InitializeResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::caller::{Caller, Client};
use super::dialect::{self, Era};
use super::fault::{invalid, no_method};
use super::wire::Object;
use super::{ServeConfig, legacy, legacy_tasks, modern, subscriptions, tools};
use crate::engine::Engine;
use crate::relay::Relay;

/// What all connections of one server share.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) engine: Engine,
    pub(super) relay: Relay,
    pub(super) config: ServeConfig,
    /// Foreground calls that are waited for when the server stops.
    pub(super) calls: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// The request as a handler gets it.
pub(super) struct Request {
    pub(super) caller: Caller,
    pub(super) params: Object,
    pub(super) context: RequestContext<RoleServer>,
}

/// The handler of one connection.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) serving: Arc<Serving>,
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let config = &self.serving.config;
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_tasks().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(config.name.clone(), config.version.clone()))
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        if let Some(client) = context.extensions.get::<Arc<Client>>() {
            self.serving.relay.join(&client.connection, &context.peer);
        }
        self.negotiate_initialize(&request)
    }

    // The server has neither prompts nor resources, which rmcp would answer with empty lists.

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(no_method("prompts/list"))
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(no_method("resources/list"))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(no_method("resources/templates/list"))
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let Some((era, method)) = dialect::original(&request.method) else {
            return Err(no_method(request.method));
        };
        let params = match request.params {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(invalid("params must be an object")),
        };
        let request = Request { caller: Caller::of(&context, era), params, context };
        if era == Era::Legacy && request.caller.client.is_none() {
            let problem = "the request belongs to no session: send initialize first, or name 2026-07-28";
            return Err(ErrorData::invalid_request(problem, None));
        }
        let serving = &self.serving;
        let result = match (era, method) {
            (Era::Legacy, "tools/list") => tools::list_legacy(serving, &request).await,
            (Era::Legacy, "tools/call") => legacy::call(serving, request).await,
            (Era::Legacy, "tasks/get") => legacy_tasks::get(serving, &request).await,
            (Era::Legacy, "tasks/result") => legacy_tasks::result(serving, request).await,
            (Era::Legacy, "tasks/list") => legacy_tasks::list(serving, &request).await,
            (Era::Legacy, "tasks/cancel") => legacy_tasks::cancel(serving, &request).await,
            (Era::Modern, "tools/list") => tools::list_modern(serving, &request).await,
            (Era::Modern, "tools/call") => modern::call(serving, request).await,
            (Era::Modern, "tasks/get") => modern::get(serving, &request).await,
            (Era::Modern, "tasks/update") => modern::update(serving, &request).await,
            (Era::Modern, "tasks/cancel") => modern::cancel(serving, &request).await,
            (Era::Modern, "subscriptions/listen") => subscriptions::listen(serving, request).await,
            _ => Err(no_method(method)),
        };
        result.map(CustomResult)
    }
}

impl Request {
    /// A string among the params.
    pub(super) fn text(&self, key: &str) -> Result<&str, ErrorData> {
        match self.params.get(key) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(invalid(format!("params.{key} must be a string, not {other}"))),
            None => Err(invalid(format!("params.{key} is missing"))),
        }
    }

    /// The task that the params name. One that cannot be an id is one that was never given out.
    pub(super) fn task_id(&self) -> Result<crate::task::TaskId, ErrorData> {
        let text = self.text("taskId")?;
        text.parse().map_err(|error| invalid(format!("there is no such task: {error}")))
    }

    /// An object among the params; empty where it is left out.
    pub(super) fn object(&self, key: &str) -> Result<Object, ErrorData> {
        match self.params.get(key) {
            None | Some(Value::Null) => Ok(Object::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(other) => Err(invalid(format!("params.{key} must be an object, not {other}"))),
        }
    }
}
