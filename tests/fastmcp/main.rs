//! FastMCP deployments, read and answered straight from their Redis: real servers, workers and clients of
//! each supported version on a real redis-server.

#[path = "../support/mod.rs"]
mod support;

mod answering;
mod bulk;
mod cancelling;
mod cluster;
mod commands;
mod diagnosing;
mod hosting;
#[path = "../support/shapes.rs"]
mod json_shapes;
mod kitchen;
mod leaving_alone;
mod monitor;
#[path = "../host/peer.rs"]
#[allow(dead_code, reason = "shared with the tests of hosts, which need more of it")]
mod peer;
#[path = "../support/place.rs"]
mod place;
mod reading;
mod refusing;
mod rules;
mod shapes;
#[path = "../support/situations.rs"]
mod situations;
mod table;
mod watching;
