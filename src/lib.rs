//! crate doc to come

pub mod store;
pub mod task;
