//! Notifiers: one hash for each, and two with its deliveries.

use std::collections::HashMap;

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, Value};

use super::RedisStore;
use super::connection::is_wrong_type;
use crate::store::gate::{self, Kind};
use crate::store::notifiers::{
    Delivery, DeliveryState, Hold, LONGEST_NOTIFIER_LEASE, NotifierCursors, NotifierInfo, NotifierLease,
    NotifierStep, NotifierStore, lease_left,
};
use crate::store::{Rows, StoreResult};

/// Deliveries that are changed in one step.
const AT_ONCE: usize = 500;

fn longest_ms() -> u64 {
    LONGEST_NOTIFIER_LEASE.as_millis() as u64
}

#[async_trait]
impl NotifierStore for RedisStore {
    async fn hold(&self, name: &str, lease: &NotifierLease, begin: NotifierCursors) -> StoreResult<Hold> {
        gate::label("the notifier", name)?;
        let mut call = self.invocation(&self.scripts.hold);
        call.arg(name).arg(&lease.holder).arg(gate::reason(&lease.about));
        call.arg((lease.time.as_millis() as u64).min(longest_ms()));
        call.arg(begin.events.to_string()).arg(begin.unanswered.to_string()).arg(longest_ms());
        let mut reply = self.verb(&call).await?;
        if reply.word() == "elsewhere" {
            return Ok(Hold::Elsewhere { by: reply.text() });
        }
        let cursors = NotifierCursors::parse(&reply.text(), &reply.text());
        // What is no place is as good as none: it begins anew, and says so.
        let (cursors, is_new) = cursors.map_or((begin, true), |cursors| (cursors, false));
        let revision = reply.number().unsigned_abs();
        Ok(Hold::Here { cursors, revision, is_new: is_new || reply.number() == 1 })
    }

    async fn settle(&self, name: &str, holder: &str, step: &NotifierStep) -> StoreResult<bool> {
        let mut call = self.invocation(&self.scripts.settle);
        call.arg(name).arg(holder);
        call.arg(step.cursors.events.to_string()).arg(step.cursors.unanswered.to_string());
        call.arg(gate::json(Kind::Delivery, &step.status)?);
        call.arg(step.waiting.len()).arg(step.set_aside.len());
        for delivery in step.waiting.iter().chain(&step.set_aside) {
            call.arg(&delivery.id).arg(gate::json(Kind::Delivery, delivery)?);
        }
        self.call::<bool>(call.arg(&step.gone)).await
    }

    async fn release(&self, name: &str, holder: &str) -> StoreResult<()> {
        self.call::<Value>(self.invocation(&self.scripts.release).arg(name).arg(holder)).await.map(drop)
    }

    async fn notifiers(&self) -> StoreResult<Rows<NotifierInfo>> {
        let names = self.command(redis::cmd("SMEMBERS").arg(self.key("notifiers"))).await;
        let mut names: Vec<String> = match names {
            // Somebody overwrote the key, which `doctor` tells.
            Err(error) if is_wrong_type(&error) => Vec::new(),
            names => names?,
        };
        names.sort();
        let now_ms = self.time_ms().await?;
        let commands: Vec<Cmd> = names.iter().flat_map(|name| self.about_notifier(name)).collect();
        let mut found = self.each(&commands).await?.into_iter();
        let mut rows = Rows::default();
        for name in names {
            let parts = (found.next(), found.next(), found.next());
            let info = match parts {
                (Some(record), Some(waiting), Some(aside)) => {
                    record.and_then(|record| info(&name, record, (count(waiting), count(aside)), now_ms))
                }
                _ => Err("the reply about it lacks a part".to_owned()),
            };
            rows.take(name, info);
        }
        Ok(rows)
    }

    async fn deliveries(&self, name: &str, state: DeliveryState, most: usize) -> StoreResult<Rows<Delivery>> {
        let key = match state {
            DeliveryState::Waiting => format!("deliveries:{name}"),
            DeliveryState::SetAside => format!("undelivered:{name}"),
        };
        let found = self.command(redis::cmd("HGETALL").arg(self.key(&key))).await;
        let found: Vec<(String, String)> = match found {
            Err(error) if is_wrong_type(&error) => Vec::new(),
            found => found?,
        };
        let mut rows = Rows::default();
        for (id, text) in found {
            rows.take(id, serde_json::from_str::<Delivery>(&text));
        }
        rows.rows.sort_by(|one, other| (one.number, &one.id).cmp(&(other.number, &other.id)));
        rows.rows.truncate(most);
        Ok(rows)
    }

    async fn wait_again(&self, name: &str, deliveries: &[Delivery]) -> StoreResult<u64> {
        let mut count = 0;
        for part in deliveries.chunks(AT_ONCE) {
            let mut call = self.invocation(&self.scripts.wait_again);
            call.arg(name);
            for delivery in part {
                call.arg(&delivery.id).arg(gate::json(Kind::Delivery, delivery)?);
            }
            count += self.call::<u64>(&call).await?;
        }
        Ok(count)
    }

    async fn forget(&self, name: &str) -> StoreResult<bool> {
        self.call::<bool>(self.invocation(&self.scripts.forget).arg(name).arg(longest_ms())).await
    }
}

impl RedisStore {
    /// What asks for a notifier's record, and for how many deliveries it has.
    fn about_notifier(&self, name: &str) -> [Cmd; 3] {
        let of =
            |command: &str, key: &str| redis::cmd(command).arg(self.key(&format!("{key}:{name}"))).to_owned();
        [of("HGETALL", "notifier"), of("HLEN", "deliveries"), of("HLEN", "undelivered")]
    }
}

fn count(reply: Result<Value, String>) -> u64 {
    reply.ok().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or_default()
}

fn info(
    name: &str,
    record: Value,
    (waiting, set_aside): (u64, u64),
    now_ms: i64,
) -> Result<NotifierInfo, String> {
    let fields: HashMap<String, String> =
        HashMap::from_redis_value(record).map_err(|error| error.to_string())?;
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let cursors =
        NotifierCursors::parse(field("events"), field("unanswered")).ok_or("it says no places in the log")?;
    Ok(NotifierInfo {
        name: name.to_owned(),
        about: field("about").to_owned(),
        lease_ms: lease_left(field("until").parse().unwrap_or_default(), now_ms),
        cursors,
        waiting,
        set_aside,
        status: serde_json::from_str(field("status")).unwrap_or_default(),
    })
}
