//! crate doc to come

pub mod engine;
pub mod relay;
pub mod server;
pub mod store;
pub mod task;
pub mod worker;
