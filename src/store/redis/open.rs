//! Opening a namespace: whether it is there, which layout it has, and bringing an older one up to date.

use rand::RngExt as _;

use super::{RedisStore, codec};
use crate::store::{LAYOUT, Refusal, StoreError, StoreResult};

/// Keys that are looked at in one step of a search.
pub(super) const SCANNED_AT_ONCE: usize = 1000;

impl RedisStore {
    /// Begins the namespace if it is new, and brings an older layout to the present one.
    pub(super) async fn begin(&self) -> StoreResult<()> {
        let (mut layout, mut is_new, mut is_index_lost) = self.opened(None).await?;
        let mut has_tasks = false;
        if layout.is_empty() {
            // Before it is begun: no task is stored until then, so what is found was there before.
            has_tasks = self.has_records().await?;
            (layout, is_new, is_index_lost) = self.opened(Some(has_tasks)).await?;
        }
        let found = self.layout_number(&layout)?;
        self.migrated(found).await?;
        if found == LAYOUT && is_new && has_tasks {
            self.note_loss_if_possible().await;
        }
        if found == LAYOUT && is_index_lost {
            self.restore_index_if_possible().await;
        }
        Ok(())
    }

    /// The layout, whether this call began the namespace and whether its index is lost. It is begun where it was looked
    /// whether tasks are there all the same.
    async fn opened(&self, has_tasks: Option<bool>) -> StoreResult<(String, bool, bool)> {
        let mut call = self.scripts.open.key(&self.prefix);
        call.key(&self.shared).arg(LAYOUT).arg(epoch()).arg(codec::optional(has_tasks.map(u64::from)));
        self.call(&call).await.map_err(|error| self.of_meta(error))
    }

    /// The layout as the namespace says it.
    fn layout_number(&self, layout: &str) -> StoreResult<u32> {
        let problem = || {
            self.broken(format!(
                "the layout of its data is noted as {layout:?} in the key {}meta, which is no number: somebody else wrote \
                 it. Restore the key from a copy of the data, or set its field `layout` to {LAYOUT} if no older mcptask \
                 has used this namespace",
                self.shared
            ))
        };
        layout.parse().map_err(|_| problem())
    }

    /// Goes on where the layout is an older one, or where another process has not finished with it.
    async fn migrated(&self, found: u32) -> StoreResult<()> {
        if found > LAYOUT {
            return Err(StoreError::NewerLayout { location: self.location_text(), found });
        }
        if found == LAYOUT && self.meta("migrating").await?.is_none() {
            return Ok(());
        }
        let labelled = self.labelled_keys_of_layout_1().await?;
        loop {
            let mut call = self.scripts.migrate.key(&self.prefix);
            call.key(&self.shared).arg(epoch()).arg(&labelled);
            let reply: Vec<String> = self.call(&call).await?;
            match reply.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["more"] => {}
                ["busy", worker] => return Err(self.still_used(worker)),
                _ => return Ok(()),
            }
        }
    }

    fn still_used(&self, worker: &str) -> StoreError {
        StoreError::OlderLayout {
            location: self.location_text(),
            found: 1,
            worker: Some(worker.to_owned()),
            problem: format!(
                "an older mcptask, worker {worker}, is still running on it. Stop all older processes, then start this \
                 one again: it brings the tasks along"
            ),
        }
    }

    /// Whether the namespace can be used without being begun or changed.
    pub(super) async fn check_existing(&self) -> StoreResult<()> {
        let location = self.location_text();
        let Some(layout) = self.meta("layout").await? else {
            // Tasks may be there all the same, and can be read, where an eviction took the key that says so.
            if self.has_records().await? {
                return Ok(());
            }
            self.check_synced().await?;
            return Err(StoreError::NoStore { location });
        };
        match self.layout_number(&layout)? {
            LAYOUT if self.meta("migrating").await?.is_none() => Ok(()),
            found if found > LAYOUT => Err(StoreError::NewerLayout { location, found }),
            LAYOUT => {
                let problem = "not all of its tasks have been brought along yet: wait a moment, or start `mcptask worker`, \
                               which goes on where the process that began it has died";
                Err(StoreError::OlderLayout { location, found: 1, problem: problem.to_owned(), worker: None })
            }
            found => {
                let problem = "stop all older processes; then the first `mcptask worker`, `serve` or `submit` brings \
                               the tasks along";
                let worker = self.worker_of_layout_1().await;
                Err(StoreError::OlderLayout { location, found, problem: problem.to_owned(), worker })
            }
        }
    }

    /// Whether what is not found here is nowhere: a replica may not have copied it yet. A user who may not ask goes by
    /// what is found.
    async fn check_synced(&self) -> StoreResult<()> {
        let figures = self.figures("replication").await?;
        let is_replica = figures.text("role").is_some_and(|role| role != "master");
        let link = figures.text("master_link_status").unwrap_or_default();
        let is_copying = figures.number("master_sync_in_progress") > 0;
        if !is_replica || (link == "up" && !is_copying) {
            return Ok(());
        }
        let state = if is_copying { "is copying from it" } else { "has no link to it" };
        let [host, port] = ["master_host", "master_port"].map(|name| figures.text(name).unwrap_or("?"));
        let problem = format!("it has no tasks, is a replica of {host}:{port}, and {state}");
        Err(StoreError::Refuses { location: self.location_text(), refusal: Refusal::NotSynced, problem })
    }

    /// A field of what is known of the namespace itself.
    pub(super) async fn meta(&self, field: &str) -> StoreResult<Option<String>> {
        let found = self.command(redis::cmd("HGET").arg(format!("{}meta", self.shared)).arg(field)).await;
        found.map_err(|error| self.of_meta(error))
    }

    /// Says which key is of another type, where it is this one.
    fn of_meta(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Backend { location, problem } if problem.contains("WRONGTYPE") => {
                let problem = format!("somebody overwrote the key {}meta, a hash: {problem}", self.shared);
                StoreError::Backend { location, problem }
            }
            other => other,
        }
    }

    /// A worker of layout 1 whose lease has not ended; none where that cannot be told.
    async fn worker_of_layout_1(&self) -> Option<String> {
        let now = jiff::Timestamp::now().as_millisecond();
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command
            .arg(format!("{}workers", self.shared))
            .arg(format!("({now}"))
            .arg("+inf")
            .arg("LIMIT")
            .arg(0)
            .arg(1);
        let living: StoreResult<Vec<String>> = self.command(&command).await;
        living.ok()?.into_iter().next()
    }

    /// The keys of layout 1 that are named by labels, so that no script can know them.
    async fn labelled_keys_of_layout_1(&self) -> StoreResult<Vec<String>> {
        let (mut found, mut cursor) = (Vec::new(), "0".to_owned());
        let pattern = format!("{}*", glob_escaped(&self.shared));
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
            let (next, keys): (String, Vec<String>) = self.command(&command).await?;
            let names = keys.iter().filter_map(|key| key.strip_prefix(&self.shared));
            found.extend(names.filter(|name| is_labelled(name)).map(str::to_owned));
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// Ready queues, sources and sessions' logs. Task keys are found by the tasks.
fn is_labelled(name: &str) -> bool {
    name.starts_with("ready:")
        || name.starts_with("source:")
        || (name.starts_with("session:") && name.ends_with(":log"))
}

/// A text as the pattern that only matches it.
pub(super) fn glob_escaped(text: &str) -> String {
    let special = |one: char| matches!(one, '*' | '?' | '[' | ']' | '^' | '\\');
    text.chars().flat_map(|one| special(one).then_some('\\').into_iter().chain([one])).collect()
}

/// What tells one life of a namespace from the next.
fn epoch() -> String {
    format!("{:016x}", rand::rng().random::<u64>())
}

/// Whether that namespace has been begun.
pub(super) fn is_begun(namespace: &str) -> redis::Cmd {
    redis::cmd("EXISTS").arg(format!("{}meta", shared_prefix(namespace))).to_owned()
}

/// What all keys of a namespace begin with, whatever its layout.
pub(super) fn shared_prefix(namespace: &str) -> String {
    format!("mcptask:{{{namespace}}}:")
}

/// What all keys of this layout begin with.
pub(super) fn prefix(namespace: &str) -> String {
    format!("{}2:", shared_prefix(namespace))
}
