//! Where a watcher hears of changes: Redis' tracking, Docket's channels, or nothing but the clock.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::Means;
use crate::fastmcp::link::literally;
use crate::fastmcp::{Deployment, FastmcpResult};
use crate::redis_link::{self, RESPONSE};

/// How often everything is read where Redis does not tell what changes.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// How long nothing may come before the connection is tried: a server can vanish without a word.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Where the word of a change comes from.
pub(super) struct Source {
    pub(super) means: Means,
    pushes: UnboundedReceiver<PushInfo>,
    /// When everything is read again, or the connection is tried, whatever was told until then.
    pub(super) due: Instant,
    /// Closes with it; `None` where not even channels may be listened to.
    connection: Option<MultiplexedConnection>,
}

/// What a wait for changes ended with.
pub(super) enum Word {
    Changed(Vec<String>),
    /// Anything may have changed.
    Anything,
    Lost,
}

impl Source {
    /// Begins to listen. Tracking is on when this returns.
    pub(super) async fn open(deployment: &Deployment) -> FastmcpResult<Self> {
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
    pub(super) fn interval(&self) -> Duration {
        match &self.means {
            Means::Tracking => SILENT_FOR,
            Means::Polling { every, .. } => *every,
        }
    }

    /// Waits until something changes, or may have.
    pub(super) async fn word(&mut self) -> Word {
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
