//! Prompts in a real pseudo-terminal, as people meet them.

#[path = "../fastmcp/kitchen.rs"]
#[allow(dead_code, reason = "shared with a test binary that needs more of it")]
mod fastmcp_kitchen;
#[path = "../support/forms.rs"]
mod foreign_forms;
#[path = "../cli/kitchen.rs"]
mod kitchen;
#[path = "../support/place.rs"]
mod place;
mod profiles;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with test binaries that need more of it")]
mod redis;
#[path = "../support/slow.rs"]
mod slow;

mod activity;
mod bulk;
mod closing;
mod drawing;
mod dumb;
mod extending;
mod fields;
mod foreign;
mod inbox;
mod leaving;
mod letters;
mod limits;
mod looks;
mod outage;
mod pace;
mod pasting;
mod picture;
mod refused;
mod screen;
mod screens;
mod several;
mod strangers;
mod surroundings;
mod svg;
mod terminal;
mod whereabouts;

/// Where what is shared with other test binaries looks for the rest.
mod support {
    pub(crate) use crate::redis;
}
