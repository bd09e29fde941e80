//! `--exec`: a command that is run for each event.

use std::collections::{HashSet, VecDeque};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::webhook::Webhook;
use crate::cli::config::StoreChoice;
use crate::cli::context::Context;
use crate::cli::environment::{DB, NAMESPACE, PROFILE, REDIS_URL};
use crate::cli::remote::RemoteArgs;
use crate::cli::ui::{event, text};
use crate::desk::watch::Seen;
use crate::process_group::command::{Group, variable};

/// The most bytes of events that wait for their command; beyond them further events wait in their log.
const MOST_WAITING: usize = 4 * 1024 * 1024;

/// How a command of the user's is run.
pub(crate) struct Manner<'a> {
    /// Its text, for the shell.
    pub(crate) command: &'a str,
    /// How many run at once.
    pub(crate) most: usize,
    /// How long one may take.
    pub(crate) limit: Duration,
}

/// A command of the user's, run by the shell. The event is in its environment and on its stdin, never in its text.
pub(crate) struct Hook {
    command: String,
    most: usize,
    limit: Duration,
    /// Where the same tasks are.
    place: Vec<(&'static str, String)>,
    /// Events whose command has not begun, and their bytes.
    waiting: VecDeque<Job>,
    waiting_bytes: usize,
    /// The tasks for which a command runs: of one task they run in the order of its events.
    busy: HashSet<String>,
    running: JoinSet<Ran>,
}

/// An event, as a command gets it.
struct Job {
    task: String,
    event: String,
    variables: Vec<(&'static str, String)>,
    line: String,
}

/// What is done for each event beside printing it.
#[derive(Default)]
pub(crate) struct Hooks {
    /// A command is run.
    pub(crate) exec: Option<Hook>,
    /// It is posted.
    pub(crate) webhook: Option<Webhook>,
}

impl Hooks {
    /// Does it for one.
    pub(crate) async fn run(&mut self, context: &Context, seen: &Seen) {
        if let Some(webhook) = &mut self.webhook {
            webhook.post(context, seen).await;
        }
        if let Some(hook) = &mut self.exec {
            hook.run(context, seen).await;
        }
    }

    /// Waits for what is still being done.
    pub(crate) async fn finish(&mut self, context: &Context) {
        if let Some(hook) = &mut self.exec {
            hook.finish(context).await;
        }
        if let Some(webhook) = &mut self.webhook {
            webhook.finish(&context.ui).await;
        }
    }
}

/// What it was run for, and how it ended.
struct Ran {
    task: String,
    event: String,
    ended: std::io::Result<Ended>,
}

enum Ended {
    Itself(ExitStatus),
    /// It took too long.
    Stopped,
}

impl Job {
    fn of(seen: &Seen) -> Self {
        let event = format!("{} of task {}", seen.name, text::line(event::short(&seen.task)));
        let variables = seen.variables().into_iter().map(|(name, value)| (name, variable(&value))).collect();
        Self { task: seen.task.clone(), event, variables, line: seen.object.to_string() }
    }

    fn bytes(&self) -> usize {
        self.line.len() + self.variables.iter().map(|(_, value)| value.len()).sum::<usize>()
    }
}

impl Hook {
    /// That command.
    pub(crate) fn new(context: &Context, remote: &RemoteArgs, manner: &Manner<'_>) -> Self {
        Self {
            command: manner.command.to_owned(),
            most: manner.most.max(1),
            limit: manner.limit,
            place: place(context, remote),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            busy: HashSet::new(),
            running: JoinSet::new(),
        }
    }

    /// Runs it for an event, as soon as fewer run than may and none for the same task. Watching goes on meanwhile. Where it
    /// cannot be run, that is said.
    pub(crate) async fn run(&mut self, context: &Context, seen: &Seen) {
        let job = Job::of(seen);
        self.waiting_bytes += job.bytes();
        self.waiting.push_back(job);
        self.begin(context);
        while self.waiting_bytes > MOST_WAITING {
            self.until_one_ended(context).await;
        }
    }

    /// Begins whatever may begin.
    fn begin(&mut self, context: &Context) {
        while self.running.len() < self.most {
            let Some(at) = self.waiting.iter().position(|job| !self.busy.contains(&job.task)) else { return };
            let Some(job) = self.waiting.remove(at) else { return };
            self.waiting_bytes -= job.bytes();
            match self.start(context, &job) {
                Ok(child) => {
                    self.busy.insert(job.task.clone());
                    let limit = self.limit;
                    self.running.spawn(async move {
                        let ended = until_ended(child, &job.line, limit).await;
                        Ran { task: job.task, event: job.event, ended }
                    });
                }
                Err(error) => {
                    self.tell(context, &Ran { task: job.task, event: job.event, ended: Err(error) });
                }
            }
        }
    }

    fn start(&self, context: &Context, job: &Job) -> std::io::Result<Child> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped()).kill_on_drop(true).process_group(0);
        command.envs(self.place.iter().map(|(name, value)| (name, value)));
        command.envs(job.variables.iter().map(|(name, value)| (name, value)));
        if context.ui.is_json() {
            // Nothing of it may come between the objects.
            command.stdout(std::io::stderr());
        }
        command.spawn()
    }

    /// Waits for those that run and that are still to run.
    pub(crate) async fn finish(&mut self, context: &Context) {
        while !self.running.is_empty() {
            self.until_one_ended(context).await;
        }
    }

    /// Waits until a command has ended, and lets the next one begin; for ever where none runs.
    pub(crate) async fn turn(hook: &mut Option<Self>, context: &Context) {
        match hook {
            Some(hook) if !hook.running.is_empty() => hook.until_one_ended(context).await,
            _ => std::future::pending().await,
        }
    }

    async fn until_one_ended(&mut self, context: &Context) {
        if let Some(Ok(ran)) = self.running.join_next().await {
            self.busy.remove(&ran.task);
            self.tell(context, &ran);
        }
        self.begin(context);
    }

    /// Says so where it failed. Watching goes on.
    fn tell(&self, context: &Context, ran: &Ran) {
        let Ran { event, ended, .. } = ran;
        let how = match ended {
            Ok(Ended::Itself(status)) if status.success() => return,
            Ok(Ended::Itself(status)) => format!("ended with {status}"),
            Ok(Ended::Stopped) => {
                format!("was stopped after {:?}; --exec-timeout gives it longer", self.limit)
            }
            Err(error) => format!("could not be run: {error}"),
        };
        context.ui.warn(&format!("the command of --exec for {event} {how}"));
    }
}

/// Variables by which commands of ours reach the same tasks, and none by which they would reach others'. A server that
/// the line names has none, one of a profile has the profile's.
fn place(context: &Context, remote: &RemoteArgs) -> Vec<(&'static str, String)> {
    let none = |name| (name, String::new());
    if context.goes_through_server() {
        let profile = match (remote.shown(), &context.config.profile_flag) {
            (Some(_), _) => Some(none(PROFILE)),
            (None, named) => named.clone().map(|name| (PROFILE, name)),
        };
        return [REDIS_URL, DB, NAMESPACE].map(none).into_iter().chain(profile).collect();
    }
    let store = match &context.config.store {
        StoreChoice::Redis(url) => [(REDIS_URL, url.clone()), none(DB)],
        StoreChoice::Sqlite(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            [(DB, path.to_string_lossy().into_owned()), none(REDIS_URL)]
        }
        StoreChoice::Nowhere => return Vec::new(),
    };
    store.into_iter().chain([(NAMESPACE, context.config.namespace.clone())]).collect()
}

/// Hands the event over and waits for the end. A command that takes too long is stopped with all that it has started.
async fn until_ended(child: Child, line: &str, limit: Duration) -> std::io::Result<Ended> {
    let mut group = Group::of(child)?;
    if let Ok(ended) = tokio::time::timeout(limit, group.told(line)).await {
        group.leave();
        ended.map(Ended::Itself)
    } else {
        group.end().await;
        Ok(Ended::Stopped)
    }
}
