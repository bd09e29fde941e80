//! The tasks of a server that can be known of. One that cannot be looked at hides no other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{Server, ServerTask};
use crate::client::{ClientError, ClientResult, Era, TaskView};
use crate::desk::failure::{Failure, Kind};
use crate::desk::kept::KeptTask;
use crate::desk::text;

/// How long a look at one task of many may take: it costs a server nothing, and somebody waits for all of them.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// The same at a server that has shown another one meanwhile: it is there, and not slow.
const LOOK_SOON: Duration = Duration::from_secs(2);

/// How long a task is left alone that was not shown within that: whoever looks again and again waits for it seldom.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(60);

/// Tasks that were not shown in time, and when.
#[derive(Default)]
pub(super) struct Slow {
    tasks: Mutex<HashMap<String, Instant>>,
    /// Whether the server has shown any task in time.
    shows: watch::Sender<bool>,
}

impl Slow {
    fn has(&self, id: &str) -> bool {
        self.tasks().get(id).is_some_and(|at| at.elapsed() < LEFT_ALONE_FOR)
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tasks that are looked at at once.
const AT_ONCE: usize = 8;

/// Tasks of a server, and those of which nothing is known but their ids.
pub(crate) struct Tasks<T> {
    /// Those that it shows.
    pub(crate) rows: Vec<T>,
    /// Those that could not be looked at.
    pub(crate) bad: Vec<BadTask>,
}

/// A task that was launched from here and cannot be looked at, though its server is there.
#[derive(Debug, Clone)]
pub(crate) struct BadTask {
    /// Its whole id.
    pub(crate) id: String,
    /// The tool that was called.
    pub(crate) tool: String,
    /// When it was launched.
    pub(crate) at: Timestamp,
    /// What the server says in its place.
    pub(crate) problem: String,
}

/// What is left out where questions are gone through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unseen {
    /// How many tasks could not be looked at.
    count: usize,
    /// The first of them, and why.
    first: Option<String>,
    /// Questions that nobody here can answer, each as a sentence.
    pub(crate) unanswerable: Vec<String>,
}

impl Unseen {
    /// So many.
    pub(crate) fn of(bad: &[BadTask]) -> Self {
        let first =
            bad.first().map(|one| format!("task {}: {}", text::line(&one.id), text::sentence(&one.problem)));
        Self { count: bad.len(), first, unanswerable: Vec::new() }
    }

    /// And those questions.
    #[must_use]
    pub(crate) fn and(self, unanswerable: Vec<String>) -> Self {
        Self { unanswerable, ..self }
    }

    /// "task t1 cannot be looked at: …"; `None` where there is none.
    pub(crate) fn in_words(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(match self.count {
            0 | 1 => format!("a task cannot be looked at now: {first}"),
            several => format!("{several} tasks cannot be looked at now; {first}"),
        })
    }
}

/// What came of looking at one task.
type Known = Result<Option<TaskView>, String>;

impl Server {
    /// The tasks that can be known of: what a legacy server lists, which is mostly what this very connection launched,
    /// and what this user launched before. A modern one shows a task only to who has its id.
    ///
    /// Each of the latter costs a request, so those that `skip` names are not asked for, and no more of them than it
    /// takes until there are `most` of what `take` makes of a task.
    pub(crate) async fn tasks<T>(
        &self,
        most: usize,
        skip: impl Fn(&str) -> bool,
        take: impl Fn(ServerTask) -> Option<T>,
    ) -> Result<Tasks<T>, Failure> {
        let kept = self.kept();
        let mut tools: HashMap<String, String> =
            kept.iter().map(|one| (one.task.clone(), one.tool.clone())).collect();
        let mut tasks = Tasks { rows: Vec::new(), bad: Vec::new() };
        if self.era == Era::Legacy {
            let is_taken = |view: &TaskView| {
                take(ServerTask { tool: tools.get(&view.id).cloned(), view: view.clone() }).is_some()
            };
            let listed = self.listed(most, is_taken).await?.into_iter();
            let listed = listed.map(|view| ServerTask { tool: tools.remove(&view.id), view });
            tasks.rows.extend(listed.filter_map(&take).take(most));
        }
        let kept = kept.into_iter().filter(|one| tools.contains_key(&one.task) && !skip(&one.task));
        self.look_at(kept, most, take, &mut tasks).await?;
        Ok(tasks)
    }

    /// [`Server::tasks`], all of them.
    pub(crate) async fn all_tasks(&self, most: usize) -> Result<Tasks<ServerTask>, Failure> {
        self.tasks(most, |_| false, Some).await
    }

    /// What a legacy server lists, up to the page with which there are `most` that are taken. Not every server of that era
    /// lists its tasks.
    async fn listed(
        &self,
        most: usize,
        is_taken: impl Fn(&TaskView) -> bool,
    ) -> Result<Vec<TaskView>, Failure> {
        let list = async |client: &crate::client::Client| {
            let mut taken = 0;
            let is_enough = |view: &TaskView| {
                taken += usize::from(is_taken(view));
                taken >= most
            };
            match client.list_until(is_enough).await {
                Err(error) if error.is_unknown_method() => Ok(Vec::new()),
                listed => listed,
            }
        };
        self.run(list).await
    }

    /// Looks at tasks that were launched from here, some at once, in their order.
    async fn look_at<T>(
        &self,
        kept: impl Iterator<Item = KeptTask>,
        most: usize,
        take: impl Fn(ServerTask) -> Option<T>,
        tasks: &mut Tasks<T>,
    ) -> Result<(), Failure> {
        let mut kept = kept.enumerate();
        let mut looking = FuturesUnordered::new();
        let (mut taken, mut bad, mut looked) = (Vec::new(), Vec::new(), HashMap::new());
        loop {
            let had = tasks.rows.len() + taken.len() + bad.len();
            while looking.len() < AT_ONCE.min(most.saturating_sub(had)) {
                let Some((at, one)) = kept.next() else { break };
                looking.push(async move { (at, self.known(&one.task).await, one) });
            }
            let Some((at, known, one)) = looking.next().await else { break };
            let KeptTask { task: id, tool, at: launched, .. } = one;
            match known? {
                Ok(known) => {
                    looked.insert(id, known.clone());
                    let task = known.and_then(|view| take(ServerTask { view, tool: Some(tool) }));
                    taken.extend(task.map(|task| (at, task)));
                }
                Err(problem) => bad.push((at, BadTask { id, tool, at: launched, problem })),
            }
        }
        taken.sort_by_key(|(at, _)| *at);
        bad.sort_by_key(|(at, _)| *at);
        tasks.rows.extend(taken.into_iter().map(|(_, task)| task));
        tasks.bad.extend(bad.into_iter().map(|(_, task)| task));
        self.note(&looked);
        Ok(())
    }

    /// Keeps in mind what the server knows of the tasks: it has one only for its ttl.
    fn note(&self, looked: &HashMap<String, Option<TaskView>>) {
        if let Some(Err(error)) = self.kept.as_ref().map(|kept| kept.note(&self.name, looked)) {
            tracing::debug!(%error, "it is not noted which tasks the server knows");
        }
    }

    /// What the server knows of the task, `None` where it is nothing, or why it cannot be looked at. What is wrong with the
    /// server as a whole is a failure, after as much patience as there is with it.
    async fn known(&self, id: &str) -> Result<Known, Failure> {
        let too_slow = || {
            let within = if *self.slow.shows.borrow() { LOOK_SOON } else { LOOK_WITHIN };
            Ok(Err(format!("the server has not answered for {} s", within.as_secs())))
        };
        if self.slow.has(id) {
            return too_slow();
        }
        let looked = match self.glance(id).await {
            // A connection that breaks off tells nothing yet: the server may be gone, or gone from this one request.
            Some(Err(ClientError::Unreachable { is_sent: true, .. })) => self.glance(id).await,
            looked => looked,
        };
        if let Some(Ok(view)) = &looked
            && self.is_to_be_compared(view)
            && let Some(Ok(again)) = self.glance(id).await
        {
            self.compare(view, &again);
        }
        match looked {
            Some(Ok(view)) => Ok(Ok(Some(self.with_its_time(view)))),
            Some(Err(ClientError::NoTask { .. })) => Ok(Ok(None)),
            Some(Err(error)) if error.is_of_server() => match self.get(id).await {
                Ok(view) => Ok(Ok(Some(view))),
                Err(failure) if failure.kind() == Kind::NotFound => Ok(Ok(None)),
                Err(failure) => Err(failure),
            },
            Some(Err(error)) => Ok(Err(self.failure(error).to_string())),
            None => {
                self.slow.tasks().insert(id.to_owned(), Instant::now());
                too_slow()
            }
        }
    }

    /// A look at a task; `None` where it takes too long. Where another one is shown, it is this one that hangs.
    async fn glance(&self, id: &str) -> Option<ClientResult<TaskView>> {
        let (client, mut shows) = (self.client(), self.slow.shows.subscribe());
        let hangs = async {
            tokio::time::sleep(LOOK_SOON).await;
            // Its sender is a field of `self`, so it cannot have gone.
            let _ = shows.wait_for(|shows| *shows).await;
        };
        tokio::select! {
            biased;
            looked = tokio::time::timeout(LOOK_WITHIN, client.get_once(id)) => {
                if matches!(looked, Ok(Ok(_))) {
                    self.slow.shows.send_replace(true);
                }
                looked.ok()
            }
            () = hangs => None,
        }
    }
}
