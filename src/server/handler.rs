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

use super::dialect::{self, Era};
use super::errors::{invalid, no_method, no_session};
use super::request::{Caller, Client, Request, Serving};
use super::wire::Object;
use super::{events, legacy_tasks, modern_tasks, subscriptions, tools, wire};
use crate::events_extension::{self, LIST, POLL, STREAM};

/// The handler of one connection.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) serving: Arc<Serving>,
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let config = &self.serving.config;
        let mut capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_tasks().build();
        if config.experimental_events {
            let extensions = capabilities.extensions.get_or_insert_default();
            extensions.insert(events_extension::ID.to_owned(), Object::new());
        }
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
            return Err(no_session());
        }
        let serving = &self.serving;
        let offers_events = serving.config.experimental_events;
        let result = match (era, method) {
            (Era::Legacy, "tools/list") => tools::list_legacy(serving, &request).await,
            (Era::Legacy, "tools/call") => tools::call_legacy(serving, request).await,
            (Era::Legacy, "tasks/get") => legacy_tasks::get(serving, &request).await,
            (Era::Legacy, "tasks/result") => legacy_tasks::result(serving, request).await,
            (Era::Legacy, "tasks/list") => legacy_tasks::list(serving, &request).await,
            (Era::Legacy, "tasks/cancel") => legacy_tasks::cancel(serving, &request).await,
            (Era::Modern, "tools/list") => tools::list_modern(serving, &request).await,
            (Era::Modern, "tools/call") => tools::call_modern(serving, request).await,
            (Era::Modern, "tasks/get") => modern_tasks::get(serving, &request).await,
            (Era::Modern, "tasks/update") => modern_tasks::update(serving, &request).await,
            (Era::Modern, "tasks/cancel") => modern_tasks::cancel(serving, &request).await,
            (Era::Modern, "subscriptions/listen") => subscriptions::listen(serving, request).await,
            (Era::Modern, LIST) if offers_events => events::list(&request),
            (Era::Modern, POLL) if offers_events => events::poll(serving, &request).await,
            (Era::Modern, STREAM) if offers_events => events::stream(serving, request).await,
            _ => Err(no_method(method)),
        };
        let config = &serving.config;
        let signed = |result| match era {
            Era::Legacy => result,
            Era::Modern => wire::signed(result, &config.name, &config.version),
        };
        result.map(signed).map(CustomResult)
    }
}
