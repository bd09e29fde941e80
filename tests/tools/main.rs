//! Tools from a configuration file: what is wrong with a file, and how its tools run over a store.

#[path = "../support/mod.rs"]
mod support;

mod examples;
mod faults;
mod mistakes;
mod reload;
mod scripts;
mod settings;
#[allow(unreachable_pub, reason = "test modules use it")]
mod setup;
mod shortage;
