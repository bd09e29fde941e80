//! `respond --all`: one answer to every open question of the tasks that match.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::bulk::{self, Words};
use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::respond_args::RespondArgs;
use super::ui::{event, page, text};
use super::waiting;
use crate::desk::bulk::{Tally, ends_all};
use crate::desk::places::Places;
use crate::desk::selection::{counted, of_what};
use crate::desk::server::Unseen;
use crate::desk::values;
use crate::desk::waiting::{Matching, Waiting};
use crate::task::{Action, Answer, Who};

const WORDS: Words = Words {
    verb: "respond",
    act: "answer",
    done: "answered",
    past: "answered by others or gone meanwhile",
    failed: "refused",
};

/// The most characters of a message in a line.
const MESSAGE: usize = 60;

/// What is sent to each question.
struct Given<'a> {
    args: &'a RespondArgs,
    content: Option<Map<String, Value>>,
    who: Who,
}

impl Given<'_> {
    /// The answer to this question, or why there is none.
    fn to(&self, waiting: &Waiting) -> Result<Answer, String> {
        let given = self.args.given(&waiting.question.asked.ask, self.content.clone());
        let given = given.map_err(|failure| failure.to_string())?;
        let answer = given.ok_or_else(|| "the options give no answer to it".to_owned())?;
        waiting.checked(answer.given_by(self.who.clone()), self.args.accept)
    }
}

pub(super) async fn run(context: &Context, args: RespondArgs, who: Who) -> Result<(), Failure> {
    if !args.has_answer() {
        return Err(Failure::usage("--all sends the answer that the options give, and they give none")
            .hint("give --set NAME=VALUE, --accept, --content JSON, --decline or --cancel"));
    }
    if !args.dry_run {
        context.before_changing(&args.remote).await?;
    }
    let given = Given { args: &args, content: args.content()?, who };
    places::at(context, &args.remote, false, async |places| answer(context, places, &given).await).await
}

async fn answer(context: &Context, places: &Places, given: &Given<'_>) -> Result<(), Failure> {
    let args = given.args;
    places::tell_unsearched(context, places);
    let (tool, session) = (args.tool.clone(), args.session.clone());
    let mut matching = Matching { tool, session, asked_before: None };
    if !args.dry_run && !context.config.yes && context.ui.may_prompt() {
        let seen = Seen::of(context, places, &matching, args.accept).await?;
        if seen.count() == 0 {
            // What is asked from now on has been shown to nobody.
            return end(context, &mut Tally::default(), (seen.unreadable, seen.unseen), args);
        }
        let what = format!("{}: {}", counted(seen.count(), "question"), seen.of_what());
        bulk::ask(context, WORDS.act, &what).await?;
        matching.asked_before = seen.last;
    }
    context.goes_on("what is answered stays so; the same command goes on with the rest");
    let mut tally = Tally::default();
    let unreadable =
        context.asking(places.each_waiting(&matching, async |waiting| match given.to(&waiting) {
            Ok(answer) if args.dry_run => {
                tally.done += 1;
                show(context, &waiting, Ok(&answer))
            }
            Err(problem) if args.dry_run => {
                waiting.refused(&problem, &mut tally);
                show(context, &waiting, Err(&problem))
            }
            Ok(answer) => send(context, &waiting, answer, args, &mut tally).await,
            Err(problem) => {
                context.ui.detail(&format!("{}: {}", waiting.name(), text::sentence(&problem)));
                waiting.refused(&problem, &mut tally);
                Ok(())
            }
        }));
    let unreadable = match unreadable.await {
        Err(failure) if ends_all(&failure) => {
            tally.cut = Some(failure);
            (0, Unseen::default())
        }
        unreadable => unreadable?,
    };
    end(context, &mut tally, unreadable, args)
}

/// Says how it ended.
fn end(
    context: &Context,
    tally: &mut Tally,
    (unreadable, unseen): (usize, Unseen),
    args: &RespondArgs,
) -> Result<(), Failure> {
    places::tell_unreadable(context, unreadable, ", so that nobody can tell what they ask");
    places::tell_unseen(context, &unseen);
    if tally.done > 0 || tally.failed > 0 || tally.cut.is_some() {
        return bulk::end(context, &WORDS, tally, args.dry_run);
    }
    bulk::tell_scripts(context, &WORDS, tally, args.dry_run)?;
    if tally.past == 0 && !unseen.unanswerable.is_empty() {
        return Err(waiting::none_to_answer());
    }
    let faster = (tally.past > 0).then(|| format!("{} {}", tally.past, WORDS.past));
    let why = faster.unwrap_or_else(|| "no question of such a task is open".to_owned());
    Err(Failure::new(Kind::NothingChanged, format!("there was nothing to answer: {why}")))
}

/// What is open when somebody is asked whether it shall be answered.
#[derive(Default)]
struct Seen {
    by_tool: BTreeMap<String, usize>,
    /// When the last of these questions was asked, where that is known.
    last: Option<Timestamp>,
    /// How many tasks cannot be read.
    unreadable: usize,
    /// What of a server's cannot be looked at.
    unseen: Unseen,
}

impl Seen {
    /// Looks, and names the pages that would be accepted.
    async fn of(
        context: &Context,
        places: &Places,
        matching: &Matching,
        accepts: bool,
    ) -> Result<Self, Failure> {
        let mut seen = Self::default();
        let looking = places.each_waiting(matching, async |waiting| {
            seen.last = seen.last.max(waiting.since());
            if accepts {
                tell_page(context, &waiting);
            }
            *seen.by_tool.entry(waiting.tool.unwrap_or_default()).or_default() += 1;
            Ok(())
        });
        let (unreadable, unseen) = context.asking(looking).await?;
        Ok(Self { unreadable, unseen, ..seen })
    }

    fn count(&self) -> usize {
        self.by_tool.values().sum()
    }

    fn of_what(&self) -> String {
        of_what(self.by_tool.iter().map(|(tool, count)| (tool.as_str(), *count)).collect())
    }
}

/// Names the page that would be accepted, where it is one.
fn tell_page(context: &Context, waiting: &Waiting) {
    if let Some(url) = page::of(&waiting.question.asked.ask) {
        context.ui.talk(&format!("{} asks to visit {}", waiting.name(), page::within(url)));
    }
}

async fn send(
    context: &Context,
    waiting: &Waiting,
    answer: Answer,
    args: &RespondArgs,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let is_first = tally.done == 0;
    if answer.action == Action::Accept {
        tell_page(context, waiting);
    }
    let Some(receipt) = waiting.send(answer, tally).await? else { return Ok(()) };
    let is_said = is_first && (args.name.is_some() || args.note.is_some());
    if let Some(problem) = waiting.found.keeps_no_names().filter(|_| is_said) {
        context.ui.warn(&problem);
    }
    if let Some(open) = receipt.is_still_open(&waiting.question) {
        context.ui.warn(&context.advise(open));
    }
    if context.ui.is_json() {
        return context.ui.object(&receipt.object(&waiting.found, &waiting.question));
    }
    context.ui.detail(&format!(
        "{}: {}",
        waiting.name(),
        values::in_words(&waiting.question.asked.ask, &receipt.answer)
    ));
    Ok(())
}

/// Prints what would be sent, or why nothing would.
fn show(context: &Context, waiting: &Waiting, answer: Result<&Answer, &str>) -> Result<(), Failure> {
    let question = &waiting.question;
    if context.ui.is_json() {
        let given = answer.ok();
        return context.ui.object(&json!({
            "source": waiting.found.source(), "task": question.task, "question": question.id, "tool": waiting.tool,
            "message": question.asked.ask.message, "url": page::of(&question.asked.ask),
            "action": given.map(|answer| answer.action), "content": given.map(|answer| &answer.content),
            "problem": answer.err(),
        }));
    }
    let said = match answer {
        Ok(answer) => format!("would be sent: {}", values::in_words(&question.asked.ask, answer)),
        Err(problem) => format!("would be refused: {}", text::sentence(problem)),
    };
    let (task, id) = (text::line(event::short(&question.task)), text::line(&question.id));
    context.ui.line(&format!("{task}  {id}  {said}  ({})", page::message(&question.asked.ask, MESSAGE)))
}
