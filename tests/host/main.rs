//! The desk for MCP hosts: a real process that speaks JSON-RPC with a host of the test, on both engines.

#[macro_use]
#[path = "../support/both_engines.rs"]
mod both_engines;
#[path = "../support/place.rs"]
mod place;
#[path = "../support/python.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
mod python;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
mod redis;

mod answering;
mod asking;
mod ending;
mod lines;
mod looking;
mod peer;
mod sdk;
mod skill;
mod stage;
mod strangers;
