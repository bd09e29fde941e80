//! The MCP task server: both protocol eras on one HTTP endpoint and on stdio, over one engine.
//!
//! rmcp reads and writes the protocol; a thin layer before it (`dialect`) renames the requests that its
//! types would lose, so that they arrive here as they came. From there on everything is JSON in, JSON out
//! (`wire`), and every verb is the engine's.

mod auth;
mod config;
mod dialect;
mod errors;
mod events;
mod foreground;
mod handler;
mod handshake;
mod http;
mod legacy_tasks;
mod lines;
mod misbehaviour;
mod modern_tasks;
mod request;
mod sign_ins;
mod stdio;
mod streaming;
mod subscriptions;
mod tls;
mod tools;
mod wait;
mod wire;

pub use auth::{Tokens, is_reserved};
pub use config::{Pages, ServeConfig, ServeError};
#[cfg(any(test, fuzzing))]
pub(crate) use dialect::message;
pub(crate) use http::MOST_CONNECTIONS;
pub use http::{check_host, check_origin, http};
pub use sign_ins::{NotSignedIn, SignIns, SignedIn};
pub use stdio::stdio;
pub use tls::{Identity, IdentityError};

pub use crate::relay::Decide;
pub use crate::task::Unanswerable;
