//! Operators of FastMCP deployments: their background tasks, read and answered straight from their Redis,
//! with no change to the deployment.
//!
//! FastMCP runs a tool in the background as a task of Docket, a work queue on Redis. What is found in the
//! keyspace says which generation wrote it; each has one file, headed by the table of keys it reads:
//! `v3_0`, `v3_4` and `v4`. What all of them share with Docket itself is in `docket`. Layouts were read from
//! FastMCP 3.0.2, 3.4.10 and 4.1.0 with Docket 0.27 as they ran; the tests run 3.0.2, 3.2.4, 3.4.11, 4.0.11, 4.1.4 and
//! 4.2.3.
//!
//! Whatever is pickled is never unpickled: arguments and results stay opaque. Nothing here takes an entry
//! from a queue, and every change is one Lua script that checks what it saw before it writes.

mod answer;
mod cancel;
mod components;
mod deployment;
mod details;
mod diagnose;
mod discover;
mod docket;
mod elicitation;
mod error;
mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod generations;
mod hint;
mod identity;
mod link;
mod read;
mod signs;
mod task;
mod v3_0;
mod v3_4;
mod v4;
mod watch;
mod workers;

pub use answer::{Answered, Way};
pub use cancel::Cancelled;
pub use components::DeployedComponent;
pub use deployment::Deployment;
pub use diagnose::{Cause, Diagnosis};
pub use error::{FastmcpError, FastmcpResult, Right};
pub use event::{DeployedEvent, DeployedEventKind};
pub use hint::{Help, HelpPart};
pub use identity::{Component, Generation};
pub use signs::Lifetimes;
pub use task::{Delivery, DeployedQuestion, DeployedTask, Details, WorkerSeen};
pub use watch::{Filter, Means, Watching};
pub use workers::DeployedWorker;
