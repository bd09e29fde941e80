//! `serve`: the MCP endpoint, with workers.

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};

/// Serve tools as MCP tasks over HTTP or stdio
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {}

pub(crate) async fn run(_context: &Context, _args: ServeArgs) -> Result<(), Failure> {
    Err(Failure::new(Kind::Unexpected, "not there yet"))
}
