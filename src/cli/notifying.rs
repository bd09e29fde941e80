//! The notifiers of a file, while `serve` and `worker` run: SIGHUP reads the file again.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::environment::{self, Environment};
use super::failure::{Failure, Kind};
use super::offer::OfferArgs;
use super::signals;
use crate::desk::suggest::{Reach, Suggested};
use crate::engine::Engine;
use crate::notify::{Channel, MakeLink, Notifier, Runner, Ways, run};
use crate::task::{QuestionId, TaskId};
use crate::web::PublicUrl;

/// What notifiers run with, whichever the file names.
#[derive(Clone)]
struct Surroundings {
    engine: Engine,
    ways: Ways,
    about: String,
    offer: OfferArgs,
    environment: Environment,
}

/// The notifiers of a file, each with how it tells; a failure where something of theirs is missing.
pub(super) fn open(
    notifiers: Vec<Notifier>,
    environment: &Environment,
) -> Result<Vec<(Notifier, Channel)>, Failure> {
    notifiers
        .into_iter()
        .map(|notifier| channel(&notifier, environment).map(|channel| (notifier, channel)))
        .collect()
}

/// How a notifier tells.
pub(super) fn channel(notifier: &Notifier, environment: &Environment) -> Result<Channel, Failure> {
    let variable = |name: &str| environment.get(name).map(str::to_owned);
    Channel::open(notifier, variable).map_err(|problem| {
        Failure::usage(format!("the notifier {:?} cannot be used: {problem}", notifier.name))
    })
}

/// Begins to tell, if the file says whom, until `stop`.
pub(super) fn begin(
    (context, offer, public): (&Context, &OfferArgs, Option<&PublicUrl>),
    notifiers: Vec<(Notifier, Channel)>,
    engine: &Engine,
    (parts, stop): (&TaskTracker, &CancellationToken),
) -> Result<(), Failure> {
    let surroundings = Surroundings {
        engine: engine.clone(),
        ways: Ways { links: public.map(|public| links(engine, public)), ..ways(context.reach()) },
        about: about(),
        offer: offer.clone(),
        environment: context.environment.clone(),
    };
    // One at a time: the next file waits until the one before it is taken up.
    let (renewed, files) = mpsc::channel(1);
    parts.spawn(tell(surroundings.clone(), notifiers, files, stop.clone()));
    let ui = context.ui.clone();
    signals::on_hangup(parts, stop, move || {
        let (surroundings, ui, renewed) = (surroundings.clone(), ui.clone(), renewed.clone());
        async move {
            match read_again(&surroundings).await {
                Ok(notifiers) => {
                    let count = notifiers.len();
                    if renewed.send(notifiers).await.is_ok() && count > 0 {
                        ui.talk(&format!("read the notifiers again: {count} of them"));
                    }
                }
                Err(failure) => signals::tell_kept(&ui, &failure, "the notifiers are"),
            }
        }
    })
}

async fn read_again(surroundings: &Surroundings) -> Result<Vec<(Notifier, Channel)>, Failure> {
    let (offer, environment) = (surroundings.offer.clone(), surroundings.environment.clone());
    // A file may be large, or a pipe that nobody writes to.
    tokio::task::spawn_blocking(move || open(offer.read()?.notifiers, &environment)).await.map_err(
        |error| Failure::caused(Kind::Unexpected, "the file of notifiers could not be read", error),
    )?
}

/// Runs the notifiers, and those of each further file in place of those before.
async fn tell(
    surroundings: Surroundings,
    mut notifiers: Vec<(Notifier, Channel)>,
    mut files: mpsc::Receiver<Vec<(Notifier, Channel)>>,
    stop: CancellationToken,
) {
    loop {
        let (turn, running) = (stop.child_token(), TaskTracker::new());
        for (notifier, channel) in notifiers {
            let named = (notifier.name, notifier.wanted);
            let process = (surroundings.about.as_str(), surroundings.offer.lease());
            let runner = Runner::new((&surroundings.engine, &surroundings.ways), named, channel, process);
            running.spawn(run(runner, turn.clone()));
        }
        running.close();
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            next = files.recv() => next,
        };
        turn.cancel();
        running.wait().await;
        match next {
            Some(next) => notifiers = next,
            None => return,
        }
    }
}

/// This machine and process.
fn about() -> String {
    let (host, process) = (environment::host(), std::process::id());
    if host.is_empty() { format!("process {process}") } else { format!("{host}, process {process}") }
}

/// The commands that a notice names reach the same tasks as those that this process suggests.
pub(super) fn ways(reach: &Reach) -> Ways {
    let reach = reach.clone();
    let command = move |task: &TaskId, question: Option<&str>| {
        let suggested = match question {
            Some(question) => Suggested::new("respond").about(task.as_str()).question(question),
            None => Suggested::new("show").about(task.as_str()),
        };
        suggested.at(&reach).to_string()
    };
    Ways { command: Arc::new(command), links: None }
}

/// Links to pages that people reach under a public URL.
struct PageLinks {
    engine: Engine,
    public: PublicUrl,
    made_by: String,
}

fn links(engine: &Engine, public: &PublicUrl) -> Arc<dyn MakeLink> {
    let made_by = format!("notifier on {}", about());
    Arc::new(PageLinks { engine: engine.clone(), public: public.clone(), made_by })
}

#[async_trait]
impl MakeLink for PageLinks {
    async fn link(&self, task: &TaskId, question: &QuestionId) -> Option<String> {
        match self.engine.make_link((task, question), None, &self.made_by).await {
            Ok(token) => Some(self.public.question(token.reveal())),
            Err(error) => {
                // It names the command all the same.
                tracing::debug!(%error, "a notice goes without a link");
                None
            }
        }
    }
}
