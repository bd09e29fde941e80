//! What a command asks its worker for while it runs.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::peer::{Line, Peer};
use super::socket::PrivateSocket;
use super::steps::Steps;
use crate::ask::protocol::{self, MAX_LINE_BYTES, Refusal, RefusalCode, Reply, ReportRequest, Request};
use crate::engine::Retry;
use crate::json;
use crate::task::question::MAX_MESSAGE_BYTES;
use crate::task::{Answer, Ask, Fault, Progress};
use crate::worker::{Interrupted, TaskContext};

/// The most connections of one run; further ones wait until one closes.
const MAX_CONNECTIONS: usize = 64;

/// How long a question stays open after its asker went away. A command that ends within this time has ended
/// with an open question, which is an error; a command that goes on has only given up waiting.
const ABANDONED: Duration = Duration::from_millis(500);

/// How long a second question waits for the first before it is refused: the first one's asker may just be
/// gone.
const BUSY: Duration = Duration::from_millis(300);

/// The worker's side of one run's requests.
pub(super) struct Requests {
    pub(super) task: TaskContext,
    budget: Budget,
    /// What was reported and is not written down yet.
    steps: Steps,
    /// Held while a step is written, so that each is written after those before it.
    writing: Mutex<()>,
    /// Held while a question is open: one at a time, so that a run after a crash asks in the same order.
    asking: Mutex<()>,
    /// Somebody else wants to ask.
    wanted: Notify,
    /// Whether the command reports by itself, so that its stderr should not overwrite its status message.
    reports: AtomicBool,
    interrupted: CancellationToken,
    interruption: OnceLock<Interrupted>,
}

impl Requests {
    pub(super) fn new(task: TaskContext, events_per_second: u32) -> Self {
        Self {
            task,
            budget: Budget::new(events_per_second),
            steps: Steps::default(),
            writing: Mutex::new(()),
            asking: Mutex::new(()),
            wanted: Notify::new(),
            reports: AtomicBool::new(false),
            interrupted: CancellationToken::new(),
            interruption: OnceLock::new(),
        }
    }

    /// Serves connections until it is dropped.
    pub(super) async fn serve(self: Arc<Self>, socket: PrivateSocket) {
        let mut connections = JoinSet::new();
        // A connection cannot be taken for want of descriptors, and waits until there are some.
        let mut taking = Retry::new("taking a command's connection");
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= MAX_CONNECTIONS {
                connections.join_next().await;
            }
            match socket.accept().await {
                Ok(stream) => {
                    taking.worked();
                    connections.spawn(self.clone().talk(Peer::new(stream)));
                }
                Err(error) => sleep(taking.failed(&error)).await,
            }
        }
    }

    async fn talk(self: Arc<Self>, mut peer: Peer) {
        loop {
            let (reply, last) = match peer.line().await {
                Line::Whole(line) if line.trim_ascii().is_empty() => continue,
                Line::Whole(line) => (self.reply(&line, &mut peer).await, false),
                Line::TooLong => {
                    let problem = format!("a request has at most {MAX_LINE_BYTES} bytes");
                    (Err(Refusal::new(RefusalCode::BadRequest, problem)), true)
                }
                Line::End => return,
            };
            if !peer.send(&reply.unwrap_or_else(Reply::Error)).await || last {
                return;
            }
        }
    }

    async fn reply(&self, line: &[u8], peer: &mut Peer) -> Result<Reply, Refusal> {
        let refused = |problem: String| {
            let problem = format!("the line is not a request: {problem}; see docs/ASK_PROTOCOL.md");
            Refusal::new(RefusalCode::BadRequest, problem)
        };
        let request = serde_json::from_slice(line).map_err(|error| refused(error.to_string()))?;
        let text = std::str::from_utf8(line).map_err(|error| refused(error.to_string()))?;
        json::check(text).map_err(|problem| refused(problem.to_string()))?;
        match request {
            Request::Ask(request) => {
                let timeout = protocol::timeout(request.timeout)?;
                let mut answers = self.ask(vec![request.into_ask()?], timeout, peer).await?;
                answers.pop().map(Reply::Answer).ok_or_else(|| self.refuse(Interrupted::Taken))
            }
            Request::AskAll(request) => {
                let (asks, timeout) = request.into_asks()?;
                Ok(Reply::Answers(self.ask(asks, timeout, peer).await?))
            }
            Request::Report(request) => self.report(request).await,
        }
    }

    async fn ask(
        &self,
        asks: Vec<Ask>,
        timeout: Option<Duration>,
        peer: &mut Peer,
    ) -> Result<Vec<Answer>, Refusal> {
        let _turn = self.turn().await?;
        // Whoever is asked sees how far the command was.
        self.write_step().await.map_err(|interrupted| self.refuse(interrupted))?;
        let mut asking = pin!(self.task.ask_within(asks, timeout));
        let answers = tokio::select! {
            biased;
            answers = &mut asking => answers,
            () = self.withdraw_when_gone(peer) => asking.await,
        };
        answers.map_err(|interrupted| self.refuse(interrupted))
    }

    async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, Refusal> {
        if let Ok(turn) = self.asking.try_lock() {
            return Ok(turn);
        }
        self.wanted.notify_one();
        timeout(BUSY, self.asking.lock()).await.map_err(|_| {
            let problem = "another question of this task is still open; ask one after the other, or several in \
                           one ask_all";
            Refusal::new(RefusalCode::Busy, problem)
        })
    }

    async fn withdraw_when_gone(&self, peer: &mut Peer) {
        peer.gone().await;
        tokio::select! {
            () = sleep(ABANDONED) => {}
            () = self.wanted.notified() => {}
        }
        if let Err(error) = self.task.withdraw("the command stopped waiting for the answer").await {
            self.interrupt(error);
        }
    }

    async fn report(&self, request: ReportRequest) -> Result<Reply, Refusal> {
        if request.message.as_ref().is_some_and(|message| message.len() > MAX_MESSAGE_BYTES) {
            let problem = format!("the message of a report has at most {MAX_MESSAGE_BYTES} bytes");
            return Err(Refusal::new(RefusalCode::BadRequest, problem));
        }
        self.reports.store(true, Ordering::Relaxed);
        // A command must not wait to say how far it is: beyond the budget the newest step stands for those before it.
        let is_written = !self.steps.any() && self.budget.try_take().is_ok();
        self.steps.put(request.into());
        let reported = if is_written { self.write_step().await } else { self.goes_on() };
        reported.map(|()| Reply::Reported {}).map_err(|interrupted| self.refuse(interrupted))
    }

    /// Why the run cannot go on, where it cannot: what is written later fails too late for whoever reported it.
    fn goes_on(&self) -> Result<(), Interrupted> {
        self.interrupted().now_or_never().map_or(Ok(()), Err)
    }

    /// Writes down the step that waits, where one does.
    async fn write_step(&self) -> Result<(), Interrupted> {
        let _turn = self.writing.lock().await;
        match self.steps.take() {
            Some(step) => self.task.report(step).await,
            None => Ok(()),
        }
    }

    /// Writes steps and lines of stderr to the log, as many as the budget allows, until `ended`.
    pub(super) async fn relay(self: Arc<Self>, stderr: super::stderr::Stderr, ended: CancellationToken) {
        tokio::join!(self.relay_steps(&ended), self.relay_lines(&stderr, &ended));
    }

    async fn relay_steps(&self, ended: &CancellationToken) {
        while self.may_write(self.steps.news(), ended).await {
            if let Err(interrupted) = self.write_step().await {
                self.interrupt(interrupted);
            }
        }
    }

    async fn relay_lines(&self, stderr: &super::stderr::Stderr, ended: &CancellationToken) {
        while self.may_write(stderr.news(), ended).await {
            if let Some(line) = stderr.next_line() {
                self.say(line).await;
            }
        }
    }

    /// Waits for news and for an event of the budget; false at the end.
    async fn may_write(&self, news: impl Future<Output = ()>, ended: &CancellationToken) -> bool {
        let next = async {
            news.await;
            self.budget.take().await;
        };
        ended.run_until_cancelled(next).await.is_some()
    }

    /// Writes what is left when the command has ended: the last step, all the lines that the budget allows, and the last.
    pub(super) async fn relay_rest(&self, stderr: &super::stderr::Stderr) {
        if let Err(interrupted) = self.write_step().await {
            self.interrupt(interrupted);
        }
        while self.budget.try_take().is_ok()
            && let Some(line) = stderr.next_line()
        {
            self.say(line).await;
        }
        if let Some(line) = stderr.last_line() {
            self.say(line).await;
        }
    }

    async fn say(&self, mut line: String) {
        if Fault::of_note(&line).is_some() {
            // What a command happens to write asks for no fault.
            line.insert(0, ' ');
        }
        let said = if self.reports.load(Ordering::Relaxed) {
            self.task.note(&line).await
        } else {
            self.task.report(Progress { current: 0.0, total: None, message: Some(line) }).await
        };
        if let Err(interrupted) = said {
            self.interrupt(interrupted);
        }
    }

    /// Whether a question is open.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.try_lock().is_err()
    }

    /// Waits until the run cannot go on, and says why.
    pub(super) async fn interrupted(&self) -> Interrupted {
        tokio::select! {
            biased;
            () = self.task.taken().cancelled() => Interrupted::Taken,
            () = self.interrupted.cancelled() => self.interruption.get().cloned().unwrap_or(Interrupted::Taken),
            () = self.task.given_back().cancelled() => Interrupted::GivenBack,
        }
    }

    fn interrupt(&self, interrupted: Interrupted) {
        // The first reason stands.
        let _ = self.interruption.set(interrupted);
        self.interrupted.cancel();
    }

    /// Tells the command why it gets no answer, and ends the run where it cannot go on.
    fn refuse(&self, interrupted: Interrupted) -> Refusal {
        let (code, message) = match &interrupted {
            Interrupted::Refused(error) => {
                return Refusal::new(RefusalCode::BadQuestion, error.to_string());
            }
            Interrupted::Taken => (
                RefusalCode::Cancelled,
                "the task was cancelled, has expired or went to another worker; nobody will answer"
                    .to_owned(),
            ),
            Interrupted::GivenBack => (
                RefusalCode::Stopping,
                "the worker is stopping; the command will be run again, with the answers so far".to_owned(),
            ),
            other => (RefusalCode::Failed, other.to_string()),
        };
        self.interrupt(interrupted);
        Refusal::new(code, message)
    }
}
