//! The HTTP endpoint: what stands before rmcp there, and the sessions behind it.

mod allowance;
mod body;
mod connections;
mod guard;
mod headers;
mod health;
mod hosts;
mod media;
mod origins;
mod pages;
mod reader;
mod refusals;
mod serve;
mod sessions;

pub(crate) use connections::MOST as MOST_CONNECTIONS;
pub use hosts::check_host;
pub use origins::check_origin;
pub use serve::http;
