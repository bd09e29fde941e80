//! The events of one kind that a server tells (SEP-3415, `events/stream`): taken up again where they broke off.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use rmcp::model::RequestId;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use super::telling::Notice;
use super::{Client, ClientError, ClientResult, TaskView};
use crate::events_extension::{
    ACTIVE, ENDED, ERROR, EVENT, EXPIRED, HEARTBEAT_WITHIN, ID, INPUT_REQUIRED, OLD_KEY, Refusal, STREAM,
    TERMINATED,
};
use crate::task::{RpcError, TaskStatus};

/// How long a stream may be silent before it is taken up anew: its server may have gone without a word.
const SILENT_FOR: Duration = Duration::from_secs(2 * HEARTBEAT_WITHIN.as_secs());

/// How long a server may take to say that a stream has begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// The pauses before a stream is taken up anew that ended, doubled from the first to the longest; one that told for
/// longer than that is taken up at once.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What was told.
#[derive(Debug)]
pub(crate) enum Told {
    /// The stream has begun.
    Begun,
    /// Something happened.
    Event(Box<Occurrence>),
    /// Something that happened is not told: the server keeps it no more.
    Missed,
    /// The server has trouble for now, in its words.
    Trouble(String),
}

/// Something that happened to a task.
#[derive(Debug)]
pub(crate) struct Occurrence {
    /// The task, with what it asks or how it ended.
    pub(crate) view: TaskView,
    /// Its tool.
    pub(crate) tool: Option<String>,
    /// Until when what it asks can be answered.
    pub(crate) deadline: Option<Timestamp>,
    /// Whether it is gone since its time was over.
    pub(crate) is_expired: bool,
}

/// The occurrences of one event's name.
pub(crate) struct Occurrences {
    name: &'static str,
    arguments: Map<String, Value>,
    /// The last place that the server gave; from now on, where there is none.
    cursor: Option<String>,
    stream: Option<Stream>,
    pause: Duration,
    next: Instant,
}

/// A stream that is open.
struct Stream {
    client: Arc<Client>,
    reply: BoxFuture<'static, ClientResult<Value>>,
    /// The reply, once it has come: what was told before is taken first.
    over: Option<ClientResult<Value>>,
    /// The request's id, once it was sent.
    id: Arc<OnceLock<RequestId>>,
    told: broadcast::Receiver<Arc<Notice>>,
    /// How many messages had no room when it began.
    missed: u64,
    begun: Instant,
    is_active: bool,
    /// When it has been silent for too long.
    silent: Instant,
}

/// What a stream brings.
enum Heard {
    /// It is over, with the reply to its request.
    Over(ClientResult<Value>),
    Told(Result<Arc<Notice>, RecvError>),
    /// It has been silent for too long, or its server is not there.
    Silent,
}

impl Client {
    /// Whether the server says that it tells events.
    pub(crate) fn offers_events(&self) -> bool {
        let capabilities = self.wire.handshake().get("capabilities");
        let extension = capabilities.and_then(|all| all.get("extensions")).and_then(|all| all.get(ID));
        let old = capabilities.and_then(|all| all.get(OLD_KEY));
        self.modern && [extension, old].into_iter().flatten().any(Value::is_object)
    }
}

impl ClientError {
    /// What it means in the Events extension, where the server has refused.
    pub(crate) fn events_refusal(&self) -> Option<Refusal> {
        let Self::Refused { error, .. } = self else { return None };
        Refusal::of(error.code)
    }
}

impl Occurrences {
    /// What tasks ask from now on; of one session's, where that is named.
    pub(crate) fn asked(session: Option<&str>) -> Self {
        Self::new(INPUT_REQUIRED, session)
    }

    /// How tasks end from now on, likewise.
    pub(crate) fn ended(session: Option<&str>) -> Self {
        Self::new(ENDED, session)
    }

    fn new(name: &'static str, session: Option<&str>) -> Self {
        let arguments = session.map(|session| ("session".to_owned(), json!(session))).into_iter().collect();
        Self { name, arguments, cursor: None, stream: None, pause: FIRST_PAUSE, next: Instant::now() }
    }

    /// The next thing that is told. Where the stream ends it is taken up anew over this connection; an error is about
    /// the connection, or the server's last word on the stream. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, client: &Arc<Client>) -> ClientResult<Told> {
        loop {
            if self.stream.as_ref().is_some_and(|stream| !Arc::ptr_eq(&stream.client, client)) {
                self.stream = None;
            }
            let Some(stream) = &mut self.stream else {
                tokio::time::sleep_until(self.next).await;
                self.stream = Some(Stream::begin(client, self.params()));
                continue;
            };
            let heard = stream.heard().await;
            if let Some(told) = self.take(client, heard)? {
                return Ok(told);
            }
        }
    }

    fn params(&self) -> Value {
        json!({ "name": self.name, "arguments": self.arguments, "cursor": self.cursor })
    }

    /// What it means; nothing where it is to be heard on.
    fn take(&mut self, client: &Client, heard: Heard) -> ClientResult<Option<Told>> {
        match heard {
            Heard::Over(Ok(_)) | Heard::Silent | Heard::Told(Err(_)) => self.again(),
            Heard::Over(Err(error)) => {
                let had_begun = self.stream.as_ref().is_some_and(|stream| stream.is_active);
                self.again();
                // A stream that breaks off says nothing of the server yet; the next one does.
                if !(had_begun && error.is_passing()) || client.is_over() {
                    return self.refused(error);
                }
            }
            Heard::Told(Ok(notice)) => return self.told(client, &notice),
        }
        Ok(None)
    }

    fn told(&mut self, client: &Client, notice: &Notice) -> ClientResult<Option<Told>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if stream.id.get() != Some(&notice.stream) {
            return Ok(None);
        }
        if stream.missed != client.telling.missed() {
            self.again();
            return Ok(None);
        }
        stream.silent = Instant::now() + SILENT_FOR;
        if let Some(cursor) = notice.params.get("cursor").and_then(Value::as_str) {
            self.cursor = Some(cursor.to_owned());
        }
        let is_cut = notice.params.get("truncated") == Some(&Value::Bool(true));
        Ok(match notice.method.as_str() {
            ACTIVE => {
                let is_first = !std::mem::replace(&mut stream.is_active, true);
                is_cut.then_some(Told::Missed).or_else(|| is_first.then_some(Told::Begun))
            }
            EVENT => Occurrence::read(self.name, &notice.params).map(Box::new).map(Told::Event),
            ERROR => Some(Told::Trouble(error(&notice.params).message)),
            TERMINATED => {
                let error = Box::new(error(&notice.params));
                self.again();
                return self.refused(ClientError::Refused { method: STREAM.to_owned(), error });
            }
            _ => None,
        })
    }

    /// The stream is over, and is taken up where it was. One that ends again and again is taken up more and more seldom.
    fn again(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        if stream.begun.elapsed() > LONGEST_PAUSE {
            self.pause = FIRST_PAUSE;
            self.next = Instant::now();
            return;
        }
        self.next = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// A place that the server does not take is given up; too much at once is tried again. All else is the end.
    fn refused(&mut self, error: ClientError) -> ClientResult<Option<Told>> {
        match error.events_refusal() {
            Some(Refusal::InvalidParams) if self.cursor.take().is_some() => Ok(Some(Told::Missed)),
            Some(Refusal::ResourceExhausted) => Ok(None),
            _ => Err(error),
        }
    }
}

impl Stream {
    fn begin(client: &Arc<Client>, params: Value) -> Self {
        let (id, begun) = (Arc::new(OnceLock::new()), Instant::now());
        let (told, missed) = (client.telling.hear(), client.telling.missed());
        let (asking, named) = (client.clone(), id.clone());
        let reply = async move {
            let request = asking.begin(STREAM, params).await?;
            // Whatever comes of it comes after this.
            let _ = named.set(request.id.clone());
            request.reply().await
        };
        let (client, silent) = (client.clone(), begun + BEGINS_WITHIN);
        Self { client, reply: reply.boxed(), over: None, id, told, missed, begun, is_active: false, silent }
    }

    /// The next thing that it brings: all that is told, and at last its reply.
    async fn heard(&mut self) -> Heard {
        let Self { client, reply, over, told, silent, .. } = self;
        if over.is_none() {
            tokio::select! {
                biased;
                reply = reply => *over = Some(reply),
                told = told.recv() => return Heard::Told(told),
                () = client.broken.notified() => return Heard::Silent,
                () = tokio::time::sleep_until(*silent) => return Heard::Silent,
            }
        }
        match told.try_recv() {
            Ok(notice) => Heard::Told(Ok(notice)),
            Err(TryRecvError::Lagged(missed)) => Heard::Told(Err(RecvError::Lagged(missed))),
            Err(TryRecvError::Empty | TryRecvError::Closed) => match over.take() {
                Some(reply) => Heard::Over(reply),
                None => Heard::Silent,
            },
        }
    }
}

impl Occurrence {
    /// Reads an occurrence of that name; nothing where it is about no task.
    fn read(name: &str, params: &Value) -> Option<Self> {
        let data = params.get("data")?;
        let text = |key: &str| data.get(key).and_then(Value::as_str);
        let is_expired = text("status") == Some(EXPIRED);
        let status = match text("status") {
            _ if name == INPUT_REQUIRED => TaskStatus::InputRequired.as_str(),
            Some(EXPIRED) => TaskStatus::Cancelled.as_str(),
            status => status?,
        };
        let mut view = json!({
            "taskId": text("taskId")?, "status": status, "statusMessage": text("statusMessage"),
            "lastUpdatedAt": params.get("timestamp"), "inputRequests": data.get("inputRequests"),
        });
        if data.get("isError") == Some(&Value::Bool(true)) {
            view["result"] = json!({ "isError": true });
        }
        Some(Self {
            view: TaskView::read(&view)?,
            tool: text("tool").map(str::to_owned),
            deadline: text("deadline").and_then(|at| at.parse().ok()),
            is_expired,
        })
    }
}

/// The error that a message of a stream brings.
fn error(params: &Value) -> RpcError {
    let error = params.get("error").unwrap_or(&Value::Null);
    let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
    RpcError {
        code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
        message: message.to_owned(),
        data: error.get("data").cloned(),
    }
}
