//! Answering a question in the deployment's place, so that its own worker goes on.

use std::time::Duration;

use jiff::Timestamp;
use redis::{Script, Value};
use serde::Serialize;
use serde_json::json;

use super::elicitation::QUESTION_MS;
use super::signs::{Asking, Leg, Signs};
use super::{DeployedQuestion, DeployedTask, Deployment, FastmcpError, FastmcpResult, v4};
use crate::form::{Form, unheld};
use crate::task::{Action, Answer, AskKind, Violation};

/// How long a worker may take from asking to waiting for the answer; measured, it takes about a millisecond.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);

/// How long the same is waited for at a worker that has just not taken another one: where it lives after all, that is a
/// hundred times what it takes.
const TAKEN_AT_ONCE: Duration = Duration::from_millis(100);

/// How long an answer that nobody takes lives where whoever gave it is killed before it is taken back.
const ANSWER_LIVES: Duration = Duration::from_secs(5);

/// How long another update of a FastMCP 4 task may take.
const LOCKED_FOR: Duration = Duration::from_secs(5);

/// How long the questions of a leg that was answered stay for who reads the task meanwhile.
const LEG_STAYS: Duration = Duration::from_secs(60);

/// How often it is looked whether that has happened: neither tells when it does.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// By which way an answer goes to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only where the Redis is the way that FastMCP itself takes: 3.0 and 3.4.
    Supported,
    /// Straight through the Redis of FastMCP 4 too, round its server's authorisation.
    Direct,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The task.
    pub task: String,
    /// The question.
    pub question: String,
    /// Answers to earlier questions that lay in the list, and would have been taken for this one.
    pub stale_cleared: u64,
    /// Questions of the same task that are still open.
    pub left: usize,
    /// Whether the task was seen to go on with it. A worker that was stopped has the answer in its connection, where
    /// nobody can take it back, and takes it when it runs again, if it ever does.
    pub goes_on: bool,
}

impl Deployment {
    /// Answers the question of a task, if nobody has. The first answer wins where FastMCP's own code lets it:
    /// its client's answers name no question, so a client may still answer the next one by mistake.
    pub async fn answer(
        &self,
        task: &DeployedTask,
        question: &str,
        answer: &Answer,
        way: Way,
    ) -> FastmcpResult<Answered> {
        let asked = task.question(question).ok_or_else(|| not_open(task, question))?;
        let question = asked.id.as_str();
        check(task, asked, answer)?;
        match &task.signs.asking {
            Asking::Elicitation { .. } => self.answer_v3(task, question, answer).await,
            Asking::Leg(_) if way == Way::Supported => Err(task.needs_another_way(question)),
            Asking::Leg(leg) => self.answer_v4(task, question, leg, answer).await,
        }
    }

    async fn answer_v3(
        &self,
        task: &DeployedTask,
        question: &str,
        answer: &Answer,
    ) -> FastmcpResult<Answered> {
        let (id, question) = (task.id.clone(), question.to_owned());
        let text = json!({ "action": answer.action, "content": answer.content }).to_string();
        let script = Script::new(include_str!("lua/answer_v3.lua"));
        let mut call = script.prepare_invoke();
        call.key(elicitation_keys(&task.signs)).key(task.signs.docket.runs(task.signs.current()));
        call.arg(&question).arg(&text).arg(ANSWER_LIVES.as_millis() as u64);
        let reply: Vec<Value> = self.link.call(&call).await?;
        let word: String = word(&reply);
        match word.as_str() {
            "ok" => {
                let stale = reply.get(1).and_then(|count| redis::from_redis_value_ref(count).ok());
                self.taken(task, &question, &text).await?;
                let (stale_cleared, goes_on) =
                    (stale.unwrap_or_default(), self.goes_on(task, &question).await?);
                Ok(Answered { task: id, question, stale_cleared, left: 0, goes_on })
            }
            "ended" => Err(ended(self.find(&task.id).await?, &question)),
            _ => Err(FastmcpError::AlreadyAnswered { id, question }),
        }
    }

    /// Waits until the worker has the answer; takes it back when nobody does.
    async fn taken(&self, task: &DeployedTask, question: &str, text: &str) -> FastmcpResult<()> {
        let response = task.signs.own(":elicit:response");
        // A worker that blocks on the list has the answer before the next command is served.
        let is_taken = async || Ok(self.link.run::<u64>(redis::cmd("LLEN").arg(&response)).await? == 0);
        let worker = task.worker.as_ref().map(|worker| worker.name.as_str());
        let is_silent = worker.is_some_and(|worker| self.is_silent(worker));
        let is_here = is_within(if is_silent { TAKEN_AT_ONCE } else { TAKEN_WITHIN }, is_taken).await?;
        if let Some(worker) = worker {
            self.heard(worker, is_here);
        }
        if is_here {
            return Ok(());
        }
        let script = Script::new(include_str!("lua/withdraw_v3.lua"));
        let mut call = script.prepare_invoke();
        call.key(elicitation_keys(&task.signs)).arg(question).arg(text);
        if self.link.call::<u64>(&call).await? == 0 {
            return Ok(());
        }
        let worker = task.worker.as_ref().map_or_else(|| "unknown".to_owned(), |worker| worker.name.clone());
        Err(FastmcpError::WorkerGone { id: task.id.clone(), worker })
    }

    /// Whether the worker goes on, which has the answer: the first that it does is to delete the question.
    async fn goes_on(&self, task: &DeployedTask, question: &str) -> FastmcpResult<bool> {
        let request = task.signs.own(":elicit:request");
        is_within(TAKEN_WITHIN, async || {
            let open: Option<String> = self.link.run(redis::cmd("GET").arg(&request)).await?;
            Ok(!open.is_some_and(|open| open.contains(question)))
        })
        .await
    }

    async fn answer_v4(
        &self,
        task: &DeployedTask,
        question: &str,
        leg: &Leg,
        answer: &Answer,
    ) -> FastmcpResult<Answered> {
        let script = Script::new(include_str!("lua/answer_v4.lua"));
        let began = tokio::time::Instant::now();
        loop {
            let call = next_leg(&script, &task.signs, question, leg, answer);
            let word: String = self.link.call(&call).await?;
            let left = match word.as_str() {
                "queued" => 0,
                "left" => task.questions.len().saturating_sub(1),
                "locked" if began.elapsed() < LOCKED_FOR => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    continue;
                }
                other => return Err(refused_v4(other, task, question)),
            };
            let (task, question) = (task.id.clone(), question.to_owned());
            return Ok(Answered { task, question, stale_cleared: 0, left, goes_on: true });
        }
    }

    /// Puts a task that FastMCP lost to its status race back to waiting, so that it can be answered. It is the very
    /// task that [`Deployment::diagnose`] would call lost now.
    pub async fn fix(&self, prefix: &str) -> FastmcpResult<DeployedTask> {
        let found = self.find(prefix).await?;
        let id = found.id.clone();
        let not_lost = |found: &str| FastmcpError::NotLost { id: id.clone(), found: found.to_owned() };
        let Some(task) = self.settled(vec![found]).await?.pop() else {
            return Err(not_lost("its question has changed meanwhile"));
        };
        let Asking::Elicitation { request: Some(request), .. } = &task.signs.asking else {
            return Err(not_lost("it has no question"));
        };
        if let Some(worker) = task.worker.as_ref().filter(|worker| !worker.alive) {
            let found = format!("its worker {} is dead, and an answer would reach nobody", worker.name);
            return Err(not_lost(&found));
        }
        let script = Script::new(include_str!("lua/fix_v3.lua"));
        let mut call = script.prepare_invoke();
        call.key(elicitation_keys(&task.signs))
            .key(task.signs.docket.runs(task.signs.current()))
            .arg(request);
        let word: String = self.link.call(&call).await?;
        match word.as_str() {
            "ok" => self.find(&task.id).await,
            "running" => Err(not_lost("it does not run")),
            "answers" => Err(not_lost("an answer lies ready for its worker")),
            "status" => Err(not_lost("its question still waits for an answer")),
            _ => Err(not_lost("its question has changed meanwhile")),
        }
    }
}

impl DeployedTask {
    /// Why a question of FastMCP 4 is not answered in its Redis unless that is demanded, and which way leads on.
    pub(crate) fn needs_another_way(&self, question: &str) -> FastmcpError {
        let (id, question) = (self.id.clone(), question.to_owned());
        if self.arguments_have_expired() {
            FastmcpError::ArgumentsExpired { id, question }
        } else {
            FastmcpError::NeedsServer { id, question }
        }
    }
}

/// Looks whether it is so, for as long as a worker may take.
async fn is_within(bound: Duration, is_so: impl AsyncFn() -> FastmcpResult<bool>) -> FastmcpResult<bool> {
    let began = tokio::time::Instant::now();
    while !is_so().await? {
        if began.elapsed() >= bound {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(true)
}

/// Checks the answer against the question before anything is written.
fn check(task: &DeployedTask, asked: &DeployedQuestion, answer: &Answer) -> FastmcpResult<()> {
    let AskKind::Form { schema } = &asked.ask.kind else {
        return Ok(());
    };
    if answer.action != Action::Accept {
        return Ok(());
    }
    let not_a_form = |violations| FastmcpError::NotAForm { id: task.id.clone(), violations };
    let form = Form::parse(schema).map_err(not_a_form)?;
    let Some(content) = &answer.content else {
        return Err(FastmcpError::Invalid { violations: vec![Violation::new("", "has no content")] });
    };
    let mut violations = form.violations(content);
    // Nothing else is between us and FastMCP's own types: what they cannot hold breaks the task that reads it.
    violations.extend(unheld(content));
    if violations.is_empty() { Ok(()) } else { Err(FastmcpError::Invalid { violations }) }
}

/// Why a question is not among the open ones.
fn not_open(task: &DeployedTask, question: &str) -> FastmcpError {
    if task.status.is_final() {
        return FastmcpError::Ended { id: task.id.clone(), status: task.status };
    }
    match &task.signs.asking {
        Asking::Elicitation { request: Some(request), status: Some(status), responses: 0, .. }
            if request == question && status == "responded" =>
        {
            FastmcpError::LostToRace { id: task.id.clone() }
        }
        _ => FastmcpError::NoQuestion {
            id: task.id.clone(),
            question: question.to_owned(),
            status: task.status,
        },
    }
}

fn ended(task: DeployedTask, question: &str) -> FastmcpError {
    if task.status.is_final() {
        FastmcpError::Ended { id: task.id, status: task.status }
    } else {
        FastmcpError::NoQuestion { id: task.id, question: question.to_owned(), status: task.status }
    }
}

fn refused_v4(word: &str, task: &DeployedTask, question: &str) -> FastmcpError {
    let id = task.id.clone();
    match word {
        "locked" => FastmcpError::Locked { id, seconds: LOCKED_FOR.as_secs() },
        "cancelled" => FastmcpError::Ended { id, status: crate::task::TaskStatus::Cancelled },
        "expired" => FastmcpError::LegExpired { id },
        _ => FastmcpError::AlreadyAnswered { id, question: question.to_owned() },
    }
}

/// Request, status and response of a FastMCP 3 task.
pub(super) fn elicitation_keys(signs: &Signs) -> Vec<String> {
    [":elicit:request", ":elicit:status", ":elicit:response"].map(|ending| signs.own(ending)).to_vec()
}

fn word(reply: &[Value]) -> String {
    reply.first().and_then(|word| redis::from_redis_value_ref(word).ok()).unwrap_or_default()
}

/// The call that answers one question of a leg and, if it was the last, queues the next.
fn next_leg<'a>(
    script: &'a Script,
    signs: &Signs,
    question: &str,
    leg: &Leg,
    answer: &Answer,
) -> redis::ScriptInvocation<'a> {
    let (docket, number) = (&signs.docket, leg.number + 1);
    let key = format!("{}#leg{number}", signs.identity.key);
    let tools_key = leg.map.get(question).cloned().unwrap_or_default();
    let now = Timestamp::now();
    let mut call = script.prepare_invoke();
    call.key(docket.runs(&leg.key)).key(docket.runs(&key)).key(docket.key("stream"));
    call.key(signs.own(&format!(":input:{}:requests", leg.number)));
    call.key(signs.own(&format!(":input:{}:map", leg.number)));
    for ending in [":input_responses", ":update_lock", ":cancelled", ":current_leg", ":leg"] {
        call.key(signs.own(ending));
    }
    for ending in ["", ":created_at", ":poll_interval", ":args", ":snapshot"] {
        call.key(signs.own(ending));
    }
    call.arg(question).arg(&tools_key).arg(response(&tools_key, answer)).arg(&key).arg(number);
    let when = now.as_millisecond() as f64 / 1000.0;
    call.arg(iso(now)).arg(when).arg(docket.state_channel(&key)).arg(queued(&key, now));
    call.arg(QUESTION_MS / 1000).arg(v4::TASK_TTL).arg(&leg.key).arg(LEG_STAYS.as_secs());
    call
}

/// One entry of `input_responses`, as FastMCP writes it.
fn response(tools_key: &str, answer: &Answer) -> String {
    let data = json!({ "_meta": null, "action": answer.action, "content": answer.content });
    let entry = json!({ "type": "ElicitResult", "data": data });
    format!("{}: {entry}", json!(tools_key))
}

fn queued(key: &str, now: Timestamp) -> String {
    json!({ "type": "state", "key": key, "state": "queued", "when": iso(now) }).to_string()
}

/// A time as Python writes and reads it.
pub(super) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
