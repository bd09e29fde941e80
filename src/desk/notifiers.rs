//! Who is told of what happens: notifiers of our own store, what waits for them and what was given up.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::{Failure, Kind};
use super::places::Places;
use super::suggest::{Advice, Suggested};
use crate::engine::Engine;
use crate::store::EventFilter;
use crate::store::notifiers::{Delivery, DeliveryState, NotifierInfo};

/// Events that are counted behind a notifier's place.
const MOST_BEHIND: usize = 1000;

/// Deliveries of one notifier that are looked at in each state.
const MOST: usize = 5000;

/// A notifier, with what it has not delivered.
#[derive(Debug)]
pub(crate) struct Notifier {
    /// What the store says of it.
    pub(crate) info: NotifierInfo,
    /// How many events it has not read yet, of a thousand at most.
    pub(crate) behind: usize,
    /// What waits, the oldest first.
    pub(crate) waiting: Vec<Delivery>,
    /// What was given up, likewise.
    pub(crate) set_aside: Vec<Delivery>,
}

impl Notifier {
    /// It as an object.
    pub(crate) fn object(&self) -> Value {
        let NotifierInfo { name, about, waiting, set_aside, status, .. } = &self.info;
        json!({
            "notifier": name, "running": self.info.is_run(), "by": about, "behind": self.behind, "waiting": waiting,
            "set_aside": set_aside, "delivered_at": status.delivered_at, "failing_since": status.failing_since,
            "problem": status.problem,
        })
    }

    /// What it has not delivered though it was tried, each with whether it was given up.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (&Delivery, bool)> {
        let tried = self.waiting.iter().filter(|one| one.tries > 0).map(|one| (one, false));
        tried.chain(self.set_aside.iter().map(|one| (one, true)))
    }

    /// The same, each as an object.
    pub(crate) fn undelivered_objects(&self) -> impl Iterator<Item = Value> {
        self.undelivered().map(|(one, is_aside)| {
            json!({
                "notice": one.id, "notifier": self.info.name, "task": one.task, "event": event_of(one),
                "queued_at": one.queued_at, "tries": one.tries, "next_try": one.next_try, "problem": one.problem,
                "set_aside": is_aside,
            })
        })
    }
}

/// The event that a delivery tells of.
pub(crate) fn event_of(delivery: &Delivery) -> &str {
    delivery.notice["event"].as_str().unwrap_or_default()
}

/// The engine of our own store; `None` where nobody has begun one. Others have no notifiers.
pub(crate) fn own(places: &Places) -> Result<Option<Engine>, Failure> {
    match places.own() {
        Some((_, engine)) => Ok(Some(engine.clone())),
        None if places.is_empty() => Ok(None),
        None => {
            let why = "FastMCP tells nobody of what happens, and a server does not show who is told; of a store that a server uses, ";
            Err(Failure::usage("only our own store has notifiers, not a server or FastMCP")
                .hint(Advice::at_its_store(why, Suggested::new("notify"), "lists them")))
        }
    }
}

/// All of them.
pub(crate) async fn all(engine: &Engine) -> Result<Vec<Notifier>, Failure> {
    let store = engine.store();
    let mut found = Vec::new();
    for info in store.notifiers().notifiers().await?.rows {
        let behind = store.history(&EventFilter::All, info.cursors.events, MOST_BEHIND).await?.events.len();
        let waiting = store.notifiers().deliveries(&info.name, DeliveryState::Waiting, MOST).await?.rows;
        let set_aside = store.notifiers().deliveries(&info.name, DeliveryState::SetAside, MOST).await?.rows;
        found.push(Notifier { info, behind, waiting, set_aside });
    }
    Ok(found)
}

/// Has everything be sent again that was given up or waits for its next try: of all notifiers, or what is named by a
/// notifier's name or by the beginning of a notice's id. How many these are.
pub(crate) async fn retry(engine: &Engine, named: Option<&[String]>) -> Result<u64, Failure> {
    let all = all(engine).await?;
    if let Some(unknown) =
        named.unwrap_or_default().iter().find(|name| !all.iter().any(|one| knows(one, name)))
    {
        let message = format!("there is no notifier {unknown:?}, and no notice whose id begins so");
        let list = Advice::command(Suggested::new("notify"), "lists what there is");
        return Err(Failure::new(Kind::NotFound, message).hint(list));
    }
    let mut count = 0;
    for one in &all {
        let is_meant = |delivery: &&Delivery| {
            named.is_none_or(|named| {
                named.iter().any(|name| *name == one.info.name || begins_so(delivery, name))
            })
        };
        let again = |delivery: &Delivery| Delivery {
            tries: 0,
            next_try: None,
            queued_at: Timestamp::now(),
            ..delivery.clone()
        };
        let undelivered = one.undelivered().map(|(delivery, _)| delivery);
        let again: Vec<Delivery> = undelivered.filter(is_meant).map(again).collect();
        count += engine.store().notifiers().wait_again(&one.info.name, &again).await?;
    }
    Ok(count)
}

fn knows(notifier: &Notifier, name: &str) -> bool {
    let mut deliveries = notifier.waiting.iter().chain(&notifier.set_aside);
    notifier.info.name == name || deliveries.any(|one| begins_so(one, name))
}

/// Whether a word is the beginning of a notice's id. What all ids begin with names none, but may be a notifier's name.
fn begins_so(delivery: &Delivery, word: &str) -> bool {
    word.starts_with("msg_") && delivery.id.starts_with(word)
}

/// Forgets a notifier that nobody runs.
pub(crate) async fn forget(engine: &Engine, name: &str) -> Result<(), Failure> {
    if engine.store().notifiers().forget(name).await? {
        return Ok(());
    }
    let infos = engine.store().notifiers().notifiers().await?.rows;
    match infos.into_iter().find(|info| info.name == name) {
        Some(info) => {
            let message = format!("the notifier {name:?} is run by {}", info.about);
            Err(Failure::new(Kind::NothingChanged, message).hint("take it out of the file first"))
        }
        None => Err(Failure::new(Kind::NotFound, format!("there is no notifier {name:?}"))),
    }
}
