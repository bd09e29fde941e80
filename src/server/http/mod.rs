//! The HTTP endpoint: what stands before rmcp there, and the sessions behind it.

mod allowance;
mod body;
mod connections;
mod guard;
mod headers;
mod reader;
mod serve;
mod sessions;

pub(crate) use connections::MOST as MOST_CONNECTIONS;
pub use serve::http;
