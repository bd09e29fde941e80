//! Who answers here.

use super::config;
use super::context::Context;
use super::failure::Failure;
use crate::store::{StoreError, gate};
use crate::task::Who;

/// Who answers, as far as anybody says: `--as` and `--note`, or what the configuration has.
pub(super) fn given(context: &Context, name: Option<&str>, note: Option<&str>) -> Result<Who, Failure> {
    let named = name.map(|name| config::named("--as", name)).transpose()?;
    let who = named.unwrap_or_else(|| context.config.answerer.clone()).noting(note.map(str::to_owned));
    match gate::who(&who) {
        Err(StoreError::Refused { problem, .. }) => Err(config::unusable("--note", &problem)),
        _ => Ok(who),
    }
}
