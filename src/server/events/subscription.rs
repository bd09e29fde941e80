//! What is subscribed to, of whom, and from where on.

use std::time::Duration;

use jiff::Timestamp;
use rmcp::ErrorData;
use serde_json::{Value, json};

use super::super::errors::{events, invalid, refused};
use super::super::request::{Request, Serving};
use super::super::wire::Object;
use super::kinds::Kind;
use crate::engine::Engine;
use crate::events_extension::Refusal;
use crate::store::EventFilter;
use crate::task::{Cursor, Event, Pattern, Scope, SessionId};

/// A subscription, as each request names it anew.
pub(super) struct Subscription {
    kind: Kind,
    scope: Scope,
    tool: Option<Pattern>,
    session: Option<SessionId>,
    /// Nothing older is told.
    not_before: Option<Timestamp>,
}

/// Where in the log it begins.
pub(super) struct Beginning {
    /// What comes after this place is told.
    pub(super) after: Cursor,
    /// Whether something is passed over that the client has not seen: the log was cut or is another one, or it is too old
    /// for the client.
    pub(super) truncated: bool,
    /// Whether it begins with what happens from now on.
    pub(super) is_now: bool,
}

impl Subscription {
    /// Reads what the request subscribes to.
    pub(super) fn of(request: &Request) -> Result<Self, ErrorData> {
        let name = request.text("name")?;
        let Some(kind) = Kind::named(name) else {
            let problem = format!("there is no event {name:?}: events/list shows those that there are");
            return Err(events(Refusal::NotFound, problem, Some(json!({ "kind": "event" }))));
        };
        let arguments = request.object("arguments")?;
        if let Some(other) = arguments.keys().find(|key| !["tool", "session"].contains(&key.as_str())) {
            return Err(invalid(format!(
                "params.arguments.{other} is none of this event's: give tool or session"
            )));
        }
        let tool = text(&arguments, "tool")?.map(Pattern::new);
        let session = text(&arguments, "session")?.map(str::parse).transpose();
        let session: Option<SessionId> =
            session.map_err(|error| invalid(format!("params.arguments.session: {error}")))?;
        let scope = request.caller.scope.clone();
        if scope.is_anonymous() && session.is_none() && !request.is_over_line() {
            let problem =
                "who shows no token is one of many: give a token, or arguments.session, whose tasks are told";
            return Err(events(Refusal::Forbidden, problem, None));
        }
        let not_before = match whole(request, "maxAgeMs", 0)? {
            None => None,
            Some(age) => Timestamp::now().checked_sub(Duration::from_millis(age)).ok(),
        };
        Ok(Self { kind, scope, tool, session, not_before })
    }

    /// Where it begins. Without a cursor that is now.
    pub(super) async fn begin(&self, serving: &Serving, request: &Request) -> Result<Beginning, ErrorData> {
        let engine = &serving.engine;
        let given = match request.params.get("cursor") {
            None | Some(Value::Null) => {
                let after = engine.store().last().await.map_err(|error| refused(error.into()))?;
                return Ok(Beginning { after, truncated: false, is_now: true });
            }
            Some(Value::String(text)) => text.parse::<Cursor>().ok(),
            Some(_) => None,
        };
        let Some(given) = given else {
            let cursor = &request.params["cursor"];
            let problem = "is not one that this server gave: leave it out to begin now";
            return Err(invalid(format!("params.cursor {cursor} {problem}")));
        };
        let (after, is_cut) = engine.go_on_after(given).await.map_err(refused)?;
        let truncated = is_cut || self.is_too_old(serving, after).await?;
        Ok(Beginning { after, truncated, is_now: false })
    }

    /// Whether what comes next in the log is too old for the client.
    async fn is_too_old(&self, serving: &Serving, after: Cursor) -> Result<bool, ErrorData> {
        if self.not_before.is_none() {
            return Ok(false);
        }
        let next = serving.engine.store().history(&EventFilter::All, after, 1).await;
        let next = next.map_err(|error| refused(error.into()))?;
        Ok(next.events.first().is_some_and(|event| !self.is_new_enough(event)))
    }

    fn is_new_enough(&self, event: &Event) -> bool {
        self.not_before.is_none_or(|at| event.at >= at)
    }

    /// Whether that event is told. Foreground calls are nobody's task but their caller's.
    pub(super) fn admits(&self, event: &Event) -> bool {
        self.kind.admits(event)
            && !event.hidden
            && event.scope == self.scope
            && self.is_new_enough(event)
            && self.tool.as_ref().is_none_or(|tool| tool.admits(&event.tool))
            && self.session.as_ref().is_none_or(|session| event.session.as_ref() == Some(session))
    }

    /// An event that is told, as an occurrence.
    pub(super) async fn occurrence(&self, engine: &Engine, event: &Event) -> Value {
        self.kind.occurrence(engine, event).await
    }
}

fn text<'a>(arguments: &'a Object, key: &str) -> Result<Option<&'a str>, ErrorData> {
    match arguments.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(invalid(format!("params.arguments.{key} must be a string, not {other}"))),
    }
}

/// A whole number among the params that is not below `least`.
pub(super) fn whole(request: &Request, key: &str, least: u64) -> Result<Option<u64>, ErrorData> {
    match request.params.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => match given.as_u64().filter(|number| *number >= least) {
            Some(number) => Ok(Some(number)),
            None => Err(invalid(format!("params.{key} must be a whole number from {least} on, not {given}"))),
        },
    }
}
