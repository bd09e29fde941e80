//! What every command gets: the configuration, the terminal, and the way to the tasks.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::config::{Config, StoreChoice, nowhere};
use super::environment::Environment;
use super::failure::{Failure, Kind};
use super::outage::{Announced, Outage};
use super::signals;
use super::ui::{Piece, Ui, text};
use crate::client::Target;
use crate::config;
use crate::desk::kept::Kept;
use crate::desk::short_id::TOO_SHORT;
use crate::desk::suggest::{Advice, Reach, Suggested};
use crate::engine::{Engine, Limits};
use crate::store::redis::RedisStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError, StoreResult};

/// How long stores may take to close. A command that has done its work must not hang on one that went away.
const CLOSING: Duration = Duration::from_secs(2);

/// The dependencies of a command.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) ui: Ui,
    /// Ends the background work of the process.
    pub(crate) stop: CancellationToken,
    /// What is said of a store that is away; `None` in commands that do not wait for it.
    outage: Mutex<Option<Arc<Outage>>>,
    /// Why a store does not come back.
    lost: watch::Sender<Option<StoreError>>,
    /// What was opened, to be closed at the end.
    opened: Mutex<Vec<Arc<dyn Store>>>,
    goes_on: Mutex<Option<Advice>>,
    /// Who has been asked something just now and has not answered.
    asked: Mutex<Option<String>>,
    /// The task and the question that the command is about, as soon as they are found.
    concerns: Mutex<(Option<String>, Option<String>)>,
    /// The server that the command goes through, where it does.
    server: OnceLock<Reach>,
    /// What the place is called, where it is one of several.
    name: OnceLock<String>,
    /// Whether SIGHUP has something read again, and whether there was a terminal then.
    hangup: OnceLock<bool>,
    /// Whether the command is one that changes something.
    pub(crate) changes: AtomicBool,
    /// What the command does when it has to end, once it has said that it does something.
    clean_up: OnceLock<CancellationToken>,
    /// Whether a command was suggested.
    has_suggested: AtomicBool,
}

impl Context {
    pub(crate) fn new(config: Config, environment: Environment, ui: Ui) -> Self {
        Self {
            config,
            environment,
            ui,
            stop: CancellationToken::new(),
            outage: Mutex::default(),
            lost: watch::Sender::default(),
            opened: Mutex::default(),
            goes_on: Mutex::default(),
            asked: Mutex::default(),
            concerns: Mutex::default(),
            server: OnceLock::new(),
            name: OnceLock::new(),
            hangup: OnceLock::new(),
            changes: AtomicBool::new(false),
            clean_up: OnceLock::new(),
            has_suggested: AtomicBool::new(false),
        }
    }

    /// The rules over the chosen store, which is begun where there is none.
    pub(crate) async fn engine(&self) -> Result<Engine, Failure> {
        self.engine_within(Limits::default()).await
    }

    /// The rules over the chosen store, with limits of one's own.
    pub(crate) async fn engine_within(&self, limits: Limits) -> Result<Engine, Failure> {
        let store: Arc<dyn Store> = match &self.config.store {
            StoreChoice::Redis(url) => self.asking(RedisStore::open(url, &self.config.namespace)).await?,
            StoreChoice::Sqlite(path) => self.asking(SqliteStore::open(path, &self.config.namespace)).await?,
            StoreChoice::Nowhere => return Err(nowhere()),
        };
        Ok(self.over(store, limits))
    }

    /// The rules over the chosen store, for commands that only look or act on what is there: nothing is written.
    /// `None` where nobody has begun a store; a file that was named and is not there is a failure, since its name may
    /// be mistyped.
    pub(crate) async fn existing(&self) -> Result<Option<Engine>, Failure> {
        match self.asking(existing_store(&self.config)).await {
            Err(_) if self.config.store == StoreChoice::Nowhere => Err(nowhere()),
            Ok(store) => Ok(Some(self.over(store, Limits::default()))),
            Err(StoreError::NoStore { .. }) if self.config.has_missing_file() => Err(self.missing_file()),
            Err(StoreError::NoStore { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn over(&self, store: Arc<dyn Store>, limits: Limits) -> Engine {
        locked(&self.opened).push(store.clone());
        let store = match locked(&self.outage).clone() {
            Some(outage) => Arc::new(Announced::new(store, outage)),
            None => store,
        };
        let engine = Engine::new(store, limits, self.stop.clone());
        let (lost, watched, stop) = (self.lost.clone(), engine.clone(), self.stop.clone());
        tokio::spawn(async move {
            if let Some(error) = stop.run_until_cancelled(watched.lost()).await {
                lost.send_replace(Some(error));
            }
        });
        engine
    }

    /// Waits until a store of this command is found not to come back.
    pub(crate) async fn lost(&self) -> Failure {
        let mut lost = self.lost.subscribe();
        match lost.wait_for(Option::is_some).await.map(|error| error.clone()) {
            Ok(Some(error)) => error.into(),
            // The context itself holds the other end.
            _ => std::future::pending().await,
        }
    }

    fn missing_file(&self) -> Failure {
        Failure::new(
            Kind::Unreachable,
            format!("there is no file {}, so there are no tasks", self.config.location()),
        )
        .hint(Advice::from("check --db; ").and_command(Suggested::new("serve"), "makes the file"))
    }

    /// Why there are no tasks at all, where [`Context::existing`] found nothing.
    pub(crate) fn nothing_begun(&self) -> String {
        let location = text::line(&self.config.location());
        let serve = self.suggest(Suggested::new("serve"));
        format!("nobody has begun a store at {location}; `{serve}` does")
    }

    /// From now on a store that goes away is waited for, and this is said once, as is that it is back.
    pub(crate) fn rides_out_outages(&self) {
        *locked(&self.outage) = Some(Arc::new(Outage::new(&self.ui, self.name())));
    }

    /// Its place is one of several, and is called so.
    pub(crate) fn is_called(&self, name: String) {
        // A place is named once.
        let _ = self.name.set(name);
    }

    /// What its place is called among several.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// Repeats a step while the store is away, for as long as the command may take. The step must be one that can be
    /// repeated.
    pub(crate) async fn ride_out<T>(
        &self,
        step: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let outage =
            locked(&self.outage).clone().unwrap_or_else(|| Arc::new(Outage::new(&self.ui, self.name())));
        outage.ride_out(step).await
    }

    /// What was away, and was met by a step that goes on, has answered.
    pub(crate) fn answers(&self) {
        if let Some(outage) = locked(&self.outage).clone() {
            outage.worked();
        }
    }

    /// Ends the background work and closes what was opened.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        let opened = std::mem::take(&mut *locked(&self.opened));
        let closed = join_all(opened.iter().map(|store| store.close()));
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::debug!("the store was not closed within {CLOSING:?}");
        }
    }

    /// The command goes through that server, and so do those that it suggests.
    pub(crate) fn goes_through(&self, server: Reach) {
        // A command goes through one server.
        let _ = self.server.set(server);
    }

    /// Whether [`Context::goes_through`] a server.
    pub(crate) fn goes_through_server(&self) -> bool {
        self.server.get().is_some()
    }

    /// How a suggested command reaches the same tasks.
    pub(crate) fn reach(&self) -> &Reach {
        self.has_suggested.store(true, Ordering::Release);
        self.server.get().unwrap_or(&self.config.reach)
    }

    /// Says, once and behind all that was said, what a suggested command needs before it works.
    pub(crate) fn tell_unset(&self) {
        if self.has_suggested.load(Ordering::Acquire)
            && let Some(variable) = self.reach().unset()
        {
            self.ui.talk(&format!("what is suggested {}", works_with(variable)));
        }
    }

    /// A suggested command that reaches the same tasks, safe on a terminal.
    pub(crate) fn suggest(&self, command: Suggested) -> String {
        text::line(&command.at(self.reach()).to_string())
    }

    /// A suggested command, to stand within what is wrapped.
    pub(crate) fn command(&self, command: Suggested) -> Piece {
        Piece::Command(self.suggest(command))
    }

    /// Says what helps.
    pub(crate) fn tell(&self, advice: Advice) {
        self.ui.talk_after("", &self.placed(advice).pieces());
    }

    /// Its commands reach the same tasks, and name the file of this folder where that offers the tool.
    pub(crate) fn placed(&self, advice: Advice) -> Advice {
        let offers = |tool: &str| {
            let file = Path::new(config::FILE);
            file.is_file() && config::load(file).is_ok_and(|file| file.tools().contains_key(tool))
        };
        advice.at(self.reach()).with_file(config::FILE, offers)
    }

    /// The command that runs what this folder offers: its file's tools, or the built-in ones.
    pub(crate) fn worker(words: String) -> Advice {
        if !Path::new(config::FILE).is_file() {
            return Advice::worker(words);
        }
        let worker = Suggested::new("worker").option("--config", config::FILE);
        Advice::from(words).and_command(worker, "runs the tools of this folder's file")
    }

    /// What helps, with commands that reach the same tasks, safe on a terminal.
    pub(crate) fn advise(&self, advice: Advice) -> String {
        text::line(&self.placed(advice).to_string())
    }

    /// The ids of tasks that were launched through servers, for who asks that one; `None` without a home directory.
    pub(crate) fn kept(&self, target: &Target) -> Option<Kept> {
        self.environment.state_directory().map(|directory| Kept::within(&directory, target))
    }

    /// Notes which task, and which of its questions, the command is about; its failure says so in JSON.
    pub(crate) fn concerns(&self, task: &str, question: Option<&str>) {
        *locked(&self.concerns) = (Some(task.to_owned()), question.map(str::to_owned));
    }

    /// The command's failure: its hints reach the same tasks, and it names what the command was about.
    pub(crate) fn failed(&self, failure: Failure) -> Failure {
        let (task, question) = locked(&self.concerns).clone();
        let is_unmeant = self.changes.load(Ordering::Acquire) && failure.to_string().ends_with(TOO_SHORT);
        let failure = if is_unmeant { failure.hint("nothing was changed") } else { failure };
        let failure = failure.at(self.reach()).concerning(task, question);
        let unset = failure.hints().iter().find_map(Advice::unset);
        failure.maybe_hint(unset.map(|variable| format!("that {}", works_with(variable)).into()))
    }

    /// Notes what goes on when this command is interrupted or times out, as a hint for that moment.
    pub(crate) fn goes_on(&self, hint: impl Into<Advice>) {
        *locked(&self.goes_on) = Some(hint.into());
    }

    /// From now on SIGHUP has something read again and does not end the command, unless its terminal was closed.
    pub(crate) fn reads_again_at_hangup(&self) {
        self.hangup.get_or_init(signals::has_terminal);
    }

    /// Whether SIGHUP ends the command.
    pub(crate) fn ends_at_hangup(&self) -> bool {
        self.hangup.get().is_none_or(|had_terminal| *had_terminal && !signals::has_terminal())
    }

    /// From now on the command has something to clean up: it is told when it has to end, and gets a little time.
    pub(crate) fn cleans_up(&self) -> CancellationToken {
        self.clean_up.get_or_init(CancellationToken::new).clone()
    }

    /// The command has to end: whether it has something to clean up, which it begins now.
    pub(crate) fn begin_clean_up(&self) -> bool {
        self.clean_up.get().inspect(|clean_up| clean_up.cancel()).is_some()
    }

    /// Does what asks a store or a server for something that it has at hand: one that takes its time does not answer.
    pub(crate) fn asking<'a, T>(
        &'a self,
        work: impl Future<Output = T> + 'a,
    ) -> impl Future<Output = T> + 'a {
        // Boxed, since whoever opens a place would carry it along.
        let work = Box::pin(work);
        async move {
            let before = locked(&self.asked).replace(self.config.location());
            let done = work.await;
            *locked(&self.asked) = before;
            done
        }
    }

    /// Why a command has waited in vain, where it was for an answer of its store.
    pub(crate) fn who_is_silent(&self) -> Option<String> {
        if self.goes_through_server() {
            return Some("the server did not answer".to_owned()).filter(|_| locked(&self.asked).is_some());
        }
        locked(&self.asked).as_ref().map(|location| format!("{} did not answer", text::line(location)))
    }

    /// The hint of [`Context::goes_on`].
    pub(crate) fn what_goes_on(&self) -> Option<Advice> {
        locked(&self.goes_on).clone()
    }
}

/// What is said of a secret that is named by its variable.
fn works_with(variable: &str) -> String {
    format!("works with the URL in {variable}: its password is shown nowhere")
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the store that the configuration names, if somebody has begun it; writes nothing.
pub(crate) async fn existing_store(config: &Config) -> StoreResult<Arc<dyn Store>> {
    Ok(match &config.store {
        StoreChoice::Redis(url) => RedisStore::open_existing(url, &config.namespace).await?,
        StoreChoice::Sqlite(path) => SqliteStore::open_existing(path, &config.namespace).await?,
        StoreChoice::Nowhere => return Err(StoreError::NoStore { location: config.location() }),
    })
}
