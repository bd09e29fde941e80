//! crate doc to come

pub mod client;
pub mod engine;
pub mod store;
pub mod task;
