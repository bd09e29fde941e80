//! `respond --rules`: answers questions by the rules of a file.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::rules_file::{ReadAgain, RulesFile};
use super::ui::{event, text};
use super::{places, watch};
use crate::desk::place::Found;
use crate::desk::places::Places;
use crate::desk::ruling::{Ruled, Ruling};
use crate::desk::values::action_in_words;
use crate::desk::watch::{Notice, Seen, Through, Watching, What};
use crate::engine::{Engine, EngineError, Viewer, Watch, Watched};
use crate::fastmcp::Way;
use crate::rules::{Decision, Rules, Verdict};
use crate::store::{EventFilter, StoreError};
use crate::task::{Answer, Ask, Event, EventKind};

/// Questions that are remembered as looked at: one may be met twice, in the log and among those that wait.
const REMEMBERED: usize = 10_000;

/// How rules answer.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "By rules")]
pub(crate) struct RulesArgs {
    /// Answer every question that waits, or those of TASK, as the rules of this file say; the first that matches decides
    ///
    /// Each [[rule]] has a name, which is kept as who answered. It is about the questions of a `tool`, a `session`, with a
    /// `message` (a regular expression) and `when` (an expression over args, task and question), as far as it names them;
    /// it says `accept = { field = value }`, `decline = true`, `cancel = true` or `leave = true`, and `url = true` where it
    /// may accept pages. What no rule is about, and what a rule's answer does not fit, is left to people.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["next", "question", "wait", "accept", "set", "reply", "name", "note"])]
    rules: Option<PathBuf>,
    /// With --rules: go on with what is asked from now on, until Ctrl-C; the file is read again when it changes
    ///
    /// It is looked at each second, and at SIGHUP. One with mistakes leaves the rules in force that were.
    #[arg(long, requires = "rules", conflicts_with_all = ["task", "next", "all"])]
    follow: bool,
}

impl RulesArgs {
    /// The file, where rules are to answer.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.rules.as_deref()
    }
}

/// What is answered by rules, and how.
pub(crate) struct Order<'a> {
    /// The rules.
    pub(crate) args: &'a RulesArgs,
    /// The one task whose questions are meant.
    pub(crate) task: Option<&'a str>,
    /// Whether nothing is changed.
    pub(crate) dry_run: bool,
    /// By which way answers go to FastMCP.
    pub(crate) way: Way,
}

/// Answers as the rules say; with `dry_run` it says what would be done to which question, and changes nothing.
pub(crate) async fn run(context: &Context, order: &Order<'_>, remote: &RemoteArgs) -> Result<(), Failure> {
    let args = order.args;
    let Some(path) = args.file() else { return Ok(()) };
    let (file, rules) = RulesFile::open(context, path)?;
    if !order.dry_run {
        context.before_changing(remote).await?;
    }
    let work = async |places: &Places| {
        places::tell_unsearched(context, places);
        let mut answering = Answering::new(context, order, rules);
        if let Some(task) = order.task {
            answering.look_at(&places::find(context, places, task, false).await?).await?;
            return answering.summed_up();
        }
        if !args.follow {
            if places.is_empty() {
                context.ui.talk(&context.nothing_begun());
            }
            answering.look(places).await?;
            return answering.summed_up();
        }
        if places.is_empty() {
            return answering.follow(&watch::begun(context, remote).await?, file.again(context)?).await;
        }
        answering.follow(places, file.again(context)?).await
    };
    places::at(context, remote, args.follow, work).await
}

/// Answers questions, and says of each what was decided.
struct Answering<'a> {
    context: &'a Context,
    /// Whether it goes on with what is asked from now on, through outages too.
    follows: bool,
    /// Whether nothing is changed.
    dry_run: bool,
    way: Way,
    rules: Rules,
    remembered: Remembered,
    answered: usize,
    left: usize,
    late: usize,
}

/// What is heard while questions are followed.
enum Heard {
    Ours(Watched),
    Theirs(Notice),
    /// The file has other rules now.
    Rules(Rules),
}

impl<'a> Answering<'a> {
    fn new(context: &'a Context, order: &Order<'_>, rules: Rules) -> Self {
        let Order { args, dry_run, way, .. } = *order;
        let remembered = Remembered::default();
        let follows = args.follow;
        Self { context, follows, dry_run, way, rules, remembered, answered: 0, left: 0, late: 0 }
    }

    /// Takes what one task asks.
    async fn look_at(&mut self, found: &Found) -> Result<(), Failure> {
        found.each_open(async |ruling| self.take(ruling).await).await
    }

    /// Takes all that waits now.
    async fn look(&mut self, places: &Places) -> Result<(), Failure> {
        let context = self.context;
        let unseen = places.each_open(async |ruling| self.take(ruling).await).await?;
        places::tell_unseen(context, &unseen);
        Ok(())
    }

    /// Takes what waits now and what is asked from now on, by the rules that the file has then.
    async fn follow(&mut self, places: &Places, mut file: ReadAgain) -> Result<(), Failure> {
        // The tails begin first: what is asked from now on is not missed, however long the looking takes.
        let mut others =
            Watching::begin(places, &What::All, Through::Tasks, &mut |words| self.context.ui.warn(&words))
                .await?;
        let own = places.own().map(|(_, engine)| engine);
        let mut log = match own {
            Some(engine) => Some(engine.watch(EventFilter::All, engine.last().await?).await?),
            None => None,
        };
        self.look_patiently(places).await?;
        if self.context.ui.may_animate() {
            self.context.ui.talk("waiting for questions; Ctrl-C ends it");
        }
        loop {
            let heard = tokio::select! {
                biased;
                rules = file.next() => Heard::Rules(rules),
                heard = Watch::next_of(&mut log) => Heard::Ours(heard?),
                notice = others.next() => Heard::Theirs(notice?),
            };
            match (heard, own) {
                (Heard::Ours(Watched::Event(event)), Some(engine)) => self.hear(engine, &event).await?,
                (Heard::Theirs(Notice::Event(seen)), _) => self.hear_of_others(places, *seen).await?,
                (Heard::Theirs(Notice::Warning(words)), _) => self.context.ui.warn(&words),
                // What the rules before left may be answered by these.
                (Heard::Rules(rules), _) => {
                    (self.rules, self.remembered) = (rules, Remembered::default());
                    self.look_patiently(places).await?;
                }
                // Whatever the log does not tell of any more is among what waits.
                (Heard::Ours(_), _) => {
                    self.remembered = Remembered::default();
                    self.look_patiently(places).await?;
                }
            }
        }
    }

    /// [`Answering::look`] once the places are there: what was taken before is remembered.
    async fn look_patiently(&mut self, places: &Places) -> Result<(), Failure> {
        let context = self.context;
        context.ride_out(async || self.look(places).await).await
    }

    async fn hear(&mut self, engine: &Engine, event: &Event) -> Result<(), Failure> {
        let EventKind::Asked { question } = &event.kind else { return Ok(()) };
        let task = match engine.get_patiently(&Viewer::Operator, &event.task).await {
            Ok(task) => task,
            // Gone, or not to be read: nobody can answer it.
            Err(EngineError::Store(StoreError::NoTask(_) | StoreError::Unreadable { .. })) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match task.open_questions().find(|open| open.id == question.id) {
            Some(open) => self.take(Ruling::of_task(engine, &task, open)).await,
            None => Ok(()),
        }
    }

    async fn hear_of_others(&mut self, places: &Places, seen: Seen) -> Result<(), Failure> {
        let Some(question) = seen.question else { return Ok(()) };
        let find = async || places.seek(&seen.task).await?.task();
        let found = match self.context.ride_out(find).await {
            Ok(found @ (Found::Fastmcp(..) | Found::Server(..))) => found,
            Ok(Found::Store(..)) => return Ok(()),
            Err(failure) if matches!(failure.kind(), Kind::NotFound | Kind::Cancelled) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        self.take(Ruling::of_others(found, seen.tool, question)).await
    }

    /// Decides on a question, does what was decided, and says so.
    async fn take(&mut self, ruling: Ruling) -> Result<(), Failure> {
        let ruling = &ruling.by(self.way);
        if !self.remembered.is_new(ruling.ids()) {
            return Ok(());
        }
        let decision = ruling.decided(&self.rules);
        let ruled = match &decision.verdict {
            Verdict::Leave(why) => Ruled::Left(why.clone()),
            Verdict::Answer(answer) => match self.sent(ruling, answer).await {
                Ok(ruled) => ruled,
                Err(failure) => {
                    self.remembered.forget(ruling.ids());
                    return Err(failure);
                }
            },
        };
        match &ruled {
            Ruled::Answered | Ruled::Would => self.answered += 1,
            Ruled::Left(_) => self.left += 1,
            Ruled::Late(_) => self.late += 1,
        }
        self.tell(ruling, &decision, &ruled)
    }

    async fn sent(&self, ruling: &Ruling, answer: &Answer) -> Result<Ruled, Failure> {
        if let Some(refusal) = ruling.refusal().await {
            return Ruled::of_sending(Err(refusal));
        }
        if self.dry_run {
            return Ok(Ruled::Would);
        }
        let mut sending = ruling.sending(answer.clone());
        let sent = if self.follows {
            self.context.ride_out(async || sending.attempt().await).await
        } else {
            sending.attempt().await
        };
        Ruled::of_sending(sent)
    }

    /// One line for each question.
    fn tell(&self, ruling: &Ruling, decision: &Decision, ruled: &Ruled) -> Result<(), Failure> {
        let ui = &self.context.ui;
        if ui.is_json() {
            return ui.object(&ruling.object(decision, ruled));
        }
        let (task, question) = ruling.ids();
        let tool = ruling.tool().map(|tool| format!("{}: ", text::line(tool))).unwrap_or_default();
        let named = format!("{}  {}  {tool}", text::line(event::short(task)), text::line(question));
        ui.line_words(&named, &words(ruling.ask(), decision, ruled))
    }

    fn summed_up(&self) -> Result<(), Failure> {
        let Self { answered, left, late, .. } = *self;
        let ui = &self.context.ui;
        if ui.is_json() {
            let dry_run = self.dry_run;
            return ui.object(&json!({
                "event": "done", "answered": answered, "left": left, "late": late, "dry_run": dry_run,
            }));
        }
        let done = if self.dry_run { "would be answered" } else { "answered" };
        let late = if late > 0 { format!(", {late} answered by others") } else { String::new() };
        ui.line(&format!("{answered} {done}, {left} left{late}"))
    }
}

/// What was decided on a question and what became of it, in words that are safe on a terminal.
fn words(ask: &Ask, decision: &Decision, ruled: &Ruled) -> String {
    let by = decision.rule.as_ref().map(|rule| format!(" by rule {}", text::line(rule)));
    let by = by.unwrap_or_default();
    let why = |why: &str| text::sentence(why);
    let says = |answer: &Answer| action_in_words(ask, answer, " ");
    match (ruled, &decision.verdict) {
        (Ruled::Answered, Verdict::Answer(answer)) => format!("answered{by}: {}", says(answer)),
        (Ruled::Would, Verdict::Answer(answer)) => {
            format!("would be answered{by}: {}", says(answer))
        }
        (Ruled::Late(other), _) => format!("was decided{by}, and is not answered so: {}", why(other)),
        (Ruled::Left(Some(reason)), _) => format!("left to people{by}: {}", why(reason)),
        (Ruled::Left(None) | Ruled::Answered | Ruled::Would, _) => format!("left to people{by}"),
    }
}

/// Questions that were looked at, the newest [`REMEMBERED`].
#[derive(Default)]
pub(super) struct Remembered {
    all: HashSet<(String, String)>,
    order: VecDeque<(String, String)>,
}

impl Remembered {
    /// Notes a question; whether it was not known.
    pub(super) fn is_new(&mut self, (task, question): (&str, &str)) -> bool {
        let key = (task.to_owned(), question.to_owned());
        if !self.all.insert(key.clone()) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        true
    }

    /// Whether it is known.
    pub(super) fn has(&self, (task, question): (&str, &str)) -> bool {
        self.all.contains(&(task.to_owned(), question.to_owned()))
    }

    /// Forgets one that could not be dealt with.
    fn forget(&mut self, (task, question): (&str, &str)) {
        let key = (task.to_owned(), question.to_owned());
        self.all.remove(&key);
        self.order.retain(|one| *one != key);
    }
}
