//! One FastMCP deployment: a docket in a Redis.

use super::docket::{Docket, GROUP, Workers};
use super::link::Link;
use super::signs::Asking;
use super::{DeployedTask, Details, FastmcpError, FastmcpResult, discover, elicitation, read};

/// A deployment. Cloning is cheap.
#[derive(Clone)]
pub struct Deployment {
    pub(super) link: Link,
    pub(super) docket: Docket,
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment").field("at", &self.link.location()).field("docket", &self.docket).finish()
    }
}

impl Deployment {
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
        let (mut found, mut others, mut location) = (Vec::new(), Vec::new(), String::new());
        for link in links {
            for one in discover::dockets(&link).await? {
                if docket.is_none_or(|name| name == one.name()) {
                    found.push(Self { link: link.clone(), docket: one });
                } else {
                    others.push(one.name().to_owned());
                }
            }
            link.location().clone_into(&mut location);
        }
        if found.is_empty() { Err(FastmcpError::Nothing { location, found: others }) } else { Ok(found) }
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
        let workers = self.workers().await?;
        let identities = discover::tasks(&self.link, &self.docket).await?;
        let mut tasks = read::tasks(&self.link, &self.docket, &workers, &identities).await?;
        tasks.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
        Ok(tasks)
    }

    /// The task whose id begins so.
    pub async fn find(&self, prefix: &str) -> FastmcpResult<DeployedTask> {
        let identities: Vec<_> = discover::tasks(&self.link, &self.docket)
            .await?
            .into_iter()
            .filter(|identity| identity.id.starts_with(prefix))
            .collect();
        let workers = self.workers().await?;
        let mut found = read::tasks(&self.link, &self.docket, &workers, &identities).await?;
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

    /// All that is known of the task whose id begins so.
    pub async fn show(&self, prefix: &str) -> FastmcpResult<Details> {
        let task = self.find(prefix).await?;
        self.details(task).await
    }

    pub(super) async fn details(&self, task: DeployedTask) -> FastmcpResult<Details> {
        let delivery = match (&task.session, &task.signs.asking) {
            (Some(session), Asking::Elicitation { .. }) => {
                Some(elicitation::delivery(&self.link, &task.signs, session).await?)
            }
            _ => None,
        };
        let workers = self.workers().await?;
        let (length, taken, able) = self.queue(&task.component.function()).await?;
        Ok(Details {
            ttl: task.signs.lifetimes(),
            delivery,
            queued: length.saturating_sub(taken),
            taken,
            able_workers: able
                .into_iter()
                .map(|(worker, _)| worker)
                .filter(|worker| workers.is_alive(worker))
                .collect(),
            has_result: task.signs.run.has_result,
            task,
        })
    }

    /// The stream's length, how many of its entries are taken, and the workers that know a function.
    async fn queue(&self, function: &str) -> FastmcpResult<(u64, u64, Vec<(String, f64)>)> {
        let stream = self.docket.key("stream");
        let mut reads = redis::pipe();
        reads.cmd("XLEN").arg(&stream).cmd("XPENDING").arg(&stream).arg(GROUP);
        reads.cmd("ZRANGE").arg(self.docket.key(&format!("task-workers:{function}"))).arg(0).arg(-1);
        reads.arg("WITHSCORES");
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let length = replies.next("XLEN", &mut notes)?.unwrap_or_default();
        let summary: Vec<redis::Value> = replies.next("XPENDING", &mut notes)?.unwrap_or_default();
        let taken = summary.first().and_then(|count| redis::from_redis_value_ref(count).ok());
        let able = replies.next("ZRANGE", &mut notes)?.unwrap_or_default();
        Ok((length, taken.unwrap_or_default(), able))
    }

    pub(super) async fn workers(&self) -> FastmcpResult<Workers> {
        Workers::read(&self.link, &self.docket).await
    }
}
