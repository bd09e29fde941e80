//! One live session: follows its tasks' events in order, tells the client, and puts their questions to it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt as _;
use rmcp::RoleServer;
use rmcp::model::ServerNotification;
use rmcp::service::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::connection::{Connection, Facts};
use super::prompt::{Asking, Prompt};
use super::status;
use crate::engine::EngineResult;
use crate::store::TaskFilter;
use crate::task::{Answerer, Event, EventKind, Fault, Question, QuestionId, TaskId, TaskStatus};

/// Tasks that are read at once when a session is looked through.
const PAGE: usize = 100;

/// What a member is told.
#[derive(Debug)]
pub(super) enum News {
    /// Something happened to one of the session's tasks.
    Event(Arc<Event>),
    /// Something may have been missed.
    Resync,
}

/// A question that was put to the client.
struct Open {
    withdraw: CancellationToken,
    running: JoinHandle<bool>,
    /// Whether it was left open, once that is known.
    stays: Option<bool>,
}

impl Open {
    /// Whether it may be put again: the client could not be asked, and nobody answered for it. A question
    /// whose prompt ended in any other way has its answer, even if the log has not told of it yet.
    fn was_left_open(&mut self) -> bool {
        if self.stays.is_none() {
            self.stays = (&mut self.running).now_or_never().map(|ended| ended.unwrap_or(true));
        }
        self.stays == Some(true)
    }
}

pub(super) struct Member {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    peer: Peer<RoleServer>,
    open: HashMap<(TaskId, QuestionId), Open>,
    /// Whether the session ever had a question: without one there is nothing to ask again.
    asked: bool,
}

impl Member {
    pub(super) fn new(shared: Arc<Shared>, connection: Arc<Connection>, peer: Peer<RoleServer>) -> Self {
        Self { shared, connection, peer, open: HashMap::new(), asked: false }
    }

    /// Serves the session until its connection is over. Prompts still open then end by themselves.
    pub(super) async fn run(mut self, mut news: mpsc::UnboundedReceiver<News>) {
        let mut changes = self.connection.changes();
        let (mut began, mut listening) = self.connection.standalone();
        let mut tools = self.shared.engine.tool_changes();
        loop {
            let one = tokio::select! {
                () = self.shared.stop.cancelled() => return,
                one = news.recv() => one,
                Ok(()) = tools.changed() => {
                    self.notify(status::tools_changed()).await;
                    continue;
                }
                () = changes.next() => {
                    let now = self.connection.standalone();
                    let back = now.1 && (!listening || now.0 != began);
                    (began, listening) = now;
                    if let Some(reason) = self.connection.gone_now() {
                        self.shared.sessions().end(self.connection.id().clone(), reason);
                        break;
                    }
                    // The client is back: what is open and was given up on meanwhile is asked again.
                    if back && self.asked { Some(News::Resync) } else { continue }
                }
            };
            match one {
                Some(News::Event(event)) => self.event(&event).await,
                Some(News::Resync) => self.resync().await,
                None => return,
            }
        }
        // Nothing more can come; the prompts of questions that came before see that the client is gone.
        while let Ok(one) = news.try_recv() {
            if let News::Event(event) = one
                && let EventKind::Asked { question } = &event.kind
            {
                self.ask(&event.task, question);
            }
        }
    }

    async fn event(&mut self, event: &Event) {
        // The question is what people wait for, so it goes before the news that there is one.
        match &event.kind {
            EventKind::Asked { .. } if self.misbehaves(event, Fault::StalledStream) => {}
            EventKind::Asked { question } => self.ask(&event.task, question),
            _ => {}
        }
        if status::is_told(&event.kind) || matches!(event.kind, EventKind::Progress(_)) {
            self.tell(event).await;
        }
        match &event.kind {
            EventKind::Answered { by: Answerer::Timeout, .. }
                if self.misbehaves(event, Fault::LateAnswerAccepted) => {}
            EventKind::Answered { question, .. } => self.withdraw(&event.task, question),
            kind if kind.is_end() => {
                if !self.misbehaves(event, Fault::LateAnswerAccepted) {
                    self.withdraw_all(&event.task);
                }
                self.connection.forget(&event.task);
                if matches!(kind, EventKind::Cancelled { .. })
                    && self.misbehaves(event, Fault::QuestionAfterCancel)
                {
                    self.ask_again(&event.task).await;
                }
            }
            _ => {}
        }
    }

    fn misbehaves(&self, event: &Event, fault: Fault) -> bool {
        self.shared.misbehaviour.has(&event.task, fault)
    }

    /// [`Fault::QuestionAfterCancel`]: the last question once more.
    async fn ask_again(&mut self, task: &TaskId) {
        let found = self.shared.engine.store().get(task).await;
        if let Ok(Some(question)) = found.map(|task| task.and_then(|task| task.questions.last().cloned())) {
            self.ask(task, &question);
        }
    }

    async fn tell(&self, event: &Event) {
        if [Fault::MissingNotification, Fault::StalledStream].iter().any(|one| self.misbehaves(event, *one)) {
            return;
        }
        let facts = match self.facts(&event.task).await {
            Ok(Some(facts)) => facts,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, task = %event.task, "could not tell a client of a change");
                return;
            }
        };
        if let Some(progress) = status::progress(event, &facts) {
            self.notify(progress).await;
        }
        if status::is_told(&event.kind) {
            self.notify(status::status(event, &facts, self.shared.config.poll_interval_ms)).await;
        }
    }

    /// Known from the submission; read from the store where another process took it.
    async fn facts(&self, task: &TaskId) -> EngineResult<Option<Facts>> {
        if let Some(facts) = self.connection.facts_of(task) {
            return Ok(Some(facts));
        }
        // Its submission may be on its way here still: the event can be faster.
        self.connection.settled().await;
        if let Some(facts) = self.connection.facts_of(task) {
            return Ok(Some(facts));
        }
        let Some(found) = self.shared.engine.store().get(task).await? else { return Ok(None) };
        if !found.status.is_final() {
            self.connection.submitted(&found, None);
        }
        let (created_at, ttl_ms) = (found.created_at, found.new.ttl_ms);
        Ok(Some(Facts { created_at, ttl_ms, progress_token: None }))
    }

    async fn notify(&self, notification: ServerNotification) {
        if let Err(error) = self.peer.send_notification(notification).await {
            tracing::debug!(%error, session = %self.connection.id(), "could not notify a client");
        }
    }

    /// Puts a question to the client, unless it is in front of it already.
    fn ask(&mut self, task: &TaskId, question: &Question) {
        self.asked = true;
        let key = (task.clone(), question.id.clone());
        if self.open.get_mut(&key).is_some_and(|open| !open.was_left_open()) {
            return;
        }
        let withdraw = CancellationToken::new();
        let prompt = Prompt {
            shared: self.shared.clone(),
            connection: self.connection.clone(),
            task: task.clone(),
            question: question.clone(),
            asking: Asking::Owner,
            withdrawn: withdraw.clone(),
        };
        let running = tokio::spawn(prompt.run());
        self.open.insert(key, Open { withdraw, running, stays: None });
    }

    fn withdraw(&mut self, task: &TaskId, question: &QuestionId) {
        if let Some(open) = self.open.remove(&(task.clone(), question.clone())) {
            open.withdraw.cancel();
        }
    }

    fn withdraw_all(&mut self, task: &TaskId) {
        self.open.retain(|(owner, _), open| {
            let other = owner != task;
            if !other {
                open.withdraw.cancel();
            }
            other
        });
    }

    /// Asks what is open and not in front of the client, and withdraws what is open no longer.
    async fn resync(&mut self) {
        match self.open_questions().await {
            Ok(questions) => {
                self.open.retain(|(task, id), open| {
                    let still = questions.iter().any(|(owner, one)| owner == task && &one.id == id);
                    if !still {
                        open.withdraw.cancel();
                    }
                    still
                });
                for (task, question) in &questions {
                    self.ask(task, question);
                }
            }
            Err(error) => {
                tracing::warn!(%error, session = %self.connection.id(), "could not look for open questions");
            }
        }
    }

    async fn open_questions(&self) -> EngineResult<Vec<(TaskId, Question)>> {
        let filter = TaskFilter {
            session: Some(self.connection.id().clone()),
            status: Some(TaskStatus::InputRequired),
            oldest_first: true,
            ..TaskFilter::default()
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.shared.engine.store().list(&filter, after.as_ref(), PAGE).await?;
            for task in &page.tasks {
                found.extend(task.open_questions().map(|question| (task.id().clone(), question.clone())));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}
