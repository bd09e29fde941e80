//! An MCP server as a place of tasks.

mod hearing;
mod tasks;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::failure::server::{ended, goes_on};
use super::failure::{Failure, Kind};
use super::kept::{Kept, KeptTask};
use super::short_id::long_enough;
use super::suggest::{Advice, Suggested};
use super::text;
use crate::client::{Call, Client, ClientError, ClientResult, Era, Submitted, Target, TaskView};
use crate::task::TaskStatus;

use tasks::Slow;
pub(crate) use tasks::{BadTask, Tasks, Unseen};

/// How long what was acknowledged may take, an answer until its question is closed and a task until it has ended: the
/// protocol allows for some.
const CLOSES_WITHIN: Duration = Duration::from_secs(3);

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A server, with the tasks that are known to be there.
pub(crate) struct Server {
    client: RwLock<Arc<Client>>,
    era: Era,
    title: String,
    name: String,
    kept: Option<Kept>,
    renewal: Option<Renewal>,
    /// Held while the connection is had again: those who lost it together have one new one.
    renewing: Mutex<()>,
    explain: Option<Explain>,
    session_stays: AtomicBool,
    slow: Slow,
    /// Whether what it calls the time of a task's last change is the time of each look, as in FastMCP 4: it then tells
    /// nothing. Known once one that waits was looked at.
    time_moves: OnceLock<bool>,
    /// How its tasks are followed, in words.
    way: std::sync::Mutex<Option<String>>,
}

/// How a connection that was lost is had again, after this failure, however long that takes.
pub(crate) type Renewal = Box<dyn Fn(Failure) -> BoxFuture<'static, Result<Client, Failure>> + Send + Sync>;

/// What an error means to whoever waits for it.
pub(crate) type Explain = Box<dyn Fn(ClientError) -> Failure + Send + Sync>;

/// A server's task, with what only its launcher knows.
pub(crate) struct ServerTask {
    /// As the server shows it.
    pub(crate) view: TaskView,
    /// The tool that was called, where this user launched it.
    pub(crate) tool: Option<String>,
}

impl Server {
    /// The server that `client` is connected to; `kept` has the ids of the tasks that this user launched.
    pub(crate) fn new(client: Client, target: &Target, kept: Option<Kept>) -> Self {
        let (era, title) = (client.era(), client.server());
        let client = RwLock::new(Arc::new(client));
        let (name, session_stays) = (target.to_string(), AtomicBool::new(false));
        let (renewal, renewing, explain) = (None, Mutex::default(), None);
        let (slow, time_moves, way) = (Slow::default(), OnceLock::new(), std::sync::Mutex::default());
        Self {
            client,
            era,
            title,
            name,
            kept,
            renewal,
            renewing,
            explain,
            session_stays,
            slow,
            time_moves,
            way,
        }
    }

    /// With a way to have the connection again when it is lost; else what needs it fails then.
    #[must_use]
    pub(crate) fn renewed_by(self, renewal: Renewal) -> Self {
        Self { renewal: Some(renewal), ..self }
    }

    /// With what its errors mean, where that is not what they say by themselves.
    #[must_use]
    pub(crate) fn explained_by(self, explain: Explain) -> Self {
        Self { explain: Some(explain), ..self }
    }

    /// The era that it speaks.
    pub(crate) fn era(&self) -> Era {
        self.era
    }

    /// Its own name, where it gives one, and where it is.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Whether it calls itself ours.
    pub(crate) fn is_ours(&self) -> bool {
        self.title.starts_with(concat!(env!("CARGO_PKG_NAME"), " ("))
    }

    /// Whether it runs tools as tasks at all.
    pub(crate) fn runs_tasks(&self) -> bool {
        self.client().runs_tasks()
    }

    fn client(&self) -> Arc<Client> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a step that can be repeated, over a new connection where this one is lost.
    pub(crate) async fn run<T>(&self, step: impl AsyncFn(&Client) -> ClientResult<T>) -> Result<T, Failure> {
        loop {
            let client = self.client();
            match step(&client).await {
                Ok(done) => return Ok(done),
                Err(error) => self.connect_again(client, self.failure(error)).await?,
            }
        }
    }

    /// Submits a call once: again only where it is certain that nothing was submitted before. A server that ends a session
    /// has done nothing of the call; one that does so at the same call twice may mean something else by it.
    pub(crate) async fn submit(&self, call: &Call) -> Result<Submitted, Failure> {
        let mut ended = 0;
        loop {
            let client = self.client();
            // What comes before the call may fail like it, and submits nothing.
            if let Err(error) = client.tools().await {
                self.connect_again(client, self.failure(error)).await?;
                continue;
            }
            match client.submit(call.clone()).await {
                Ok(done) => return Ok(done),
                Err(error) if error.may_be_done() => {
                    let unsure =
                        "the task may have been submitted all the same, so it is not submitted again";
                    return Err(self.failure(error).of_outage(false).hint(unsure));
                }
                Err(error @ ClientError::SessionEnded { .. }) if ended > 0 => {
                    let twice = "it said so to the same call in two sessions, so the call is not sent again";
                    return Err(self.failure(error).of_outage(false).hint(twice));
                }
                Err(error) => {
                    ended += u32::from(matches!(error, ClientError::SessionEnded { .. }));
                    self.connect_again(client, self.failure(error)).await?;
                }
            }
        }
    }

    fn failure(&self, error: ClientError) -> Failure {
        match &self.explain {
            Some(explain) => explain(error),
            None => error.into(),
        }
    }

    /// Has another connection in place of `client`, over which something failed; that failure, where it is none of the
    /// connection's, or there is no way to have another one.
    async fn connect_again(&self, client: Arc<Client>, failure: Failure) -> Result<(), Failure> {
        let Some(renew) = self.renewal.as_ref().filter(|_| failure.is_outage()) else {
            // Whoever tries again over the same connection has no more luck.
            return Err(failure.of_outage(false));
        };
        let _alone = self.renewing.lock().await;
        if !Arc::ptr_eq(&client, &self.client()) {
            return Ok(());
        }
        let renewed = Arc::new(renew(failure).await?);
        let lost =
            std::mem::replace(&mut *self.client.write().unwrap_or_else(PoisonError::into_inner), renewed);
        drop(client);
        if let Some(lost) = Arc::into_inner(lost) {
            lost.close().await;
        }
        Ok(())
    }

    /// Something goes on in the session, or it is over: whether it stays at the server when the connection ends.
    pub(crate) fn session_stays(&self, stays: bool) {
        self.session_stays.store(stays, Ordering::Release);
    }

    /// Ends the connection, on stdio the server with it; and the session, unless it stays.
    pub(crate) async fn close(self) {
        let client = self.client.into_inner().unwrap_or_else(PoisonError::into_inner);
        match Arc::into_inner(client) {
            Some(client) if self.session_stays.load(Ordering::Acquire) => client.leave().await,
            Some(client) => client.close().await,
            None => {}
        }
    }

    /// The tasks of this server that this user launched, newest first.
    fn kept(&self) -> Vec<KeptTask> {
        self.kept.as_ref().map(|kept| kept.of_server(&self.name)).unwrap_or_default()
    }

    /// Keeps the id of a task that this user launched here.
    pub(crate) fn keep(&self, task: &str, tool: &str) -> std::io::Result<()> {
        self.kept.as_ref().map_or(Ok(()), |kept| kept.add(self.name.clone(), task, tool))
    }

    /// The tool that a task runs, where this user launched it.
    pub(crate) fn tool_of(&self, task: &str) -> Option<String> {
        self.kept().into_iter().find(|one| one.task == task).map(|one| one.tool)
    }

    /// The task of that id as it stands.
    pub(crate) async fn get(&self, id: &str) -> Result<TaskView, Failure> {
        let view = self.look(id).await?;
        if self.is_to_be_compared(&view) {
            self.compare(&view, &self.look(id).await?);
        }
        Ok(self.with_its_time(view))
    }

    async fn look(&self, id: &str) -> Result<TaskView, Failure> {
        self.run(async |client| client.get(id).await).await
    }

    /// Whether a second look at a task that waits is to tell whether its time moves.
    fn is_to_be_compared(&self, view: &TaskView) -> bool {
        let is_asking = self.era == Era::Modern && view.status == TaskStatus::InputRequired;
        is_asking && self.time_moves.get().is_none()
    }

    fn compare(&self, view: &TaskView, again: &TaskView) {
        if (TaskView { updated_at: view.updated_at.clone(), ..again.clone() }) == *view {
            // Whoever asks twice at once has decided the same.
            let _ = self.time_moves.set(again.updated_at != view.updated_at);
        }
    }

    fn with_its_time(&self, view: TaskView) -> TaskView {
        match self.time_moves.get() {
            Some(true) => TaskView { updated_at: None, ..view },
            _ => view,
        }
    }

    /// The task as soon as that holds of it.
    pub(crate) async fn until(
        &self,
        id: &str,
        reached: &(dyn Fn(&TaskView) -> bool + Send + Sync),
    ) -> Result<TaskView, Failure> {
        self.run(async |client| client.until(id, reached).await).await
    }

    /// The task of that id, however short servers' ids are; else the one known task whose id begins so.
    pub(crate) async fn find(&self, prefix: &str) -> Result<TaskView, Failure> {
        let missing = match self.get(prefix).await {
            Err(missing) if missing.kind() == Kind::NotFound => missing,
            found => return found,
        };
        long_enough(prefix)?;
        let known: Vec<String> = self.ids().await?.into_iter().filter(|id| id.starts_with(prefix)).collect();
        match known.as_slice() {
            [] => Err(missing),
            [id] => self.get(id).await.map_err(|failure| self.of_its_session(id, failure)),
            _ => Err(Failure::usage(format!("{prefix:?} fits several tasks: {}", known.join(", ")))
                .hint("type more of the id")),
        }
    }

    /// A task that was launched from here and is not there. The server may have dropped it, or it may be one that
    /// shows a task in no session but the one that launched it, which only `--wait` stays in.
    fn of_its_session(&self, id: &str, missing: Failure) -> Failure {
        let tool = self.tool_of(id).filter(|_| self.era == Era::Legacy && missing.kind() == Kind::NotFound);
        missing.maybe_hint(tool.map(|tool| {
            let submit = Suggested::new("submit").about(tool).flag("--wait");
            Advice::command(
                submit,
                "stays with its task: some servers show one in the session that launched it only",
            )
        }))
    }

    /// The ids of all tasks that can be known of.
    async fn ids(&self) -> Result<BTreeSet<String>, Failure> {
        let mut ids: BTreeSet<String> = self.kept().into_iter().map(|one| one.task).collect();
        if self.era == Era::Modern {
            return Ok(ids);
        }
        let listed = self.run(async |client| match client.list().await {
            // Not every server of that era lists its tasks.
            Err(ClientError::Refused { .. } | ClientError::NotOffered { .. }) => Ok(Vec::new()),
            listed => listed,
        });
        ids.extend(listed.await?.into_iter().map(|task| task.id));
        Ok(ids)
    }

    /// Cancels a task; what is said of one that had ended before. A modern server says nothing where the task had ended
    /// before, or where it does not stop it, so its status is looked at.
    pub(crate) async fn cancel(&self, id: &str) -> Result<Option<Failure>, Failure> {
        if let Some(failure) = ended(&self.get(id).await?) {
            return Ok(Some(failure));
        }
        let done = self.run(async |client| client.cancel(id).await).await;
        let until = Instant::now() + CLOSES_WITHIN;
        loop {
            // What cannot be looked at any more is gone.
            let Ok(now) = self.get(id).await else { return done.map(|()| None) };
            match ended(&now) {
                Some(_) if done.is_ok() && now.status == TaskStatus::Cancelled => return Ok(None),
                // It has ended meanwhile, which legacy servers refuse and modern ones pass over.
                Some(failure) => return Ok(Some(failure)),
                None if done.is_err() => return done.map(|()| None),
                None if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
                None => return Err(goes_on(&now, CLOSES_WITHIN)),
            }
        }
    }

    /// Looks whether an answer that the server took has closed its question: FastMCP 4 passes over one that comes too late
    /// without a word. For how long it was looked in vain, where it is still open: the server may only be slow.
    pub(crate) async fn has_closed(&self, task: &str, question: &str) -> Result<Option<Duration>, Failure> {
        let until = Instant::now() + CLOSES_WITHIN;
        loop {
            match self.get(task).await {
                Ok(now) if now.status == TaskStatus::Cancelled => return ended(&now).map_or(Ok(None), Err),
                Ok(now) if !now.input_requests.contains_key(question) => return Ok(None),
                Ok(_) if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
                Ok(_) => return Ok(Some(CLOSES_WITHIN)),
                // The answer was acknowledged; what came of the task since then is no matter of it.
                Err(_) => return Ok(None),
            }
        }
    }

    /// Why no question of that task, or of any, can be answered from here.
    pub(crate) fn refuses_answers(&self, task: Option<&str>) -> Option<Failure> {
        let respond = task.into_iter().fold(Suggested::new("respond"), Suggested::about);
        let of = task.map(|task| format!(" {}", text::line(task))).unwrap_or_default();
        let message =
            format!("a legacy server sends its questions only to the client that submitted the task{of}");
        (self.era == Era::Legacy).then(|| {
            let there = "answer there, or straight at the store that the server uses: ";
            Failure::usage(message).hint(Advice::at_its_store(there, respond, "does that"))
        })
    }
}
