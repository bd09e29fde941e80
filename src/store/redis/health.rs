//! What is wrong with the Redis itself, found without changing anything.

use super::RedisStore;
use super::connection::is_wrong_type;
use crate::redis_link::Figures;
use crate::store::{Refusal, StoreError, StoreResult, Trouble};

/// The keys that all tasks share, with their types.
pub(super) const SHARED_KEYS: [(&str, &str); 8] = [
    ("archive", "zset"),
    ("events", "stream"),
    ("index", "zset"),
    ("keep", "hash"),
    ("leases", "zset"),
    ("notifiers", "set"),
    ("tools", "hash"),
    ("tools:changes", "stream"),
];

impl RedisStore {
    pub(super) async fn troubles(&self) -> StoreResult<Vec<Trouble>> {
        let mut troubles: Vec<Trouble> = self.refused_write().await?.into_iter().collect();
        troubles.extend(self.damaged_keys().await?);
        troubles.extend(self.lost_meta().await?);
        troubles.extend(self.lost_index().await?);
        troubles.extend(self.noted_loss().await?);
        troubles.extend(self.archive_troubles().await?);
        let figures = self.figures("memory").await?;
        troubles.extend(evicting(&figures));
        troubles.extend(nearly_full(&figures));
        Ok(troubles)
    }

    /// Tries a write that is none: Redis judges it like any other and then changes nothing. That this user may not
    /// write says nothing of the store.
    async fn refused_write(&self) -> StoreResult<Option<Trouble>> {
        let mut probe = redis::cmd("SETRANGE");
        probe.arg(self.key("probe")).arg(0).arg("");
        match self.command::<i64>(&probe).await {
            Ok(_) => self.refused_script().await,
            Err(error) if error.refusal().is_some_and(Refusal::is_about_rights) => Ok(None),
            Err(StoreError::Refuses { refusal, problem, .. }) => Ok(Some(Trouble {
                cause: "store_refuses_writes",
                problem: format!("Redis says: {problem}"),
                advice: refusal.advice().to_owned(),
            })),
            Err(error) => Err(error),
        }
    }

    /// A user who may write but run no script can change no task. The script that is asked for is none.
    async fn refused_script(&self) -> StoreResult<Option<Trouble>> {
        let mut probe = redis::cmd("EVALSHA");
        probe.arg("0".repeat(40)).arg(0);
        match self.command::<redis::Value>(&probe).await {
            Err(StoreError::Refuses { refusal, problem, .. }) if refusal.is_about_rights() => {
                Ok(Some(Trouble {
                    cause: "store_refuses_writes",
                    problem: format!(
                        "this user may write but not run scripts, which every change of a task is: {problem}"
                    ),
                    advice: refusal.advice().to_owned(),
                }))
            }
            _ => Ok(None),
        }
    }

    /// Keys that many tasks share and that are not of their type, so that verbs end in an error.
    async fn damaged_keys(&self) -> StoreResult<Vec<Trouble>> {
        let mut keys: Vec<(String, &str)> =
            SHARED_KEYS.iter().map(|(name, kind)| (self.key(name), *kind)).collect();
        keys.push((format!("{}meta", self.shared), "hash"));
        // The tools themselves may be what is damaged, and so may the workers.
        for tool in self.read_tools().await.map(|tools| tools.rows).unwrap_or_default() {
            keys.push((self.key(&format!("ready:{}", tool.name)), "stream"));
        }
        for worker in self.leased_workers().await.unwrap_or_default() {
            keys.push((self.key(&format!("held:{worker}")), "set"));
            keys.push((self.key(&format!("worker:{worker}")), "string"));
            keys.push((self.key(&format!("about:{worker}")), "hash"));
        }
        let commands: Vec<_> = keys.iter().map(|(key, _)| redis::cmd("TYPE").arg(key).to_owned()).collect();
        let found = self.each(&commands).await?;
        let damaged = keys.iter().zip(found).filter_map(|((key, kind), found)| {
            let found: String = redis::from_redis_value(found.ok()?).ok()?;
            (found != "none" && found != *kind).then(|| Trouble {
                cause: "store_damaged",
                problem: format!("the key {key} is a {found}, not a {kind}: nothing that needs it works"),
                advice: "somebody else wrote to it: restore it from a copy of the data, or rename it to begin it anew"
                    .to_owned(),
            })
        });
        Ok(damaged.chain(self.moved_keys().await?).collect())
    }

    /// Every worker that has a lease or had one.
    async fn leased_workers(&self) -> StoreResult<Vec<String>> {
        self.command(redis::cmd("ZRANGE").arg(self.key("leases")).arg(0).arg(-1)).await
    }

    /// Keys that were of another type and were made anew, as long as what stood there is kept.
    async fn moved_keys(&self) -> StoreResult<Vec<Trouble>> {
        let noted = self.command(redis::cmd("HGETALL").arg(self.key("damaged"))).await;
        // The notes may be damaged too, and then say nothing.
        let noted: Vec<(String, String)> = match noted {
            Err(error) if is_wrong_type(&error) => Vec::new(),
            noted => noted?,
        };
        let kept: Vec<String> = noted.iter().map(|(name, _)| self.key(&format!("damaged:{name}"))).collect();
        let commands: Vec<_> = kept.iter().map(|key| redis::cmd("EXISTS").arg(key).to_owned()).collect();
        let found = self.each(&commands).await?;
        let moved = noted.iter().zip(&kept).zip(found);
        let moved = moved.filter(|(_, found)| matches!(found, Ok(redis::Value::Int(1))));
        Ok(moved.map(|(((name, kind), kept), _)| moved_key(&self.key(name), kind, kept)).collect())
    }

    /// What a section of `INFO` says; nothing where this user may not ask.
    pub(super) async fn figures(&self, section: &str) -> StoreResult<Figures> {
        match self.command::<String>(redis::cmd("INFO").arg(section)).await {
            Ok(text) => Ok(Figures::of(&text)),
            Err(error) if error.refusal().is_some_and(Refusal::is_about_rights) => Ok(Figures::default()),
            Err(error) => Err(error),
        }
    }
}

fn moved_key(key: &str, kind: &str, kept: &str) -> Trouble {
    Trouble {
        cause: "store_damaged",
        problem: format!("the key {key} was a {kind}; that was moved to {kept}, and the key made anew"),
        advice: format!(
            "find out who else writes to this Redis; then delete {kept}, which otherwise is kept for seven days"
        ),
    }
}

fn evicting(figures: &Figures) -> Option<Trouble> {
    let policy = figures.text("maxmemory_policy").filter(|policy| *policy != "noeviction")?;
    let limit = figures.number("maxmemory");
    (limit > 0).then(|| Trouble {
        cause: "store_evicts",
        problem: format!("the Redis drops keys when its memory is full: maxmemory-policy is {policy}"),
        advice: "set maxmemory-policy to noeviction: a task whose key is dropped is lost without a word"
            .to_owned(),
    })
}

fn nearly_full(figures: &Figures) -> Option<Trouble> {
    let (limit, used) = (figures.number("maxmemory"), figures.number("used_memory"));
    (limit > 0 && used < limit && limit - used < limit / 10).then(|| Trouble {
        cause: "store_nearly_full",
        problem: format!(
            "{used} of the Redis' {limit} bytes of maxmemory are used, less than a tenth is left"
        ),
        advice: Refusal::MemoryFull.advice().to_owned(),
    })
}
