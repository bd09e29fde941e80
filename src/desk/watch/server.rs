//! Following the tasks of a server: what it tells of, and what looks at them show.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use futures::future::{FutureExt as _, LocalBoxFuture};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::events::{Events, Without};
use super::looking::{Look, Looking};
use super::{Notice, Seen, Through};
use crate::client::{Era, Occurrence, TaskView};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::failure::server::gone_or;
use crate::desk::place::SERVER;
use crate::desk::server::{Server, ServerTask, Unseen};
use crate::desk::text;
use crate::task::{SessionId, TaskStatus};

/// Tasks that are looked at where what happens is told.
const MOST_LOOKED_AT: usize = 500;

/// Why a session of a server cannot be followed.
pub(super) fn no_sessions(why: Option<String>) -> Failure {
    let message = match why {
        None => "a server does not say which session a task is of".to_owned(),
        Some(why) => format!("the server tells no events of a session: {why}"),
    };
    Failure::usage(message)
        .hint("leave SESSION out, give --task, or watch the store that the server uses with --redis URL or --db PATH")
}

/// Tasks of a server. At most one server is followed, or one of its tasks.
#[derive(Default)]
pub(super) struct Served {
    known: BTreeMap<String, TaskView>,
    ready: VecDeque<Notice>,
    looks: Option<Looks>,
    /// Tasks that could not be looked at when it began: that they were launched is no news when they can.
    unseen: HashSet<String>,
}

/// What is looked at, and what was seen. Looking goes on only when all that was seen has been taken, so that no more than
/// what one look brings is ever kept.
struct Looks {
    name: String,
    views: mpsc::UnboundedReceiver<Result<Look, Failure>>,
    looking: LocalBoxFuture<'static, ()>,
    has_ended: bool,
}

impl Served {
    /// Begins to follow one task.
    pub(super) fn follow_task(
        &mut self,
        server: &Arc<Server>,
        task: &TaskView,
        tell: &mut (dyn FnMut(String) + Send),
    ) {
        let way = match server.era() {
            Era::Legacy => format!("the task is looked at every {} s", task.poll_interval.as_secs().max(1)),
            _ => format!(
                "the server is asked to tell of the task, which is looked at every {} s besides",
                task.poll_interval.as_secs().max(1)
            ),
        };
        tell(way);
        let (watched, id, begun) = (server.clone(), task.id.clone(), task.clone());
        let tool = server.tool_of(&id);
        let now = ServerTask { view: task.clone(), tool: tool.clone() };
        if task.status.is_final() {
            self.ready.push_back(Notice::of(ended(&now)));
            return;
        }
        self.note_open(server, &now);
        self.known.insert(id.clone(), now.view);
        let (send, views) = mpsc::unbounded_channel();
        let looking = async move {
            let ended = |view: &TaskView| {
                // Nobody is told any more where the watching ends.
                let _ = send
                    .send(Ok(Look::Task(Box::new(ServerTask { view: view.clone(), tool: tool.clone() }))));
                view.status.is_final()
            };
            if let Err(failure) = watched.until(&id, &ended).await {
                let _ = send.send(Err(gone_or(&begun, failure)));
            }
        };
        self.begin(server, views, looking);
    }

    /// Begins to follow all tasks: those that the server tells of by events, where it does and that is enough; else those
    /// that can be known of.
    pub(super) async fn follow_all(
        &mut self,
        server: &Arc<Server>,
        through: Through,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        if through == Through::Events {
            match Events::begin(server, None).await {
                Ok(events) => return self.hear(server, events, None, tell).await,
                Err(Without::Refused(None)) => {}
                Err(Without::Refused(Some(why))) => tell(format!("the server tells no events: {why}")),
                Err(Without::Failed(failure)) => return Err(failure),
            }
        }
        let (looking, tasks) = Looking::begin(server).await?;
        tell(looking.way());
        Unseen::of(&tasks.bad).in_words().into_iter().for_each(&mut *tell);
        self.unseen = tasks.bad.into_iter().map(|one| one.id).collect();
        for task in tasks.rows {
            self.note_open(server, &task);
            self.known.insert(task.view.id.clone(), task.view);
        }
        let (send, views) = mpsc::unbounded_channel();
        self.begin(server, views, looking.run(send));
        Ok(())
    }

    /// Begins to follow a session's tasks, which only events tell.
    pub(super) async fn follow_session(
        &mut self,
        server: &Arc<Server>,
        session: &SessionId,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        match Events::begin(server, Some(session)).await {
            Ok(events) => self.hear(server, events, Some(session), tell).await,
            Err(Without::Refused(why)) => Err(no_sessions(why)),
            Err(Without::Failed(failure)) => Err(failure),
        }
    }

    /// Hears what is told by events; what waits of the tasks that can be known of is looked at once.
    async fn hear(
        &mut self,
        server: &Arc<Server>,
        events: Events,
        session: Option<&SessionId>,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        let way = Events::way(session);
        server.is_heard(&way);
        tell(way);
        if session.is_none() {
            let tasks = server.tasks(MOST_LOOKED_AT, |_| false, Some).await?;
            Unseen::of(&tasks.bad).in_words().into_iter().for_each(&mut *tell);
            tasks.rows.iter().for_each(|task| self.note_open(server, task));
        }
        let (send, views) = mpsc::unbounded_channel();
        self.begin(server, views, events.run(send));
        Ok(())
    }

    fn begin(
        &mut self,
        server: &Arc<Server>,
        views: mpsc::UnboundedReceiver<Result<Look, Failure>>,
        looking: impl Future<Output = ()> + 'static,
    ) {
        let (name, looking) = (server.title().to_owned(), looking.boxed_local());
        self.looks = Some(Looks { name, views, looking, has_ended: false });
    }

    fn note_open(&mut self, server: &Server, task: &ServerTask) {
        let before = TaskView { input_requests: serde_json::Map::new(), ..task.view.clone() };
        self.ready.extend(between(server.title(), Some(&before), task).into_iter().map(Notice::of));
    }

    /// The questions that were open when it began.
    pub(super) fn open_questions(&mut self) -> Vec<Seen> {
        let ready = std::mem::take(&mut self.ready).into_iter();
        ready
            .filter_map(|notice| match notice {
                Notice::Event(seen) => Some(*seen),
                Notice::Warning(_) => None,
            })
            .collect()
    }

    /// The next thing that happens; never, where nothing is followed. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Notice, Failure> {
        loop {
            if let Some(notice) = self.ready.pop_front() {
                return Ok(notice);
            }
            let Some(looks) = &mut self.looks else { return std::future::pending().await };
            // What it saw last is still to be told when the looking has ended.
            let look = tokio::select! {
                biased;
                look = looks.views.recv() => look,
                () = &mut looks.looking, if !looks.has_ended => {
                    looks.has_ended = true;
                    continue;
                }
            };
            let task = match look.transpose()? {
                Some(Look::Task(task)) => *task,
                Some(Look::Told(occurrence)) => {
                    self.ready.extend(told(&looks.name, *occurrence).into_iter().map(Notice::of));
                    continue;
                }
                Some(Look::Warning(words)) => return Ok(Notice::Warning(words)),
                None => {
                    self.looks = None;
                    continue;
                }
            };
            let begun = self.unseen.remove(&task.view.id).then(|| as_it_was(&task.view));
            let before = self.known.get(&task.view.id).or(begun.as_ref());
            self.ready.extend(between(&looks.name, before, &task).into_iter().map(Notice::of));
            self.known.insert(task.view.id.clone(), task.view);
        }
    }
}

/// A task that was there before it could be looked at: what it asks and how it ended is news all the same.
fn as_it_was(now: &TaskView) -> TaskView {
    TaskView { status: TaskStatus::Working, input_requests: serde_json::Map::new(), ..now.clone() }
}

/// What happened to a task between two looks; `before` is `None` for one that was not known.
fn between(server: &str, before: Option<&TaskView>, task: &ServerTask) -> Vec<Seen> {
    let now = &task.view;
    let mut found = Vec::new();
    if before.is_none() {
        found.push(seen(task, "submitted", "submitted".to_owned(), json!({})));
    }
    let had = |key: &String| before.is_some_and(|before| before.input_requests.contains_key(key));
    for key in before.into_iter().flat_map(|before| before.input_requests.keys()) {
        if !now.input_requests.contains_key(key) && !now.status.is_final() {
            let words = format!("answered {}", text::line(key));
            found.push(seen(task, "answered", words, json!({ "question": key })));
        }
    }
    for (key, request) in now.input_requests.iter().filter(|(key, _)| !had(key)) {
        found.push(asked(server, task, (key, request), None));
    }
    let status_before = before.map(|before| before.status);
    let waits = now.status == TaskStatus::InputRequired && now.input_requests.is_empty();
    if waits && status_before != Some(now.status) {
        let words = "asked; the server shows the question to its own client only".to_owned();
        found.push(seen(task, "asked", words, json!({ "question": null })));
    }
    let says = now.status_message.as_deref().filter(|words| !words.is_empty());
    let said = before.and_then(|before| before.status_message.as_deref());
    // While a question is open its words are the message too.
    if now.status == TaskStatus::Working && says.is_some() && says != said {
        let words = text::sentence(says.unwrap_or_default());
        found.push(seen(task, "noted", format!("noted: {words}"), json!({ "note": says })));
    }
    if now.status.is_final() && status_before != Some(now.status) {
        found.push(ended(task));
    }
    found
}

/// What an event of a server tells.
fn told(server: &str, occurrence: Occurrence) -> Vec<Seen> {
    let Occurrence { view, tool, deadline, is_expired } = occurrence;
    let task = ServerTask { view, tool };
    if is_expired {
        return vec![seen(&task, "expired", "expired".to_owned(), json!({}))];
    }
    if task.view.status.is_final() {
        return vec![ended(&task)];
    }
    let questions = task.view.input_requests.iter();
    questions.map(|question| asked(server, &task, question, deadline)).collect()
}

fn asked(
    server: &str,
    task: &ServerTask,
    (key, request): (&String, &Value),
    deadline: Option<Timestamp>,
) -> Seen {
    match OpenQuestion::of_server(server, &task.view, key, request) {
        Ok(mut question) => {
            question.asked.deadline = question.asked.deadline.or(deadline);
            let words = format!("asked {}: {}", text::line(key), text::sentence(&question.asked.ask.message));
            let more = json!({ "question": question.object() });
            Seen { question: Some(question), ..seen(task, "asked", words, more) }
        }
        Err(problem) => {
            let words = format!(
                "asked {}, which cannot be answered here: {}",
                text::line(key),
                text::sentence(&problem)
            );
            seen(task, "asked", words, json!({ "question": { "id": key } }))
        }
    }
}

fn ended(task: &ServerTask) -> Seen {
    let view = &task.view;
    let why = view
        .status_message
        .as_deref()
        .filter(|why| !why.trim().is_empty())
        .map(|why| format!(": {}", text::sentence(why)));
    let is_error = view.is_tool_error();
    let (name, words) = match view.status {
        TaskStatus::Failed => ("failed", format!("failed{}", why.unwrap_or_default())),
        TaskStatus::Cancelled => ("cancelled", format!("cancelled{}", why.unwrap_or_default())),
        _ if is_error => ("completed", "completed with an error result".to_owned()),
        _ => ("completed", "completed".to_owned()),
    };
    seen(task, name, words, json!({ "is_error": is_error }))
}

/// When it happened: the server's word for it, where that can be. A server's clock may be another one, and some call the
/// time of each look the time of the last change.
fn changed(view: &TaskView, now: Timestamp) -> Timestamp {
    let is_past = |at: &Timestamp| *at <= now && view.created().is_none_or(|created| created <= *at);
    view.updated().filter(is_past).unwrap_or(now)
}

fn seen(task: &ServerTask, name: &'static str, words: String, more: Value) -> Seen {
    let ServerTask { view, tool } = task;
    let at = changed(view, Timestamp::now());
    let mut object = json!({
        "at": at, "source": SERVER, "task": view.id, "tool": tool, "status": view.status, "event": name,
    });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    let is_tool_error = view.is_tool_error();
    Seen {
        at,
        task: view.id.clone(),
        tool: tool.clone(),
        status: view.status,
        is_tool_error,
        is_success_unknown: false,
        name,
        is_end: view.status.is_final(),
        words,
        software: None,
        question: None,
        object,
    }
}
