//! What stands between rmcp and a transport: a server may send, or leave unread, whatever it likes.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, CustomRequest, RequestId, ServerJsonRpcMessage, ServerRequest};
use rmcp::transport::Transport;

use super::flood::Flood;
use super::telling::Telling;
use super::unread::{Unread, Waiting};
use super::wire::ELICITATION;

/// How many of the server's requests are remembered.
const REMEMBERED: usize = 256;

/// A transport whose server asks the same only once, and whose replies are bounded.
pub(super) struct Traffic<T> {
    transport: T,
    heard: Heard,
    flood: Flood,
    /// The replies that were not taken yet.
    replies: Unread,
    telling: Telling,
}

impl<T> Traffic<T> {
    pub(super) fn new(transport: T, flood: &Flood, telling: &Telling) -> Self {
        let (flood, telling) = (flood.clone(), telling.clone());
        Self { transport, heard: Heard::default(), flood, replies: Unread::default(), telling }
    }

    /// Room for a message to the server; an error where a reply has none. What this client asks is not counted: it is
    /// little, and some of it waits for as long as a person does.
    fn room(&self, message: &ClientJsonRpcMessage) -> Result<Option<Waiting>, Overrun> {
        if !matches!(message, ClientJsonRpcMessage::Response(_) | ClientJsonRpcMessage::Error(_)) {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(message).map_or(0, |bytes| bytes.len());
        self.replies.add(bytes).map(Some).ok_or(Overrun)
    }
}

/// Too many replies wait.
struct Overrun;

impl<T: Transport<RoleClient>> Transport<RoleClient> for Traffic<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        let room = self.room(&message);
        let sending = room.map(|room| (room, self.transport.send(message)));
        if sending.is_err() {
            self.flood.unread();
        }
        async move {
            // Of a connection that is over nobody waits for what became of a reply.
            let Ok((_room, sending)) = sending else { return Ok(()) };
            sending.await
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let Some(message) = self.telling.take(self.transport.receive().await?) else { continue };
            if !self.heard.again(&message) {
                return Some(message);
            }
            self.flood.again();
        }
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.transport.close().await
    }
}

/// The questions of a session that came last, each as the hash of its id and its params. One that comes again, as some
/// servers send it on every stream that they have, is the same request, and has its one reply where it came first.
#[derive(Default)]
struct Heard(VecDeque<u64>);

impl Heard {
    /// Notes a question; whether it came before.
    fn again(&mut self, message: &ServerJsonRpcMessage) -> bool {
        let Some((id, question)) = question(message) else { return false };
        let mut hasher = DefaultHasher::new();
        (id, question.params.as_ref().map(ToString::to_string)).hash(&mut hasher);
        let request = hasher.finish();
        if self.0.contains(&request) {
            return true;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(request);
        false
    }
}

fn question(message: &ServerJsonRpcMessage) -> Option<(&RequestId, &CustomRequest)> {
    let ServerJsonRpcMessage::Request(request) = message else { return None };
    match &request.request {
        ServerRequest::CustomRequest(question) if question.method == ELICITATION => {
            Some((&request.id, question))
        }
        _ => None,
    }
}
