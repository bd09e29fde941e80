//! Questions that the person at the host is asked: the host shows the form, and no model comes between it and the answer.
//! In the era with sessions the question is a request to the host; in the stateless one it is the call's result, and its
//! answer comes with the next call.

use std::collections::BTreeMap;

use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientResult, CustomRequest, ElicitRequest,
    ElicitRequestParams, InputRequest, InputRequiredResult, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestHandle, ServiceError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answering::user;
use super::calls::{Caller, Desk, MOST, Reply, left, within};
use super::pending::Before;
use super::{Way, arguments};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::{Failure, Kind};
use crate::desk::place::Found;
use crate::desk::text;
use crate::fastmcp;
use crate::relay::Modes;
use crate::task::{Action, Answer, Answerer, AskKind};

/// How often somebody is asked in all, where the answers do not fit.
const ATTEMPTS: u32 = 3;

/// The key under which a question stands in a result, and its answer in the next call.
const KEY: &str = "answer";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    task: String,
    question: String,
}

/// What comes of asking the host.
enum Heard {
    Left,
    Closed(Result<String, Failure>),
    Reply(Result<ClientResult, ServiceError>),
}

impl<W: Way> Desk<'_, W> {
    pub(super) async fn ask_user(&self, caller: &Caller<'_>) -> Result<Reply, Failure> {
        let Wanted { task, question } = arguments::read(caller)?;
        self.way.before_changing().await?;
        let (found, open) = within(MOST, self.open_question(&task, &question)).await?;
        let done =
            match Modes::of(caller.context.client_capabilities().as_ref()).missing(&open.asked.ask.kind) {
                Some(problem) => {
                    let problem = format!("this host cannot ask its user: {problem}");
                    Err(Failure::new(Kind::NeedsInput, problem).maybe_hint(open.asked.later_hint()))
                }
                None if caller.is_modern() => self.by_result(caller, &found, &open).await,
                None => self.by_request(caller, &found, &open).await,
            };
        done.map_err(|failure| failure.concerning(Some(open.task.clone()), Some(open.id.clone())))
    }

    /// Asks by a request to the host, again where the answer does not fit, until somebody has answered.
    async fn by_request(
        &self,
        caller: &Caller<'_>,
        found: &Found,
        open: &OpenQuestion,
    ) -> Result<Reply, Failure> {
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            let result = ask(caller, found, open, problem.as_deref()).await?;
            match self.take(caller, found, open, &result).await? {
                Ok(reply) => return Ok(reply),
                Err(refused) => problem = Some(refused),
            }
        }
        Err(misfits(problem.as_deref()))
    }

    /// Asks by a result, and takes the answer that comes with the next call.
    async fn by_result(
        &self,
        caller: &Caller<'_>,
        found: &Found,
        open: &OpenQuestion,
    ) -> Result<Reply, Failure> {
        let request = caller.request;
        let before = request.request_state.as_deref().and_then(|state| self.pending.take(state));
        let before = before.filter(|before| before.task == open.task && before.question == open.id);
        let reply = request.input_responses.as_ref().and_then(|replies| replies.get(KEY));
        let (problem, attempt) = match (before, reply) {
            (Some(before), Some(reply)) => match self.take(caller, found, open, reply).await? {
                Ok(reply) => return Ok(reply),
                Err(problem) if before.attempt + 1 >= ATTEMPTS => return Err(misfits(Some(&problem))),
                Err(problem) => (Some(problem), before.attempt + 1),
            },
            // What was not asked is asked now, whatever is said to be its answer.
            _ => (None, 0),
        };
        let params: ElicitRequestParams =
            serde_json::from_value(params(open, problem.as_deref())).map_err(|error| {
                let problem = format!("the question's form is none that a host of 2026-07-28 shows: {error}");
                Failure::new(Kind::NeedsInput, problem).maybe_hint(open.asked.later_hint())
            })?;
        let asked = InputRequest::Elicitation(ElicitRequest::new(params));
        let state = self.pending.add(Before { task: open.task.clone(), question: open.id.clone(), attempt });
        let result = InputRequiredResult::new(Some(BTreeMap::from([(KEY.to_owned(), asked)])), Some(state));
        Ok(Reply::Ask(result.into()))
    }

    /// Sends what the host's user said; why it does not fit, where it does not.
    async fn take(
        &self,
        caller: &Caller<'_>,
        found: &Found,
        open: &OpenQuestion,
        result: &Value,
    ) -> Result<Result<Reply, String>, Failure> {
        let who = user(self.way.who(caller.name().as_deref(), None));
        let answer = read(open, result)?.given_by(who);
        let mut sending = Sending::new(found, open, answer, fastmcp::Way::Supported);
        match within(MOST, sending.attempt()).await? {
            Delivered::Taken(receipt) => Ok(Ok(Reply::Said(self.told(found, open, &receipt)))),
            Delivered::Refused { problem, .. } => Ok(Err(problem)),
        }
    }
}

/// Asks once and waits for the reply, unless the question is closed from elsewhere or the call is left.
async fn ask(
    caller: &Caller<'_>,
    found: &Found,
    open: &OpenQuestion,
    problem: Option<&str>,
) -> Result<Value, Failure> {
    let mut params = params(open, problem);
    // Modes came with 2025-11-25; before, every question is a form.
    if caller.context.protocol_version().is_some_and(|version| version < ProtocolVersion::V_2025_11_25)
        && let Value::Object(params) = &mut params
    {
        params.shift_remove("mode");
    }
    let request = ServerRequest::CustomRequest(CustomRequest::new("elicitation/create", Some(params)));
    let sent = caller.context.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let mut handle = sent.map_err(|error| unasked(open, &error))?;
    let closed = Box::pin(found.closed_elsewhere(open));
    let heard = tokio::select! {
        biased;
        () = caller.left() => Heard::Left,
        closed = closed => Heard::Closed(closed),
        reply = &mut handle.rx => Heard::Reply(reply.unwrap_or(Err(ServiceError::TransportClosed))),
    };
    match heard {
        Heard::Reply(Ok(result)) => Ok(json!(result)),
        Heard::Reply(Err(error)) => Err(unasked(open, &error)),
        Heard::Left => {
            withdraw(caller, handle, "the call that asks was cancelled").await;
            Err(left())
        }
        Heard::Closed(closed) => {
            withdraw(caller, handle, "the question was answered elsewhere, or its task ended").await;
            Err(Failure::new(Kind::NothingChanged, closed?))
        }
    }
}

async fn withdraw(caller: &Caller<'_>, handle: RequestHandle<RoleServer>, reason: &str) {
    let params = CancelledNotificationParam::new(Some(handle.id), Some(reason.to_owned()));
    let notification = CancelledNotification::new(params);
    caller.tell(handle.peer.send_notification(notification.into())).await;
}

/// What the host is asked: who asks stands before what is asked, since the host shows only its own name.
fn params(open: &OpenQuestion, problem: Option<&str>) -> Value {
    let asked = &open.asked;
    let mut params = asked.ask.to_params();
    let mut message =
        format!("{} asks: {}", text::line(&asked.who), text::block(&asked.ask.message).join("\n"));
    if let Some(problem) = problem {
        message = format!("{message}\n\nThe answer before was not taken: {}", text::sentence(problem));
    }
    params["message"] = json!(message);
    if matches!(asked.ask.kind, AskKind::Url { .. }) {
        params["elicitationId"] = json!(format!("{}.{}", open.task, open.id));
    }
    params
}

/// The answer in a reply to an elicitation.
fn read(open: &OpenQuestion, result: &Value) -> Result<Answer, Failure> {
    let action =
        result.get("action").and_then(|action| serde_json::from_value::<Action>(action.clone()).ok());
    let Some(action) = action else {
        let problem = "the host's reply has no action accept, decline or cancel: the question stays open";
        return Err(Failure::new(Kind::NeedsInput, problem));
    };
    if action == Action::Cancel {
        // The form was dismissed, perhaps by the host itself: nobody has decided anything.
        let problem = "the host's user dismissed the question without an answer: it stays open";
        return Err(Failure::new(Kind::NeedsInput, problem).maybe_hint(open.asked.later_hint()));
    }
    let mut answer = Answer::new(action, Answerer::Operator);
    if let Some(content) = result.get("content").filter(|_| action == Action::Accept) {
        answer.content = content.as_object().cloned();
    }
    Ok(answer)
}

fn unasked(open: &OpenQuestion, error: &ServiceError) -> Failure {
    let problem = format!("no answer of the host's user came: {error}; the question stays open");
    Failure::new(Kind::NeedsInput, problem).maybe_hint(open.asked.later_hint())
}

fn misfits(problem: Option<&str>) -> Failure {
    let problem = problem.unwrap_or_default();
    Failure::usage(format!(
        "the answers of the host's user did not fit the question, {ATTEMPTS} times: {problem}"
    ))
    .hint("the question is still open")
}
