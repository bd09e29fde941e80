//! What the protocol requires of the task server, claim by claim, over raw HTTP and stdio.

mod http;
mod legacy;
mod modern;
mod relay;
mod stdio;
mod support;
