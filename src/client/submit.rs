//! Starting a tool.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::asked::AskedQuestion;
use super::asking::{ask_from, elicit_result, needs_input, refused_page};
use super::circle::Circle;
use super::request::{INPUT_REQUIRED, TASK};
use super::tasks::beginning;
use super::{Client, ClientError, ClientResult, TaskView};
use crate::task::id::SESSION_LABEL;
use crate::task::{Action, Outcome, RpcError, TaskSupport};

/// How often a foreground call may come back with questions. Each round asked a person something, so
/// this ends only a server that goes in circles.
const MAX_ROUNDS: u32 = 1000;
/// How long the reply to a task's submission may be behind the task's first question.
const OVERTAKEN: Duration = Duration::from_secs(10);

/// The same where somebody was asked already, and what was decided leaves the question open.
const OVERTAKEN_BY_AN_ANSWER: Duration = Duration::from_secs(1);

/// What a call's result has at least one of; the last is of the first version. Whoever took anything else for a result would
/// call that finished which may go on.
const OF_A_CALL: [&str; 4] = ["content", "structuredContent", "isError", "toolResult"];

/// The error of a call that needs the user to visit a page first (2025-11-25, client/elicitation).
const PAGE_NEEDED: i64 = -32042;

/// What to start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub tool: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// How long the server shall keep the task, in milliseconds; legacy servers only are asked.
    pub ttl_ms: Option<u64>,
    /// A label for the server's log of sessions, for servers that know this key.
    pub session: Option<String>,
    /// Whether nobody here stays with a task: a session that it asks its questions in outlives the connection, and a
    /// question that comes before the connection ends is left open for others. A refusal would close it.
    pub detached: bool,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// It is a task now.
    Task(Box<TaskView>),
    /// The server ran it in the foreground, and this is its end.
    Done(Outcome),
}

/// Under this `_meta` key our own servers are told that what the task asks waits for others, since nobody is asked here.
const ANSWERED_BY_OTHERS: &str = "mcptask/answeredByOthers";

impl Client {
    /// Starts a tool, as a task wherever server and tool allow it. A foreground call is seen through to
    /// its end, its questions answered; only tasks return at once.
    pub async fn submit(&self, call: Call) -> ClientResult<Submitted> {
        let support = self.tool(&call.tool).await?.task_support;
        let mut params = json!({ "name": call.tool, "arguments": call.arguments });
        if let Some(label) = call.session {
            params["_meta"] = json!({ SESSION_LABEL: label });
        }
        if self.desk.is_none() {
            params["_meta"][ANSWERED_BY_OTHERS] = json!(true);
        }
        if !self.modern && support != TaskSupport::Forbidden {
            params["task"] = call.ttl_ms.map_or_else(|| json!({}), |ttl| json!({ "ttl": ttl }));
            if call.detached {
                self.stays.cancel();
            }
        }
        let (mut circle, mut unanswerable) = (Circle::default(), HashSet::new());
        for _ in 0..MAX_ROUNDS {
            let result = match self.call(params.clone()).await {
                Err(ClientError::Refused { method, error }) if error.code == PAGE_NEEDED && !self.modern => {
                    self.visit(ClientError::Refused { method, error: error.clone() }, &error).await?;
                    continue;
                }
                result => result?,
            };
            if !self.modern || result_type(&result) != Some(INPUT_REQUIRED) {
                return self.submitted(result);
            }
            self.answer_round(&result, &mut params, &mut unanswerable).await?;
            match circle.goes_on(&result, &params) {
                Ok(pause) => tokio::time::sleep(pause).await,
                Err(problem) => return Err(self.endless(problem)),
            }
        }
        Err(self.endless("it asks for input without end"))
    }

    fn endless(&self, problem: &'static str) -> ClientError {
        ClientError::Endless { server: self.place.clone(), problem }
    }

    /// One `tools/call`; ends early where a question that came meanwhile stays open. A task's first
    /// question may overtake the reply that names the task, so that reply is waited for.
    async fn call(&self, params: Value) -> ClientResult<Value> {
        let is_task = params.get("task").is_some();
        let mut reply = pin!(self.call_once(params));
        tokio::select! {
            result = &mut reply => result,
            error = self.given_up() => {
                let patience = if is_task { overtaken_for(&error) } else { Duration::ZERO };
                tokio::time::timeout(patience, reply).await.unwrap_or(Err(error))
            }
        }
    }

    /// A call that may not be repeated once it has arrived, and is as long as it certainly has not.
    async fn call_once(&self, params: Value) -> ClientResult<Value> {
        loop {
            match self.long_request("tools/call", params.clone()).await {
                Err(error) if error.is_passing() && !error.may_be_done() && !self.is_over() => {
                    self.wait_out(error).await?;
                }
                done => {
                    self.told_answered(&done);
                    return done;
                }
            }
        }
    }

    /// Never returns while all questions find their answers.
    pub(super) async fn given_up(&self) -> ClientError {
        self.gave_up.told().await
    }

    fn submitted(&self, result: Value) -> ClientResult<Submitted> {
        // The eras differ: a legacy task is nested, a modern one is flat and has a `resultType`.
        let is_flat = result_type(&result) == Some(TASK);
        let task = if self.modern { Some(&result).filter(|_| is_flat) } else { result.get("task") };
        if is_flat && task.is_none() {
            return Err(self.odd("tools/call", "a task as only 2026-07-28 has it, which was not agreed on"));
        }
        match task {
            Some(task) => TaskView::read(task)
                .map(|view| Submitted::Task(Box::new(view)))
                .ok_or_else(|| self.odd("tools/call", "a task without id or status")),
            None if OF_A_CALL.iter().all(|name| result.get(name).is_none()) => Err(self
                .odd("tools/call", &format!("neither a task nor a call's result: {}", beginning(&result)))),
            None => Ok(Submitted::Done(Outcome::Result(result))),
        }
    }

    /// Has the pages accepted that a call needs before it can run; `refusal` where one is not.
    async fn visit(&self, refusal: ClientError, error: &RpcError) -> ClientResult<()> {
        let pages = error.data.as_ref().and_then(|data| data.get("elicitations")).and_then(Value::as_array);
        let Some(pages) = pages.filter(|pages| !pages.is_empty()) else { return Err(refusal) };
        for page in pages {
            let key = page.get("elicitationId").and_then(Value::as_str).unwrap_or_default();
            let request = json!({ "method": "elicitation/create", "params": page });
            let mut question = self.question(None, key, &request)?;
            let desk = self.desk.as_ref().ok_or_else(|| needs_input(&question))?;
            if desk.ask(&mut question).await?.action != Action::Accept {
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Answers what an `InputRequiredResult` asks and makes `params` the next round: the state goes back
    /// as it came (2026-07-28, basic/patterns/mrtr). What nobody here can answer is passed over once.
    async fn answer_round(
        &self,
        result: &Value,
        params: &mut Value,
        unanswerable: &mut HashSet<String>,
    ) -> ClientResult<()> {
        let requests = result.get("inputRequests").and_then(Value::as_object).cloned().unwrap_or_default();
        let is_again = requests.keys().any(|key| unanswerable.contains(key));
        let (requests, mut left) = self.answerable(requests, unanswerable);
        if let Some(error) = left.take_if(|_| requests.is_empty() || is_again) {
            return Err(error);
        }
        let mut responses = Map::new();
        for (key, request) in &requests {
            let mut question = self.question(None, key, request)?;
            let desk = self.desk.as_ref().ok_or_else(|| needs_input(&question))?;
            match desk.ask(&mut question).await {
                Ok(answer) => drop(responses.insert(key.clone(), elicit_result(&question.ask, &answer))),
                // The others may be answered all the same.
                Err(error @ ClientError::LeftOpen { .. }) if question.ask.fits_nothing() => {
                    unanswerable.insert(key.clone());
                    left = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = left.filter(|_| responses.is_empty()) {
            return Err(error);
        }
        let Some(params) = params.as_object_mut() else { return Ok(()) };
        params.insert("inputResponses".into(), Value::Object(responses));
        match result.get("requestState") {
            Some(state) => params.insert("requestState".into(), state.clone()),
            None => params.remove("requestState"),
        };
        Ok(())
    }

    /// Those of the `inputRequests` that can be answered here, and what is wrong with another one. Each of the others is
    /// told once, and its key is noted in `told`.
    pub(super) fn answerable(
        &self,
        mut requests: Map<String, Value>,
        told: &mut HashSet<String>,
    ) -> (Map<String, Value>, Option<ClientError>) {
        let mut left = None;
        requests.retain(|key, request| match self.question(None, key, request) {
            // A page that must not be opened, and that nobody here has said no to.
            Ok(question) if question.ask.fits_nothing() && told.contains(key) => {
                left = Some(ClientError::LeftOpen { message: question.ask.message });
                false
            }
            Ok(_) => true,
            Err(error) => {
                if told.insert(key.clone())
                    && let Some(desk) = &self.desk
                {
                    desk.passes_over(&format!("{error}; it is passed over"));
                }
                left = Some(error);
                false
            }
        });
        (requests, left)
    }

    /// A question from the `inputRequests` of either a task or a call.
    pub(super) fn question(
        &self,
        task: Option<&str>,
        key: &str,
        request: &Value,
    ) -> ClientResult<AskedQuestion> {
        let unanswerable = |problem: String| {
            Err(ClientError::Unanswerable { problem: format!("question {key:?} is {problem}") })
        };
        let method = request.get("method").and_then(Value::as_str);
        let Some(method) = method else { return unanswerable("no request: it has no method".to_owned()) };
        if method != "elicitation/create" {
            return unanswerable(format!("{method}, which this client did not declare"));
        }
        let params = request.get("params").unwrap_or(&Value::Null);
        let ask = match ask_from(params) {
            Ok(ask) => ask,
            Err(problem) => match refused_page(params, &problem) {
                Some(ask) => ask,
                None => return unanswerable(problem),
            },
        };
        Ok(AskedQuestion {
            server: self.server(),
            task: task.map(str::to_owned),
            key: key.to_owned(),
            outlives_session: task.is_some(),
            ask,
            refused: None,
        })
    }
}

/// How long the reply to a submission is waited for after its question was left open. Where answers do not fit, a server
/// that asks before it names the task never names it, and whoever gave them would wait for nothing.
fn overtaken_for(error: &ClientError) -> Duration {
    match error {
        ClientError::AnswerRefused { .. } | ClientError::LeftOpen { .. } => OVERTAKEN_BY_AN_ANSWER,
        _ => OVERTAKEN,
    }
}

/// What a modern result says that it is.
fn result_type(result: &Value) -> Option<&str> {
    result.get("resultType").and_then(Value::as_str)
}
