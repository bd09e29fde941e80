//! Real clients, unchanged, against the server: over HTTP, and over stdio through a pipe.

mod browser;
mod clients;
mod inspector;
mod programs;
mod sdks;
mod typescript;

#[path = "../support/python.rs"]
#[allow(dead_code, unreachable_pub, reason = "the servers of that file are for the client's tests")]
mod python;

#[path = "../protocol/support/mod.rs"]
mod support;
