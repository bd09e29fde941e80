//! What an operator sees and does on all places where tasks are; the commands are faces of it.

pub(crate) mod failure;
pub(crate) mod kept;
pub(crate) mod page;
pub(crate) mod suggest;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod values;
