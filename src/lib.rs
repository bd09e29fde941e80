//! crate doc to come

pub mod ask;
pub mod engine;
pub mod store;
pub mod task;
pub mod worker;
