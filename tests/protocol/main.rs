//! What the protocol requires of the task server, claim by claim, over raw HTTP and stdio.

mod access;
mod answerer;
mod browsers;
mod events;
mod events_access;
mod faults;
mod hostile;
mod http;
mod legacy;
mod modern;
mod modes;
mod negotiation;
#[path = "../support/place.rs"]
mod place;
mod relay;
mod reload;
mod rules;
mod scopes;
mod small_print;
mod specification;
mod stdio;
mod stdio_ending;
mod streams;
mod support;
#[path = "../support/tables.rs"]
mod tables;
mod unanswerable;
