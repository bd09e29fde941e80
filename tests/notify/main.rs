//! Telling people of events: real servers that post to real sockets, on both engines.

#[macro_use]
#[path = "../support/both_engines.rs"]
mod both_engines;
#[path = "../support/place.rs"]
mod place;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
mod redis;

#[path = "../support/shapes.rs"]
mod shapes;

mod commands;
mod killed;
mod notices;
mod receiver;
mod receivers;
mod stage;
mod watching;
