//! Background tasks of the Model Context Protocol (MCP) that can ask their user, and the tools to run, watch
//! and answer them. The binary `mcptask` is a thin shell around this library; this page is the architecture.
//!
//! # The way of a question
//!
//! ```text
//!                       ┌────────────── store (Redis | SQLite) ───────────────┐
//!  submit ─▶ server ─▶ engine ─▶ submit │  tasks · journal · ready queue · event log          │
//!                       └───────▲──────────────────────────────┬──────────────┘
//!  worker ◀─ claim ─────────────┘                              │ events: one tail per process
//!    tool runs ─ ask ─▶ engine ─▶ store.ask ─▶ event `asked` ──┤
//!                                                              ├─▶ relay ─▶ elicitation/create ─▶ client
//!  client's answer ─▶ relay | tasks/update | respond ─▶ engine.answer ─▶ store.answer ─▶ event `answered`
//!    worker wakes ◀────────────────────────────────────────────┘
//!  watch ◀─ the same log, from any cursor, taking nothing from anybody
//! ```
//!
//! A question lives in its task's state, not in a connection. Three answerers can answer it: the legacy
//! client through the relay, the modern client through `tasks/update`, and an operator through `respond`.
//! All three end in one verb, [`store::Store::answer`], which takes the first answer and tells the others
//! who was first.
//!
//! # Layers
//!
//! Each verb keeps its name through every layer: `submit`, `claim`, `report`, `ask`, `answer`, `finish`,
//! `cancel`, `requeue`, `expire`. Only the command line says `respond` for `answer`.
//!
//! - [`task`]: the domain. Ids, the task and its statuses, questions and forms, answers, events.
//! - [`form`]: a question's schema read into fields, text turned into values and back, and the check of an answer.
//! - [`store`]: one trait, two engines. Each verb is one atomic transition plus its event.
//! - [`engine`]: the rules over a store, and one tail of the log per process that wakes everybody who waits.
//! - [`worker`]: claims tasks and runs tools. A task that waits for a person gives its slot back.
//! - [`relay`]: questions of legacy sessions, put to their clients and withdrawn when others answered.
//! - [`server`]: both eras of the protocol, on HTTP and on stdio.
//! - [`ask`]: how a command that runs as a tool asks its worker, over a private socket.
//! - [`fastmcp`]: FastMCP's tasks, read and answered straight from their Redis; knows only the domain.
//! - `events_extension`: the words and codes of the Events extension, for the server and the client.
//! - [`config`]: tools from `mcptask.toml`, every mistake with its place.
//! - `rules`: rules that answer questions; one function decides, and what it cannot decide is left to people.
//! - `notify`: tells people of events, by webhooks and programs.
//! - [`certificate`]: what is wrong with a certificate that is not taken.
//! - [`client`]: speaks MCP to any server, in both eras; knows only the domain.
//! - `desk`: what an operator sees and does, whatever the face: so far, the commands that are suggested.
//! - `tui`: a question in the terminal, one screen.
//! - `bounded_lines`: lines of strangers over stdio, for `server` and `host`.
//! - `host`: the desk as an MCP server, for hosts with a model.
//! - [`web`]: a question in the browser, one page, for whoever has its link.
//! - [`cli`]: the commands, and the only road to the terminal.
//!
//! ARCHITECTURE.md, beside the README, has the promises, the keys, the limits and the reasons.

pub mod ask;
mod bounded_lines;
pub mod certificate;
pub mod cli;
pub mod client;
pub mod config;
mod desk;
pub mod engine;
mod events_extension;
pub mod fastmcp;
pub mod form;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod json;
mod notify;
mod process_group;
mod redis_link;
pub mod relay;
mod rules;
pub mod server;
pub mod store;
pub mod task;
mod tui;
pub mod web;
pub mod worker;
