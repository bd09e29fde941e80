//! The store: every verb is one atomic transition plus its event.
//!
//! Two engines implement [`Store`]: [`redis`] for many machines and [`sqlite`] for one. Each verb checks
//! the present state, changes it and appends the event in one step (a Lua script, a transaction), so no
//! process ever sees half of one and no reader can act on an event whose change is not there yet.
//! There are no create, read, update or delete primitives: whatever is not a verb cannot be written.

mod archive;
mod error;
pub mod gate;
mod health;
mod idle;
pub mod links;
pub mod notifiers;
pub mod redis;
mod refusal;
mod rows;
pub mod sqlite;
mod waiting;
mod worker;

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use archive::{
    ArchivePage, ArchivedTask, MAX_ARCHIVE_BYTES, MAX_ARCHIVED_EVENT_BYTES, MAX_ARCHIVED_EVENTS, Retention,
};
pub use error::{StoreError, StoreResult};
pub use health::Trouble;
pub use idle::IdleWorker;
pub use refusal::Refusal;
pub use rows::{Due, History, News, Page, PageCursor, Rows, Unreadable};
pub use waiting::{Extended, Extension, KEPT_BEYOND, WaitingStore};
pub use worker::{WorkerDetails, WorkerInfo};

use crate::task::{
    Answer, Ask, Cursor, Event, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Scope, SessionId,
    Task, TaskId, TaskStatus, ToolSpec, WorkerId,
};

/// The layout that this program writes. A namespace or file of a newer layout is refused; one of an older layout is
/// brought to this one by the first process that may create a store, and refused to all others until then.
pub const LAYOUT: u32 = 2;

/// The most events that a log keeps; older ones are dropped. `watch --since` an older cursor says so.
pub const MAX_LOG_EVENTS: u64 = 1_000_000;

/// The most bytes that a log's events have in all; older ones are dropped.
pub const MAX_LOG_BYTES: u64 = 256 * 1024 * 1024;

/// The most events that are kept of one task.
pub const MAX_TASK_EVENTS: u64 = 10_000;

/// The most events that are kept of one session.
pub const MAX_SESSION_EVENTS: u64 = 100_000;

/// The most bytes of records in a page of tasks or a stretch of the log, but for one that is larger by itself.
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The most finished tasks of one scope; beyond them the oldest are deleted before their time.
pub const MAX_FINISHED: u32 = 100_000;

/// How long a hidden task is kept after its end: long enough for whoever called to read how it ended.
pub const HIDDEN_KEPT: Duration = Duration::from_secs(5 * 60);

/// The most questions that a task may have open at the same time.
pub const MAX_OPEN_QUESTIONS: usize = 64;

/// The most questions that a task may ask in its life: as many as have events that are kept.
pub const MAX_QUESTIONS: usize = 10_000;

/// A worker's right to write for a task: valid until the task is claimed again. Writes under an older
/// attempt are refused with [`StoreError::ClaimLost`], so a worker that lost its lease cannot harm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// The task.
    pub task: TaskId,
    /// Which claim of it, counted from 1; never goes back.
    pub attempt: u32,
}

/// Why a task goes back to the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Requeue {
    /// In words, for the log.
    pub reason: String,
    /// Whether it counts against the task's attempts: a crash does, a drained worker does not.
    pub counts: bool,
    /// How long it stays out of the queue. A task that is parked comes back when its last open question is
    /// answered, whatever is said here.
    pub delay: Option<Duration>,
    /// How the task ends when its attempts are used up; an error with the reason where absent.
    pub exhausted: Option<Outcome>,
}

impl Requeue {
    /// A failed attempt.
    pub fn failed(reason: String) -> Self {
        Self { reason, counts: true, delay: None, exhausted: None }
    }

    /// A task that is given back through no fault of its own.
    pub fn returned(reason: String) -> Self {
        Self { counts: false, ..Self::failed(reason) }
    }

    /// How the task ends when its attempts are used up.
    pub fn last_outcome(&self) -> Outcome {
        self.exhausted.clone().unwrap_or_else(|| Outcome::Error(RpcError::gave_up(&self.reason)))
    }
}

/// Which tasks to list. Hidden ones never are, unless asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only this scope's.
    pub scope: Option<Scope>,
    /// Only this session's.
    pub session: Option<SessionId>,
    /// Only those in this status.
    pub status: Option<TaskStatus>,
    /// Only this tool's.
    pub tool: Option<String>,
    /// Foreground calls too.
    pub hidden: bool,
    /// Oldest first; else newest first.
    pub oldest_first: bool,
}

impl TaskFilter {
    /// Whether `task` is one of them.
    pub fn admits(&self, task: &Task) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope == &task.new.scope)
            && self.session.as_ref().is_none_or(|session| Some(session) == task.new.session.as_ref())
            && self.status.is_none_or(|status| status == task.status)
            && self.tool.as_ref().is_none_or(|tool| tool == &task.new.tool)
            && (self.hidden || !task.new.hidden)
    }
}

/// Which stretch of the log to read, and in which order.
#[derive(Debug, Clone, Copy)]
enum Stretch {
    /// What comes after a place, oldest first.
    After(Cursor),
    /// What comes before a place or the log's end, newest first.
    Before(Option<Cursor>),
}

/// Which part of the log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFilter {
    /// All of it.
    All,
    /// One session's.
    Session(SessionId),
    /// One task's.
    Task(TaskId),
}

impl EventFilter {
    /// Whether `event` is in that part.
    pub fn admits(&self, event: &Event) -> bool {
        match self {
            Self::All => true,
            Self::Session(session) => event.session.as_ref() == Some(session),
            Self::Task(task) => &event.task == task,
        }
    }
}

/// One reader of the log. It takes nothing from anybody else.
#[async_trait]
pub trait Tail: Send {
    /// Waits for news. After an error the tail is where it was: calling again
    /// connects again and misses nothing that the log still has, and the first look that works returns, also without news:
    /// the store is back. Dropping the future loses nothing.
    async fn next(&mut self) -> StoreResult<News>;
}

/// State that is shared by servers, workers and operators.
#[async_trait]
pub trait Store: WaitingStore + Send + Sync + std::fmt::Debug + 'static {
    /// Where the state is, without secrets, for messages.
    fn location(&self) -> String;

    /// Stores a task and queues it. Refused with [`StoreError::TooManyTasks`] when the scope already has
    /// `most_open` tasks that are not final. Event: `submitted`.
    async fn submit(&self, new: &NewTask, most_open: u32) -> StoreResult<Task> {
        self.submit_to(new, most_open, None).await
    }

    /// [`Store::submit`], and in the same step [`Store::claim`] for an idle worker where that has a lease and nothing is
    /// queued that it could begin: then the task names it and carries the attempt to write under, and is not queued.
    /// Whatever is amiss with that worker, the task is stored. Events: `submitted`, then `claimed`.
    async fn submit_to(&self, new: &NewTask, most_open: u32, idle: Option<&IdleWorker>) -> StoreResult<Task>;

    /// Waits until at least one queued task of these tools is claimed for `worker`, at most `most`.
    /// Returns none when `stop` fires. The task carries the attempt to write under. A worker without a lease is
    /// refused with [`StoreError::LeaseEnded`]. A task that cannot be read is parked instead, and stays until it is
    /// cancelled or expires. On Redis a new task wakes one of the workers that wait; on SQLite all idle workers
    /// of the file look, without a lock. Event: `claimed`.
    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>>;

    /// Notes a step of a running task; its message becomes the status message. Numbers that are not finite
    /// are refused with [`StoreError::Backend`]. Event: `progress`.
    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()>;

    /// Asks questions at consecutive positions from `first` (1 for a task's first question), which may leave
    /// no gap after those asked before. Positions that
    /// were asked before return what the journal has, answer included; [`StoreError::JournalDiffers`]
    /// where it has another question there; [`StoreError::TooManyQuestions`] where more than
    /// [`MAX_OPEN_QUESTIONS`] would be open, or it would have asked more than [`MAX_QUESTIONS`]. The task becomes `input_required` while one is open.
    /// Event: `asked`, once for each new question.
    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>>;

    /// The answers to `count` questions of a claimed task from position `first` on; `None` while one of them is
    /// open. Reads only these, however long the journal is.
    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>>;

    /// Answers a question, if nobody has. The answer's `at` is set by the store; the stored answer is
    /// returned. A parked task whose last open question this was is queued again. An answer by timeout is refused with
    /// [`StoreError::WaitsLonger`] where the question was extended meanwhile. Event: `answered`.
    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer>;

    /// Ends a running task. Event: `completed` or `failed`.
    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()>;

    /// Ends any task that is not final; its open questions close unanswered. Event: `cancelled`.
    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()>;

    /// Gives a claimed task back. With open questions it is parked until they are answered; with its
    /// attempts used up it ends with [`Requeue::last_outcome`]. Event: `requeued`, `failed` or `completed`.
    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()>;

    /// Queues a task whose delay is over; does nothing to another. Event: `requeued`.
    async fn resume(&self, task: &TaskId) -> StoreResult<()>;

    /// Deletes a task whose ttl ended, or moves it to the archive where this handle [retains](Store::retain) tasks; does
    /// nothing to another. Foreground calls and what cannot be read are not archived. Event: `expired`.
    async fn expire(&self, task: &TaskId) -> StoreResult<()>;

    /// Deletes a task that has ended, before its ttl does, or what the archive has of one; false where it has not ended.
    /// Event: `expired`, of a task that is there.
    async fn prune(&self, task: &TaskId) -> StoreResult<bool>;

    /// From now on tasks that expire by this handle are archived. Without it none are.
    fn retain(&self, retention: Retention);

    /// Writes a remark about a task to the log; one of a run, only while the run's claim holds
    /// ([`StoreError::ClaimLost`]). Event: `noted`.
    async fn note(&self, task: &TaskId, claim: Option<&ClaimKey>, note: &str) -> StoreResult<()>;

    /// Announces a worker, what it says of itself and its tools, and begins its lease. The tools stay known after it
    /// left. Tails are told when that changes what [`Store::tools`] says.
    async fn enlist(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()>;

    /// Renews a worker's lease; false when the store does not know the worker any more, which then has to
    /// enlist again.
    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool>;

    /// Writes what is there already: it fails wherever writes are refused, and changes nothing.
    async fn touch(&self) -> StoreResult<()>;

    /// Takes a worker off the list. What it still holds is due at once.
    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()>;

    /// Notes that `source`, such as a file of one machine, offers these tools. Returns those that it offered
    /// before, does not any more, and that are still known: what is left to withdraw.
    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>>;

    /// Forgets those of these tools that no worker with a lease offers, and ends their tasks that no worker
    /// holds with `error`. Event: `failed` for each of them. Tails are told that the tools changed.
    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()>;

    /// What the store says a worker holds. After a claim whose reply was lost it is more than the worker
    /// knows of.
    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>>;

    /// One task; [`StoreError::Unreadable`] where something of it is there that cannot be read.
    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>>;

    /// Task ids that begin with `prefix`, at most `most`, hidden tasks included.
    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>>;

    /// Tasks by creation.
    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page>;

    /// Archived tasks by creation: what `expire` moved there, until its time is over.
    async fn archived(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<ArchivePage>;

    /// One archived task; [`StoreError::Unreadable`] where it is there and cannot be read.
    async fn archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>>;

    /// Ids of archived tasks that begin with `prefix`, at most `most`.
    async fn find_archived(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>>;

    /// Every tool that a worker has ever offered here and nobody has withdrawn, by name.
    async fn tools(&self) -> StoreResult<Rows<ToolSpec>>;

    /// Every worker whose lease has not been cleaned up.
    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>>;

    /// Events after `after`, oldest first, at most `most`.
    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History>;

    /// Events before `before`, or before the log's end, newest first, at most `most`; `next` is before which to go on.
    async fn history_before(
        &self,
        filter: &EventFilter,
        before: Option<Cursor>,
        most: usize,
    ) -> StoreResult<History>;

    /// The last event's place, [`Cursor::START`] when there is none.
    async fn last(&self) -> StoreResult<Cursor>;

    /// A reader of all events after `after`. Costs one connection for as long as it lives.
    fn tail(&self, after: Cursor) -> Box<dyn Tail>;

    /// What is due by the store's clock.
    async fn due(&self) -> StoreResult<Due>;

    /// What is wrong with the store itself: that it refuses writes and why, that it is nearly full, that it drops
    /// what it should keep. Changes nothing; empty when all is well.
    async fn health(&self) -> StoreResult<Vec<Trouble>>;

    /// The verbs on notifiers, the parts of servers that tell people of events.
    fn notifiers(&self) -> &dyn notifiers::NotifierStore;

    /// The verbs on links, each of which stands for one question.
    fn links(&self) -> &dyn links::LinkStore;

    /// Ends this handle's use of the store in good order, for a process that ends.
    async fn close(&self);
}
