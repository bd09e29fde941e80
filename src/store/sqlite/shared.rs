//! What a handle's verbs are run with: opening, the transaction around a verb, and the end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::super::{Due, Retention, StoreError, StoreResult, gate};
use super::actor::Actor;
use super::bell::Bell;
use super::change::Change;
use super::clock::{Clock, TimeSource};
use super::due::Turns;
use super::failure::Failure;
use super::files::{self, Files, Frozen};
use super::recounts::Recounts;
use super::{SqliteStore, archive, due, keep, open, space, workers};

/// How often a file is opened that is removed while it is opened.
const ATTEMPTS: usize = 3;

/// How soon the next step follows where there is more space to give back than one step does.
const NEXT_STEP: Duration = Duration::from_millis(200);

/// What the two threads and all clones of a handle share.
#[derive(Debug)]
pub(super) struct Shared {
    /// How waiters are woken.
    pub(super) bell: Bell,
    clock: Clock,
    /// Whether the clock was compared with the file system's.
    compared: AtomicBool,
    files: Arc<Files>,
    path: PathBuf,
    recounts: Recounts,
    /// Whose turn it is of what is due. A lock, since the thread that reads moves it on; nobody else asks.
    turns: Mutex<Turns>,
    /// How tasks that expire are archived. A lock, since it is said once the handle is there.
    retention: Mutex<Option<Retention>>,
}

impl Shared {
    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Archives tasks that expire from now on.
    pub(super) fn retain(&self, retention: Retention) {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner) = Some(retention);
    }

    /// How tasks that expire are archived.
    fn retention(&self) -> Option<Retention> {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// [`Failure::Gone`] where the file is not the one that was opened any more.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.files.check()
    }

    /// Compares the clock with the file system's.
    fn compare_clocks(&self) {
        self.compared.store(true, Ordering::Relaxed);
        if let Some(millis) = self.bell.file_system_ms() {
            self.clock.compare(millis);
        }
    }

    /// The same before the first write.
    fn compare_clocks_once(&self) {
        if !self.compared.load(Ordering::Relaxed) {
            self.compare_clocks();
        }
    }
}

/// Whether a process may create a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Create,
    Use,
}

impl SqliteStore {
    /// Opens the file, which is created with its directory where missing, and a namespace in it. A file of an older
    /// layout is brought up to date.
    ///
    /// Errors: [`StoreError::NewerLayout`]; [`StoreError::OlderLayout`] while workers of an older version live;
    /// [`StoreError::Refuses`] where this user may not open it; [`StoreError::Unreachable`] when the file cannot be opened or
    /// is something else.
    pub async fn open(path: &Path, namespace: &str) -> StoreResult<Arc<Self>> {
        Self::open_with_clock(path, namespace, Arc::new(Timestamp::now)).await
    }

    /// [`SqliteStore::open`] for a process that has its time from elsewhere, a test above all.
    pub async fn open_with_clock(path: &Path, namespace: &str, clock: TimeSource) -> StoreResult<Arc<Self>> {
        Self::open_as(May::Create, path, namespace, clock).await
    }

    /// Opens a file that is there and a namespace that somebody has begun in it, without writing anything:
    /// [`StoreError::NoStore`] where there is none, [`StoreError::OlderLayout`] where a process that may create a store
    /// has to open it first. What this user may only read is read.
    pub async fn open_existing(path: &Path, namespace: &str) -> StoreResult<Arc<Self>> {
        Self::open_as(May::Use, path, namespace, Arc::new(Timestamp::now)).await
    }

    async fn open_as(may: May, path: &Path, namespace: &str, clock: TimeSource) -> StoreResult<Arc<Self>> {
        let (path, namespace) = (path.to_owned(), namespace.to_owned());
        let opened = tokio::task::spawn_blocking(move || {
            let location: Arc<str> = path.display().to_string().into();
            Self::open_patiently(may, (&path, &namespace), &location, &clock)
                .map_err(|failure| failure.at(&location))
        });
        opened.await.expect("opening does not panic and is not aborted").map(Arc::new)
    }

    /// Opens it; where somebody removes its files meanwhile, once more.
    fn open_patiently(
        may: May,
        (path, name): (&Path, &str),
        location: &Arc<str>,
        clock: &TimeSource,
    ) -> Result<Self, Failure> {
        let mut opened = Self::open_blocking(may, (path, name), location, Clock::new(Arc::clone(clock)));
        for _ in 1..ATTEMPTS {
            match opened {
                Err(Failure::Gone(_) | Failure::Refused(StoreError::NoStore { .. }))
                    if may == May::Create => {}
                opened => return opened,
            }
            opened = Self::open_blocking(may, (path, name), location, Clock::new(Arc::clone(clock)));
        }
        opened
    }

    fn open_blocking(
        may: May,
        (path, name): (&Path, &str),
        location: &Arc<str>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        open::check_path(path)?;
        gate::label("namespace", name)?;
        match may {
            May::Create => open::prepare(path)?,
            May::Use => open::check_rights(path)?,
        }
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = match may {
            May::Create => files::identify(path)?,
            May::Use => {
                files::identify(path).map_err(|_| StoreError::NoStore { location: location.to_string() })?
            }
        };
        let now_ms = clock.now().as_millisecond();
        let (writer, number) = match may {
            May::Create => {
                let writer = open::writer(&real, now_ms)?;
                let number = open::begun_namespace(&writer, name)?;
                (writer, Some(number))
            }
            May::Use => {
                let (writer, _) = open::existing(&real)?;
                let number = open::namespace(&writer, name)?;
                (writer, number)
            }
        };
        let namespace = number.ok_or_else(|| StoreError::NoStore { location: location.to_string() })?;
        let files = Arc::new(Files::note(path, &real, before));
        let (reader, frozen) = open::reader(&real)?;
        // Both connections have the same files, and others find them.
        files.check()?;
        let bell = Bell::open(&real, may == May::Create);
        let net = bell.net(Arc::clone(&files));
        let (compared, recounts, turns) = (AtomicBool::new(false), Recounts::default(), Mutex::default());
        let retention = Mutex::default();
        let shared = Shared { bell, clock, compared, files, path: real, recounts, turns, retention };
        Ok(Self {
            location: Arc::clone(location),
            namespace,
            writer: Actor::start(Arc::clone(location), writer, None)?,
            reader: Actor::start(Arc::clone(location), reader, Some(net))?,
            shared: Arc::new(shared),
            frozen: Arc::new(Mutex::new(frozen)),
        })
    }

    /// Runs `verb` in one transaction, and rings the bell after the commit if it appended an event. What was written
    /// to a file that is gone is not acknowledged.
    pub(super) async fn write<T, F>(&self, verb: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Change) -> Result<T, Failure> + Send + 'static,
    {
        let (namespace, shared) = (self.namespace, Arc::clone(&self.shared));
        let job = move |connection: &mut Connection| {
            shared.compare_clocks_once();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // The time is taken under the lock, so that times have the order of the events.
            let mut change = Change {
                transaction: &transaction,
                namespace,
                now: shared.now(),
                appended: false,
                recounts: &shared.recounts,
                retention: shared.retention(),
            };
            let result = verb(&mut change)?;
            let appended = change.appended;
            transaction.commit()?;
            shared.check()?;
            if appended {
                shared.bell.ring();
            }
            Ok(result)
        };
        self.writer.run(job).await
    }

    /// [`SqliteStore::read`] of what depends on the time, in milliseconds since the epoch: a clock that is wrong would call
    /// living workers dead, and show what is over.
    pub(super) async fn read_now<T, F>(&self, verb: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, (i64, i64)) -> Result<T, Failure> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let verb = move |connection: &Connection, namespace| {
            shared.compare_clocks_once();
            verb(connection, (namespace, shared.now().as_millisecond()))
        };
        self.read(verb).await
    }

    /// Runs `verb` on one consistent state.
    pub(super) async fn read<T, F>(&self, verb: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, i64) -> Result<T, Failure> + Send + 'static,
    {
        let (namespace, shared, frozen) = (self.namespace, Arc::clone(&self.shared), self.frozen.clone());
        let job = move |connection: &mut Connection| {
            shared.check()?;
            let mut frozen = frozen.lock().unwrap_or_else(PoisonError::into_inner);
            if frozen.as_ref().is_some_and(Frozen::is_changed) {
                (*connection, *frozen) = open::reader(shared.path())?;
            }
            let result = verb(&*connection.transaction()?, namespace);
            // What was read while somebody wrote may be neither what was nor what is.
            if frozen.as_ref().is_some_and(Frozen::is_changed) {
                return Err(Failure::File("it was written to while it was read; try again".into()));
            }
            result
        };
        self.reader.run(job).await
    }

    /// What is due; and what is to be done at such times here: workers that are gone are forgotten, what no verb can
    /// name is set aside, the archive is kept within its bounds, space is given back.
    pub(super) async fn look_for_due(&self) -> StoreResult<Due> {
        let shared = Arc::clone(&self.shared);
        let verb = move |connection: &Connection, namespace| {
            if !connection.is_readonly("main")? {
                shared.compare_clocks();
            }
            let now_ms = shared.now().as_millisecond();
            let mut turns = shared.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let found = due::due(connection, (namespace, now_ms), &mut turns)?;
            let forget = workers::any_to_forget(connection, namespace, now_ms)?
                || archive::is_over(connection, (namespace, now_ms), shared.retention())?
                || keep::is_to_say(connection, (namespace, now_ms), shared.retention())?;
            Ok((found, forget, space::surplus(connection)?))
        };
        let (mut found, forget, surplus) = self.read(verb).await?;
        if forget || surplus > 0 || !found.aside.is_empty() {
            let aside = std::mem::take(&mut found.aside);
            let is_left = self.write(move |change| {
                workers::forget(change)?;
                change.say_retention()?;
                change.bound_archive(change.retention)?;
                due::set_aside(change, &aside)?;
                space::give_back(change.transaction)?;
                Ok(space::surplus(change.transaction)? > 0)
            });
            if is_left.await? {
                found.due.next = Some(found.due.next.map_or(NEXT_STEP, |next| next.min(NEXT_STEP)));
            }
        }
        Ok(found.due)
    }

    /// Leaves all that is stored in the one file, and lets go of it.
    pub(super) async fn close_files(&self) {
        self.reader.close().await;
        if let Err(error) = self.writer.run(|connection: &mut Connection| space::settle(connection)).await {
            tracing::debug!(%error, "the log stays beside the database");
        }
        self.writer.close().await;
    }
}
