//! Prompts in a real pseudo-terminal, as people meet them.

#[path = "../cli/kitchen.rs"]
mod kitchen;
#[path = "../support/place.rs"]
mod place;

mod drawing;
mod fields;
mod leaving;
mod looks;
mod pasting;
mod strangers;
mod terminal;
