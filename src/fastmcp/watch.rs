//! Following a deployment live, without taking anything from it.
//!
//! Redis tells which keys change (client tracking in broadcast mode, over RESP3), and Docket publishes each
//! change of a run; either names a task, which is then read and compared with what was known. Tracking is
//! switched on before the first reading, so that nothing falls between.

mod source;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use source::{Source, Word};

use super::docket::Workers;
use super::event::{DeployedEventKind, between, event, unseen};
use super::identity::Identity;
use super::signs::Asking;
use super::{DeployedEvent, DeployedQuestion, DeployedTask, Deployment, FastmcpResult, read};

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
