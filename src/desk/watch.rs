//! What happens to tasks, live, in every place; watching takes nothing away from anybody.

mod events;
mod fastmcp;
pub(crate) mod last;
mod looking;
mod open;
mod own;
mod server;
mod variables;
mod wanted;

use jiff::Timestamp;
use serde_json::Value;

use super::asked::OpenQuestion;
use super::failure::Failure;
use super::place::{Found, Place};
use super::places::Places;
use super::sought::Sought;
use super::suggest::{Advice, Suggested};
use crate::fastmcp::{DeployedTask, Filter};
use crate::store::EventFilter;
use crate::task::{Cursor, SessionId, TaskStatus};
use fastmcp::Deployed;
pub(crate) use open::Open;
use server::{Served, no_sessions};
pub(crate) use wanted::{END, NAMES, Wanted};

/// One thing that happened to a task, wherever it is.
pub(crate) struct Seen {
    /// When it was seen, or, where that is known, when it happened.
    pub(crate) at: Timestamp,
    /// The task's whole id.
    pub(crate) task: String,
    /// What it runs, where that is known.
    pub(crate) tool: Option<String>,
    /// Its status after it.
    pub(crate) status: TaskStatus,
    /// Whether its tool calls its result an error.
    pub(crate) is_tool_error: bool,
    /// Whether nobody can tell from here if its tool calls its result an error.
    pub(crate) is_success_unknown: bool,
    /// The event's word, as in JSON.
    pub(crate) name: &'static str,
    /// Whether nothing follows it for the task.
    pub(crate) is_end: bool,
    /// What happened, in words that are safe on a terminal.
    pub(crate) words: String,
    /// Which software the task is of.
    pub(crate) software: Option<String>,
    /// The question that was asked.
    pub(crate) question: Option<OpenQuestion>,
    /// All of it.
    pub(crate) object: Value,
}

/// What there is to tell of places that are followed.
pub(crate) enum Notice {
    /// Something happened.
    Event(Box<Seen>),
    /// Something is worth knowing about the following itself.
    Warning(String),
}

impl Notice {
    fn of(seen: Seen) -> Self {
        Self::Event(Box::new(seen))
    }
}

/// Whose events are wanted.
pub(crate) enum What {
    /// Everybody's.
    All,
    /// Those of one session.
    Session(SessionId),
    /// Those of one task.
    Task(Found),
}

/// How the tasks of a server are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    /// By all that can be seen of those that can be known of.
    Tasks,
    /// By its events, where it tells any: everybody's that it is willing to tell of, and only what they ask and how they end.
    Events,
}

impl Through {
    /// What brings all that is wanted, and until which event.
    pub(crate) fn of(wanted: &Wanted, until: Option<&str>) -> Self {
        let names = wanted.events.iter().map(String::as_str).chain(until);
        let is_told = |status: TaskStatus| status == TaskStatus::InputRequired || status.is_final();
        if events::tell_of(names) && wanted.status.is_none_or(is_told) { Self::Events } else { Self::Tasks }
    }
}

/// The places beside our own store, being followed.
#[derive(Default)]
pub(crate) struct Watching {
    deployed: Deployed,
    served: Served,
}

impl Watching {
    /// Begins to follow them. What can only be polled is said with `tell`.
    pub(crate) async fn begin(
        places: &Places,
        what: &What,
        through: Through,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<Self, Failure> {
        let mut watching = Self::default();
        if let What::Task(found) = what {
            match found {
                Found::Store(..) => {}
                Found::Fastmcp(deployment, task) => {
                    watching.deployed.follow_task(deployment, &task.id, tell).await?;
                }
                Found::Server(server, task) => watching.served.follow_task(server, task, tell),
            }
            return Ok(watching);
        }
        for place in places.all() {
            watching.add(place, what, through, tell).await?;
        }
        Ok(watching)
    }

    /// Begins to follow everything of one place, unless it is our own store.
    pub(crate) async fn of(place: &Place, tell: &mut (dyn FnMut(String) + Send)) -> Result<Self, Failure> {
        let mut watching = Self::default();
        watching.add(place, &What::All, Through::Tasks, tell).await?;
        Ok(watching)
    }

    async fn add(
        &mut self,
        place: &Place,
        what: &What,
        through: Through,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        match (place, what) {
            (Place::Store(_), _) => Ok(()),
            (Place::Fastmcp(deployment), What::Session(session)) => {
                self.deployed.follow(deployment, Filter::Session(session.to_string()), tell).await
            }
            (Place::Fastmcp(deployment), _) => self.deployed.follow(deployment, Filter::All, tell).await,
            (Place::Server(server), What::Session(session)) => {
                self.served.follow_session(server, session, tell).await
            }
            (Place::Server(server), _) => self.served.follow_all(server, through, tell).await,
        }
    }

    /// What was open when it began.
    pub(crate) fn open_questions(&mut self) -> Vec<Seen> {
        let mut open = self.deployed.open_questions();
        open.extend(self.served.open_questions());
        open
    }

    /// The next thing that happens; never, where nothing is followed. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Notice, Failure> {
        tokio::select! {
            biased;
            seen = self.deployed.next() => seen.map(Notice::of),
            notice = self.served.next() => notice,
        }
    }
}

impl Places {
    /// Refuses a task's id where a session is meant: nothing would ever be seen of it.
    pub(crate) async fn refuse_task(&self, session: Option<&SessionId>) -> Result<(), Failure> {
        let Some(session) = session else { return Ok(()) };
        for place in self.all() {
            if place.has_session(session).await? {
                return Ok(());
            }
        }
        let shows_sessions = self.all().iter().all(|place| !matches!(place, Place::Server(_)));
        match self.seek(session.as_str()).await {
            Ok(Sought::Task(_)) => {
                let watch = Suggested::new("watch").option("--task", session.as_str());
                let message = format!(
                    "a session's id is wanted: {:?} is none, and a task's id begins so",
                    session.as_str()
                );
                Err(Failure::usage(message).hint(Advice::command(watch, "watches the task")))
            }
            Ok(Sought::Archived(..)) | Err(_) if shows_sessions => Ok(()),
            Ok(Sought::Archived(..)) | Err(_) => Err(no_sessions(None)),
        }
    }
}

impl Place {
    /// Whether anything of that session is here, or may come. Only by events a server says which session a task is of.
    async fn has_session(&self, session: &SessionId) -> Result<bool, Failure> {
        match self {
            Self::Store(engine) => {
                let filter = EventFilter::Session(session.clone());
                let found = engine.store().history(&filter, Cursor::START, 1).await?;
                Ok(!found.events.is_empty() || !found.unreadable.is_empty())
            }
            Self::Fastmcp(deployment) => {
                let is_its = |task: &DeployedTask| task.session.as_deref() == Some(session.as_str());
                Ok(deployment.list().await?.iter().any(is_its))
            }
            Self::Server(server) => Ok(server.offers_events()),
        }
    }
}
