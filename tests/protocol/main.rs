//! What the protocol requires of the task server, claim by claim, over raw HTTP and stdio.

mod legacy;
mod modern;
mod relay;
mod support;
