//! What a model is told of tasks: lists, one task, what happens to it, and a new one.

use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::calls::{Caller, Desk, MOST, left, within};
use super::shown::{self, Said};
use super::tools::{MOST_SECONDS, MOST_TASKS, USUAL_SECONDS, USUAL_TASKS};
use super::{Way, arguments};
use crate::client::Era;
use crate::desk::facts::{Fact, Facts};
use crate::desk::failure::Failure;
use crate::desk::place::{Found, Place, SERVER};
use crate::desk::places::Places;
use crate::desk::row::{Listing, Row, Sort, Wanted};
use crate::desk::selection::{counted, no_sessions};
use crate::desk::submit::{Launched, Order};
use crate::desk::watch::{Notice, Seen, Through, Watching, What};
use crate::desk::{text, time};
use crate::engine::{Watch, Watched};
use crate::store::EventFilter;
use crate::task::{Outcome, TaskStatus};

/// The most characters of a step that is told as progress.
const STEP: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filters {
    tool: Option<String>,
    session: Option<String>,
    place: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    status: Vec<TaskStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTask {
    task: String,
    timeout_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Launch {
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    session: Option<String>,
}

/// Why a watched task is shown.
enum Reason {
    Asked,
    Ended,
    TimedOut,
}

impl<W: Way> Desk<'_, W> {
    pub(super) async fn list_waiting(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        let filters: Filters = arguments::read(caller)?;
        if !filters.status.is_empty() {
            return Err(Failure::usage("status has no effect here: all of them wait for an answer"));
        }
        let filters = Filters { status: vec![TaskStatus::InputRequired], ..filters };
        let words = |count| {
            format!("{} {} for an answer.", counted(count, "task"), if count == 1 { "waits" } else { "wait" })
        };
        self.listed(filters, Sort::Waiting, words).await
    }

    pub(super) async fn list_tasks(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        self.listed(arguments::read(caller)?, Sort::Created, |count| format!("{}.", counted(count, "task")))
            .await
    }

    async fn listed(
        &self,
        filters: Filters,
        sort: Sort,
        words: impl Fn(usize) -> String,
    ) -> Result<Said, Failure> {
        let Filters { tool, session, place, limit, status } = filters;
        let most = limit.unwrap_or(USUAL_TASKS);
        if !(1..=MOST_TASKS).contains(&most) {
            return Err(Failure::usage(format!("limit is {most}: it must be 1 to {MOST_TASKS}")));
        }
        let places = self.way.places().await?;
        if let Some(place) = place.as_deref().filter(|place| !["mcptask", "fastmcp", SERVER].contains(place))
        {
            let problem = format!("place is {place:?}: it must be mcptask, fastmcp or server");
            return Err(Failure::usage(problem));
        }
        let is_meant = |one: &&Place| place.as_deref().is_none_or(|place| one.source() == place);
        let meant = Places::of(places.all().iter().filter(is_meant).cloned().collect());
        let session = arguments::session(session.as_deref())?;
        if session.is_some() && meant.all().iter().any(|place| matches!(place, Place::Server(_))) {
            return Err(no_sessions("list"));
        }
        let wanted = Wanted { session, statuses: status, tool, sort, most, ..Wanted::default() };
        let Listing { rows, has_more } = meant.list(&wanted).await?;
        let mut words = words(rows.len());
        if has_more {
            words.push_str(" There are more: limit shows more, or filter.");
        }
        if let Some(why) = places.unsearched() {
            words = format!("{words} Not all places were looked at: {}.", self.way.advise(why));
        }
        let objects: Vec<_> = rows.iter().map(|row| &row.object).collect();
        let object = json!({ "tasks": objects, "has_more": has_more });
        Ok(Said { words, lines: rows.iter().map(line).collect(), object })
    }

    pub(super) async fn show_task(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        let OfTask { task, timeout_seconds } = arguments::read(caller)?;
        if timeout_seconds.is_some() {
            return Err(Failure::usage("timeout_seconds has no effect here: watch_task waits"));
        }
        let places = self.way.places().await?;
        let facts = self.seek(&places, &task).await?.facts().await?;
        let words = stands(&facts.object);
        Ok(Said { words, lines: sheet(&facts), object: facts.object })
    }

    pub(super) async fn watch_task(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        let OfTask { task, timeout_seconds } = arguments::read(caller)?;
        let seconds = timeout_seconds.unwrap_or(USUAL_SECONDS);
        if !(1..=MOST_SECONDS).contains(&seconds) {
            return Err(Failure::usage(format!(
                "timeout_seconds is {seconds}: it must be 1 to {MOST_SECONDS}"
            )));
        }
        let find = async {
            let places = self.way.places().await?;
            let found = self.find(&places, &task).await?;
            Ok((places, found))
        };
        let (places, found) = within(MOST, find).await?;
        let reason = tokio::select! {
            biased;
            () = caller.left() => return Err(left()),
            () = tokio::time::sleep(Duration::from_secs(seconds)) => Reason::TimedOut,
            reason = until_something(caller, &places, &found) => reason?,
        };
        // What was found is as it was then.
        let facts = within(MOST, async { self.seek(&places, found.id()).await?.facts().await }).await?;
        let (reason, said) = match reason {
            Reason::Asked => ("asked", "It waits for an answer".to_owned()),
            Reason::Ended => ("ended", "It has ended".to_owned()),
            Reason::TimedOut => {
                ("timed_out", format!("Nothing ended it, and it asked nothing, within {seconds} s"))
            }
        };
        let words = format!("{said}. {}", stands(&facts.object));
        let lines = sheet(&facts);
        Ok(Said { words, lines, object: json!({ "reason": reason, "task": facts.object }) })
    }

    pub(super) async fn submit_task(&self, caller: &Caller<'_>) -> Result<Said, Failure> {
        let Launch { tool, arguments, session } = arguments::read(caller)?;
        let session = arguments::session(session.as_deref())?;
        self.way.before_changing().await?;
        let places = self.way.places().await?;
        let label = session.as_ref().map(ToString::to_string);
        let order = Order { tool: tool.clone(), arguments, session, ttl_ms: None };
        let unbegun = |failure: Failure| {
            if places.is_empty() { failure.hint(self.way.nothing_begun()) } else { failure }
        };
        let launched = places.submit(order).await.map_err(unbegun)?;
        match launched {
            Launched::Task(found) => {
                let object = json!({
                    "task": found.id(), "source": found.source(), "tool": tool, "session": label, "status": "working",
                });
                let words = format!("Task {} is launched.{}", shown::id(found.id()), remark(&found).await);
                Ok(Said { words, lines: Vec::new(), object })
            }
            Launched::Done(outcome) => Ok(done(&tool, &outcome)),
        }
    }
}

/// What is worth knowing of a task that was launched, and left.
async fn remark(found: &Found) -> &'static str {
    match found {
        Found::Server(server, _) if server.era() == Era::Legacy => {
            " Its server asks only the client that launched it, and nobody answers here: where it asks, launch it with \
             `mcptask submit --wait` at a terminal."
        }
        _ if found.unoffered_tool().await.is_some() => {
            " No worker runs its tool now: it waits until one does."
        }
        _ => "",
    }
}

fn done(tool: &str, outcome: &Outcome) -> Said {
    let mut object = json!({ "source": SERVER, "tool": tool, "status": outcome.status() });
    let line = match outcome {
        Outcome::Result(result) => {
            object["result"] = result.clone();
            crate::desk::values::of_result(result)
        }
        Outcome::Error(error) => {
            object["error"] = json!(error);
            format!("{} (code {})", error.message, error.code)
        }
    };
    let words = "Its server ran it at once: there is no task.".to_owned();
    Said { words, lines: vec![line], object }
}

/// Waits until the task asks, or has ended; tells each step meanwhile, where the caller wants to hear of them.
async fn until_something(caller: &Caller<'_>, places: &Places, found: &Found) -> Result<Reason, Failure> {
    let token = caller.context.meta.get_progress_token();
    let mut steps = match &token {
        Some(_) => Steps::begin(places, found).await?,
        None => Steps::default(),
    };
    let over =
        async { Ok(if found.until_it_asks().await?.is_some() { Reason::Asked } else { Reason::Ended }) };
    let (mut over, mut count) = (Box::pin(over), 0);
    loop {
        let step = tokio::select! {
            biased;
            over = &mut over => return over,
            step = steps.next() => step?,
        };
        if let Some(seen) = step {
            count += 1;
            tell(caller, token.as_ref(), count, &seen).await;
        }
    }
}

async fn tell(caller: &Caller<'_>, token: Option<&ProgressToken>, count: u32, seen: &Seen) {
    let Some(token) = token else { return };
    let step = ProgressNotificationParam::new(token.clone(), f64::from(count));
    let step = step.with_message(text::short(&seen.words, STEP));
    caller.tell(caller.context.peer.notify_progress(step)).await;
}

/// What happens to one task.
#[derive(Default)]
struct Steps {
    ours: Option<Watch>,
    others: Watching,
}

impl Steps {
    async fn begin(places: &Places, found: &Found) -> Result<Self, Failure> {
        let mut tell = |words: String| tracing::debug!(words, "how a task is watched");
        let others = Watching::begin(places, &What::Task(found.clone()), Through::Tasks, &mut tell).await?;
        let ours = match found {
            Found::Store(engine, id) => {
                let last = engine.last().await?;
                Some(engine.watch(EventFilter::Task(id.clone()), last).await?)
            }
            Found::Fastmcp(..) | Found::Server(..) => None,
        };
        Ok(Self { ours, others })
    }

    /// The next thing that happens; `None` for what is no step.
    async fn next(&mut self) -> Result<Option<Box<Seen>>, Failure> {
        tokio::select! {
            biased;
            ours = Watch::next_of(&mut self.ours) => match ours? {
                Watched::Event(event) => Ok(Some(Box::new(Seen::of_event(&event)))),
                Watched::Reset | Watched::Cut => Ok(None),
            },
            notice = self.others.next() => match notice? {
                Notice::Event(seen) => Ok(Some(seen)),
                Notice::Warning(_) => Ok(None),
            },
        }
    }
}

/// A task in one line.
fn line(row: &Row) -> String {
    let mut said = format!("task {}", text::line(&row.task));
    let status = row.status.map_or("unreadable", TaskStatus::as_str);
    let tool = row.tool.as_deref().map(|tool| format!("tool {}", text::line(tool)));
    let session = row.session.as_deref().map(|session| format!("session {}", text::line(session)));
    let open = row.object.get("questions").and_then(Value::as_array).into_iter().flatten();
    let open: Vec<_> = open
        .filter(|question| question.get("answer").is_none_or(Value::is_null))
        .filter_map(|question| Some(text::line(question.get("id")?.as_str()?)))
        .collect();
    let open = (!open.is_empty()).then(|| format!("open question {}", open.join(", ")));
    let since = row.waiting_since.map(|at| format!("waits since {}", time::moment(at)));
    for part in [Some(status.to_owned()), tool, session, open, since].into_iter().flatten() {
        said.push_str(", ");
        said.push_str(&part);
    }
    if row.message.is_empty() { said } else { format!("{said}: {}", row.message) }
}

/// Where a task stands, in our own words.
fn stands(task: &Value) -> String {
    let of = |name: &str| task.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = shown::id(of("task"));
    match of("status") {
        "input_required" => format!("Task {id} waits for a person's answer."),
        "working" if of("waiting_for") == "worker" => format!("Task {id} waits for a worker."),
        "working" => format!("Task {id} works."),
        "completed" => format!("Task {id} is completed."),
        "failed" => format!("Task {id} has failed."),
        "cancelled" => format!("Task {id} is cancelled."),
        _ => format!("Task {id} cannot be read."),
    }
}

/// The sheet of a task, line by line.
fn sheet(facts: &Facts) -> Vec<String> {
    let named = |name: &str, value: &str| {
        if name.is_empty() { format!("  {value}") } else { format!("{name}: {value}") }
    };
    let line = |fact: &Fact| match fact {
        Fact::Heading(words) => Some(format!("{words}:")),
        Fact::Value(name, value) => Some(named(name, value)),
        Fact::Text(words) => Some(format!("  {words}")),
        Fact::Event(seen) => Some(format!("  {} {}", time::moment(seen.at), seen.words)),
        Fact::ToolError => Some("its tool calls its result an error".to_owned()),
        Fact::Ended => Some("it has ended, and nobody can tell from here how".to_owned()),
        // The model has tools of its own, and the status is told before.
        Fact::Command(..) | Fact::Status(_) | Fact::Queued => None,
    };
    facts.lines.iter().filter_map(line).collect()
}
