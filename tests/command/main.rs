//! Commands as tools, end to end: a real store, a real worker, real scripts.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
#[allow(unreachable_pub, reason = "test modules use it")]
mod bench;
mod ending;
mod examples;
mod protocol;
mod results;
#[allow(unreachable_pub, reason = "test modules use it")]
mod shell;
mod surroundings;
