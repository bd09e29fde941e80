//! `notify`: who is told of what happens, and what could not be told.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Cell, Column, Paint, event, table_of, text, time};
use super::{notifying, offer};
use crate::config;
use crate::desk::notifiers::{self, Notifier, event_of};
use crate::desk::suggest::{Advice, Suggested};
use crate::notify::{Channel, Notice};
use crate::store::notifiers::Delivery;
use crate::task::{TaskId, TaskStatus};

/// How notifiers are written, for the help.
const FORMAT: &str = "\
Notifiers, in the file of tools that `serve` and `worker` read (mcptask.toml); one process runs each, whoever dies:
  [[notify]]
  name = \"phone\"                       # by it the store knows what was told
  on = [\"asked\", \"failed\", \"unanswered\"]
  after = \"10m\"                        # of unanswered: how long a question has waited
  tool = \"deploy*\"                     # or a list; likewise session
  webhook = \"https://hooks.example.com/x\"  # or { env = \"NAME\" }, { file = \"PATH\" }; or exec = [\"program\", …]
  format = \"standard\"                  # or slack, teams, ntfy, or a template such as \"{{ tool }}: {{ message }}\"
  secret = { env = \"HOOK_SECRET\" }     # signs, as Standard Webhooks says; or { file = \"PATH\" }
  headers = { Authorization = { env = \"TOKEN\" } }";

/// List who is told of what happens, and what could not be told; send that again; try a notifier
///
/// `list` shows each notifier that a server has run on the store: who runs it, how far behind the log it is, what waits for
/// another try, and what was given up after a day or refused. `retry` sends that again, within seconds where a server runs.
/// `test` sends one notice from here and says what came back. `forget` forgets a notifier that nobody runs.
#[derive(Debug, Args)]
#[command(after_long_help = FORMAT)]
pub(crate) struct NotifyArgs {
    /// What to do
    #[arg(value_enum, value_name = "WHAT", default_value_t)]
    what: What,
    /// The notifier's name; for `retry` also a notice's id, or its beginning; several of them
    #[arg(value_name = "NAME|ID")]
    about: Vec<String>,
    /// For `retry`: all that was given up or waits for another try
    #[arg(long)]
    all: bool,
    /// For `test`: the file that has the notifier [default: mcptask.toml of the working directory]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum What {
    /// Show the notifiers of the store.
    #[default]
    List,
    /// Send again what was given up.
    Retry,
    /// Send one notice now.
    Test,
    /// Forget a notifier that nobody runs.
    Forget,
}

pub(crate) async fn run(context: &Context, args: NotifyArgs) -> Result<(), Failure> {
    args.check()?;
    if args.what == What::Test {
        return test(context, &args).await;
    }
    if args.what != What::List {
        context.before_changing(&args.remote).await?;
    }
    places::at(context, &args.remote, false, async |places| {
        let Some(engine) = notifiers::own(places)? else {
            context.ui.talk(&format!("no notifiers; {}", context.nothing_begun()));
            return Ok(());
        };
        match (args.what, args.about.first()) {
            (What::Retry, _) => {
                let named = (!args.all).then_some(&args.about[..]);
                retried(context, context.asking(notifiers::retry(&engine, named)).await?)
            }
            (What::Forget, Some(name)) => {
                context.asking(notifiers::forget(&engine, name)).await?;
                if context.ui.is_json() {
                    return context.ui.object(&json!({ "notifier": name, "forgotten": true }));
                }
                context.ui.talk(&format!("the notifier {} is forgotten", text::line(name)));
                Ok(())
            }
            _ => list(context, &context.asking(notifiers::all(&engine)).await?),
        }
    })
    .await
}

impl NotifyArgs {
    /// Refuses what does not go together.
    fn check(&self) -> Result<(), Failure> {
        let count = self.about.len();
        let problem = match self.what {
            What::List if count > 0 => "list takes no name: it lists all",
            What::Retry if (count == 0) != self.all => {
                "give retry names of notifiers or ids of notices, or --all"
            }
            What::Test | What::Forget if count != 1 => "give the name of one notifier",
            What::List | What::Test | What::Forget if self.all => "--all is of retry",
            What::List | What::Retry | What::Forget if self.config.is_some() => "--config is of test",
            _ => return Ok(()),
        };
        Err(Failure::usage(problem))
    }
}

const COLUMNS: [Cell<Notifier>; 5] = [
    (Column::within("NOTIFIER", 40, Column::STAYS), |one, _, _| text::line(&one.info.name)),
    (Column::within("RUN BY", 34, 3), |one, _, paint| {
        if one.info.is_run() { text::line(&one.info.about) } else { paint.red("nobody") }
    }),
    (Column::within("BEHIND", 8, 2), |one, _, _| counted(one.behind)),
    (Column::within("WAITING", 8, 4), |one, _, _| counted(one.waiting.len())),
    (Column::within("GIVEN UP", 9, 5), given_up),
];

fn counted(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn given_up(one: &Notifier, _: Timestamp, paint: Paint) -> String {
    if one.set_aside.is_empty() { String::new() } else { paint.red(&one.set_aside.len().to_string()) }
}

fn list(context: &Context, all: &[Notifier]) -> Result<(), Failure> {
    let ui = &context.ui;
    if ui.is_json() {
        let objects =
            all.iter().map(Notifier::object).chain(all.iter().flat_map(Notifier::undelivered_objects));
        return objects.collect::<Vec<_>>().iter().try_for_each(|object| ui.object(object));
    }
    if all.is_empty() {
        context.tell(
            Advice::command(Suggested::new("notify").flag("--help"), "shows how one is written")
                .after("no notifiers; "),
        );
        return Ok(());
    }
    let now = Timestamp::now();
    let last = |one: &Notifier| (went(one, now), false);
    table_of(ui, all, COLUMNS, (Column::new("LAST"), last)).iter().try_for_each(|line| ui.line(line))?;
    let named = |one: &Notifier, delivery: &Delivery| (one.info.name.clone(), delivery.clone());
    let undelivered =
        all.iter().flat_map(|one| one.undelivered().map(move |(delivery, _)| named(one, delivery)));
    let undelivered: Vec<Undelivered> = undelivered.take(MOST).collect();
    if undelivered.is_empty() {
        return Ok(());
    }
    ui.line("")?;
    let problem = |one: &Undelivered| (text::sentence(one.1.problem.as_deref().unwrap_or_default()), false);
    let lines = table_of(ui, &undelivered, UNDELIVERED, (Column::new("PROBLEM"), problem));
    lines.iter().try_for_each(|line| ui.line(line))?;
    context.tell(Advice::command(Suggested::new("notify").about("retry").flag("--all"), "sends them again"));
    Ok(())
}

/// Undelivered notices that are shown to people.
const MOST: usize = 50;

/// A notice that was not taken, and its notifier.
type Undelivered = (String, Delivery);

const UNDELIVERED: [Cell<Undelivered>; 6] = [
    (Column::within("NOTICE", 40, Column::STAYS), |(_, one), _, _| text::line(&one.id)),
    (Column::within("NOTIFIER", 30, 4), |(name, _), _, _| text::line(name)),
    (Column::within("TASK", 12, 5), |(_, one), _, _| text::line(event::short(one.task.as_str()))),
    (Column::within("EVENT", 12, 3), |(_, one), _, _| text::line(event_of(one))),
    (Column::within("TRIES", 6, 2), |(_, one), _, _| one.tries.to_string()),
    (Column::within("NEXT TRY", 12, 1), |(_, one), now, _| {
        one.next_try.map(|at| time::relative(at, now)).unwrap_or_default()
    }),
];

/// How a notifier's deliveries went.
fn went(one: &Notifier, now: Timestamp) -> String {
    let status = &one.info.status;
    match (&status.problem, status.failing_since, status.delivered_at) {
        (Some(problem), Some(since), _) => {
            format!("fails since {}: {}", time::relative(since, now), text::sentence(problem))
        }
        (_, _, Some(at)) => format!("taken {}", time::relative(at, now)),
        _ => "nothing yet".to_owned(),
    }
}

fn retried(context: &Context, count: u64) -> Result<(), Failure> {
    if context.ui.is_json() {
        context.ui.object(&json!({ "retried": count }))?;
    }
    if count == 0 {
        return Err(Failure::new(Kind::NothingChanged, "there is nothing to send again"));
    }
    let notices = if count == 1 { "one notice is".to_owned() } else { format!("{count} notices are") };
    context.ui.talk(&format!("{notices} sent again, as soon as a server that runs the notifier looks"));
    Ok(())
}

/// Sends one notice from here.
async fn test(context: &Context, args: &NotifyArgs) -> Result<(), Failure> {
    if args.remote.names_a_server() {
        return Err(Failure::usage("notify test sends from here: it goes through no server"));
    }
    let name = args.about.first().map(String::as_str).unwrap_or_default();
    let channel = named(context, args.config.as_deref().unwrap_or(Path::new(config::FILE)), name)?;
    let (task, at) = (TaskId::generate(), Timestamp::now());
    let id = format!("msg_test_{}", task.as_str());
    let sent = channel.send(&id, &Notice::test(&task, TaskStatus::Completed, at)).await;
    if context.ui.is_json() {
        let problem = sent.as_ref().err().map(|failed| failed.problem.as_str());
        let object = json!({
            "notifier": name, "notice": id, "taken": sent.is_ok(), "said": sent.as_ref().ok(), "problem": problem,
        });
        context.ui.object(&object)?;
    }
    match sent {
        Ok(said) => context.ui.talk(&format!("{} took it: {}", channel.shown(), text::sentence(&said))),
        Err(failed) => {
            let message = format!("{} did not take it: {}", channel.shown(), text::sentence(&failed.problem));
            return Err(Failure::new(Kind::Unreachable, message));
        }
    }
    Ok(())
}

/// How the notifier of that name tells.
fn named(context: &Context, file: &Path, name: &str) -> Result<Channel, Failure> {
    let config = offer::load(file)?;
    let Some(notifier) = config.notifiers().iter().find(|one| one.name == name) else {
        let all: Vec<&str> = config.notifiers().iter().map(|one| one.name.as_str()).collect();
        let has = if all.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", text::line(&all.join(", ")))
        };
        let message = format!("{} has no notifier {name:?}", file.display());
        return Err(Failure::new(Kind::NotFound, message).hint(has));
    };
    notifying::channel(notifier, &context.environment)
}
