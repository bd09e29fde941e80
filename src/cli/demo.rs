//! `demo`: the whole loop in one terminal.

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};

/// Show the whole loop in one terminal: a task asks, you answer, it goes on
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

pub(crate) async fn run(_context: &Context, _args: DemoArgs) -> Result<(), Failure> {
    Err(Failure::new(Kind::Unexpected, "not there yet"))
}
