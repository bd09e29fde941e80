//! One FastMCP deployment: a docket in a Redis.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::discover::Keys;
use super::docket::{Docket, Workers};
use super::identity::Identity;
use super::link::Link;
use super::{DeployedTask, FastmcpError, FastmcpResult, discover, read};

/// How long the keys that were met when the deployment was found are its keys now: a command's first look comes at
/// once.
const MET_LATELY: Duration = Duration::from_secs(1);

/// The most tasks that are remembered, of some hundred bytes each.
const MOST_MET: usize = 100_000;

/// A deployment. Cloning is cheap.
#[derive(Clone)]
pub struct Deployment {
    pub(super) link: Link,
    pub(super) docket: Docket,
    met: Arc<Mutex<Met>>,
}

/// What was met of a deployment before, which saves a pass over all keys of its Redis.
#[derive(Default)]
struct Met {
    /// When it was found, by its keys. Whoever looks first takes them.
    keys: Option<(Instant, Keys)>,
    /// The tasks that were read, by their ids: who follows one, or acts on many, looks for them again and again.
    tasks: HashMap<String, Identity>,
    /// Whether these are all that are meant: whoever names several has looked once.
    are_all: bool,
    /// Workers that did not take an answer: whoever answers many waits for each of them once.
    silent: HashSet<String>,
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Deployment");
        shown.field("at", &self.link.location()).field("docket", &self.docket).finish_non_exhaustive()
    }
}

impl Deployment {
    /// Whether that worker did not take the last answer to one of its tasks.
    pub(super) fn is_silent(&self, worker: &str) -> bool {
        self.met().silent.contains(worker)
    }

    /// Notes whether that worker took an answer.
    pub(super) fn heard(&self, worker: &str, took: bool) {
        let silent = &mut self.met().silent;
        if took {
            silent.remove(worker)
        } else {
            silent.insert(worker.to_owned())
        };
    }

    /// The deployments in a Redis, by name; only the one called `docket`, if that is given. A Redis without
    /// any is an error that says so. `redis+cluster://` looks at every master.
    pub async fn discover(url: &str, docket: Option<&str>) -> FastmcpResult<Vec<Self>> {
        Self::found(Link::open(url).await?, docket).await
    }

    /// [`Deployment::discover`] of all, for whoever has tasks of another kind in that Redis too: no more than so
    /// many keys are searched, since that takes the longer the more there are.
    pub async fn discover_among(url: &str, most_keys: u64) -> FastmcpResult<Vec<Self>> {
        let links = Link::open(url).await?;
        for link in &links {
            let keys = link.run(&redis::cmd("DBSIZE")).await?;
            if keys > most_keys {
                return Err(FastmcpError::Crowded { location: link.location().to_owned(), keys });
            }
        }
        Self::found(links, None).await
    }

    async fn found(links: Vec<Link>, docket: Option<&str>) -> FastmcpResult<Vec<Self>> {
        if let Some(name) = docket {
            let named = Self::named(&links, name).await?;
            if !named.is_empty() {
                return Ok(named);
            }
        }
        let (mut found, mut others, mut location) = (Vec::new(), Vec::new(), String::new());
        for link in links {
            for (one, keys) in discover::dockets(&link).await? {
                if docket.is_none_or(|name| name == one.name()) {
                    found.push(Self::new(&link, one, Some(keys)));
                } else {
                    others.push(one.name().to_owned());
                }
            }
            link.location().clone_into(&mut location);
        }
        if found.is_empty() { Err(FastmcpError::Nothing { location, found: others }) } else { Ok(found) }
    }

    /// Those of that name that can be told without a pass over all keys.
    async fn named(links: &[Link], name: &str) -> FastmcpResult<Vec<Self>> {
        let mut found = Vec::new();
        for link in links {
            found.extend(discover::named(link, name).await?.map(|docket| Self::new(link, docket, None)));
        }
        Ok(found)
    }

    fn new(link: &Link, docket: Docket, keys: Option<Keys>) -> Self {
        let keys = keys.map(|keys| (Instant::now(), keys));
        Self { link: link.clone(), docket, met: Arc::new(Mutex::new(Met { keys, ..Met::default() })) }
    }

    fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The docket's name.
    pub fn docket(&self) -> &str {
        self.docket.name()
    }

    /// Where it is, without secrets.
    pub fn location(&self) -> &str {
        self.link.location()
    }

    /// All its tasks, the newest first.
    pub async fn list(&self) -> FastmcpResult<Vec<DeployedTask>> {
        let identities = self.identities().await?;
        let mut tasks = self.read(&self.workers().await?, &identities).await?;
        tasks.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
        Ok(tasks)
    }

    /// The task whose id begins so.
    pub async fn find(&self, prefix: &str) -> FastmcpResult<DeployedTask> {
        // A whole id mostly tells its keys.
        let met = self.met().tasks.get(prefix).cloned();
        let identity = match met {
            Some(identity) => Some(identity),
            None => discover::anonymous(&self.link, &self.docket, prefix).await?,
        };
        let known = match identity {
            Some(identity) => self.read(&self.workers().await?, &[identity]).await?.pop(),
            None => None,
        };
        match known {
            Some(task) => Ok(task),
            None => self.find_among_all(prefix).await,
        }
    }

    /// Looks for the tasks there are, once for all that are looked for by their ids from now on: a pass over all keys for
    /// each of many would cost as much as they are, times as many.
    pub(crate) async fn look_once(&self) -> FastmcpResult<()> {
        let found = self.identities().await?;
        let mut met = self.met();
        met.tasks = found.into_iter().map(|identity| (identity.id.clone(), identity)).collect();
        met.are_all = true;
        Ok(())
    }

    /// The tasks whose ids begin so.
    async fn beginning(&self, prefix: &str) -> FastmcpResult<Vec<Identity>> {
        let begins = |identity: &Identity| identity.id.starts_with(prefix);
        {
            let met = self.met();
            if met.are_all {
                return Ok(met.tasks.values().filter(|identity| begins(identity)).cloned().collect());
            }
        }
        Ok(self.identities().await?.into_iter().filter(begins).collect())
    }

    async fn find_among_all(&self, prefix: &str) -> FastmcpResult<DeployedTask> {
        let identities = self.beginning(prefix).await?;
        let mut found = self.read(&self.workers().await?, &identities).await?;
        if let Some(exact) = found.iter().position(|task| task.id == prefix) {
            return Ok(found.swap_remove(exact));
        }
        match found.len() {
            0 => Err(FastmcpError::NoTask { id: prefix.to_owned(), docket: self.docket().to_owned() }),
            1 => Ok(found.swap_remove(0)),
            _ => {
                let found = found.into_iter().map(|task| task.id).collect();
                Err(FastmcpError::Ambiguous { prefix: prefix.to_owned(), found })
            }
        }
    }

    /// The tasks there are. The keys that were met lately are not looked for again.
    async fn identities(&self) -> FastmcpResult<Vec<Identity>> {
        let met = self.met().keys.take().filter(|(at, _)| at.elapsed() < MET_LATELY);
        let keys = match met {
            Some((_, keys)) => keys,
            None => discover::keys(&self.link, &self.docket).await?,
        };
        discover::tasks(&self.link, &self.docket, keys).await
    }

    /// From now on the keys are looked for anew: what happened since they were met must not be missed.
    pub(super) fn forget_keys(&self) {
        self.met().keys = None;
    }

    /// Those tasks as they are now, without those that are gone.
    pub(super) async fn read(
        &self,
        workers: &Workers,
        tasks: &[Identity],
    ) -> FastmcpResult<Vec<DeployedTask>> {
        let found = read::tasks(&self.link, &self.docket, workers, tasks).await?;
        let mut met = self.met();
        if met.tasks.len() > MOST_MET && !met.are_all {
            met.tasks.clear();
        }
        let identities = found.iter().map(|task| &task.signs.identity);
        met.tasks.extend(identities.map(|identity| (identity.id.clone(), identity.clone())));
        drop(met);
        Ok(found)
    }

    pub(super) async fn workers(&self) -> FastmcpResult<Workers> {
        Workers::read(&self.link, &self.docket).await
    }
}
