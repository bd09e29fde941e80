//! What an operator sees and does on all places where tasks are; the commands are faces of it.

pub(crate) mod answer;
mod answerer;
pub(crate) mod answers;
pub(crate) mod asked;
pub(crate) mod background;
pub(crate) mod diagnose;
pub(crate) mod ending;
pub(crate) mod facts;
pub(crate) mod failure;
pub(crate) mod kept;
pub(crate) mod object;
pub(crate) mod page;
pub(crate) mod place;
pub(crate) mod places;
pub(crate) mod row;
pub(crate) mod ruling;
pub(crate) mod server;
mod short_id;
pub(crate) mod suggest;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod tools;
pub(crate) mod values;
pub(crate) mod waiting;
pub(crate) mod watch;
