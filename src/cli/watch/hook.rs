//! `--exec`: a command that is run for each event.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::webhook::Webhook;
use crate::cli::config::StoreChoice;
use crate::cli::context::Context;
use crate::cli::environment::{DB, NAMESPACE, PROFILE, REDIS_URL};
use crate::cli::remote::RemoteArgs;
use crate::cli::ui::{event, text};
use crate::desk::watch::Seen;

/// How long events wait for a command before that is said. It is not ended: only who wrote it knows how long it may take.
const LONG: Duration = Duration::from_secs(60);

/// A command of the user's, run by the shell. The event is in its environment and on its stdin, never in its text.
pub(crate) struct Hook {
    command: String,
    /// How many run at once.
    most: usize,
    /// Where the same tasks are.
    place: Vec<(&'static str, String)>,
    running: JoinSet<Ran>,
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
            webhook.finish().await;
        }
    }
}

/// What it was run for, and how it ended.
struct Ran {
    event: String,
    ended: std::io::Result<ExitStatus>,
}

impl Hook {
    /// A command of which so many run at once.
    pub(crate) fn new(context: &Context, remote: &RemoteArgs, (command, most): (&str, usize)) -> Self {
        let (command, place) = (command.to_owned(), place(context, remote));
        Self { command, most: most.max(1), place, running: JoinSet::new() }
    }

    /// Runs it for an event, as soon as fewer run than may: events wait in their log meanwhile. Where it cannot be run,
    /// that is said, and watching goes on.
    pub(crate) async fn run(&mut self, context: &Context, seen: &Seen) {
        while let Some(ran) = self.running.try_join_next() {
            tell(context, ran);
        }
        while self.running.len() >= self.most {
            self.until_one_ended(context).await;
        }
        let (name, line) = (named(seen), seen.object.to_string());
        match self.start(context, seen) {
            Ok(child) => {
                self.running.spawn(async move { Ran { event: name, ended: until_ended(child, line).await } });
            }
            Err(error) => tell(context, Ok(Ran { event: name, ended: Err(error) })),
        }
    }

    fn start(&self, context: &Context, seen: &Seen) -> std::io::Result<Child> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped()).kill_on_drop(true);
        command.envs(self.place.iter().map(|(name, value)| (name, value)));
        command.envs(seen.variables());
        if context.ui.is_json() {
            // Nothing of it may come between the objects.
            command.stdout(std::io::stderr());
        }
        command.spawn()
    }

    /// Waits for those that still run.
    pub(crate) async fn finish(&mut self, context: &Context) {
        while !self.running.is_empty() {
            self.until_one_ended(context).await;
        }
    }

    async fn until_one_ended(&mut self, context: &Context) {
        let soon = timeout(LONG, self.running.join_next()).await;
        let ran = if let Ok(ran) = soon {
            ran
        } else {
            context.ui.warn(&format!(
                "the command of --exec has been running for {} s; events wait for it, and --parallel N runs more at once",
                LONG.as_secs()
            ));
            self.running.join_next().await
        };
        if let Some(ran) = ran {
            tell(context, ran);
        }
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

fn named(seen: &Seen) -> String {
    format!("{} of task {}", seen.name, text::line(event::short(&seen.task)))
}

/// Hands the event over and waits for the end. A command that does not read it is none the worse for it.
async fn until_ended(mut child: Child, line: String) -> std::io::Result<ExitStatus> {
    let stdin = child.stdin.take();
    let hand_over = async {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(line.as_bytes()).await;
            let _ = stdin.write_all(b"\n").await;
        }
    };
    tokio::select! {
        biased;
        ended = child.wait() => return ended,
        () = hand_over => {}
    }
    child.wait().await
}

/// Says so where it failed. Watching goes on.
fn tell(context: &Context, ran: Result<Ran, tokio::task::JoinError>) {
    let Ok(Ran { event, ended }) = ran else { return };
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => context.ui.warn(&format!("the command of --exec for {event} ended with {status}")),
        Err(error) => {
            context.ui.warn(&format!("the command of --exec for {event} could not be run: {error}"));
        }
    }
}
