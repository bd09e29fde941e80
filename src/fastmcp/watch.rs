//! Following a deployment live, without taking anything from it.
//!
//! Redis tells which keys change (client tracking in broadcast mode, over RESP3), and Docket publishes each
//! change of a run; either names a task, which is then read and compared with what was known. Tracking is
//! switched on before the first reading, so that nothing falls between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::docket::Workers;
use super::event::{DeployedEventKind, between, event, unseen};
use super::identity::Identity;
use super::link::literally;
use super::signs::Asking;
use super::{DeployedEvent, DeployedQuestion, DeployedTask, Deployment, FastmcpResult, read};
use crate::redis_link::{self, RESPONSE};

/// How often everything is read where Redis does not tell what changes.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// How long nothing may come before the connection is tried: a server can vanish without a word.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How often a lost server is tried; whoever watches says how long.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Whose events to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Everybody's.
    All,
    /// Those of one session.
    Session(String),
    /// Those of the tasks whose id begins so.
    Task(String),
}

impl Filter {
    fn admits(&self, task: &DeployedTask) -> bool {
        match self {
            Self::All => true,
            Self::Session(session) => task.session.as_ref() == Some(session),
            Self::Task(prefix) => task.id.starts_with(prefix.as_str()),
        }
    }
}

/// How changes are noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// Redis tells each change as it happens.
    Tracking,
    /// Everything is read every so often: what comes and goes in between is missed.
    Polling {
        /// How often.
        every: Duration,
        /// Why Redis does not tell.
        why: String,
    },
}

/// A deployment being followed.
pub struct Watching {
    deployment: Deployment,
    filter: Filter,
    source: Source,
    /// By Docket key.
    known: BTreeMap<String, DeployedTask>,
    /// By the task's place: touches of its question that no reading accounts for. The task itself may not be
    /// known yet.
    touches: BTreeMap<String, i32>,
    /// Tasks that changed and have not been read yet, by Docket key.
    pending: BTreeMap<String, Identity>,
    /// Whether anything may have changed since the last reading of everything.
    is_stale: bool,
    workers: Workers,
    ready: VecDeque<DeployedEvent>,
}

/// Where the word of a change comes from.
struct Source {
    means: Means,
    pushes: UnboundedReceiver<PushInfo>,
    /// When everything is read again, or the connection is tried, whatever was told until then.
    due: Instant,
    /// Closes with it; `None` where not even channels may be listened to.
    connection: Option<MultiplexedConnection>,
}

/// What a wait for changes ended with.
enum Word {
    Changed(Vec<String>),
    /// Anything may have changed.
    Anything,
    Lost,
}

impl Deployment {
    /// Follows the deployment from now on.
    pub async fn watch(&self, filter: Filter) -> FastmcpResult<Watching> {
        let source = Source::open(self).await?;
        self.forget_keys();
        let (tasks, workers) = tokio::try_join!(self.list(), self.workers())?;
        let known = tasks.into_iter().map(|task| (task.signs.identity.key.clone(), task)).collect();
        Ok(Watching {
            deployment: self.clone(),
            filter,
            source,
            known,
            touches: BTreeMap::new(),
            pending: BTreeMap::new(),
            is_stale: false,
            workers,
            ready: VecDeque::new(),
        })
    }
}

impl Watching {
    /// How changes are noticed.
    pub fn means(&self) -> &Means {
        &self.source.means
    }

    /// The tasks as they were when it began, or as they have become since.
    pub fn tasks(&self) -> impl Iterator<Item = &DeployedTask> {
        self.known.values().filter(|task| self.filter.admits(task))
    }

    /// The questions that are open, as the events that asked them.
    pub fn open_questions(&self) -> Vec<DeployedEvent> {
        let asked =
            |question: &DeployedQuestion| DeployedEventKind::Asked { question: Some(question.clone()) };
        let of = |task: &DeployedTask| -> Vec<_> {
            task.questions.iter().map(|question| event(task, asked(question))).collect()
        };
        self.tasks().flat_map(of).collect()
    }

    /// The next event. Dropping the future loses nothing. An error ends the watching.
    pub async fn next(&mut self) -> FastmcpResult<DeployedEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            // What is to be read is noted before it is read: a dropped future must not lose it.
            let read = if self.is_stale {
                self.all().await
            } else if self.pending.is_empty() {
                match self.source.word().await {
                    Word::Changed(keys) => keys.iter().for_each(|key| self.note(key)),
                    Word::Anything => self.is_stale = true,
                    Word::Lost => self.again().await?,
                }
                Ok(())
            } else {
                self.changed().await
            };
            match read {
                Err(error) if error.is_passing() => self.again().await?,
                read => read?,
            }
        }
    }

    /// Connects again after a loss, and tells what happened meanwhile.
    async fn again(&mut self) -> FastmcpResult<()> {
        loop {
            let tried = match Source::open(&self.deployment).await {
                Ok(source) => {
                    self.source = source;
                    self.all().await
                }
                Err(error) => Err(error),
            };
            match tried {
                Err(error) if error.is_passing() => {
                    tracing::debug!(%error, "the deployment's Redis is away; trying again");
                    tokio::time::sleep(TRY_EVERY).await;
                }
                other => return other,
            }
        }
    }

    async fn all(&mut self) -> FastmcpResult<()> {
        let tasks = self.deployment.list().await?;
        (self.is_stale, self.pending) = (false, BTreeMap::new());
        let present: BTreeSet<_> = tasks.iter().map(|task| task.signs.identity.key.clone()).collect();
        self.known.retain(|key, _| present.contains(key));
        tasks.into_iter().rev().for_each(|task| self.seen(task));
        // What was touched while nothing was told is not known.
        self.touches.clear();
        // From here, so that reading that takes long is not all that the Redis does.
        self.source.due = Instant::now() + self.source.interval();
        Ok(())
    }

    /// Notes that a key changed.
    fn note(&mut self, key: &str) {
        let place = key.strip_prefix(&self.deployment.docket.key("")).unwrap_or_default();
        if let Some(place) = place.strip_suffix(":elicit:request") {
            *self.touches.entry(place.to_owned()).or_default() += 1;
        }
        if let Some(identity) = self.whose(key) {
            self.pending.insert(identity.key.clone(), identity);
        }
    }

    /// Reads the tasks that changed, in one round trip: a client may answer within milliseconds.
    async fn changed(&mut self) -> FastmcpResult<()> {
        let identities: Vec<_> = self.pending.values().cloned().collect();
        let deployment = self.deployment.clone();
        self.workers = match self.workers.later() {
            Some(workers) => workers,
            None => deployment.workers().await?,
        };
        let tasks = read::tasks(&deployment.link, &deployment.docket, &self.workers, &identities).await?;
        self.pending.clear();
        let present: BTreeSet<_> = tasks.iter().map(|task| task.signs.identity.key.clone()).collect();
        for gone in identities.iter().filter(|identity| !present.contains(&identity.key)) {
            self.known.remove(&gone.key);
            self.touches.remove(&gone.place);
        }
        for task in tasks {
            self.seen(task);
        }
        Ok(())
    }

    /// Notes a reading, and what happened since the one before.
    fn seen(&mut self, task: DeployedTask) {
        let key = task.signs.identity.key.clone();
        let mut kinds = between(self.known.get(&key), &task);
        if matches!(task.signs.asking, Asking::Elicitation { .. }) {
            // Below zero for a moment: an answer shows in the status before the question's key goes.
            let touches = self.touches.entry(task.signs.identity.place.clone()).or_default();
            *touches = unseen(&kinds, *touches);
            while *touches >= 2 {
                *touches -= 2;
                let end = kinds.iter().position(DeployedEventKind::is_end).unwrap_or(kinds.len());
                let missed = [
                    DeployedEventKind::Asked { question: None },
                    DeployedEventKind::Answered { question: None },
                ];
                kinds.splice(end..end, missed);
            }
        }
        if self.filter.admits(&task) {
            self.ready.extend(kinds.into_iter().map(|kind| event(&task, kind)));
        }
        self.known.insert(key, task);
    }

    /// The task that a key or channel belongs to. FastMCP's own keys only say so for tasks that are known,
    /// which every task is once it was queued.
    fn whose(&self, key: &str) -> Option<Identity> {
        let rest = key.strip_prefix(&self.deployment.docket.key(""))?;
        for kind in ["runs:", "progress:", "state:"] {
            if let Some(key) = rest.strip_prefix(kind) {
                return Identity::parse(key);
            }
        }
        let known = self.known.values().map(|task| &task.signs.identity);
        let mut owners = known.filter(|identity| {
            rest.strip_prefix(&identity.place)
                .is_some_and(|ending| ending.is_empty() || ending.starts_with(':'))
        });
        owners.next().cloned()
    }
}

impl Source {
    async fn open(deployment: &Deployment) -> FastmcpResult<Self> {
        let (sender, pushes) = unbounded_channel();
        let config =
            AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE)).set_push_sender(sender);
        let polling = |why: String| Means::Polling { every: POLL_EVERY, why };
        let connected = match resp3(deployment).await {
            Ok(client) => redis_link::connect(&client, config).await,
            Err(error) => Err(error),
        };
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(error) => match deployment.link.error("HELLO 3", &error) {
                passing if passing.is_passing() => return Err(passing),
                refused => return Ok(Self::by(polling(refused.to_string()), pushes, None)),
            },
        };
        // Without channels, tracking alone tells enough; without tracking, they at least wake a poll.
        for kind in ["state:", "progress:"] {
            let pattern = format!("{}*", literally(&deployment.docket.key(kind)));
            let _ = connection.psubscribe(pattern).await;
        }
        let means = match track(&mut connection, deployment).await {
            Ok(()) => Means::Tracking,
            Err(error) => match deployment.link.error("CLIENT TRACKING", &error) {
                passing if passing.is_passing() => return Err(passing),
                refused => polling(refused.to_string()),
            },
        };
        Ok(Self::by(means, pushes, Some(connection)))
    }

    fn by(
        means: Means,
        pushes: UnboundedReceiver<PushInfo>,
        connection: Option<MultiplexedConnection>,
    ) -> Self {
        let mut source = Self { means, pushes, due: Instant::now(), connection };
        source.due += source.interval();
        source
    }

    /// How long it goes without a reading of everything, or a try of the connection.
    fn interval(&self) -> Duration {
        match &self.means {
            Means::Tracking => SILENT_FOR,
            Means::Polling { every, .. } => *every,
        }
    }

    /// Waits until something changes, or may have.
    async fn word(&mut self) -> Word {
        if self.connection.is_none() {
            tokio::time::sleep_until(self.due).await;
            return self.overdue().await;
        }
        // Where it is polled, what is told must not put off the reading: questions are never told there.
        if self.means != Means::Tracking && Instant::now() >= self.due {
            return self.overdue().await;
        }
        match timeout_at(self.due, self.pushes.recv()).await {
            Ok(first) => self.told(first),
            Err(_) => self.overdue().await,
        }
    }

    /// What to do when the interval is over.
    async fn overdue(&mut self) -> Word {
        self.due = Instant::now() + self.interval();
        match (&self.means, &mut self.connection) {
            (Means::Tracking, Some(connection)) => {
                match redis::cmd("PING").query_async::<()>(connection).await {
                    Ok(()) => Word::Changed(Vec::new()),
                    Err(_) => Word::Lost,
                }
            }
            _ => Word::Anything,
        }
    }

    /// What that push and those that came with it say.
    fn told(&mut self, first: Option<PushInfo>) -> Word {
        if self.means == Means::Tracking {
            self.due = Instant::now() + SILENT_FOR;
        }
        let (mut keys, mut next) = (Vec::new(), first);
        loop {
            match next {
                None | Some(PushInfo { kind: PushKind::Disconnection, .. }) => return Word::Lost,
                Some(push) => match named(push) {
                    Some(found) => keys.extend(found),
                    None => return Word::Anything,
                },
            }
            match self.pushes.try_recv() {
                Ok(push) => next = Some(push),
                Err(_) => return Word::Changed(keys),
            }
        }
    }
}

/// A client for the same node that speaks RESP3, by which Redis can tell without being asked.
async fn resp3(deployment: &Deployment) -> RedisResult<Client> {
    let information = deployment.link.client().await?.get_connection_info().clone();
    let settings = information.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(information.set_redis_settings(settings))
}

async fn track(connection: &mut MultiplexedConnection, deployment: &Deployment) -> RedisResult<()> {
    let mut command = redis::cmd("CLIENT");
    command.arg("TRACKING").arg("ON").arg("BCAST");
    for below in ["fastmcp:task:", "runs:", "progress:"] {
        command.arg("PREFIX").arg(deployment.docket.key(below));
    }
    command.query_async(connection).await
}

/// The keys that a push names; `None` when it means all of them, as after FLUSHALL.
fn named(push: PushInfo) -> Option<Vec<String>> {
    let text = |value: &Value| redis::from_redis_value_ref::<String>(value).ok();
    match push.kind {
        PushKind::Invalidate => match push.data.into_iter().next() {
            Some(Value::Array(keys)) => Some(keys.iter().filter_map(text).collect()),
            _ => None,
        },
        // Pattern, channel, payload: the channel is named as the key is.
        PushKind::PMessage => Some(push.data.get(1).and_then(text).into_iter().collect()),
        _ => Some(Vec::new()),
    }
}
