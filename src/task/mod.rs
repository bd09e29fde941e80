//! The domain: what a task, a question, an answer and an event are, and which of them are well formed.
//!
//! Nothing here knows of Redis, of MCP's transports or of a terminal. The names are the protocol's own
//! wherever it has one (`docs`: ARCHITECTURE.md, "Words").

pub mod answer;
mod aside;
pub mod duration;
pub mod event;
pub mod fault;
pub mod id;
mod pattern;
pub mod question;
pub mod record;
pub mod tool;
pub mod violation;
pub mod who;

pub use answer::{Action, Answer, Answerer};
pub(crate) use aside::aside;
pub use event::{Cursor, Event, EventKind};
pub use fault::Fault;
pub use id::{QuestionId, SessionId, TaskId, WorkerId};
pub(crate) use pattern::Pattern;
pub use question::{Ask, AskKind, OnTimeout, Question};
pub use record::{NewTask, Outcome, Progress, RpcError, Scope, Task, TaskStatus};
pub use tool::{TaskSupport, ToolSpec, Unanswerable};
pub use violation::{Violation, instead, joined};
pub use who::{Known, Who};
