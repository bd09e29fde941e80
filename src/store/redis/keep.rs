//! How the archive is kept: what each process that archives says of it, for those that were not told.

use std::time::Duration;

use super::RedisStore;
use super::connection::is_wrong_type;
use crate::store::archive::{self, Said};
use crate::store::{Retention, StoreError, StoreResult, Trouble};

impl RedisStore {
    /// Says how this process archives tasks, if it does and it is time to say it again.
    pub(super) async fn say_retention(&self) -> StoreResult<()> {
        let Some(retention) = self.retention() else { return Ok(()) };
        if !self.is_to_say() {
            return Ok(());
        }
        let mut call = self.invocation(&self.scripts.keep);
        self.verb(call.arg(retention.millis()).arg(retention.bytes)).await?;
        self.has_said();
        Ok(())
    }

    /// What is wrong with how the archive is kept.
    pub(super) async fn archive_troubles(&self) -> StoreResult<Vec<Trouble>> {
        let now_ms = self.time_ms().await?;
        let said: Vec<(String, i64)> =
            self.or_none(redis::cmd("HGETALL").arg(self.key("keep"))).await?.unwrap_or_default();
        let said: Vec<Said> = said.iter().filter_map(|one| read(one, now_ms)).collect();
        let forgot: Option<String> = self.or_none(redis::cmd("GET").arg(self.key("archive:forgot"))).await?;
        let forgot = forgot.and_then(|at| Some(since(at.parse().ok()?, now_ms)));
        Ok(archive::troubles(&said, forgot))
    }

    /// The reply, or none where somebody left a key of another type, which is told elsewhere.
    async fn or_none<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> StoreResult<Option<T>> {
        match self.command(command).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if is_wrong_type(&error) => Ok(None),
            // It has another form than ours.
            Err(StoreError::Backend { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read((words, at): &(String, i64), now_ms: i64) -> Option<Said> {
    let (millis, bytes) = words.split_once(':')?;
    let time = Duration::from_millis(millis.parse().ok()?);
    Some((Retention { time, bytes: bytes.parse().ok()? }, since(*at, now_ms)))
}

fn since(at: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms.saturating_sub(at)).unwrap_or_default())
}
