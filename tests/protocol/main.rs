//! What the protocol requires of the task server, claim by claim, over raw HTTP and stdio.

mod faults;
mod http;
mod legacy;
mod modern;
#[path = "../support/place.rs"]
mod place;
mod relay;
mod reload;
mod stdio;
mod support;
