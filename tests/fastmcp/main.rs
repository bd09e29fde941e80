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
#[path = "../support/shapes.rs"]
mod json_shapes;
mod kitchen;
mod leaving_alone;
mod monitor;
mod reading;
mod refusing;
mod rules;
mod shapes;
#[path = "../support/situations.rs"]
mod situations;
mod table;
mod watching;
