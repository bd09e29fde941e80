//! Answering at the inbox: one question, or several alike.

use super::super::answering;
use super::super::failure::{Failure, Kind};
use super::super::ui::question::Draft;
use super::super::ui::text;
use super::Desk;
use super::sites::{Site, guards_of};
use crate::desk::answer::Sending;
use crate::desk::bulk::Tally;
use crate::desk::inbox::Key;
use crate::desk::values;
use crate::fastmcp::Way;
use crate::task::{Answer, Ask};
use crate::tui::inbox::{Sheet, SheetLine, Tone};

/// What an answer says.
fn in_words(ask: &Ask, answer: &Answer) -> String {
    values::action_in_words(ask, answer, " with ")
}

impl Desk<'_> {
    /// Asks the person here, again where the answer was not taken, until somebody has answered.
    pub(super) async fn answer(&mut self, key: &Key) -> Result<(), Failure> {
        self.may_change(key.place).await?;
        let (found, question) = self.question(key).await?;
        let (site, mut asked) = (self.site(key.place)?, question.asked.clone());
        asked.guard.clone_from(&site.guard);
        loop {
            self.pane.release();
            let answer = answering::ask_until_closed(site.context, &found, &question, &asked).await?;
            let answer = answer.given_by(site.who.clone());
            let draft = Draft::sent(&site.context.ui, &asked.ask, &answer);
            let mut sending = Sending::new(&found, &question, answer.clone(), Way::Supported);
            let sent = answering::send(site.context, &mut sending, true);
            let sent = self.during("sending the answer", sent).await;
            let taken = answering::taken(site.context, sent)?;
            draft.forget();
            match taken {
                Ok(receipt) => {
                    self.inbox.close(key);
                    self.pane.unmark();
                    let said = in_words(&asked.ask, &receipt.answer);
                    self.pane.notice(format!("{}: {said}", question.asked.who));
                    return Ok(());
                }
                Err(problem) => asked.refused(&answer, problem),
            }
        }
    }

    /// One form for several questions; what is sent to whom is shown before.
    pub(super) async fn answer_alike(&mut self, keys: &[Key]) -> Result<(), Failure> {
        let Some(first) = keys.first() else { return Ok(()) };
        for key in keys {
            self.may_change(key.place).await?;
        }
        let (_, question) = self.question(first).await?;
        let mut asked = question.asked;
        let alike = format!("{} questions alike; what is sent to whom is shown before", keys.len());
        asked.background.facts.insert(0, ("answers", alike));
        asked.guard = guards_of(keys.iter().filter_map(|key| self.sites.of(key.place)));
        let site = self.site(first.place)?;
        loop {
            self.pane.release();
            let answer = answering::ask(site.context, &asked).await?;
            let draft = Draft::sent(&site.context.ui, &asked.ask, &answer);
            let (listed, lines) = self.to_be_sent(keys, &asked.ask, &answer);
            self.yes(Sheet::question(format!("Send this to {} questions?", listed.len()), lines)).await?;
            let problem = self.send_alike(&listed, (&asked.ask, &answer), site).await?;
            draft.forget();
            match problem {
                None => return Ok(()),
                // What was sent before stays sent; the rest is asked again, with what was filled in.
                Some(problem) => asked.refused(&answer, problem),
            }
        }
    }

    /// Sends it to all of them; why the rest was called off, where the form may be sent again.
    async fn send_alike(
        &mut self,
        keys: &[Key],
        (ask, answer): (&Ask, &Answer),
        site: &Site<'_>,
    ) -> Result<Option<String>, Failure> {
        let (mut tally, sites) = (Tally::default(), self.sites);
        let by = |place: usize| {
            let who = sites.of(place).map_or_else(|| site.who.clone(), |site| site.who.clone());
            answer.clone().given_by(who)
        };
        let sending = self.inbox.answer_alike(keys, (&by, &ask.kind), &mut tally);
        let sent = self.during(&format!("answering {} questions", keys.len()), sending).await;
        let said = tally.in_words("answered", "were late", "refused");
        match sent {
            Ok(()) => {
                self.pane.unmark();
                self.pane.notice(said);
                Ok(None)
            }
            Err(failure) if answering::stays_open(&failure) => {
                let why = answering::in_words(&site.context.failed(failure));
                Ok(Some(format!("{why}; {said}")))
            }
            Err(failure) if failure.is_signal() => Err(failure),
            // What was sent before stays sent; the rest stays marked.
            Err(failure) => {
                let why = text::sentence(&site.context.failed(failure).to_string());
                Err(Failure::new(Kind::NothingChanged, format!("{why}; {said}")))
            }
        }
    }

    /// Those of the questions that are still open as far as is known, and what will be sent to them.
    fn to_be_sent(&self, keys: &[Key], ask: &Ask, answer: &Answer) -> (Vec<Key>, Vec<SheetLine>) {
        let mut lines = vec![SheetLine::new("  ", in_words(ask, answer), Tone::Strong), SheetLine::plain("")];
        let (list, has_several) = (self.inbox.list(), self.inbox.has_several_places());
        let mut listed = Vec::new();
        for question in keys.iter().filter_map(|key| list.get(key)) {
            let id = text::line(text::short_id(&question.key.task));
            let place = if has_several { question.source.as_str() } else { "" };
            let whose = [question.tool.as_str(), place, &question.session, &question.message];
            let whose: Vec<&str> = whose.into_iter().filter(|one| !one.is_empty()).collect();
            lines.push(SheetLine::new(format!("  {id}  "), whose.join(" · "), Tone::Plain));
            listed.push(question.key.clone());
        }
        (listed, lines)
    }
}
