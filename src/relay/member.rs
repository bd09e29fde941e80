//! One legacy session: follows its tasks' events in order, tells the client, and puts their questions to it.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::ServerNotification;
use rmcp::service::Peer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Facts};
use super::prompt::{self, Asking};
use super::ruling;
use super::shared::Shared;
use super::status;
use super::steps::{Step, steps};
use crate::engine::{EngineResult, Feed, Signal, patiently};
use crate::store::TaskFilter;
use crate::task::{Event, EventKind, Question, TaskId, TaskStatus};

/// Tasks that are read at once when a session is looked through.
const PAGE: usize = 100;

pub(super) struct Member {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    peer: Peer<RoleServer>,
    feed: Feed,
    tools: watch::Receiver<u64>,
    streams: watch::Receiver<()>,
    /// How many standalone streams had begun, and whether one was open.
    standalone: (u64, bool),
    /// The connection is over. Its tasks go on, and what they ask is settled; the token ends that.
    over: Option<CancellationToken>,
}

/// What a member hears.
enum Heard {
    /// The process stops, or the session has been over for too long.
    End,
    /// The connection is over.
    Gone,
    /// The tools are other ones.
    Tools,
    /// What is open for the client changed.
    Streams,
    /// Something happened to one of its tasks.
    Task(Signal),
}

impl Member {
    pub(super) fn new(shared: Arc<Shared>, connection: Arc<Connection>, peer: Peer<RoleServer>) -> Self {
        let feed = shared.hub.session_feed(connection.id());
        let tools = shared.engine.tool_changes();
        let streams = connection.streams().changes();
        let standalone = connection.streams().standalone();
        Self { shared, connection, peer, feed, tools, streams, standalone, over: None }
    }

    /// Serves the session until its connection is over, and its tasks with it.
    pub(super) async fn run(mut self) {
        while self.over.is_none() || self.connection.has_tasks() {
            match self.hear().await {
                Heard::End => return,
                Heard::Gone => self.leave().await,
                Heard::Tools => self.notify(status::tools_changed()).await,
                Heard::Streams => {
                    // The client is back: what is open and was given up on meanwhile is asked again.
                    if self.is_back() && !self.connection.questions().is_empty() {
                        self.look().await;
                    }
                }
                Heard::Task(Signal::Event(event)) => self.event(&event).await,
                Heard::Task(Signal::Resync) => {
                    // A session without tasks has missed nothing.
                    if self.connection.has_tasks() || !self.connection.questions().is_empty() {
                        self.look().await;
                    }
                }
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let is_over = self.over.is_some();
        let end = self.over.clone().unwrap_or_else(|| self.shared.stop.clone());
        tokio::select! {
            biased;
            () = end.cancelled() => Heard::End,
            _ = self.connection.gone(), if !is_over => Heard::Gone,
            Ok(()) = self.tools.changed(), if !is_over => Heard::Tools,
            Ok(()) = self.streams.changed(), if !is_over => Heard::Streams,
            signal = self.feed.next() => Heard::Task(signal),
        }
    }

    async fn leave(&mut self) {
        self.over = Some(self.shared.end(self.connection.id()));
        // What was being submitted counts among its tasks.
        self.connection.settled().await;
    }

    /// Whether a stream is open that was not before, or not this one.
    fn is_back(&mut self) -> bool {
        let now = self.connection.streams().standalone();
        let before = std::mem::replace(&mut self.standalone, now);
        now.1 && (!before.1 || now.0 != before.0)
    }

    async fn event(&self, event: &Event) {
        // What a foreground call asks is that call's.
        if event.hidden {
            return;
        }
        self.shared.misbehaviour.learn(event);
        if let EventKind::Extended { expires_at: Some(end), .. } = &event.kind {
            self.connection.kept_until(&event.task, *end);
        }
        if let EventKind::Asked { question } = &event.kind
            && ruling::settles(&self.shared, &event.task, question).await
        {
            return;
        }
        for step in self.shared.misbehaviour.distort(event, steps(event)) {
            self.take(event, step).await;
        }
    }

    async fn take(&self, event: &Event, step: Step<'_>) {
        let questions = self.connection.questions();
        match step {
            Step::Ask(question) => self.ask(&event.task, question),
            Step::AskLast => self.ask_last(&event.task).await,
            Step::Tell => self.tell(event).await,
            Step::Withdraw(question) => questions.withdraw(&event.task, question, true),
            Step::WithdrawAll => questions.withdraw_all(&event.task),
            Step::Forget => self.connection.forget(&event.task),
        }
    }

    fn ask(&self, task: &TaskId, question: &Question) {
        prompt::put(&self.shared, &self.connection, task, question, Asking::Owner);
    }

    /// The last question once more, though the task may be over.
    async fn ask_last(&self, task: &TaskId) {
        let found = self.shared.engine.store().get(task).await;
        if let Ok(Some(question)) = found.map(|task| task.and_then(|task| task.questions.last().cloned())) {
            self.ask(task, &question);
        }
    }

    async fn tell(&self, event: &Event) {
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
            let failure = self.failure(event).await;
            let poll_interval_ms = self.shared.config.poll_interval_ms;
            self.notify(status::status(event, &facts, failure.as_deref(), poll_interval_ms)).await;
        }
    }

    /// Why the task failed. Of a result that its tool calls an error the event has no words.
    async fn failure(&self, event: &Event) -> Option<String> {
        if !matches!(event.kind, EventKind::Completed { is_error: true }) {
            return None;
        }
        let task = self.shared.engine.store().get(&event.task).await.ok().flatten();
        let outcome = task.and_then(|task| task.outcome);
        outcome.as_ref().and_then(status::failure).or_else(|| Some(status::TOOL_ERROR.to_owned()))
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
        if self.over.is_some() {
            return;
        }
        if let Err(error) = self.peer.send_notification(notification).await {
            tracing::debug!(%error, session = %self.connection.id(), "could not notify a client");
        }
    }

    /// Asks what is open and not in front of the client, and withdraws what is open no longer.
    async fn look(&self) {
        self.connection.forget_expired();
        let _turn = self.shared.looking.acquire().await;
        let questions = match self.open_questions().await {
            Ok(questions) => questions,
            Err(error) => {
                tracing::warn!(%error, session = %self.connection.id(), "could not look for open questions");
                return;
            }
        };
        let open: HashSet<_> = questions.iter().map(|(task, question)| (task, &question.id)).collect();
        self.connection.questions().keep_of_owner(|task, question| open.contains(&(task, question)));
        for (task, question) in &questions {
            self.ask(task, question);
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
            let store = self.shared.engine.store();
            let page = patiently(&self.shared.stop, || store.list(&filter, after.as_ref(), PAGE)).await?;
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
