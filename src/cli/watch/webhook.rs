//! `--webhook`: each event is posted, for as long as somebody watches.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::ui::{Ui, event, text};
use crate::desk::watch::Seen;
use crate::notify::{Asked, Channel, Format, Notice, Notifier, Source, Target, Wanted};
use crate::task::TaskId;

/// Events that wait for those before them; further ones wait in their log.
const MOST_WAITING: usize = 100;

/// The pauses before an event is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How long the end waits for what is still being posted.
const ENDS: Duration = Duration::from_secs(30);

/// Posts events one after the other, so that they keep their order.
pub(crate) struct Webhook {
    events: Option<mpsc::Sender<(String, Notice)>>,
    posting: JoinHandle<()>,
    /// Where they are posted, for people.
    shown: String,
}

impl Webhook {
    /// To that address, signed with what the variable of that name holds.
    pub(crate) fn begin(context: &Context, url: &str, secret: Option<&str>) -> Result<Self, Failure> {
        let target = Target::Webhook {
            url: Source::Text(url.to_owned()),
            format: Format::Standard,
            secret: secret.map(|name| Source::Variable(name.to_owned())),
            headers: Vec::new(),
        };
        let notifier = Notifier { name: "watch".to_owned(), wanted: Wanted::default(), target };
        let variable = |name: &str| context.environment.get(name).map(str::to_owned);
        let channel = Channel::open(&notifier, variable)
            .map_err(|problem| Failure::usage(format!("--webhook cannot be used: {problem}")))?;
        let (events, waiting) = mpsc::channel(MOST_WAITING);
        let shown = channel.shown();
        let posting = tokio::spawn(post_all(channel, waiting, context.ui.clone()));
        Ok(Self { events: Some(events), posting, shown })
    }

    /// Has an event posted when those before it were.
    pub(crate) async fn post(&mut self, context: &Context, seen: &Seen) {
        let Some(events) = &self.events else { return };
        let notice = notice(context, seen);
        let cursor = seen.object["cursor"].as_str().map_or_else(|| seen.at.to_string(), str::to_owned);
        // An error only means that the end has begun.
        let _ = events.send((notice.id("watch", &cursor), notice)).await;
    }

    /// Waits for what is still being posted; says so where that takes too long.
    pub(crate) async fn finish(&mut self, ui: &Ui) {
        self.events = None;
        if tokio::time::timeout(ENDS, &mut self.posting).await.is_err() {
            self.posting.abort();
            let seconds = ENDS.as_secs();
            ui.warn(&format!("the last events were not taken by {} within {seconds} s", self.shown));
        }
    }
}

/// Posts each until it is taken, or was tried often enough, which is told.
async fn post_all(channel: Channel, mut waiting: mpsc::Receiver<(String, Notice)>, ui: Ui) {
    while let Some((id, notice)) = waiting.recv().await {
        let mut sent = channel.send(&id, &notice).await;
        for pause in PAUSES {
            if !sent.as_ref().is_err_and(|failed| failed.is_passing) {
                break;
            }
            tokio::time::sleep(pause).await;
            sent = channel.send(&id, &notice).await;
        }
        if let Err(failed) = sent {
            let (task, problem) = (text::line(event::short(&notice.task)), text::sentence(&failed.problem));
            ui.warn(&format!(
                "{} of task {task} was not taken by {}: {problem}",
                notice.event,
                channel.shown()
            ));
        }
    }
}

/// What is told of an event, wherever its task is.
fn notice(context: &Context, seen: &Seen) -> Notice {
    let text =
        |pointer: &str| seen.object.pointer(pointer).and_then(serde_json::Value::as_str).map(str::to_owned);
    let ways = crate::cli::notifying::ways(context.reach());
    let asked = seen.question.as_ref().map(|question| {
        let asked = &question.asked;
        Asked::open(&question.id, &asked.ask, asked.asked_at, asked.deadline)
    });
    // A task of somebody else's may have an id that is none of ours.
    let command = seen
        .task
        .parse::<TaskId>()
        .ok()
        .map(|task| (ways.command)(&task, seen.question.as_ref().map(|question| question.id.as_str())));
    let source = text("/source");
    let bare = Notice::new(seen.name, (&seen.task, seen.status), seen.at);
    Notice {
        source: source.unwrap_or_else(|| bare.source.clone()),
        tool: seen.tool.clone(),
        session: text("/session"),
        question: asked.or_else(|| text("/question").map(Asked::id)),
        action: text("/action"),
        by: text("/by"),
        who: text("/who/name"),
        text: ["/message", "/note", "/reason"].into_iter().find_map(text),
        is_error: seen.is_tool_error,
        command,
        ..bare
    }
}
