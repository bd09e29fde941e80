//! The calls of the host's model: each is read, done by the desk, and told.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ProtocolVersion};
use rmcp::service::{RequestContext, ServiceError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::pending::Pending;
use super::shown::{self, Said};
use super::{Way, tools};
use crate::desk::failure::{Failure, Kind};
use crate::desk::place::{Found, no_task};
use crate::desk::places::Places;
use crate::desk::sought::Sought;

/// How long a call may take that waits for nobody.
pub(super) const MOST: Duration = Duration::from_secs(60);

/// How long a launch may take: a server may run a tool at once.
const LAUNCH: Duration = Duration::from_secs(600);

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: CallToolRequestParams,
    pub(super) context: RequestContext<RoleServer>,
    pub(super) reply: oneshot::Sender<CallToolResponse>,
}

/// Who called, and how that is told of.
pub(super) struct Caller<'a> {
    pub(super) request: &'a CallToolRequestParams,
    pub(super) context: &'a RequestContext<RoleServer>,
    /// The host has closed its end.
    closed: &'a CancellationToken,
}

impl Caller<'_> {
    /// Waits until nobody waits for the call any more.
    pub(super) async fn left(&self) {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => {}
            () = self.context.ct.cancelled() => {}
        }
    }

    /// Tells the host something, unless it has closed its end: then nobody takes it any more.
    pub(super) async fn tell(&self, telling: impl Future<Output = Result<(), ServiceError>>) {
        let told = tokio::select! {
            biased;
            () = self.closed.cancelled() => return,
            told = telling => told,
        };
        if let Err(error) = told {
            tracing::debug!(%error, "the host was not told");
        }
    }

    /// Whether it speaks the stateless era, in which a question is a result and its answer the next call.
    pub(super) fn is_modern(&self) -> bool {
        self.context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
    }

    /// What the host calls itself, with its version.
    pub(super) fn name(&self) -> Option<String> {
        let client = self.context.client_info()?;
        Some(format!("mcp client {} {}", client.name, client.version).trim_end().to_owned())
    }
}

/// The failure of a call that its caller waits for no more.
pub(super) fn left() -> Failure {
    Failure::new(Kind::Interrupted, "the call was cancelled")
}

/// What a call comes to.
pub(super) enum Reply {
    /// Something is told.
    Said(Said),
    /// The host has to ask its user first.
    Ask(CallToolResponse),
}

/// The desk, as a host sees it.
pub(super) struct Desk<'a, W> {
    pub(super) way: &'a W,
    /// What hosts of the stateless era are asking their users.
    pub(super) pending: Pending,
    closed: CancellationToken,
}

impl<'a, W: Way> Desk<'a, W> {
    pub(super) fn new(way: &'a W, closed: CancellationToken) -> Self {
        Self { way, pending: Pending::default(), closed }
    }

    /// Works on a call and answers it.
    pub(super) async fn answer(&self, call: Call) {
        let Call { request, context, reply } = call;
        let caller = Caller { request: &request, context: &context, closed: &self.closed };
        let answer = match self.done(&caller).await {
            Ok(Reply::Said(said)) => shown::result(said).into(),
            Ok(Reply::Ask(asked)) => asked,
            Err(failure) => shown::refusal(&self.way.failed(failure)).into(),
        };
        // Who has gone needs none.
        let _ = reply.send(answer);
    }

    async fn done(&self, caller: &Caller<'_>) -> Result<Reply, Failure> {
        let said = match caller.request.name.as_ref() {
            tools::ASK_USER => return Box::pin(self.ask_user(caller)).await,
            tools::WATCH_TASK => Box::pin(self.watch_task(caller)).await?,
            tools::LIST_WAITING => within(MOST, self.list_waiting(caller)).await?,
            tools::LIST_TASKS => within(MOST, self.list_tasks(caller)).await?,
            tools::SHOW_TASK => within(MOST, self.show_task(caller)).await?,
            tools::SUBMIT_TASK => within(LAUNCH, self.submit_task(caller)).await?,
            tools::ANSWER_QUESTION => within(MOST, self.answer_question(caller)).await?,
            other => return Err(Failure::new(Kind::NotFound, format!("there is no tool {other:?}"))),
        };
        Ok(Reply::Said(said))
    }

    /// What the id leads to.
    pub(super) async fn seek(&self, places: &Places, id: &str) -> Result<Sought, Failure> {
        if places.is_empty() {
            return Err(no_task(id).hint(self.way.nothing_begun()));
        }
        places.seek(id).await
    }

    /// The task of that id.
    pub(super) async fn find(&self, places: &Places, id: &str) -> Result<Found, Failure> {
        self.seek(places, id).await?.task()
    }
}

/// Bounds what waits for nobody. Boxed, since whoever works on many calls would carry each along.
pub(super) async fn within<T>(
    most: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let silent = || Failure::new(Kind::TimedOut, format!("gave up after {most:?}"));
    tokio::time::timeout(most, Box::pin(work)).await.unwrap_or_else(|_| Err(silent()))
}
