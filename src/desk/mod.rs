//! What an operator sees and does on all places where tasks are; the commands are faces of it.

pub(crate) mod suggest;
