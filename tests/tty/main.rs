//! Prompts in a real pseudo-terminal, as people meet them.

#[path = "../cli/kitchen.rs"]
mod kitchen;
#[path = "../support/place.rs"]
mod place;

mod fields;
mod leaving;
mod strangers;
mod terminal;
