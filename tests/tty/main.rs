//! Prompts in a real pseudo-terminal, as people meet them.

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

mod activity;
mod bulk;
mod drawing;
mod dumb;
mod fields;
mod foreign;
mod inbox;
mod leaving;
mod limits;
mod looks;
mod outage;
mod pasting;
mod screen;
mod screens;
mod strangers;
mod terminal;
