//! Commands as tools, end to end: a real store, a real worker, real scripts.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod bench;
mod ending;
mod protocol;
mod results;
mod surroundings;
