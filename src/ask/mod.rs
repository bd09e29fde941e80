//! Asking from inside a command: the private socket between a command and its worker.
//!
//! [`protocol`] is what goes over it, one JSON object a line; `docs/ASK_PROTOCOL.md` says the same to people
//! who write commands. [`client`] is the command's side, as `mcptask ask` and `mcptask report` use it; the
//! worker's side is [`crate::worker::command`].

pub mod client;
pub mod protocol;
